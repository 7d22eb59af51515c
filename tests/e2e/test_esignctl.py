# SPDX-License-Identifier: Apache-2.0
"""test_esignctl.py: the command line of esignctl: help, refusals, keys, the database, the
registration form.
"""

import os
import re
import sqlite3
import stat
import subprocess

import pytest
from lxml import etree

import portal as parts
from command import file_of, Instance, subscriber

COMMANDS = [
    "key new",
    "key add",
    "key list",
    "key rotate",
    "key retire",
    "db init",
    "db upgrade",
    "subscriber import",
    "subscriber show",
    "subscriber open",
    "subscriber close",
    "form",
    "captcha answer",
    "outbox list",
    "outbox show",
    "outbox retry",
    "outbox drop",
    "audit list",
    "audit verify",
    "audit export",
]


FORM = [
    "form",
    "10000000146",
    "--name",
    "Ayşe Çınar",
    "--email",
    "ayse@example.org",
    "--phone",
    "+905550000001",
]


# The command line


def test_help_of_the_whole_and_of_each_command(ctl):
    whole = ctl.good("--help")
    for command in COMMANDS:
        assert "  esignctl %s" % command in whole
        assert (
            ctl.good(*command.split(), "--help").splitlines()
            == whole[whole.index("  esignctl %s" % command) :].splitlines()[:2]
        )
    # No option takes a secret.
    assert set(re.findall(r"--[a-z-]+", whole)) == {
        "--config",
        "--help",
        "--version",
        "--keep-going",
        "--name",
        "--email",
        "--phone",
        "--language",
        "--word-file",
        "--subscriber",
        "--max",
        "--expect",
        "--since",
        "--until",
    }
    assert re.fullmatch(r"esignctl \d+\.\d+\.\d+\n", ctl.good("--version"))


@pytest.mark.parametrize(
    "arguments,told",
    [
        ([], "a command is missing"),
        (["key"], "no such command"),
        (["subscriber", "remove"], "no such command"),
        (["key", "retire"], "usage: esignctl key retire ID"),
        (["key", "retire", "0"], "write the key's id, a number from 1 to 255"),
        (["key", "retire", "1x"], "write the key's id"),
        (["key", "retire", "256"], "write the key's id"),
        (["db", "init", "more"], "usage: esignctl db init"),
        (["subscriber", "import"], "usage: esignctl subscriber import FILE [--keep-going]"),
        (["subscriber", "import", "--"], "usage: esignctl subscriber import"),
        (["subscriber", "show", "1", "2"], "usage: esignctl subscriber show ID"),
        (["audit", "list", "--keep-going"], "--keep-going: no such option here"),
        (["--max", "3", "audit", "list"], "--max: no such option here"),
        (["audit", "list", "--max=3"], "--max=3: no such option here"),
        (["audit", "list", "--max"], "--max needs a value"),
        (["audit", "list", "--max", "0"], "--max: write a number from 1"),
        (["audit", "list", "--max", "5x"], "--max: write a number from 1"),
        (["db", "init", "--config"], "--config needs a value"),
        (FORM[:2] + FORM[4:], "--name is missing"),
        (FORM[:4] + FORM[6:], "--email is missing"),
        (FORM[:6], "--phone is missing"),
        (FORM + ["--language", "de"], "--language: write tr or en"),
    ],
)
def test_wrong_command_lines_are_exit_2(ctl, arguments, told):
    assert told in ctl.bad(2, *arguments)
    assert ctl.count() == 0


@pytest.mark.parametrize(
    "line,told",
    [
        ("EsignKeyfile x", "esignctl.conf:2: EsignKeyfile is none of the settings"),
        ("EsignHashMemory 19455", "esignctl.conf:2: EsignHashMemory: write a number from 19456"),
        ("EsignHashPasses 2x", "esignctl.conf:2: EsignHashPasses: write a number from 2 to 16"),
        ("EsignHashPasses 17", "esignctl.conf:2: EsignHashPasses: write a number from 2 to 16"),
        ('EsignOrganization "open', "esignctl.conf:2: EsignOrganization: write a value"),
        ("EsignPublicURL", "esignctl.conf:2: EsignPublicURL: write a value"),
        ("EsignOrganization Nobody", "EsignKeyFile is missing"),
    ],
)
def test_wrong_settings_are_exit_3(ctl, line, told):
    (ctl.folder / "esignctl.conf").write_text("# settings\n%s\n" % line)
    for command in ["outbox", "list"], ["db", "init"], ["db", "upgrade"], ["audit", "verify"]:
        assert told in ctl.bad(3, *command)


