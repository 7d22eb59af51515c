# SPDX-License-Identifier: Apache-2.0
"""test_theme.py: the manual's theme in pages, mail and form; edits with and without
EsignThemeReload; two portals with a theme each.
"""

import os
import re
import shutil
import tempfile

import pytest

import portal as parts
from test_configuration import httpd

HEADERS = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Strict-Transport-Security",
    "Cross-Origin-Resource-Policy",
)
MANUAL = os.path.join(parts.TOP, "docs", "manual", "theme.md")
IMPORT = (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" '
    'xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">\n'
    '<xsl:import href="esign:%s.xsl"/>\n%s</xsl:stylesheet>\n'
)


def shown():
    """The files of the manual's theme: a name in backticks alone on its line, and the code below
    it.
    """
    with open(MANUAL, encoding="utf-8") as file:
        found = re.findall(r"^`([\w./-]+)`\n\n((?:    .*\n)+)", file.read(), re.M)
    return {name: re.sub(r"^    ", "", code, flags=re.M) for name, code in found}


def write(folder, files):
    """All files change at once for a reader: a request never sees half a file."""
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)


@pytest.fixture(scope="module")
def folders():
    """Makes folders that httpd's user can read."""
    made = []

    def make(files):
        made.append(tempfile.mkdtemp(prefix="mod_esign-theme.", dir="/var/tmp"))
        os.chmod(made[-1], 0o755)
        write(made[-1], files)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def authors(make_portal, folders):
    """A demo on the manual's theme, as an author runs it; and the folder."""
    folder = folders(shown())
    return make_portal("--theme", folder), folder


def edit(folder, name, before, after):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        text = file.read()
    assert before in text
    write(folder, {name: text.replace(before, after)})


def test_manual_shows_twenty_lines():
    assert {
        "static/theme.css",
        "static/logo.svg",
        "messages.tr.xml",
        "messages.en.xml",
        "xsl/page.xsl",
    } == set(shown())
    assert sum(text.count("\n") for text in shown().values()) <= 20


def test_theme_of_the_manual_in_pages(authors):
    portal, _ = authors
    for language, motto in (("tr", "İmzanız sizindir."), ("en", "Your signature is yours.")):
        html = portal.browser(language).html("login")
        html.encoding = "utf-8"
        assert (
            html.status_code == 200
            and '</header><aside class="frame motto">%s</aside><main' % motto in html.text
        )
        assert "xmlns" not in html.text
        assert re.search(
            r'esign\.css"><link rel="stylesheet" href="/esign/static/theme/theme\.css">', html.text
        )
        assert (
            'src="/esign/static/theme/logo.svg"' in html.text
            and 'href="/esign/static/favicon.svg"' in html.text
        )
    assert "Certificates for Judges and Prosecutors" in html.text
    assert "Certificates for Judges" not in portal.browser("tr").html("login").text


def test_static_files_have_our_headers(authors):
    portal, folder = authors
    browser = portal.browser()
    page = browser.html("login")
    for name, kind in (("theme.css", "text/css"), ("logo.svg", "image/svg+xml")):
        answer = browser.session.get(portal.url + "static/theme/" + name)
        with open(os.path.join(folder, "static", name), encoding="utf-8") as file:
            assert (answer.status_code, answer.content.decode()) == (200, file.read())
        assert answer.headers["Content-Type"].split(";")[0] == kind
        assert {h: answer.headers[h] for h in HEADERS} == {h: page.headers[h] for h in HEADERS}
        assert answer.headers["Cache-Control"] == "no-cache"
    # A file beside static/ is no page.
    assert browser.session.get(portal.url + "static/theme/../messages.tr.xml").status_code == 404
    assert browser.session.get(portal.url + "static/theme/%2e%2e/xsl/page.xsl").status_code == 404


def test_edits_show_at_the_next_request(authors):
    portal, folder = authors
    browser = portal.browser("en")
    edit(folder, "messages.en.xml", "is yours", "is you")
    assert "Your signature is you." in browser.html("login").text
    edit(folder, "xsl/page.xsl", 'class="frame motto"', 'class="frame motto new"')
    assert 'class="frame motto new"' in browser.html("login").text
    os.rename(os.path.join(folder, "static/logo.svg"), os.path.join(folder, "static/other.svg"))
    login = browser.html("login").text
    assert "<svg " in login and "logo.svg" not in login
    write(folder, shown())
    assert 'src="/esign/static/theme/logo.svg"' in browser.html("login").text


