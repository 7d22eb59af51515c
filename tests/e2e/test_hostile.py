# SPDX-License-Identifier: Apache-2.0
"""test_hostile.py: requests that no page of ours makes, in tables: from other sites, to other hosts, along odd paths, with odd bodies, in odd protocols."""

import contextlib
import gzip
import os
import re
import socket
import ssl
import subprocess
import unicodedata
import urllib.parse

import h2.config
import h2.connection
import h2.events
import pytest

import portal as parts
import rough
import walk as walking
from test_steps import address, table

GUARDS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=",
    "cache-control": "no-store",
}
FORM = "Content-Type: application/x-www-form-urlencoded"
SECRET = "gizli-kelime-%d" % os.getpid()


@pytest.fixture(scope="module")
def portal(make_portal, tmp_path_factory):
    """With HTTP/2, with a filter that would undo coded bodies, and with the log of a server that looks closely."""
    modules = subprocess.run(
        ["apxs", "-q", "LIBEXECDIR"], capture_output=True, text=True, check=True
    ).stdout.strip()
    include = tmp_path_factory.mktemp("hostile") / "hostile.conf"
    include.write_text(
        """LoadModule http2_module %s/mod_http2.so
LoadModule filter_module %s/mod_filter.so
LoadModule deflate_module %s/mod_deflate.so
Protocols h2 http/1.1
LogLevel debug
<Location "/esign">
    SetInputFilter DEFLATE
</Location>
"""
        % (modules, modules, modules)
    )
    portal = make_portal("--include", str(include))
    yield portal
    portal.stop()


# The portal here is one whose log of errors is full on purpose; what may not be in it is asked at the end.
@pytest.fixture(autouse=True)
def clean_log():
    yield


@pytest.fixture(scope="module")
def signed_in(portal):
    browser = portal.browser()
    browser.sign_in(portal.new_subscriber())
    return browser


def send(portal, data):
    """All answers to these bytes: (status, headers, body); the connection has ended then."""
    raw = rough.Raw(portal)
    try:
        raw.send(data)
        text = raw.answer()
    except ConnectionResetError:
        text = ""
    finally:
        raw.close()
    return [
        judge(one) for one in re.split(r"(?=^HTTP/1\.1 \d{3} )", text, flags=re.M) if one.strip()
    ]


def judge(text):
    head, _, body = text.partition("\r\n\r\n")
    line, *lines = head.split("\r\n")
    found = re.match(r"HTTP/1\.1 (\d{3}) ", line)
    headers = {}
    for one in lines:
        name, _, value = one.partition(":")
        headers.setdefault(name.lower(), []).append(value.strip())
    return (int(found[1]) if found else 0), headers, (body if found else text)


def check(status, headers, body):
    """What holds for every answer, whoever asked for what."""
    if status:
        for name, value in GUARDS.items():
            assert any(value in one for one in headers.get(name, [])), (status, name, headers)
    for place in headers.get("location", []):
        assert re.match(r"/esign/(?!/)[a-z/]*$", place), place
    everything = repr(headers) + body
    assert "evil" not in everything and "<script>" not in body and SECRET not in everything
    assert not [
        one for one in headers.get("set-cookie", []) if not re.match(r"__Host-esign[a-z-]*=", one)
    ]


