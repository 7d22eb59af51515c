# SPDX-License-Identifier: Apache-2.0
"""rough.py: clients and servers that behave badly, and looks into the processes of httpd."""

import contextlib
import glob
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import requests

import portal as parts


class Elsewhere(requests.adapters.HTTPAdapter):
    """Connections from another address of this machine, to a virtual host of another name."""

    def __init__(self, host, address):
        self.pool = {
            "server_hostname": host,
            "assert_hostname": "localhost",
            "source_address": (address, 0),
        }
        super().__init__()

    def init_poolmanager(self, *arguments, **more):
        super().init_poolmanager(*arguments, **more, **self.pool)


def visitor(portal, host="localhost", address="127.0.0.1"):
    browser = portal.browser()
    browser.session.mount("https://", Elsewhere(host, address))
    browser.session.headers["Host"] = host
    return browser


def cookies(browser):
    return "; ".join("%s=%s" % (c.name, c.value) for c in browser.session.cookies)


class Http2:
    """A browser with HTTP/2, which makes a connection for each request."""

    def __init__(self, portal):
        self.portal, self.cookies = portal, {}

    def ask(self, path, fields=None):
        """Status and body."""
        options = [] if fields is None else ["--data-binary", urllib.parse.urlencode(fields)]
        cookie = (
            ["-H", "Cookie: " + "; ".join("%s=%s" % pair for pair in self.cookies.items())]
            if self.cookies
            else []
        )
        done = subprocess.run(
            [
                "curl",
                "-s",
                "-i",
                "--http2",
                "--noproxy",
                "*",
                "--cacert",
                self.portal.env["CERTIFICATE"],
                "--max-time",
                "30",
                "-H",
                "Accept: application/xml",
                *options,
                *cookie,
                self.portal.url + path,
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        assert head.startswith("HTTP/2 "), done
        self.cookies.update(re.findall(r"^set-cookie: ([^=]+)=([^;]+)", head, re.M))
        return int(head.split()[1]), body


class Raw:
    """One TLS connection that sends what the test gives it, when the test says so. `small`: with a
    receive buffer that holds next to nothing.
    """

    def __init__(self, portal, small=False):
        context = ssl.create_default_context(cafile=portal.env["CERTIFICATE"])
        plain = socket.socket()
        plain.settimeout(20)
        if small:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        plain.connect(("127.0.0.1", portal.port))
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.socket.settimeout(20)

    def head(self, method, path, **headers):
        lines = ["%s /esign/%s HTTP/1.1" % (method, path), "Host: localhost"]
        lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """All that comes until the other side closes."""
        data = b""
        while True:
            try:
                more = self.socket.recv(65536)
            except ssl.SSLEOFError:
                more = b""
            if not more:
                return data.decode(errors="replace")
            data += more

    def close(self):
        self.socket.close()


def loopback():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


class Server:
    """Serves each connection in a thread of its own, until it is closed."""

    def __init__(self, listener):
        self.listener, self.open = listener, set()
        listener.listen(64)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.add(connection)
            threading.Thread(target=self.serve_one, args=(connection,), daemon=True).start()

    def serve_one(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass
        finally:
            self.open.discard(connection)
            connection.close()

    def close(self):
        for one in [self.listener, *self.open]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(10)
        self.listener.close()


class Lossy(Server):
    """A relay before memcached.

    It passes on the next command that begins with `lose`, and drops its answer. Commands of the
    throttle that begin with `late` are passed on after `pause` seconds.
    """

    def __init__(self, path, real=None):
        self.real, self.lose, self.lost, self.late, self.pause = real, None, [], None, 0
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        os.chmod(path, 0o666)
        super().__init__(listener)

    def serve(self, connection):
        up = socket.socket(socket.AF_UNIX)
        with up:
            up.connect(self.real)
            drop = threading.Event()
            threading.Thread(target=self.pass_up, args=(connection, up, drop), daemon=True).start()
            while data := up.recv(65536):
                if drop.is_set():
                    self.lost.append(data)
                    return
                connection.sendall(data)

    def pass_up(self, connection, up, drop):
        try:
            while data := connection.recv(65536):
                if self.lose and data.startswith(self.lose):
                    self.lose = None
                    drop.set()
                if self.late and data.startswith(self.late) and b" throttle:" in data:
                    time.sleep(self.pause)  # plays a slow server
                up.sendall(data)
            up.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class RudeMail(Server):
    """An SMTP server that says `answer` at one step: greeting, EHLO (HELO too), RCPT, or "." for
    the end of the text.
    """

    def __init__(self, port, step, answer):
        self.step, self.rude = step, (answer + "\r\n").encode()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        super().__init__(listener)

    def serve(self, connection):
        connection.settimeout(10)
        connection.sendall(self.rude if self.step == "greeting" else b"220 here\r\n")
        text = False
        for line in connection.makefile("rb"):
            word = line.split(None, 1)[0].decode().upper() if line.strip() else ""
            if text and word != ".":
                continue
            text = word == "DATA"
            if word == self.step or (word, self.step) == ("HELO", "EHLO"):
                connection.sendall(self.rude)
            else:
                connection.sendall(
                    {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 fine\r\n")
                )


def processes_of(portal):
    """httpd and its children."""
    with open(portal.env["HTTPD_PID"]) as file:
        parent = file.read().strip()
    return {
        parent,
        *subprocess.run(["pgrep", "-P", parent], capture_output=True, text=True).stdout.split(),
    }


def children_of(parent):
    return [
        int(pid)
        for pid in subprocess.run(
            ["pgrep", "-P", str(parent)], capture_output=True, text=True
        ).stdout.split()
    ]


def halt(pid):
    """Stops a process, until SIGCONT: on return each of its threads stands."""

    def state(path):
        with open(path) as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    os.kill(pid, signal.SIGSTOP)
    for path in glob.glob("/proc/%d/task/*/stat" % pid):
        with contextlib.suppress(FileNotFoundError):  # it has ended
            parts.wait_until(lambda: state(path) == "T", "thread %s stops" % path)


def courier_of(portal):
    """The child that has the couriers, by its record lock on a file in memory; None without a
    courier.
    """
    probe = os.memfd_create("probe")
    device = os.fstat(probe).st_dev
    os.close(probe)
    try:
        ours = children_of(parts.pid_of(portal.env["HTTPD_PID"]))
    except FileNotFoundError:
        return None
    with open("/proc/locks") as file:
        found = re.findall(
            r"POSIX +ADVISORY +WRITE (\d+) %02x:%02x:\d+ 0 EOF"
            % (os.major(device), os.minor(device)),
            file.read(),
        )
    return next((int(pid) for pid in found if int(pid) in ours), None)


def semaphore_sets():
    return set(
        re.findall(
            r"^0x\w+ +(\d+) ",
            subprocess.run(["ipcs", "-s"], capture_output=True, text=True, check=True).stdout,
            re.M,
        )
    )


def gates_of(portal):
    """The semaphore sets that this portal's own processes used last: other portals run on the same
    machine.
    """
    ours, found = processes_of(portal), set()
    for one in semaphore_sets():
        told = subprocess.run(["ipcs", "-s", "-i", one], capture_output=True, text=True).stdout
        if ours & set(re.findall(r"^\d+ +\d+ +\d+ +\d+ +(\d+) *$", told, re.M)):
            found.add(one)
    return found


def httpd(portal, signal):
    subprocess.run(
        [parts.HTTPD, "-f", portal.env["HTTPD_CONF"], "-k", signal],
        check=True,
        capture_output=True,
        timeout=30,
    )
    # It takes its port only after the command has returned.
    assert signal != "start" or portal.wait(lambda: listens(portal)), portal.log()[-2000:]


def listens(portal):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", portal.port)) == 0


def link_of(portal, mail):
    return re.search(
        r"^\s*(https://\S+/reset/\S+)\s*$", mail.get_body(("plain",)).get_content(), re.M
    ).group(1)


def audit_rows(portal, subscriber, event):
    return portal.sql(
        "SELECT count(*) FROM audit WHERE event = ? AND subscriber = ?",
        event,
        portal.row(subscriber),
    )[0][0]
