# SPDX-License-Identifier: Apache-2.0
"""test_attacks.py: attacks that worked once, kept."""

import base64
import concurrent.futures
import contextlib
import glob
import hashlib
import hmac
import os
import pwd
import random
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import tempfile
import time
import urllib.parse
import zlib

import pytest

import portal as parts
import rough
from portal import pid_of, running

SECOND = "second.example.org"


@pytest.fixture(scope="module")
def folder():
    """A folder that the children's user reaches."""
    made = tempfile.mkdtemp(prefix="mod_esign-test.", dir="/var/tmp")
    os.chmod(made, 0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def lossy(folder):
    server = rough.Lossy(os.path.join(folder, "memcached.sock"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def two(make_portal, folder, lossy):
    """Two name-based hosts over one database, the second one stricter; HTTP/2, a proxy's word on addresses, logs at their most talkative, and a memcached whose answers get lost."""
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


@pytest.fixture(scope="module")
def dear(make_portal, folder):
    """Database connections are as few as the manual allows; hashes cost more than those that are stored; catalogues can be broken; the mail server is whoever listens on
    `mail_port`."""
    htdocs, include = os.path.join(folder, "htdocs"), os.path.join(folder, "dear.conf")
    shutil.copytree(os.path.join(parts.TOP, "htdocs"), htdocs)
    mail = parts.free_port()
    with open(include, "w") as file:
        file.write(
            'DBDMax 17\nEsignHashMemory 65536\nEsignHtdocs "%s"\nEsignMail smtp://127.0.0.1:%d\n'
            % (htdocs, mail)
        )
    portal = make_portal("--include", include)
    portal.htdocs, portal.mail_port = htdocs, mail
    yield portal
    portal.stop()


class SlowMail(rough.Server):
    """A mail server that thinks `pause` seconds over each mail, keeps when it took whose, and hangs up when it hears the address `unheard`."""

    def __init__(self, port, pause):
        self.pause, self.taken, self.unheard = pause, [], None
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        super().__init__(listener)

    def serve(self, connection):
        connection.sendall(b"220 here\r\n")
        text, whose = False, None
        for line in connection.makefile("rb"):
            word = line.split(None, 1)[0].decode().upper() if line.strip() else ""
            if text and word != ".":
                continue
            if word == "RCPT":
                whose = line.decode()
                if self.unheard and self.unheard in whose:
                    return
            if text:
                time.sleep(self.pause)
                self.taken.append((time.monotonic(), whose))
            text = word == "DATA"
            connection.sendall(
                {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 fine\r\n")
            )


def logs_of(portal):
    found = {}
    for path in glob.glob(portal.env["LOGS"] + "/*.log"):
        with open(path, encoding="utf-8", errors="replace") as file:
            found[os.path.basename(path)] = file.read()
    return found


# Who watches what the courier does


@pytest.fixture(scope="module")
def slow(make_portal, folder):
    """One connection to a mail server that takes half a second for a mail."""
    include, port = os.path.join(folder, "slow.conf"), parts.free_port()
    with open(include, "w") as file:
        file.write("EsignMail smtp://127.0.0.1:%d\nEsignMailConnections 1\n" % port)
    portal, portal_mail = make_portal("--include", include), SlowMail(port, 0.5)
    portal.mail = portal_mail
    yield portal
    portal_mail.close()
    portal.stop()


def test_the_delay_of_ones_own_mail_tells_of_nobody(slow):
    """A request for somebody else, registered or not, takes as long as a mail."""
    browser, delays = slow.browser(), {}

    def own_mail_behind(numbers):
        own = slow.new_subscriber()
        forms = [
            {"id": number, "challenge": browser.get("reset").challenge()}
            for number in numbers + [own.id]
        ]
        answers = slow.ctl(
            "captcha", "answer", "-", stdin="".join(form["challenge"] + "\n" for form in forms)
        ).split()
        for form, answer in zip(forms, answers):
            assert browser.post("reset", dict(form, answer=answer)).status == 303
        began = time.monotonic()
        taken = slow.wait(
            lambda: [moment for moment, whose in slow.mail.taken if own.email in whose]
        )
        assert taken and slow.wait(lambda: slow.sql("SELECT COUNT(*) FROM outbox") == [(0,)])
        return taken[0] - began

    own_mail_behind([])
    for name, number in (("known", slow.new_subscriber().id), ("unknown", parts.tckn())):
        delays[name] = own_mail_behind([number] * 3)
    # A reload, as each night's, forgets nothing.
    rough.httpd(slow, "graceful")
    time.sleep(2)
    delays["unknown, after a reload"] = own_mail_behind([parts.tckn()] * 3)
    assert min(delays.values()) > 1.2 and max(delays.values()) - min(delays.values()) < 0.5, delays


def test_a_slow_mail_server_holds_up_no_code(slow):
    subscriber, browser, other = slow.new_subscriber(), slow.browser(), slow.browser()
    assert browser.login(subscriber).status == 303
    slow.mail.pause = 3
    for _ in range(2):
        other.ask_reset(subscriber.id)
    time.sleep(0.5)
    began = time.monotonic()
    browser.confirm(subscriber)
    assert time.monotonic() - began < 1.5
    slow.mail.pause = 0


def test_a_mail_that_makes_the_server_fail_keeps_no_other_back(slow):
    """Failures in a row have the server left alone; what finds out whether it answers again is not the same mail for ever."""
    subscriber, other = slow.new_subscriber(), slow.new_subscriber()
    slow.mail.unheard = subscriber.email
    browser = slow.browser()
    browser.sign_in(subscriber)  # a notice goes before all requests
    for _ in range(2):
        browser.ask_reset(subscriber.id)
    assert slow.wait(lambda: re.search(r"mail server 127\.0\.0\.1:\d+ is left alone", slow.log()))
    browser.ask_reset(other.id)
    assert slow.wait(lambda: [whose for _, whose in slow.mail.taken if other.email in whose])
    slow.mail.unheard = None
    assert slow.wait(lambda: slow.sql("SELECT COUNT(*) FROM outbox") == [(0,)], 60)


# Who takes up the server's time and room


def add_events(portal, subscriber, event):
    """999 rows that nobody sealed: they count, and are kept out of the chain."""
    first, now = random.randrange(2**61), int(time.time() * 1000000)
    portal.sql(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 998) INSERT INTO audit (id, time, node, event, subscriber, address, position, chain, seal) "
        "SELECT %d + i, %d, 'x', '%s', %d, 'x', NULL, NULL, 'x' FROM n"
        % (first, now, event, portal.row(subscriber))
    )
    ours = "FROM audit WHERE id >= %d AND id < %d" % (first, first + 999)
    assert portal.wait(lambda: portal.sql("SELECT COUNT(*) %s AND chain IS NULL" % ours) == [(0,)])
    return ours


@pytest.mark.expects_log("was not written by mod_esign", r"so are \d+ more")
def test_an_account_does_not_fill_memcached(portal, subscriber):
    """Each sign-in costs a session and a row of the trail: a thousand in a quarter of an hour are as many as anybody may have."""
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
    """Each view of a PIN and each end of sessions is a row, and looks through the rows before it in a transaction, for which others wait."""
    browser, s = portal.browser(), portal.new_subscriber()
    browser.sign_in(s)
    assert browser.post(path).status == success
    ours = add_events(portal, s, event)
    assert (browser.post(path).status, rough.audit_rows(portal, s, event)) == (503, 1000)
    portal.sql("DELETE " + ours)
    assert browser.post(path).status == success


def test_slow_readers_keep_nobody_out(dear):
    """An answer that nobody takes holds no database connection, of which each of the two children has seventeen."""
    other, waiting, browser = dear.browser(), dear.browser(), dear.browser()
    other.sign_in(dear.new_subscriber())
    s = dear.new_subscriber()
    assert waiting.login(s).status == 303
    browser.sign_in(dear.new_subscriber())
    # A long page.
    for _ in range(30):
        assert browser.post("pin").status == 200
    readers = []
    try:
        for _ in range(60):
            raw = rough.Raw(dear, small=True)
            readers.append(raw)
            raw.socket.settimeout(0.5)
            try:
                raw.send(raw.head("GET", "activity", Cookie=rough.cookies(browser)) * 200)
            except TimeoutError:
                pass
        time.sleep(1)
        began = time.monotonic()
        # On new connections, which either child may take.
        for _ in range(6):
            assert (
                dear.browser().get("menu", headers={"Cookie": rough.cookies(other)}).name == "menu"
            )
        menu = time.monotonic() - began
        waiting.confirm(s)
        sms = time.monotonic() - began - menu
        assert menu < 3 and sms < 3, (menu, sms)
    finally:
        for raw in readers:
            raw.close()


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
    """Of all behind one address those who guess kept out the others; a browser in which somebody has signed in has tries of its own for them, no more than others and for nobody else."""
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
    """Whom no subscriber follows in the index has no stand-in: with a cookie of any kind its number ended the child, and what the others asked of it."""
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
    """Each /64 of a /48 has a count of its own: a machine with 65,536 of them had no limit, and filled the trail and memcached."""

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


def test_a_burst_of_wrong_words_counts_up_to_the_wait(portal, subscriber):
    """All of a burst were judged by the row as it was before: two bursts closed an account, which takes days of waits."""
    browsers = [portal.browser() for _ in range(24)]
    forms = [browser.login_fields(subscriber, "yanlış ama uzun sözcük") for browser in browsers]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        pages = list(pool.map(lambda pair: pair[0].post("login", pair[1]), zip(browsers, forms)))
    assert all((page.status, page.problems()) == (422, [("word", "credentials")]) for page in pages)
    ((failures, left),) = portal.sql(
        "SELECT failures, wait_until FROM subscriber WHERE id = ?", portal.row(subscriber)
    )
    assert failures == 5 and left / 1e6 - time.time() <= 30


# What is mailed


def grey(png):
    """The pixels of a picture of 200 by 60, 0 to 15."""
    packed, place = b"", 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        packed += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += 12 + length
    rows = zlib.decompress(packed)
    return [
        half
        for y in range(60)
        for pair in rows[y * 101 + 1 : (y + 1) * 101]
        for half in (pair >> 4, pair & 15)
    ]


def test_no_picture_can_be_computed(portal):
    """Of all answers, the one whose specks were in the picture was the right one: they followed from answer and challenge alone, and were found in a second."""
    browser = portal.browser()
    challenge = browser.get("login").challenge()
    pixels = grey(browser.get("captcha/%s.png" % challenge).response.content)
    digest = hmac.digest(
        hashlib.sha256(challenge.encode()).digest(), portal.answer(challenge).encode(), "sha256"
    )
    state, places = int.from_bytes(digest[:8], "little") | 1, []
    for _ in range(36 + 260):
        state ^= state >> 12
        state ^= state << 25 & 2**64 - 1
        state ^= state >> 27
        places.append((state * 0x2545F4914F6CDD1D >> 32 & 2**32 - 1) % len(pixels))
    found = sum(5 <= pixels[place] <= 10 for place in places[36:])
    assert len(pixels) == 12000 and found < 130, (
        "%d of 260 specks are where they were computed" % found
    )


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


@pytest.mark.parametrize(
    "step,answer,state",
    [
        ("greeting", "554 5.7.1 your address is on a list", "waiting"),
        ("EHLO", "550 5.7.1 you are not welcome", "waiting"),
        ("RCPT", "550 5.1.1 nobody of this name", "dead"),
        (".", "554 5.6.0 not this text", "dead"),
    ],
)
def test_a_mail_dies_of_its_own_fault_alone(dear, step, answer, state):
    server = rough.RudeMail(dear.mail_port, step, answer)
    try:
        # Of a server that has failed, only the oldest message finds out whether it answers again: none waits, and nothing is known of it.
        left = [row.split()[0] for row in dear.ctl("outbox", "list").splitlines()[1:]]
        assert not left or dear.wait(
            lambda: dear.ctl("outbox", "drop", *left, ok=False)
            and not dear.ctl("outbox", "list").splitlines()[1:]
        )
        rough.httpd(dear, "graceful")
        dear.browser().ask_reset(dear.new_subscriber().id)

        def tried():
            rows = dear.ctl("outbox", "list").splitlines()[1:]
            return [row for row in rows if re.search(r" [1-9]\d*  [^-]", row)]

        rows = dear.wait(tried)
        assert len(rows) == 1 and re.match(
            r"\d+ +reset-request +%s .* 1  mail server 127\.0\.0\.1:\d+: %s$"
            % (state, re.escape(answer)),
            rows[0],
        ), rows
    finally:
        server.close()


def test_ten_views_of_the_pin_are_one_mail(portal):
    browser, s = portal.browser(), portal.new_subscriber()
    browser.sign_in(s)
    for _ in range(10):
        assert browser.post("pin").status == 200
    assert rough.audit_rows(portal, s, "pin-shown") == 10
    assert portal.wait(lambda: len(portal.ctl("outbox", "list").splitlines()) == 1)
    subjects = sorted(m["Subject"].partition(": ")[2] for m in portal.mails(s.email))
    assert subjects == [
        "Hesabınıza yeni bir cihazdan giriş yapıldı",
        "PIN/PUK bilginiz görüntülendi",
    ]


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
            # A short number can stand in a time or an address by chance: it counts where no digit is beside it.
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


# Sessions


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
        # Time to be read and looked at.
        time.sleep(0.5)
        assert browser.post("logout").status == 303
        raw.send(b"a=b")
        answer = raw.answer()
    finally:
        raw.close()
    assert answer.startswith("HTTP/1.1 403 ") and 'name="expired"' in answer
    assert s.cards[0]["pin"] not in answer and s.cards[0]["puk"] not in answer
    assert rough.audit_rows(portal, s, "pin-shown") == 0


def test_racing_new_words_are_one(portal):
    """Each of a burst changed the word, wrote a row and a mail: one that waited for its hash outlived the session that its owner had ended meanwhile."""
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


# The hash of the word


def test_a_dearer_hash_tells_nobody(dear):
    """Stored hashes are cheaper than new ones until their owners sign in again: no reason to answer sooner."""
    known = [dear.new_subscriber() for _ in range(4)]
    assert all(
        "m=19456," in dear.sql("SELECT word_hash FROM subscriber WHERE id = ?", dear.row(s))[0][0]
        for s in known
    )
    browser, times = dear.browser(), {"known": [], "unknown": []}
    for turn in range(16):
        # Four a person: no wait begins.
        for kind, number in (("known", known[turn % 4].id), ("unknown", parts.tckn())):
            challenge = browser.get("login").challenge()
            fields = {
                "id": number,
                "word": "yanlış ama uzun sözcük",
                "challenge": challenge,
                "answer": dear.answer(challenge),
            }
            began = time.perf_counter()
            page = browser.post("login", fields)
            times[kind].append(time.perf_counter() - began)
            assert page.problems() == [("word", "credentials")]
    one, other = (statistics.median(times[kind]) for kind in ("known", "unknown"))
    assert abs(one - other) < 0.25 * max(one, other), times


def test_a_lost_key_tells_nobody(dear):
    s = dear.new_subscriber()
    ((stored,),) = dear.sql("SELECT word_hash FROM subscriber WHERE id = ?", dear.row(s))
    head, sealed = stored.rsplit("$", 1)
    frame = bytearray(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
    assert frame[1] == 1
    frame[1] = 9
    dear.sql(
        "UPDATE subscriber SET word_hash = ? WHERE id = ?",
        "%s$%s" % (head, base64.urlsafe_b64encode(frame).decode().rstrip("=")),
        dear.row(s),
    )
    dear.new_log_lines()
    page = dear.browser().login(s)
    assert (page.status, page.problems()) == (422, [("word", "credentials")])
    lines = [line for line in dear.new_log_lines() if ":error]" in line]
    assert len(lines) == 1 and "key" in lines[0] and s.word not in lines[0], lines


# That of the hashes, and the turn of those who write to SQLite.
GATES = 2


def test_a_removed_gate_is_told_and_made_anew(dear):
    s = dear.new_subscriber()
    gates = rough.gates_of(dear)
    assert len(gates) == GATES
    subprocess.run(["ipcrm", *(word for gate in gates for word in ("-s", gate))], check=True)
    dear.new_log_lines()
    browser = dear.browser()
    page = browser.login(s)
    assert (page.status, page.name) == (503, "unavailable") and page.response.headers["Retry-After"]
    lines = [line for line in dear.new_log_lines() if ":error]" in line]
    assert len(lines) == 1 and "gate" in lines[0], lines
    rough.httpd(dear, "graceful")
    # Children of before may answer for a moment more.
    assert dear.wait(lambda: dear.browser().login(s).status == 303)
    gates = rough.gates_of(dear)
    assert len(gates) == GATES
    rough.httpd(dear, "stop")
    assert dear.wait(lambda: not os.path.exists(dear.env["HTTPD_PID"]))
    assert dear.wait(lambda: not gates & rough.semaphore_sets())
    rough.httpd(dear, "start")
    assert dear.browser().login(s).status == 303


def test_a_reload_keeps_the_gates(dear):
    """Children of before it and after it hash and write by turns with each other."""
    s, gates, before = (
        dear.new_subscriber(),
        rough.gates_of(dear),
        dear.log().count("resuming normal operations"),
    )
    rough.httpd(dear, "graceful")
    assert dear.wait(lambda: dear.log().count("resuming normal operations") > before)
    assert dear.browser().login(s).status == 303
    assert len(gates) == GATES and dear.wait(lambda: rough.gates_of(dear) == gates)


@pytest.mark.skipif(os.geteuid() != 0, reason="httpd has no user of its own to change")
def test_another_user_of_httpd_gets_the_gates_with_a_reload(dear):
    """In their turn, whoever they were made for."""
    s, gates = dear.new_subscriber(), rough.gates_of(dear)
    with open(dear.env["HTTPD_CONF"]) as file:
        before = file.read()
    user = re.search("^User (.*)$", before, re.M).group(1)
    try:
        for name in ("games", user):
            with open(dear.env["HTTPD_CONF"], "w") as file:
                file.write(re.sub("^User .*$", "User " + name, before, flags=re.M))
            rough.httpd(dear, "graceful")
            told = lambda: [
                subprocess.run(["ipcs", "-s", "-i", gate], capture_output=True, text=True).stdout
                for gate in gates
            ]
            assert gates and dear.wait(
                lambda: all("uid=%d\t" % pwd.getpwnam(name).pw_uid in one for one in told())
            ), told()
    finally:
        with open(dear.env["HTTPD_CONF"], "w") as file:
            file.write(before)
        rough.httpd(dear, "graceful")
    assert dear.wait(lambda: dear.browser().login(s).status == 303)


@contextlib.contextmanager
def without_catalogue(portal):
    catalogue = os.path.join(portal.htdocs, "messages.en.xml")
    os.rename(catalogue, catalogue + ".away")
    yield
    os.rename(catalogue + ".away", catalogue)


@contextlib.contextmanager
def with_an_unknown_directive(portal):
    with open(portal.env["HTTPD_CONF"], "r+") as file:
        before = file.read()
        file.write("NoSuchDirective\n")
        file.flush()
        yield
        file.seek(0)
        file.truncate()
        file.write(before)


@pytest.mark.parametrize("broken", [without_catalogue, with_an_unknown_directive])
def test_a_broken_reload_leaves_no_gate(dear, broken):
    gates = rough.gates_of(dear)
    assert len(gates) == GATES
    parent = pid_of(dear.env["HTTPD_PID"])
    with broken(dear):
        # `-k graceful` would check the configuration first, and refuse.
        os.kill(parent, signal.SIGUSR1)
        gone = dear.wait(lambda: not gates & rough.semaphore_sets())
    # httpd ends over it, and starts as ever once it is whole again.
    assert gone and dear.wait(lambda: not running(parent))
    # It leaves its pid file, too, which speaks of a running httpd until somebody has waited for the ended one.
    os.unlink(dear.env["HTTPD_PID"])
    rough.httpd(dear, "start")
    assert dear.browser().login(dear.new_subscriber()).status == 303
    assert len(rough.gates_of(dear)) == GATES
