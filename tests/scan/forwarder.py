# SPDX-License-Identifier: Apache-2.0
"""forwarder.py: a forwarder on loopback that does the part of a browser for the scanners."""

import collections
import http.client
import http.server
import re
import ssl
import threading
import time
import urllib.parse

CHALLENGE, ANSWER, MARK, CURRENT = "CHALLENGE", "ANSWER", "MARK", "CURRENT"


class Person:
    """A browser's memory: cookies at a step, and pictures that are solved already."""

    def __init__(self, portal):
        self.portal, self.lock, self.pictures = portal, threading.Lock(), []
        self.subscriber, self.step = portal.new_subscriber(), "menu"
        self.cookies, self.marks, self.tries, self.since = "", {}, 0, 0

    def picture(self):
        """A challenge and its answer, never given before."""
        with self.lock:
            if not self.pictures or self.pictures[-1][2] < time.time() - 200:
                browser = self.portal.browser()
                challenges = [browser.get("login").challenge() for _ in range(50)]
                answers = self.portal.ctl(
                    "captcha", "answer", "-", stdin="\n".join(challenges) + "\n"
                ).split()
                self.pictures = [(*pair, time.time()) for pair in zip(challenges, answers)]
            return self.pictures.pop()[:2]

    def come(self):
        """To the step, as somebody new: the limits of SMS are for each of us."""
        with self.lock:
            self.subscriber, browser = self.portal.new_subscriber(), self.portal.browser()
            if self.step == "reset/word":
                browser.get(browser.reset_link(self.subscriber))
            elif self.step == "otp/code":
                browser.login(self.subscriber)
                browser.confirm(self.subscriber)
            elif self.step == "menu":
                browser.sign_in(self.subscriber)
            self.cookies = "; ".join("%s=%s" % (c.name, c.value) for c in browser.session.cookies)
            self.marks, self.tries, self.since = {}, 0, time.time()

    def mark(self, path):
        """What the form of a page carries to tell that it belongs to this step of this person."""
        if path not in self.marks:
            page = self.portal.browser().get(path, headers={"Cookie": self.cookies})
            form = page.xml.find(".//form") if page.xml is not None else None
            self.marks[path] = form.get("mark") if form is not None else None
        return self.marks[path]

    def forgive(self):
        """Failures of before would close what the scanner is to reach."""
        self.portal.sql(
            "UPDATE subscriber SET failures = 0, wait_until = 0, closed = 0 WHERE failures > 2"
        )


class Forwarder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    person, seen = None, None

    def fields(self, path, body):
        try:
            pairs = urllib.parse.parse_qsl(
                body.decode(), keep_blank_values=True, strict_parsing=True
            )
        except ValueError:
            return body
        fields = dict(pairs)
        pairs = [
            (name, self.person.subscriber.word if value == CURRENT else value)
            for name, value in pairs
        ]
        if fields.get("mark") == MARK or re.fullmatch(r"[A-Za-z0-9_-]{16}", fields.get("mark", "")):
            pairs = [
                (name, (self.person.mark(path) or value) if name == "mark" else value)
                for name, value in pairs
            ]
        known = fields.get("challenge") == CHALLENGE or re.fullmatch(
            r"[A-Za-z0-9_-]{40,}", fields.get("challenge", "")
        )
        if (
            known
            and fields.get("answer") in (ANSWER, "default", "")
            and not fields.get("new")
            and not fields.get("work")
        ):
            challenge, answer = self.person.picture()
            pairs = [
                (name, {"challenge": challenge, "answer": answer}.get(name, value))
                for name, value in pairs
            ]
        return urllib.parse.urlencode(pairs).encode()

    def ask(self, body):
        origin = "https://localhost:%d" % self.person.portal.port
        headers = [
            (k, v)
            for k, v in self.headers.items()
            if k.lower()
            not in ("host", "origin", "cookie", "content-length", "connection", "sec-fetch-site")
        ]
        # What a scanner sets besides the cookies that it was given counts, too.
        cookies = "; ".join(c for c in (self.headers.get("Cookie", ""), self.person.cookies) if c)
        headers += [
            ("Host", "localhost:%d" % self.person.portal.port),
            ("Origin", origin),
            ("Sec-Fetch-Site", "same-origin"),
            ("Cookie", cookies),
        ]
        context = ssl.create_default_context(cafile=self.person.portal.env["CERTIFICATE"])
        connection = http.client.HTTPSConnection(
            "localhost", self.person.portal.port, context=context, timeout=60
        )
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in headers:
                connection.putheader(name, value)
            if body or self.command == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = re.sub(r"^/esign/|\?.*", "", self.path)
        try:
            if self.command == "POST" and path == "login":
                self.person.forgive()
            if self.command == "POST" and path == "otp/code":
                self.person.tries += 1
            # Three tries are a code's, five minutes a proof's.
            if self.person.tries > 3 or (
                self.person.step == "menu" and self.person.since < time.time() - 240
            ):
                self.person.come()
            answer, content = self.ask(self.fields(path, body))
            if (
                self.person.step
                and re.search(rb"page-(expired|link-dead)|name=\"(expired|link-dead)\"", content)
                and not path.startswith("reset/AAAA")
            ):
                self.person.come()
                answer, content = self.ask(self.fields(path, body))
        except (http.client.HTTPException, OSError, ValueError) as error:
            self.seen["no answer"] += 1
            self.close_connection = True
            self.log_message("%s", error)
            return
        self.seen[answer.status] += 1
        if answer.status >= 500:
            self.seen["server errors: %s %s" % (self.command, self.path[:80])] += 1
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in (
                "connection",
                "keep-alive",
                "transfer-encoding",
                "content-length",
                "set-cookie",
                "strict-transport-security",
                "upgrade",
            ):
                self.send_header(name, value)
        for value in answer.headers.get_all("Set-Cookie") or []:
            if (
                answer.status == 303
                and "__Host-esign=" in value
                and "Max-Age=0" not in value
                and self.path.startswith("/esign/activity")
            ):
                self.person.cookies = re.sub(
                    r"__Host-esign=[^;]*", value.split(";")[0], self.person.cookies
                )
            self.send_header("Set-Cookie", value)
        self.send_header("Content-Length", str(len(content)))
        # Rewrites what the portal says to a browser over TLS: the scanner uses plain HTTP on
        # loopback.
        for value in answer.headers.get_all("Strict-Transport-Security") or []:
            self.send_header("Strict-Transport-Security", value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = (
        do_POST
    ) = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_TRACE = do_PROPFIND = handle_any

    def log_message(self, *arguments):
        pass


def forward(person):
    seen = collections.Counter()
    handler = type("Handler", (Forwarder,), {"person": person, "seen": seen})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *arguments: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, seen
