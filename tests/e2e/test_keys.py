# SPDX-License-Identifier: Apache-2.0
"""test_keys.py: the key commands of esignctl, without httpd; a run may be killed at any moment."""

import os
import random
import re
import signal
import subprocess
import time

import portal as parts
from command import audit_rows, file_of, keys_by_row, subscriber


# The commands alone


def test_life_of_a_key(ctl, tmp_path):
    ctl.good("subscriber", "import", "-", input=file_of(*(subscriber(n) for n in range(3))))
    assert keys_by_row(ctl.good) == {1: ("active", 3, 3, 0)}
    assert "key 1 is the active one" in ctl.bad(1, "key", "retire", "1")
    assert "key 2 is added" in ctl.good("key", "add")
    assert "key 2 has been added and is not active yet" in ctl.bad(1, "key", "add")
    ctl.good("subscriber", "import", "-", input=file_of(subscriber(3)))
    assert keys_by_row(ctl.good) == {1: ("active", 4, 4, 0), 2: ("next", 0, 0, 0)}
    told = ctl.good("key", "rotate")
    assert told.startswith(
        "key 2 is the active key now\nsubscriber: 4 rows, 4 re-sealed\n"
        "card: 4 rows, 4 re-sealed\noutbox: 0 rows, 0 re-sealed\n"
    )
    assert ctl.good("key", "rotate").startswith(
        "key 2 is the active key\nsubscriber: 4 rows, 0 re-sealed\n"
    )
    assert (
        keys_by_row(ctl.good) == {1: ("older", 0, 0, 0), 2: ("active", 4, 4, 0)}
        and audit_rows(ctl.good, 1) == 0
        and audit_rows(ctl.good, 2) >= 6
    )
    assert "the identity number is registered already" in ctl.bad(
        1,
        "form",
        parts.tckn("100000001"),
        "--name",
        "A B",
        "--email",
        "a@example.org",
        "--phone",
        "+905550000001",
        "--word-file",
        "-",
        input="mavi kapı tokmağı\n",
    )
    assert "has no key 3" in ctl.bad(1, "key", "retire", "3")
    assert "key 1 is retired" in ctl.good("key", "retire", "1")
    assert "has no key 1" in ctl.bad(1, "key", "retire", "1")
    assert "key 3 is added" in ctl.good("key", "add") and "key 3 is retired" in ctl.good(
        "key", "retire", "3"
    )
    assert "word       set" in ctl.good("subscriber", "show", parts.tckn("100000001"))
    events = [line.split()[1] for line in ctl.good("audit", "list").splitlines()[1:]]
    assert [event for event in events if event.startswith("key-")][::-1] == [
        "key-added",
        "key-rotated",
        "key-retired",
        "key-added",
        "key-retired",
    ]
    ctl.good("audit", "verify")
    assert re.fullmatch(r"#.*\n#.*\nkey 2 [\w-]{43}\n", (tmp_path / "keys").read_text())


def test_retire_refuses_while_a_row_needs_the_key(ctl, tmp_path):
    ctl.good("subscriber", "import", "-", input=file_of(*(subscriber(n) for n in range(3))))
    ctl.good("key", "add")
    before = ctl.sql(
        "SELECT id, lookup, national_id, name, email, phone, word_hash FROM subscriber ORDER BY id"
    ), ctl.sql("SELECT id, pin, puk FROM card ORDER BY id")
    ctl.good("key", "rotate")
    after = ctl.sql(
        "SELECT id, lookup, national_id, name, email, phone, word_hash FROM subscriber ORDER BY id"
    ), ctl.sql("SELECT id, pin, puk FROM card ORDER BY id")
    # Everything that is sealed is sealed anew, and one column of before is enough to be refused.
    assert all(
        x != y
        for old, new in zip(before, after)
        for a, b in zip(old, new)
        for x, y in zip(a[1:], b[1:])
    )
    for table, columns, column in (
        ("subscriber", "lookup national_id name email phone word_hash", before[0][0]),
        ("card", "pin puk", before[1][0]),
    ):
        for place, name in enumerate(columns.split(), 1):
            (kept,) = ctl.sql("SELECT %s FROM %s WHERE id = ?" % (name, table), column[0])[0]
            ctl.sql("UPDATE %s SET %s = ? WHERE id = ?" % (table, name), column[place], column[0])
            assert (
                "key 1 cannot go yet: it is needed by rows (1 of %s): esignctl key rotate" % table
                in ctl.bad(1, "key", "retire", "1")
            ), name
            ctl.sql("UPDATE %s SET %s = ? WHERE id = ?" % (table, name), kept, column[0])
    ctl.sql("UPDATE card SET pin = ? WHERE id = ?", before[1][0][1], before[1][1][0])
    done = ctl.run("key", "rotate")
    assert done.returncode == 1 and re.search(
        r"1 rows of card stay as they are, the first of them: card/\d+/pin cannot be unsealed",
        done.stderr,
    )
    assert "1 of card" in ctl.bad(1, "key", "retire", "1")
    ctl.sql("UPDATE card SET pin = ? WHERE id = ?", after[1][1][1], before[1][1][0])
    ctl.good("key", "retire", "1")


