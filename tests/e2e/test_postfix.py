# SPDX-License-Identifier: Apache-2.0
"""test_postfix.py: mail through Debian's Postfix: over TLS, with sign-in, by its sendmail command;
when it refuses, hangs or is dead.
"""

import contextlib
import email.utils
import os
import re
import subprocess
import time

import pytest

import portal as parts
import postfix as mta
from rough import Server, audit_rows, httpd, link_of, loopback

pytestmark = pytest.mark.skipif(not mta.available(), reason="Postfix starts as root alone")


@pytest.fixture(scope="module")
def server():
    made = mta.Postfix()
    yield made
    made.close()


class Mailing:
    """A portal and the mail server that it uses."""

    def __init__(self, portal, server, include):
        self.portal, self.server, self.include = portal, server, include

    def use(self, url, **directives):
        """Mail goes there from now on; nothing of before waits any more."""
        settings = {
            "EsignMail": url,
            "EsignMailTLS": "On",
            "EsignMailCAFile": self.server.certificate,
            **directives,
        }
        self.include.write_text(
            "".join('%s "%s"\n' % pair for pair in settings.items() if pair[1] is not None),
            encoding="utf-8",
        )
        before = self.portal.log().count("resuming normal operations")
        httpd(self.portal, "graceful")
        assert self.portal.wait(
            lambda: self.portal.log().count("resuming normal operations") > before
        )
        assert self.portal.wait(self.empty, 90), self.rows()

    def rows(self):
        return [
            re.split(r" {2,}", line) for line in self.portal.ctl("outbox", "list").splitlines()[1:]
        ]

    def empty(self):
        ids = [row[0] for row in self.rows()]
        if ids:
            self.portal.ctl("outbox", "drop", *ids, ok=False)
        return not self.rows()

    def ask(self, email="kisi%d@example.org"):
        s = self.portal.new_subscriber(email=email)
        self.portal.browser().ask_reset(s.id)
        return s

    def arrived(self, address, seconds=20):
        found = self.portal.wait(lambda: self.server.mails(address), seconds)
        assert len(found) == 1, (
            found,
            self.rows(),
            self.portal.log()[-1500:],
            self.server.log()[-1500:],
        )
        return found[0]

    def waiting(self, state="waiting"):
        """The only message, once it has been tried."""
        assert self.portal.wait(
            lambda: [row for row in self.rows() if row[2] == state and row[6] != "-"]
        ), (self.rows(), self.portal.log()[-1500:])
        (row,) = self.rows()
        return row


@pytest.fixture(scope="module")
def mailing(make_portal, server, tmp_path_factory):
    include = tmp_path_factory.mktemp("mail") / "mail.conf"
    include.write_text("")
    return Mailing(make_portal("--include", str(include)), server, include)


def test_starttls_and_what_a_mail_looks_like(mailing):
    mailing.use(mailing.server.url("starttls"), EsignMailReplyTo="help@example.org")
    s = mailing.ask()
    raw, mail = mailing.arrived(s.email)
    assert re.search(rb"with ESMTPS id", raw)
    added = {"Return-Path", "X-Original-To", "Delivered-To", "Received"}
    assert sorted(set(mail.keys()) - added) == sorted(
        [
            "Date",
            "From",
            "To",
            "Reply-To",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        ]
    )
    assert (
        mail["Return-Path"] == "<portal@example.org>" and mail["Auto-Submitted"] == "auto-generated"
    )
    assert re.fullmatch(r"<[\w-]{22}@example\.org>", mail["Message-ID"])
    assert abs(email.utils.parsedate_to_datetime(mail["Date"]).timestamp() - time.time()) < 60
    assert (
        mail["To"].addresses[0].addr_spec == s.email
        and mail["To"].addresses[0].display_name == s.name
    )
    assert (
        mail.get_content_type() == "multipart/alternative"
        and not mail.defects
        and all(not part.defects for part in mail.walk())
    )
    assert raw.isascii() and max(map(len, raw.split(b"\n"))) < 200
    browser = mailing.portal.browser()
    assert browser.get("reset/" + link_of(mailing.portal, mail).rsplit("/", 1)[1]).status == 303
    assert mailing.portal.wait(lambda: not mailing.rows())


