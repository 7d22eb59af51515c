# SPDX-License-Identifier: Apache-2.0
"""test_esignctl_lists.py: the lists that esignctl prints: answers of pictures, waiting messages,
the audit trail.
"""

import re

import portal as parts
from command import file_of, subscriber


def test_captcha_answers(portal):
    challenges = [portal.browser().get("login").challenge() for _ in range(2)]
    answers = portal.ctl("captcha", "answer", "-", stdin="\n".join(challenges) + "\n").splitlines()
    assert answers == [portal.answer(c) for c in challenges] and all(
        re.fullmatch(r"\w{4,8}", a) for a in answers
    )
    done = portal.ctl("captcha", "answer", "-", stdin="nonsense\n%s\n" % challenges[0], ok=False)
    assert (done.returncode, done.stdout) == (
        1,
        "\n%s\n" % answers[0],
    ) and "no challenge of this key file" in done.stderr
    done = portal.ctl("captcha", "answer", "--", "--nonsense", ok=False)
    assert done.returncode == 1 and "no challenge of this key file" in done.stderr


def test_outbox_list(ctl):
    assert re.fullmatch(
        r"ID +KIND +STATE +CREATED +NEXT TRY +TRIES +LAST ERROR\n", ctl.good("outbox", "list")
    )
    at = 1767225600000000  # 2026-01-01
    for n, (kind, lease, dead, error) in enumerate(
        [(0, 0, 0, None), (1, 4102444800000000, 0, None), (2, 0, 1, "550 no such mailbox")]
    ):
        ctl.sql(
            "INSERT INTO outbox VALUES (?, ?, 'sealed-body', ?, ?, ?, ?, '', ?, ?, 0, -1, ?)",
            n + 1,
            kind,
            at + n,
            at,
            at,
            n,
            lease,
            dead,
            error,
        )
    lines = ctl.good("outbox", "list").splitlines()[1:]
    assert [re.split(r" {2,}", line) for line in lines] == [
        ["1", "reset-request", "waiting", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "0", "-"],
        ["2", "code", "leased", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "1", "-"],
        ["3", "notice", "dead", "2026-01-01T00:00:00Z", "-", "2", "550 no such mailbox"],
    ]
    assert ctl.good("outbox", "list", "--max", "3").splitlines()[1:] == lines
    assert ctl.good("outbox", "list", "--max", "2").splitlines()[1:] == lines[:2] + [
        "… and 1 newer; --max lists more"
    ]
    for wrong in ("0", "x", "1000001"):
        assert "--max: write a number from 1 to 1000000" in ctl.bad(
            2, "outbox", "list", "--max", wrong
        )


LATER = 4102444800000000  # 2100-01-01


def message(ctl, kind=2, body="sealed-body", expires=LATER, lease=0, dead=0, error=None):
    """A row of the outbox; its id."""
    n = ctl.count("outbox") + 101
    ctl.sql(
        "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, owner, lease_until, "
        "dead, gateways, awaited, error) VALUES (?, ?, ?, ?, ?, ?, 3, '', ?, ?, 0, -1, ?)",
        n,
        kind,
        body,
        1767225600000000,
        LATER,
        expires,
        lease,
        dead,
        error,
    )
    return str(n)


def test_outbox_show(ctl):
    dead = message(ctl, dead=1, error="550 no such mailbox")
    assert (
        ctl.good("outbox", "show", dead)
        == (
            "id         %s\nkind       notice\nstate      dead\ncreated    2026-01-01T00:00:00Z\n"
            "next try   -\n"
            "expires    2100-01-01T00:00:00Z\ntries      3\nlast error 550 no such mailbox\n"
            "content    sealed\n"
        )
        % dead
    )
    assert "content    gone\n" in ctl.good("outbox", "show", message(ctl, kind=1, body="", dead=1))
    waiting = ctl.good("outbox", "show", message(ctl))
    assert (
        "state      waiting\n" in waiting
        and "next try   2100-01-01T00:00:00Z\n" in waiting
        and "last error -\n" in waiting
    )
    assert "no such message" in ctl.bad(1, "outbox", "show", "7")
    for name in ("x", "7x", "", "99999999999999999999"):
        assert "write the id of a message" in ctl.bad(2, "outbox", "show", name)


