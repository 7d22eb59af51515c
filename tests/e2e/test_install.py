# SPDX-License-Identifier: Apache-2.0
"""test_install.py: what `make install` leaves, and that it names the paths of its own build."""

import os
import re
import subprocess

import pytest

import portal as parts


def make(*arguments, text=None):
    done = subprocess.run(
        ["make", "-s", "-C", parts.BUILD, *arguments], capture_output=True, text=True, input=text
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_below(folder):
    found = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    return {name[len(str(folder)) :] for name in found}


@pytest.fixture(scope="module")
def paths():
    """Folders of the build."""
    names = "confdir docdir htdocsdir localstatedir mandir moduledir pkgdatadir sbindir".split()
    rule = "include Makefile\nprint-paths:\n"
    rule += "".join("\t@echo '$(%s)'\n" % name for name in names)
    lines = make("-f", "-", "--no-print-directory", "print-paths", text=rule).splitlines()
    return dict(zip(names, lines))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    make("install", "DESTDIR=%s" % folder)
    return folder


def test_an_installation_is_whole(installed, paths):
    found = files_below(installed)
    wanted = [
        ("confdir", "esign.conf.sample"),
        ("confdir", "esign.load.sample"),
        ("confdir", "esignctl.conf.sample"),
        ("confdir", "tls.conf.sample"),
        ("docdir", "manual/esignctl.html"),
        ("docdir", "manual/mod_esign.html"),
        ("docdir", "manual/theme.md"),
        ("htdocsdir", "static/esign.css"),
        ("htdocsdir", "xsl/page.xsl"),
        ("mandir", "man5/mod_esign.conf.5"),
        ("mandir", "man8/esignctl.8"),
        ("moduledir", "mod_esign.so"),
        ("pkgdatadir", "blocklist.txt"),
        ("sbindir", "esignctl"),
    ]
    assert {paths[folder] + "/" + name for folder, name in wanted} <= found
    assert [name for name in found if re.search(r"\.(la|new|in|xsl\.new|rng\.new)$", name)] == []


def test_samples_and_manual_name_the_paths_of_the_build(installed, paths):
    """Of our own folders no other path stands there than the build's."""
    known = [paths[name] for name in ("confdir", "docdir", "htdocsdir", "moduledir", "pkgdatadir")]
    known.append(paths["localstatedir"] + "/lib/mod_esign")
    texts = [name for name in files_below(installed) if re.search(r"\.(sample|html|[58])$", name)]
    assert len(texts) == 9
    for name in texts:
        with open(str(installed) + name, encoding="utf-8") as file:
            text = file.read().replace("\\-", "-")
        assert not re.search("@[a-z]+@", text), name
        for path in re.findall(r"(?<![\w/:.>])/[\w./-]*mod_esign[\w./-]*", text):
            assert path.startswith(tuple(known)), (name, path)
    with open(installed / (paths["confdir"][1:] + "/esign.conf.sample")) as file:
        assert "#EsignHtdocs %s\n" % paths["htdocsdir"] in file.read()


def test_uninstall_takes_all_of_it_away(installed):
    make("uninstall", "DESTDIR=%s" % installed)
    assert files_below(installed) == set()
