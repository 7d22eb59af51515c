# SPDX-License-Identifier: Apache-2.0
"""test_journey.py: every row of the journey, and the wrong turns on it."""

import concurrent.futures
import re
import time

import pytest

import portal as parts

PREFIX = "/esign"


def past_sms_pause(portal, subscriber):
    """As if the last SMS had gone out two minutes ago."""
    portal.sql(
        "UPDATE subscriber SET sms_last = sms_last - 120000000 WHERE id = ?", portal.row(subscriber)
    )


# Figures 2, 3 and 11, 12


def test_home_page_leads_to_the_portal(portal, browser):
    home = browser.html(portal.url.replace("/esign/", "/"))
    assert home.status_code == 200 and "Online İşlemler" in home.text
    assert re.search(
        r'<a[^>]*href="/esign/"[^>]*>\s*Nitelikli Elektronik Sertifika İşlemleri', home.text
    )


def test_start_page_offers_the_ways_in(browser):
    page = browser.get()
    assert (page.status, page.name) == (200, "start")
    assert page.xml.find("certificate") is None
    html = browser.html("").text
    assert (
        "Kullanıcı Doğrulama Ekranı" in html
        and "Şifreli Giriş" in html
        and "Elektronik İmza ile Giriş" not in html
    )


def test_certificate_link_only_when_configured(make_portal, tmp_path):
    include = tmp_path / "more.conf"
    include.write_text(
        'EsignCertificateURL https://kart.example.org/\nEsignMenuLink "Sorular" https://www.example.org/sorular\n'
    )
    other = make_portal("--include", str(include))
    browser = other.browser()
    assert "Elektronik İmza ile Giriş" in browser.html("").text
    s = other.new_subscriber()
    browser.sign_in(s)
    link = browser.get("menu").xml.find("link")
    assert (link.get("label"), link.get("href")) == ("Sorular", "https://www.example.org/sorular")


# Figures 4, 13 to 17


def test_whole_sign_in_to_the_pin(portal, browser, subscriber):
    page = browser.login(subscriber)
    assert page.status == 303 and page.location == PREFIX + "/otp"
    page = browser.get("otp")
    masked = page.xml.find("phone").get("masked")
    assert (
        page.name == "otp"
        and masked.endswith(subscriber.phone[-2:])
        and subscriber.phone not in masked
        and "*" in masked
    )
    code = browser.confirm(subscriber)
    page = browser.get("otp/code")
    assert page.name == "otp-code" and 150 < int(page.xml.find("code").get("seconds")) <= 180
    page = browser.post("otp/code", {"code": code})
    assert page.status == 303 and page.location == PREFIX + "/menu"
    assert browser.get("menu").name == "menu"
    assert browser.get("pin").name == "pin-ask"
    before = len(portal.mails(subscriber.email))
    page = browser.post("pin")
    card = page.xml.find("card")
    assert page.status == 200 and card.get("serial") == subscriber.cards[0]["serial"]
    assert ("".join(card.find("pin").itertext()), "".join(card.find("puk").itertext())) == (
        subscriber.cards[0]["pin"],
        subscriber.cards[0]["puk"],
    )
    assert (
        page.response.headers["Refresh"] == "60; url=/esign/menu"
        and page.response.headers["Cache-Control"] == "no-store"
    )
    notice = portal.wait_mail(subscriber.email, before)
    assert subscriber.cards[0]["pin"] not in notice.as_string()
    assert "pin-shown" in portal.ctl("audit", "list", "--subscriber", subscriber.id)


