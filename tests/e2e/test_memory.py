# SPDX-License-Identifier: Apache-2.0
"""test_memory.py: what a core file of httpd or esignctl would hold.

It never holds a key. It holds no word, code, PIN or PUK after the request, and no link, cookie or
picture's answer after the end of its connection.
"""

import base64
import hmac
import os
import re
import secrets
import subprocess
import time

import pytest

import command
import memory
import portal as parts
import rough

pytestmark = pytest.mark.skipif(
    os.getuid() != 0, reason="only root may look into a process that leaves no core"
)


@pytest.fixture(scope="module")
def watched(make_portal, tmp_path_factory):
    """Codes so long that no other number is one by chance."""
    include = tmp_path_factory.mktemp("memory") / "memory.conf"
    include.write_text("EsignCodeDigits 10\nEsignSMSName Sertifika\n")
    portal = make_portal("--include", str(include))
    yield portal
    portal.stop()


def processes(portal):
    return memory.family(parts.pid_of(portal.env["HTTPD_PID"]))


def check_gone(portal, browser, **secrets):
    """The connection ends (None: it stays open); a moment later nothing is left."""
    if browser:
        browser.session.close()
    end = time.time() + 5
    while left := {name for pid in processes(portal)[1:] for name in memory.found(pid, secrets)}:
        assert time.time() < end, left


def cookie(browser, name=""):
    return browser.session.cookies.get("__Host-esign" + name)


def test_nothing_stays_of_a_reset(watched):
    browser, s, word = watched.browser(), watched.new_subscriber(), "turuncu kayık güvertesi"
    link = browser.reset_link(s)
    token = link.split("/")[1]
    # It was in the courier's hands alone.
    assert watched.wait(lambda: len(watched.ctl("outbox", "list").splitlines()) == 1)
    check_gone(watched, browser, link=token)
    assert browser.get(link).status == 303
    check_gone(watched, browser, link=token, cookie=cookie(browser, "-reset"))
    secrets = {"link": token, "cookie": cookie(browser, "-reset"), "word": word}
    assert browser.get("reset/word").status == 200
    assert browser.post("reset/word", {"word": word, "again": word}).status == 303
    check_gone(watched, browser, **secrets)


def test_nothing_stays_of_a_sign_in(watched):
    browser, s, word = (
        watched.browser(),
        watched.new_subscriber(digits=12),
        "mavi kapının eşiğinde bir kuş",
    )
    form = browser.login_fields(s)
    assert browser.post("login", form).status == 303
    secrets = {
        "word": s.word,
        "session": cookie(browser),
        "typed answer": "answer=" + form["answer"],
        "sealed answer": form["answer"] + " 17",
    }
    check_gone(watched, browser, **secrets)
    assert browser.post("otp").status == 303
    (sms,) = watched.wait(lambda: watched.sms(s.phone))
    secrets["code"] = re.search(r"\b\d{10}\b", sms).group()
    assert watched.wait(lambda: len(watched.ctl("outbox", "list").splitlines()) == 1)
    check_gone(watched, browser, **secrets)
    assert browser.post("otp/code", {"code": secrets["code"]}).status == 303
    secrets["next session"] = cookie(browser)
    check_gone(watched, browser, **secrets)
    # Filled in from the third time on; in pieces never.
    for more in [{}] + [{"Accept": "text/html"}] * 5 + [{"Range": "bytes=0-100000"}]:
        answer = browser.session.post(browser.url("pin"), headers=more)
        assert answer.status_code == 200
        for kind in ("pin", "puk"):
            number = s.cards[0][kind]
            shown = re.search("(?:</span><span>)?".join(number), answer.text)  # in HTML in groups
            assert shown
            secrets[kind + " as shown"], secrets[kind] = shown.group(), number
        check_gone(
            watched,
            None,
            **{
                name: secret
                for name, secret in secrets.items()
                if name.startswith(("word", "code", "pin", "puk"))
            },
        )
        check_gone(watched, browser, **secrets)
    secrets["new word"] = word
    assert browser.post("word", {"current": s.word, "word": word, "again": word}).status == 303
    check_gone(watched, browser, **secrets)
    assert browser.post("logout").status == 303
    check_gone(watched, browser, **secrets)


