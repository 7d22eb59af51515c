# SPDX-License-Identifier: Apache-2.0
"""test_kannel.py: SMS through Kannel and its fake SMSC, with delivery reports; and what happens when a gateway fails."""

import base64
import contextlib
import http.server
import re
import threading
import time

import pytest

import kannel as gateways
from rough import Server, loopback

pytestmark = pytest.mark.skipif(
    bool(gateways.missing()), reason="Kannel is not installed: " + " ".join(gateways.missing())
)

KANNEL = """
    EsignSMSURL "%(url)s?username=portal&password={secret}&to={number}&charset=UTF-8&coding=2&text={text}%(report)s"
    EsignSMSMethod GET
    EsignSMSSecretFile %(secret)s
    EsignSMSAccepted "^(0: Accepted|3: Queued|Sent\\\\.)"
"""
REPORT = "&dlr-mask=31&dlr-url={report}%3Fstatus%3D%25d"
REPORTED = """
    EsignSMSDelivered "^status=1$"
    EsignSMSUndelivered "^status=(2|16)$"
"""


class Other:
    """A gateway that answers what it is told, and keeps what it was asked."""

    def __init__(self, answer=b"OK", port=0):
        asked, self.answer = [], answer
        self.asked, this = asked, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(
                    (
                        self.path,
                        dict(self.headers),
                        self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(),
                    )
                )
                if this.answer is None:
                    return self.connection.close()  # it went out, and no answer comes
                self.send_response(200)
                self.end_headers()
                self.wfile.write(this.answer)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def kannel(tmp_path_factory):
    one = gateways.Kannel(tmp_path_factory.mktemp("kannel"))
    yield one
    one.close()


@pytest.fixture
def other():
    one = Other()
    yield one
    one.close()


@pytest.fixture(scope="module")
def start(make_portal, tmp_path_factory):
    """Starts a demo with other gateways."""

    def begin(text, *options):
        folder = tmp_path_factory.mktemp("sms")
        folder.chmod(0o755)
        (folder / "gateways.conf").write_text(text)
        return make_portal("--include", str(folder / "gateways.conf"), *options)

    return begin


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    def write(text):
        path = tmp_path_factory.mktemp("secret") / "secret"
        path.write_text(text + "\n")
        return path

    return write


def through_kannel(kannel, path, reported=True):
    return KANNEL % {"url": kannel.url(), "secret": path, "report": REPORT if reported else ""} + (
        REPORTED if reported else ""
    )


def press(portal, s, browser=None):
    browser = browser or portal.browser()
    assert browser.login(s).status == 303
    assert browser.post("otp").status == 303
    return browser


def rows(portal):
    return portal.sql("SELECT dead, gateways, awaited, error FROM outbox WHERE kind = 1")


def code_of(text):
    return re.search(r"\b(\d{6})\b", text).group(1)


@pytest.fixture(scope="module")
def reporting(start, kannel, secret):
    portal = start(through_kannel(kannel, secret(kannel.password)))
    yield portal
    portal.stop()


def test_a_turkish_text_arrives_and_signs_in(reporting, kannel):
    s = reporting.new_subscriber(language="tr")
    browser = press(reporting, s)
    texts = reporting.wait(lambda: kannel.messages(s.phone))
    assert len(texts) == 1
    # Kannel knows no Turkish alphabet of GSM: UCS-2 keeps every letter, and the last line as it is.
    assert re.fullmatch(
        r"Örnek Sertifikasyon Merkezi: giriş için \D+ (\d{6})\. \D+\n@localhost #\1", texts[0]
    ), texts[0]
    assert browser.post("otp/code", {"code": code_of(texts[0])}).location.endswith("/menu")


def test_a_report_ends_the_wait(reporting, kannel):
    """Without the network a code is sent and awaited; its report takes the row away."""
    kannel.end("fakesmsc")
    try:
        s = reporting.new_subscriber()
        press(reporting, s)
        assert reporting.wait(lambda: [row[1:3] for row in rows(reporting)] == [(1, 0)]), rows(
            reporting
        )
        assert re.search(r"^\d+ +code +sent ", reporting.ctl("outbox", "list"), re.M)
        time.sleep(1)
        assert len(rows(reporting)) == 1 and kannel.messages(s.phone) == []
    finally:
        kannel.connect()
    assert reporting.wait(lambda: kannel.messages(s.phone))
    assert reporting.wait(lambda: rows(reporting) == [])
    access = reporting.log("access.log")
    assert 'GET /esign/report/***?*** HTTP/1.1" 200' in access and "status=" not in access
    assert not re.search(r"report/[A-Za-z0-9_-]{20}", access + reporting.log())


