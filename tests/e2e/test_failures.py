# SPDX-License-Identifier: Apache-2.0
"""test_failures.py: secrets in logs and memory, and parts that fail."""

import base64
import concurrent.futures
import contextlib
import glob
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import pytest
import requests

import portal as parts
import sealed
from portal import pid_of, running
from rough import children_of, halt


def test_no_secret_reaches_a_log(make_portal):
    """The whole journey with every log at trace8, then a search for each secret of it."""
    portal = make_portal("--log-level", "trace8")
    browser, s = portal.browser(), portal.new_subscriber()
    secrets = [s.word, s.cards[0]["pin"], s.cards[0]["puk"]]
    link = browser.reset_link(s)
    secrets.append(link.split("/", 1)[1])
    browser.get(link)
    secrets.append(browser.session.cookies.get("__Host-esign-reset"))
    word = "turuncu kayık güvertesi"
    secrets.append(word)
    assert browser.post("reset/word", {"word": word, "again": word}).status == 303
    wrong = browser.login_fields(s, "yanlış ama uzun sözcük")
    secrets += ["yanlış ama uzun sözcük", wrong["answer"]]
    browser.post("login", wrong)
    fields = browser.login_fields(s, word)
    secrets.append(fields["answer"])
    assert browser.post("login", fields).status == 303
    secrets.append(browser.session.cookies.get("__Host-esign"))
    code = browser.confirm(s)
    secrets.append(code)
    assert browser.post("otp/code", {"code": code}).status == 303
    secrets.append(browser.session.cookies.get("__Host-esign"))
    assert browser.post("pin").status == 200
    browser.post("logout")
    with open(os.path.join(portal.dir, "conf", "keys")) as file:
        secrets += [line.split()[2] for line in file if line.startswith("key ")]
    assert all(secrets) and len(secrets) == 13
    logs = {
        path: open(path, encoding="utf-8", errors="replace").read()
        for path in glob.glob(portal.env["LOGS"] + "/*.log")
    }
    assert "/esign/reset/***" in logs[portal.env["LOGS"] + "/access.log"]
    for secret in secrets:
        for form in {
            secret,
            parts.urllib.parse.quote(secret),
            parts.urllib.parse.quote_plus(secret),
            base64.b64encode(secret.encode()).decode(),
        }:
            for path, text in logs.items():
                # A short number can be in a time or an address by chance: it counts where no digit
                # is beside it.
                pattern = (
                    r"(?<![\d.:])%s(?![\d.:])" % re.escape(form)
                    if form.isdigit()
                    else re.escape(form)
                )
                found = [line for line in text.splitlines() if re.search(pattern, line)]
                assert not found, (form, path, found[0])
    portal.stop()


def test_children_leave_no_core_file(make_portal, tmp_path):
    include = tmp_path / "core.conf"
    include.write_text("CoreDumpDirectory /var/tmp\n")
    portal = make_portal("--include", str(include))
    assert portal.browser().get("login").status == 200
    children = subprocess.run(
        ["pgrep", "-P", str(pid_of(portal.env["HTTPD_PID"]))], capture_output=True, text=True
    ).stdout.split()
    # The kernel gives the files of a process that it would not dump to root.
    assert children and all(os.stat("/proc/%s/environ" % child).st_uid == 0 for child in children)
    portal.stop()


