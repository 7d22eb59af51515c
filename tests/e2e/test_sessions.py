# SPDX-License-Identifier: Apache-2.0
"""test_sessions.py: how long a session lives, what asks for a fresh proof, what a stolen session
does not open, and races.
"""

import concurrent.futures

import pytest

import rough
import sealed
import portal as parts
from portal import PREFIX, past_sms_pause

SESSION = "__Host-esign"
NEW = "eylül yağmuru sesi"


def age(portal, browser, **seconds):
    sealed.age(portal, browser.session.cookies.get(SESSION), **seconds)


# Time


@pytest.mark.parametrize("moment,limit", [("seen", 600), ("created", 3600)])
def test_idle_time_and_age_end_a_session_whatever_memcached_keeps(
    portal, browser, subscriber, moment, limit
):
    browser.sign_in(subscriber)
    age(portal, browser, **{moment: limit - 60})
    assert browser.get("menu").status == 200
    # A page resets the idle time, never the age.
    age(portal, browser, **{moment: limit if moment == "seen" else 60})
    page = browser.get("menu")
    assert (page.status, page.name) == (403, "expired")
    assert browser.post("pin").status == 403


@pytest.mark.parametrize(
    "method,path",
    [("get", "pin"), ("post", "pin"), ("get", "word"), ("post", "word"), ("post", "activity")],
)
def test_five_minutes_after_the_code_it_is_asked_again(portal, browser, subscriber, method, path):
    browser.sign_in(subscriber)
    other = portal.browser()
    past_sms_pause(portal, subscriber)
    other.sign_in(subscriber)
    age(portal, browser, proved=290)
    assert browser.get("pin").name == "pin-ask" and browser.get("word").name == "word"
    age(portal, browser, proved=11)
    page = getattr(browser, method)(path)
    assert page.status == 303 and page.location == PREFIX + "/otp"
    # Nothing happened, the session goes on, and a new code opens it again.
    assert (
        other.get("menu").status == 200
        and browser.get("menu").status == 200
        and browser.get("activity").status == 200
    )
    past_sms_pause(portal, subscriber)
    assert browser.post("otp/code", {"code": browser.confirm(subscriber)}).status == 303
    page = getattr(browser, method)(path)
    assert page.location != PREFIX + "/otp"


# The word of now


def test_a_new_word_asks_for_the_old_one_unless_it_was_just_shown(portal, browser, subscriber):
    browser.sign_in(subscriber)
    assert [field.get("name") for field in browser.get("word").xml.iter("field")] == [
        "word",
        "again",
    ]
    age(portal, browser, worded=301)
    assert [field.get("name") for field in browser.get("word").xml.iter("field")] == [
        "current",
        "word",
        "again",
    ]
    for current, problem in (
        (None, "current-empty"),
        (subscriber.word + "x", "current-wrong"),
        (NEW, "current-wrong"),
    ):
        page = browser.post(
            "word", {"word": NEW, "again": NEW, **({"current": current} if current else {})}
        )
        assert page.status == 422 and page.problems() == [("current", problem)]
    assert portal.sql("SELECT failures FROM subscriber WHERE id = ?", portal.row(subscriber)) == [
        (2,)
    ]
    assert portal.ctl("audit", "list", "--subscriber", subscriber.id).count("word-refused") == 2
    assert (
        browser.post("word", {"current": subscriber.word, "word": NEW, "again": NEW}).location
        == PREFIX + "/reset/done"
    )
    assert portal.browser().login(subscriber, NEW).status == 303


def test_a_stolen_session_cannot_guess_the_word(portal, browser, subscriber):
    """Guesses count as at the sign-in: the fifth begins a wait, also when many come at once. During
    the wait no answer tells whether a guess is right.
    """
    browser.sign_in(subscriber)
    age(portal, browser, worded=301)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        pages = list(
            pool.map(
                lambda n: browser.post(
                    "word", {"current": "yanlış sözcük %d" % n, "word": NEW, "again": NEW}
                ),
                range(8),
            )
        )
    assert {p.problems()[0] for p in pages} <= {
        ("current", "current-wrong"),
        ("current", "code-waiting"),
    }
    assert (
        portal.sql("SELECT failures FROM subscriber WHERE id = ?", portal.row(subscriber))[0][0]
        >= 5
    )
    for current in (subscriber.word, "yanlış bir sözcük"):
        page = browser.post("word", {"current": current, "word": NEW, "again": NEW})
        assert page.status == 422 and page.problems() == [("current", "code-waiting")]
    portal.sql("UPDATE subscriber SET wait_until = 0 WHERE id = ?", portal.row(subscriber))
    assert (
        browser.post("word", {"current": subscriber.word, "word": NEW, "again": NEW}).status == 303
    )


