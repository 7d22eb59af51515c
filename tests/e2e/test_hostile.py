# SPDX-License-Identifier: Apache-2.0
"""test_hostile.py: hostile requests in tables: odd paths, methods, headers, bodies and words."""

import gzip
import unicodedata

import pytest

from hostile import clean_log, portal  # noqa: F401
from hostile import FORM, SECRET, check, check_logs, request, send


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
    """A server in front may see another end of the body than we do, or the other way. The
    connection ends with the answer, or both see the same requests.
    """
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
    """Words are taken as they are, or refused with a reason. The composed and the decomposed form
    are one word.
    """
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
    check_logs(portal)
