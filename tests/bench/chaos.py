#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""chaos.py: tests whether each message that the portal accepts arrives while its parts fail.

usage: chaos.py [--seed N] [--messages N] [--rate N] [--database sqlite|postgresql]

Run it as root, with Postfix; it takes ten minutes at most. People ask for links, sign in by code
and get notices, at a steady rate, through a demo of its own, Postfix and an SMS gateway that both
take their time. The seed decides when and in which order parts are killed, the disk is filled, and
the database is made read-only. At the end each accepted message is looked for, and the table goes
into docs/operations.md. The exit status is 1 when a message was lost, when one came twice although
no answer was lost, or when another courier needed more than five seconds to take over.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import glob
import http.server
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import command  # noqa: E402
import portal as parts  # noqa: E402
import postfix as mta  # noqa: E402
import rough  # noqa: E402

PEOPLE, WORKERS = 3000, 24
LONGEST = 590  # seconds in all
TAKEN_OVER = 5  # seconds at most
WRITTEN = 0.35  # seconds behind an answer within which the end of the row is committed
FULL, READ_ONLY = 10, 60
PLAN = {
    "kill_courier": 10,
    "kill_httpd": 4,
    "kill_postfix": 3,
    "kill_memcached": 2,
    "fill_disk": 1,
    "make_read_only": 1,
}
NAMES = {
    "kill_courier": "kill -9 of the courier's child",
    "kill_httpd": "kill -9 of all of httpd, then started again",
    "kill_postfix": "kill -9 of all of Postfix, then started again",
    "kill_memcached": "kill -9 of memcached, then started again",
    "fill_disk": "the disk full under the database for %d s" % FULL,
    "make_read_only": "the database read-only for %d s" % READ_ONLY,
}


class Slow(mta.Policy):
    """Delays Postfix at the recipient and after the text, and notes when. After the text, the mail
    belongs to Postfix once Postfix has answered.
    """

    def __init__(self, dice):
        self.dice, self.texts = dice, collections.defaultdict(list)
        super().__init__()

    def decide(self, asked):
        began = time.time()
        time.sleep(self.dice.random() * 0.6)
        if asked.get("protocol_state") == "END-OF-MESSAGE":
            self.texts[asked["recipient"]].append((began, time.time()))
        return "DUNNO"


class Gateway:
    """A slow SMS gateway. It notes when each message came and when it was answered."""

    def __init__(self, dice):
        texts = self.texts = collections.defaultdict(list)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                began, sms = time.time(), json.loads(
                    self.rfile.read(int(self.headers["Content-Length"]))
                )
                note = [began, None, re.search(r"\b(\d{6})\b", sms["text"]).group(1)]
                texts[sms["to"]].append(note)
                time.sleep(dice.random() * 0.6)
                note[1] = time.time()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *arguments):  # who asked is dead
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_code(self, number, seconds):
        end = time.time() + seconds
        while not self.texts[number]:
            if time.time() > end:
                return None
            time.sleep(0.05)
        return self.texts[number][0][2]


Message = collections.namedtuple("Message", "kind to asked")


