# SPDX-License-Identifier: Apache-2.0
"""test_kannel.py: SMS through Kannel and its fake SMSC, with delivery reports; what happens when a
gateway fails.
"""

import base64
import re
import time

import pytest

import kannel as gateways
from sms_gateways import other, start  # noqa: F401
from sms_gateways import Other, press, rows


pytestmark = pytest.mark.skipif(
    bool(gateways.missing()), reason="Kannel is not installed: " + " ".join(gateways.missing())
)


KANNEL = """
    EsignSMSURL "%(url)s?username=portal&password={secret}&to={number}\\
&charset=UTF-8&coding=2&text={text}%(report)s"
    EsignSMSMethod GET
    EsignSMSSecretFile %(secret)s
    EsignSMSAccepted "^(0: Accepted|3: Queued|Sent\\\\.)"
"""


REPORT = "&dlr-mask=31&dlr-url={report}%3Fstatus%3D%25d"
REPORTED = """
    EsignSMSDelivered "^status=1$"
    EsignSMSUndelivered "^status=(2|16)$"
"""


@pytest.fixture(scope="module")
def kannel(tmp_path_factory):
    one = gateways.Kannel(tmp_path_factory.mktemp("kannel"))
    yield one
    one.close()


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
        reporting.courier_rounds()
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
        stdin="""<subscribers><subscriber national-id="%s" language="tr"><name>%s</name>
        <email>%s</email><phone>%s</phone><security-word>%s</security-word>
        </subscriber></subscribers>"""
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
    """A dead gateway, one with a wrong password and one that refuses with status 200: the fourth
    sends the code, once.
    """
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
        "SMS gateway liar: HTTP status 200, and an answer that does not say that it was accepted: "
        "ERR 17: no credit for ******" in log
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
    asked = time.monotonic()
    texts = silent.wait(lambda: kannel.messages(s.phone))
    assert texts == [fields["text"]] and time.monotonic() - asked > 3
    assert silent.wait(lambda: rows(silent) == [])
    assert len(silent.silent.asked) == before + 1
    assert browser.post("otp/code", {"code": code_of(texts[0])}).location.endswith("/menu")


def test_a_code_that_was_used_is_not_sent_again(silent, kannel):
    before, s = len(silent.silent.asked), silent.new_subscriber()
    browser = press(silent, s)
    _, fields = asked_of(silent, before)
    assert browser.post("otp/code", {"code": code_of(fields["text"])}).location.endswith("/menu")
    assert silent.wait(lambda: rows(silent) == [])
    assert silent.wait(lambda: "a code that nobody can use any more is dropped" in silent.log())
    assert kannel.messages(s.phone) == []


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
    # Without a row there is nothing that the next gateway could be asked to send.
    silent.courier_rounds()
    assert rows(silent) == [] and kannel.messages(s.phone) == []


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
    """The request went out, so the gateway may have it. The next gateway is tried, and this one
    never again.
    """
    before, s = len(silent.silent.asked), silent.new_subscriber()
    silent.silent.answer = None
    try:
        press(silent, s)
        assert silent.wait(lambda: kannel.messages(s.phone))
        assert silent.wait(lambda: rows(silent) == [])
        assert len(silent.silent.asked) == before + 1
    finally:
        silent.silent.answer = b"OK"