def test_database_and_memcached_keep_nothing_in_clear(portal):
    """In the midst of a sign-in, with an unused link, a code that was sent and a PIN that was
    shown.
    """
    browser, half, s = (
        portal.browser(),
        portal.browser(),
        portal.new_subscriber(name="Gizli Kalacak Kişi"),
    )
    browser.sign_in(s)
    browser.post("pin")
    link = browser.reset_link(s)
    portal.sql("UPDATE subscriber SET sms_last = 0 WHERE id = ?", portal.row(s))
    half.login(s)
    code = half.confirm(s)
    texts = [
        s.id,
        s.name,
        s.email,
        s.phone,
        s.phone[1:],
        s.word,
        s.cards[0]["pin"],
        s.cards[0]["puk"],
        code,
        link.split("/")[1],
    ]
    texts += [one.session.cookies.get("__Host-esign") for one in (browser, half)]
    content = b""
    for path in glob.glob(portal.env["DATABASE"] + "*"):
        with open(path, "rb") as file:
            content += file.read()
    with sealed.Memcached(portal) as memcached:
        names = memcached.names()
        kinds = {name.partition(b":")[0] for name in names}
        assert kinds >= {b"session", b"captcha", b"reset"}, kinds
        # Every value opens as it should. The row number in clear would be enough to find the
        # person.
        assert b"subscriber" in memcached.open(
            next(name for name in names if name.startswith(b"reset:"))
        )
        content += b"\n".join(names) + b"\n".join(memcached.get(name) or b"" for name in names)
    for clear in texts:
        # A short number may be in a long one by chance.
        pattern = rb"(?<!\d)%s(?!\d)" if clear.isdigit() and len(clear) < 11 else rb"%s"
        assert not re.search(pattern % re.escape(clear.encode()), content), clear


@pytest.mark.expects_log("memcached", "AH01816", "AH01822")
def test_memcached_down_fails_closed_and_comes_back(make_portal):
    portal = make_portal()
    browser, s = portal.browser(), portal.new_subscriber()
    browser.sign_in(s)
    fields = portal.browser().login_fields(s)
    pid = pid_of(portal.env["MEMCACHED_PID"])
    command = open("/proc/%d/cmdline" % pid, "rb").read().decode().split("\0")[:-1]
    os.kill(pid, signal.SIGTERM)
    portal.wait(lambda: not running(pid))
    for page in (browser.get("menu"), browser.post("pin"), browser.post("login", fields)):
        assert (page.status, page.name) == (503, "unavailable")
        assert page.response.headers["Retry-After"]
    assert browser.get("login").status == 200
    if os.path.exists(portal.env["MEMCACHED"]):
        os.unlink(portal.env["MEMCACHED"])
    subprocess.run(command, check=True)
    assert portal.wait(lambda: browser.get("menu").status == 403)
    # Each child's first write over a connection to the old one answers "try again" once more.
    assert portal.wait(lambda: all([portal.browser().login(s).status == 303 for _ in range(8)]))
    portal.sql("UPDATE subscriber SET sms_last = 0 WHERE id = ?", portal.row(s))
    portal.browser().sign_in(s)
    portal.stop()


@pytest.mark.expects_log("memcached", "AH01822")
def test_a_sign_out_that_failed_is_tried_again_where_its_button_is(make_portal):
    """The address of the sign-out takes no GET: its "try again" led to a refusal, and the session
    stayed.
    """
    portal = make_portal()
    memcached = pid_of(portal.env["MEMCACHED_PID"])
    for finished in (False, True):
        browser, s = portal.browser(), portal.new_subscriber()
        assert (browser.sign_in(s) if finished else browser.login(s).status) in (None, 303)
        halt(memcached)
        try:
            page = browser.post("logout")
        finally:
            os.kill(memcached, signal.SIGCONT)
        assert (page.status, page.name) == (503, "unavailable")
        href = page.xml.find("again").get("href")
        assert {link.get("href") for link in page.xml.iter("language")} == {
            href + "?lang=tr",
            href + "?lang=en",
        }
        page = portal.wait(lambda: (found := browser.get(href)).status != 503 and found)
        while page.status == 303:
            page = browser.get(page.location)
        # memcached may have got as far as reading the deletion, and have done it since.
        assert page.status == 403 or (
            page.status == 200 and page.name == ("menu" if finished else "otp")
        )
        assert browser.post("logout").status == 303 and browser.get("menu").status == 403
    portal.stop()