def test_pages_say_what_the_guide_says(portal, browser, subscriber):
    def says(path, *texts):
        html = browser.html(path).text
        for text in texts:
            assert text in html, (path, text)

    says(
        "login",
        "Şifreli Giriş Ekranı",
        "Kimlik No",
        "Resimdeki Yazı",
        "Güvenlik Sözcüğü",
        "Giriş",
        "Güvenlik Sözcüğümü Unuttum",
    )
    says("reset", "Güvenlik Sözcüğü İstek Ekranı", "Kimlik No", "Resimdeki Yazı", "Gönder")
    assert browser.login(subscriber).status == 303
    says("otp", "SMS Onay Ekranı", "Telefon Numarası", "Onay")
    code = browser.confirm(subscriber)
    says("otp/code", "SMS Onay Kodu Giriş Ekranı", "SMS Onay Kodu", "Gönder")
    browser.post("otp/code", {"code": code})
    says(
        "menu",
        "İşlemler Menüsü",
        "Bireysel Nitelikli Elektronik Sertifika İşlemleri",
        "PIN/PUK Bilgisi",
        "Güvenli Çıkış",
    )
    shown = browser.session.post(browser.url("pin"), headers={"Accept": "text/html"}).text
    for text in ("Kart Seri Numarası", "PIN Bilgisi", "PUK Bilgisi"):
        assert text in shown
    says(browser.reset_link(subscriber))
    says(
        "reset/word",
        "Güvenlik Sözcüğü Güncelleme Ekranı",
        "Güvenlik Sözcüğü",
        "Güvenlik Sözcüğü Tekrarı",
        "Gönder",
    )


def test_english_twin(portal):
    browser = portal.browser("en-GB,en;q=0.9,tr;q=0.5")
    assert browser.get("login").xml.get("lang") == "en"
    page = browser.get("login?lang=tr")
    assert page.status == 303 and page.location == PREFIX + "/login"
    assert browser.get("login").xml.get("lang") == "tr"


# Figures 5 to 10


def test_forgotten_word_from_request_to_sign_in(portal, browser, subscriber):
    assert browser.get("reset").name == "reset"
    link = browser.reset_link(subscriber)
    assert browser.get("reset/sent").name == "reset-sent"
    page = browser.get(link)
    assert page.status == 303 and page.location == PREFIX + "/reset/word"
    assert browser.get("reset/word").name == "reset-word"
    before = len(portal.mails(subscriber.email))
    word = "fındıklı yaz akşamı"
    page = browser.post("reset/word", {"word": word, "again": word})
    assert page.status == 303 and page.location == PREFIX + "/reset/done"
    assert browser.get("reset/done").name == "reset-done"
    assert browser.get("menu").status == 403
    assert portal.wait_mail(subscriber.email, before)
    assert browser.login(subscriber).status == 422
    browser.sign_in(subscriber, word)


def test_the_mail(portal, browser, subscriber):
    browser.ask_reset(subscriber.id)
    mail = portal.wait_mail(subscriber.email)
    text, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    assert mail.get_content_type() == "multipart/alternative"
    assert "Örnek Sertifikasyon Merkezi" in mail["From"] and subscriber.name in mail["To"]
    assert (
        mail["Auto-Submitted"] == "auto-generated"
        and mail["Date"]
        and mail["Message-ID"].endswith("@example.org>")
    )
    for body in (text, html):
        assert portal.url + "reset/" in body and "30" in body and "127.0.0.1" in body
    assert "<img" not in html and "http://" not in html


def test_unknown_number_gets_the_same_answer_and_no_mail(portal, browser, subscriber):
    before = len(portal.files("mail"))
    browser.ask_reset(parts.tckn())
    browser.ask_reset(subscriber.id)
    portal.wait_mail(subscriber.email)
    assert len(portal.files("mail")) == before + 1


def test_wrong_word_and_unknown_person_read_the_same(portal, subscriber):
    def body(national_id):
        browser = portal.browser()
        fields = browser.login_fields(subscriber, "yanlış bir sözcük")
        fields["id"] = national_id
        page = browser.post("login", fields)
        assert page.status == 422 and page.problems() == [("word", "credentials")]
        headers = {
            k: v for k, v in page.response.headers.items() if k not in ("Date", "Keep-Alive")
        }
        return headers, re.sub(r'(value|picture|sound|salt|target)="[^"]*"', "", page.response.text)

    assert body(subscriber.id) == body(parts.tckn())


# Mistakes