@pytest.mark.parametrize(
    "name,before,after,where",
    [
        ("xsl/page.xsl", "</xsl:template>", "", "xsl/page.xsl:7: Opening and ending tag mismatch"),
        (
            "xsl/page.xsl",
            "<xsl:apply-imports/>",
            '<xsl:value-of select="1 +"/>',
            "xsl/page.xsl line 4 ",
        ),
        ("xsl/page.xsl", "'theme.motto'", "'theme.moto'", "no key theme.moto"),
        (
            "messages.en.xml",
            'key="service"',
            'key="sevrice"',
            "messages.en.xml:2: there is no key sevrice",
        ),
    ],
)
def test_mistakes_are_shown_where_the_page_would_be(authors, name, before, after, where):
    portal, folder = authors
    browser = portal.browser("en")
    try:
        edit(folder, name, before, after)
        answer = browser.html("login")
        assert (
            answer.status_code == 500
            and answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        )
        assert where in answer.text and answer.headers["Cache-Control"] == "no-store"
        assert where in portal.log()
        # Programs are answered without a stylesheet.
        assert browser.get("login").status == 200
    finally:
        write(folder, shown())
    assert browser.html("login").status_code == 200


def test_mails_use_the_theme_and_outlive_its_mistakes(authors):
    portal, folder = authors
    browser, subscriber = portal.browser("en"), portal.new_subscriber("en")

    def ask():
        before = len(portal.mails(subscriber.email))
        browser.ask_reset(subscriber.id)
        return portal.wait_mail(subscriber.email, before).get_body(("html",)).get_content()

    assert "Good day" not in ask()
    try:
        write(
            folder,
            {
                "xsl/mail-html.xsl": IMPORT
                % (
                    "mail-html",
                    '<xsl:template match="message" mode="style">.from { color: #7a1f3d; '
                    "}</xsl:template>\n",
                ),
                "messages.en.xml": (
                    '<messages lang="en"><message key="mail.greeting">Good day '
                    "{1},</message></messages>"
                ),
                "messages.tr.xml": '<messages lang="tr"/>',
                "xsl/page.xsl": IMPORT % ("page", ""),
            },
        )
        mail = ask()
        assert "Good day " + subscriber.name in mail and ".from { color: #7a1f3d; }" in mail
        write(folder, {"xsl/mail-html.xsl": "<broken>\n"})
        assert "Dear " + subscriber.name in ask()
        assert "mod_esign courier, as it was at the start: stylesheet" in portal.log()
    finally:
        os.unlink(os.path.join(folder, "xsl/mail-html.xsl"))
        write(folder, shown())


def test_form_uses_the_theme(ctl, folders):
    folder = folders(
        {
            "messages.en.xml": (
                '<messages lang="en"><message key="sheet.title">Request of a '
                "Judge</message></messages>"
            ),
            "xsl/form.xsl": IMPORT
            % (
                "form",
                '<xsl:template match="form-sheet" mode="style">h1 { color: #7a1f3d; '
                "}</xsl:template>\n",
            ),
        }
    )
    order = [
        "form",
        "10000000146",
        "--name",
        "Ayşe Çınar",
        "--email",
        "ayse@example.org",
        "--phone",
        "+905550000001",
        "--language",
        "en",
    ]
    with open(ctl.folder / "esignctl.conf", "a") as file:
        file.write('EsignTheme "%s"\n' % folder)
    form = ctl.good(*order)
    assert "<h1>Request of a Judge</h1>" in form and "h1 { color: #7a1f3d; }" in form
    write(
        folder,
        {
            "messages.en.xml": (
                '<messages lang="en">\n<message key="sheet.titel">x</message></messages>'
            )
        },
    )
    assert "messages.en.xml:2: there is no key sheet.titel" in ctl.bad(
        3, "form", "10000000078", *order[2:]
    )
    assert ctl.count() == 1


@pytest.fixture(scope="module")
def two(make_portal, folders):
    """Two portals on one port and one database, each with its theme, read at the start; and the
    folders.
    """
    themes = {
        "localhost": folders(shown()),
        "127.0.0.1": folders(
            {
                "messages.tr.xml": (
                    '<messages lang="tr"><message key="mail.greeting">Merhaba '
                    "{1},</message></messages>"
                ),
                "static/theme.css": ":root { --main: #14532d; }\n",
            }
        ),
    }
    port = parts.free_port()
    include = os.path.join(folders({}), "hosts.conf")
    with open(include, "w") as file:
        for name, folder in themes.items():
            file.write(
                "<VirtualHost *:%d>\nServerName %s\nEsignPublicURL https://%s:%d\n"
                'EsignTheme "%s"\nAlias /esign/static/theme/ "%s/static/"\n</VirtualHost>\n'
                '<Directory "%s/static">\nRequire all granted\n</Directory>\n'
                % (port, name, name, port, folder, folder, folder)
            )
    return (
        make_portal("--port", str(port), "--include", include),
        themes,
        {name: "https://%s:%d/esign/" % (name, port) for name in themes},
    )


