# SPDX-License-Identifier: Apache-2.0
"""test_journey.py: each page of the journey, and mistakes in its forms."""

import re

import pytest

import portal as parts
from portal import PREFIX


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
        "EsignCertificateURL https://kart.example.org/\n"
        'EsignMenuLink "Sorular" https://www.example.org/sorular\n'
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