def test_a_mistake_in_one_field_burns_nothing(portal, browser, subscriber):
    fields = browser.login_fields(subscriber)
    page = browser.post("login", dict(fields, id="12345678901"))
    assert page.status == 422 and page.problems() == [("id", "id-wrong")]
    again = page.xml.find(".//challenge")
    assert (again.get("value"), again.get("answer")) == (fields["challenge"], fields["answer"])
    page = browser.post("login", dict(fields, word=""))
    assert page.problems() == [("word", "word-empty")]
    assert page.xml.find(".//field[@name='id']").get("value") == subscriber.id
    page = browser.post("login", dict(fields, answer=""))
    assert (
        page.problems() == [("answer", "answer-empty")] and page.challenge() == fields["challenge"]
    )
    assert browser.post("login", fields).status == 303


def test_a_wrong_answer_brings_a_new_picture(browser, subscriber):
    fields = browser.login_fields(subscriber)
    page = browser.post("login", dict(fields, answer="WRONG"))
    assert (
        page.problems() == [("answer", "answer-wrong")] and page.challenge() != fields["challenge"]
    )
    page = browser.post("login", fields)
    assert page.problems() == [("answer", "answer-expired")]


def test_a_picture_works_once(browser, subscriber):
    fields = browser.login_fields(subscriber, "yanlış bir sözcük")
    assert browser.post("login", fields).problems() == [("word", "credentials")]
    assert browser.post("login", dict(fields, word=subscriber.word)).problems() == [
        ("answer", "answer-expired")
    ]


def test_a_new_picture_keeps_the_form(browser, subscriber):
    fields = browser.login_fields(subscriber)
    page = browser.post("login", dict(fields, new="picture"))
    assert page.status == 200 and page.challenge() != fields["challenge"]
    assert page.xml.find(".//field[@name='id']").get("value") == subscriber.id


def test_picture_is_the_same_each_time(browser):
    challenge = browser.get("login").challenge()
    first, second = (browser.html("captcha/%s.png" % challenge) for _ in range(2))
    assert (
        first.headers["Content-Type"] == "image/png"
        and first.content == second.content
        and len(first.content) < 8192
    )
    assert (
        browser.html(
            "captcha/%s.png" % (challenge[:-1] + ("A" if challenge[-1] != "A" else "B"))
        ).status_code
        == 404
    )


@pytest.mark.parametrize(
    "word,again,problem",
    [
        ("", "", ("word", "word-empty")),
        ("kısa", "kısa", ("word", "word-short")),
        ("ş" * 129, "ş" * 129, ("word", "word-long")),
        ("password1234", "password1234", ("word", "word-common")),
        ("sınama kişisi 1", "sınama kişisi 1", ("word", "word-personal")),
        ("güzel bir sözcük", "", ("again", "again-empty")),
        ("güzel bir sözcük", "güzel bir söz", ("again", "again-differs")),
    ],
)
def test_unacceptable_new_words(portal, word, again, problem):
    subscriber, browser = portal.new_subscriber(), portal.browser()
    browser.get(browser.reset_link(subscriber))
    page = browser.post("reset/word", {"word": word, "again": again})
    assert page.status == 422 and page.problems() == [problem]
    assert browser.get("reset/word").name == "reset-word"


# Wrong turns: links


def test_mail_scanners_use_nothing_up(portal, subscriber):
    link = portal.browser().reset_link(subscriber)
    for _ in range(3):
        assert portal.browser().get(link).status == 303
    other = portal.browser()
    other.get(link)
    assert (
        other.post(
            "reset/word", {"word": "deniz feneri adası", "again": "deniz feneri adası"}
        ).status
        == 303
    )


def test_a_used_link_and_a_cut_off_link_are_dead(portal, browser, subscriber):
    link = browser.reset_link(subscriber)
    browser.get(link)
    browser.post("reset/word", {"word": "deniz feneri adası", "again": "deniz feneri adası"})
    for path in (link, link[:-4], "reset/x"):
        page = portal.browser().get(path)
        assert (page.status, page.name) == (410, "link-dead")
    page = browser.get("reset/word")
    assert (page.status, page.name) == (410, "link-dead")


