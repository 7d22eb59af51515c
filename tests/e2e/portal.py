# SPDX-License-Identifier: Apache-2.0
"""portal.py: a running demo as the tests see it: pages, inbox, database, command."""

import csv
import email
import email.policy
import glob
import itertools
import os
import random
import re
import shlex
import socket
import sqlite3
import subprocess
import time
import urllib.parse

import requests
import urllib3
from lxml import etree

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ESIGN_BUILD", os.path.join(TOP, "build"))
HTTPD = os.environ.get("ESIGN_HTTPD", "/usr/sbin/apache2")
PREFIX = "/esign"
RULES = etree.RelaxNG(etree.parse(os.path.join(TOP, "htdocs", "xsl", "page.rng")))
urllib3.disable_warnings()


def tckn(nine=None):
    """An identity number with right check digits."""
    d = [int(c) for c in nine or str(random.randrange(100000000, 1000000000))]
    d.append((sum(d[0:9:2]) * 7 - sum(d[1:8:2])) % 10)
    d.append(sum(d) % 10)
    return "".join(map(str, d))


def away_from_midnight(seconds=90):
    """Waits for the next day when this one ends soon: daily limits count UTC days."""
    left = 86400 - time.time() % 86400
    if left < seconds:
        time.sleep(left + 1)


def poll(look, seconds=20):
    """What `look` returns as soon as it is true, else what it returns after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.05)


def wait_until(condition, what, seconds=20):
    """Waits until `condition` returns something true, and returns that. Else fails and names
    `what`.
    """
    found = poll(condition, seconds)
    assert found, "not within %g s: %s" % (seconds, what)
    return found


def free_port():
    """A port with the two above it free too."""
    for _ in range(100):
        port = random.randrange(20000, 30000)
        try:
            for p in range(port, port + 3):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
            return port
        except OSError:
            continue
    raise RuntimeError("no free ports")


def pid_of(path):
    with open(path) as file:
        return int(file.read())


def running(pid):
    """Not ended; an ended one may still wait to be reaped."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second when it ends while it is read
        return False


def has_open(pid, path):
    """Whether a process has a file open."""
    return any(os.path.realpath(file) == path for file in glob.glob("/proc/%d/fd/*" % pid))


class Subscriber:
    def __init__(self, national_id, word, email_address, phone, name, language, cards):
        self.id, self.word, self.email, self.phone, self.name, self.language, self.cards = (
            national_id,
            word,
            email_address,
            phone,
            name,
            language,
            cards,
        )


class Page:
    """An answer whose body is page XML."""

    def __init__(self, response):
        self.response = response
        self.status = response.status_code
        self.location = response.headers.get("Location")
        self.xml = None
        if response.headers.get("Content-Type", "").startswith("application/xml"):
            self.xml = etree.fromstring(response.content)
            assert RULES.validate(self.xml), "%s\n%s" % (RULES.error_log, response.text)
            assert int(self.xml.get("status")) == self.status

    @property
    def name(self):
        return self.xml.get("name")

    def problems(self):
        return [(p.get("field"), p.get("code")) for p in self.xml.iter("problem")]

    def challenge(self):
        return self.xml.find(".//challenge").get("value")