def test_a_key_file_that_cannot_be_changed_stays(ctl, tmp_path):
    keys = (tmp_path / "keys").read_text()
    (tmp_path / "keys.new").mkdir()
    for command in ("add", "rotate"):
        assert (
            (
                "keys cannot be changed, for a new file cannot be made beside it"
                in ctl.bad(1, "key", "add")
            )
            if command == "add"
            else "key 1 is the active key\n" in ctl.good("key", "rotate")
        )
        assert (tmp_path / "keys").read_text() == keys
    os.rmdir(tmp_path / "keys.new")
    ctl.good("key", "add")
    ctl.set(
        EsignKeyFile=tmp_path / "keys", DBDriver="sqlite3", DBDParams=tmp_path / "no" / "esign.db"
    )
    keys = (tmp_path / "keys").read_text()
    assert "cannot be opened" in ctl.bad(3, "key", "rotate")
    assert (tmp_path / "keys").read_text() == keys
    ctl.set(DBDriver="sqlite3", DBDParams=tmp_path / "esign.db")
    for command in (["add"], ["rotate"], ["list"], ["retire", "1"]):
        assert "EsignKeyFile is missing" in ctl.bad(3, "key", *command)


def test_a_key_has_no_namesake_in_a_running_httpd(ctl):
    """A key is added, read by httpd, and retired again. A new key with its id would make httpd take
    all that it seals for a forgery.
    """
    ctl.good("key", "add")
    ctl.sql("INSERT INTO node VALUES ('portal1', '1 2', 0, 0, ?)", int(time.time() * 1e6))
    ctl.good("key", "retire", "2")
    assert "key 3 is added" in ctl.good("key", "add")
    assert "httpd on portal1 does not have key 3" in ctl.bad(1, "key", "rotate")


def test_nothing_of_a_plain_column_is_obeyed_by_a_terminal(ctl):
    ctl.good("subscriber", "import", "-", input=file_of(subscriber(0)))
    ctl.good("key", "add")
    ctl.sql(
        "INSERT INTO node VALUES (char(27) || ']0;x' || char(7), '1' || char(27), 0, 0, ?)",
        int(time.time() * 1e6),
    )
    ctl.sql("UPDATE card SET state = char(27), not_before = char(27), serial = char(155)")
    ctl.sql("UPDATE subscriber SET language = char(27) || '[2J'")
    ctl.sql(
        "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, owner, lease_until, "
        "dead, gateways, awaited, error) "
        "VALUES (1, 0, '', 0, 0, 0, 0, '', 0, 1, 0, -1, char(27) || 'c')"
    )
    told = (
        ctl.good("key", "list")
        + ctl.bad(1, "key", "rotate")
        + ctl.good("subscriber", "show", parts.tckn("100000000"))
        + ctl.good("outbox", "list")
    )
    assert (
        "?]0;x?" in told
        and "?c" in told
        and not {char for char in told if char < " " or "\x7f" <= char < "\xa0"} - {"\n"}
    )


def test_an_import_that_began_before_a_rotation_registers_nobody(ctl, tmp_path):
    """It hashes for hours and writes at the end: under a key that may be gone by then."""
    people = file_of(*(subscriber(n) for n in range(3)))
    began = subprocess.Popen(
        ctl.line("subscriber", "import", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    began.stdin.write(people[:-20])
    began.stdin.flush()
    # Its settings and keys are read before its input.
    database = str(tmp_path / "esign.db")
    parts.wait_until(lambda: parts.has_open(began.pid, database), "the import opens the database")
    for step in (["add"], ["rotate"], ["retire", "1"]):
        ctl.good("key", *step)
    out, err = began.communicate(people[-20:], timeout=60)
    assert (
        began.returncode == 3
        and "key 2 has become the active one meanwhile: run the same command again" in err
        and ctl.count() == 0
    )
    assert ctl.good("subscriber", "import", "-", input=people) == "3 registered, 0 refused\n"
    ctl.good("audit", "verify")


def test_killed_at_any_moment_and_run_again(ctl, tmp_path):
    people = 4000
    ctl.good("subscriber", "import", "-", input=file_of(*(subscriber(n) for n in range(people))))
    stored = {
        row[0]: row[1:]
        for row in ctl.sql(
            "SELECT id, language, created, epoch, subscriber.failures FROM subscriber"
        )
    }
    active, cuts = 1, 0
    for _ in range(3):
        ctl.good("key", "add")
        for _ in range(6):
            child = subprocess.Popen(
                ctl.line("key", "rotate"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            time.sleep(random.uniform(0, 0.25))  # any moment of its run
            child.kill()
            cuts += child.wait() == -signal.SIGKILL
            rows = keys_by_row(ctl.good)
            assert (
                sum(row[1] for row in rows.values()) == people
                and sum(row[2] for row in rows.values()) == people
                and set(rows) <= {active, active + 1}
            )
        assert ctl.good("key", "rotate").startswith("key %d is the active key" % (active + 1))
        ctl.good("key", "retire", str(active))
        active += 1
        assert keys_by_row(ctl.good) == {active: ("active", people, people, 0)}
    assert cuts > 9, cuts
    assert {
        row[0]: row[1:]
        for row in ctl.sql(
            "SELECT id, language, created, epoch, subscriber.failures FROM subscriber"
        )
    } == stored
    assert ctl.sql("PRAGMA integrity_check") == [("ok",)]
    for n in random.sample(range(people), 5):
        assert "card       S-%d " % n in ctl.good(
            "subscriber", "show", parts.tckn("%09d" % (100000000 + n))
        )
