# SPDX-License-Identifier: Apache-2.0
"""test_import.py: esignctl subscriber import: what it takes, refuses and tells."""

import os
import re
import subprocess

import pytest
from lxml import etree

import portal as parts
from command import WORD, file_of, subscriber


def test_subscribers_are_imported_shown_and_opened(ctl, tmp_path):
    path = tmp_path / "subscribers.xml"
    second = 'serial="S-2" state="revoked" not-before="2024-01-01" not-after="2027-01-01"'
    path.write_text(
        file_of(
            subscriber(1, more="<card %s><pin>1111</pin><puk>2222</puk></card>" % second),
            subscriber(3, word="<security-word>%s</security-word>" % WORD),
        )
    )
    assert ctl.good("subscriber", "import", str(path)) == "2 registered, 0 refused\n"
    shown = ctl.good("subscriber", "show", parts.tckn("100000001"))
    assert re.fullmatch(
        r"row        #\d+\nname       Ayşe Çınar\ne-mail     a\*\*\*@example.org\nphone      \+90 "
        r".*01\nlanguage   tr\nword       set\n"
        r"failures   0\nwaits till -\nclosed     no\ncard       S-1  active  2026-01-01 to "
        r"2029-01-01\ncard       S-2  revoked  2024-01-01 to 2027-01-01\n",
        shown,
    )
    for secret in ("483920", "71940382", "1111", "2222", "ayse@", "argon2", WORD, "5550000001"):
        assert secret not in shown
    row = re.search(r"#\d+", shown).group()
    assert ctl.good("subscriber", "show", row) == shown
    ctl.sql(
        "UPDATE subscriber SET failures = 100, closed = 1, wait_until = 4102444800000000 "
        "WHERE id = ?",
        int(row[1:]),
    )
    shown = ctl.good("subscriber", "show", row)
    assert "failures   100\nwaits till 2100-01-01T00:00:00Z\nclosed     yes\n" in shown
    assert ctl.good("subscriber", "open", row) == ""
    assert "failures   0\nwaits till -\nclosed     no\n" in ctl.good("subscriber", "show", row)
    assert re.search(r"\sopened\s+%s\s+local\s" % row, ctl.good("audit", "list", "--max", "2"))
    assert ctl.good("subscriber", "close", row) == ""
    assert "closed     yes\n" in ctl.good("subscriber", "show", row)
    assert re.search(r"\sbarred\s+%s\s+local\s" % row, ctl.good("audit", "list", "--max", "2"))
    for command in ("show", "open", "close"):
        assert "nobody is registered" in ctl.bad(1, "subscriber", command, parts.tckn("100000009"))
        assert "nobody is registered" in ctl.bad(1, "subscriber", command, row + "x")
        assert "no identity number of the scheme tckn" in ctl.bad(
            1, "subscriber", command, "12345678901"
        )


