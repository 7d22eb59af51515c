# SPDX-License-Identifier: Apache-2.0
"""test_names.py: texts of a subscriber and of the authority that look like markup, templates,
headers and commands, on every way out.
"""

import html.parser
import re
from xml.sax.saxutils import escape

import pytest

import command
import portal as parts

NAMES = [
    "<script>alert(1)</script>",
    "]]><script>alert(1)</script><![CDATA[",
    "&x; &lt;b&gt; &#60;",
    "{{7*7}} ${7*7} #{7*7}",
    "%s%n%d %(a)s",
    "{1} {0} {9}",
    'Ada" <evil@example.net>, "b',
    "a, b: c; d <e@example.net>",
    "=?UTF-8?B?QmNjOiBldmlsQGV4YW1wbGUubmV0?=",
    "O'Brien \\\" \\",
    "; rm -rf / `id` $(id)",
    "عمر بن الخطاب",
    "שרה",
    "\u200fA\u200e\u200cB\u200d\ufeffC",
    "😀 𐐷 👩‍👩‍👧",
    "Z\u0351\u0363\u0334" + "\u0301" * 40,
    "İıĞğ ŞşÇç",
    "{name}",
    "<?php ?><!-- -->",
]


class Marks(html.parser.HTMLParser):
    """The tags of a page in their order, and all that can be read."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, sorted(name for name, _ in attributes)))

    def handle_data(self, data):
        self.words += data


def squeezed(text):
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def plain(portal):
    """What a subscriber of an ordinary name gets."""
    return walk(portal, portal.new_subscriber(name="Ayşe Çınar"))


def walk(portal, subscriber):
    """Everything that names a subscriber: mails, SMS, pages."""
    browser = portal.browser()
    browser.get(browser.reset_link(subscriber))
    browser.sign_in(subscriber)
    pages = [browser.html(path).text for path in ("reset/word", "menu", "activity", "word")]
    pages.append(browser.session.post(browser.url("pin"), headers={"Accept": "text/html"}).text)
    mails = portal.wait(
        lambda: (lambda found: found if len(found) == 3 else None)(portal.mails(subscriber.email))
    )
    assert mails
    return (
        sorted(mails, key=lambda mail: squeezed(mail["Subject"])),
        portal.sms(subscriber.phone),
        pages,
    )


@pytest.mark.parametrize("name", ["x" * 200, *(" ".join(NAMES[i::6]) for i in range(6))], ids=ascii)
def test_a_name_is_a_name_everywhere(portal, plain, name):
    before = [len(portal.log(log)) for log in ("error.log", "access.log")]
    subscriber = portal.new_subscriber(name=escape(name))
    mails, sms, pages = walk(portal, subscriber)
    for mail, ordinary in zip(mails, plain[0]):
        assert sorted(mail.keys()) == sorted(ordinary.keys()) and squeezed(
            mail["Subject"]
        ) == squeezed(ordinary["Subject"])
        to = mail["To"].addresses
        # Python leaves the space between the encoded words of a long name.
        assert [(re.sub(r"\s", "", one.display_name), one.addr_spec) for one in to] == [
            (re.sub(r"\s", "", name), subscriber.email)
        ]
        for kind in ("plain", "html"):
            body, like = (one.get_body((kind,)).get_content() for one in (mail, ordinary))
            read = Marks(body) if kind == "html" else None
            assert squeezed("Sayın %s," % name) in squeezed(read.words if read else body)
            if read:
                assert read.tags == Marks(like).tags
        assert re.search(r"^To: ", mail.as_string(), re.M) and "evil@" not in "".join(
            str(v) for k, v in mail.items() if k not in ("To",)
        )
    assert [re.sub(r"\d{6}", "", one) for one in sms] == [
        re.sub(r"\d{6}", "", one) for one in plain[1]
    ]
    for page, ordinary in zip(pages, plain[2]):
        assert "alert(1)" not in page and [
            tag for tag, _ in Marks(page).tags if tag in ("script", "b", "e")
        ] == [tag for tag, _ in Marks(ordinary).tags if tag in ("script", "b", "e")]
    # Whole, and on one line, where an operator reads it; not at all where nobody should.
    assert "\nname       %s\n" % name in portal.ctl("subscriber", "show", subscriber.id)
    for log, size in zip(("error.log", "access.log"), before):
        assert len(name) < 8 or name not in portal.log(log)[size:]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_form_for_the_counter(ctl, name):
    options = ["--email", "ayse@example.org", "--phone", "+905550000001"]
    like = Marks(ctl.good("form", "10000000146", "--name", "Ayşe Çınar", *options))
    text = ctl.good("form", parts.tckn(), "--name", name, *options)
    read = Marks(text)
    assert read.tags == like.tags and squeezed(name) in squeezed(read.words)


@pytest.mark.parametrize(
    "part,value",
    [
        ("name", value)
        for value in (
            "a\nb",
            "a\r\nBcc: evil@example.net",
            "a\tb",
            "a\x7fb",
            "a\u0085b",
            "a\u2028b",
            "a\u2029b",
            "a\u202eb",
            "\u202aab",
            "a\u2066b\u2069",
            "a\u2068b",
            "x" * 201,
            " ",
            "",
        )
    ]
    + [
        ("email", value)
        for value in (
            "a@b\nBcc: c@d",
            "a@b.c, d@e.f",
            "<a@b.c>",
            '"a b"@c.d',
            "a@b@c",
            "a@[127.0.0.1]",
            "a @b.c",
            "a@example.org\u202e",
            "a@b.c%0aBcc:d",
            "-a@b.c\0".strip("\0") + " ",
        )
    ]
    + [
        ("phone", value)
        for value in (
            "+90 555",
            "+905550000001\n+905550000002",
            "+9055500000{text}",
            "+٩٠٥٥٥٠٠٠٠٠٠١",
            "905550000001",
            "+905550000001,+905550000002",
        )
    ]
    + [("serial", value) for value in ("<b>", "a b", "a\u202eb", "a&b", "ş", "a\nb", "{1}")],
    ids=ascii,
)
def test_what_is_never_taken_in(ctl, part, value):
    """Address, number and serial have no such characters. A name keeps its line and direction."""
    written = escape(value, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    pieces = (
        {"serial": written} if part == "serial" else {part: "<%s>%s</%s>" % (part, written, part)}
    )
    text = ctl.bad(
        1, "subscriber", "import", "-", input=command.file_of(command.subscriber(1, **pieces))
    )
    assert ctl.count() == 0 and "evil" not in text


@pytest.mark.parametrize(
    "text",
    [
        '<subscribers xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" '
        'parse="text"/></subscribers>',
        '<subscribers><subscriber xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include '
        'href="/etc/passwd" parse="text"/></subscriber></subscribers>',
        '<?xml-stylesheet href="file:///etc/passwd"?><!DOCTYPE a PUBLIC "-//x" '
        '"http://127.0.0.1:9/x"><subscribers/>',
        '<!DOCTYPE a [<!ENTITY % b SYSTEM "file:///etc/passwd"> %b;]><subscribers/>',
        '<!DOCTYPE a [<!ATTLIST subscriber language CDATA "tr">]>'
        + command.file_of(command.subscriber(1)),
    ],
    ids=["XInclude", "XInclude inside", "stylesheet", "parameter entity", "default attribute"],
)
def test_import_reads_no_other_file(ctl, text):
    done = ctl.run("subscriber", "import", "-", input=text)
    assert done.returncode != 0 and "root:" not in done.stdout + done.stderr and ctl.count() == 0


def test_the_name_of_the_authority(make_portal, tmp_path):
    name = "<script>alert(1)</script> & ]]> {1} {0} %s \\'x"
    include = tmp_path / "name.conf"
    include.write_text(
        'EsignOrganization "%s"\nEsignSMSName "<b>&{text}{1}%%s"\n'
        'EsignMenuLink "<script>alert(2)</script>{1}" "https://www.example.org/?a=1&c"\n'
        % name.replace("\\", "\\\\")
    )
    portal = make_portal("--include", str(include))
    mails, sms, pages = walk(portal, portal.new_subscriber())
    for page in pages:
        read = Marks(page)
        assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)", "", page) and name in squeezed(
            read.words
        )
    assert "alert(2)" not in re.sub(r"&lt;script&gt;alert\(2\)", "", pages[1])
    for mail in mails:
        assert (
            mail["From"].addresses[0].display_name == name
            and mail["From"].addresses[0].addr_spec == "portal@example.org"
        )
        assert mail["Subject"].strip().startswith(name) and name in squeezed(
            mail.get_body(("plain",)).get_content()
        )
        assert [
            tag
            for tag, _ in Marks(mail.get_body(("html",)).get_content()).tags
            if tag in ("script", "b")
        ] == []
    assert sms[0].startswith("<b>&{text}{1}%s: ")
    portal.stop()


def test_what_is_typed_comes_back_as_text(portal, browser):
    like = None
    for typed in ["1", *NAMES]:
        challenge = browser.get("login").challenge()
        page = browser.session.post(
            browser.url("login"),
            {"id": typed, "challenge": challenge, "word": typed, "answer": typed},
            headers={"Accept": "text/html"},
        )
        tags = [tag for tag, _ in Marks(page.text).tags if tag in ("script", "b", "e")]
        like = like or tags
        assert page.status_code == 422 and tags == like and "script>alert" not in page.text
        xml = browser.post(
            "login", {"id": typed, "challenge": challenge, "word": typed, "answer": typed}
        )
        assert xml.xml.find(".//field[@name='id']").get("value") == typed


def test_the_audit_trail_names_nobody(portal, subscriber):
    """The trail holds only numbers of rows, addresses and events. The address comes from httpd, so
    nobody can make one up.
    """
    portal.browser().sign_in(subscriber)
    text = portal.ctl("audit", "list", "--subscriber", subscriber.id)
    for secret in (
        subscriber.name,
        subscriber.id,
        subscriber.email,
        subscriber.phone,
        subscriber.word,
    ):
        assert secret not in text, secret
