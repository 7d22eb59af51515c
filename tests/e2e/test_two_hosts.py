# SPDX-License-Identifier: Apache-2.0
"""test_two_hosts.py: two name-based hosts over one database, over HTTP/2, with a memcached that
loses answers.

Limits of addresses, mails, logs and links are tested.
"""

import glob
import os
import re
import signal
import subprocess
import urllib.parse

import pytest

import portal as parts
import rough
from portal import pid_of

SECOND = "second.example.org"


@pytest.fixture(scope="module")
def lossy(folder):
    server = rough.Lossy(os.path.join(folder, "memcached.sock"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def two(make_portal, folder, lossy):
    """Two name-based hosts over one database, the second one stricter. They have HTTP/2, addresses
    from a proxy's header, logs at trace8, and a memcached that loses answers.
    """
    include = os.path.join(folder, "two.conf")
    modules = subprocess.run(
        ["apxs", "-q", "LIBEXECDIR"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with open(include, "w") as file:
        file.write(
            """LoadModule http2_module %s/mod_http2.so
LoadModule remoteip_module %s/mod_remoteip.so
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
Protocols h2 http/1.1
LogLevel trace8
LogFormat "%%U %%q %%r" pieces
CustomLog "%s/pieces.log" pieces
EsignMemcached "--SOCKET=\\"%s/memcached.sock\\""
<VirtualHost *>
    ServerName localhost
</VirtualHost>
<VirtualHost *>
    ServerName %s
    EsignPublicURL https://%s
    EsignOrganization "Second Authority"
    EsignAddressFailures 5
    EsignAddressRequests 5
</VirtualHost>
"""
            % (modules, modules, folder, folder, SECOND, SECOND)
        )
    portal = make_portal("--include", include)
    portal.pieces = os.path.join(folder, "pieces.log")
    lossy.real = portal.env["MEMCACHED"]
    yield portal
    portal.stop()


def logs_of(portal):
    found = {}
    for path in glob.glob(portal.env["LOGS"] + "/*.log"):
        with open(path, encoding="utf-8", errors="replace") as file:
            found[os.path.basename(path)] = file.read()
    return found


# Who takes up the server's time and room


def test_wrong_pictures_are_counted(two):
    s = two.new_subscriber()
    for path, fields in (("login", {"id": s.id, "word": s.word}), ("reset", {"id": s.id})):
        browser = rough.visitor(two, SECOND, "127.0.0.9")
        challenge = browser.get(path).challenge()
        for _ in range(5):
            page = browser.post(path, {**fields, "challenge": challenge, "answer": "?"})
            assert page.status == 422 and ("answer", "answer-wrong") in page.problems()
            challenge = page.challenge()
        page = browser.post(
            path, {**fields, "challenge": challenge, "answer": two.answer(challenge)}
        )
        assert page.status == 429 and page.name == path and page.problems() == [(None, "too-many")]
        assert 1 <= int(page.response.headers["Retry-After"]) <= 900
        # Others are not kept out, nor is the same address where more is allowed.
        challenge = page.challenge()
        for host, address in ((SECOND, "127.0.0.10"), ("localhost", "127.0.0.9")):
            assert (
                rough.visitor(two, host, address)
                .post(path, {**fields, "challenge": challenge, "answer": "?"})
                .status
                == 422
            )
            challenge = browser.get(path).challenge()


def test_a_known_browser_is_not_kept_out_with_its_neighbours(two):
    """Guessing from a shared address kept out all its other users. A browser in which somebody has
    signed in has tries of its own for that account: no more than others, and for no other account.
    """
    s, other, shared = two.new_subscriber(), two.new_subscriber(), "127.0.0.11"
    known, guessing = (rough.visitor(two, SECOND, shared) for _ in range(2))
    known.sign_in(s)
    assert known.post("logout").status == 303
    for _ in range(5):
        assert guessing.login(other, "yanlış bir sözcük").problems() == [("word", "credentials")]
        guessing.ask_reset(other.id)
    for browser, whose in ((guessing, s), (known, other)):
        assert browser.login(whose).problems() == [(None, "too-many")]
    for _ in range(2):
        assert known.login(s, "yanlış bir sözcük").problems() == [("word", "credentials")]
    for _ in range(3):
        assert known.login(s).status == 303
    assert known.login(s).problems() == [(None, "too-many")]
    known.ask_reset(s.id)


def test_a_number_behind_all_others_ends_no_child(two):
    """A number after all others in the index has no stand-in. With a cookie of any kind it crashed
    the child, and the child's other requests with it.
    """
    browser = rough.visitor(two, SECOND, "127.0.0.12")
    challenge = browser.get("login").challenge()
    for _ in range(5):
        challenge = browser.post(
            "login", {"id": parts.tckn(), "word": "x", "challenge": challenge, "answer": "?"}
        ).challenge()
    # All are before the active key's, as when it has just been made active.
    two.sql("UPDATE subscriber SET lookup = '0' || lookup")
    try:
        page = browser.post(
            "login", {"id": parts.tckn()}, headers={"Cookie": "__Host-esign-device=x"}
        )
        assert page.status == 429 and page.problems() == [(None, "too-many")]
    finally:
        two.sql("UPDATE subscriber SET lookup = substr(lookup, 2)")


def test_a_network_of_its_own_gives_nobody_more_tries(two):
    """Each /64 of a /48 had a count of its own. A machine with 65,536 of them had no limit, and
    filled the trail and memcached.
    """

    def wrong(path, network, address):
        nonlocal challenge
        page = browser.post(
            path,
            {"id": parts.tckn(), "challenge": challenge, "answer": "?"},
            headers={"X-Client": "2001:db8:%s:%x::1" % (network, address)},
        )
        challenge = page.challenge()
        return page.status

    browser = rough.visitor(two, SECOND)
    for path, event in (("login", "sign-in-limited"), ("reset", "reset-limited")):
        limited = (
            "SELECT COUNT(*) FROM audit WHERE event = '%s' AND address LIKE '2001:db8:a:%%'" % event
        )
        challenge = browser.get(path).challenge()
        assert [wrong(path, "a", number // 4) for number in range(80)] == [422] * 80
        assert [wrong(path, "a", number) for number in (0, 1, 99, 0xFFFF)] == [429] * 4 and wrong(
            path, "b", 0
        ) == 422
        assert two.sql(limited) == [(1,)]


# What is mailed


def test_each_host_mails_its_own_links(two):
    """Each host has a courier; whichever comes first takes the request."""
    people = [(two.new_subscriber("en"), host) for _ in range(6) for host in ("localhost", SECOND)]
    for number, (s, host) in enumerate(people):
        rough.visitor(two, host, "127.0.1.%d" % (number + 1)).ask_reset(s.id)
    ours = {
        "localhost": (two.url, "Örnek Sertifikasyon Merkezi"),
        SECOND: ("https://%s/esign/" % SECOND, "Second Authority"),
    }
    for s, host in people:
        mail = two.wait_mail(s.email)
        url, organization = ours[host]
        assert rough.link_of(two, mail).startswith(url + "reset/")
        for body in (mail.get_body((kind,)).get_content() for kind in ("plain", "html")):
            assert organization in body
            assert not any(name in body for name in {o for _, o in ours.values()} - {organization})


# What is logged


def test_http2_logs_no_secret(two):
    s, browser = two.new_subscriber(), rough.Http2(two)
    curl, jar = browser.ask, browser.cookies
    link = two.browser().reset_link(s)
    secrets = [link.split("/")[1], s.word]
    assert curl(link)[0] == 303 and curl("reset/word")[0] == 200
    secrets.append(jar["__Host-esign-reset"])
    challenge = re.search(r'challenge value="([^"]+)"', curl("login")[1]).group(1)
    answer = two.answer(challenge)
    assert (
        curl("login", {"id": s.id, "word": s.word, "challenge": challenge, "answer": answer})[0]
        == 303
    )
    secrets += [answer, jar["__Host-esign"]]
    assert curl("otp", {})[0] == 303
    code = two.wait_code(s.phone)
    assert curl("otp/code", {"code": code})[0] == 303
    secrets += [code, jar["__Host-esign"]]
    status, page = curl("pin", {})
    assert status == 200 and s.cards[0]["pin"] in page
    secrets += [s.cards[0]["pin"], s.cards[0]["puk"]]
    assert len(set(secrets)) == 9 and curl("logout", {})[0] == 303
    logs = logs_of(two)
    assert "GET /esign/reset/*** HTTP/2.0" in logs["access.log"] and "trace" in logs["error.log"]
    for secret in secrets:
        for form in {secret, urllib.parse.quote(secret), urllib.parse.quote_plus(secret)}:
            # A short number can be in a time or an address by chance: it counts where no digit is
            # beside it.
            pattern = r"(?<![\d.:])%s(?![\d.:])" % form if form.isdigit() else re.escape(form)
            for name, text in logs.items():
                assert not [line for line in text.splitlines() if re.search(pattern, line)], (
                    form,
                    name,
                )


def test_a_refused_header_logs_no_token(two):
    link = two.browser().reset_link(two.new_subscriber())
    browser = two.browser()
    refused = browser.session.get(
        browser.url(link), headers={"Cookie": "a=" + "b" * 8200}, allow_redirects=False, timeout=20
    )
    assert refused.status_code == 400
    assert two.wait(lambda: '" 400 ' in two.log("access.log"))
    assert not [name for name, text in logs_of(two).items() if link.split("/")[1] in text]
    assert re.search(r'"GET /esign/reset/\*+ HTTP/1.1" 400 ', two.log("access.log"))
    # The link still works.
    assert browser.get(link).status == 303
    with open(two.pieces, encoding="utf-8") as file:
        text = file.read()
    assert "/esign/reset/***" in text and link.split("/")[1] not in text


def test_a_report_logs_no_query(two):
    """A gateway may add the number, or the text with the code."""
    session = two.browser().session
    for headers, status in (({}, 404), ({"Cookie": "a=" + "b" * 8200}, 400)):
        assert (
            session.get(
                two.url + "report/abcdef?to=905551234567&text=246813", headers=headers, timeout=20
            ).status_code
            == status
        )

    def lines():
        with open(two.pieces, encoding="utf-8") as file:
            return [line for line in file if "/report/" in line]

    assert two.wait(lambda: len(lines()) == 2)
    assert not [
        text
        for text in [*lines(), *logs_of(two).values()]
        if re.search("5551234567|246813|abcdef", text)
    ]


# Mailed links when memcached fails


def test_a_lost_answer_costs_no_link(two, lossy):
    browser, s, word = two.browser(), two.new_subscriber(), "turuncu kayık güvertesi"
    link = browser.reset_link(s)
    assert browser.get(link).status == 303
    lossy.lose, lossy.lost = b"delete reset:", []
    page = browser.post("reset/word", {"word": word, "again": word})
    assert (page.status, page.name) == (503, "unavailable")
    assert lossy.lost == [b"DELETED\r\n"] and lossy.lose is None
    assert browser.get(link).status == 303
    page = browser.post("reset/word", {"word": word, "again": word})
    assert page.status == 303 and page.location.endswith("/reset/done")
    assert two.browser().login(s, word).status == 303 and browser.get(link).status == 410


def test_try_again_leads_to_the_link(two):
    browser, s = two.browser(), two.new_subscriber()
    link = browser.reset_link(s)
    memcached = pid_of(two.env["MEMCACHED_PID"])
    rough.halt(memcached)
    try:
        page = browser.get(link)
        html = browser.html(link)
    finally:
        os.kill(memcached, signal.SIGCONT)
    assert (page.status, page.name, page.xml.find("again").get("href")) == (503, "unavailable", "")
    assert (
        html.status_code == 503
        and re.search(r'<a\b[^>]*href=""', html.text)
        and "***" not in html.text
    )
    again = two.wait(
        lambda: (found := browser.get(urllib.parse.urljoin(browser.url(link), ""))).status != 503
        and found
    )
    assert again.status == 303 and again.location.endswith("/reset/word")
    assert browser.get("reset/word").name == "reset-word"
