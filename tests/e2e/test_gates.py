# SPDX-License-Identifier: Apache-2.0
"""test_gates.py: what all requests share and wait for: database connections, the mail server, the
gates of hashes and of writers to SQLite.
"""

import base64
import contextlib
import os
import pwd
import re
import shutil
import signal
import statistics
import subprocess
import time

import pytest

import portal as parts
import rough
from portal import pid_of, running


@pytest.fixture(scope="module")
def dear(make_portal, folder):
    """A portal with scarce resources.

    It has as few database connections as the manual allows, and new hashes that cost more than
    stored ones. Its catalogues can be broken. Its mail server is any that listens on `mail_port`.
    """
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


# Who takes up the server's time and room


def test_slow_readers_keep_nobody_out(dear):
    """An answer that nobody reads holds no database connection, of which each of the two children
    has seventeen.
    """
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
        time.sleep(1)  # httpd reads and answers what it can; nothing shows that it is done
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


# What is mailed


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
        # After a failure of the server only the oldest message is tried: no other may wait, and the
        # server's state must be unknown.
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


# The hash of the word


def test_a_dearer_hash_tells_nobody(dear):
    """Stored hashes are cheaper than new ones until their owners sign in again. The answer must not
    come sooner for them.
    """
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
    # The pid file stays, and names a process that is not reaped yet: httpd would not start.
    os.unlink(dear.env["HTTPD_PID"])
    rough.httpd(dear, "start")
    assert dear.browser().login(dear.new_subscriber()).status == 303
    assert len(rough.gates_of(dear)) == GATES