def test_a_report_of_failure_without_another_gateway(reporting, kannel):
    """Kannel reports at once that no network of it takes this number."""
    s = reporting.new_subscriber()
    s.phone = "+90555999%04d" % next(reporting.serial)
    reporting.sql("DELETE FROM outbox")
    s = changed_phone(reporting, s)
    press(reporting, s)
    found = reporting.wait(lambda: [row for row in rows(reporting) if row[0] == 1])
    assert found and found[0][3] == "SMS gateway of EsignSMSURL: reported as not delivered", rows(
        reporting
    )
    reporting.sql("DELETE FROM outbox")


def changed_phone(portal, s):
    """The same person with another number, registered anew: the import is the only way in."""
    import portal as parts

    s.id = parts.tckn()
    s.cards[0]["serial"] += "-P"
    portal.ctl(
        "subscriber",
        "import",
        "-",
        stdin="""<subscribers><subscriber national-id="%s" language="tr"><name>%s</name><email>%s</email>
        <phone>%s</phone><security-word>%s</security-word></subscriber></subscribers>"""
        % (s.id, s.name, s.email, s.phone, s.word),
    )
    return s


def test_only_our_references_count(reporting):
    browser = reporting.browser()
    for path in ("report/AAAA", "report/" + "A" * 52, "report/***"):
        for ask in (browser.get, browser.post):
            page = ask(path + "?status=1")
            assert (page.status, page.response.content) == (404, b"")


def test_gateways_that_fail_hand_on(start, kannel, secret, other):
    """A dead one, a wrong password and one that says no with a 200: the fourth brings the code, once."""
    other.answer = b"ERR 17: no credit for 123456\nmore"
    portal = start(
        """
EsignSMSHeader "X-Portal: 1"
<EsignSMSGateway dead>
    EsignSMSURL http://127.0.0.1:%d/
</EsignSMSGateway>
<EsignSMSGateway locked>%s</EsignSMSGateway>
<EsignSMSGateway liar>
    EsignSMSURL http://127.0.0.1:%d/send
    EsignSMSAccepted "^OK"
</EsignSMSGateway>
<EsignSMSGateway kannel>%s</EsignSMSGateway>
"""
        % (
            gateways.free_ports(1)[0],
            through_kannel(kannel, secret("wrong")),
            other.port,
            through_kannel(kannel, secret(kannel.password)),
        )
    )
    s = portal.new_subscriber()
    begin = time.monotonic()
    browser = press(portal, s)
    texts = portal.wait(lambda: kannel.messages(s.phone))
    assert time.monotonic() - begin < 5
    assert len(texts) == 1 and len(other.asked) == 1
    assert code_of(texts[0]) in other.asked[0][2]  # the same code at both
    assert portal.wait(lambda: rows(portal) == [])
    assert browser.post("otp/code", {"code": code_of(texts[0])}).location.endswith("/menu")
    log = portal.log()
    log = re.sub(r" \(127\.0\.0\.1:\d+\)", "", log)
    assert "SMS gateway dead: " in log and "SMS gateway locked: HTTP status 403" in log
    assert (
        "SMS gateway liar: HTTP status 200, and an answer that does not say that it was accepted: ERR 17: no credit for ******"
        in log
    )
    assert s.phone not in log and s.phone[1:] not in log and code_of(texts[0]) not in log
    portal.stop()


def two_gateways(start, kannel, secret, *options):
    """Of which the first takes everything and reports nothing by itself."""
    one = Other()
    portal = start(
        """
EsignSMSReportWait 5
<EsignSMSGateway silent>
    EsignSMSURL http://127.0.0.1:%d/send
    EsignSMSHeader "Content-Type: application/x-www-form-urlencoded"
    EsignSMSHeader "Authorization: Basic {basic}"
    EsignSMSBody "to={digits}&text={text}&callback={report}"
    EsignSMSSecretFile %s
    EsignSMSDelivered "^MessageStatus=delivered|\\"status\\": *\\"delivered\\""
    EsignSMSUndelivered "MessageStatus=(failed|undelivered)"
</EsignSMSGateway>
<EsignSMSGateway kannel>%s</EsignSMSGateway>
"""
        % (one.port, secret("portal:sëcret:1"), through_kannel(kannel, secret(kannel.password))),
        *options,
    )
    portal.silent = one
    return portal


@pytest.fixture(scope="module")
def silent(start, kannel, secret):
    portal = two_gateways(start, kannel, secret)
    yield portal
    portal.stop()
    portal.silent.close()


def asked_of(portal, before):
    """What the silent gateway was asked: form fields."""
    import urllib.parse

    found = portal.wait(lambda: portal.silent.asked[before:])
    return found[0][1], dict(urllib.parse.parse_qsl(found[0][2]))


