# SPDX-License-Identifier: Apache-2.0
"""test_takeover.py: which courier has a message when one dies, hangs, or has a slow mail server:
always one, and soon another.
"""

import os
import pathlib
import re
import shutil
import signal
import tempfile
import threading
import time

import pytest

import portal as parts
from rough import Lossy, Server, children_of, courier_of, halt, httpd, loopback

TAKEN_OVER = 5  # seconds, at most


class Slow(Server):
    """An SMTP server that hangs.

    The first `first` connections that come to `step`, DATA or the final dot, get no answer until
    `go` is set. It defers the first `refuse` mails.
    """

    def __init__(self):
        listener = loopback()
        self.port = listener.getsockname()[1]
        self.ask()
        super().__init__(listener)

    def ask(self, step=None, first=1):
        self.step, self.first, self.refuse, self.held, self.go, self.texts = (
            step,
            first,
            0,
            threading.Event(),
            threading.Event(),
            [],
        )

    def hold(self, step):
        if self.step == step and self.first > 0:
            self.first -= 1
            self.held.set()
            self.go.wait(60)

    def serve(self, connection):
        connection.sendall(b"220 here\r\n")
        text = None
        for line in connection.makefile("rb"):
            if text is not None and line != b".\r\n":
                text += line
                continue
            if text is not None:
                self.texts.append((time.monotonic(), text.decode()))
                self.hold(".")
                if self.refuse > 0:
                    self.refuse, text = self.refuse - 1, None
                    connection.sendall(b"451 later\r\n")
                    continue
            elif line == b"DATA\r\n":
                self.hold("DATA")
            text = b"" if line == b"DATA\r\n" else None
            connection.sendall(b"354 go on\r\n" if text is not None else b"250 fine\r\n")

    def ids(self):
        return [re.search("^Message-ID: (.*)$", text, re.M).group(1) for _, text in self.texts]


