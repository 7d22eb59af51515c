# SPDX-License-Identifier: Apache-2.0
"""test_rotation.py: keys come and go while people use the portal; a run may be killed at any moment."""

import base64
import contextlib
import glob
import hashlib
import hmac
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

import portal as parts
import rough
from command import file_of, subscriber
from conftest import QUIET


def audit_rows(ctl, key):
    return next(
        int(line.split()[-1])
        for line in ctl("key", "list").splitlines()
        if line.startswith("%d " % key)
    )


def keys_by_row(ctl):
    """Of `esignctl key list`: {key: (state, rows of subscriber, card, outbox)}."""
    lines = [line.split() for line in ctl("key", "list").splitlines() if " has keys " not in line]
    assert lines[0] == ["KEY", "STATE", "subscriber", "card", "outbox", "audit"]
    return {int(key): (state, *map(int, counts)) for key, state, *counts, _ in lines[1:]}


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
        "key 2 is the active key now\nsubscriber: 4 rows, 4 re-sealed\ncard: 4 rows, 4 re-sealed\noutbox: 0 rows, 0 re-sealed\n"
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
    """Added, read by httpd, and retired again: httpd would take what is sealed under the next one of that id for a forgery."""
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
        "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, owner, lease_until, dead, gateways, awaited, error) VALUES (1, 0, '', 0, 0, 0, 0, '', 0, 1, 0, -1, char(27) || 'c')"
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
    while not any(
        os.path.realpath(file) == database for file in glob.glob("/proc/%d/fd/*" % began.pid)
    ):
        assert began.poll() is None
        time.sleep(0.05)
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
            time.sleep(random.uniform(0, 0.25))
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


# In memory