def request(line, *headers, body=b"", host="localhost"):
    lines = [line, *([] if host is None else ["Host: " + host]), *headers, "Connection: close"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


# From other sites


def ours(portal):
    return "https://localhost:%d" % portal.port


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
    """Each form, with the cookies of who is signed in: refused, and nothing has happened."""
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
    """Login CSRF: a page elsewhere sends the attacker's own number, word and solved picture with the victim's browser."""
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
        # Nor does any page of ours, or a refusal, stand in a frame.
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


# Along odd paths


@pytest.mark.parametrize(
    "path,status",
    [
        ("//evil.example", 404),
        ("//evil.example/esign/", 404),
        ("/esign//evil.example", 404),
        ("/esign///", 200),
        ("/esign/../evil", 404),
        ("/esign/%2e%2e//evil.example", 404),
        ("/esign/..;/", 404),
        ("/esign/..;/menu", 404),
        ("/esign/;/menu", 404),
        ("/esign/.;/menu", 404),
        ("/esign;a=b/menu", 404),
        ("/esign/menu;a=b", 404),
        ("/esign/menu;.png", 404),
        ("/esign/..%2fmenu", 404),
        ("/esign%2fmenu", 404),
        ("/esign/otp%2fcode", 404),
        ("/esign/..%5cmenu", 404),
        ("/esign\\menu", 404),
        ("/esign/%2e%2e/esign/menu", 403),
        ("/esign/%00", 404),
        ("/esign/menu%00", 404),
        ("/esign/menu%00.png", 404),
        ("/esign/%0d%0aLocation:%20https://evil.example", 404),
        ("/esign/menu%0aSet-Cookie:a=evil", 404),
        ("/esign/menu?lang=en%0d%0aSet-Cookie:a=evil", 403),
        ("/esign/menu?lang=//evil.example", 403),
        ("/esign/menu?lang=en&lang=tr", 403),
        ("/esign/menu?next=//evil.example", 403),
        ("//esign/menu?lang=en", 303),
        ("/esign//menu?lang=en", 303),
        ("/./esign/./menu?lang=en", 303),
        ("https://evil.example/esign/menu?lang=en", 303),
        ("https://evil.example//evil.example/esign/menu?lang=en", 404),
        ("/esign?lang=en", 303),
        ("/esign", 200),
        ("/esign/MENU", 404),
        ("/ESIGN/menu", 404),
        ("/esign/menu/", 404),
        ("/esign/menu/x", 404),
        ("/esign/menu.xml", 404),
        ("/esign/menu.html", 404),
        ("/esign/menu.css", 404),
        ("/esign/menu/esign.css", 404),
        ("/esign/menu~", 404),
        ("/esign/menu%20", 404),
        ("/esign/%6denu", 403),
        ("/esign/m%C3%A9nu", 404),
        ("/esign/%ff%fe", 404),
        ("/esign/%zz", 400),
        ("/esign/%", 400),
        ("/esign/<script>alert(1)</script>", 404),
        ("/esign/\x7f", 400),
        ("/esign/\xff", 404),
        ("/esign/" + "a" * 8000, 404),
        ("/esign/" + "a" * 8200, 414),
        ("/esign/" + "a/" * 3000, 404),
        ("/esign/" + "../" * 2000, 400),
        ("/esign/captcha/" + "A" * 4000 + ".png", 404),
        ("/esign/captcha/.png", 404),
        ("/esign/captcha/..%2f.png", 404),
        ("/esign/reset/" + "A" * 8000, 410),
        ("/esign/reset/%00", 410),
        ("/esign/reset/..%2fmenu", 410),
        ("/esign/reset/%0d%0aevil", 410),
        ("/esign/reset/a;b", 410),
        ("/esign/reset//word", 410),
        ("*", 400),
        ("esign/menu", 400),
        ("/esign/menu HTTP/1.1 x", 400),
        ("file:///etc/passwd", 400),
    ],
    ids=lambda value: repr(value)[1:40],
)
def test_paths(portal, path, status):
    answers = send(portal, request("GET %s HTTP/1.1" % path, "Accept: text/html"))
    assert [one[0] for one in answers] == [status], answers
    check(*answers[0])


def test_static_files_are_these_alone(portal):
    for path in (
        "",
        "nothing",
        "../messages.tr.xml",
        "%2e%2e/messages.tr.xml",
        "..%2fmessages.tr.xml",
        "esign.css/../../xsl/page.xsl",
        "esign.css/x",
        "../../conf/keys",
        "../xsl/page.xsl",
    ):
        for status, head, text in send(portal, request("GET /esign/static/%s HTTP/1.1" % path)):
            assert status in (403, 404) and "<xsl:" not in text and "<message" not in text, path
            assert "frame-ancestors 'none'" in head["content-security-policy"][0]


# Methods and protocols


@pytest.mark.parametrize(
    "line,status",
    [
        ("HEAD /esign/menu HTTP/1.1", 403),
        ("OPTIONS /esign/menu HTTP/1.1", 405),
        ("TRACE /esign/menu HTTP/1.1", 405),
        ("TRACK /esign/menu HTTP/1.1", 405),
        ("PROPFIND /esign/menu HTTP/1.1", 405),
        ("PUT /esign/menu HTTP/1.1", 405),
        ("PATCH /esign/menu HTTP/1.1", 405),
        ("DELETE /esign/menu HTTP/1.1", 405),
        ("BREW /esign/menu HTTP/1.1", 405),
        ("get /esign/menu HTTP/1.1", 405),
        ("DEBUG /esign/menu HTTP/1.1", 405),
        ("CONNECT /esign/menu HTTP/1.1", 400),
        ("CONNECT evil.example:443 HTTP/1.1", 405),
        ("G\0T /esign/menu HTTP/1.1", 400),
        ("GET\t/esign/menu\tHTTP/1.1", 400),
        (" GET /esign/menu HTTP/1.1", 400),
        ("GET /esign/menu", 0),
        ("GET /esign/menu HTTP/0.9", 400),
        ("GET /esign/menu http/1.1", 400),
        ("GET /esign/menu HTTP/1.1.1", 400),
        ("GET /esign/menu HTTP/", 400),
        ("GET  /esign/menu HTTP/1.1", 400),
        ("PRI * HTTP/2.0", 400),
    ],
    ids=repr,
)
def test_methods_and_versions(portal, line, status):
    ((found, head, text),) = send(portal, request(line))
    assert found == status, text
    check(found, head, text)


@pytest.mark.parametrize(
    "headers,status",
    [
        (["X-HTTP-Method-Override: POST", "X-HTTP-Method: POST", "X-Method-Override: POST"], 200),
        (
            [
                "Upgrade: h2c, websocket",
                "HTTP2-Settings: AAMAAABkAAQAAP__",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            ],
            200,
        ),
        (["If-Match: evil"], 200),
        (["If-None-Match: *", "If-Modified-Since: Wed, 25 Nov 2099 00:42:05 GMT"], 200),
        (["If-Unmodified-Since: Wed, 25 Nov 1998 00:42:05 GMT"], 200),
        (["Range: bytes=0-5"], 206),
        (["Range: bytes=" + ",".join("%d-%d" % (i, i) for i in range(0, 600, 2))], 200),
        (["Range: bytes=9-1"], 200),
        (["Expect: moon"], 417),
        (["Cookie: " + "; ".join("c%d=evil" % i for i in range(100))], 200),
        (["Cookie: a=" + "b" * 8000], 200),
        (["Cookie: a=" + "b" * 8200], 400),
        (["X-%d: evil" % i for i in range(200)], 400),
        (["X-A: b\0c"], 400),
        (["X-A: b\x01c"], 400),
        (["X-A : b"], 400),
        ([" X-A: b"], 400),
        (["X-A: b", "\tX-B: c"], 200),
        (["Accept-Language: " + "tr," * 2000], 200),
        (["Accept-Language: <script>"], 200),
        (["Accept: " + "application/xml;" * 400], 200),
        (["Cookie: __Host-esign-lang=<script>"], 200),
        (["User-Agent: \x1b[31mevil", "Referer: https://evil.example/<script>"], 400),
        (['User-Agent: evil" - "evil', "Referer: \\x0aevil"], 200),
        ([FORM, "Content-Length: 4"], 200),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_headers(portal, headers, status):
    ((found, head, text),) = send(
        portal,
        request("GET /esign/login HTTP/1.1", *headers, body=b"id=1" if FORM in headers else b""),
    )
    assert found == status, text
    check(found, head, text)


# Bodies

LENGTH, CHUNKED = "Content-Length: %d", "Transfer-Encoding: chunked"


def form(body, *headers):
    return [FORM, LENGTH % len(body), *headers], body


SMUGGLED = b"GET /esign/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "headers,body,status",
    [
        ([FORM, LENGTH % 4], b"id=1", 422),
        ([FORM + "; charset=utf-8", LENGTH % 4], b"id=1", 422),
        ([FORM, CHUNKED], b"4\r\nid=1\r\n0\r\n\r\n", 422),
        (
            [FORM, CHUNKED, "Trailer: Cookie"],
            b"4\r\nid=1\r\n0\r\nCookie: __Host-esign=evil\r\nX: y\r\n\r\n",
            422,
        ),
        ([FORM, CHUNKED], b"4;a=b\r\nid=1\r\n0\r\n\r\n", 422),
        ([FORM, LENGTH % 4, "Expect: 100-continue"], b"id=1", 422),
        (*form(gzip.compress(b"id=1", mtime=0), "Content-Encoding: gzip"), 415),
        (*form(gzip.compress(b"a" * 10**7, mtime=0), "Content-Encoding: gzip"), 415),
        ([FORM, "Content-Encoding: gzip", LENGTH % 4], b"id=1", 415),
        ([FORM, "Content-Encoding: br", LENGTH % 4], b"id=1", 415),
        ([FORM, "Content-Encoding: identity", LENGTH % 4], b"id=1", 422),
        ([LENGTH % 4], b"id=1", 415),
        (["Content-Type: application/json", LENGTH % 8], b'{"id":1}', 415),
        (["Content-Type: text/plain", LENGTH % 4], b"id=1", 415),
        (["Content-Type: text/xml", LENGTH % 4], b"<a/>", 415),
        (
            ["Content-Type: multipart/form-data; boundary=x", LENGTH % 60],
            b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n1\r\n--x--\r\n'.ljust(60),
            415,
        ),
        (["Content-Type: application/x-www-form-urlencodedx", LENGTH % 4], b"id=1", 415),
        ([FORM + "; charset=utf-16", LENGTH % 8], "id=1".encode("utf-16-le"), 400),
        ([FORM, LENGTH % 9], b"id=1&id=2", 400),
        ([FORM, LENGTH % 11], b"id=1&%69d=2", 400),
        ([FORM, LENGTH % 6], b"id[]=1", 422),
        (*form(b"id[a]=1&id"), 400),
        ([FORM, LENGTH % 9], b"id=1;id=2", 422),
        ([FORM, LENGTH % 6], b"id=%00", 400),
        ([FORM, LENGTH % 4], b"id=\0", 400),
        ([FORM, LENGTH % 9], b"id=%ff%fe", 400),
        ([FORM, LENGTH % 5], b"id=\xff\xfe", 400),
        ([FORM, LENGTH % 9], b"id=%ED%A0%80"[:9], 400),
        ([FORM, LENGTH % 12], b"id=%ED%A0%80", 400),
        ([FORM, LENGTH % 9], b"id=%C0%AF", 400),
        ([FORM, LENGTH % 6], b"id=%zz", 400),
        ([FORM, LENGTH % 4], b"id=%", 400),
        ([FORM, LENGTH % 10], b"id=%0d%0aA:", 422),
        ([FORM, LENGTH % 16385], b"id=" + b"1" * 16382, 413),
        ([FORM, LENGTH % 16384], b"id=" + b"1" * 16381, 422),
        ([FORM, CHUNKED], b"5000\r\n" + b"a" * 0x5000 + b"\r\n0\r\n\r\n", 413),
        (*form(b"&".join(b"a%d=" % i for i in range(64))), 422),
        (*form(b"&".join(b"a%d=" % i for i in range(65))), 400),
        (*form(b"&&id=1&"), 400),
        (*form(b"=1"), 422),
        ([FORM, LENGTH % 2], b"id=1", 400),
        ([FORM, LENGTH % -1], b"id=1", 400),
        ([FORM, "Content-Length: +4"], b"id=1", 400),
        ([FORM, "Content-Length: 0x4"], b"id=1", 400),
        ([FORM, "Content-Length: 4, 4"], b"id=1", 400),
        ([FORM, LENGTH % 4, LENGTH % 5], b"id=1x", 400),
        ([FORM, LENGTH % 10**20], b"id=1", 400),
        ([FORM, LENGTH % 10**12], b"id=1" * 10000, 400),
        ([FORM, "Transfer-Encoding: identity", LENGTH % 4], b"id=1", 400),
        ([FORM, "Transfer-Encoding: xchunked"], b"0\r\n\r\n", 400),
        ([FORM, "Transfer-Encoding: chunked, identity"], b"0\r\n\r\n", 400),
        ([FORM, "Transfer-Encoding : chunked"], b"0\r\n\r\n", 400),
        ([FORM, CHUNKED], b"zz\r\nid=1\r\n0\r\n\r\n", 400),
        ([FORM, CHUNKED], b"-1\r\nid=1\r\n", 400),
        ([FORM, CHUNKED], b"FFFFFFFFFFFFFFFFF\r\n", 413),
        ([FORM, CHUNKED], b"4\nid=1\n0\n\n", 400),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_bodies(portal, headers, body, status):
    answers = send(
        portal,
        request("POST /esign/login HTTP/1.1", "Accept: application/xml", *headers, body=body),
    )
    found = [one for one in answers if one[0] != 100]
    assert [one[0] for one in found] == [status], answers
    check(*found[0])


@pytest.mark.parametrize(
    "headers,body",
    [
        ([LENGTH % 4, CHUNKED], b"4\r\nid=1\r\n0\r\n\r\n"),
        ([LENGTH % 19, CHUNKED], b"0\r\n\r\n"),
        ([CHUNKED, CHUNKED], b"0\r\n\r\n"),
        (["Transfer-Encoding: \x0bchunked", LENGTH % 5], b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], b"0\r\n\r\n"),
        ([LENGTH % 0, LENGTH % len(SMUGGLED)], b""),
        (["Content-Length : 0"], b""),
        (["Foo: bar\r", "Content-Length: 0"], b""),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_nothing_is_smuggled(portal, headers, body):
    """What a server in front may see as the body's end and we do not, or the other way: the connection ends with the answer, or both are seen as what they are."""
    answers = send(
        portal,
        "\r\n".join(["POST /esign/login HTTP/1.1", "Host: localhost", FORM, *headers]).encode(
            "latin-1"
        )
        + b"\r\n\r\n"
        + body
        + SMUGGLED,
    )
    assert len(answers) == 1 and answers[0][0] in (400, 422, 501), answers
    check(*answers[0])


# HTTP/2


def ask_h2(portal, headers, body=b""):
    """(status, headers, body) of one stream; status 0: the stream or the connection was reset."""
    context = ssl.create_default_context(cafile=portal.env["CERTIFICATE"])
    context.set_alpn_protocols(["h2"])
    config = h2.config.H2Configuration(
        client_side=True,
        header_encoding="latin-1",
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    connection, answer = h2.connection.H2Connection(config), [0, {}, b""]
    with context.wrap_socket(
        socket.create_connection(("127.0.0.1", portal.port), timeout=20),
        server_hostname="localhost",
    ) as tls:
        connection.initiate_connection()
        connection.send_headers(1, headers, end_stream=not body)
        if body:
            connection.send_data(1, body, end_stream=True)
        tls.sendall(connection.data_to_send())
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := tls.recv(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived):
                        answer[0] = int(dict(event.headers)[":status"])
                        for name, value in event.headers:
                            answer[1].setdefault(name, []).append(value)
                    elif isinstance(event, h2.events.DataReceived):
                        answer[2] += event.data
                    elif isinstance(
                        event,
                        (
                            h2.events.StreamEnded,
                            h2.events.StreamReset,
                            h2.events.ConnectionTerminated,
                        ),
                    ):
                        return answer[0], answer[1], answer[2].decode()
                tls.sendall(connection.data_to_send())
    return answer[0], answer[1], answer[2].decode()


def pseudo(method="GET", path="/esign/login", authority="localhost", scheme="https"):
    return [
        pair
        for pair in (
            (":method", method),
            (":scheme", scheme),
            (":authority", authority),
            (":path", path),
        )
        if pair[1] is not None
    ]


@pytest.mark.parametrize(
    "headers,statuses",
    [
        (pseudo(), {200}),
        (pseudo(authority="evil.example"), {200, 421}),
        (pseudo(authority="user@localhost"), {0, 400}),
        (pseudo(authority="localhost:99999"), {0, 400}),
        (pseudo(authority=None), {0, 400}),
        (pseudo() + [("host", "evil.example")], {0, 200, 400}),
        (pseudo(authority="a b"), {0, 400}),
        (pseudo(authority="<script>"), {0, 400}),
        (pseudo(path="//evil.example/"), {0, 404}),
        (pseudo(path="login"), {0, 400}),
        (pseudo(path=""), {0, 400}),
        (pseudo(path=None), {0, 400}),
        (pseudo(path="*"), {0, 400}),
        (pseudo(path="https://evil.example/esign/login"), {0, 400, 404, 200}),
        (pseudo(path="/esign/login HTTP/1.1\r\nX-A: evil"), {0, 400}),
        (pseudo(path="/esign/\0"), {0, 400}),
        (pseudo(path="/esign/..;/menu"), {404}),
        (pseudo(path="/esign/%2e%2e//evil"), {404}),
        (pseudo(path="/esign/" + "a" * 9000), {0, 400, 414, 431}),
        (pseudo(path="/esign/menu"), {403}),
        (pseudo(scheme="http"), {0, 200, 400}),
        (pseudo(scheme="evil"), {0, 400}),
        (pseudo(scheme=None), {0, 400}),
        (pseudo(method=None), {0, 400}),
        (pseudo(method="G T"), {0, 400}),
        (pseudo(method="TRACE"), {0, 405}),
        (pseudo(method="BREW"), {0, 405, 501}),
        (pseudo(method="CONNECT"), {0, 400, 405}),
        (pseudo(method="get"), {0, 405, 501}),
        (pseudo() + [(":path", "/esign/menu")], {0, 400}),
        (pseudo() + [(":evil", "x")], {0, 400}),
        ([("x", "y")] + pseudo(), {0, 400}),
        (pseudo() + [("X-Upper", "y")], {0, 200, 400}),
        (pseudo() + [("connection", "upgrade")], {0, 200, 400}),
        (pseudo() + [("transfer-encoding", "chunked")], {0, 200, 400}),
        (pseudo() + [("te", "evil")], {0, 200, 400}),
        (pseudo() + [("x-a", "b\r\nx-c: evil")], {0, 400}),
        (pseudo() + [("x-a", "b\0c")], {0, 400}),
        (pseudo() + [("x a", "b")], {0, 400}),
        (pseudo() + [("", "b")], {0, 400}),
        (pseudo() + [("cookie", "c%d=evil" % i) for i in range(100)], {0, 200, 400, 431}),
        (pseudo() + [("cookie", "a=" + "b" * 8200)], {0, 400, 431}),
        (pseudo() + [("range", "bytes=0-1")], {206}),
    ],
    ids=lambda value: repr(value)[-60:] if isinstance(value, list) else None,
)
def test_http_2_requests(portal, headers, statuses):
    status, head, text = ask_h2(portal, headers)
    assert status in statuses, (status, head, text)
    if status:
        check(status, head, text)


@pytest.mark.parametrize(
    "headers,body,statuses",
    [
        ([FORM.split(": ")], b"id=1", {422}),
        ([FORM.split(": "), ("content-length", "2")], b"id=1", {0, 400}),
        ([FORM.split(": "), ("content-length", "9")], b"id=1", {0, 400}),
        ([FORM.split(": "), ("content-length", "4"), ("content-length", "5")], b"id=1", {0, 400}),
        ([("content-type", "application/json")], b"{}", {415}),
        ([FORM.split(": "), ("sec-fetch-site", "cross-site")], b"id=1", {403}),
        ([FORM.split(": "), ("origin", "https://evil.example")], b"id=1", {403}),
    ],
)
def test_http_2_bodies(portal, headers, body, statuses):
    status, head, text = ask_h2(
        portal, pseudo("POST") + [(name.lower(), value) for name, value in headers], body
    )
    assert status in statuses, (status, head, text)
    if status:
        check(status, head, text)


# Words of any letters


@pytest.mark.parametrize(
    "word,problem",
    [
        ("😀" * 128, None),
        ("😀" * 129, "word-long"),
        ("a\u0301" * 64, None),
        ("\u200f\u202e" * 10 + "şifre", None),
        ("\u0301" * 128, None),
        ("e" + "\u0301" * 127, None),
        ("x" * 8000, "word-long"),
        ("çok\r\nsatırlı sözcük", None),
        ("<script>alert(1)</script>", None),
        ("{{7*7}} ${7*7} %s%n", None),
        ("' OR 1=1 -- ", None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_words(portal, word, problem):
    """Taken as they are, or refused with a reason; the composed and the decomposed form are one word."""
    subscriber, browser = portal.new_subscriber(), portal.browser()
    browser.get(browser.reset_link(subscriber))
    page = browser.post("reset/word", {"word": word, "again": word})
    if problem or page.status != 303:
        assert page.status == 422 and page.problems() == [("word", problem or "word-malformed")]
        return
    assert browser.login(subscriber, unicodedata.normalize("NFD", word)).status == 303
    assert browser.login(subscriber, word[:-1] + "?").status == 422


@pytest.mark.parametrize(
    "number",
    [
        "1" * 12,
        "0" * 11,
        "1" * 15000,
        "١٠٠٠٠٠٠٠١٤٦",
        "１０００００００１４６",
        "10000000146\u202e",
        "-1",
        "1e10",
        "' OR 1=1 -- ",
        "<script>",
        "\u200b" * 11,
        "10000000146\r\nX: y",
    ],
    ids=lambda value: repr(value)[:20],
)
def test_numbers(portal, number):
    browser = portal.browser()
    challenge = browser.get("login").challenge()
    for accept in ("application/xml", "text/html"):
        answer = browser.session.post(
            browser.url("login"),
            {"id": number, "word": SECRET, "challenge": challenge, "answer": "?"},
            headers={"Accept": accept},
            allow_redirects=False,
        )
        assert answer.status_code == 422
        check(
            answer.status_code,
            {name.lower(): [value] for name, value in answer.headers.items()},
            answer.text,
        )


# What all this left in the logs


def test_nothing_hostile_stands_raw_in_a_log(portal):
    for name in ("access.log", "error.log"):
        with open(os.path.join(portal.env["LOGS"], name), "rb") as file:
            lines = file.read().split(b"\n")
        assert len(lines) > 100
        odd = [
            line
            for line in lines
            if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line)
            or name == "access.log"
            and re.search(rb"[\x80-\xff]", line)
        ]
        assert not odd, odd[0]
        assert not [line for line in lines if SECRET.encode() in line]
        shape = rb"127\.0\.0\.1 - - \[" if name == "access.log" else rb"\["
        assert not [line for line in lines if line and not re.match(shape, line)]
    log = portal.log()
    assert not re.search(r"exit signal|Assertion|AH00052", log)