class Browser:
    """One person's browser: cookies, no automatic redirects, page XML unless asked otherwise."""

    def __init__(self, portal, language="tr"):
        self.portal = portal
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = portal.env["CERTIFICATE"]
        self.session.headers.update({"Accept": "application/xml", "Accept-Language": language})

    def url(self, path):
        return urllib.parse.urljoin(self.portal.url, path)

    def get(self, path="", **more):
        return Page(self.session.get(self.url(path), allow_redirects=False, timeout=60, **more))

    def post(self, path, fields=None, **more):
        return Page(
            self.session.post(
                self.url(path), data=fields or {}, allow_redirects=False, timeout=60, **more
            )
        )

    def html(self, path):
        return self.session.get(
            self.url(path), headers={"Accept": "text/html"}, allow_redirects=False, timeout=60
        )

    def login_fields(self, subscriber, word=None):
        challenge = self.get("login").challenge()
        return {
            "id": subscriber.id,
            "word": word or subscriber.word,
            "challenge": challenge,
            "answer": self.portal.answer(challenge),
        }

    def login(self, subscriber, word=None):
        return self.post("login", self.login_fields(subscriber, word))

    def confirm(self, subscriber):
        """Confirms the phone; the code of the SMS."""
        before = len(self.portal.sms(subscriber.phone))
        page = self.post("otp")
        assert page.status == 303 and page.location.endswith("/otp/code"), page.response.text
        return self.portal.wait_code(subscriber.phone, before)

    def sign_in(self, subscriber, word=None):
        page = self.login(subscriber, word)
        assert page.status == 303 and page.location.endswith("/otp"), page.response.text
        page = self.post("otp/code", {"code": self.confirm(subscriber)})
        assert page.status == 303 and page.location.endswith("/menu"), page.response.text

    def ask_reset(self, national_id):
        challenge = self.get("reset").challenge()
        page = self.post(
            "reset",
            {"id": national_id, "challenge": challenge, "answer": self.portal.answer(challenge)},
        )
        assert page.status == 303 and page.location.endswith("/reset/sent"), (
            page.response.text,
            self.portal.log()[-1500:],
        )

    def reset_link(self, subscriber):
        """Asks for a link; its path below the prefix."""

        def links():
            texts = [
                m.get_body(("plain",)).get_content() for m in self.portal.mails(subscriber.email)
            ]
            return [
                found.group(1)
                for found in (
                    re.search(r"^\s*(https://\S+/reset/\S+)\s*$", text, re.M) for text in texts
                )
                if found
            ]

        before = len(links())
        self.ask_reset(subscriber.id)
        fresh = self.portal.wait(lambda: links()[before:])
        assert fresh and fresh[0].startswith(self.portal.url)
        return fresh[0][len(self.portal.url) :]