RULES = etree.RelaxNG(etree.parse(os.path.join(parts.TOP, "conf", "subscribers.rng")))
PRINT = "ab" * 32
# The text of the file, the reason for its refusal, and whether the RELAX NG schema refuses it, too.
REFUSED = [
    (
        {"ids": 'national-id="12345678901" language="tr"'},
        "the identity number is not one of the scheme",
        False,
    ),
    (
        {"email": "<email>a@b@c</email>"},
        "the e-mail address is not one that mail can be sent to",
        False,
    ),
    (
        {"word": "<security-word>kısa</security-word>"},
        "the security word is not acceptable: short",
        False,
    ),
    (
        {"word": "<security-word>password123</security-word>"},
        "the security word is not acceptable: common",
        False,
    ),
    (
        {"word": "<security-word>bahçedeki ÇINAR ağacı</security-word>"},
        "the security word is not acceptable: personal",
        False,
    ),
    (
        {"word": "<security-word>benim ayse hesabım</security-word>"},
        "the security word is not acceptable: personal",
        False,
    ),
    (
        {
            "word": "<word-hash>$argon2id$v=19$m=19456,t=17,p=1$YWJjZGVmZ2hpamtsbW5vcA$"
            + "A" * 43
            + "</word-hash>"
        },
        "more than 16 passes",
        False,
    ),
    ({"word": "<word-hash>$argon2id$v=19$nonsense</word-hash>"}, "it is malformed", False),
    (
        {"card": 'serial="X" state="active" not-before="2029-01-01" not-after="2026-01-01"'},
        "the earlier one first",
        False,
    ),
    (
        {"phone": "<phone>05550000001</phone>"},
        "the phone number must be of the form +905551234567",
        True,
    ),
    ({"phone": "<phone>+05550000001</phone>"}, "the phone number", True),
    (
        {"word": "<word-hash>$2b$10$abcdefghijklmnopqrstuv</word-hash>"},
        "it is not of argon2id",
        True,
    ),
    ({"word": ""}, "a security-word or a word-hash must be given", True),
    ({"more": "<security-word>%s</security-word>" % WORD}, "not both", True),
    ({"name": "<name/>"}, "the name must be 1 to 200 characters", True),
    ({"name": "<name>%s</name>" % ("ş" * 201)}, "the name must be 1 to 200 characters", True),
    (
        {"name": "<name>Ayşe\nÇınar</name>"},
        "the name must be 1 to 200 characters on one line",
        True,
    ),
    ({"name": "<name>Ayşe\x9b2JÇınar</name>"}, "without control characters", True),
    ({"name": ""}, "<subscriber> needs the element <name>", True),
    ({"email": ""}, "<subscriber> needs the element <email>", True),
    ({"name": "<name>A</name><name>B</name>"}, "the element <name> stands twice", True),
    (
        {"name": "<name>A<b>B</b></name>"},
        "the element <name> holds a text, and no attribute or element",
        True,
    ),
    (
        {"name": '<name short="A">AB</name>'},
        "the element <name> holds a text, and no attribute or element",
        True,
    ),
    ({"more": "<nickname>A</nickname>"}, "the element <nickname> is not known here", True),
    ({"more": "stray"}, "text cannot stand in <subscriber>", True),
    ({"more": '<x:card xmlns:x="urn:x"/>'}, "the element <card> is not known here", True),
    ({"attributes": 'vip="yes"'}, "<subscriber> has an attribute that is not known: vip", True),
    (
        {"attributes": 'xmlns:x="urn:x" x:language="tr"'},
        "<subscriber> has an attribute that is not known: language",
        True,
    ),
    ({"ids": 'language="tr"'}, "<subscriber> needs the attribute national-id", True),
    ({"ids": 'national-id="10000000146" language="de"'}, "the language must be tr or en", True),
    (
        {"card": 'state="active" not-before="2026-01-01" not-after="2029-01-01"'},
        "<card> needs the attribute serial",
        True,
    ),
    (
        {"card": 'serial="a b" state="active" not-before="2026-01-01" not-after="2029-01-01"'},
        "a card's serial",
        True,
    ),
    (
        {"card": 'serial="X" state="lost" not-before="2026-01-01" not-after="2029-01-01"'},
        "a card's state",
        True,
    ),
    (
        {"card": 'serial="X" state="active" not-before="2026-02-30" not-after="2029-01-01"'},
        "dates of the form YYYY-MM-DD",
        True,
    ),
    (
        {"card": 'serial="X" state="active" not-before=" 2026-02-20" not-after="2029-01-01"'},
        "dates of the form YYYY-MM-DD",
        True,
    ),
    ({"card_attributes": 'fingerprint="%s:"' % PRINT}, "a card's fingerprint", True),
    ({"card_attributes": 'fingerprint="a:%s"' % PRINT[1:]}, "a card's fingerprint", True),
    ({"pin": ""}, "<card> needs the element <pin>", True),
    ({"puk": "<puk>12 34</puk>"}, "a card's PIN and PUK must be 4 to 32 digits each", True),
    ({"pin": "stray<pin>4839</pin>"}, "text cannot stand in <card>", True),
]
TAKEN = [
    {},
    {"name": "<name>%s</name>" % ("ş" * 200)},
    {"name": "<name>Ayşe <!-- kızlık soyadı -->Ç<![CDATA[ınar]]></name>"},
    {"more": "\n <!-- checked --> <?mark 1?>\n"},
    {"attributes": 'xmlns:x="urn:x"'},
    {"card_attributes": 'fingerprint="%s"' % PRINT},
    {"card_attributes": 'fingerprint="sha256:%s"' % ":".join(["AB"] * 32)},
    {"word": "<security-word>%s</security-word>" % WORD},
    {"name": "", "more": "<name>Ayşe</name>"},
    {"email": "<email>a&amp;b@example.org</email>"},
]