# The help desk


def test_a_closed_account_has_no_session_no_link_and_no_way_in(portal, browser, subscriber):
    half = portal.browser()
    browser.sign_in(subscriber)
    half.login(subscriber)
    link = portal.browser().reset_link(subscriber)
    portal.ctl("subscriber", "close", subscriber.id)
    assert (
        browser.get("menu").status == 403
        and browser.post("pin").status == 403
        and half.get("otp").status == 403
    )
    assert portal.browser().get(link).status == 410
    # A new word opens nothing either, and nothing tells that the account is closed.
    one = portal.browser()
    one.get(one.reset_link(subscriber))
    assert one.post("reset/word", {"word": NEW, "again": NEW}).status == 303
    page = one.login(subscriber, NEW)
    assert page.status == 422 and page.problems() == [("word", "credentials")]
    portal.ctl("subscriber", "open", subscriber.id)
    past_sms_pause(portal, subscriber)
    portal.browser().sign_in(subscriber, NEW)
    assert browser.get("menu").status == 403


def copies(portal, browser, count):
    """Browsers with the cookies of this one."""
    made = [portal.browser() for _ in range(count)]
    for one in made:
        one.session.cookies = browser.session.cookies.copy()
    return made


def test_a_right_code_that_races_itself_signs_in_once(portal, browser, subscriber):
    """Sign-outs of the same session race with it. Whichever comes first, there is at most one
    session afterwards, and none under the old cookie.
    """
    for others in ([], ["logout"] * 8):
        past_sms_pause(portal, subscriber)
        browser.login(subscriber)
        code, racers = browser.confirm(subscriber), copies(portal, browser, 24)
        with sealed.Memcached(portal) as memcached, concurrent.futures.ThreadPoolExecutor(
            24
        ) as pool:
            before = set(memcached.names())
            pages = list(
                pool.map(
                    lambda one, path: one.post(path, {"code": code} if path == "otp/code" else {}),
                    racers,
                    others + ["otp/code"] * (24 - len(others)),
                )
            )
            made = [
                name for name in set(memcached.names()) - before if name.startswith(b"session:")
            ]
        won = [page for page in pages if page.status == 303 and page.location.endswith("/menu")]
        assert len(won) == len(made) <= 1 and (won or others)
        # 503: signed out between the code and the session that was to come of it.
        assert {page.status for page in pages} <= (
            {303, 403, 422, 503} if others else {303, 403, 422}
        )
        assert browser.get("menu").status == browser.get("otp/code").status == 403


def test_wrong_codes_among_requests_for_it_are_three(portal, browser, subscriber):
    """Who has the code sent again while it is tried gets no more tries."""
    past_sms_pause(portal, subscriber)
    browser.login(subscriber)
    code, racers = browser.confirm(subscriber), copies(portal, browser, 24)
    portal.sql("UPDATE subscriber SET sms_last = 0 WHERE id = ?", portal.row(subscriber))
    wrong = "%06d" % ((int(code) + 1) % 1000000)
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        pages = list(
            pool.map(
                lambda one, n: one.post("otp", {})
                if n % 6 == 5
                else one.post("otp/code", {"code": wrong}),
                racers,
                range(24),
            )
        )
    judged = [page.problems() for page in pages if page.status == 422]
    assert judged.count([("code", "code-wrong")]) <= 2 * 2
    assert (
        portal.sql("SELECT failures FROM subscriber WHERE id = ?", portal.row(subscriber))[0][0]
        >= 3
    )
    assert {page.status for page in pages} <= {303, 422, 429}


