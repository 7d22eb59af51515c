# SPDX-License-Identifier: Apache-2.0
"""trail.py: the audit trail as tests read it: its rows, its chain, its copy."""

import json
import os
import re
import subprocess

import pytest

import command
import portal as parts

COLLECTOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "collector.py")
LIMIT = 40


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return tmp_path_factory.mktemp("copy") / "audit.jsonl"


@pytest.fixture(scope="module")
def options():
    return ()


@pytest.fixture(scope="module")
def portal(make_portal, copy, options):
    include = copy.parent / "audit.conf"
    include.write_text(
        'EsignAuditLog "|/usr/bin/python3 -B %s %s"\nEsignAddressFailures %d\n'
        "EsignAddressRequests %d\n" % (COLLECTOR, copy, LIMIT, LIMIT)
    )
    return make_portal("--include", str(include), *options)


@pytest.fixture(autouse=True)
def settled(portal):
    """Each test begins and ends with everything chained and whole."""
    settle(portal)
    yield
    settle(portal)
    assert portal.ctl("audit", "verify").startswith("%d rows, 0 findings" % count(portal))


def count(portal, where="1 = 1"):
    return portal.sql("SELECT count(*) FROM audit WHERE " + where)[0][0]


def settle(portal, seconds=30):
    assert portal.wait(lambda: count(portal, "chain IS NULL") == 0, seconds)


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def export(portal, *options):
    settle(portal)
    return lines(portal.ctl("audit", "export", *options))


def events(portal, subscriber):
    return [
        line["event"]
        for line in export(portal, "--subscriber", "#%d" % portal.row(subscriber))
        if line["event"] not in ("registered", "subscriber-shown")
    ]


def verify(portal, *options):
    """The findings, and the end that verify prints."""
    done = portal.ctl("audit", "verify", *options, ok=False)
    *findings, last = done.stdout.splitlines()
    told = re.fullmatch(r"(\d+) rows, (\d+) findings, head (\d+:\S*)", last)
    assert (
        done.returncode == (1 if findings else 0)
        and done.stderr == ""
        and int(told[2]) == len(findings)
    ), done.stdout
    return findings, told[3]


def copied(portal, copy):
    """The lines of the copy once everything has left, each position once: the copy promises at
    least once.
    """
    settle(portal)
    assert portal.wait(lambda: portal.sql("SELECT position - copied FROM audit_head") == [(0,)], 30)
    seen = {}
    for line in lines(copy.read_text()):
        assert seen.setdefault(line["position"], line) == line
    return list(seen.values())


def register(portal, number, first):
    xml = command.file_of(
        *[command.subscriber(first + n, serial="AUDIT-%d" % (first + n)) for n in range(number)]
    )
    assert (
        portal.ctl("subscriber", "import", "-", stdin=xml) == "%d registered, 0 refused\n" % number
    )


def children(portal):
    done = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(parts.pid_of(portal.env["HTTPD_PID"]))],
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line.split()[0]) for line in done.stdout.splitlines() if "apache2" in line]