def test_without_a_report_the_next_one_brings_the_same_code(silent, kannel):
    before, s = len(silent.silent.asked), silent.new_subscriber()
    browser = press(silent, s)
    headers, fields = asked_of(silent, before)
    assert (
        headers["Authorization"] == "Basic " + base64.b64encode("portal:sëcret:1".encode()).decode()
    )
    assert fields["to"] == s.phone[1:] and fields["callback"].startswith(silent.url + "report/")
    time.sleep(3)
    assert kannel.messages(s.phone) == []
    texts = silent.wait(lambda: kannel.messages(s.phone))
    assert texts == [fields["text"]]
    assert silent.wait(lambda: rows(silent) == [])
    assert len(silent.silent.asked) == before + 1
    assert browser.post("otp/code", {"code": code_of(texts[0])}).location.endswith("/menu")


def test_a_code_that_was_used_is_not_sent_again(silent, kannel):
    before, s = len(silent.silent.asked), silent.new_subscriber()
    browser = press(silent, s)
    _, fields = asked_of(silent, before)
    assert browser.post("otp/code", {"code": code_of(fields["text"])}).location.endswith("/menu")
    assert silent.wait(lambda: rows(silent) == [])
    time.sleep(1)
    assert (
        kannel.messages(s.phone) == []
        and "a code that nobody can use any more is dropped" in silent.log()
    )


def test_on_postgresql(start, kannel, secret):
    portal = two_gateways(start, kannel, secret, "--database", "postgresql")
    s = portal.new_subscriber()
    press(portal, s)
    _, fields = asked_of(portal, 0)
    assert portal.wait(lambda: [row[1:3] for row in rows(portal)] == [(1, 0)])
    assert (
        portal.browser()
        .session.post(fields["callback"], data={"MessageStatus": "failed"}, timeout=20)
        .status_code
        == 200
    )
    assert portal.wait(lambda: kannel.messages(s.phone)) == [fields["text"]]
    assert portal.wait(lambda: rows(portal) == [])
    portal.stop()
    portal.silent.close()


@pytest.mark.parametrize(
    "report",
    [
        {"data": {"MessageStatus": "delivered", "To": "x"}},
        {"json": {"id": 7, "status": "delivered"}},
    ],
)
def test_reports_as_form_and_json(silent, kannel, report):
    before, s = len(silent.silent.asked), silent.new_subscriber()
    press(silent, s)
    _, fields = asked_of(silent, before)
    assert silent.wait(lambda: [row[1:3] for row in rows(silent)] == [(1, 0)])
    below = fields["callback"][len(silent.url) :]
    visitor = silent.browser().session
    assert (
        visitor.post(silent.url + below, data={"MessageStatus": "sent"}, timeout=20).status_code
        == 200
    )
    assert len(rows(silent)) == 1
    assert visitor.post(silent.url + below, timeout=20, **report).status_code == 200
    assert rows(silent) == []
    # Once more, as gateways do.
    assert visitor.post(silent.url + below, timeout=20, **report).status_code == 200
    time.sleep(6)
    assert kannel.messages(s.phone) == []


def test_a_report_of_failure_brings_the_next_one_at_once(silent, kannel):
    before, s = len(silent.silent.asked), silent.new_subscriber()
    press(silent, s)
    _, fields = asked_of(silent, before)
    begin = time.monotonic()
    assert (
        silent.browser()
        .session.post(fields["callback"], data={"MessageStatus": "undelivered"}, timeout=20)
        .status_code
        == 200
    )
    assert silent.wait(lambda: kannel.messages(s.phone)) == [fields["text"]]
    assert time.monotonic() - begin < 3


def test_no_answer_is_never_asked_twice(silent, kannel):
    """The request went out: the gateway may have it. The next one is tried, this one never again."""
    before, s = len(silent.silent.asked), silent.new_subscriber()
    silent.silent.answer = None
    try:
        press(silent, s)
        assert silent.wait(lambda: kannel.messages(s.phone))
        assert silent.wait(lambda: rows(silent) == [])
        assert len(silent.silent.asked) == before + 1
    finally:
        silent.silent.answer = b"OK"


@contextlib.contextmanager
def back(portal, port):
    """A gateway that was dead is there; at the end it goes, and its portal."""
    gateway = Other(port=port)
    try:
        yield gateway
    finally:
        gateway.close()
        portal.stop()