@pytest.mark.parametrize("changes,told,structural", REFUSED)
def test_refusal_names_line_and_reason(ctl, tmp_path, changes, told, structural):
    path = tmp_path / "subscribers.xml"
    path.write_text(file_of(subscriber(1), subscriber(2, **changes)), encoding="utf-8")
    done = ctl.run("subscriber", "import", str(path))
    assert (done.returncode, done.stdout) == (1, "0 registered, 1 refused\n")
    head = "esignctl: %s:3: " % path
    assert (
        done.stderr.startswith(head) and told in done.stderr and done.stderr.count("\n") == 1
    ), done.stderr
    for secret in ("password123", "hesabım", "ağacı", "kısa", "12 34", "4839", WORD, "AAAA"):
        assert secret not in done.stderr
    assert ctl.count() == ctl.count("card") == ctl.count("audit") == 0
    assert RULES.validate(etree.parse(str(path))) is not structural


def test_what_is_taken_the_schema_takes_too(ctl, tmp_path):
    path = tmp_path / "subscribers.xml"
    path.write_text(
        file_of(*(subscriber(n, **changes) for n, changes in enumerate(TAKEN))), encoding="utf-8"
    )
    assert ctl.good("subscriber", "import", str(path)) == "%d registered, 0 refused\n" % len(TAKEN)
    assert RULES.validate(etree.parse(str(path))), RULES.error_log
    assert set(ctl.sql("SELECT DISTINCT fingerprint FROM card")) == {(None,), (PRINT,)}


def test_doubles_are_refused(ctl):
    again = ctl.run(
        "subscriber",
        "import",
        "-",
        input=file_of(
            subscriber(1), subscriber(2), subscriber(1, serial="S-9"), subscriber(4, serial="S-2")
        ),
    )
    assert again.returncode == 1 and again.stdout == "0 registered, 2 refused\n"
    assert again.stderr == (
        "esignctl: -:4: the identity number is registered already\n"
        "esignctl: -:5: the card S-2 is registered already\n"
    )
    assert (
        ctl.good("subscriber", "import", "-", input=file_of(subscriber(1)))
        == "1 registered, 0 refused\n"
    )
    assert "-:2: the identity number is registered already" in ctl.bad(
        1, "subscriber", "import", "-", input=file_of(subscriber(1, serial="S-9"))
    )
    assert "-:2: the card S-1 is registered already" in ctl.bad(
        1, "subscriber", "import", "-", input=file_of(subscriber(2, serial="S-1"))
    )
    assert ctl.count() == ctl.count("card") == ctl.count("audit") == 1


def test_all_or_nothing_unless_told_to_keep_going(ctl):
    text = file_of(
        subscriber(1),
        subscriber(2, phone="<phone>1</phone>"),
        "<person/>",
        subscriber(3, serial="S-1"),
        subscriber(4),
    )
    whole = ctl.run("subscriber", "import", "-", input=text)
    assert (whole.returncode, whole.stdout, ctl.count()) == (1, "0 registered, 3 refused\n", 0)
    kept = ctl.run("subscriber", "import", "--keep-going", "-", input=text)
    assert (kept.returncode, kept.stdout, kept.stderr) == (
        1,
        "2 registered, 3 refused\n",
        whole.stderr,
    )
    assert [line.split(": ")[1] for line in kept.stderr.splitlines()] == ["-:3", "-:4", "-:5"]
    assert ctl.count() == ctl.count("card") == ctl.count("audit") == 2


BOMB = '<!DOCTYPE subscribers [<!ENTITY a "aaaaaaaaaa">%s]>\n' % "".join(
    '<!ENTITY %s "%s">' % (chr(c), "&%s;" % chr(c - 1) * 10) for c in range(ord("b"), ord("k"))
)


