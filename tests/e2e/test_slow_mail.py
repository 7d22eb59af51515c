# SPDX-License-Identifier: Apache-2.0
"""test_slow_mail.py: what a slow or failing mail server holds up, and what its delays tell."""

import os
import re
import socket
import time

import pytest

import portal as parts
import rough


class SlowMail(rough.Server):
    """A mail server that pauses `pause` seconds at the end of each mail, notes when it took which,
    and hangs up at the address `unheard`.
    """

    def __init__(self, port, pause):
        self.pause, self.taken, self.unheard, self.begun = pause, [], None, 0
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
                self.begun += 1
                time.sleep(self.pause)
                self.taken.append((time.monotonic(), whose))
            text = word == "DATA"
            connection.sendall(
                {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 fine\r\n")
            )


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
    slow.graceful()
    slow.courier_rounds()
    delays["unknown, after a reload"] = own_mail_behind([parts.tckn()] * 3)
    assert min(delays.values()) > 1.2 and max(delays.values()) - min(delays.values()) < 0.5, delays


def test_a_slow_mail_server_holds_up_no_code(slow):
    subscriber, browser, other = slow.new_subscriber(), slow.browser(), slow.browser()
    assert browser.login(subscriber).status == 303
    slow.mail.pause, begun = 3, slow.mail.begun
    for _ in range(2):
        other.ask_reset(subscriber.id)
    assert slow.wait(lambda: slow.mail.begun > begun)
    began = time.monotonic()
    browser.confirm(subscriber)
    assert time.monotonic() - began < 1.5
    slow.mail.pause = 0


def test_a_mail_that_makes_the_server_fail_keeps_no_other_back(slow):
    """After failures in a row the server is left alone. The mail that tries it again is not always
    the same one.
    """
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