def test_implicit_tls(mailing):
    mailing.use(mailing.server.url("tls"))
    assert b"with ESMTPS id" in mailing.arrived(mailing.ask().email)[0]


@pytest.mark.parametrize("service", ["starttls", "tls"])
def test_another_certificate_is_refused(mailing, service):
    mailing.use(mailing.server.url(service), EsignMailCAFile=mailing.server.other)
    s = mailing.ask()
    assert "certificate" in mailing.waiting()[6]
    assert not mailing.server.mails(s.email)


def test_a_server_without_tls_is_refused_unless_it_may(mailing):
    mailing.use(mailing.server.url("plain"))
    s = mailing.ask()
    assert re.search("STARTTLS|SSL|TLS", mailing.waiting()[6])
    assert not mailing.server.mails(s.email)
    mailing.use(mailing.server.url("plain"), EsignMailTLS="Off")
    assert b"with ESMTP id" in mailing.arrived(mailing.ask().email)[0]


def test_sign_in(mailing):
    url = mailing.server.url("auth")
    mailing.use(url)
    first = mailing.ask()
    assert "554 5.7.1" in mailing.waiting()[6] and not mailing.server.mails(first.email)
    mailing.use(url, EsignMailUser="portal", EsignMailPasswordFile=mailing.server.wrong_password)
    second = mailing.ask()
    assert "535" in mailing.waiting()[6] and not mailing.server.mails(second.email)
    mailing.use(url, EsignMailUser="portal", EsignMailPasswordFile=mailing.server.password)
    third = mailing.ask()
    assert b"with ESMTPSA id" in mailing.arrived(third.email)[0]
    assert "doğru at pil" not in mailing.portal.log()


def test_greylisting(mailing):
    mailing.use(mailing.server.url("starttls"))
    s = mailing.ask("kisi%d@later.example.org")
    row = mailing.waiting()
    assert (
        row[5] == "1" and "450 4.2.0 <k***@later.example.org>" in row[6] and "come again" in row[6]
    )
    begin = time.time()
    other = mailing.ask()  # a refusal of one is not of the server
    mailing.arrived(other.email, 3)
    mailing.arrived(s.email)
    assert time.time() - begin < 8
    assert mailing.portal.wait(lambda: not mailing.rows())
    assert "left alone" not in mailing.portal.log().rsplit("resuming normal operations", 1)[1]


def test_refused_recipient_is_a_dead_letter_that_can_be_sent_again_or_dropped(mailing):
    mailing.use(mailing.server.url("starttls"))
    s = mailing.ask("kisi%d@refused.example.org")
    message, kind, state, _, next_try, tries, error = mailing.waiting("dead")
    assert (kind, next_try, tries) == ("reset-request", "-", "1")
    host = "mail server localhost:%d" % mailing.server.ports["starttls"]
    assert (
        error
        == host
        + ": 550 5.1.1 <k***@refused.example.org>: Recipient address rejected: no such mailbox"
    )
    assert "content    sealed" in mailing.portal.ctl("outbox", "show", message)
    mailing.portal.ctl("outbox", "retry", message)
    assert mailing.portal.wait(lambda: mailing.rows()[0][2:6:3] == ["dead", "2"])
    mailing.portal.ctl("outbox", "drop", message)
    assert not mailing.rows()
    assert audit_rows(mailing.portal, s, "message-dropped") == 1
    log = mailing.portal.log()
    assert (
        "a reset-request is given up (message %s, try 1): %s" % (message, error) in log
        and s.email not in log
        and s.email.split("@")[0] not in log
    )


def test_connections_are_used_again(mailing):
    mailing.use(mailing.server.url("starttls"))
    before = mailing.server.log().count(": connect from")
    people = [mailing.ask() for _ in range(20)]
    for s in people:
        mailing.arrived(s.email)
    assert 1 <= mailing.server.log().count(": connect from") - before <= 4