def test_a_word_is_gone_before_its_connection_ends(watched):
    """And the search sees it while it is on its way."""
    s, browser = watched.new_subscriber(), watched.browser()
    body = parts.urllib.parse.urlencode({**browser.login_fields(s), "other": "x"}).encode()
    raw = rough.Raw(watched)
    try:
        raw.send(
            raw.head(
                "POST",
                "login",
                Accept="application/xml",
                Content_Type="application/x-www-form-urlencoded",
                Content_Length=len(body),
            )
        )
        raw.send(body[:-1])

        def seen():
            return [pid for pid in processes(watched) if memory.found(pid, {"word": s.word})]

        assert watched.wait(seen)
        raw.send(body[-1:])
        assert raw.socket.recv(9).startswith(b"HTTP/1.1 ")
        assert watched.wait(lambda: not seen()) and seen() == []
    finally:
        raw.close()


@pytest.mark.parametrize(
    "path, lines, status",
    [
        ("/favicon.ico", "Cookie: __Host-esign=%s", 404),
        ("/esign/menu", "Cookie: __Host-esign=%s\r\nExpect: x", 417),
        ("/esign/menu", "Cookie: __Host-esign=%s\r\nX y: z", 400),
        ("/esign/menu", "Cookie: other=" + 9000 * "y" + "; __Host-esign=%s", 400),
        ("/esign/reset/%s", "X: " + 9000 * "y", 400),
    ],
    ids=["beside the portal", "expectation", "bad field", "too many cookies", "link"],
)
def test_nothing_stays_of_a_request_that_the_portal_does_not_get(watched, path, lines, status):
    secret = secrets.token_urlsafe(32)
    raw = rough.Raw(watched)
    try:
        raw.send(
            ("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % (path, lines) % secret).encode()
        )
        assert raw.socket.recv(13) == b"HTTP/1.1 %d " % status
    finally:
        raw.close()
    check_gone(watched, None, secret=secret)


def derived_keys(master):
    """As RFC 5869 has it, under the labels of keyring.c."""
    with open(os.path.join(parts.TOP, "mod_esign", "core", "keyring.c")) as file:
        labels = re.findall(r'"(mod_esign 1 \w+)"', file.read())
    assert len(labels) > 5
    extracted = hmac.digest(bytes(32), master, "sha256")
    return {label: hmac.digest(extracted, label.encode() + b"\1", "sha256") for label in labels}


def test_keys_are_in_guarded_memory_alone(watched):
    """In the parent and its children keys are left out of core files (dd) and never swapped (lo).
    The key file's text and its keys are nowhere.
    """
    with open(watched.dir + "/conf/keys") as file:
        (text,) = re.findall(r"^key 1 (\S+)", file.read(), re.M)
    master = base64.urlsafe_b64decode(text + "=")
    derived, masters = derived_keys(master), {"text": text, "master": master}
    assert len(processes(watched)) == 3
    for pid in processes(watched):
        assert memory.found(pid, {**derived, **masters}) == {}
        assert memory.found(pid, masters, guarded=True) == {}
        guarded = memory.found(pid, derived, guarded=True)
        assert guarded.keys() == derived.keys()
        # The sanitizers leave mlock out.
        assert "ESIGN_HTTPD" in os.environ or all(
            "lo" in flags for places in guarded.values() for flags in places
        ), pid


def test_esignctl_keeps_no_word_that_it_has_hashed(ctl):
    """What it reads now is there; what it read sixty subscribers ago is not."""
    child = subprocess.Popen(
        ctl.line("subscriber", "import", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    words = {"word %d" % n: "gizli sözcük %d numaralı" % n for n in range(3)}
    try:
        child.stdin.write("<subscribers>\n")
        for n, word in enumerate(words.values()):
            child.stdin.write(
                command.subscriber(n, word="<security-word>%s</security-word>" % word) + "\n"
            )
        child.stdin.write("\n".join(command.subscriber(n) for n in range(3, 63)) + "\n")
        child.stdin.flush()
        end = time.time() + 20
        while left := memory.found(child.pid, words):
            assert time.time() < end, left
        told, _ = child.communicate("</subscribers>", timeout=30)
        assert told.startswith("63 registered")
    finally:
        child.kill()
