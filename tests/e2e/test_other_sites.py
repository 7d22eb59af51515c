# SPDX-License-Identifier: Apache-2.0
"""test_other_sites.py: requests from other sites and to other hosts."""

import re
import urllib.parse

import pytest

import rough
import walk as walking
from hostile import clean_log, portal, signed_in  # noqa: F401
from hostile import FORM, SECRET, check, check_logs, ours, request, send
from test_steps import address, table


# From other sites


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{ours}"},
    {"Sec-Fetch-Site": "same-origin, cross-site", "Origin": "{ours}"},
    {"Sec-Fetch-Site": "SAME-ORIGIN"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "none", "Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://localhost"},
    {"Origin": "https://localhost:1"},
    {"Origin": "http://localhost:{port}"},
    {"Origin": "{ours}/"},
    {"Origin": "{ours}.evil.example"},
    {"Origin": "https://evil.example#{ours}"},
    {"Origin": "https://user@localhost:{port}"},
    {"Origin": "https://localhost.:{port}"},
    {"Origin": "{ours}, https://evil.example"},
    {"Origin": ""},
]


@pytest.mark.parametrize(
    "path", [address(path, behind) for path, behind, _, _, post in table() if post]
)
def test_no_other_site_posts(portal, signed_in, path):
    """Each form, with the cookies of a signed-in browser: refused, and nothing has happened."""
    for headers in FOREIGN:
        headers = {
            name: value.format(ours=ours(portal), port=portal.port)
            for name, value in headers.items()
        }
        page = signed_in.post(path, {"word": SECRET, "again": SECRET}, headers=headers)
        assert (page.status, page.name) == (403, "cross-site"), headers
        assert "Set-Cookie" not in page.response.headers, headers
    assert signed_in.get("menu").name == "menu"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "{ours}"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "{ours}"},
    ],
)
def test_our_own_pages_post(portal, headers):
    page = portal.browser().post(
        "login", headers={name: value.format(ours=ours(portal)) for name, value in headers.items()}
    )
    assert (page.status, page.name) == (422, "login")


def test_nobody_is_signed_in_as_somebody_else(portal):
    """Login CSRF: a page of another site sends the attacker's number, word and solved picture with
    the victim's browser.
    """
    attacker = portal.new_subscriber()
    fields = portal.browser().login_fields(attacker)
    form = "".join('<input name="%s" value="%s">' % pair for pair in fields.items())
    page = (
        '<form method="post" action="%slogin">%s</form><script>document.forms[0].submit()</script>'
        % (portal.url, form)
    )
    with walking.chromium() as driver:
        driver.get("data:text/html;charset=utf-8," + urllib.parse.quote(page))
        assert portal.wait(lambda: driver.find_elements("css selector", "body.page-cross-site"))
        assert not [one for one in driver.get_cookies() if one["name"] == "__Host-esign"]
        # No page of ours is shown in a frame, nor a refusal.
        for path in ("login", "nothing", "%zz", "..%2f"):
            driver.get("data:text/html,<iframe src='%s%s'></iframe>" % (portal.url, path))
            driver.switch_to.frame(0)
            assert (
                not driver.find_elements("css selector", "form, body[class^=page-]")
                and "Bad Request" not in driver.page_source
            ), path
    # The picture was not used up by it.
    assert portal.browser().post("login", fields).status == 303


def test_cookies_stay_at_home(portal, signed_in):
    subscriber, browser = portal.new_subscriber(), portal.browser()
    link = browser.reset_link(subscriber)
    pages = [
        browser.get(link),
        browser.login(subscriber),
        browser.post("otp/code", {"code": browser.confirm(subscriber)}),
        browser.get("menu?lang=en"),
    ]
    cookies = [one for page in pages for one in page.response.raw.headers.getlist("Set-Cookie")]
    assert len(cookies) >= 5
    for one in cookies:
        assert re.match(
            r"__Host-esign[a-z-]*=[^;]*; Path=/; Secure; HttpOnly; SameSite=Lax(; Max-Age=\d+)?$",
            one,
        ), one


# To other hosts


@pytest.mark.parametrize(
    "lines",
    [
        ["Host: evil.example"],
        ["Host: evil.example:{port}"],
        ["Host: localhost.:{port}"],
        ["Host: LOCALHOST"],
        ["Host: localhost", "X-Forwarded-Host: evil.example"],
        ["Host: localhost", "Forwarded: host=evil.example;proto=http"],
        [
            "Host: localhost",
            "X-Forwarded-Server: evil.example",
            "X-Forwarded-Proto: http",
            "X-Forwarded-Prefix: //evil.example",
        ],
        [
            "Host: localhost",
            "X-Original-URL: //evil.example/",
            "X-Rewrite-URL: //evil.example/",
            "X-Host: evil.example",
        ],
    ],
    ids=lambda lines: lines[-1],
)
@pytest.mark.parametrize(
    "target", ["/esign/", "https://evil.example/esign/"], ids=["path", "whole URL"]
)
def test_no_host_reaches_a_mail_or_an_answer(portal, lines, target):
    subscriber = portal.new_subscriber()
    challenge = portal.browser().get("reset").challenge()
    body = urllib.parse.urlencode(
        {"id": subscriber.id, "challenge": challenge, "answer": portal.answer(challenge)}
    ).encode()
    headers = [line.format(port=portal.port) for line in lines] + [
        FORM,
        "Content-Length: %d" % len(body),
    ]
    for status, head, text in send(
        portal, request("POST %sreset HTTP/1.1" % target, *headers, body=body, host=None)
    ):
        assert status == 303 and head["location"] == ["/esign/reset/sent"]
        check(status, head, text)
    mail = portal.wait_mail(subscriber.email)
    assert rough.link_of(portal, mail).startswith(portal.url) and "evil" not in mail.as_string()
    for path in ("", "login", "nothing", "otp"):
        for answer in send(
            portal, request("GET %s%s HTTP/1.1" % (target, path), *headers[:-2], host=None)
        ):
            check(*answer)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["Host: localhost", "Host: evil.example"],
        ["Host: localhost", "Host: localhost"],
        ["Host:"],
        ["Host: user@localhost"],
        ["Host: evil.example:99999"],
        ["Host: localhost evil.example"],
        ["Host: localhost,evil.example"],
        ["Host: <script>"],
        ["Host: localhost/evil"],
        ["Host: localhost\\evil"],
        ["Host: localhost\0"],
        ["Host: " + "a" * 9000],
    ],
    ids=lambda lines: "; ".join(lines)[:40].replace("\0", "NUL") or "none",
)
def test_a_host_that_is_none(portal, lines):
    ((status, head, text),) = send(portal, request("GET /esign/login HTTP/1.1", *lines, host=None))
    assert status == 400
    check(status, head, text)


# What all this left in the logs


def test_nothing_hostile_stands_raw_in_a_log(portal):
    check_logs(portal)