def test_a_whole_sign_in_costs_memcached_little(make_portal):
    """From the page to the PIN, with the SMS and both mails. The first of a minute reserves a
    handful of each under the ceilings.
    """
    portal = make_portal()
    costs = []
    with sealed.Memcached(portal) as memcached:
        for _ in range(3):
            s, browser = portal.new_subscriber(), portal.browser()
            before = memcached.operations()
            browser.sign_in(s)
            for path in ("menu", "pin"):
                assert browser.get(path).status == 200
            assert browser.post("pin").status == 200
            assert portal.wait(lambda: len(portal.mails(s.email)) == 2)
            costs.append(memcached.operations() - before)
    assert costs[-1] <= 14, costs
    portal.stop()


def test_a_body_held_back_outlives_no_session(portal):
    browser, s = portal.browser(), portal.new_subscriber()
    browser.sign_in(s)
    raw = rough.Raw(portal)
    try:
        raw.send(
            raw.head(
                "POST",
                "pin",
                Accept="application/xml",
                Content_Type="application/x-www-form-urlencoded",
                Content_Length=3,
                Connection="close",
                Cookie=rough.cookies(browser),
            )
        )
        parts.wait_until(lambda: portal.workers() > 1, "a thread that reads the body")
        assert browser.get("menu").status == 200
        assert browser.post("logout").status == 303
        raw.send(b"a=b")
        answer = raw.answer()
    finally:
        raw.close()
    assert answer.startswith("HTTP/1.1 403 ") and 'name="expired"' in answer
    assert s.cards[0]["pin"] not in answer and s.cards[0]["puk"] not in answer
    assert rough.audit_rows(portal, s, "pin-shown") == 0


def test_racing_new_words_are_one(portal):
    """Each of a burst changed the word, wrote a row and a mail. One that waited for its hash
    outlived the session that its owner had ended meanwhile.
    """
    browser, s = portal.browser(), portal.new_subscriber()
    browser.sign_in(s)
    jar = {"Cookie": rough.cookies(browser)}
    words = ["turuncu kayık güvertesi %d" % number for number in range(12)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        pages = list(
            pool.map(
                lambda word: portal.browser().post(
                    "word", {"word": word, "again": word}, headers=jar
                ),
                words,
            )
        )
    assert (
        sorted(page.status for page in pages) == [303] + [403] * 11
        and rough.audit_rows(portal, s, "word-changed") == 1
    )
    (accepted,) = (word for word, page in zip(words, pages) if page.status == 303)
    assert portal.browser().login(s, accepted).status == 303


def test_signing_in_ends_the_session_before(portal):
    browser = portal.browser()
    browser.sign_in(portal.new_subscriber())
    old = rough.cookies(browser)
    assert (
        "__Host-esign=" in old
        and portal.browser().get("menu", headers={"Cookie": old}).status == 200
    )
    assert browser.login(portal.new_subscriber()).status == 303
    page = portal.browser().get("menu", headers={"Cookie": old})
    assert (page.status, page.name) == (403, "expired")


def test_browsers_without_fetch_metadata_get_in(portal):
    """Old Safari sends Origin, and no Sec-Fetch-Site; under no-referrer it would send null."""
    browser, s = portal.browser(), portal.new_subscriber()
    meta = '<meta name="referrer" content="same-origin"'

    def check(path):
        answer = browser.html(path)
        assert answer.status_code == 200 and "<form" in answer.text and meta in answer.text, path
        assert answer.headers["Referrer-Policy"] == "no-referrer"

    for path in ("login", "reset"):
        check(path)
    origin = {"Origin": "https://localhost:%d" % portal.port}
    assert browser.post("login", browser.login_fields(s), headers={"Origin": "null"}).status == 403
    assert (
        browser.post(
            "login", browser.login_fields(s), headers={"Origin": "https://localhost"}
        ).status
        == 403
    )
    assert browser.post("login", browser.login_fields(s), headers=origin).status == 303
    check("otp")
    page = browser.post("otp", headers=origin)
    assert page.status == 303
    check("otp/code")
    assert (
        browser.post("otp/code", {"code": portal.wait_code(s.phone)}, headers=origin).status == 303
    )
    for path in ("menu", "pin", "word"):
        check(path)
    assert browser.post("logout", headers=origin).status == 303
