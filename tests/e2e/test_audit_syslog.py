# SPDX-License-Identifier: Apache-2.0
"""test_audit_syslog.py: the copy of the audit trail in the system's log; this test is the log's
daemon.
"""

import json
import os
import re
import socket

import pytest

import trail

DAEMON = "/dev/log"
NOTICE, INFO = 19 * 8 + 5, 19 * 8 + 6  # of local3


class Daemon:
    def __init__(self):
        self.lines = []
        self.start()

    def start(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(DAEMON)
        os.chmod(DAEMON, 0o666)
        self.socket.settimeout(0.1)

    def stop(self):
        self.socket.close()
        os.unlink(DAEMON)

    def read(self):
        try:
            while True:
                priority, line = re.fullmatch(
                    r"<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d mod_esign\[\d+\]: (\{.*\})",
                    self.socket.recv(8192).decode(),
                ).groups()
                self.lines.append((int(priority), json.loads(line)))
        except TimeoutError:
            return self.lines


@pytest.fixture(scope="module")
def daemon():
    if os.path.exists(DAEMON) or os.geteuid() != 0:
        pytest.skip("the system's own log daemon runs here, or this is not root")
    daemon = Daemon()
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def portal(make_portal, daemon, tmp_path_factory):
    include = tmp_path_factory.mktemp("syslog") / "syslog.conf"
    include.write_text("EsignAuditLog syslog:local3\n")
    return make_portal("--include", str(include))


def copied(portal, daemon):
    trail.settle(portal)
    assert portal.wait(
        lambda: daemon.read() and portal.sql("SELECT position - copied FROM audit_head") == [(0,)],
        30,
    )
    return [line for _, line in daemon.read()]


def test_lines_and_severities(portal, daemon, browser, subscriber):
    browser.login(subscriber, "yanlış bir sözcük")
    browser.sign_in(subscriber)
    assert copied(portal, daemon) == trail.export(portal)
    assert {line["result"]: priority for priority, line in daemon.lines} == {
        "failure": NOTICE,
        "success": INFO,
    }


def test_a_daemon_that_does_not_read_loses_nothing_and_holds_up_nobody(
    portal, daemon, browser, subscriber
):
    copied(portal, daemon)
    trail.register(portal, 900, 1000)
    trail.settle(portal)
    browser.sign_in(subscriber)
    assert browser.reset_link(subscriber)
    assert portal.sql("SELECT position - copied > 100 FROM audit_head") == [(1,)]
    assert copied(portal, daemon) == trail.export(portal)


@pytest.mark.expects_log("EsignAuditLog cannot be written; nothing is lost meanwhile")
def test_a_daemon_that_starts_again_loses_nothing(portal, daemon):
    copied(portal, daemon)
    daemon.stop()
    trail.register(portal, 20, 2000)
    trail.settle(portal)
    assert portal.wait(lambda: "EsignAuditLog cannot be written" in portal.log())
    daemon.start()
    assert copied(portal, daemon) == trail.export(portal)
