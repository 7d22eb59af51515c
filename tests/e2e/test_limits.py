# SPDX-License-Identifier: Apache-2.0
"""test_limits.py: what a flood costs at most; no limit turns against the person whom it protects.
"""

import concurrent.futures
import os
import random
import re
import signal
import subprocess
import time

import pytest

import portal as parts
import rough
from portal import past_sms_pause, pid_of, running

WORD = "deniz feneri adası"


def included(tmp_path, *lines):
    include = tmp_path / "limits.conf"
    include.write_text("\n".join(lines) + "\n")
    return "--include", str(include)


def warnings(portal, text):
    return [line for line in portal.log().splitlines() if text in line and ":warn]" in line]


# Ceilings of the portal


def test_ceilings_hold_back_and_lose_nothing(make_portal, tmp_path):
    portal = make_portal(*included(tmp_path, "EsignSMSPerMinute 2", "EsignMailsPerMinute 3"))
    # All in one minute, or the next would let some more go.
    if time.time() % 60 > 40:
        time.sleep(61 - time.time() % 60)
    people = [portal.new_subscriber() for _ in range(5)]
    for s in people[:4]:
        browser = portal.browser()
        assert browser.login(s).status == 303 and browser.post("otp").status == 303
    sent = lambda: [s for s in people if portal.sms(s.phone)]  # noqa: E731
    assert portal.wait(lambda: len(sent()) == 2) and sent() == people[:2], "oldest first"
    waiting = "SELECT attempts, lease_until, dead FROM outbox WHERE kind = 1 ORDER BY created"
    assert portal.wait(lambda: warnings(portal, "EsignSMSPerMinute"))
    assert portal.sql(waiting) == [(0, 0, 0), (0, 0, 0)]
    # The other kind is not held up; numbers that nobody has do not count.
    for _ in range(4):
        portal.browser().ask_reset(parts.tckn())
    for s in people[:4]:
        portal.browser().ask_reset(s.id)
    mailed = lambda: [s for s in people if portal.mails(s.email)]  # noqa: E731
    assert portal.wait(lambda: len(mailed()) == 3)
    portal.courier_rounds()
    assert mailed() == people[:3] and sent() == people[:2]
    # A code whose time is over meanwhile is dropped; what still serves goes in the next minute.
    portal.sql(
        "UPDATE outbox SET expires = ? WHERE id = (SELECT id FROM outbox WHERE kind = 1 "
        "ORDER BY created DESC LIMIT 1)",
        int(time.time() * 1e6),
    )
    assert portal.wait(lambda: sent() == people[:3] and mailed() == people[:4], 62), (
        len(sent()),
        len(mailed()),
    )
    assert portal.sql("SELECT count(*) FROM outbox WHERE dead = 0") == [(0,)]
    assert portal.sql("SELECT error FROM outbox") == [("expired",)]
    for name in ("EsignSMSPerMinute", "EsignMailsPerMinute"):
        assert 1 <= len(warnings(portal, name)) <= 2
    portal.stop()


def test_no_ceiling(make_portal, tmp_path):
    portal = make_portal(*included(tmp_path, "EsignSMSPerMinute 0", "EsignMailsPerMinute 0"))
    for _ in range(3):
        portal.browser().sign_in(portal.new_subscriber())
    assert portal.wait(lambda: len(portal.files("mail")) == 3)
    portal.stop()


