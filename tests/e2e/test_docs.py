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
        return (
            set(re.findall(r"^def (test_\w+)\(", read(path), re.M))
            if os.path.exists(os.path.join(TOP, path))
            else set()
        )
    path = os.path.join("tests", "unit", file)
    if not os.path.exists(os.path.join(TOP, path)):
        return set()
    return set(re.findall(r'\{ (?:"[^"]*"\s*)+,\s*(test_\w+) \}', read(path)))


def test_tests_that_the_security_documents_name_exist():
    folder = os.path.join("docs", "security")
    text = "".join(read(folder, name) for name in os.listdir(os.path.join(TOP, folder)))
    named = re.findall(r"\b(test_\w+\.(?:py|c))::(test_\w+)", text)
    assert len(named) > 400
    missing = {"%s::%s" % (file, test) for file, test in named if test not in run_by(file)}
    assert sorted(missing) == []


def documents():
    """Every Markdown file that people read: at the top, and below docs/."""
    found = [name for name in os.listdir(TOP) if name.endswith(".md")]
    for folder, _, names in os.walk(os.path.join(TOP, "docs")):
        found += [os.path.relpath(os.path.join(folder, n), TOP) for n in names if n.endswith(".md")]
    return sorted(found)


def anchors(text):
    """The names that hosting platforms give to headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", documents())
def test_what_a_document_links_to_exists(document):
    folder = os.path.dirname(os.path.join(TOP, document))
    missing = []
    for path, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", read(document)):
        target = os.path.join(folder, path) if path else os.path.join(TOP, document)
        if not os.path.exists(target) or (anchor and anchor not in anchors(read(target))):
            missing.append("%s#%s" % (path, anchor))
    assert missing == []


def test_the_index_of_decisions_names_each_record_by_its_title():
    folder = os.path.join("docs", "decisions")
    records = [
        name for name in sorted(os.listdir(os.path.join(TOP, folder))) if name != "README.md"
    ]
    lines = set(read(folder, "README.md").split("\n"))
    for name in records:
        number, title = re.match(r"# (\d\d)\. (.*)", read(folder, name)).groups()
        assert "- [%s](%s) %s." % (number, name, title) in lines


def test_architecture_fits_a_page():
    assert len(read("docs", "architecture.md").split()) <= 700


def test_architecture_lists_the_folders_that_are_there():
    listed = re.findall(r"^- `(\w+)/`: ", read("docs", "architecture.md"), re.M)
    source = os.path.join(TOP, "mod_esign")
    assert sorted(listed) == sorted(e.name for e in os.scandir(source) if e.is_dir())


def sources():
    """Files of the module and of the build's programs, as documents name them: `core/seal`."""
    tops = [("mod_esign", ""), ("", "tools")]
    found = set()
    for top, start in tops:
        for folder, _, names in os.walk(os.path.join(TOP, top, start)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), os.path.join(TOP, top))
                found |= {path, os.path.splitext(path)[0]}
    return found


@pytest.mark.parametrize("document", documents())
def test_source_files_that_a_document_names_exist(document):
    folders = "|".join(e.name for e in os.scandir(os.path.join(TOP, "mod_esign")) if e.is_dir())
    named = re.findall(r"`((?:%s|tools)/[a-z_]+(?:\.[ch])?)`" % folders, read(document))
    assert sorted(set(named) - sources()) == []
