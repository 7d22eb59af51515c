# SPDX-License-Identifier: Apache-2.0
"""test_rotation.py: keys are added, made active and retired while people use the portal."""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest

import portal as parts
import rough
from command import audit_rows, file_of, keys_by_row, subscriber
from conftest import QUIET


# In memory


def memory_of(pid):
    """All memory that a process can read, range by range, without what the address sanitizer
    reserves (terabytes).
    """
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
    """Threads of people who sign in, look at their PIN and sign out, or ask for a link and set a
    new word, until `end`.
    """

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
                # A reload closes idle connections. A browser then sends its request again; requests
                # does not.
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
                    "UPDATE subscriber SET sms_last = 0, sms_count = 0, mail_count = 0 "
                    "WHERE id = ?",
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
    # As if a little more than an hour had passed. The session from before still exists, and is the
    # reason for the refusal.
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
    """Two commands register the same person at the same moment. One has the key as active that is
    not active yet for the other.
    """
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
            wait_for_writers(portal, children)
        told = [child.communicate(timeout=30)[1] for child in children]
        assert sorted(child.returncode for child in children) == [
            0,
            1,
        ] and "registered already" in "".join(told), told
        assert portal.sql("SELECT count(*) FROM subscriber")[0][0] == rows + turn + 1


@contextlib.contextmanager
def writing(portal):
    """Holds a lock: a registration waits at the audit trail or, in SQLite, at its first write."""
    if "dbname=" in portal.env["DATABASE"]:
        child = subprocess.Popen(
            ["psql", "-X", "-q", portal.env["DATABASE"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        child.stdin.write("BEGIN; LOCK TABLE audit IN EXCLUSIVE MODE;\n\\echo locked\n")
        child.stdin.flush()
        assert child.stdout.readline() == "locked\n"
        yield
        child.communicate("COMMIT;\n", timeout=20)
    else:
        connection = sqlite3.connect(portal.env["DATABASE"], timeout=20, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
        connection.close()


def wait_for_writers(portal, children):
    """Returns once each of the processes waits for its turn to write."""
    if "dbname=" in portal.env["DATABASE"]:
        locks = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        parts.wait_until(lambda: portal.sql(locks)[0][0] >= len(children), "all wait for the lock")
        return
    for child in children:
        parts.wait_until(
            lambda: parts.has_open(child.pid, portal.env["DATABASE"]), "it opens the database"
        )
    time.sleep(0.5)  # SQLite asks for the lock again and again, which shows nowhere
