# SPDX-License-Identifier: Apache-2.0
"""instance.py: an instance of the demo for measuring: configuration, people, sessions, counters."""

import collections
import contextlib
import http.client
import itertools
import os
import random
import re
import shutil
import socket
import sqlite3
import ssl
import statistics
import struct
import subprocess
import tempfile
import threading
import time

import command
import cpu
import load
import memory
import portal as parts

# A child has more threads than the gate of the hashes has slots: pages find a thread on any
# connection. Clients come from many addresses, which mod_remoteip sets. Static files have the
# headers of pages.
CONFIGURATION = """
MaxKeepAliveRequests {requests}
ThreadLimit {threads}
ThreadsPerChild {threads}
MaxRequestWorkers {workers}
MaxSpareThreads {workers}
LoadModule remoteip_module {modules}/mod_remoteip.so
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1
EsignAddressFailures 100000
Alias /bench/ "{files}/"
<Directory "{files}">
    Require all granted
    AllowOverride None
    Header set Content-Security-Policy "default-src 'none'; style-src 'self'; \\
script-src 'self'; img-src 'self'; media-src 'self'; worker-src 'self'; \\
form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    Header set Referrer-Policy no-referrer
    Header set X-Content-Type-Options nosniff
    Header set X-Frame-Options DENY
    Header set Cross-Origin-Opener-Policy same-origin
    Header set Cross-Origin-Resource-Policy same-origin
    Header set Strict-Transport-Security "max-age=31536000; includeSubDomains"
    Header set Cache-Control no-store
</Directory>
"""
CHILDREN = 2

Sample = collections.namedtuple("Sample", "time httpd hash memcached operations commits")
Person = collections.namedtuple("Person", "id phone")
Session = collections.namedtuple("Session", "cookie mark")


