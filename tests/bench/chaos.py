#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""chaos.py: tests whether each message that the portal accepts arrives while its parts fail.

usage: chaos.py [--seed N] [--messages N] [--rate N] [--database sqlite|postgresql]

Run it as root, with Postfix; it takes ten minutes at most. People ask for links, sign in by code
and get notices at a steady rate. The demo is one of its own; Postfix and the SMS gateway are slow.
The seed decides when and in which order parts are killed, the disk is filled, and the database is
made read-only. At the end each accepted message is looked for, and the table goes into
docs/operations.md. The exit status is 1 when a message was lost, or came twice although no answer
was lost. It is 1, too, when another courier needed more than five seconds to take over.
"""

import argparse
import concurrent.futures
import contextlib
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import portal as parts  # noqa: E402
import postfix as mta  # noqa: E402
import rough  # noqa: E402
from chaos_traffic import PEOPLE, WORKERS, Crowd, Gateway, Slow  # noqa: E402
from chaos_verdict import BEGAN, FULL, NAMES, PLAN, READ_ONLY, Verdict  # noqa: E402

LONGEST = 590  # seconds in all


class Event:
    def __init__(self, kind, under_way):
        self.kind, self.under_way, self.owners, self.at, self.until, self.taken_over = (
            kind,
            under_way,
            set(under_way.values()),
            time.time(),
            None,
            None,
        )


class Chaos:
    """What is done to the instance. Each method is one event, which leaves everything running."""

    def __init__(self, portal, postfix, dice):
        self.portal, self.postfix, self.dice, self.events, self.skipped = (
            portal,
            postfix,
            dice,
            [],
            [],
        )
        self.folder = os.path.dirname(portal.env["DATABASE"]) if self.sqlite else None

    @property
    def sqlite(self):
        return "dbname=" not in self.portal.env["DATABASE"]

    def under_way(self):
        return dict(self.portal.sql("SELECT id, owner FROM outbox WHERE owner <> '' AND dead = 0"))

    def begin(self, kind):
        """At a moment when messages are under way."""
        end = time.time() + 5
        while not self.under_way() and time.time() < end:
            time.sleep(0.02)
        time.sleep(self.dice.random() * 0.5)
        event = Event(kind, self.under_way())
        self.events.append(event)
        return event

    def take_over(self, event):
        """Waits until another courier runs and has taken over all messages of the dead one. A
        message is taken over when another courier leases it, or when it waits for a connection that
        is busy with another of them.
        """
        while time.time() - event.at < 60:
            rows = self.portal.sql("SELECT id, owner, lease_until FROM outbox WHERE dead = 0")
            left = [row for row in rows if row[1] in event.owners]
            taken = len(
                [
                    row
                    for row in rows
                    if row[0] in event.under_way and row[1] not in event.owners and row[1]
                ]
            )
            if (
                rough.courier_of(self.portal)
                and all(row[2] < time.time() * 10**6 for row in left)
                and (not left or taken)
            ):
                break
            time.sleep(0.03)
        event.taken_over = time.time() - event.at

    def family(self):
        parent = parts.pid_of(self.portal.env["HTTPD_PID"])
        return [parent, *rough.children_of(parent)]

    @staticmethod
    def kill(*pids):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_courier(self):
        courier = rough.courier_of(self.portal)
        event = self.begin("kill_courier")
        self.kill(courier)
        event.at = event.until = time.time()
        self.take_over(event)

    def start_httpd(self):
        end = time.time() + 20
        while (
            subprocess.run(
                [parts.HTTPD, "-f", self.portal.env["HTTPD_CONF"], "-k", "start"],
                capture_output=True,
            ).returncode
            != 0
            and time.time() < end
        ):
            time.sleep(0.1)
        while not rough.listens(self.portal) and time.time() < end:
            time.sleep(0.02)

    def kill_httpd(self):
        event, family = self.begin("kill_httpd"), self.family()
        self.kill(*family)
        event.at = time.time()
        # Until somebody has waited for them, "already running".
        while any(os.path.exists("/proc/%d" % pid) for pid in family):
            time.sleep(0.01)
        self.start_httpd()
        event.until = time.time()
        self.take_over(event)

    def kill_postfix(self):
        event = self.begin("kill_postfix")
        self.kill(self.postfix.pid, *rough.children_of(self.postfix.pid))
        event.at = time.time()
        time.sleep(2)
        self.postfix.start()
        event.until = time.time()

    def kill_memcached(self):
        pid = parts.pid_of(self.portal.env["MEMCACHED_PID"])
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            line = file.read().decode().split("\0")[:-1]
        event = self.begin("kill_memcached")
        self.kill(pid)
        time.sleep(2)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.portal.env["MEMCACHED"])
        subprocess.run(line, check=True)
        event.until = time.time()

    def move_to_small_disk(self):
        """Moves the database's folder to a file system of 64 MB in memory; False when that cannot
        be mounted.
        """
        state = os.stat(self.folder)
        subprocess.run([parts.HTTPD, "-f", self.portal.env["HTTPD_CONF"], "-k", "stop"], check=True)
        assert self.portal.wait(lambda: not os.path.exists(self.portal.env["HTTPD_PID"]))
        kept = self.folder + ".kept"
        shutil.copytree(self.folder, kept)
        mounted = (
            subprocess.run(
                [
                    "mount",
                    "-t",
                    "tmpfs",
                    "-o",
                    "size=64m,mode=700,uid=%d,gid=%d" % (state.st_uid, state.st_gid),
                    "chaos",
                    self.folder,
                ]
            ).returncode
            == 0
        )
        if mounted:
            for name in os.listdir(kept):
                shutil.copy(os.path.join(kept, name), self.folder)
                os.chown(os.path.join(self.folder, name), state.st_uid, state.st_gid)
        shutil.rmtree(kept)
        self.start_httpd()
        return mounted

    def fill_disk(self):
        event = self.begin("fill_disk")
        filler = os.path.join(self.folder, "filler")
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"x" * size) == size:
                        pass
        event.at = time.time()
        time.sleep(FULL)
        os.unlink(filler)
        event.until = time.time()

    def make_read_only(self):
        """SQLite: takes away the right to write and replaces all children, because open files keep
        their mode. PostgreSQL: sets its own switch.
        """
        event = self.begin("make_read_only")
        if not self.sqlite:
            self.set_postgresql("on")
            time.sleep(READ_ONLY)
            self.set_postgresql("off")
            event.until = time.time()
            return
        state, files = os.stat(self.folder), glob.glob(self.portal.env["DATABASE"] + "*")
        for path in files:
            os.chmod(path, 0o444)
            os.chown(path, 0, 0)
        os.chmod(self.folder, 0o555)
        os.chown(self.folder, 0, 0)
        self.kill(*rough.children_of(self.family()[0]))
        event.at = time.time()
        time.sleep(READ_ONLY)
        os.chown(self.folder, state.st_uid, state.st_gid)
        os.chmod(self.folder, 0o700)
        for path in files:
            os.chown(path, state.st_uid, state.st_gid)
            os.chmod(path, 0o644)
        event.until = time.time()

    def set_postgresql(self, value):
        self.portal.psql("ALTER SYSTEM SET default_transaction_read_only = %s" % value)
        self.portal.psql("SELECT pg_reload_conf()")

    def run(self, until):
        plan = [
            kind for kind, times in PLAN.items() for _ in range(times) if kind not in self.skipped
        ]
        self.dice.shuffle(plan)
        for kind in plan:
            if time.time() > until:
                print("no time was left for: " + NAMES[kind], flush=True)
                continue
            time.sleep(2 + self.dice.random() * 10)
            getattr(self, kind)()
            event = self.events[-1]
            print(
                "%6.1f s  %s: %d under way%s"
                % (
                    event.at - BEGAN,
                    NAMES[kind],
                    len(event.under_way),
                    ""
                    if event.taken_over is None
                    else ", taken over after %.1f s" % event.taken_over,
                ),
                flush=True,
            )


def load(crowd, chaos, messages, rate):
    """Sends people at a steady rate until all events are over and enough messages are accepted. One
    in four of them signs in.
    """
    end = BEGAN + LONGEST - 150
    events = threading.Thread(target=chaos.run, args=(end - 75,))
    events.start()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        while (
            (events.is_alive() or len(crowd.accepted) < messages)
            and time.time() < end
            and crowd.next < PEOPLE - WORKERS
        ):
            pool.submit(crowd.act, crowd.dice.random() < 0.25)
            time.sleep(1.25 / rate)
        events.join()


def settle(portal):
    """Until nothing waits any more."""
    while time.time() < BEGAN + LONGEST - 20:
        with contextlib.suppress(Exception):
            if portal.sql("SELECT count(*) FROM outbox WHERE dead = 0") == [(0,)]:
                break
        time.sleep(0.5)
    time.sleep(3)  # Postfix's own delivery
    left = portal.ctl("outbox", "list").splitlines()
    if len(left) > 1:
        print("\n".join(left))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=3.5)
    parser.add_argument("--database", default="sqlite")
    given = parser.parse_args()
    if not mta.available():
        sys.exit("chaos.py: needs root and Postfix (apt-get install postfix)")
    print("seed %d" % given.seed, flush=True)
    dice = random.Random(given.seed)
    policy, gateway = Slow(dice), Gateway(dice)
    postfix = mta.Postfix(
        policy, "smtpd_end_of_data_restrictions = check_policy_service inet:127.0.0.1:{policy}\n"
    )
    folder = tempfile.mkdtemp(prefix="mod_esign-chaos.", dir="/var/tmp")
    os.chmod(folder, 0o755)
    include = os.path.join(folder, "chaos.conf")
    with open(include, "w") as file:
        file.write(
            "EsignMail %s\nEsignMailTLS On\nEsignMailCAFile %s\n"
            "EsignSMSURL http://127.0.0.1:%d/\nEsignMailsPerMinute 0\nEsignSMSPerMinute 0\n"
            "EsignAddressRequests 100000\n"
            % (postfix.url("starttls"), postfix.certificate, gateway.port)
        )
    portal = parts.Portal(
        os.path.join(folder, "demo"), None, "--include", include, "--database", given.database
    )
    mounted = None
    try:
        chaos = Chaos(portal, postfix, dice)
        crowd = Crowd(portal, gateway, dice)
        if chaos.sqlite and chaos.move_to_small_disk():
            mounted = chaos.folder
        else:
            chaos.skipped.append("fill_disk")
            print(
                "skipped: "
                + NAMES["fill_disk"]
                + (
                    ": no file system may be mounted here"
                    if chaos.sqlite
                    else ": the database is PostgreSQL"
                )
            )
        load(crowd, chaos, given.messages, given.rate)
        crowd.close()
        settle(portal)
        verdict = Verdict(crowd, chaos, policy, gateway)
        verdict.tell(crowd)
        return 0 if verdict.good() and len(crowd.accepted) >= given.messages else 1
    finally:
        subprocess.run([parts.HTTPD, "-f", portal.env["HTTPD_CONF"], "-k", "stop"])
        portal.stop()
        if mounted:
            subprocess.run(["umount", "-l", mounted])
        postfix.close()
        shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
