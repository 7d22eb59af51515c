# SPDX-License-Identifier: Apache-2.0
"""sealed.py: opens what memcached holds for a portal, with the portal's key file. Tests of time
need it, because no switch in the portal turns its clock.
"""

import base64
import hashlib
import os
import socket
import urllib.parse

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def decode(text):
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def master_keys(portal):
    with open(os.path.join(portal.dir, "conf", "keys"), "rb") as file:
        return {
            int(line.split()[1]): decode(line.split()[2])
            for line in file
            if line.startswith(b"key ")
        }


class Memcached:
    """A client of the portal's memcached, and what its keys and values say."""

    def __init__(self, portal):
        self.keys = {
            number: HKDF(SHA256(), 32, b"", b"mod_esign 1 memcached").derive(key)
            for number, key in master_keys(portal).items()
        }
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(portal.env["MEMCACHED"])
        self.answers = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answers.close()
        self.socket.close()

    def ask(self, command, end):
        self.socket.sendall(command + b"\r\n")
        lines = []
        while not lines or not lines[-1].startswith(end):
            lines.append(self.answers.readline())
        return lines

    def operations(self):
        """The number of commands on keys that it has answered. Each of these counters counts
        another kind.
        """
        kinds = (
            b"cmd_get",
            b"cmd_set",
            b"cmd_touch",
            b"delete_hits",
            b"delete_misses",
            b"incr_hits",
            b"incr_misses",
        )
        return sum(
            int(value)
            for _, name, value in map(bytes.split, self.ask(b"stats", b"END")[:-1])
            if name in kinds
        )

    def names(self):
        """The keys of everything that it holds."""
        rows = self.ask(b"lru_crawler metadump all", b"END")
        return [
            urllib.parse.unquote_to_bytes(row.split()[0].partition(b"=")[2]) for row in rows[:-1]
        ]

    def get(self, name):
        rows = self.ask(b"get " + name, b"END")
        return rows[1].rstrip() if len(rows) > 1 else None

    def put(self, name, value, seconds=600):
        assert self.ask(b"set %s 0 %d %d\r\n%s" % (name, seconds, len(value), value), b"STORED")

    def open(self, name):
        frame = decode(self.get(name))
        return AESGCM(self.keys[frame[1]]).decrypt(frame[2:14], frame[14:], name)

    def seal(self, name, clear):
        number, nonce = max(self.keys), os.urandom(12)
        self.put(
            name,
            encode(
                bytes([1, number]) + nonce + AESGCM(self.keys[number]).encrypt(nonce, clear, name)
            ),
        )


def session_name(cookie):
    return b"session:" + encode(hashlib.sha256(cookie.encode()).digest())


def age(portal, cookie, **seconds):
    """Moves times of a session's record into the past: `created`, `seen`, and `worded` and
    `proved`, those of the two factors.
    """
    with Memcached(portal) as memcached:
        name = session_name(cookie)
        record = dict(urllib.parse.parse_qsl(memcached.open(name).decode(), keep_blank_values=True))
        content = dict(urllib.parse.parse_qsl(record["content"], keep_blank_values=True))
        for moment, past in seconds.items():
            table, key = (
                (content, "esign-" + moment) if moment in ("worded", "proved") else (record, moment)
            )
            table[key] = str(int(table[key]) - past * 10**6)
        record["content"] = urllib.parse.urlencode(content, quote_via=urllib.parse.quote)
        memcached.seal(name, urllib.parse.urlencode(record, quote_via=urllib.parse.quote).encode())