class Node(parts.Portal):
    """One more httpd on a portal's database and memcached, on a port of its own, as another node
    would be.
    """

    def __init__(self, portal, folder):
        os.chmod(folder, 0o777)
        with open(portal.env["HTTPD_CONF"]) as file:
            text = file.read()
        self.dir, self.port = portal.dir, parts.free_port()
        for name, value in (
            ("PidFile", '"%s/httpd.pid"' % folder),
            ("Mutex", '"file:%s"' % folder),
            ("DefaultRuntimeDir", '"%s"' % folder),
            ("Listen", str(self.port)),
            ("SSLSessionCache", '"shmcb:%s/ssl(512000)"' % folder),
            ("ErrorLog", '"%s/error.log"' % folder),
        ):
            text = re.sub("^%s .*$" % name, "%s %s" % (name, value), text, flags=re.M)
        (folder / "httpd.conf").write_text(text)
        self.env = dict(
            portal.env,
            HTTPD_CONF=str(folder / "httpd.conf"),
            HTTPD_PID=str(folder / "httpd.pid"),
            LOGS=str(folder),
        )
        self.url = "https://localhost:%d/esign/" % self.port

    def kill(self):
        """All of it, as a power failure would."""
        parent = parts.pid_of(self.env["HTTPD_PID"])
        for pid in [parent, *children_of(parent)]:
            if parts.running(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def server():
    one = Slow()
    yield one
    one.close()


@pytest.fixture(scope="module")
def portal(make_portal, server, tmp_path_factory):
    include = tmp_path_factory.mktemp("slow") / "mail.conf"
    include.write_text(
        "EsignMail smtp://127.0.0.1:%d\nEsignMailConnections 2\nEsignDeliveryTimeout 60\n"
        % server.port
    )
    return make_portal("--include", str(include))


@pytest.fixture
def other(portal, tmp_path):
    node = Node(portal, tmp_path)
    httpd(node, "start")
    assert node.wait(lambda: courier_of(node))
    yield node
    node.kill()


def ask(portal, server, step):
    """A mail, in the hands of a courier that the server does not answer."""
    server.ask(step)
    portal.browser().ask_reset(portal.new_subscriber().id)
    assert server.held.wait(10), portal.log()[-2000:]


def settled(portal, server, texts):
    """Everything is sent, with so many texts of one message."""
    server.go.set()
    assert portal.wait(lambda: portal.sql("SELECT count(*) FROM outbox") == [(0,)]), portal.ctl(
        "outbox", "list"
    )
    time.sleep(0.5)  # none comes later: a courier looks each 0.2 s
    assert len(server.texts) == texts and len(set(server.ids())) == 1


def second_text(portal, server, since):
    assert portal.wait(lambda: len(server.texts) == 2, 10)
    took = server.texts[1][0] - since
    print("taken over in %.1f s" % took)
    assert took < TAKEN_OVER


def threads_of(pid):
    return [
        pathlib.Path(task.path, "comm").read_text().strip()
        for task in os.scandir("/proc/%d/task" % pid)
    ]


def test_the_courier_and_its_mails_have_threads_by_name(portal, server):
    ask(portal, server, ".")
    courier = courier_of(portal)
    for child in children_of(parts.pid_of(portal.env["HTTPD_PID"])):
        names = threads_of(child)
        assert names.count("esign courier") == (child == courier) and ("esign mail" in names) == (
            child == courier
        )
    settled(portal, server, 1)


@pytest.mark.expects_log(r"exit signal Killed", r"\[dbd:", "long lost child")
def test_another_child_takes_over_from_a_killed_courier(portal, server):
    for _ in range(2):
        ask(portal, server, ".")
        courier = courier_of(portal)
        os.kill(courier, signal.SIGKILL)
        second_text(portal, server, time.monotonic())
        assert courier_of(portal) not in (None, courier)
        settled(portal, server, 2)


def test_a_courier_that_lives_keeps_what_takes_long(portal, other, server):
    ask(portal, server, ".")
    for _ in range(70):  # longer than a lease
        time.sleep(0.1)
        assert portal.sql("SELECT lease_until > ? FROM outbox", time.time() * 10**6) == [(1,)]
    settled(portal, server, 1)


@pytest.fixture
def alone(portal, other, server):
    """The other node, while it has the portal's only courier."""
    httpd(portal, "stop")
    assert portal.wait(lambda: not courier_of(portal)) is True
    return other


# mod_ssl says at each start when OpenSSL is newer than what it was built with.
@pytest.mark.expects_log("AH01882")
def test_another_node_takes_over_from_a_dead_one(portal, alone, server):
    ask(alone, server, ".")
    httpd(portal, "start")
    assert portal.wait(lambda: courier_of(portal))
    alone.kill()
    second_text(portal, server, time.monotonic())
    settled(portal, server, 2)


@pytest.mark.expects_log("AH01882")
def test_who_comes_too_late_lets_go(portal, alone, server):
    """It stood still before its mail's end was out, and meanwhile another node has sent it."""
    ask(alone, server, "DATA")
    httpd(portal, "start")
    courier = courier_of(alone)
    halt(courier)
    stopped = time.monotonic()
    assert (
        portal.wait(lambda: len(server.texts) == 1, 10)
        and server.texts[0][0] - stopped < TAKEN_OVER
    )
    os.kill(courier, signal.SIGCONT)
    settled(portal, server, 1)


@pytest.mark.expects_log("AH01882", "451 later")
def test_who_gets_it_back_carries_it_once(portal, alone, server):
    """The courier stood still, and another node tried and gave the mail back. It goes on with its
    own connection, which still hangs, and opens no other.
    """
    ask(alone, server, "DATA")
    server.refuse = 1
    httpd(portal, "start")
    courier = courier_of(alone)
    halt(courier)
    assert portal.wait(lambda: portal.sql("SELECT attempts, owner FROM outbox") == [(2, "")], 10)
    httpd(portal, "stop")
    assert portal.wait(lambda: not courier_of(portal)) is True
    os.kill(courier, signal.SIGCONT)
    assert portal.wait(lambda: portal.sql("SELECT attempts FROM outbox") in ([(3,)], []), 15)
    time.sleep(2)  # no second connection carries it
    settled(portal, server, 2)
    assert courier_of(alone) == courier, alone.log()[-2000:]
    httpd(portal, "start")


@pytest.mark.expects_log("AH01882")
def test_a_request_that_becomes_no_mail_becomes_none_later(portal, server):
    """A request beyond the daily number takes the time of a mail. A reload during that time leaves
    nothing in the outbox that would be tried again.
    """
    parts.away_from_midnight()
    ask(portal, server, ".")
    time.sleep(4)  # plays a slow server: the request below takes as long as this mail
    settled(portal, server, 1)
    subscriber, day = portal.new_subscriber(), int(time.time() // 86400)
    row = portal.row(subscriber)
    portal.sql(
        "UPDATE subscriber SET mail_count = 99, mail_day = ?, mail_last = ? WHERE id = ?",
        day,
        int(time.time() * 10**6),
        row,
    )
    events = "SELECT event FROM audit WHERE subscriber = ? AND event LIKE 'reset-%'"
    portal.browser().ask_reset(subscriber.id)
    assert portal.wait(lambda: portal.sql(events, row) == [("reset-spaced",)])
    courier = courier_of(portal)
    portal.graceful()
    assert portal.wait(lambda: courier_of(portal) not in (None, courier))
    settled(portal, server, 1)
    assert portal.sql(events, row) == [("reset-spaced",)]


def test_a_lease_is_whole_however_long_memcached_takes(make_portal, server):
    """The courier asks memcached for room under the ceilings before it leases. None of that time
    counts as the lease's, which it must not work beyond.
    """
    folder = tempfile.mkdtemp(prefix="mod_esign-test.", dir="/var/tmp")
    os.chmod(folder, 0o755)
    late = Lossy(os.path.join(folder, "memcached.sock"))
    include = os.path.join(folder, "late.conf")
    with open(include, "w") as file:
        file.write(
            'EsignMemcached "--SOCKET=\\"%s/memcached.sock\\""\nEsignMail smtp://127.0.0.1:%d\n'
            % (folder, server.port)
        )
    portal = make_portal("--include", include)
    late.real, late.late, late.pause = portal.env["MEMCACHED"], b"get", 0.7
    server.ask(".")
    portal.browser().ask_reset(portal.new_subscriber().id)
    left = portal.wait(
        lambda: [
            until / 10**6 - time.time()
            for until, in portal.sql("SELECT lease_until FROM outbox WHERE owner <> ''")
        ],
        30,
    )
    portal.stop()
    late.close()
    shutil.rmtree(folder)
    server.go.set()
    assert left[0] > 3


HOSTS = ("two.example.org", "three.example.org", "four.example.org")


def test_many_couriers_say_farewell_in_time(make_portal, server, tmp_path_factory):
    """httpd gives a child three seconds, however many portals it has. Each has a mail server that
    hangs, and its messages are due again.
    """
    mail = (
        "EsignMail smtp://127.0.0.1:%d\nEsignMailConnections 1\nEsignDeliveryTimeout 60\n"
        % server.port
    )
    include = tmp_path_factory.mktemp("many") / "mail.conf"
    include.write_text(
        mail
        + "".join(
            "<VirtualHost *:*>\nServerName %s\nEsignPublicURL https://%s\n</VirtualHost>\n"
            % (host, host)
            for host in HOSTS
        )
    )
    portal = make_portal("--include", str(include))
    couriers = len(HOSTS) + 1
    server.ask(".", couriers)
    # Each has one mail under way, and some have a few more leased.
    asked = 0
    while len(server.texts) < couriers and asked < 20:
        portal.browser().ask_reset(portal.new_subscriber().id)
        asked += 1
        portal.wait(lambda: len(server.texts) == couriers, 0.1)
    assert len(server.texts) == couriers
    parent = parts.pid_of(portal.env["HTTPD_PID"])
    begin = time.monotonic()
    httpd(portal, "stop")
    assert portal.wait(lambda: not parts.running(parent), 15)
    took = time.monotonic() - begin
    print("ended in %.1f s" % took)
    assert "did not exit" not in portal.log()
    assert portal.sql(
        "SELECT count(*) FROM outbox WHERE owner = '' AND lease_until = 0 AND due <= ?",
        time.time() * 10**6,
    ) == [(asked,)]
    server.go.set()
