# SPDX-License-Identifier: Apache-2.0
"""test_reloads.py: reloads under load, and all MPMs."""

import subprocess
import threading

import pytest

import portal as parts
from portal import pid_of, running
from rough import children_of


def test_graceful_restarts_under_load(make_portal):
    """Two reloads while journeys run: no failed request, no crash, no process left over."""
    portal = make_portal()
    people = [portal.new_subscriber() for _ in range(4)]
    stop, faults, done = threading.Event(), [], []

    def journeys(s):
        try:
            while not stop.is_set():
                browser = portal.browser()
                # A reload closes idle connections. A browser then sends its request again; requests
                # does not.
                browser.session.headers["Connection"] = "close"
                browser.sign_in(s)
                page = browser.post("pin")
                assert page.status == 200
                assert browser.post("logout").status == 303
                done.append(s)
                portal.sql(
                    "UPDATE subscriber SET sms_last = 0, sms_count = 0 WHERE id = ?", portal.row(s)
                )
        except Exception as error:  # a thread's failure is the test's
            faults.append(error)

    threads = [threading.Thread(target=journeys, args=(s,)) for s in people]
    for thread in threads:
        thread.start()

    def more_journeys(count):
        wanted = len(done) + count
        parts.wait_until(
            lambda: faults or len(done) >= wanted, "%d more journeys to the PIN" % count, 60
        )

    for _ in range(2):
        more_journeys(4)
        old = children_of(pid_of(portal.env["HTTPD_PID"]))
        portal.graceful()
        parts.wait_until(lambda: not any(map(running, old)), "the old children end", 60)
    more_journeys(8)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not faults, faults[0]
    assert len(done) >= 8
    log = portal.log()
    assert [line for line in log.splitlines() if "exit signal" in line or "Assertion" in line] == []
    assert log.count("Doing graceful restart") == 2
    parent = pid_of(portal.env["HTTPD_PID"])

    def children():
        return subprocess.run(
            ["pgrep", "-c", "-P", str(parent)], capture_output=True, text=True
        ).stdout.strip()

    assert portal.wait(lambda: int(children()) <= 5, 20), children()
    portal.stop()
    assert not running(parent)


@pytest.mark.parametrize("mpm", ["worker", "prefork"])
def test_other_mpms(make_portal, mpm):
    portal = make_portal("--mpm", mpm)
    browser, s = portal.browser(), portal.new_subscriber()
    browser.get(browser.reset_link(s))
    browser.sign_in(s)
    assert browser.post("pin").status == 200
    portal.stop()