def test_without_memcached_messages_wait(make_portal, tmp_path):
    """Taking memcached down does not lift the ceilings. With ceilings as low as these each message
    is counted by itself.
    """
    portal = make_portal(*included(tmp_path, "EsignMailsPerMinute 50"))
    browser, s = portal.browser(), portal.new_subscriber()
    browser.sign_in(s)
    portal.wait_mail(s.email)
    receiver, memcached = pid_of(os.path.join(portal.dir, "receiver.pid")), pid_of(
        portal.env["MEMCACHED_PID"]
    )
    command = open("/proc/%d/cmdline" % receiver, "rb").read().decode().split("\0")[:-1]
    os.kill(receiver, signal.SIGTERM)
    portal.wait(lambda: not running(receiver))
    assert browser.post("pin").status == 200
    attempts = "SELECT attempts FROM outbox WHERE dead = 0 AND error IS NOT NULL"
    assert portal.wait(lambda: portal.sql(attempts) == [(1,)])
    rough.halt(memcached)
    again = subprocess.Popen(
        command,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with open(os.path.join(portal.dir, "receiver.pid"), "w") as file:
        file.write(str(again.pid))
    try:
        assert portal.wait(lambda: warnings(portal, "mails wait until memcached tells"))
        portal.sql("UPDATE outbox SET due = 0")
        portal.courier_rounds()
        assert portal.sql(attempts) == [(1,)] and len(portal.mails(s.email)) == 1
    finally:
        os.kill(memcached, signal.SIGCONT)
    assert portal.wait(lambda: len(portal.mails(s.email)) == 2, 30)
    portal.stop()
    again.wait(10)


# Nobody keeps another from a new word


def change_word(browser, link, word=WORD):
    assert browser.get(link).status == 303
    return browser.post("reset/word", {"word": word, "again": word})


def test_a_closed_account_and_a_used_up_address_still_get_a_link(make_portal, tmp_path):
    """Somebody knows the number and shares the address. They guess until the account is closed, ask
    for links until no more are given, and use up the address.
    """
    portal = make_portal(
        *included(
            tmp_path, "EsignAddressFailures 5", "EsignAddressRequests 5", "EsignMailsPerDay 2"
        )
    )
    parts.away_from_midnight()
    s, shared = portal.new_subscriber(), "127.0.0.9"
    thief = rough.visitor(portal, address=shared)
    for _ in range(5):
        assert thief.login(s, "yanlış bir sözcük").problems() == [("word", "credentials")]
    assert thief.login(s).problems() == [(None, "too-many")]
    # Failed sign-ins take nothing from the requests for a link of the same address.
    links = [rough.visitor(portal, address=shared).reset_link(s) for _ in range(2)]
    for _ in range(3):
        thief.ask_reset(s.id)
    fields = {"id": s.id, "challenge": thief.get("reset").challenge()}
    assert (
        thief.post("reset", dict(fields, answer=portal.answer(fields["challenge"]))).status == 429
    )
    # Two requests gave links, three more gave none, because the living links serve as well. They
    # open from the used up address, too, and after 100 failures.
    portal.sql("UPDATE subscriber SET failures = 100, closed = 1 WHERE id = ?", portal.row(s))
    assert portal.wait(lambda: portal.sql("SELECT count(*) FROM outbox WHERE dead = 0") == [(0,)])
    assert len(portal.mails(s.email)) == 2
    assert change_word(rough.visitor(portal, address=shared), links[0]).status == 303
    # In the second half of the last link's life a new one is given, however often it was asked for,
    # and from elsewhere.
    portal.sql(
        "UPDATE subscriber SET mail_last = mail_last - 901000000 WHERE id = ?", portal.row(s)
    )
    assert (
        change_word(portal.browser(), portal.browser().reset_link(s), "eylül yağmuru sesi").status
        == 303
    )
    portal.stop()


def test_a_reset_ends_the_wait_that_somebody_else_made(portal, subscriber):
    browser = portal.browser()
    portal.sql(
        "UPDATE subscriber SET failures = 40, wait_until = ? WHERE id = ?",
        int((time.time() + 3600) * 1e6),
        portal.row(subscriber),
    )
    assert browser.login(subscriber).status == 422
    assert change_word(browser, browser.reset_link(subscriber)).status == 303
    browser.sign_in(subscriber, WORD)


def test_nobody_uses_up_anothers_picture(portal, browser, subscriber):
    """A picture belongs to the browser that got it. Only its own mistakes use it up."""
    fields, other = browser.login_fields(subscriber), portal.browser()
    for _ in range(3):
        assert other.post("login", dict(other.login_fields(subscriber), answer="?")).problems() == [
            ("answer", "answer-wrong")
        ]
    assert browser.post("login", fields).status == 303


# Failures stay


def state(portal, subscriber):
    return portal.sql(
        "SELECT failures, closed FROM subscriber WHERE id = ?", portal.row(subscriber)
    )[0]


def test_failures_stay_until_a_whole_sign_in(portal, subscriber):
    """None of these clears failures: the end of a wait, a new word, the word alone, a new code."""
    portal.sql(
        "UPDATE subscriber SET failures = 7, wait_until = 1, sms_day = 0, mail_day = 0 "
        "WHERE id = ?",
        portal.row(subscriber),
    )
    browser = portal.browser()
    assert browser.login(subscriber, "yanlış bir sözcük").status == 422 and state(
        portal, subscriber
    ) == (8, 0)
    wait = (
        portal.sql("SELECT wait_until FROM subscriber WHERE id = ?", portal.row(subscriber))[0][0]
        / 1e6
        - time.time()
    )
    assert 235 < wait <= 240, "the eighth failure waits eight times as long as the fifth"
    assert change_word(browser, browser.reset_link(subscriber)).status == 303 and state(
        portal, subscriber
    ) == (8, 0)
    assert browser.login(subscriber, WORD).status == 303 and state(portal, subscriber) == (8, 0)
    code = browser.confirm(subscriber)
    past_sms_pause(portal, subscriber)
    assert browser.confirm(subscriber) == code and state(portal, subscriber) == (8, 0)
    assert browser.post("otp/code", {"code": code}).status == 303 and state(portal, subscriber) == (
        0,
        0,
    )


def test_a_closure_stays_until_esignctl_opens(portal, subscriber):
    portal.sql(
        "UPDATE subscriber SET failures = 100, closed = 1, wait_until = 1 WHERE id = ?",
        portal.row(subscriber),
    )
    browser = portal.browser()
    assert change_word(browser, browser.reset_link(subscriber)).status == 303
    assert browser.login(subscriber, WORD).problems() == [("word", "credentials")] and state(
        portal, subscriber
    ) == (100, 1)
    portal.ctl("subscriber", "open", subscriber.id)
    browser.sign_in(subscriber, WORD)


def test_a_right_code_while_waiting_reads_like_a_wrong_one(portal, browser, subscriber):
    browser.login(subscriber)
    code = browser.confirm(subscriber)
    row = portal.row(subscriber)
    for closed, wait in ((0, 3600), (1, 0)):
        portal.sql(
            "UPDATE subscriber SET failures = 40, closed = ?, wait_until = ? WHERE id = ?",
            closed,
            int((time.time() + wait) * 1e6),
            row,
        )
        before = {
            number for number, in portal.sql("SELECT id FROM audit WHERE subscriber = ?", row)
        }
        right, wrong = (
            browser.post("otp/code", {"code": c})
            for c in (code, "%06d" % ((int(code) + 1) % 10**6))
        )
        assert right.status == wrong.status == 429 and right.problems() == wrong.problems() == [
            ("code", "code-waiting")
        ]
        assert re.sub(
            r'(seconds="\d+"|<argument>\d+</argument>)', "", right.response.text
        ) == re.sub(r'(seconds="\d+"|<argument>\d+</argument>)', "", wrong.response.text)
        fresh = [
            event
            for number, event in portal.sql("SELECT id, event FROM audit WHERE subscriber = ?", row)
            if number not in before
        ]
        # One refusal for both, that does not tell one from the other.
        assert (
            fresh == ["refused-closed" if closed else "refused-waiting"]
            and state(portal, subscriber)[0] == 40
        )
    # Neither used a try up, nor the code.
    portal.sql("UPDATE subscriber SET closed = 0, wait_until = 0 WHERE id = ?", row)
    assert browser.post("otp/code", {"code": code}).status == 303


# What ended is dead elsewhere too


def test_a_session_that_ended_is_dead_in_other_locations(make_portal, tmp_path):
    portal = make_portal(
        *included(
            tmp_path,
            '<Location "/elsewhere">',
            "    Session On",
            "    EsignSession On",
            "    SessionEnv On",
            '    Header always set X-Session "%{HTTP_SESSION}e"',
            "</Location>",
        )
    )

    def seen(browser):
        answer = browser.session.get(portal.url.replace("/esign/", "/elsewhere"), timeout=30)
        return "esign-subscriber=%d" % portal.row(s) in answer.headers["X-Session"]

    s, browser, other = portal.new_subscriber(), portal.browser(), portal.browser()
    browser.sign_in(s)
    past_sms_pause(portal, s)
    other.sign_in(s)
    assert seen(browser) and seen(other)
    assert browser.post("activity").status == 303
    assert seen(browser) and not seen(other)
    word = {"current": s.word, "word": WORD, "again": WORD}
    assert browser.post("word", word).status == 303
    assert not seen(browser)
    past_sms_pause(portal, s)
    browser.sign_in(s, WORD)
    assert seen(browser) and browser.post("logout").status == 303 and not seen(browser)
    portal.stop()


def add_events(portal, subscriber, event):
    """999 rows that nobody sealed: they count, and are kept out of the chain."""
    first, now = random.randrange(2**61), int(time.time() * 1000000)
    portal.sql(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 998) "
        "INSERT INTO audit (id, time, node, event, subscriber, address, position, chain, seal) "
        "SELECT %d + i, %d, 'x', '%s', %d, 'x', NULL, NULL, 'x' FROM n"
        % (first, now, event, portal.row(subscriber))
    )
    ours = "FROM audit WHERE id >= %d AND id < %d" % (first, first + 999)
    assert portal.wait(lambda: portal.sql("SELECT COUNT(*) %s AND chain IS NULL" % ours) == [(0,)])
    return ours