def test_what_cannot_be_used_is_exit_3(ctl, tmp_path):
    missing = tmp_path / "nowhere" / "esignctl.conf"
    done = subprocess.run(
        [ctl.program, "--config", missing, "outbox", "list"], capture_output=True, text=True
    )
    assert done.returncode == 3 and str(missing) in done.stderr
    keys = tmp_path / "keys"
    for changes, told in [
        ({"DBDriver": "oracle"}, "no driver oracle"),
        ({"DBDParams": tmp_path / "no" / "db"}, "cannot be opened"),
        ({"DBDParams": None}, "DBDParams"),
        ({"DBDParams": tmp_path / "empty.db"}, "esignctl db init"),
        ({"EsignKeyFile": tmp_path / "no"}, "no"),
        ({"EsignIdentityNumber": "roman"}, "roman"),
    ]:
        ctl.set(
            **{
                "EsignKeyFile": keys,
                "DBDriver": "sqlite3",
                "DBDParams": tmp_path / "esign.db",
                **changes,
            }
        )
        assert told in ctl.bad(3, "subscriber", "show", "10000000146")
        # db init makes what is missing, and needs no scheme of numbers.
        if told != "esignctl db init" and "EsignIdentityNumber" not in changes:
            assert told in ctl.bad(3, "db", "init")
    ctl.set(EsignKeyFile=keys, DBDParams="host=db.example.org password=secret")
    os.chmod(tmp_path / "esignctl.conf", 0o644)
    line = ctl.bad(3, "outbox", "list")
    assert "chmod 600" in line and "secret" not in line


@pytest.mark.parametrize(
    "arguments", [["--help"], ["outbox", "list"], ["audit", "list"], ["subscriber", "import", "-"]]
)
def test_output_that_cannot_be_written_is_exit_3(ctl, arguments):
    with open("/dev/full", "w") as full:
        assert "standard output cannot be written" in ctl.bad(
            3,
            *arguments,
            capture_output=False,
            stdout=full,
            stderr=subprocess.PIPE,
            input=file_of(),
        )


def test_no_word_is_taken_without_a_blocklist(ctl, tmp_path):
    """Settings that name no blocklist use the installed one. Where nothing is installed, no word
    can be registered.
    """
    common = file_of(subscriber(1, word="<security-word>password1234</security-word>"))
    ctl.set(EsignKeyFile=tmp_path / "keys", DBDParams=tmp_path / "esign.db")
    done = ctl.run("subscriber", "import", "-", input=common)
    assert (done.returncode == 1 and "not acceptable: common" in done.stderr) or (
        done.returncode == 3 and "/share/mod_esign/blocklist.txt" in done.stderr
    ), done
    assert ctl.count() == 0


# Keys and the database


def test_key_file_is_private_and_never_overwritten(ctl, tmp_path):
    keys = tmp_path / "keys"
    before = keys.read_bytes()
    assert stat.S_IMODE(os.stat(keys).st_mode) == 0o600
    assert re.search(rb"^key 1 [A-Za-z0-9_-]{43}$", before, re.M)
    assert "%s cannot be made: it exists" % keys in ctl.bad(1, "key", "new")
    assert "it exists" in ctl.bad(1, "key", "new", str(keys))
    os.symlink(tmp_path / "elsewhere", tmp_path / "link")
    assert "it exists" in ctl.bad(1, "key", "new", str(tmp_path / "link"))
    assert keys.read_bytes() == before and not os.path.exists(tmp_path / "elsewhere")
    ctl.good("key", "new", str(tmp_path / "other"))
    assert (tmp_path / "other").read_bytes() != before
    assert "/no/" in ctl.bad(3, "key", "new", str(tmp_path / "no" / "keys"))


def test_wrong_key_file_is_refused(ctl, tmp_path):
    keys = tmp_path / "keys"
    for mode in (0o640, 0o604, 0o620, 0o602):
        os.chmod(keys, mode)
        for command in (
            ["outbox", "list"],
            ["subscriber", "import", "-"],
            ["captcha", "answer", "x"],
        ):
            line = ctl.bad(3, *command)
            assert "mode %04o" % mode in line and "chmod 600 %s" % keys in line
    os.chmod(keys, 0o600)
    secret = keys.read_text().split()[-1]
    keys.write_text("# one\nkey 1 %s\nkey 1 %s\n" % (secret, secret))
    line = ctl.bad(3, "audit", "list")
    assert "%s line 3: this id stands twice" % keys in line and secret not in line