class Crowd:
    """People who do one thing each, once. `accepted` holds what the portal has promised to send."""

    def __init__(self, portal, gateway, dice):
        self.portal, self.gateway, self.dice, self.accepted = portal, gateway, dice, []
        self.lock, self.next = threading.Lock(), 0
        numbers = set()
        while len(numbers) < PEOPLE:
            numbers.add("%09d" % dice.randrange(100000000, 1000000000))
        self.ids = [parts.tckn(nine) for nine in sorted(numbers)]
        people = [
            command.subscriber(
                n,
                ids='national-id="%s" language="tr"' % one,
                serial="CHAOS-%d" % n,
                email="<email>%s</email>" % self.email(n),
                phone="<phone>%s</phone>" % self.phone(n),
            )
            for n, one in enumerate(self.ids)
        ]
        portal.ctl("subscriber", "import", "-", stdin=command.file_of(*people))
        self.answers = subprocess.Popen(
            [*portal.env["CTL"].split(), "captcha", "answer", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def email(n):
        return "kisi%d@example.org" % n

    @staticmethod
    def phone(n):
        return "+90555%07d" % n

    def somebody(self):
        with self.lock:
            self.next += 1
            return self.next - 1

    def solve(self, page):
        challenge = page.challenge()
        with self.lock:
            self.answers.stdin.write(challenge + "\n")
            self.answers.stdin.flush()
            return {"challenge": challenge, "answer": self.answers.stdout.readline().strip()}

    def promise(self, kind, to):
        self.accepted.append(Message(kind, to, time.time()))

    def act(self, sign_in):
        """Whoever meets an error goes home: what was not promised is not missed."""
        n, browser = self.somebody(), self.portal.browser()
        with contextlib.suppress(Exception), browser.session:
            (self.sign_in if sign_in else self.reset)(n, browser)

    def reset(self, n, browser):
        answered = self.solve(browser.get("reset"))
        page = browser.post("reset", {"id": self.ids[n], **answered})
        if page.status == 303 and page.location.endswith("/reset/sent"):
            self.promise("link", self.email(n))

    def sign_in(self, n, browser):
        answered = self.solve(browser.get("login"))
        if (
            browser.post("login", {"id": self.ids[n], "word": command.WORD, **answered}).status
            != 303
            or browser.post("otp").status != 303
        ):
            return
        self.promise("code", self.phone(n))
        code = self.gateway.wait_code(self.phone(n), 100)
        if not code:
            return
        page = browser.post("otp/code", {"code": code})
        if page.status == 303 and page.location.endswith("/menu"):
            self.promise("notice", self.email(n))

    def close(self):
        self.answers.stdin.close()
        self.answers.wait(20)


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


class Verdict:
    """What became of each message, and of what."""

    def __init__(self, crowd, chaos, policy, gateway):
        self.chaos, self.lost, self.dropped, self.postfix_own = chaos, [], [], 0
        self.twice = collections.Counter()  # (event's kind or None, how): copies
        mails = self.mails(chaos.postfix)
        dead = [e.at for e in chaos.events if e.kind == "kill_memcached"]
        unusable = chaos.portal.log().count("a code that nobody can use any more is dropped")
        for message in crowd.accepted:
            if message.kind == "code":
                copies, texts = len(gateway.texts[message.to]), gateway.texts[message.to]
            else:
                queued = mails.get(message.to, [])
                copies, texts = len(set(queued)), policy.texts[message.to]
                self.postfix_own += len(queued) - copies
            # Its session went with memcached, and the code with it.
            if (
                copies == 0
                and message.kind == "code"
                and len(self.dropped) < unusable
                and any(message.asked - 1 < at < message.asked + 100 for at in dead)
            ):
                self.dropped.append(message)
            elif copies == 0:
                self.lost.append(message)
            for text in texts[: max(copies - 1, 0)]:
                self.twice[self.reason(text[0], text[1] or time.time())] += 1

    @staticmethod
    def mails(postfix):
        """For each recipient, the queue ids of the copies in Postfix's mailbox. The same id twice
        is Postfix's own doing: it was killed between the delivery and its note of it.
        """
        found = collections.defaultdict(list)
        for path in glob.glob(postfix.dir + "/mail/all/new/*"):
            with open(path, "rb") as file:
                head = file.read(4000).decode("ascii", "replace")
            found[re.search("^Delivered-To: (.*)$", head, re.M).group(1)].append(
                re.search(r"\bid ([0-9A-Za-z]+)", head).group(1)
            )
        return found

    def reason(self, began, answered):
        """Says why a message was sent again. Its server had all of it at `began` and answered at
        `answered`.
        """
        for event in self.chaos.events:
            if event.kind not in ("kill_courier", "kill_httpd", "kill_postfix") and not (
                event.kind == "make_read_only" and self.chaos.sqlite
            ):
                continue
            if began - 0.1 <= event.at <= answered + 0.05 or (
                event.kind == "kill_postfix" and answered <= event.at <= answered + WRITTEN
            ):
                return event.kind, "lost"
            if answered <= event.at <= answered + WRITTEN:
                return event.kind, "unwritten"
        return None, "else"

    def nearest(self, message):
        """The event that a lost message was nearest to."""
        return min(self.chaos.events, key=lambda event: abs(event.at - message.asked)).kind

    def row(self, kind, crowd):
        events = [event for event in self.chaos.events if event.kind == kind]
        over = [event.taken_over for event in events if event.taken_over is not None]
        again = [
            min((m.asked for m in crowd.accepted if m.asked >= event.until), default=event.until)
            - event.until
            for event in events
        ]
        return "| %s | %d | %d | %d | %d | %d | %s | %.1f s |" % (
            NAMES[kind],
            len(events),
            sum(len(event.under_way) for event in events),
            sum(self.nearest(m) == kind for m in self.lost),
            self.twice[kind, "lost"],
            self.twice[kind, "unwritten"],
            "%.1f s, %.1f s" % (statistics.median(over), max(over)) if over else "",
            max(again, default=0),
        )

    def tell(self, crowd):
        kinds = collections.Counter(message.kind for message in crowd.accepted)
        print(
            "\n| what was done | times | under way then | lost | twice: the answer was lost | "
            "twice: killed before it was written down | taken over after: median, "
            "longest | next request taken, longest |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for kind in PLAN:
            if kind not in self.chaos.skipped:
                print(self.row(kind, crowd))
        print(
            "\n%d messages accepted: %d links, %d codes, %d notices. Lost: %d. Twice though no "
            "answer was lost: %d. Dropped, for the code's session went with memcached: %d. "
            "Delivered twice by Postfix itself: %d."
            % (
                len(crowd.accepted),
                kinds["link"],
                kinds["code"],
                kinds["notice"],
                len(self.lost),
                self.twice[None, "else"],
                len(self.dropped),
                self.postfix_own,
            )
        )
        for message in self.lost:
            print(
                "lost: %s to %s, accepted at %.1f s"
                % (message.kind, message.to, message.asked - BEGAN)
            )

    def good(self):
        late = [event for event in self.chaos.events if (event.taken_over or 0) > TAKEN_OVER]
        return not self.lost and not self.twice[None, "else"] and not late


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


BEGAN = time.time()
sys.exit(main())