def test_dead_server_is_left_alone_and_nothing_is_lost(mailing):
    mailing.use(mailing.server.url("starttls"))
    mailing.server.end()
    people = [mailing.ask() for _ in range(3)]
    named = "mail server localhost:%d " % mailing.server.ports["starttls"]
    assert mailing.portal.wait(
        lambda: named + "is left alone"
        in mailing.portal.log().rsplit("resuming normal operations", 1)[1]
    )
    people += [mailing.ask() for _ in range(6)]
    mailing.portal.courier_rounds(10)
    tries = [int(row[5]) for row in mailing.rows()]
    assert len(tries) == 9 and sum(tries) <= 8 and tries.count(0) >= 3, mailing.rows()
    assert (
        mailing.portal.log()
        .rsplit("resuming normal operations", 1)[1]
        .count(named + "is left alone")
        == 1
    )
    mailing.server.start()
    for s in people:
        mailing.arrived(s.email, 30)
    assert mailing.portal.wait(lambda: not mailing.rows())
    assert (
        named + "answers again" in mailing.portal.log().rsplit("resuming normal operations", 1)[1]
    )


def send_code(portal):
    """By SMS, as quickly as ever."""
    person = portal.new_subscriber()
    browser = portal.browser()
    assert browser.login(person).status == 303
    begin = time.time()
    browser.confirm(person)
    assert time.time() - begin < 2


class Slow(Server):
    """An SMTP server that answers its first text after some seconds, or never a text."""

    def __init__(self, seconds=None):
        self.seconds, self.commands, self.answered = seconds, [], 0
        listener = loopback()
        self.url = "smtp://127.0.0.1:%d" % listener.getsockname()[1]
        super().__init__(listener)

    @property
    def texts(self):
        return self.commands.count(".")

    def serve(self, connection):
        connection.sendall(b"220 here\r\n")
        text = False
        for line in connection.makefile("rb"):
            if text and line != b".\r\n":
                continue
            self.commands.append(line.split()[0].decode())
            if text and self.seconds is None:
                continue
            if text and self.texts == 1:
                time.sleep(self.seconds)  # plays a slow server
            text = line == b"DATA\r\n"
            self.answered += line == b".\r\n"
            with contextlib.suppress(OSError):  # nobody waits for it any more
                connection.sendall(b"354 go on\r\n" if text else b"250 fine\r\n")


def test_server_that_hangs_behind_the_text_holds_up_no_code(mailing):
    hanging = Slow()
    try:
        mailing.use(hanging.url, EsignMailTLS="Off", EsignDeliveryTimeout="4")
        s = mailing.ask()
        assert mailing.portal.wait(lambda: hanging.texts == 1)
        send_code(mailing.portal)
        assert re.search("(?i)time", mailing.waiting()[6])
        mailing.portal.courier_rounds()
        assert hanging.texts <= 2
    finally:
        hanging.close()
    assert not mailing.server.mails(s.email)


def test_a_late_answer_is_not_taken_for_that_to_another_mail(mailing):
    late = Slow(3)
    try:
        mailing.use(
            late.url, EsignMailTLS="Off", EsignDeliveryTimeout="2", EsignMailConnections="1"
        )
        mailing.ask()
        assert mailing.portal.wait(lambda: late.texts == 1)
        assert mailing.portal.wait(lambda: late.answered)
        mailing.ask()
        assert mailing.portal.wait(lambda: not mailing.rows())
        tries = (
            mailing.portal.log().rsplit("resuming normal operations", 1)[1].count("was not sent")
        )
        assert tries == 1 and late.texts == late.commands.count("DATA") == 3
    finally:
        late.close()


def test_addresses_beyond_ascii(mailing):
    mailing.use(mailing.server.url("starttls"))
    s = mailing.ask("şule%d@örnek.org")
    raw, mail = mailing.arrived(s.email.replace("örnek", "xn--rnek-4qa"))
    assert (
        b"with UTF8SMTPS id" in raw
        and b"<%s>\n" % s.email.replace("örnek", "xn--rnek-4qa").encode() in raw
    )