def test_two_portals_have_two_themes(two):
    portal, themes, urls = two
    browser = portal.browser("tr")
    for name, motto, greeting in (("localhost", True, "Sayın"), ("127.0.0.1", False, "Merhaba")):
        html = browser.session.get(urls[name] + "login", headers={"Accept": "text/html"})
        assert (
            "motto" in html.text,
            "theme/logo.svg" in html.text,
            "theme/theme.css" in html.text,
        ) == (motto, motto, True)
        css = browser.session.get(urls[name] + "static/theme/theme.css")
        with open(os.path.join(themes[name], "static", "theme.css")) as file:
            assert css.text == file.read() and css.headers.get("Cache-Control") is None
        # Either's courier carries mails of both.
        subscriber = portal.new_subscriber("tr")
        for count in range(4):
            other = parts.Browser(portal)
            other.url = lambda path, base=urls[name]: base + path
            other.ask_reset(subscriber.id)
            mail = portal.wait_mail(subscriber.email, count).get_body(("plain",)).get_content()
            assert greeting in mail and urls[name] + "reset/" in mail


def test_without_reload_edits_wait_for_the_next_start(two):
    portal, themes, urls = two
    browser = portal.browser("en")
    edit(themes["localhost"], "messages.en.xml", "is yours", "is you")
    write(themes["localhost"], {"xsl/page.xsl": "<broken"})
    assert "Your signature is yours." in browser.html("login").text
    write(themes["localhost"], {"xsl/page.xsl": shown()["xsl/page.xsl"]})


@pytest.mark.parametrize(
    "files,told",
    [
        (
            {"xsl/page.xsl": IMPORT % ("page", "<xsl:tempalte/>\n")},
            "xsl/page.xsl line 3 element tempalte",
        ),
        ({"xsl/sms.xsl": IMPORT % ("smss", "")}, "smss.xsl cannot be read"),
        (
            {
                "messages.tr.xml": (
                    '<messages lang="tr">\n<message key="nothing">x</message></messages>'
                )
            },
            "messages.tr.xml:2: there is no key nothing",
        ),
        (
            {
                "messages.tr.xml": (
                    '<messages lang="tr">\n<message key="theme.x">x</message></messages>'
                )
            },
            "messages.en.xml lacks the key theme.x",
        ),
        (None, "cannot be read"),
    ],
)
def test_mistakes_are_found_by_configtest(portal, tmp_path, files, told):
    folder = str(tmp_path / "theme")
    write(folder, files or {})
    code, text = httpd(portal, tmp_path, 'EsignTheme "%s"' % folder)
    assert code != 0 and re.search("main server: EsignTheme: .*" + re.escape(told), text), text


@pytest.mark.parametrize(
    "files,told",
    [
        (
            {
                "messages.en.xml": (
                    '<messages lang="en"><message key="subject.notice.signed-in">{1}:\n'
                    "a new device</message></messages>"
                )
            },
            "subject must stand on one line",
        ),
        (
            {
                "xsl/mail-text.xsl": IMPORT
                % (
                    "mail-text",
                    '<xsl:template match="origin"><xsl:value-of '
                    "select=\"m:text('theme.none')\"/></xsl:template>",
                )
            },
            "no key theme.none",
        ),
        (
            {"xsl/mail-html.xsl": IMPORT % ("mail-html", '<xsl:template match="link"/>')},
            "mail-html lacks the link",
        ),
        (
            {
                "xsl/sms.xsl": IMPORT
                % ("sms", '<xsl:template match="message">a code</xsl:template>')
            },
            "lacks its code",
        ),
    ],
)
def test_messages_that_could_not_be_sent_are_found_by_configtest(portal, tmp_path, files, told):
    """A mail whose subject had two lines was made at each event, and buried."""
    write(str(tmp_path / "theme"), files)
    code, text = httpd(portal, tmp_path, 'EsignTheme "%s"' % (tmp_path / "theme"))
    assert code != 0 and "main server: " in text and told in text, text


def test_theme_of_the_manual_passes_configtest(portal, tmp_path):
    write(str(tmp_path / "theme"), shown())
    code, text = httpd(portal, tmp_path, 'EsignTheme "%s"' % (tmp_path / "theme"))
    assert code == 0, text
