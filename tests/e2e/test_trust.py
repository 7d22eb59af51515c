# SPDX-License-Identifier: Apache-2.0
"""test_trust.py: what a person with a suspicion can do and sees: other sessions ended, new devices,
mails and SMS to rely on.
"""

import html.parser
import re

import pytest

import rough
from test_configuration import httpd
from portal import PREFIX, past_sms_pause

SESSION, DEVICE = "__Host-esign", "__Host-esign-device"


def sign_in_again(portal, browser, subscriber):
    past_sms_pause(portal, subscriber)
    browser.sign_in(subscriber)


def replay(portal, value):
    """A page asked for with a session cookie of before."""
    one = portal.browser()
    return one.session.get(
        one.url("menu"), headers={"Cookie": "%s=%s" % (SESSION, value)}, allow_redirects=False
    ).status_code


# The end of all other sessions


def test_other_sessions_and_links_end_and_this_one_goes_on(portal, browser, subscriber):
    other, half = portal.browser(), portal.browser()
    other.sign_in(subscriber)
    sign_in_again(portal, browser, subscriber)
    half.login(subscriber)
    link = portal.browser().reset_link(subscriber)
    assert (
        other.get("menu").status == 200
        and half.get("otp").status == 200
        and portal.browser().get(link).status == 303
    )
    assert browser.get("activity").xml.find("ended") is None
    before = browser.session.cookies.get(SESSION)

    page = browser.post("activity")
    assert page.status == 303 and page.location == PREFIX + "/activity"
    after = browser.session.cookies.get(SESSION)
    assert (
        after and after != before and replay(portal, before) == 403 and replay(portal, after) == 200
    )
    page = browser.get("activity")
    assert page.status == 200 and page.xml.find("ended") is not None
    assert [e.get("name") for e in page.xml.findall("event")][0] == "sessions-ended"
    assert other.get("menu").status == 403 and half.get("otp").status == 403
    assert portal.browser().get(link).status == 410
    assert "sessions-ended" in portal.ctl("audit", "list", "--subscriber", subscriber.id)
    # Nothing was gained: the proof is that of the sign-in, so the PIN opens without another code.
    assert browser.post("pin").status == 200


def test_the_success_line_is_for_a_minute(portal, browser, subscriber):
    browser.sign_in(subscriber)
    browser.post("activity")
    assert browser.get("activity").xml.find("ended") is not None
    # Once it is chained, nobody but `audit verify` looks at its seal.
    assert portal.wait(
        lambda: portal.sql("SELECT count(*) FROM audit WHERE chain IS NULL") == [(0,)]
    )
    portal.sql(
        "UPDATE audit SET time = time - 61000000 WHERE subscriber = ? AND event = 'sessions-ended'",
        portal.row(subscriber),
    )
    assert browser.get("activity").xml.find("ended") is None


def test_the_page_marks_the_sign_in_of_this_session(portal, browser, subscriber):
    other = portal.browser()
    other.sign_in(subscriber)
    sign_in_again(portal, browser, subscriber)

    def marks(one):
        return [
            e.get("current")
            for e in one.get("activity").xml.findall("event")
            if e.get("name") == "signed-in"
        ]

    assert marks(browser) == ["yes", None] and marks(other) == [None, "yes"]
    browser.post("activity")
    assert marks(browser) == ["yes", None]


def test_ending_sessions_asks_for_both_factors_and_our_page(portal, browser, subscriber):
    assert browser.post("activity").status == 403
    browser.login(subscriber)
    assert browser.post("activity").location == PREFIX + "/otp"
    browser.post("otp/code", {"code": browser.confirm(subscriber)})
    assert browser.post("activity", headers={"Sec-Fetch-Site": "cross-site"}).name == "cross-site"
    assert browser.get("menu").status == 200


# Sign-ins from a new device


def notices(portal, subscriber):
    return [m for m in portal.mails(subscriber.email) if "yeni bir cihazdan" in m["Subject"]]


def settled(portal, subscriber):
    """How many notices of new devices there are once everything queued has been sent."""
    assert portal.wait(lambda: portal.sql("SELECT COUNT(*) FROM outbox WHERE dead = 0") == [(0,)])
    return len(notices(portal, subscriber))


