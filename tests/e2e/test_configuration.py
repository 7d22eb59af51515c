# SPDX-License-Identifier: Apache-2.0
"""test_configuration.py: every directive has its line in the sample, its default, its merge and its message."""

import os
import re
import shutil
import subprocess

import pytest

import portal as parts

SAMPLE = os.path.join(parts.TOP, "conf", "esign.conf")


def sample_lines():
    with open(SAMPLE, encoding="utf-8") as file:
        return dict(re.findall(r"^#?\s?(Esign\w*) +(.+)$", file.read(), re.M))


def httpd(portal, tmp_path, extra, *options):
    """httpd -t over the demo's configuration with more lines behind it."""
    with open(portal.env["HTTPD_CONF"], encoding="utf-8") as file:
        conf = tmp_path / "httpd.conf"
        conf.write_text(file.read() + "\n" + extra + "\n")
    done = subprocess.run([parts.HTTPD, "-f", str(conf), "-t", *options], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def directives(portal):
    done = subprocess.run([parts.HTTPD, "-f", portal.env["HTTPD_CONF"], "-L"], capture_output=True, text=True)
    found = re.findall(r"^(Esign\w*) \(mod_esign\.c\)\n\t.*\n\t(.*)$", done.stdout, re.M)
    if not found:
        found = re.findall(r"^(Esign\w*) \([^)]*\)\n\t.*\n\t(.*)$", done.stdout, re.M)
    return dict(found)


def dump(text):
    """The dump's sections: {server: {directive: value}}."""
    sections, now = {}, None
    for line in text.splitlines():
        head = re.match(r"mod_esign in (.*)$", line)
        if head:
            now = sections.setdefault(head.group(1), {})
        elif now is not None and line.startswith("    "):
            name, _, value = line.strip().partition(" ")
            now[name] = value
    return sections


def test_every_directive_stands_in_the_sample(portal):
    known = directives(portal)
    assert len(known) > 40 and set(known) == set(sample_lines())


def test_every_directive_has_a_default_that_the_sample_tells(portal, tmp_path):
    code, text = httpd(portal, tmp_path, "<VirtualHost 127.0.0.1:1>\nServerName other\n</VirtualHost>", "-D", "DUMP_ESIGN")
    assert code == 0, text
    main = next(v for k, v in dump(text).items() if k.startswith("localhost"))
    assert set(main) == set(directives(portal))
    # Those that the demo sets stand with its values; the rest must be the sample's.
    with open(portal.env["HTTPD_CONF"], encoding="utf-8") as file:
        set_here = set(re.findall(r"^\s*(Esign\w*) ", file.read(), re.M))
    for name, value in sample_lines().items():
        if name in set_here or "example" in value or "/mod_esign/" in value or name == "EsignMailUser":
            continue
        assert main[name].strip('"') == value.strip('"'), name


def test_every_server_directive_is_merged(portal, tmp_path):
    """A virtual host that sets one directive keeps all other values of the main server, each directive in turn."""
    for name in directives(portal):
        if name in ("Esign", "EsignSession"):
            continue
        value = sample_lines()[name]
        host = "<VirtualHost 127.0.0.1:1>\nServerName other\n%s %s\n</VirtualHost>" % (name, value)
        code, text = httpd(portal, tmp_path, host, "-D", "DUMP_ESIGN")
        sections = dump(text)
        if code != 0:
            # Its file does not exist here: the refusal names the directive.
            assert name in text, (name, text)
            continue
        main, other = (next(v for k, v in sections.items() if k.startswith(s)) for s in ("localhost", "other"))
        assert {k: v for k, v in other.items() if k != name} == {k: v for k, v in main.items() if k != name}, name


@pytest.mark.parametrize("line,told", [
    ("EsignLinkLife 60", "EsignLinkLife: 60 is out of bounds: write a value from 300 to 86400 seconds"),
    ("EsignLinkLife 2d", "EsignLinkLife"),
    ("EsignHashMemory 1024", "EsignHashMemory: 1024 is out of bounds: write a value from 19456"),
    ("EsignCodeDigits 5", "EsignCodeDigits: 5 is out of bounds: write a value from 6 to 10"),
    ("EsignCodeLife 11min", "EsignCodeLife"),
    ("EsignSMSPause 5", "EsignSMSPause"),
    ("EsignPublicURL http://portal.example.org", "EsignPublicURL"),
    ("EsignPublicURL https://portal.example.org/path", "EsignPublicURL"),
    ("EsignPrefix esign/", "EsignPrefix"),
    ("EsignMemcached \"--SERVER=127.0.0.1 --REMOVE-FAILED-SERVERS\"", "EsignMemcached"),
    ("EsignMemcached nonsense", "EsignMemcached"),
    ("EsignKeyFile /nonexistent/keys", "EsignKeyFile"),
    ("EsignIdentityNumber roman", "EsignIdentityNumber"),
    ("EsignMail http://mail.example.org", "EsignMail"),
    ("EsignSMSURL ftp://sms.example.org/{number}/{text}", "EsignSMSURL"),
    ("EsignSMSURL http://sms.example.org/send", "would carry numbers and codes in clear"),
    ("EsignSMSURL http://127.0.0.1.example.org/send", "would carry numbers and codes in clear"),
    ("EsignSMSURL http://127.0.0.1@sms.example.org/send", "is not an HTTP address"),
    ("EsignSMSBody \"{nobody}\"", "nobody"),
    ("EsignSMSHeader \"X-Text: {text}\"", "{text} stands in a header"),
    ("EsignCertificateURL javascript:alert(1)", "EsignCertificateURL"),
    ("EsignAuditLog /var/log/audit", "EsignAuditLog: '/var/log/audit' is no place for a copy: write off, syslog, syslog:FACILITY or"),
    ("EsignAuditLog syslog:kern", "EsignAuditLog: 'kern' is no facility: write one of auth, authpriv,"),
    ("EsignAuditLog syslog:", "EsignAuditLog: '' is no facility"),
    ("EsignAuditLog \"|\"", "EsignAuditLog: '|' runs nothing: write"),
    ("EsignAuditLog \"|$ \"", "EsignAuditLog: '|$' runs nothing: write"),
    ("EsignAuditLog \"|logger -t esign\"", "EsignAuditLog: 'logger' is no program that can be run: write its whole path"),
    ("EsignAuditLog \"|/nonexistent\"", "EsignAuditLog: '/nonexistent' is no program that can be run"),
    ("EsignSessionIdle 1h\nEsignSessionLife 10min", "EsignSessionIdle"),
])
def test_mistakes_are_found_by_configtest(portal, tmp_path, line, told):
    code, text = httpd(portal, tmp_path, line)
    assert code != 0 and told in text, text


@pytest.mark.parametrize("module", ["session", "dbd", "ssl"])
def test_a_missing_module_is_named(portal, tmp_path, module):
    with open(portal.env["HTTPD_CONF"], encoding="utf-8") as file:
        conf = file.read()
    # The module's own directives go with it.
    conf = re.sub(r"(?m)^\s*(LoadModule %s_module|%s).*\n" % (module, {"session": "Session ", "dbd": "DBD", "ssl": "SSL"}[module]), "", conf)
    path = tmp_path / "httpd.conf"
    path.write_text(conf)
    done = subprocess.run([parts.HTTPD, "-f", str(path), "-t"], capture_output=True, text=True)
    assert done.returncode != 0 and "mod_%s" % module in done.stderr and "LoadModule" in done.stderr, done.stderr


def test_portals_share_what_the_main_server_says(portal, tmp_path):
    """A main server that is no portal itself, with a virtual host that is; and one where nobody is."""
    with open(portal.env["HTTPD_CONF"], encoding="utf-8") as file:
        conf = re.sub(r"(?m)^EsignPublicURL .*\n", "", file.read())
    path = tmp_path / "httpd.conf"
    for extra, told in (("", "EsignPublicURL is missing"),
                        ("<VirtualHost 127.0.0.1:1>\nServerName other\nEsignPublicURL https://other.example.org\n</VirtualHost>", "Syntax OK")):
        path.write_text(conf + extra)
        assert told in subprocess.run([parts.HTTPD, "-f", str(path), "-t"], capture_output=True, text=True).stderr


def test_a_broken_theme_is_found(portal, tmp_path):
    folder = tmp_path / "htdocs"
    shutil.copytree(os.path.join(parts.TOP, "htdocs"), folder)
    catalogue = folder / "messages.en.xml"
    catalogue.write_text(re.sub(r".*key=\"title.login\".*\n", "", catalogue.read_text()))
    code, text = httpd(portal, tmp_path, 'EsignHtdocs "%s"' % folder)
    assert code != 0 and "EsignHtdocs" in text and "messages.en.xml lacks the key title.login" in text


def test_location_overrides_server(portal, tmp_path, make_portal):
    include = tmp_path / "location.conf"
    include.write_text("EsignPINShown 120\n<Location /esign/pin>\nEsignPINShown 30\n</Location>\n")
    other = make_portal("--include", str(include))
    browser, subscriber = other.browser(), other.new_subscriber()
    browser.sign_in(subscriber)
    assert browser.post("pin").response.headers["Refresh"].startswith("30;")
