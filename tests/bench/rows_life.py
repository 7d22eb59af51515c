# SPDX-License-Identifier: Apache-2.0
"""rows_life.py: memory, start and reload, and growth with subscribers and sessions."""

import os
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.parse

import flood
import instance as instances
import portal as parts
from rows_pages import WRONG_WORD
from table import Result

MIB = 2**20


def serve(instance, sessions, count):
    """So many requests of all kinds."""
    done = 0
    while done < count:
        requests = [
            instance.request("/esign/" + page)
            for page in ("", "login", "reset", "static/esign.css")
        ]
        requests += [
            instance.request("/esign/captcha/" + challenge + suffix)
            for challenge in instance.load.challenges(4)
            for suffix in (".png", ".wav?lang=tr")
        ]
        requests += [
            instance.request("/esign/" + page, {"Cookie": session.cookie})
            for session in sessions
            for page in ("menu", "pin", "activity")
        ]
        done += sum(instance.load.repeat(requests, min(20000, count - done)).values())
        wrong = [
            instance.request(
                "/esign/login",
                form={
                    "id": instance.person(0).id,
                    "challenge": challenge,
                    "answer": "AAAAA",
                    "word": WRONG_WORD,
                },
            )
            for challenge in instance.load.challenges(1000)
        ]
        instance.load.measure_once(wrong + flood.posts(instance, 50))
    # A hash that still runs has its memory.
    instance.load.settle(2)


def memory(bench):
    """Memory with the demo's own number of threads: two children of 32. Each request has a new
    connection, as from people.
    """
    first, more = (5000, 10000) if bench.quick else (100000, 1000000 if bench.long else 200000)
    with instances.Instance(1000, threads=32, requests=20) as instance:
        sessions = [instance.sign_in() for _ in range(4)]
        serve(instance, sessions, first)
        before = instance.pss()
        sessions = [instance.sign_in() for _ in range(4)]
        serve(instance, sessions, more)
        after = instance.pss()
    return [
        Result("memory (PSS) after %d requests" % first, [before / MIB], 48, " MiB", digits=1),
        Result("memory after %d more" % more, [after / before], 1.02, " of that"),
    ]


def without_module(instance):
    """The instance's configuration as the same httpd has it without the module."""
    with open(instance.env["HTTPD_CONF"]) as file:
        text = re.sub(r'<Location "/esign">.*?</Location>\n', "", file.read(), flags=re.S)
    with open(os.path.join(instance.folder, "bench.conf")) as file:
        text = text.replace('Include "%s"' % file.name, file.read())
    path = os.path.join(instance.folder, "without.conf")
    with open(path, "w") as file:
        file.write(
            "".join(
                line + "\n"
                for line in text.splitlines()
                if not re.match(r"\s*(Esign|LoadModule esign)", line)
            )
        )
    return path


def until(instance, generation):
    """Seconds until mod_status answers over a new connection, from a child of this generation."""
    status = instance.request("/server-status?auto", {"X-Forwarded-For": "127.0.0.1"})
    began = time.monotonic()
    while True:
        try:
            with instance.line() as ask:
                _, _, body = ask(status)
            if (
                int(re.search(rb"^ParentServerMPMGeneration: (\d+)$", body, re.M).group(1))
                >= generation
            ):
                return time.monotonic() - began
        except OSError:
            pass
        time.sleep(0.001)


def begin(instance, configuration):
    """Seconds until the first answer."""
    began = time.monotonic()
    subprocess.run([parts.HTTPD, "-f", configuration, "-k", "start"], check=True)
    until(instance, 0)
    return time.monotonic() - began


def start_and_reload(instance, configuration):
    """Seconds of a start and of a reload, until the first answer of the new processes. httpd is
    stopped before and after.
    """
    started = begin(instance, configuration)
    parent = parts.pid_of(instance.env["HTTPD_PID"])
    time.sleep(0.5)
    os.kill(parent, signal.SIGUSR1)
    reloaded = until(instance, 1)
    time.sleep(0.5)
    stop(instance, configuration)
    return started, reloaded