def test_database_read_only_for_a_while(make_portal):
    """SQLite keeps a file that it opened write-protected so, for the life of the process: such
    children end.
    """
    portal = make_portal()
    files, folder = glob.glob(portal.env["DATABASE"] + "*"), os.path.dirname(portal.env["DATABASE"])
    owner = os.stat(folder)
    s = portal.new_subscriber()
    for path in files:
        os.chmod(path, 0o444)
        os.chown(path, os.geteuid(), os.getegid())
    for pid in children_of(pid_of(portal.env["HTTPD_PID"])):
        os.kill(pid, signal.SIGKILL)
    assert portal.wait(lambda: "attempt to write a readonly database" in portal.log())
    browser = portal.browser()
    challenge = browser.get("reset").challenge()
    assert (
        browser.post(
            "reset", {"id": s.id, "challenge": challenge, "answer": portal.answer(challenge)}
        ).status
        == 503
    )
    assert portal.wait(lambda: portal.env["DATABASE"] + " is write-protected" in portal.log())
    # The files that SQLite made beside it have its old mode.
    for path in glob.glob(portal.env["DATABASE"] + "*"):
        os.chown(path, owner.st_uid, owner.st_gid)
        os.chmod(path, 0o644)

    def taken():
        browser = portal.browser()
        try:
            challenge = browser.get("reset").challenge()
            return (
                browser.post(
                    "reset",
                    {"id": s.id, "challenge": challenge, "answer": portal.answer(challenge)},
                ).status
                == 303
            )
        except requests.exceptions.ConnectionError:  # of a child that ends
            return False

    assert portal.wait(lambda: all(taken() for _ in range(4)))
    assert "was opened while it was write-protected: this child ends" in portal.log()
    assert portal.wait(lambda: portal.mails(s.email))
    portal.stop()


@pytest.mark.expects_log("a transaction cannot begin: database is locked")
def test_a_code_is_not_used_up_by_a_database_that_fails(portal, browser, subscriber):
    browser.login(subscriber)
    code = browser.confirm(subscriber)
    with contextlib.closing(
        sqlite3.connect(portal.env["DATABASE"], isolation_level=None)
    ) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert browser.post("otp/code", {"code": code}).status == 503
    assert browser.get("otp/code").xml.find("code").get("tries") == "2"
    page = browser.post("otp/code", {"code": code})
    assert page.status == 303 and page.location.endswith("/menu")
    assert browser.get("menu").status == 200


def test_who_waits_for_a_turn_to_write_keeps_nobody_from_reading(portal, browser, subscriber):
    """More views of the PIN than both children have connections, while somebody else writes for
    longer than a moment.
    """
    browser.sign_in(subscriber)

    def show(_):
        other = portal.browser()
        other.session.cookies = browser.session.cookies.copy()
        return other.post("pin").status

    with contextlib.closing(
        sqlite3.connect(portal.env["DATABASE"], isolation_level=None)
    ) as connection, concurrent.futures.ThreadPoolExecutor(40) as pool:
        connection.execute("BEGIN IMMEDIATE")
        shown = [pool.submit(show, n) for n in range(40)]
        parts.wait_until(lambda: portal.workers() > 40, "all views of the PIN are at work")
        assert [browser.get("menu").status for _ in range(4)] == 4 * [200]
        assert not any(answer.done() for answer in shown)
        connection.execute("ROLLBACK")
        assert [answer.result() for answer in shown] == 40 * [200]


@pytest.mark.expects_log("a transaction cannot begin: database is locked")
def test_who_waited_for_a_turn_in_vain_keeps_no_connection_from_who_has_it(
    portal, browser, subscriber
):
    """Requests that had waited too long kept all connections, and queued once more after newer
    ones. The newer ones had the turn to write and waited for a connection: eight requests in five
    seconds.
    """
    browser.sign_in(subscriber)

    def show(_):
        answers = []
        for _ in range(4):
            other = portal.browser()  # httpd closes connections that wait when it has much to do
            other.session.cookies = browser.session.cookies.copy()
            answers.append(other.post("pin").status)
        return answers

    with contextlib.closing(
        sqlite3.connect(portal.env["DATABASE"], isolation_level=None)
    ) as connection, concurrent.futures.ThreadPoolExecutor(60) as pool:
        connection.execute("BEGIN IMMEDIATE")
        refused = portal.log().count("a transaction cannot begin")
        shown = [pool.submit(show, n) for n in range(60)]
        parts.wait_until(
            lambda: portal.log().count("a transaction cannot begin") - refused >= 16,
            "requests whose patience is over",
        )
        connection.execute("ROLLBACK")
        assert not concurrent.futures.wait(shown, timeout=12).not_done
        assert all(answer.result()[-1] == 200 for answer in shown)


