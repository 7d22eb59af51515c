# SPDX-License-Identifier: Apache-2.0
"""hostile.py: a portal for hostile requests, and what holds of every answer to one."""

import os
import re
import subprocess

import pytest

import rough

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
    """A portal with HTTP/2, a filter that would decode bodies, and a log at level debug."""
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


# The error log of this portal is full on purpose; check_logs looks for what it must not hold.
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


# What all this left in the logs


def check_logs(portal):
    """No control character, nothing of our secret, and no line that another line's text made."""
    for name in ("access.log", "error.log"):
        with open(os.path.join(portal.env["LOGS"], name), "rb") as file:
            lines = file.read().split(b"\n")
        assert len(lines) > 20
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