def memory_of(pid):
    """Everything that a process can read of its own, range by range, without what the address sanitizer keeps of it (terabytes)."""
    with open("/proc/%s/mem" % pid, "rb", 0) as memory, open("/proc/%s/maps" % pid) as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r(?!.*\[v)", line)
            if found:
                start, end = (int(n, 16) for n in found.groups())
                if end - start > 1 << 32:
                    continue
                memory.seek(start)
                yield memory.read(end - start)


@pytest.mark.skipif(
    os.getuid() != 0, reason="only root may look into a process that leaves no core"
)
def test_master_keys_are_gone_once_the_others_are_derived(portal):
    with open(os.path.join(portal.dir, "conf", "keys")) as file:
        (text,) = (line.split()[2] for line in file if line.startswith("key "))
    master = base64.urlsafe_b64decode(text + "=")
    extracted = hmac.digest(bytes(32), master, hashlib.sha256)
    derived = hmac.digest(extracted, b"mod_esign 1 pepper\x01", hashlib.sha256)
    for pid in rough.processes_of(portal):
        counts = [0] * 4
        for part in memory_of(pid):
            counts = [
                n + part.count(secret)
                for n, secret in zip(counts, (text.encode(), master, extracted, derived))
            ]
        assert counts == [0, 0, 0, 1]


# While people use the portal


class Load:
    """Threads of people who sign in, look at their PIN and sign out, or ask for a link and set a new word, until they are told to stop."""

    def __init__(self, portal, people):
        self.portal, self.stop, self.faults, self.done = portal, threading.Event(), [], []
        self.threads = [
            threading.Thread(target=self.live, args=(s, turn % 2)) for turn, s in enumerate(people)
        ]
        for thread in self.threads:
            thread.start()

    def live(self, s, forgetful):
        row, turn = self.portal.row(s), 0
        try:
            while not self.stop.is_set():
                browser = self.portal.browser()
                # A reload closes idle connections; who sends a request at that very moment sends it again, as browsers do by themselves.
                browser.session.headers["Connection"] = "close"
                if forgetful:
                    turn += 1
                    assert browser.get(browser.reset_link(s)).status == 303
                    word = "kırmızı bisiklet %d" % turn
                    page = browser.post("reset/word", {"word": word, "again": word})
                    assert page.status == 303, page.response.text
                    s.word = word
                browser.sign_in(s)
                page = browser.post("pin")
                assert page.status == 200 and s.cards[0]["pin"] in page.response.text
                assert browser.post("logout").status == 303
                self.done.append(forgetful)
                self.portal.sql(
                    "UPDATE subscriber SET sms_last = 0, sms_count = 0, mail_count = 0 WHERE id = ?",
                    row,
                )
        except Exception as error:  # a thread's failure is the test's
            self.faults.append(error)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(90)
        assert not self.faults, repr(self.faults[0])

    def goes_on(self, more=4):
        """Until so many more journeys have come to their end."""
        wanted = len(self.done) + more
        assert (
            self.portal.wait(lambda: self.faults or len(self.done) >= wanted, 60)
            and not self.faults
        ), self.faults


def reload(portal, keys):
    """With the keys that it must have then, the active one first."""
    children = rough.processes_of(portal)
    rough.httpd(portal, "graceful")
    # The old ones end with their last requests; only then everybody has the new file.
    parent = str(parts.pid_of(portal.env["HTTPD_PID"]))
    assert portal.wait(
        lambda: not any(parts.running(int(child)) for child in children - {parent}), 60
    )
    assert portal.wait(
        lambda: ":%s has keys %s since 20" % (os.path.join(portal.dir, "conf", "keys"), keys)
        in portal.ctl("key", "list")
    )


def refused(portal, *command):
    done = portal.ctl("key", *command, ok=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_rotation_while_people_use_the_portal(make_portal, database):
    portal = make_portal("--database", database)
    people = [portal.new_subscriber() for _ in range(4)]
    sleeper = portal.new_subscriber()
    first = next(portal.serial) * 1000 % 700000000
    portal.ctl(
        "subscriber",
        "import",
        "-",
        stdin=file_of(
            *(subscriber(first + n, serial="MANY-%d" % (first + n)) for n in range(1500))
        ),
    )
    many = portal.sql("SELECT count(*) FROM subscriber")[0][0]
    keys = os.path.join(portal.dir, "conf", "keys")
    shutil.copy(keys, keys + ".old")
    signed_in = portal.browser()
    signed_in.sign_in(sleeper)

    load = Load(portal, people)
    load.goes_on()
    portal.ctl("key", "add")
    assert re.search(
        r"httpd on \S+/conf/keys does not have key 2: give it", refused(portal, "rotate")
    )
    assert keys_by_row(portal.ctl)[1][0] == "active"
    reload(portal, "1 2")
    load.goes_on()
    told = portal.ctl("key", "rotate")
    assert "key 2 is the active key now" in told and re.search(
        r"subscriber: %d rows, \d+ re-sealed" % many, told
    )
    load.goes_on()
    # httpd still seals under key 1: rows of codes and words, or at least sessions.
    assert re.search("it is needed by rows|still seals with it", refused(portal, "retire", "1"))
    reload(portal, "2 1")
    load.goes_on()
    portal.ctl("key", "rotate")
    rows = keys_by_row(portal.ctl)
    assert (
        rows[1] == ("older", 0, 0, 0)
        and rows[2][:2] == ("active", many)
        and audit_rows(portal.ctl, 1) == 0
    )
    assert signed_in.get("menu").status == 200
    assert "key 1 cannot go yet: links and sessions of" in refused(portal, "retire", "1")
    # As if an hour had gone by, and a little more; the session of before is still there, and shows what the refusal is for.
    portal.sql("UPDATE node SET since = since - ?", 3700 * 1000000)
    portal.ctl("key", "retire", "1")
    reload(portal, "2")
    load.goes_on()
    load.end()
    assert set(load.done) == {0, 1}
    # What reloads say of themselves is another test's; of rows, seals and keys nothing is said.
    lines = [
        line
        for line in portal.log().splitlines()
        if not QUIET.match(line)
        and re.search("seal|audit|deadlock|(subscriber|card|outbox|node)_[a-z]+: ", line)
        and "AH01882" not in line
    ]
    assert lines == []
    page = signed_in.get("menu")
    assert (page.status, page.name) == (503, "unavailable")

    new = portal.browser()
    new.sign_in(people[0])
    assert people[0].cards[0]["pin"] in new.post("pin").response.text
    portal.sql("UPDATE subscriber SET sms_last = 0 WHERE id = ?", portal.row(sleeper))
    portal.browser().sign_in(sleeper)
    portal.ctl("audit", "verify")
    old_file_opens_nothing(portal, keys, people[0])
    one_person_stays_one(portal, keys)
    portal.stop()


def other_settings(portal, name, keys):
    """esignctl with another key file; how to run it."""
    config, files = re.search(r"--config (\S+)", portal.env["CTL"]).group(1), [
        os.path.join(portal.dir, name + end) for end in (".keys", ".conf")
    ]
    with open(config) as source:
        content = source.read().replace(os.path.join(portal.dir, "conf", "keys"), files[0])
    for path, text in zip(files, (keys, content)):
        with open(path, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)
    return [portal.env["CTL"].split()[0], "--config", files[1]]


def old_file_opens_nothing(portal, keys, s):
    with open(keys + ".old") as file:
        stolen = other_settings(portal, "stolen", file.read())
    for command, told in (
        (s.id, "nobody is registered"),
        ("#%d" % portal.row(s), "cannot be unsealed"),
    ):
        done = subprocess.run(
            [*stolen, "subscriber", "show", command], capture_output=True, text=True
        )
        assert done.returncode != 0 and told in done.stderr
    assert (
        keys_by_row(
            lambda *words: subprocess.run([*stolen, *words], capture_output=True, text=True).stdout
        )[2][0]
        == "missing"
    )


def one_person_stays_one(portal, keys):
    """Two who register the same person at the same moment, one of them with the key that is not active yet for the other."""
    with open(keys) as file:
        known = file.read()
    added = "9 " + known.split()[-1]
    both = [
        other_settings(portal, name, known + line)
        for name, line in (("before", "next %s\n" % added), ("after", "key %s\n" % added))
    ]
    rows = portal.sql("SELECT count(*) FROM subscriber")[0][0]
    for turn in range(4):
        number = [
            "form",
            parts.tckn(),
            "--name",
            "A B",
            "--email",
            "a@example.org",
            "--phone",
            "+905550000001",
        ]
        with writing(portal):
            children = [
                subprocess.Popen(
                    [*program, *number],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                for program in both
            ]
            time.sleep(1)
        told = [child.communicate(timeout=30)[1] for child in children]
        assert sorted(child.returncode for child in children) == [
            0,
            1,
        ] and "registered already" in "".join(told), told
        assert portal.sql("SELECT count(*) FROM subscriber")[0][0] == rows + turn + 1


@contextlib.contextmanager
def writing(portal):
    """Who registers gets as far as the audit trail, or in SQLite as its first statement, and waits there."""
    if "dbname=" in portal.env["DATABASE"]:
        child = subprocess.Popen(
            ["psql", "-X", "-q", portal.env["DATABASE"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        child.stdin.write("BEGIN; LOCK TABLE audit IN EXCLUSIVE MODE;\n")
        child.stdin.flush()
        time.sleep(0.5)
        yield
        child.communicate("COMMIT;\n", timeout=20)
    else:
        connection = sqlite3.connect(portal.env["DATABASE"], timeout=20, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
        connection.close()
