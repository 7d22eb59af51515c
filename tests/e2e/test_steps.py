# SPDX-License-Identifier: Apache-2.0
"""test_steps.py: every URL with every method at every stage of trust: nothing opens before its
step.
"""

import os
import re

import pytest

import portal as parts
from portal import PREFIX

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


def table():
    """The rows of the route table: path, trust, and whether GET and POST are answered."""
    path = os.path.join(parts.TOP, "mod_esign", "screens", "table.c")
    with open(path, encoding="utf-8") as file:
        rows = re.findall(
            r'\[ESIGN_PATH_\w+\] = \{ "([^"]*)", (NULL|"[^"]*"), (\w+), (NO|WORD|CODE), '
            r"(\w+),\s+(\w+) \},$",
            file.read(),
            re.M,
        )
    assert len(rows) > 14
    return [
        (
            path,
            behind.strip('"') if behind != "NULL" else None,
            trust.replace("NO", "NONE"),
            get != "NULL",
            post != "NULL",
        )
        for path, behind, _, trust, get, post in rows
    ]


def address(path, behind):
    return path if behind is None else path + "AAAA" + behind


@pytest.fixture(scope="module")
def stages(portal):
    """Cookies of a browser at each stage of trust."""
    people = {
        stage: (portal.browser(), portal.new_subscriber()) for stage in ("NONE", "WORD", "CODE")
    }
    assert people["WORD"][0].login(people["WORD"][1]).status == 303
    people["CODE"][0].sign_in(people["CODE"][1])
    return {stage: browser.session.cookies.copy() for stage, (browser, _) in people.items()}


def ask(portal, method, path, cookies):
    browser = portal.browser()
    browser.session.cookies.update(cookies)
    return browser.session.request(
        method,
        browser.url(path),
        allow_redirects=False,
        timeout=30,
        data={} if method == "POST" else None,
    )


@pytest.mark.parametrize(
    "path,behind,trust,get,post", table(), ids=[row[0] or "start" for row in table()]
)
def test_nothing_opens_before_its_step(portal, stages, path, behind, trust, get, post):
    order = ("NONE", "WORD", "CODE")
    for stage in order:
        for method in METHODS:
            if method == "POST" and (path, stage) in (
                ("logout", "WORD"),
                ("logout", "CODE"),
                ("activity", "CODE"),
            ):
                continue  # these end the sessions that the rest needs
            answer = ask(portal, method, address(path, behind), stages[stage])
            allowed = post if method == "POST" else get if method in ("GET", "HEAD") else False
            where = (stage, method, answer.status_code)
            if not allowed:
                assert answer.status_code == 405 and answer.headers["Allow"], where
            elif order.index(stage) >= order.index(trust):
                assert answer.status_code in (200, 303, 404, 410, 422, 429), where
                assert not (
                    answer.status_code == 303
                    and answer.headers["Location"] == PREFIX + "/otp"
                    and path not in ("login", "otp", "otp/code")
                ), where
            elif stage == "NONE":
                assert answer.status_code == 403 and (
                    method == "HEAD" or 'name="expired"' in answer.text
                ), where
            else:
                assert (answer.status_code, answer.headers["Location"]) == (
                    303,
                    PREFIX + "/otp",
                ), where


def test_two_people_in_two_tabs_do_not_change_places(portal):
    """Forms of one person's pages, sent after another person signed in with the same browser, do
    nothing to either.
    """
    one, other, browser = portal.new_subscriber(), portal.new_subscriber(), portal.browser()

    def mark(page, element="form"):
        return {"mark": browser.get(page).xml.find(element).get("mark")}

    browser.sign_in(one)
    old = {
        "pin": mark("pin"),
        "word": dict(mark("word"), word="deniz feneri adası", again="deniz feneri adası"),
        "activity": mark("activity", "end"),
    }
    browser.login(other)
    refused = browser.post("otp", mark("otp") | old["pin"])
    assert (refused.status, refused.name) == (409, "other-tab") and refused.xml.find("go-on").get(
        "href"
    ) == PREFIX + "/otp"
    assert not portal.sms(other.phone)
    code = browser.confirm(other)
    assert browser.post("otp/code", dict(old["pin"], code="000000")).status == 409
    assert browser.get("otp/code").xml.find("code").get("tries") == "3"
    assert browser.post("otp/code", dict(mark("otp/code"), code=code)).status == 303
    for page, fields in old.items():
        refused = browser.post(page, fields)
        assert (refused.status, refused.name) == (409, "other-tab") and refused.xml.find(
            "go-on"
        ).get("href") == PREFIX + "/menu"
        assert other.cards[0]["pin"] not in refused.response.text
    assert portal.browser().login(one).status == portal.browser().login(other).status == 303
    assert (
        "".join(browser.post("pin", mark("pin")).xml.find("card/pin").itertext())
        == other.cards[0]["pin"]
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value[:-1] + ("A" if value[-1] != "A" else "B"),
        lambda value: value[:-1],
        lambda value: value + "A",
        lambda value: "",
        lambda value: "A" * 43,
        lambda value: "../" + value,
    ],
    ids=["changed", "shorter", "longer", "empty", "invented", "path"],
)
def test_a_cookie_that_is_not_ours_opens_nothing(portal, stages, change):
    ours = stages["CODE"].get("__Host-esign")
    assert (
        portal.browser()
        .session.get(
            portal.url + "menu", headers={"Cookie": "__Host-esign=" + ours}, allow_redirects=False
        )
        .status_code
        == 200
    )
    cookie = "__Host-esign=" + change(ours)
    for path in ("otp", "menu", "pin", "word", "activity"):
        answer = portal.browser().session.get(
            portal.url + path,
            headers={"Cookie": cookie, "Accept": "application/xml"},
            allow_redirects=False,
        )
        assert answer.status_code == 403 and 'name="expired"' in answer.text


def test_two_session_cookies_are_none(portal, stages):
    """Who can set a cookie beside ours must not choose which counts."""
    ours = "__Host-esign=" + stages["CODE"].get("__Host-esign")
    answer = portal.browser().session.get(
        portal.url + "menu",
        headers={"Cookie": ours + "; " + ours, "Accept": "application/xml"},
        allow_redirects=False,
    )
    assert answer.status_code == 403


def test_an_id_that_the_browser_chose_is_never_taken_up(portal):
    """Fixation: a sign-in makes a new id, and the id that came with the request stays empty."""
    subscriber, browser = portal.new_subscriber(), portal.browser()
    chosen = "B" * 43
    fields = browser.login_fields(subscriber)
    answer = browser.session.post(
        browser.url("login"),
        data=fields,
        headers={"Cookie": "__Host-esign=" + chosen},
        allow_redirects=False,
    )
    assert answer.status_code == 303 and chosen not in answer.headers["Set-Cookie"]
    page = portal.browser().session.get(
        portal.url + "otp",
        headers={"Cookie": "__Host-esign=" + chosen, "Accept": "application/xml"},
        allow_redirects=False,
    )
    assert page.status_code == 403