def test_a_new_device_is_told_once(portal, browser, subscriber):
    browser.sign_in(subscriber)
    assert settled(portal, subscriber) == 1
    text = notices(portal, subscriber)[0].get_body(("plain",)).get_content()
    assert "127.0.0.1" in text and "Örnek Sertifikasyon Merkezi ile görüşün" in re.sub(
        r"\s+", " ", text
    )
    sign_in_again(portal, browser, subscriber)
    assert settled(portal, subscriber) == 1
    sign_in_again(portal, portal.browser(), subscriber)
    assert settled(portal, subscriber) == 2


@pytest.mark.parametrize("way", ["activity", "word"])
def test_who_shuts_everything_makes_other_devices_unknown(portal, browser, subscriber, way):
    """A thief who was locked out by it shows as a new device on return. The browser that did it
    stays known.
    """
    thief = portal.browser()
    thief.sign_in(subscriber)
    sign_in_again(portal, browser, subscriber)
    assert settled(portal, subscriber) == 2
    if way == "word":
        subscriber.word = "another phrase that nobody guesses"
        page = browser.post("word", {"word": subscriber.word, "again": subscriber.word})
    else:
        page = browser.post("activity")
    assert page.status == 303
    sign_in_again(portal, browser, subscriber)
    assert settled(portal, subscriber) == 2
    sign_in_again(portal, thief, subscriber)
    assert settled(portal, subscriber) == 3


def test_a_shared_computer_knows_each_of_its_people(portal, browser, subscriber):
    other = portal.new_subscriber()
    browser.sign_in(subscriber)
    browser.sign_in(other)
    assert (settled(portal, subscriber), settled(portal, other)) == (1, 1)
    sign_in_again(portal, browser, subscriber)
    sign_in_again(portal, browser, other)
    assert (settled(portal, subscriber), settled(portal, other)) == (1, 1)


def test_of_six_people_the_one_who_was_away_longest_is_forgotten(portal, browser):
    people = [portal.new_subscriber() for _ in range(6)]
    for one in people:
        browser.sign_in(one)
    for one in people[1:]:
        sign_in_again(portal, browser, one)
    assert [settled(portal, one) for one in people] == [1] * 6
    sign_in_again(portal, browser, people[0])
    assert settled(portal, people[0]) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[:-1] + ("A" if c[-1] != "A" else "B"),
        lambda c: c[:40],
        lambda c: "A" * len(c),
        lambda c: "%00",
        lambda c: "",
    ],
)
def test_a_tampered_cookie_is_a_new_device(portal, browser, subscriber, change):
    browser.sign_in(subscriber)
    past_sms_pause(portal, subscriber)
    other = portal.browser()
    other.login(subscriber)
    code = other.confirm(subscriber)
    cookies = "%s=%s; %s=%s" % (
        SESSION,
        other.session.cookies.get(SESSION),
        DEVICE,
        change(browser.session.cookies.get(DEVICE)),
    )
    page = other.session.post(
        other.url("otp/code"),
        data={"code": code},
        headers={"Cookie": cookies},
        allow_redirects=False,
    )
    assert page.status_code == 303 and settled(portal, subscriber) == 2


def test_the_cookie_comes_with_the_code_alone_and_tells_nothing(portal, browser, subscriber):
    browser.login(subscriber)
    code = browser.confirm(subscriber)
    assert browser.session.cookies.get(DEVICE) is None
    page = browser.post("otp/code", {"code": code})
    cookie = next(
        c for c in page.response.raw.headers.getlist("Set-Cookie") if c.startswith(DEVICE + "=")
    )
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"):
        assert attribute in cookie
    first = browser.session.cookies.get(DEVICE)
    assert len(cookie) < 240 and re.fullmatch(r"[A-Za-z0-9_-]+", first)
    browser.sign_in(portal.new_subscriber())
    second = browser.session.cookies.get(DEVICE)
    assert second != first and len(second) == len(first)


# SMS and mails


