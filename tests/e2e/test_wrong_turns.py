# SPDX-License-Identifier: Apache-2.0
"""test_wrong_turns.py: steps out of order, codes, waits, and sessions that ended."""

import concurrent.futures
import time

import pytest

import portal as parts
from portal import PREFIX, past_sms_pause


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
    codes = "SELECT count(*) FROM outbox WHERE kind = 1 AND dead = 0"
    assert portal.wait(lambda: portal.sql(codes) == [(0,)])
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
