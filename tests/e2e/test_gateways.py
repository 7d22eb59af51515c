# SPDX-License-Identifier: Apache-2.0
"""test_gateways.py: SMS gateways that are dead, slow or silent: which one is asked, and what
happens to the codes.
"""

import contextlib
import re
import time

import kannel as gateways
from rough import loopback, Server
from sms_gateways import other, start  # noqa: F401
from sms_gateways import Other, press, rows


@contextlib.contextmanager
def back(portal, port):
    """A gateway that was dead is there; at the end it goes, and its portal."""
    gateway = Other(port=port)
    try:
        yield gateway
    finally:
        gateway.close()
        portal.stop()


def test_a_dead_gateway_is_left_alone(start, other):
    """After three failures in a row codes go to the next gateway without asking this one. Its
    return is noticed.
    """
    port, presses = gateways.free_ports(1)[0], 8
    portal = start(
        "".join(
            "<EsignSMSGateway %s>\nEsignSMSURL http://127.0.0.1:%d/\n</EsignSMSGateway>\n" % g
            for g in (("dead", port), ("other", other.port))
        )
    )
    browsers = [portal.browser() for _ in range(presses + 1)]
    for browser in browsers:
        assert browser.login(portal.new_subscriber()).status == 303
    for i, browser in enumerate(browsers[:presses]):
        assert browser.post("otp").status == 303
        assert portal.wait(lambda: len(other.asked) > i)
    log = portal.log()
    named = r"SMS gateway dead \(127\.0\.0\.1:%d\)" % port
    assert len(re.findall(named + " is left alone, and tried now and then: ", log)) == 1
    assert (
        3
        <= len(
            re.findall(
                r"a code was not sent \(message \d+, try 1\): " + named + ": [^;]+; again at once",
                log,
            )
        )
        <= 5
    )  # the fourth and fifth: after its pauses, on a very busy machine
    with back(portal, port) as alive:
        time.sleep(5)  # the breaker's second pause, with its random part
        assert browsers[presses].post("otp").status == 303
        assert portal.wait(lambda: alive.asked)
        assert portal.wait(lambda: rows(portal) == [])
        assert (len(alive.asked), len(other.asked)) == (1, presses)
        assert re.search(named + " answers again", portal.log())


def test_a_newer_code_takes_the_place_of_one_that_waits(start):
    """No gateway for a while: of two presses one SMS comes, with the code that lives."""
    port = gateways.free_ports(1)[0]
    portal = start("EsignSMSURL http://127.0.0.1:%d/\n" % port)
    s = portal.new_subscriber()
    browser = press(portal, s)
    for _ in range(2):
        portal.sql("UPDATE subscriber SET sms_last = 0 WHERE id = ?", portal.row(s))
        assert browser.post("otp").status == 303
    assert portal.wait(lambda: [bool(row[3]) for row in rows(portal)] == [True] * 3), rows(
        portal
    )  # each has been tried
    with back(portal, port) as late:
        assert portal.wait(lambda: late.asked, 30)
        assert portal.wait(lambda: rows(portal) == [], 30), rows(portal)
        assert len(late.asked) == 1
        code = re.search(r"#(\d{6})", late.asked[0][2]).group(1)
        assert browser.post("otp/code", {"code": code}).location.endswith("/menu")


def test_an_expired_code_is_never_sent(start):
    """It waited for its gateway longer than it lived."""
    port = gateways.free_ports(1)[0]
    portal = start("EsignSMSURL http://127.0.0.1:%d/\nEsignCodeLife 60\n" % port)
    press(portal, portal.new_subscriber())
    assert portal.wait(lambda: rows(portal) and rows(portal)[0][3])
    # As if a minute had passed.
    portal.sql("UPDATE outbox SET expires = expires - 60000000, due = due - 60000000")
    with back(portal, port) as late:
        assert portal.wait(lambda: [row[0] for row in rows(portal)] == [1], 30)
        assert rows(portal)[0][3] == "expired" and late.asked == []


class Silent(Server):
    """A gateway that takes every request and never answers."""

    def __init__(self):
        self.asked = []
        listener = loopback()
        self.port = listener.getsockname()[1]
        super().__init__(listener)

    def serve(self, connection):
        while data := connection.recv(65536):
            if data.startswith(b"POST"):
                self.asked.append(time.time())


def test_codes_that_run_out_tell_nothing_of_their_gateway(start):
    """The first code has its gateway's whole time, two seconds; each other code has half a second
    of its own life left.
    """
    silent = Silent()
    portal = start(
        "EsignSMSURL http://127.0.0.1:%d/\nEsignSMSConnections 1\nEsignDeliveryTimeout 2\n"
        % silent.port
    )
    try:
        browsers = [portal.browser() for _ in range(4)]
        for browser in browsers:
            assert browser.login(portal.new_subscriber()).status == 303
        for browser in browsers:
            assert browser.post("otp").status == 303
        assert portal.wait(lambda: silent.asked)
        waiting = [
            row[0] for row in portal.sql("SELECT id FROM outbox WHERE attempts = 0 ORDER BY due")
        ]
        assert len(waiting) == 3
        for n, message in enumerate(waiting):
            portal.sql(
                "UPDATE outbox SET expires = ? WHERE id = ?",
                int((silent.asked[0] + 2.6 + n * 0.5) * 10**6),
                message,
            )
        assert portal.wait(lambda: len(silent.asked) == 4), rows(portal)
        assert portal.wait(lambda: portal.log().count("a code is given up") == 4), portal.log()[
            -2000:
        ]
        assert "left alone" not in portal.log()
    finally:
        portal.stop()
        silent.close()