def test_database_is_made_once_from_the_schema_that_people_read(tmp_path):
    ctl = Instance(tmp_path, init=False)
    ctl.good("key", "new")
    assert "there is no schema yet: esignctl db init" in ctl.bad(3, "db", "upgrade")
    ctl.good("db", "init")
    assert stat.S_IMODE(os.stat(tmp_path / "esign.db").st_mode) == 0o600
    assert "the schema is there already, in version 1" in ctl.bad(1, "db", "init")
    assert ctl.good("db", "upgrade") == "schema version 1, before 1\n"
    with open(os.path.join(parts.TOP, "conf", "schema", "schema.sql"), encoding="utf-8") as file:
        other = sqlite3.connect(":memory:")
        other.executescript(file.read())

    def shape(query):
        rows = query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
        return [re.sub(r"\s", "", re.sub(r"--.*", "", row[0])) for row in rows] + list(
            query("SELECT version FROM schema_version")
        )

    made = shape(ctl.sql)
    assert len(made) == 15 and made == shape(other.execute)
    ctl.sql("UPDATE schema_version SET version = 99")
    assert "version 99, newer" in ctl.bad(3, "db", "upgrade")


# The form


def sheet(text):
    """The form as a tree; libxml2 knows no tag that is newer than HTML 4."""
    parser = etree.HTMLParser(recover=True)
    tree = etree.fromstring(text, parser)
    assert [
        e.message
        for e in parser.error_log
        if not re.fullmatch(r"Tag (header|main) invalid", e.message)
    ] == []
    assert text.startswith("<!DOCTYPE html") and tree.get("lang") in ("tr", "en")
    return tree


@pytest.mark.parametrize("from_input", [False, True])
def test_form_registers_and_shows_the_word_once(ctl, tmp_path, from_input):
    word = 'kapı < tokmak & "7"'
    (tmp_path / "word").write_text(word + "\nsecond line\n", encoding="utf-8")
    text = ctl.good(
        *FORM,
        "--language",
        "en",
        "--word-file",
        "-" if from_input else str(tmp_path / "word"),
        input=word + "\n",
    )
    tree = sheet(text)
    assert (
        tree.get("lang") == "en"
        and "".join(tree.itertext()).count(word) == 1
        and "second line" not in text
    )
    everything = " ".join(tree.itertext())
    assert all(
        part in everything
        for part in ("10000000146", "Ayşe Çınar", "ayse@example.org", "+905550000001")
    )
    assert "word       set" in ctl.good("subscriber", "show", FORM[1])
    assert re.search(
        r"\sregistered\s+#\d+\s+local\s", ctl.good("audit", "list", "--subscriber", FORM[1])
    )
    assert "the identity number is registered already" in ctl.bad(1, *FORM)


def test_word_of_the_form_opens_the_portal(portal):
    n = next(portal.serial)
    s = parts.Subscriber(
        parts.tckn(), None, "kisi%d@example.org" % n, "+90555%07d" % n, "Ayşe Çınar", "tr", []
    )
    words = []
    for number in (s.id, parts.tckn()):
        tree = sheet(
            portal.ctl("form", number, "--name", s.name, "--email", s.email, "--phone", s.phone)
        )
        words.append(tree.xpath("string(//*[@class='word'])"))
    assert words[0] != words[1] and all(
        re.fullmatch(r"([a-z]{4}-){5}[a-z]{4}", word) for word in words
    )
    assert portal.browser().login(s, words[0]).status == 303


@pytest.mark.parametrize(
    "changes,code,told",
    [
        (["--email", "nobody"], 1, "the e-mail address"),
        (["--phone", "5550000001"], 1, "the phone number"),
        (["--name", "A\x1b[2J"], 1, "the name"),
        (["--word-file", "/nonexistent/word"], 1, "--word-file /nonexistent/word"),
        (["--word-file", "-"], 1, "the security word is not acceptable: short"),
    ],
)
def test_form_refuses(ctl, changes, code, told):
    line = ctl.bad(code, *FORM, *changes, input="kısa\n")
    assert told in line and "kısa" not in line and ctl.count() == 0


@pytest.mark.parametrize("output", ["full", "closed", "pipe"])
def test_lost_form_registers_nobody(ctl, output):
    line = " ".join("'%s'" % word for word in ctl.line(*FORM))
    script = line + {"full": " > /dev/full", "closed": " >&-", "pipe": ""}[output]
    for _ in range(3):
        reader, writer = os.pipe()
        os.close(reader)  # nobody reads what is written into the pipe
        done = subprocess.run(
            ["bash", "-c", script], stdout=writer, stderr=subprocess.PIPE, text=True
        )
        os.close(writer)
        assert done.returncode != 0
        assert (
            done.stderr == ""
            if output == "pipe"
            else "the form could not be written" in done.stderr
        )
        assert ctl.count() == ctl.count("audit") == 0
        with open(ctl.folder / "esign.db", "rb") as file:
            assert b"<html" not in file.read()
