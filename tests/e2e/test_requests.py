# SPDX-License-Identifier: Apache-2.0
"""test_requests.py: requests that no page of ours makes; headers and cookies of every answer."""

import pytest


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
