# SPDX-License-Identifier: Apache-2.0
"""command.py: esignctl for the tests, with settings, key file and database of its own; import
files.
"""

import ctypes
import os
import sqlite3
import subprocess

import portal as parts

WORD = "mavi kapı tokmağı"


class Instance:
    """A key file, a database and settings in a folder; no httpd."""

    def __init__(self, folder, init=True):
        self.folder = folder
        self.program = os.path.join(parts.BUILD, "esignctl")
        self.set(
            EsignKeyFile=folder / "keys",
            DBDriver="sqlite3",
            DBDParams=folder / "esign.db",
            EsignHtdocs=os.path.join(parts.TOP, "htdocs"),
            EsignWordBlocklist=os.path.join(parts.TOP, "conf", "blocklist.txt"),
            EsignPublicURL="https://portal.example.org",
        )
        if init:
            self.good("key", "new")
            self.good("db", "init")

    def set(self, **settings):
        with open(self.folder / "esignctl.conf", "w") as file:
            file.writelines('%s "%s"\n' % pair for pair in settings.items() if pair[1] is not None)

    def line(self, *arguments):
        return [self.program, "--config", str(self.folder / "esignctl.conf"), *arguments]

    def run(self, *arguments, **more):
        return subprocess.run(
            self.line(*arguments), **{"capture_output": True, "text": True, "timeout": 120, **more}
        )

    def good(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def bad(self, code, *arguments, **more):
        """What it complains of, in one line."""
        done = self.run(*arguments, **more)
        assert (
            done.returncode == code
            and done.stderr.startswith("esignctl: ")
            and done.stderr.count("\n") == 1
        ), (done.returncode, done.stderr)
        return done.stderr

    def sql(self, query, *values):
        connection = sqlite3.connect(self.folder / "esign.db")
        try:
            with connection:
                return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def count(self, table="subscriber"):
        return self.sql("SELECT count(*) FROM " + table)[0][0]


def phc(word):
    """A plain Argon2id hash by libsodium, without a pepper, as another system would export it."""
    sodium = ctypes.CDLL("libsodium.so.23")
    assert sodium.sodium_init() >= 0
    text = ctypes.create_string_buffer(128)
    word = word.encode()
    assert (
        sodium.crypto_pwhash_str(
            text,
            word,
            ctypes.c_ulonglong(len(word)),
            ctypes.c_ulonglong(2),
            ctypes.c_size_t(19456 * 1024),
        )
        == 0
    )
    return text.value.decode()


HASH = phc(WORD)


def subscriber(n, attributes="", card_attributes="", **parts_):
    """One subscriber's XML; a part can be replaced by its name, `more` follows them."""
    serial = parts_.get("serial", "S-%d" % n)
    pieces = {
        "ids": 'national-id="%s" language="tr"' % parts.tckn("%09d" % (100000000 + n)),
        "name": "<name>Ayşe Çınar</name>",
        "email": "<email>ayse@example.org</email>",
        "phone": "<phone>+905550000001</phone>",
        "word": "<word-hash>%s</word-hash>" % HASH,
        "card": 'serial="%s" state="active" not-before="2026-01-01" not-after="2029-01-01"'
        % serial,
        "pin": "<pin>483920</pin>",
        "puk": "<puk>71940382</puk>",
        "more": "",
        **parts_,
    }
    return (
        "<subscriber {ids} %s>{name}{email}{phone}{word}<card {card} "
        "%s>{pin}{puk}</card>{more}</subscriber>" % (attributes, card_attributes)
    ).format(**pieces)


def file_of(*subscribers):
    return "<subscribers>\n%s\n</subscribers>\n" % "\n".join(subscribers)


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
