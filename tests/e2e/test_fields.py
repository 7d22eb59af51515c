# SPDX-License-Identifier: Apache-2.0
"""test_fields.py: what fields accept, keep and tell the browser; the switch of the language; texts,
dates and letters of each language.
"""

import re
import subprocess

import pytest
from lxml import etree

from portal import PREFIX


def test_pasted_number_with_spaces(portal, browser, subscriber):
    fields = browser.login_fields(subscriber)
    fields["id"] = " %s\u00a0%s-%s\t" % (subscriber.id[:3], subscriber.id[3:6], subscriber.id[6:])
    assert browser.post("login", fields).status == 303


@pytest.mark.parametrize("shape", ["%s %s", "%s-%s", "\u00a0%s\u00a0%s ", "\u202a%s\u2009%s\u202c"])
def test_pasted_code(portal, shape):
    browser, subscriber = portal.browser(), portal.new_subscriber()
    browser.login(subscriber)
    code = browser.confirm(subscriber)
    assert (
        browser.post("otp/code", {"code": shape % (code[:3], code[3:])}).location
        == PREFIX + "/menu"
    )


def test_what_fields_tell_the_browser(portal, browser, subscriber):
    """Keyboards, password managers, and pasted text that is never cut. The first field in error has
    the cursor, and no other field ever.
    """

    def inputs(html):
        found = etree.HTML(html).xpath("//form[@class='fields']//input[@id]")
        assert all(
            one.get("maxlength") is None
            and one.get("minlength") is None
            and one.get("pattern") is None
            for one in found
        )
        return {one.get("name"): one for one in found}

    def post(path, **fields):
        return browser.session.post(
            browser.url(path), data=fields, headers={"Accept": "text/html"}
        ).text

    def focused(html):
        assert len(re.findall(" autofocus", html)) == len(
            [one for one in inputs(html).values() if one.get("autofocus") is not None]
        )
        return [name for name, one in inputs(html).items() if one.get("autofocus") is not None]

    html = browser.html("login").text
    fields = inputs(html)
    assert list(fields) == ["id", "answer", "word"] and focused(html) == []
    assert (fields["id"].get("inputmode"), fields["id"].get("autocomplete")) == (
        "numeric",
        "username",
    )
    assert (fields["word"].get("type"), fields["word"].get("autocomplete")) == (
        "password",
        "current-password",
    )
    assert fields["answer"].get("autocomplete") == "off"
    assert [one.get("enterkeyhint") for one in fields.values()] == [None, None, "go"]
    html = post("login", id=subscriber.id)
    assert (
        focused(html) == ["answer"]
        and inputs(html)["id"].get("value") == subscriber.id
        and inputs(html)["word"].get("value") is None
    )
    links = etree.HTML(html).xpath("//*[@class='summary']//a/@href")
    assert links == ["#answer", "#word"] and "<title>Hata: Şifreli Giriş Ekranı – " in html
    assert focused(post("login")) == ["id"]
    browser.get(browser.reset_link(subscriber))
    fields = inputs(browser.html("reset/word").text)
    assert [one.get("autocomplete") for one in fields.values()] == ["new-password"] * 2
    assert focused(post("reset/word", word="güzel bir sözcük")) == ["again"]
    browser.login(subscriber)
    assert focused(browser.html("otp").text) == []
    browser.confirm(subscriber)
    fields = inputs(browser.html("otp/code").text)
    assert (
        fields["code"].get("inputmode"),
        fields["code"].get("autocomplete"),
        fields["code"].get("type"),
    ) == ("numeric", "one-time-code", "text")
    assert focused(post("otp/code", code="12")) == ["code"]


