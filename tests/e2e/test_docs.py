# SPDX-License-Identifier: Apache-2.0
"""test_docs.py: what documents name is there."""

import os
import re

import pytest

from portal import TOP


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def run_by(file):
    """The tests that a file runs: functions of pytest's, and rows of a CUnit table."""
    if file.endswith(".py"):
        path = os.path.join("tests", "e2e", file)
        return set(re.findall(r"^def (test_\w+)\(", read(path), re.M)) if os.path.exists(os.path.join(TOP, path)) else set()
    path = os.path.join("tests", "unit", file)
    return set(re.findall(r'^\s+\{ "[^"]*", (test_\w+) \},$', read(path), re.M)) if os.path.exists(os.path.join(TOP, path)) else set()


def test_tests_that_the_security_document_names_exist():
    named = re.findall(r"\b(test_\w+\.(?:py|c))::(test_\w+)", read("docs", "security.md"))
    assert len(named) > 200
    assert sorted({"%s::%s" % (file, test) for file, test in named if test not in run_by(file)}) == []


@pytest.mark.parametrize("document", ["security.md", "architecture.md", "manual/esignctl.md", "manual/theme.md"])
def test_files_that_a_document_links_to_exist(document):
    folder = os.path.dirname(os.path.join(TOP, "docs", document))
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read("docs", document))
    rooms = re.findall(r"`((?:core|store|deliver|web|ctl)/[a-z_]+)`", read("docs", document))
    missing = [link for link in links if not os.path.exists(os.path.join(folder, link))]
    missing += [room for room in rooms if not os.path.exists(os.path.join(TOP, "mod_esign", room + ".c"))]
    assert missing == []