def stop(instance, configuration):
    parent = parts.pid_of(instance.env["HTTPD_PID"])
    subprocess.run([parts.HTTPD, "-f", configuration, "-k", "stop"], check=True)
    while parts.running(parent) or os.path.exists(instance.env["HTTPD_PID"]):
        time.sleep(0.02)


def start(bench):
    """Start and graceful restart, against the same httpd without the module."""
    with instances.Instance(100) as instance:
        without, configuration, ratios, last = (
            without_module(instance),
            instance.env["HTTPD_CONF"],
            ([], []),
            None,
        )
        stop(instance, configuration)
        for _ in range(bench.rounds):
            bare, last = start_and_reload(instance, without), start_and_reload(
                instance, configuration
            )
            for found, one, other in zip(ratios, last, bare):
                found.append(one / other)
        # ./demo stops what it knows.
        begin(instance, configuration)
    return [
        Result(what, found, 1.2, " of httpd without the module", note="%.0f ms" % (1e3 * seconds))
        for what, found, seconds in zip(("start", "graceful restart"), ratios, last)
    ]


def fill(instance, count):
    """So many more sessions in memcached, of the size of a real one; nobody can open them."""
    known = {
        line.split()[0].removeprefix("key=")
        for line in instance.memcached_lines("lru_crawler metadump all")
    }
    instance.sign_in()
    mine = {
        line.split()[0].removeprefix("key=")
        for line in instance.memcached_lines("lru_crawler metadump all")
    } - known
    key = urllib.parse.unquote(next(name for name in mine if name.startswith("session")))
    _, _, flags, size = instance.memcached_lines("get " + key)[0].split()
    value, (kind, identity) = secrets.token_bytes(int(size)), key.split(":", 1)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(instance.env["MEMCACHED"])
        for _ in range(count // 1000):
            names = (
                "%s:%s" % (kind, secrets.token_urlsafe(len(identity))[: len(identity)])
                for _ in range(1000)
            )
            s.sendall(
                b"".join(
                    b"set %s %s 3600 %s noreply\r\n%s\r\n"
                    % (name.encode(), flags.encode(), size.encode(), value)
                    for name in names
                )
            )
        # It answers when it has taken all.
        s.sendall(b"version\r\n")
        assert s.recv(100).startswith(b"VERSION")
    assert int(instance.memcached("stats")["curr_items"]) >= count


def growth(bench):
    """Processor time of a request, with more subscribers and with more sessions."""
    people = [("10,000 subscribers", 10000, 0)] + (
        [("1,000,000 subscribers", 1000000, 0)] if bench.long else []
    )
    sessions = 20000 if bench.quick else 1000000 if bench.long else 200000
    rows = [("", 100, 10000), *people, ("{:,} sessions".format(sessions), 100, sessions)]
    made = {}
    try:
        for name, count, filled in rows:
            made[name] = instances.Instance(count, timed=True)
            fill(made[name], filled)
        pages = {
            name: {
                "menu": [
                    one.request("/esign/menu", {"Cookie": s.cookie})
                    for s in [one.sign_in() for _ in range(8)]
                ]
            }
            for name, one in made.items()
        }
        found = {name: {"menu": [], "sign-in": []} for name in made}
        for _ in range(bench.rounds):
            menu = {
                name: one.load.measure(pages[name]["menu"], bench.seconds).each()
                for name, one in made.items()
            }
            word = {
                name: one.load.measure_once(
                    flood.posts(one, int(60 * bench.seconds)), clients=4, warm=0
                ).each()
                for name, one in made.items()
            }
            for name in made:
                found[name]["menu"].append(menu[name] / menu[""])
                found[name]["sign-in"].append(word[name] / word[""])
    finally:
        for one in made.values():
            one.close()
    return [
        Result(
            "%s, %s" % (what, name),
            values,
            1.2,
            " of that with " + ("10,000 sessions" if "sessions" in name else "100 subscribers"),
        )
        for name in list(found)[1:]
        for what, values in (
            ("GET menu", found[name]["menu"]),
            ("POST sign-in with a wrong word, without the hash", found[name]["sign-in"]),
        )
    ]
