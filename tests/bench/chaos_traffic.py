# SPDX-License-Identifier: Apache-2.0
"""chaos_traffic.py: the people, the SMS gateway and the slow Postfix of chaos.py."""

import collections
import contextlib
import http.server
import json
import re
import subprocess
import threading
import time

import command
import portal as parts
import postfix as mta

PEOPLE, WORKERS = 3000, 24
Message = collections.namedtuple("Message", "kind to asked")


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
            def handle_error(self, *arguments):  # the client is dead
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
        """Whoever meets an error goes home: the portal promised nothing in that case."""
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