@pytest.mark.parametrize(
    "text,told",
    [
        pytest.param(*pair, id=str(n))
        for n, pair in enumerate(
            [
                (file_of(subscriber(1), subscriber(2).replace("</name>", "</nam>")), "line 3: "),
                (file_of(subscriber(1), subscriber(2)) + "<more/>", "line 5: "),
                (file_of(subscriber(1), subscriber(2))[:-40], "line 3: "),
                (file_of(subscriber(1), "\x01"), "line 3: "),
                (file_of(subscriber(1), "stray"), "line 3: text cannot stand between subscribers"),
                ("", "line 1: "),
                ("<people/>", "line 1: the root is not <subscribers>"),
                ('<subscribers xmlns="urn:x"/>', "line 1: the root is not <subscribers>"),
                ('\n<subscribers version="2"/>', "line 2: <subscribers> has no attributes"),
                (
                    BOMB + file_of(subscriber(1, name="<name>&j;</name>")),
                    "-: a document type declaration cannot stand here",
                ),
                (
                    BOMB + file_of(subscriber(1, attributes='x="&j;"')),
                    "-: a document type declaration cannot stand here",
                ),
                (
                    '<!DOCTYPE subscribers [<!ENTITY f SYSTEM "/etc/passwd">]>\n'
                    + file_of(subscriber(1, name="<name>&f;</name>")),
                    "document type declaration",
                ),
                (
                    '<!DOCTYPE subscribers SYSTEM "/etc/passwd">\n' + file_of(subscriber(1)),
                    "document type declaration",
                ),
            ]
        )
    ],
)
def test_file_that_is_none_is_refused_as_a_whole(ctl, text, told):
    done = ctl.run("subscriber", "import", "-", input=text, timeout=10)
    assert done.returncode == 1 and done.stdout == "0 registered, 0 refused\n"
    assert done.stderr.startswith("esignctl: -: ") and told in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1 and "root:" not in done.stderr
    assert ctl.count() == ctl.count("audit") == 0


def test_file_that_breaks_off_keeps_what_went_before_when_told_to(ctl):
    done = ctl.run(
        "subscriber",
        "import",
        "-",
        "--keep-going",
        input=file_of(subscriber(1), subscriber(2))[:-40],
    )
    assert (done.returncode, done.stdout, ctl.count()) == (1, "1 registered, 0 refused\n", 1)


def test_file_that_cannot_be_read_is_named(ctl, tmp_path):
    assert "%s: cannot be read: No such file" % (tmp_path / "no.xml") in ctl.bad(
        1, "subscriber", "import", str(tmp_path / "no.xml")
    )
    assert "%s: cannot be read: Is a directory" % tmp_path in ctl.bad(
        1, "subscriber", "import", str(tmp_path)
    )


def test_lines_beyond_65535_are_still_right(ctl, tmp_path):
    path = tmp_path / "long.xml"
    wrong = subscriber(1, phone="<phone>1</phone>")
    path.write_text(
        "<subscribers>\n%s%s\n%s\n<!--%s-->\n%s\n</subscribers>\n"
        % ("\n" * 70000, wrong, wrong, "\n" * 70000, wrong.replace("><", ">\n<")),
        encoding="utf-8",
    )
    done = ctl.run("subscriber", "import", str(path))
    assert [int(line.split(":")[2]) for line in done.stderr.splitlines()] == [70002, 70003, 140005]


def peak(ctl, text):
    """The output of an import, and the kilobytes of memory that it used when nearly all was read: a
    pipe holds 64 KiB.
    """
    child = subprocess.Popen(
        ctl.line("subscriber", "import", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    child.stdin.write(text)
    child.stdin.flush()
    with open("/proc/%d/status" % child.pid) as file:
        used = int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1))
    told, _ = child.communicate(timeout=60)
    return told, used