@pytest.mark.parametrize("path", ["*", "**", "reset", "e", "a/b", "%2a", "%zz", "x?lang=en"])
def test_odd_links_are_dead(browser, path):
    """Links of an attacker's making, some of which look like what stands in for a token in the log."""
    page = browser.get("reset/" + path)
    assert (page.status, page.name) == (410, "link-dead")
    assert page.xml.get("lang") == ("en" if "lang=en" in path else "tr")


def test_the_token_is_hidden_from_status_page_and_log(portal, browser, subscriber):
    link = browser.reset_link(subscriber)
    token = link.split("/")[1]
    for path in (link, "/" + link, "%72eset/" + token, "./x/../" + link):
        assert browser.session.get(portal.url + path, allow_redirects=False).status_code == 303
    log = portal.wait(
        lambda: portal.log("access.log") if "/esign/reset/***" in portal.log("access.log") else None
    )
    status = browser.session.get(portal.url.replace("/esign/", "/server-status")).text
    assert token not in log and token not in status and "/esign/reset/***" in status


def test_two_links_in_two_tabs_do_not_change_places(portal, browser, subscriber):
    """The form of one person's link, sent after another person's link was opened in the same browser, changes nobody's word."""
    other = portal.new_subscriber()
    browser.get(browser.reset_link(subscriber))
    mark = browser.get("reset/word").xml.find("form").get("mark")
    browser.get(browser.reset_link(other))
    fields = {"word": "deniz feneri adası", "again": "deniz feneri adası", "mark": mark}
    page = browser.post("reset/word", fields)
    assert (page.status, page.name) == (409, "other-tab") and page.xml.find("go-on").get(
        "href"
    ) == PREFIX + "/reset/word"
    assert (
        browser.post(
            "reset/word", dict(fields, mark=browser.get("reset/word").xml.find("form").get("mark"))
        ).status
        == 303
    )
    assert portal.browser().login(subscriber).status == 303
    assert portal.browser().login(other, "deniz feneri adası").status == 303


def test_unused_links_die_at_a_sign_in(portal, browser, subscriber):
    link = browser.reset_link(subscriber)
    browser.sign_in(subscriber)
    assert portal.browser().get(link).status == 410


def test_sixty_racing_posts_of_one_link(portal, subscriber):
    link = portal.browser().reset_link(subscriber)
    browsers = [portal.browser() for _ in range(60)]
    for one in browsers:
        # A kept connection that the server closes for its age in the midst of the race would lose its POST.
        assert one.get(link, headers={"Connection": "close"}).status == 303

    def change(n):
        word = "yarışan sözcük numara %d" % n
        return browsers[n].post("reset/word", {"word": word, "again": word})

    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        pages = list(pool.map(change, range(60)))
    won = [n for n, page in enumerate(pages) if page.status == 303]
    assert len(won) == 1 and [page.status for page in pages].count(410) == 59
    assert portal.browser().login(subscriber, "yarışan sözcük numara %d" % won[0]).status == 303


# Wrong turns: steps and sessions


@pytest.mark.parametrize("path", ["otp", "otp/code", "menu", "pin", "word", "activity"])
def test_no_session_tells_how_to_go_on(browser, path):
    page = browser.get(path)
    assert (page.status, page.name) == (403, "expired") and page.xml.find("sign-in").get(
        "href"
    ) == PREFIX + "/login"


@pytest.mark.parametrize("path", ["menu", "pin", "word", "activity"])
def test_the_word_alone_opens_nothing(portal, path):
    browser, subscriber = portal.browser(), portal.new_subscriber()
    browser.login(subscriber)
    page = browser.get(path)
    assert page.status == 303 and page.location == PREFIX + "/otp"
    if path in ("pin", "word"):
        assert browser.post(path).location == PREFIX + "/otp"


def test_double_click_and_reload_send_one_sms(portal, browser, subscriber):
    browser.login(subscriber)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: browser.post("otp"), range(4)))
    assert {(p.status, p.location) for p in pages} == {(303, PREFIX + "/otp/code")}
    portal.wait_code(subscriber.phone)
    browser.get("otp/code")
    time.sleep(1.5)
    assert len(portal.sms(subscriber.phone)) == 1