def test_a_server_without_smtputf8_gets_what_it_can_carry(mailing):
    mailing.use(mailing.server.url("ascii"))
    ascii_name = mailing.ask("kisi%d@örnek.org")
    raw, mail = mailing.arrived(ascii_name.email.replace("örnek", "xn--rnek-4qa"))
    assert raw.isascii() and b"with ESMTPS id" in raw
    s = mailing.ask("şule%d@example.org")
    row = mailing.waiting("dead")
    assert row[5] == "1" and "the server does not offer SMTPUTF8" in row[6]
    assert not mailing.server.mails(s.email)
    # It was no failure of the server, nor of the connection for others.
    mailing.arrived(mailing.ask().email)


def sendmail(server, name, script):
    path = server.write(name, "#!/bin/sh\n%s\n" % script)
    os.chmod(path, 0o755)
    return "sendmail:" + path


def test_sendmail_command(mailing):
    mailing.use(
        sendmail(
            mailing.server,
            "sendmail",
            'MAIL_CONFIG=%s/etc exec /usr/sbin/sendmail "$@"' % mailing.server.dir,
        ),
        EsignMailCAFile=None,
    )
    for address in ("kisi%d@example.org", "şule%d@example.org"):
        s = mailing.ask(address)
        raw, mail = mailing.arrived(s.email)
        assert (
            mail["Return-Path"] == "<portal@example.org>"
            and b"<%s>\n" % s.email.encode() in raw
            and b"\r" not in raw
        )
        assert link_of(mailing.portal, mail) and not mail.defects
    assert mailing.portal.wait(lambda: not mailing.rows())


def test_sendmail_command_that_fails(mailing):
    mailing.use(
        sendmail(mailing.server, "busy", "echo 'the queue is full' >&2; exit 75"),
        EsignMailCAFile=None,
    )
    mailing.ask()
    assert (
        mailing.waiting()[6]
        == "mail server %s/busy: sendmail ended with status 75: the queue is full"
        % mailing.server.dir
    )
    mailing.use(
        sendmail(mailing.server, "refuses", "cat > /dev/null; echo no such user; exit 67"),
        EsignMailCAFile=None,
    )
    mailing.ask()
    assert (
        mailing.waiting("dead")[6]
        == "mail server %s/refuses: sendmail ended with status 67: no such user"
        % mailing.server.dir
    )


def test_sendmail_command_that_hangs_holds_up_no_code_and_no_end(mailing):
    mailing.use(
        sendmail(
            mailing.server, "hangs", "echo $$ > %s/log/hangs.pid; sleep 600" % mailing.server.dir
        ),
        EsignMailCAFile=None,
        EsignDeliveryTimeout="20",
    )
    os.chmod(mailing.server.dir + "/log", 0o777)
    mailing.ask()
    pid_file = mailing.server.dir + "/log/hangs.pid"
    assert mailing.portal.wait(
        lambda: os.path.exists(pid_file)
        and os.path.getsize(pid_file)
        and parts.running(parts.pid_of(pid_file))
    )
    send_code(mailing.portal)
    pid = parts.pid_of(pid_file)
    begin = time.time()
    mailing.use(mailing.server.url("starttls"))  # the child that waits for it ends
    assert mailing.portal.wait(lambda: not parts.running(pid), 10)
    assert time.time() - begin < 15


@pytest.mark.parametrize(
    "url,told",
    [
        ("sendmail:relative", "write sendmail: or sendmail:/path"),
        ("sendmail:/no/such", "/no/such is no program"),
        ("sendmail:/etc/passwd", "is no program"),
        ("http://localhost", "is no mail server"),
        ("smtp://localhost/path", "is no mail server"),
    ],
)
def test_wrong_mail_servers_are_refused(mailing, url, told):
    before = mailing.include.read_text()
    mailing.include.write_text('EsignMail "%s"\n' % url)
    done = subprocess.run(
        [parts.HTTPD, "-t", "-f", mailing.portal.env["HTTPD_CONF"]], capture_output=True, text=True
    )
    mailing.include.write_text(before)
    assert done.returncode != 0 and "EsignMail: " in done.stderr and told in done.stderr