def test_outbox_retry(ctl):
    dead, waiting = message(ctl, dead=1), message(ctl, kind=0)
    ctl.good("outbox", "retry", dead, waiting)
    assert ctl.sql(
        "SELECT count(*) FROM outbox WHERE dead = 0 AND due < ? AND body <> ''", LATER
    ) == [(2,)]
    assert ctl.sql("SELECT count(*) FROM audit") == [(0,)]
    assert "a code that was given up is not kept" in ctl.bad(
        1, "outbox", "retry", message(ctl, kind=1, body="", dead=1)
    )
    assert "it has expired" in ctl.bad(
        1, "outbox", "retry", message(ctl, body="", dead=1, expires=1)
    )
    assert "it has expired" in ctl.bad(1, "outbox", "retry", message(ctl, expires=1))
    leased = message(ctl, lease=LATER)
    assert "%s: it is being sent" % leased in ctl.bad(1, "outbox", "retry", leased)
    sent = message(ctl, kind=1)
    ctl.sql("UPDATE outbox SET awaited = 0 WHERE id = ?", sent)
    assert "an SMS gateway took it and has not reported yet" in ctl.bad(1, "outbox", "retry", sent)
    assert ctl.sql("SELECT count(*) FROM outbox WHERE due < ?", LATER) == [(2,)]


def test_outbox_drop(ctl):
    gone, waiting, leased, stays = (
        message(ctl, body="", dead=1),
        message(ctl),
        message(ctl, lease=LATER),
        message(ctl),
    )
    done = ctl.run("outbox", "drop", gone, "7", waiting, leased)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines() == [
        "esignctl: 7: there is no such message: it was sent or dropped",
        "esignctl: %s: it is being sent: look again in a minute" % leased,
    ]
    assert sorted(ctl.sql("SELECT id FROM outbox")) == [(int(leased),), (int(stays),)]
    assert (
        ctl.sql("SELECT event, subscriber, address FROM audit")
        == [("message-dropped", 0, "local")] * 2
    )


def test_audit_list(ctl):
    assert re.fullmatch(r"TIME +EVENT +SUBSCRIBER +ADDRESS +NODE\n", ctl.good("audit", "list"))
    ctl.good("subscriber", "import", "-", input=file_of(subscriber(1), subscriber(2)))
    ctl.good("subscriber", "open", parts.tckn("100000001"))
    rows = [re.split(r" +", line) for line in ctl.good("audit", "list").splitlines()[1:]]
    assert [row[1] for row in rows] == ["opened", "registered", "registered"]
    assert all(
        re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[0])
        and row[2].startswith("#")
        and row[3] == "local"
        and row[4]
        for row in rows
    )
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    assert len(ctl.good("audit", "list", "--max", "2").splitlines()) == 3
    one = ctl.good("audit", "list", "--subscriber", rows[0][2]).splitlines()[1:]
    assert [re.split(r" +", line)[1] for line in one] == ["opened", "registered"]
    assert (
        one == ctl.good("audit", "list", "--subscriber", parts.tckn("100000001")).splitlines()[1:]
    )
    assert "nobody is registered" in ctl.bad(1, "audit", "list", "--subscriber", "#1")
    # Somebody else wrote the row: no terminal obeys its text.
    ctl.sql("UPDATE audit SET address = ? WHERE event = 'opened'", "\x1b[2J\n")
    assert re.search(
        r"\?\[2J\? .*   NOT TO BE BELIEVED: its seal is wrong$",
        ctl.good("audit", "list", "--max", "1"),
        re.M,
    )


def test_audit_verify_without_a_courier(ctl):
    assert (
        ctl.good("audit", "verify") == "0 rows, 0 findings, head 0:\n"
        and ctl.good("audit", "export") == ""
    )
    ctl.good("subscriber", "import", "-", input=file_of(subscriber(1)))
    assert ctl.good("audit", "verify") == "0 rows, 0 findings, head 0:\n"
    ctl.sql("DELETE FROM audit_head")
    done = ctl.run("audit", "verify")
    assert (done.returncode, done.stdout) == (
        1,
        "the head of the chain is missing\n0 rows, 1 findings, head 0:\n",
    )