def test_asking_again_sends_the_same_code(portal, browser, subscriber):
    browser.login(subscriber)
    code = browser.confirm(subscriber)
    past_sms_pause(portal, subscriber)
    assert browser.confirm(subscriber) == code
    assert browser.post("otp/code", {"code": code}).location == PREFIX + "/menu"


def test_pause_and_daily_limit_of_sms(portal, browser, subscriber):
    parts.away_from_midnight()
    browser.login(subscriber)
    browser.confirm(subscriber)
    other = portal.browser()
    other.login(subscriber)
    page = other.post("otp")
    assert page.status == 429 and page.problems() == [(None, "resend-early")]
    portal.sql(
        "UPDATE subscriber SET sms_count = 5, sms_last = sms_last - 120000000 WHERE id = ?",
        portal.row(subscriber),
    )
    page = other.post("otp")
    assert page.status == 429 and page.problems() == [(None, "sms-limit")]


def test_three_wrong_codes(portal, browser, subscriber):
    browser.login(subscriber)
    code = browser.confirm(subscriber)
    wrong = "%06d" % ((int(code) + 1) % 10**6)
    assert browser.post("otp/code", {"code": ""}).problems() == [("code", "code-empty")]
    assert browser.post("otp/code", {"code": "12ab"}).problems() == [("code", "code-form")]
    for expected in ("code-wrong", "code-wrong", "code-exhausted"):
        assert browser.post("otp/code", {"code": wrong}).problems() == [("code", expected)]
    assert browser.post("otp/code", {"code": code}).problems() == [("code", "code-exhausted")]
    assert browser.get("menu").location == PREFIX + "/otp"


def test_a_code_is_bound_to_its_session(portal, subscriber):
    first, second = portal.browser(), portal.browser()
    first.login(subscriber)
    code = first.confirm(subscriber)
    second.login(subscriber)
    assert second.post("otp/code", {"code": code}).status in (303, 422)
    assert second.get("menu").location == PREFIX + "/otp"
    assert first.post("otp/code", {"code": code}).location == PREFIX + "/menu"


def test_a_code_works_once(portal, browser, subscriber):
    browser.login(subscriber)
    cookies = browser.session.cookies.copy()
    code = browser.confirm(subscriber)
    browser.post("otp/code", {"code": code})
    replay = portal.browser()
    replay.session.cookies = cookies
    assert replay.post("otp/code", {"code": code}).status == 403


def test_waits_grow_and_hide_the_right_word(portal, subscriber):
    browser = portal.browser()
    for _ in range(5):
        assert browser.login(subscriber, "yanlış bir sözcük").problems() == [
            ("word", "credentials")
        ]
    page = browser.login(subscriber)
    assert page.status == 422 and page.problems() == [("word", "credentials")]
    failures, wait = portal.sql(
        "SELECT failures, wait_until FROM subscriber WHERE id = ?", portal.row(subscriber)
    )[0]
    assert failures == 5 and 20 < wait / 1e6 - time.time() <= 30
    portal.sql("UPDATE subscriber SET wait_until = 0 WHERE id = ?", portal.row(subscriber))
    browser.sign_in(subscriber)
    assert portal.sql("SELECT failures FROM subscriber WHERE id = ?", portal.row(subscriber)) == [
        (0,)
    ]


def test_closure_at_a_hundred_until_the_help_desk_opens(portal, subscriber):
    browser = portal.browser()
    portal.sql(
        "UPDATE subscriber SET failures = 99, wait_until = 0 WHERE id = ?", portal.row(subscriber)
    )
    browser.login(subscriber, "yanlış bir sözcük")
    portal.sql("UPDATE subscriber SET wait_until = 0 WHERE id = ?", portal.row(subscriber))
    assert browser.login(subscriber).status == 422
    portal.ctl("subscriber", "open", subscriber.id)
    assert browser.login(subscriber).status == 303