def test_the_sms_fits_one_message_and_ends_with_the_line_for_phones(portal):
    for language, purpose in (
        ("tr", "giriş için SMS onay kodunuz"),
        ("en", "SMS code for signing in"),
    ):
        subscriber = portal.new_subscriber(language)
        browser = portal.browser()
        browser.login(subscriber)
        code = browser.confirm(subscriber)
        text = portal.sms(subscriber.phone)[0].rstrip("\n")
        sentence, last = text.split("\n")
        assert (
            sentence.startswith("Örnek Sertifikasyon Merkezi: ")
            and purpose in sentence
            and code in sentence
        )
        assert last == "@localhost #" + code
        # Two septets at most for each of these letters.
        assert (
            set(text) - set(map(chr, range(0x20, 0x7F))) <= set("ÖÜÇöü\nĞİŞçğış")
            and len(text) + sum(c in "ĞİŞçğış" for c in text) <= 155
        )


LONG = (
    "Nitelikli Elektronik Sertifika Hizmet Sağlayıcılığı ve Zaman Damgası Merkezi Genel Müdürlüğü"
)


@pytest.mark.parametrize(
    "lines,told",
    [
        (
            'EsignOrganization "%s"' % LONG,
            "EsignSMSName: with EsignOrganization in its place, the SMS with a code (tr) takes",
        ),
        (
            'EsignSMSName "%s"' % LONG,
            "EsignSMSName: with this name, the SMS with a code (tr) takes",
        ),
        ('EsignSMSName "Центр сертификации"', "one message holds 70"),
        ('EsignOrganization "%s"\nEsignSMSName "Zaman Damgası"' % LONG, None),
    ],
)
def test_a_name_too_long_for_an_sms_is_found_by_configtest(portal, tmp_path, lines, told):
    code, text = httpd(portal, tmp_path, lines)
    assert (
        (code, "Syntax OK" in text) == (0, True) if told is None else (code != 0 and told in text)
    ), text


def test_the_short_name_stands_in_the_sms_alone(make_portal, tmp_path):
    include = tmp_path / "name.conf"
    include.write_text('EsignSMSName "Örnek Merkez"\n')
    other = make_portal("--include", str(include))
    subscriber, browser = other.new_subscriber(), other.browser()
    browser.sign_in(subscriber)
    assert other.sms(subscriber.phone)[0].startswith("Örnek Merkez: ")
    assert (
        other.wait_mail(subscriber.email)["Subject"]
        .strip()
        .startswith("Örnek Sertifikasyon Merkezi: ")
    )


class Seen(html.parser.HTMLParser):
    """What a reader sees of a page: its texts, and which links it has."""

    def __init__(self, text):
        super().__init__()
        self.words, self.links, self.tags, self.hidden = [], set(), set(), False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.hidden = tag in ("style", "title")
        self.links |= {value for name, value in attributes if name in ("href", "src", "background")}

    def handle_endtag(self, tag):
        self.hidden = False

    def handle_data(self, data):
        self.words += [] if self.hidden else words(data)


def words(text):
    return [w for w in (w.strip(":.,;-") for w in text.split()) if w]


def test_both_parts_of_a_mail_have_the_same_words_and_nothing_from_elsewhere(
    portal, browser, subscriber
):
    browser.reset_link(subscriber)
    browser.sign_in(subscriber)
    browser.post("pin")
    word = "eylül yağmuru sesi"
    browser.post("word", {"word": word, "again": word})
    mails = portal.wait(
        lambda: (lambda found: found if len(found) == 4 else None)(portal.mails(subscriber.email))
    )
    assert mails and len({m["Subject"] for m in mails}) == 4
    for mail in mails:
        text, page = mail.get_body(("plain",)).get_content(), Seen(
            mail.get_body(("html",)).get_content()
        )
        assert page.words == words(text)
        assert all(link.startswith(portal.url.rstrip("/")) for link in page.links)
        assert not page.tags & {"img", "script", "link", "iframe", "object"}
        assert (
            text.count("\n- ") == 3
            and "Sayın %s," % subscriber.name in text
            and "Saygılarımızla," in text
        )


def test_ten_views_of_the_pin_are_one_mail(portal):
    browser, s = portal.browser(), portal.new_subscriber()
    browser.sign_in(s)
    for _ in range(10):
        assert browser.post("pin").status == 200
    assert rough.audit_rows(portal, s, "pin-shown") == 10
    assert portal.wait(lambda: len(portal.ctl("outbox", "list").splitlines()) == 1)
    subjects = sorted(m["Subject"].partition(": ")[2] for m in portal.mails(s.email))
    assert subjects == [
        "Hesabınıza yeni bir cihazdan giriş yapıldı",
        "PIN/PUK bilginiz görüntülendi",
    ]