@pytest.mark.expects_log(
    "a transaction cannot begin: database is locked", "error while saving the session"
)
@pytest.mark.parametrize("database", ["comes back", "fails"])
def test_a_sign_out_while_the_right_code_waits_for_the_database_stands(
    portal, browser, subscriber, database
):
    browser.login(subscriber)
    code = browser.confirm(subscriber)
    other = portal.browser()
    other.session.cookies = browser.session.cookies.copy()
    with contextlib.closing(
        sqlite3.connect(portal.env["DATABASE"], isolation_level=None)
    ) as connection, concurrent.futures.ThreadPoolExecutor(1) as pool:
        connection.execute("BEGIN IMMEDIATE")
        answer = pool.submit(browser.post, "otp/code", {"code": code})
        assert portal.wait(lambda: other.get("otp").status == 403)
        out = portal.browser()
        out.session.cookies = other.session.cookies.copy()
        assert out.post("logout").status == 303
        if database == "comes back":
            connection.execute("ROLLBACK")
        assert answer.result().status == 503
    assert browser.get("menu").status == 403 and other.get("otp").status == 403


def test_mail_server_down_loses_nothing(make_portal):
    portal = make_portal()
    browser, s = portal.browser(), portal.new_subscriber()
    receiver = pid_of(os.path.join(portal.dir, "receiver.pid"))
    command = open("/proc/%d/cmdline" % receiver, "rb").read().decode().split("\0")[:-1]
    os.kill(receiver, signal.SIGTERM)
    portal.wait(lambda: not running(receiver))
    browser.ask_reset(s.id)
    assert portal.wait(
        lambda: re.search(r"reset-request\s+waiting.*[1-9]\d*  \S", portal.ctl("outbox", "list"))
    )
    again = subprocess.Popen(
        command,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with open(os.path.join(portal.dir, "receiver.pid"), "w") as file:
        file.write(str(again.pid))
    assert portal.wait(lambda: portal.mails(s.email), 30)
    portal.wait(lambda: len(portal.ctl("outbox", "list").splitlines()) == 1)
    assert len(portal.ctl("outbox", "list").splitlines()) == 1
    portal.stop()
    again.wait(10)


AHEAD = """
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* In libc's place: the clock that people read is an hour ahead while a file is there. */
int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec right;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &right);
    now->tv_sec = right.tv_sec + (access("%s", F_OK) == 0 ? 3600 : 0);
    now->tv_usec = right.tv_nsec / 1000;
    return 0;
}
"""


def test_a_clock_that_is_set_back_leaves_no_server_alone(make_portal):
    """A machine may start with a wrong clock, and its mail server late."""
    folder = tempfile.mkdtemp(prefix="mod_esign-test.", dir="/var/tmp")
    os.chmod(folder, 0o755)
    ahead, library = os.path.join(folder, "ahead"), os.path.join(folder, "ahead.so")
    open(ahead, "w").close()
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library],
        input=AHEAD % ahead,
        check=True,
        text=True,
    )
    # A library of a sanitizer wants to be the first.
    portal = make_portal(
        LD_PRELOAD=library,
        ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
    )
    early, late = portal.new_subscriber(), portal.new_subscriber()
    receiver = pid_of(os.path.join(portal.dir, "receiver.pid"))
    command = open("/proc/%d/cmdline" % receiver, "rb").read().decode().split("\0")[:-1]
    os.kill(receiver, signal.SIGTERM)
    portal.wait(lambda: not running(receiver))
    portal.browser().ask_reset(early.id)
    assert portal.wait(lambda: "is left alone" in portal.log())
    os.unlink(ahead)
    again = subprocess.Popen(
        command,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with open(os.path.join(portal.dir, "receiver.pid"), "w") as file:
        file.write(str(again.pid))
    portal.browser().ask_reset(late.id)
    portal.wait_mail(late.email)
    portal.stop()
    again.wait(10)
    shutil.rmtree(folder)