def test_sign_out(portal, browser, subscriber):
    browser.sign_in(subscriber)
    cookies = browser.session.cookies.copy()
    page = browser.post("logout")
    assert page.status == 303 and page.location == PREFIX + "/"
    assert browser.get("menu").status == 403
    replay = portal.browser()
    replay.session.cookies = cookies
    assert replay.get("menu").status == 403
    assert browser.post("logout").status == 303


def test_session_id_changes_at_every_rise(portal, browser, subscriber):
    def cookie():
        return browser.session.cookies.get("__Host-esign")

    browser.login(subscriber)
    first = cookie()
    browser.post("otp/code", {"code": browser.confirm(subscriber)})
    assert first and cookie() and cookie() != first
    old = portal.browser()
    old.session.cookies.set("__Host-esign", first, domain="localhost.local")
    assert (
        old.session.get(
            old.url("menu"), headers={"Cookie": "__Host-esign=" + first}, allow_redirects=False
        ).status_code
        == 403
    )


def test_a_word_change_ends_every_session(portal, subscriber):
    one, two = portal.browser(), portal.browser()
    one.sign_in(subscriber)
    past_sms_pause(portal, subscriber)
    two.sign_in(subscriber)
    link = portal.browser().reset_link(subscriber)
    word = "eylül yağmuru sesi"
    page = one.post("word", {"word": word, "again": word})
    assert page.status == 303 and page.location == PREFIX + "/reset/done"
    assert one.get("menu").status == 403 and two.get("menu").status == 403
    assert portal.browser().get(link).status == 410
    assert portal.browser().login(subscriber, word).status == 303


def test_back_after_sign_out_and_second_tab(portal, browser, subscriber):
    browser.sign_in(subscriber)
    assert browser.get("login").name == "login"
    assert browser.get("menu").name == "menu"
    assert browser.get("otp").name == "otp"
    browser.post("logout")
    assert browser.post("pin").name == "expired"


# Requests that no page of ours makes


def test_other_sites_cannot_post(browser, subscriber):
    fields = browser.login_fields(subscriber)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        page = browser.post("login", fields, headers=headers)
        assert (page.status, page.name) == (403, "cross-site")
    assert (
        browser.post(
            "login", fields, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}
        ).status
        == 303
    )


@pytest.mark.parametrize(
    "body,kind,status",
    [
        (b"id=1&id=2", "application/x-www-form-urlencoded", 400),
        (b"id=%00", "application/x-www-form-urlencoded", 400),
        (b"id=%zz", "application/x-www-form-urlencoded", 400),
        (b"id=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"id=" + b"1" * 20000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
    ],
)
def test_malformed_bodies(browser, body, kind, status):
    page = browser.post("login", body, headers={"Content-Type": kind})
    assert (page.status, page.name) == (status, "invalid")


def test_methods_and_unknown_pages(browser):
    assert (browser.get("nothing").status, browser.get("nothing").name) == (404, "not-found")
    assert browser.get("logout").status == 405 and browser.post("menu").status == 405
    assert browser.session.request("DELETE", browser.url("login")).status_code == 405


def test_headers_of_every_answer(browser):
    for path in ("", "login", "menu", "nothing", "reset/x", "captcha/x.png"):
        headers = browser.html(path).headers
        assert (
            "default-src 'none'" in headers["Content-Security-Policy"]
            and "unsafe" not in headers["Content-Security-Policy"]
        )
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert (
            headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
        )
        assert (
            headers["X-Content-Type-Options"] == "nosniff"
            and headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        )
        assert (
            headers["Cross-Origin-Opener-Policy"]
            == headers["Cross-Origin-Resource-Policy"]
            == "same-origin"
        )
        assert (
            headers["Content-Type"] == "text/html; charset=utf-8"
            and "Access-Control-Allow-Origin" not in headers
        )


def test_cookies_are_small_and_safe(browser, subscriber):
    page = browser.login(subscriber)
    cookie = page.response.headers["Set-Cookie"]
    for attribute in ("__Host-esign=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie
    assert len(cookie) < 160