class Portal:
    serial = itertools.count(random.randrange(1000000))
    environment = None  # None: this process's own

    def __init__(self, folder, port=None, *options, **environment):
        self.dir, self.port, self.environment = (
            folder,
            port or free_port(),
            dict(os.environ, **environment),
        )
        self.run("--detach", "--port", str(self.port), *options)
        self.read_env()

    def read_env(self):
        with open(os.path.join(self.dir, "demo.env")) as file:
            self.env = dict(word.split("=", 1) for line in file for word in shlex.split(line))
        self.url = self.env["URL"]
        self.seen = 0

    def run(self, *options):
        done = subprocess.run(
            [os.path.join(TOP, "demo"), "--dir", self.dir, *options],
            capture_output=True,
            text=True,
            timeout=600,
            env=self.environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self):
        self.run("--stop")

    def browser(self, language="tr"):
        return Browser(self, language)

    def ctl(self, *arguments, stdin=None, ok=True):
        done = subprocess.run(
            shlex.split(self.env["CTL"]) + list(arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environment,
        )
        assert not ok or done.returncode == 0, done.stderr
        return done.stdout if ok else done

    def answer(self, challenge):
        return self.ctl("captcha", "answer", challenge).strip()

    def sql(self, query, *values):
        if "dbname=" in self.env["DATABASE"]:
            return self.psql(query.replace("?", "%d") % values)
        connection = sqlite3.connect(self.env["DATABASE"], timeout=20)
        try:
            with connection:
                return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def psql(self, query):
        done = subprocess.run(
            ["psql", "-X", "-q", "-t", "--csv", "-c", query, self.env["DATABASE"]],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        return [
            tuple(int(v) if re.fullmatch(r"-?\d+", v) else v for v in row)
            for row in csv.reader(done.stdout.splitlines())
        ]

    def row(self, subscriber):
        """The subscriber's row id."""
        return int(re.search(r"#(\d+)", self.ctl("subscriber", "show", subscriber.id)).group(1))

    def new_subscriber(
        self, language="tr", name="Sınama Kişisi", digits=6, email="kisi%d@example.org"
    ):
        n = next(self.serial)
        s = Subscriber(
            tckn(),
            "menekşe vadisi %d" % n,
            email % n,
            "+90555%07d" % n,
            name,
            language,
            [
                {
                    "serial": "TEST-%d" % n,
                    "pin": "%0*d" % (digits, random.randrange(10**digits)),
                    "puk": "%0*d" % (digits + 2, random.randrange(10 ** (digits + 2))),
                }
            ],
        )
        card = s.cards[0]
        xml = """<subscribers><subscriber national-id="%s" language="%s"><name>%s</name>
            <email>%s</email><phone>%s</phone><security-word>%s</security-word>
            <card serial="%s" state="active" not-before="2026-01-01" not-after="2029-01-01">
            <pin>%s</pin><puk>%s</puk></card></subscriber></subscribers>""" % (
            s.id,
            language,
            name,
            s.email,
            s.phone,
            s.word,
            card["serial"],
            card["pin"],
            card["puk"],
        )
        self.ctl("subscriber", "import", "-", stdin=xml)
        return s

    def files(self, kind):
        folder = os.path.join(self.dir, "inbox", kind)
        return [
            os.path.join(folder, f) for f in sorted(os.listdir(folder)) if not f.endswith(".new")
        ]

    def mails(self, address):
        found = []
        for path in self.files("mail"):
            with open(path, "rb") as file:
                message = email.message_from_binary_file(file, policy=email.policy.default)
            if address in message["To"]:
                found.append(message)
        return found

    def sms(self, number):
        found = []
        for path in self.files("sms"):
            with open(path, encoding="utf-8") as file:
                first, text = file.read().split("\n", 1)
            if first == number:
                found.append(text)
        return found

    wait = staticmethod(poll)

    def metric(self, name):
        """The value of a metric of this portal that has no other label."""
        text = (
            self.browser()
            .session.get("https://localhost:%d/esign-metrics" % self.port, timeout=20)
            .text
        )
        sample = r'^%s\{portal="%s"\} (\S+)$' % (name, re.escape(self.url.rstrip("/")))
        return float(re.search(sample, text, re.M).group(1))

    def courier_rounds(self, count=3):
        """Waits until the courier has reached the database so many times more.

        The first of them may have begun before this call and the last may not be over after it:
        of three, one has looked at all that was there. Tests wait so for what must not happen.
        """
        for _ in range(count):
            last = self.metric("esign_courier_last_round_timestamp_seconds")
            wait_until(
                lambda: self.metric("esign_courier_last_round_timestamp_seconds") > last,
                "another round of the courier",
            )

    def workers(self):
        """The number of threads of httpd that serve a request now, this one included."""
        text = (
            self.browser()
            .session.get("https://localhost:%d/server-status?auto" % self.port, timeout=20)
            .text
        )
        return int(re.search(r"^BusyWorkers: (\d+)$", text, re.M).group(1))

    def graceful(self):
        """Reloads httpd; returns once the new configuration serves."""
        before = self.log().count("resuming normal operations")
        subprocess.run(
            [HTTPD, "-f", self.env["HTTPD_CONF"], "-k", "graceful"],
            check=True,
            capture_output=True,
        )
        wait_until(
            lambda: self.log().count("resuming normal operations") > before,
            "the reload: " + self.log()[-1000:],
        )

    def wait_mail(self, address, before=0):
        found = self.wait(lambda: self.mails(address)[before:])
        assert found, "no mail to " + address
        return found[0]

    def wait_code(self, number, before=0):
        found = self.wait(lambda: self.sms(number)[before:])
        assert found, "no SMS to " + number
        return re.search(r"\b(\d{6})\b", found[0]).group(1)

    def log(self, name="error.log"):
        with open(os.path.join(self.env["LOGS"], name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def new_log_lines(self):
        lines = self.log().splitlines()
        fresh, self.seen = lines[self.seen :], len(lines)
        return fresh


def past_sms_pause(portal, subscriber):
    """As if the last SMS had gone out two minutes ago."""
    portal.sql(
        "UPDATE subscriber SET sms_last = sms_last - 120000000 WHERE id = ?", portal.row(subscriber)
    )