def test_the_language_switch_works_on_every_page(portal, browser, subscriber):
    """It keeps the step: also where the page came from a POST, and where there is no page."""
    browser.get(browser.reset_link(subscriber))
    browser.login(subscriber)
    for path, status in (
        ("", 200),
        ("login", 200),
        ("reset", 200),
        ("reset/sent", 200),
        ("reset/word", 200),
        ("otp", 200),
        ("logout", 405),
    ):
        for language in ("en", "tr"):
            page = browser.get(path + "?lang=" + language)
            assert page.status == 303 and page.location == "%s/%s" % (PREFIX, path)
            page = browser.get(path)
            assert page.status == status and page.xml.get("lang") == language
    page = browser.get("nowhere?lang=en")
    assert (page.status, page.name, page.xml.get("lang")) == (404, "not-found", "en")
    page = browser.post("login", {"id": "1"})
    assert page.status == 422
    english = next(one for one in page.xml.iter("language") if one.get("code") == "en")
    assert english.get("href") == "?lang=en" and browser.get("login").name == "login"
    html = browser.html("login").text
    assert re.search(r'<nav class="languages" aria-label="Language">', html)
    assert re.search(r'<a href="\?lang=tr" lang="tr" hreflang="tr">Türkçe</a>', html)
    assert re.search(
        r'<a href="\?lang=en" lang="en" hreflang="en" aria-current="true">English</a>', html
    )


def test_dates_times_and_numbers_by_language(portal, subscriber):
    """What pages, mails and the script write: 24 Kasım 2026 10.05, and 24 November 2026, 10:05."""
    for language, time, date, life in (
        (
            "tr",
            r"\d{1,2} (?:Ocak|Şubat|Mart|Nisan|Mayıs|Haziran|Temmuz|Ağustos|Eylül|Ekim|Kasım|"
            r"Aralık) \d{4} \d\d\.\d\d<",
            "1 Ocak 2026 – 1 Ocak 2029",
            "30 dakika",
        ),
        (
            "en",
            r"\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|"
            r"November|December) \d{4}, \d\d:\d\d<",
            "1 January 2026 – 1 January 2029",
            "30 minutes",
        ),
    ):
        person, browser = portal.new_subscriber(language), portal.browser(language)
        browser.get(browser.reset_link(person))
        assert life in browser.html("reset/sent").text
        browser.sign_in(person)
        assert re.search(time, browser.html("activity").text)
        shown = browser.session.post(browser.url("pin"), headers={"Accept": "text/html"}).text
        assert date in re.sub("<[^>]*>", "", shown)


def test_the_journey_under_a_turkish_locale(make_portal, tmp_path):
    """In this locale the C library makes I of ı. Headers, methods, schemes, SQL and the picture's
    letters must not follow it.
    """
    locale = tmp_path / "tr_TR.UTF-8"
    subprocess.run(
        ["localedef", "-i", "tr_TR", "-f", "UTF-8", str(locale)], check=True, capture_output=True
    )
    portal = make_portal(LOCPATH=str(tmp_path), LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8")
    with open(portal.env["HTTPD_PID"]) as file, open(
        "/proc/%d/environ" % int(file.read()), "rb"
    ) as environment:
        assert b"LC_ALL=tr_TR.UTF-8" in environment.read().split(b"\0")
    browser, person = portal.browser(), portal.new_subscriber(name="Işıl İğdır")
    browser.get(browser.reset_link(person))
    assert browser.post(
        "reset/word", {"word": "IŞIL YILDIZ bahçe", "again": "IŞIL YILDIZ bahçe"}
    ).problems() == [("word", "word-personal")]
    word = "İĞNE ipliği kıvrımı"
    assert browser.post("reset/word", {"word": word, "again": word}).status == 303
    fields = browser.login_fields(person, word)
    fields["answer"] = fields["answer"].lower()
    page = browser.post(
        "login", fields, headers={"Content-Type": "APPLICATION/X-WWW-FORM-URLENCODED"}
    )
    assert page.status == 303
    assert browser.post("otp/code", {"code": browser.confirm(person)}).status == 303
    assert browser.post("pin").status == 200
    assert browser.get("menu").xml.get("lang") == "tr"
    portal.stop()