def test_a_dead_gateway_is_left_alone(start, other):
    """After three failures in a row codes go to the next one without asking it; it is found out when it is back."""
    port, presses = gateways.free_ports(1)[0], 8
    portal = start(
        "".join(
            "<EsignSMSGateway %s>\nEsignSMSURL http://127.0.0.1:%d/\n</EsignSMSGateway>\n" % g
            for g in (("dead", port), ("other", other.port))
        )
    )
    browsers = [portal.browser() for _ in range(presses + 1)]
    for browser in browsers:
        assert browser.login(portal.new_subscriber()).status == 303
    for i, browser in enumerate(browsers[:presses]):
        assert browser.post("otp").status == 303
        assert portal.wait(lambda: len(other.asked) > i)
    log = portal.log()
    named = r"SMS gateway dead \(127\.0\.0\.1:%d\)" % port
    assert len(re.findall(named + " is left alone, and tried now and then: ", log)) == 1
    assert (
        3
        <= len(
            re.findall(
                r"a code was not sent \(message \d+, try 1\): " + named + ": [^;]+; again at once",
                log,
            )
        )
        <= 5
    )  # the fourth and fifth: behind its pauses, on a machine that is very busy
    with back(portal, port) as alive:
        time.sleep(5)  # the second pause, with what is added to it
        assert browsers[presses].post("otp").status == 303
        assert portal.wait(lambda: alive.asked)
        assert portal.wait(lambda: rows(portal) == [])
        assert (len(alive.asked), len(other.asked)) == (1, presses)
        assert re.search(named + " answers again", portal.log())


def test_a_newer_code_takes_the_place_of_one_that_waits(start):
    """No gateway for a while: of two presses one SMS comes, with the code that lives."""
    port = gateways.free_ports(1)[0]
    portal = start("EsignSMSURL http://127.0.0.1:%d/\n" % port)
    s = portal.new_subscriber()
    browser = press(portal, s)
    for _ in range(2):
        portal.sql("UPDATE subscriber SET sms_last = 0 WHERE id = ?", portal.row(s))
        assert browser.post("otp").status == 303
    assert portal.wait(lambda: [bool(row[3]) for row in rows(portal)] == [True] * 3), rows(
        portal
    )  # each has been tried
    with back(portal, port) as late:
        assert portal.wait(lambda: late.asked, 30)
        assert portal.wait(lambda: rows(portal) == [], 30), rows(portal)
        assert len(late.asked) == 1
        code = re.search(r"#(\d{6})", late.asked[0][2]).group(1)
        assert browser.post("otp/code", {"code": code}).location.endswith("/menu")


def test_an_expired_code_is_never_sent(start):
    """It waited for its gateway longer than it lived."""
    port = gateways.free_ports(1)[0]
    portal = start("EsignSMSURL http://127.0.0.1:%d/\nEsignCodeLife 60\n" % port)
    press(portal, portal.new_subscriber())
    assert portal.wait(lambda: rows(portal) and rows(portal)[0][3])
    # As if a minute had passed.
    portal.sql("UPDATE outbox SET expires = expires - 60000000, due = due - 60000000")
    with back(portal, port) as late:
        assert portal.wait(lambda: [row[0] for row in rows(portal)] == [1], 30)
        assert rows(portal)[0][3] == "expired" and late.asked == []


class Silent(Server):
    """A gateway that takes every request and never answers."""

    def __init__(self):
        self.asked = []
        listener = loopback()
        self.port = listener.getsockname()[1]
        super().__init__(listener)

    def serve(self, connection):
        while data := connection.recv(65536):
            if data.startswith(b"POST"):
                self.asked.append(time.time())


def test_codes_that_run_out_tell_nothing_of_their_gateway(start):
    """The first has its gateway's whole time, two seconds; each of the others half a second of its own life."""
    silent = Silent()
    portal = start(
        "EsignSMSURL http://127.0.0.1:%d/\nEsignSMSConnections 1\nEsignDeliveryTimeout 2\n"
        % silent.port
    )
    try:
        browsers = [portal.browser() for _ in range(4)]
        for browser in browsers:
            assert browser.login(portal.new_subscriber()).status == 303
        for browser in browsers:
            assert browser.post("otp").status == 303
        assert portal.wait(lambda: silent.asked)
        waiting = [
            row[0] for row in portal.sql("SELECT id FROM outbox WHERE attempts = 0 ORDER BY due")
        ]
        assert len(waiting) == 3
        for n, message in enumerate(waiting):
            portal.sql(
                "UPDATE outbox SET expires = ? WHERE id = ?",
                int((silent.asked[0] + 2.6 + n * 0.5) * 10**6),
                message,
            )
        assert portal.wait(lambda: len(silent.asked) == 4), rows(portal)
        assert portal.wait(lambda: portal.log().count("a code is given up") == 4), portal.log()[
            -2000:
        ]
        assert "left alone" not in portal.log()
    finally:
        portal.stop()
        silent.close()