def prepare(*lists):
    """Installs the missing Debian packages of lists in this folder, and builds. Refuses to measure
    a build with sanitizers.
    """
    paths = [os.path.join(parts.TOP, "tests", "bench", name) for name in lists]
    subprocess.run(
        [
            "bash",
            "-c",
            '. "$0/conf/demo/common.sh" && install_packages packages "$@" && build_all',
            parts.TOP,
            *paths,
        ],
        check=True,
    )
    linked = subprocess.run(
        ["ldd", os.path.join(parts.BUILD, ".libs", "mod_esign.so")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "san.so" in linked:
        raise SystemExit("%s is a build with sanitizers" % parts.BUILD)


def build(name):
    """A part of the bench that is compiled."""
    path = os.path.join("tests", "bench", name)
    subprocess.run(["make", "-s", "-C", parts.BUILD, path], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(parts.BUILD, path)


class Instance(parts.Portal):
    """`people`: number of subscribers, all with the word command.WORD. `requests`: most requests on
    one connection, 0 for any number. `timed`: also measure the time of hashes.
    """

    def __init__(self, people=100, threads=96, timed=False, requests=0):
        self.folder = tempfile.mkdtemp(prefix="mod_esign-bench.", dir="/var/tmp")
        self.static = os.path.join(self.folder, "static")
        os.makedirs(self.static)
        os.chmod(self.folder, 0o755)
        include = os.path.join(self.folder, "bench.conf")
        modules = subprocess.run(
            ["apxs", "-q", "LIBEXECDIR"], capture_output=True, text=True, check=True
        ).stdout.strip()
        with open(include, "w") as file:
            file.write(
                CONFIGURATION.format(
                    threads=threads,
                    requests=requests,
                    workers=CHILDREN * threads,
                    modules=modules,
                    files=self.static,
                )
            )
        self.timed = timed
        try:
            super().__init__(
                os.path.join(self.folder, "demo"), None, "--include", include, "--log-level", "warn"
            )
            self.origin, self.access_log = self.url.replace("/esign/", ""), os.path.join(
                self.env["LOGS"], "access.log"
            )
            self.host = self.origin.split("//")[1]
            self.load, self.messages, self.reading = (
                load.Load(self),
                collections.defaultdict(list),
                threading.Lock(),
            )
            self.people, self.fresh, self.victims = people, iter(range(people)), itertools.count()
            self.memcached("cache_memlimit 4096")
            self.register(people)
            self.find_processes()
        except BaseException:
            self.close()
            raise

    def close(self):
        if os.path.exists(os.path.join(self.folder, "demo")):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def find_processes(self):
        self.tree, self.cache = memory.family(parts.pid_of(self.env["HTTPD_PID"])), parts.pid_of(
            self.env["MEMCACHED_PID"]
        )
        assert len(self.tree) == 1 + CHILDREN

    # People

    def person(self, n):
        return Person(parts.tckn("%09d" % (400000000 + n)), "+90555%07d" % n)

    def someone(self):
        """A subscriber without any session or request yet."""
        return self.person(next(self.fresh))

    def register(self, people):
        """Imports as a stream: a million subscribers are some 600 MB. Waits until the audit trail
        is chained, before anything is measured.
        """
        program = subprocess.Popen(
            [*self.env["CTL"].split(), "subscriber", "import", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        with program.stdin as file:
            file.write("<subscribers>")
            for n in range(people):
                person = self.person(n)
                file.write(
                    command.subscriber(
                        n,
                        ids='national-id="%s" language="tr"' % person.id,
                        phone="<phone>%s</phone>" % person.phone,
                        serial="BENCH-%d" % n,
                    )
                )
            file.write("</subscribers>")
        assert program.wait() == 0
        with contextlib.closing(sqlite3.connect(self.env["DATABASE"])) as database:
            while database.execute("SELECT 1 FROM audit WHERE chain IS NULL LIMIT 1").fetchone():
                time.sleep(0.1)

    def sms(self, number):
        """As the tests read them, but each file once: there are thousands."""
        with self.reading:
            for path in self.files("sms"):
                with open(path, encoding="utf-8") as file:
                    first, text = file.read().split("\n", 1)
                self.messages[first].append(text)
                os.unlink(path)
            return self.messages[number]

    def sign_in(self):
        """Signs in somebody without a session. Returns the cookie of the session and the mark of
        the form that shows the PIN.
        """
        browser, person = self.browser(), self.someone()
        browser.sign_in(
            parts.Subscriber(person.id, command.WORD, None, person.phone, None, "tr", [])
        )
        return Session(
            "__Host-esign=" + browser.session.cookies["__Host-esign"],
            browser.get("pin").xml.find(".//form").get("mark"),
        )

    # Counters

    def memcached_lines(self, line):
        """What memcached says to one command of its text protocol, the last line left out."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.env["MEMCACHED"])
            s.sendall((line + "\r\n").encode())
            found = []
            with s.makefile(encoding="latin-1") as file:
                for answer in file:
                    if answer.strip() in ("END", "OK", "ERROR"):
                        return found
                    found.append(answer.strip())

    def memcached(self, line):
        """Names and values of an answer of `STAT` lines."""
        return dict(answer.split(" ", 2)[1:] for answer in self.memcached_lines(line))

    def operations(self):
        """The number of commands that memcached has answered. Each of these counters counts another
        kind.
        """
        stats = self.memcached("stats")
        kinds = (
            "cmd_get",
            "cmd_set",
            "cmd_touch",
            "delete_hits",
            "delete_misses",
            "incr_hits",
            "incr_misses",
            "decr_hits",
            "decr_misses",
        )
        return sum(int(stats[kind]) for kind in kinds)

    def commits(self):
        """Commits of the database since its write-ahead log was opened: the field iChange of the
        header of its index, "incremented with each transaction" (SQLite's wal.c).
        """
        with open(self.env["DATABASE"] + "-shm", "rb") as file:
            return struct.unpack_from("=I", file.read(48), 8)[0]

    def hash_seconds(self):
        """Of processor time, as httpd counts it."""
        if not self.timed:
            return 0
        with self.line() as ask:
            text = ask(load.request(self.host, "/esign-metrics"))[2].decode()
        return float(re.search(r"^esign_hash_cpu_seconds_total\{.*\} (.*)$", text, re.M).group(1))

    def courier_seconds(self):
        """Of processor time, of the courier and of those who send mail for it."""
        return sum(cpu.of_threads(self.tree, name) for name in ("esign courier", "esign mail"))

    def sample(self):
        """Commits are looked at first: one of the courier's may follow at once."""
        commits, hashes = self.commits(), self.hash_seconds()
        return Sample(
            time.monotonic(),
            sum(map(cpu.of, self.tree)),
            hashes,
            cpu.of(self.cache),
            self.operations(),
            commits,
        )

    def pss(self):
        return cpu.pss(self.tree)

    # Requests

    def request(self, path, headers=None, form=None):
        """A browser's, for load.py; each from another of a great many addresses."""
        address = "10.%d.%d.%d" % (
            random.randrange(256),
            random.randrange(256),
            random.randrange(1, 255),
        )
        return load.request(self.host, path, {"X-Forwarded-For": address, **(headers or {})}, form)

    @contextlib.contextmanager
    def line(self):
        """Opens a connection. Returns a function that sends a request and gives status, headers and
        body of the answer.
        """
        context = ssl.create_default_context(cafile=self.env["CERTIFICATE"])
        with socket.create_connection(("localhost", self.port)) as plain, context.wrap_socket(
            plain, server_hostname="localhost"
        ) as line:

            def ask(request):
                line.sendall(request)
                response = http.client.HTTPResponse(line)
                response.begin()
                return response.status, response.headers, response.read()

            yield ask

    def size(self, request):
        """Bytes of the body of its answer."""
        with self.line() as ask:
            return len(ask(request)[2])

    def cost(self, requests):
        """Operations of memcached and commits of one request, sent one at a time. The median leaves
        out the courier's own, which come now and then.
        """
        samples = [self.sample()]
        with self.line() as ask:
            for request in requests:
                ask(request)
                samples.append(self.sample())
        return [
            statistics.median(
                getattr(after, name) - getattr(before, name)
                for before, after in zip(samples, samples[1:])
            )
            for name in ("operations", "commits")
        ]

    def file(self, size):
        """A request for a static file of so many bytes."""
        path = os.path.join(self.static, "%d.html" % size)
        if not os.path.exists(path):
            with open(path, "w") as file:
                file.write(("<!DOCTYPE html><title>-</title>" + "x" * size)[:size])
        return self.request("/bench/%d.html" % size)