@pytest.mark.expects_log("was not written by mod_esign", r"so are \d+ more")
def test_an_account_does_not_fill_memcached(portal, subscriber):
    """Each sign-in costs a session and a row of the trail. Nobody may have more than a thousand in
    a quarter of an hour.
    """
    assert portal.browser().login(subscriber).status == 303
    ours = add_events(portal, subscriber, "word-accepted")
    refused = portal.browser().login(subscriber)
    assert (refused.status, refused.problems()) == (422, [("word", "credentials")])
    assert portal.browser().login(portal.new_subscriber()).status == 303
    portal.sql("DELETE " + ours)
    assert portal.browser().login(subscriber).status == 303


@pytest.mark.expects_log("was not written by mod_esign", r"so are \d+ more")
@pytest.mark.parametrize(
    "path,event,success", [("pin", "pin-shown", 200), ("activity", "sessions-ended", 303)]
)
def test_an_account_does_not_fill_the_trail(portal, path, event, success):
    """Each view of a PIN and each end of sessions adds a row. It reads the rows before it in a
    transaction, and others wait for that.
    """
    browser, s = portal.browser(), portal.new_subscriber()
    browser.sign_in(s)
    assert browser.post(path).status == success
    ours = add_events(portal, s, event)
    assert (browser.post(path).status, rough.audit_rows(portal, s, event)) == (503, 1000)
    portal.sql("DELETE " + ours)
    assert browser.post(path).status == success


def test_a_burst_of_wrong_words_counts_up_to_the_wait(portal, subscriber):
    """All requests of a burst were judged by the row before it. Two bursts closed an account; now
    that takes days of waits.
    """
    browsers = [portal.browser() for _ in range(24)]
    forms = [browser.login_fields(subscriber, "yanlış ama uzun sözcük") for browser in browsers]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        pages = list(pool.map(lambda pair: pair[0].post("login", pair[1]), zip(browsers, forms)))
    assert all((page.status, page.problems()) == (422, [("word", "credentials")]) for page in pages)
    ((failures, left),) = portal.sql(
        "SELECT failures, wait_until FROM subscriber WHERE id = ?", portal.row(subscriber)
    )
    assert failures == 5 and left / 1e6 - time.time() <= 30
