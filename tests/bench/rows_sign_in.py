# SPDX-License-Identifier: Apache-2.0
"""rows_sign_in.py: a whole sign-in, from the page to the PIN.

It has ten requests over one new connection, redirects included, as a browser with cached static
files sends them.
"""

import concurrent.futures
import contextlib
import re
import statistics
import subprocess
import threading
import time

import command
import instance as instances
from table import Result

AT_ONCE = 8


class Visitor:
    """Signs in by HTML and cookies alone. `watching` makes a context for each request from its
    name.
    """

    def __init__(self, instance, answers, watching=contextlib.nullcontext):
        self.instance, self.answers, self.watching, self.cookies, self.person = (
            instance,
            answers,
            watching,
            {},
            instance.someone(),
        )

    def send(self, path, form=None, status=200):
        """The text of the answer, which has this status."""
        headers = (
            {"Cookie": "; ".join("%s=%s" % pair for pair in self.cookies.items())}
            if self.cookies
            else {}
        )
        with self.watching(
            "%s %s" % ("GET" if form is None else "POST", re.sub("captcha/.*", "captcha/…", path))
        ):
            found, fields, body = self.ask(self.instance.request("/esign/" + path, headers, form))
        assert found == status, "%s: %d" % (path, found)
        for cookie in fields.get_all("Set-Cookie", []):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return body.decode(errors="replace")

    def hidden(self, text, name):
        return re.search('name="%s" value="([^"]+)"' % name, text).group(1)

    def post(self, path, page, fields):
        """The form of a page; then the page to which the answer leads."""
        self.send(
            path,
            {"mark": self.hidden(page, "mark"), **fields} if 'name="mark"' in page else fields,
            303,
        )

    def sign_in(self):
        with self.instance.line() as self.ask:
            page = self.send("login")
            challenge = self.hidden(page, "challenge")
            self.send("captcha/%s.png" % challenge)
            self.post(
                "login",
                page,
                {
                    "id": self.person.id,
                    "challenge": challenge,
                    "answer": self.answers.of(challenge),
                    "word": command.WORD,
                },
            )
            self.post("otp", self.send("otp"), {"go": "1"})
            page = self.send("otp/code")
            self.post("otp/code", page, {"code": self.instance.wait_code(self.person.phone)})
            self.send("menu")
            self.send("pin", {"mark": self.hidden(self.send("pin"), "mark")})


class Answers:
    """Those of challenges, one after the other, by one esignctl."""

    def __init__(self, instance):
        self.lock = threading.Lock()
        self.program = subprocess.Popen(
            [*instance.env["CTL"].split(), "captcha", "answer", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def of(self, challenge):
        with self.lock:
            self.program.stdin.write(challenge + "\n")
            self.program.stdin.flush()
            return self.program.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.program.stdin.close()
        self.program.wait()


def count(instance, answers, times=8):
    """Operations and commits of each step: the fewest of several sign-ins, with a pause before each
    step, so that the courier's own are left out.
    """
    steps = {}

    @contextlib.contextmanager
    def watching(step):
        time.sleep(0.3)
        before = instance.sample()
        yield
        after = instance.sample()
        steps.setdefault(step, []).append(
            (after.operations - before.operations, after.commits - before.commits)
        )

    for _ in range(times):
        Visitor(instance, answers, watching).sign_in()
    return {step: tuple(map(min, zip(*found))) for step, found in steps.items()}


def whole(bench):
    """Processor time of httpd's tree with its courier, and of memcached, without the hashes, which
    are measured inside.
    """
    sign_ins, spent, hashes, couriers, caches = int(60 * bench.seconds), [], [], [], []
    with instances.Instance(2000, timed=True) as instance, Answers(
        instance
    ) as answers, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        steps = count(instance, answers)
        for _ in range(bench.rounds):
            begin, mails = instance.sample(), instance.courier_seconds()
            list(pool.map(lambda _: Visitor(instance, answers).sign_in(), range(sign_ins)))
            end = instance.sample()
            hashes.append(1e3 * (end.hash - begin.hash) / sign_ins)
            couriers.append(1e3 * (instance.courier_seconds() - mails) / sign_ins)
            caches.append(1e3 * (end.memcached - begin.memcached) / sign_ins)
            spent.append(
                1e3 * (end.httpd - begin.httpd + end.memcached - begin.memcached) / sign_ins
                - hashes[-1]
            )
    told = ", ".join("%s %d/%d" % (step, *found) for step, found in steps.items())
    return [
        Result(
            "a whole sign-in, page to PIN, without the hash",
            spent,
            3.5,
            " ms",
            note="%d at once; of it courier and mails %.1f ms, memcached %.1f; the hash %.1f"
            % (AT_ONCE, *map(statistics.median, (couriers, caches, hashes))),
        ),
        Result(
            "its memcached operations",
            [sum(operations for operations, _ in steps.values())],
            14,
            digits=0,
            note="operations/commits: " + told,
        ),
        Result(
            "its commits, of the step with the most",
            [max(commits for _, commits in steps.values())],
            1,
            digits=0,
        ),
    ]
