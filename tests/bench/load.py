# SPDX-License-Identifier: Apache-2.0
"""load.py: runs wrk against an instance, and measures what the instance spends meanwhile.

Requests are counted with their status in httpd's log, from one moment to another while wrk runs. So
handshakes do not count, nor does anything before or after.
"""

import collections
import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENTS = 32
WARM = 0.3  # seconds: all connections stand by then
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept-Language": "tr",
    "Accept": "text/html",
}


class Spent:
    """What was spent between two moments: processor seconds of httpd's tree, of its hashes and of
    memcached; operations of memcached; commits of the database; answers by status.
    """

    def __init__(self, before, after, statuses):
        self.seconds = after.time - before.time
        self.httpd, self.hash, self.memcached = (
            after.httpd - before.httpd,
            after.hash - before.hash,
            after.memcached - before.memcached,
        )
        self.operations, self.commits = (
            after.operations - before.operations,
            after.commits - before.commits,
        )
        self.statuses = statuses
        self.requests = sum(statuses.values())

    def each(self):
        """httpd's seconds a request, without those of hashes where they are measured."""
        return (self.httpd - self.hash) / self.requests

    def wrong(self, *expected):
        """Unexpected answers: how often each status came."""
        return collections.Counter(
            {status: count for status, count in self.statuses.items() if status not in expected}
        )


def request(host, path, headers=None, form=None):
    """The bytes of a request; a POST when there is a form."""
    form = None if form is None else urllib.parse.urlencode(form)
    fields = {"Host": host, **BROWSER, **(headers or {})}
    if form is not None:
        fields.update(
            {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(form))}
        )
    lines = ["%s %s HTTP/1.1" % ("GET" if form is None else "POST", path)] + [
        "%s: %s" % pair for pair in fields.items()
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + (form or "")).encode()


class Wrk:
    """One wrk at work; `with` ends it."""

    def __init__(self, url, script, *arguments, clients=CLIENTS, seconds=3600):
        command = [
            "wrk",
            "-t",
            "1",
            "-c",
            str(clients),
            "-d",
            "%ds" % seconds,
            "--timeout",
            "60s",
            "--latency",
            "-s",
            os.path.join(HERE, script),
            url,
            "--",
        ]
        command += map(str, arguments)
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.report = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError("wrk ended: " + self.stop())

    def stop(self):
        """Ends wrk and returns its report. Its main thread sleeps, and does not notice a signal
        that another of its threads got.
        """
        while self.report is None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.report, _ = self.process.communicate(timeout=2)
        return self.report


def milliseconds(report, percent):
    """A quantile of the latencies that wrk has printed."""
    found = re.search(r"^ +%d%% +([\d.]+)(us|ms|s|m) *$" % percent, report, re.M)
    if not found:
        raise RuntimeError("wrk tells no latency: " + report)
    number, unit = found.groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


class Log:
    """httpd's access log, from where it stood: requests whose line begins like this."""

    def __init__(self, path, line=b""):
        self.path, self.line, self.begin = path, line, os.path.getsize(path)

    def statuses(self, end=None):
        with open(self.path, "rb") as file:
            file.seek(self.begin)
            text = file.read(-1 if end is None else end - self.begin)
        return collections.Counter(
            int(status)
            for status in re.findall(
                rb'^[^"]*"%s[^"]*" (\d{3}) .*$' % re.escape(self.line), text, re.M
            )
        )


class Load:
    """Requests by 32 clients that keep their connections, over TLS, to one instance."""

    def __init__(self, instance):
        self.instance, self.count = instance, 0

    def file(self, content=None):
        self.count += 1
        path = os.path.join(self.instance.folder, "load-%d" % self.count)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        return path

    def settle(self, pause=0.15):
        """Waits until the last requests of an ended wrk are answered: none for so long."""
        size = -1
        while size != os.path.getsize(self.instance.access_log):
            size = os.path.getsize(self.instance.access_log)
            time.sleep(pause)

    def wrk(self, requests, once=False, **more):
        path = self.file(b"".join(b"%d\n%s" % (len(r), r) for r in requests))
        return Wrk(self.instance.origin, "replay.lua", path, "once" if once else "again", **more)

    def measure(self, requests, seconds):
        """The requests over and over, for so long, and until each client has had some answers."""
        self.settle()
        with self.wrk(requests) as wrk:
            time.sleep(WARM)

            def wait(log):
                time.sleep(seconds)
                while sum(log.statuses().values()) < 4 * CLIENTS:
                    wrk.check()
                    time.sleep(0.1)

            return self.watch(wrk, wait)

    def repeat(self, requests, count):
        """The requests over and over, so many in all; what was answered, by status."""
        log = Log(self.instance.access_log)
        with self.wrk(requests) as wrk:
            while sum(log.statuses().values()) < count:
                wrk.check()
                time.sleep(0.2)
        self.settle()
        return log.statuses()

    def measure_once(self, requests, clients=CLIENTS, warm=WARM):
        """Each request once."""
        self.settle()
        whole = Log(self.instance.access_log)
        with self.wrk(requests, once=True, clients=clients) as wrk:
            time.sleep(warm)

            def wait(log):
                # The last ones are on their way when wrk stops.
                while sum(whole.statuses().values()) < len(requests) - clients:
                    wrk.check()
                    time.sleep(0.05)

            return self.watch(wrk, wait)

    def watch(self, wrk, wait, line=b""):
        log = Log(self.instance.access_log, line)
        before = self.instance.sample()
        wait(log)
        after = self.instance.sample()
        end = os.path.getsize(log.path)
        wrk.check()
        return Spent(before, after, log.statuses(end))

    def challenges(self, count, page="login", name="challenge"):
        """Fresh ones, hidden fields of a page; ours live for five minutes and work once."""
        path = self.file()
        with Wrk(self.instance.url + page, "challenges.lua", path, count, name) as wrk:
            while not os.path.exists(path):
                wrk.check()
                time.sleep(0.02)
        with open(path) as file:
            found = file.read().split()
        os.unlink(path)
        return found

    def solved(self, count):
        """Fresh challenges with their answers."""
        challenges = self.challenges(count)
        return list(
            zip(
                challenges,
                self.instance.ctl("captcha", "answer", "-", stdin="\n".join(challenges)).split(),
            )
        )