def test_twenty_thousand_are_streamed_in_bounded_memory(ctl):
    told, little = peak(ctl, file_of(*(subscriber(n) for n in range(500))))
    assert told == "500 registered, 0 refused\n"
    many = file_of(*(subscriber(n) for n in range(1000, 21000)))
    told, much = peak(ctl, many)
    assert (
        told == "20000 registered, 0 refused\n"
        and ctl.count() == ctl.count("card") == ctl.count("audit") == 20500
    )
    # SQLite's page cache may fill, which is 2 MB.
    assert len(many) > 7_900_000 and much - little < 4096, (little, much)


def test_hash_from_elsewhere_is_sealed_at_once_signs_in_and_is_made_anew(portal):
    # By the reference implementation, with a parallelism that is not ours.
    head, secret = (
        "$argon2id$v=19$m=19456,t=2,p=4$c2FsdHNhbHRzYWx0c2FsdA$",
        "GBv6dwmZbkORTkL1kWSqgdbsCMr9Zp0CzKb6ffnnHr8",
    )
    n = next(portal.serial)
    s = parts.Subscriber(
        parts.tckn(), "parola-ş", "kisi%d@example.org" % n, "+90555%07d" % n, "Ayşe Çınar", "tr", []
    )
    text = subscriber(
        n,
        ids='national-id="%s" language="tr"' % s.id,
        email="<email>%s</email>" % s.email,
        phone="<phone>%s</phone>" % s.phone,
        word="<word-hash>%s</word-hash>" % (head + secret),
    )
    portal.ctl("subscriber", "import", "-", stdin=file_of(text))

    def stored():
        ((value,),) = portal.sql("SELECT word_hash FROM subscriber WHERE id = ?", portal.row(s))
        return value

    before = stored()
    assert before.startswith(head) and secret not in before
    assert portal.browser().login(s, "parola-s").status >= 400
    assert stored() == before
    portal.browser().sign_in(s)
    after = stored()
    assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{22}\$[\w-]{98}$", after)
    assert portal.browser().login(s).status == 303
    assert stored() == after


@pytest.mark.skipif(
    os.getuid() != 0, reason="only root may look into a process that leaves no core"
)
def test_what_waits_on_the_disk_is_sealed_and_has_no_name(ctl, tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    child = subprocess.Popen(
        ctl.line("subscriber", "import", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    # More than the pipe holds, so that all subscribers have been read when it is written.
    child.stdin.write("<subscribers>" + "\n".join(subscriber(n) for n in range(20)) + " " * 200_000)
    child.stdin.flush()
    files = ["/proc/%d/fd/%s" % (child.pid, n) for n in os.listdir("/proc/%d/fd" % child.pid)]
    (spool,) = [file for file in files if str(folder) in os.readlink(file)]
    with open(spool) as file:
        waiting = file.read()
    assert os.listdir(folder) == [] and len(waiting) > 4000 and ctl.count() == 0
    for secret in (
        "483920",
        "71940382",
        "argon2id",
        "example.org",
        "5550000001",
        parts.tckn("100000000"),
    ):
        assert secret not in waiting
    child.communicate("</subscribers>", timeout=30)
    assert child.returncode == 0 and ctl.count() == 20


def test_no_room_to_wait_is_exit_3(ctl):
    assert "the temporary file cannot be made in /nonexistent" in ctl.bad(
        3,
        "subscriber",
        "import",
        "-",
        input=file_of(),
        env={**os.environ, "TMPDIR": "/nonexistent"},
    )


def test_import_while_the_portal_runs(portal):
    """While a file comes in, people read pages, sign in and see their PIN as ever."""
    browser, s = portal.browser(), portal.new_subscriber()
    first = next(portal.serial) * 1000 % 700000000
    text = file_of(*(subscriber(first + n, serial="LIVE-%d" % (first + n)) for n in range(3000)))
    child = subprocess.Popen(
        ["sh", "-c", portal.env["CTL"] + " subscriber import -"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    half = text.index("<subscriber ", len(text) // 2)
    child.stdin.write(text[:half])
    child.stdin.flush()
    for page in ("", "login", "reset"):
        assert browser.get(page).status == 200
    browser.sign_in(s)
    assert browser.post("pin").status == 200
    told, _ = child.communicate(text[half:], timeout=60)
    assert told == "3000 registered, 0 refused\n"
    assert browser.get("menu").status == 200
