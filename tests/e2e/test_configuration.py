# SPDX-License-Identifier: Apache-2.0
"""test_configuration.py: every directive has its line in the sample, its default, its merge and its
message.
"""

import os
import re
import shutil
import subprocess
import tempfile

import pytest

import portal as parts

SAMPLE = os.path.join(parts.BUILD, "conf", "esign.conf")


def sample_lines():
    with open(SAMPLE, encoding="utf-8") as file:
        return dict(re.findall(r"^#?\s?(<?Esign\w*) +(.+)$", file.read(), re.M))


def httpd(portal, tmp_path, extra, *options):
    """httpd -t over the demo's configuration with more lines at its end."""
    with open(portal.env["HTTPD_CONF"], encoding="utf-8") as file:
        conf = tmp_path / "httpd.conf"
        conf.write_text(file.read() + "\n" + extra + "\n")
    done = subprocess.run(
        [parts.HTTPD, "-f", str(conf), "-t", *options], capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def directives(portal):
    done = subprocess.run(
        [parts.HTTPD, "-f", portal.env["HTTPD_CONF"], "-L"], capture_output=True, text=True
    )
    found = re.findall(r"^(<?Esign\w*) \(mod_esign\.c\)\n\t.*\n\t(.*)$", done.stdout, re.M)
    if not found:
        found = re.findall(r"^(<?Esign\w*) \([^)]*\)\n\t.*\n\t(.*)$", done.stdout, re.M)
    return dict(found)


def settings(portal):
    """All but sections."""
    return {name for name in directives(portal) if not name.startswith("<")}


def dump(text):
    """The dump's sections: {server or gateway: {directive: value}}."""
    sections, now = {}, None
    for line in text.splitlines():
        head = re.match(r"mod_esign (?:in )?(.*)$", line)
        if head:
            now = sections.setdefault(head.group(1), {})
        elif now is not None and line.startswith("    "):
            name, _, value = line.strip().partition(" ")
            now[name] = value
    return sections


def test_every_directive_stands_in_the_sample(portal):
    known = directives(portal)
    assert len(known) > 40 and set(known) == set(sample_lines())


def test_every_server_directive_is_merged(portal, tmp_path):
    """A virtual host that sets one directive keeps all other values of the main server, for each
    directive in turn.
    """
    for name in settings(portal):
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
        main, other = (
            next(v for k, v in sections.items() if k.startswith(s)) for s in ("localhost", "other")
        )
        assert {k: v for k, v in other.items() if k != name} == {
            k: v for k, v in main.items() if k != name
        }, name


@pytest.mark.parametrize(
    "line,told",
    [
        (
            "EsignLinkLife 60",
            "EsignLinkLife: 60 is out of bounds: write a value from 300 to 86400 seconds",
        ),
        ("EsignLinkLife 2d", "EsignLinkLife: 2d is out of bounds"),
        (
            "EsignOutboxKeep 23h",
            "EsignOutboxKeep: 23h is out of bounds: write a value from 86400 to 315360000 seconds",
        ),
        ("EsignOutboxKeep 3651d", "EsignOutboxKeep"),
        (
            "EsignOutboxKeep 90days",
            "EsignOutboxKeep: '90days' is not a number of seconds (or with s, min, "
            "h or d behind it)",
        ),
        (
            "EsignHashMemory 1024",
            "EsignHashMemory: 1024 is out of bounds: write a value from 19456",
        ),
        ("EsignCodeDigits 5", "EsignCodeDigits: 5 is out of bounds: write a value from 6 to 10"),
        ("EsignCodeLife 11min", "EsignCodeLife"),
        ("EsignSMSPause 5", "EsignSMSPause"),
        ("EsignPublicURL http://portal.example.org", "EsignPublicURL"),
        ("EsignPublicURL https://portal.example.org/path", "EsignPublicURL"),
        ("EsignPrefix esign/", "EsignPrefix"),
        ('EsignMemcached "--SERVER=127.0.0.1 --REMOVE-FAILED-SERVERS"', "EsignMemcached"),
        ("EsignMemcached nonsense", "EsignMemcached"),
        ("EsignKeyFile /nonexistent/keys", "EsignKeyFile"),
        ("EsignIdentityNumber roman", "EsignIdentityNumber"),
        ("EsignMail http://mail.example.org", "EsignMail"),
        (
            "EsignMail smtp://mail.example.org\nEsignMailUser portal\n"
            "EsignMailPasswordFile /dev/null",
            "EsignMailTLS Off would send",
        ),
        (
            "EsignMail SMTP://mail.example.org\nEsignMailUser portal\n"
            "EsignMailPasswordFile /dev/null",
            "EsignMailTLS Off would send",
        ),
        ("EsignSMSURL ftp://sms.example.org/{number}/{text}", "EsignSMSURL"),
        ("EsignSMSURL http://sms.example.org/send", "would carry numbers and codes in clear"),
        ("EsignSMSURL http://127.0.0.1.example.org/send", "would carry numbers and codes in clear"),
        ("EsignSMSURL http://127.0.0.1@sms.example.org/send", "is not an HTTP address"),
        ('EsignSMSBody "{nobody}"', "nobody"),
        ('EsignSMSHeader "X-Text: {text}"', "{text} stands in a header"),
        (
            'EsignSMSHeader "Authorization: Basic {basic}"',
            "the first line of EsignSMSSecretFile is not of the form user:password",
        ),
        (
            "EsignSMSSecretFile /nonexistent/secret",
            "EsignSMSSecretFile: /nonexistent/secret cannot be read",
        ),
        ("EsignSMSSecretFile /dev/null", "EsignSMSSecretFile: /dev/null has no first line"),
        ("EsignSMSMethod GET", "a GET has no body"),
        ('EsignSMSAccepted "("', "EsignSMSAccepted: '(' is no regular expression"),
        ('EsignSMSBody "{text} {number} {report}"', "EsignSMSDelivered is missing"),
        ("EsignSMSDelivered ok", "no {report} that tells the gateway where to report"),
        ('EsignSMSBody "{text} {number} {report}"\nEsignSMSUndelivered no', "EsignSMSDelivered"),
        ("EsignSMSReportURL /esign/report", "EsignSMSReportURL: '/esign/report' is not an address"),
        ("EsignSMSReportWait 1", "EsignSMSReportWait: 1 is out of bounds"),
        ("<EsignSMSGateway>\n</EsignSMSGateway>", "write one name"),
        ("<EsignSMSGateway a b>\n</EsignSMSGateway>", "write one name"),
        (
            "<EsignSMSGateway a>\nEsignLinkLife 600\n</EsignSMSGateway>",
            "<EsignSMSGateway a>: EsignLinkLife cannot stand there",
        ),
        (
            "<EsignSMSGateway a>\nListen 1\n</EsignSMSGateway>",
            "<EsignSMSGateway a>: Listen cannot stand there",
        ),
        ("<EsignSMSGateway a>\n</EsignSMSGateway>\n" * 2, "<EsignSMSGateway a> stands twice"),
        (
            "".join("<EsignSMSGateway %d>\n</EsignSMSGateway>\n" % i for i in range(9)),
            "<EsignSMSGateway 8> is one too many: write 8 at most",
        ),
        (
            "<EsignSMSGateway a>\nEsignSMSURL ftp://x/\n</EsignSMSGateway>",
            "<EsignSMSGateway a>: EsignSMSURL, EsignSMSHeader or EsignSMSBody: 'ftp://x/' is not",
        ),
        (
            "<EsignSMSGateway a>\nEsignSMSReportWait no\n</EsignSMSGateway>",
            "EsignSMSReportWait: 'no' is not a number of seconds",
        ),
        (
            "<EsignSMSGateway a>\nEsignSMSCAFile /nonexistent/ca\n</EsignSMSGateway>",
            "<EsignSMSGateway a>: EsignSMSCAFile: /nonexistent/ca cannot be read",
        ),
        ("<Location /esign>\n<EsignSMSGateway a>\n</EsignSMSGateway>\n</Location>", "not allowed"),
        ("EsignCertificateURL javascript:alert(1)", "EsignCertificateURL"),
        (
            "EsignAuditLog /var/log/audit",
            "EsignAuditLog: '/var/log/audit' is no place for a copy: write off, syslog, "
            "syslog:FACILITY or",
        ),
        (
            "EsignAuditLog syslog:kern",
            "EsignAuditLog: 'kern' is no facility: write one of auth, authpriv,",
        ),
        ("EsignAuditLog syslog:", "EsignAuditLog: '' is no facility"),
        ('EsignAuditLog "|"', "EsignAuditLog: '|' runs nothing: write"),
        ('EsignAuditLog "|$ "', "EsignAuditLog: '|$' runs nothing: write"),
        (
            'EsignAuditLog "|logger -t esign"',
            "EsignAuditLog: 'logger' is no program that can be run: write its whole path",
        ),
        (
            'EsignAuditLog "|/nonexistent"',
            "EsignAuditLog: '/nonexistent' is no program that can be run",
        ),
        ("EsignSessionIdle 1h\nEsignSessionLife 10min", "EsignSessionIdle"),
    ],
)
def test_mistakes_are_found_by_configtest(portal, tmp_path, line, told):
    code, text = httpd(portal, tmp_path, line)
    assert code != 0 and told in text, text


def test_gateways_have_what_stands_outside(portal, tmp_path):
    """Sections override the server's values. A virtual host has the main server's gateways, or
    others altogether.
    """
    code, text = httpd(
        portal,
        tmp_path,
        """
EsignSMSReportWait 40
<EsignSMSGateway first>
    EsignSMSMethod GET
    EsignSMSURL http://127.0.0.1:1/{number}/{text}
    EsignSMSHeader "X-One: 1"
    EsignDeliveryTimeout 5
</EsignSMSGateway>
<EsignSMSGateway "the second">
    EsignSMSReportWait 50
</EsignSMSGateway>
<VirtualHost 127.0.0.1:1>
ServerName same
</VirtualHost>
<VirtualHost 127.0.0.1:1>
ServerName other
<EsignSMSGateway third>
</EsignSMSGateway>
</VirtualHost>""",
        "-D",
        "DUMP_ESIGN",
    )
    assert code == 0, text
    found = {
        re.fullmatch(r"SMS gateway (.*) in (\w+):\d+", k).groups(): v
        for k, v in dump(text).items()
        if k.startswith("SMS gateway")
    }
    assert set(found) == {
        (name, host) for host in ("localhost", "same") for name in ("first", "the second")
    } | {("third", "other")}
    first, second = found["first", "localhost"], found["the second", "same"]
    assert (
        first["EsignSMSMethod"],
        first["EsignSMSReportWait"],
        first["EsignDeliveryTimeout"],
        first["EsignSMSHeader"],
    ) == ('"GET"', "40", "5", '"X-One: 1"')
    assert (
        second["EsignSMSMethod"],
        second["EsignSMSReportWait"],
        second["EsignDeliveryTimeout"],
    ) == ('"POST"', "50", "20")
    assert "Bearer {secret}" in second["EsignSMSHeader"] and "EsignLinkLife" not in second


@pytest.mark.parametrize("module", ["session", "dbd", "ssl"])
def test_a_missing_module_is_named(portal, tmp_path, module):
    with open(portal.env["HTTPD_CONF"], encoding="utf-8") as file:
        conf = file.read()
    # The module's own directives go with it.
    conf = re.sub(
        r"(?m)^\s*(LoadModule %s_module|%s).*\n"
        % (
            module,
            {"session": "Session ", "dbd": "DBD", "ssl": 'SSL|Include ".*/tls\\.conf"'}[module],
        ),
        "",
        conf,
    )
    path = tmp_path / "httpd.conf"
    path.write_text(conf)
    done = subprocess.run([parts.HTTPD, "-f", str(path), "-t"], capture_output=True, text=True)
    assert (
        done.returncode != 0 and "mod_%s" % module in done.stderr and "LoadModule" in done.stderr
    ), done.stderr


def test_portals_share_what_the_main_server_says(portal, tmp_path):
    """A main server without a portal, with a virtual host that has one; then no portal at all."""
    with open(portal.env["HTTPD_CONF"], encoding="utf-8") as file:
        conf = re.sub(r"(?m)^EsignPublicURL .*\n", "", file.read())
    path = tmp_path / "httpd.conf"
    for extra, told in (
        ("", "EsignPublicURL is missing"),
        (
            "<VirtualHost 127.0.0.1:1>\nServerName other\n"
            "EsignPublicURL https://other.example.org\n</VirtualHost>",
            "Syntax OK",
        ),
    ):
        path.write_text(conf + extra)
        assert (
            told
            in subprocess.run(
                [parts.HTTPD, "-f", str(path), "-t"], capture_output=True, text=True
            ).stderr
        )


def test_a_broken_theme_is_found(portal, tmp_path):
    folder = tmp_path / "htdocs"
    shutil.copytree(os.path.join(parts.TOP, "htdocs"), folder)
    catalogue = folder / "messages.en.xml"
    catalogue.write_text(re.sub(r".*key=\"title.login\".*\n", "", catalogue.read_text()))
    code, text = httpd(portal, tmp_path, 'EsignHtdocs "%s"' % folder)
    assert (
        code != 0 and "EsignHtdocs" in text and "messages.en.xml lacks the key title.login" in text
    )


def test_location_overrides_server(portal, tmp_path, make_portal):
    include = tmp_path / "location.conf"
    include.write_text("EsignPINShown 120\n<Location /esign/pin>\nEsignPINShown 30\n</Location>\n")
    other = make_portal("--include", str(include))
    browser, subscriber = other.browser(), other.new_subscriber()
    browser.sign_in(subscriber)
    assert browser.post("pin").response.headers["Refresh"].startswith("30;")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's httpd may go into a jail")
def test_mails_leave_from_a_jail(make_portal, tmp_path):
    """In the jail, ChrootDir, are the demo's files and no library."""
    folder = tempfile.mkdtemp(prefix="mod_esign-test.", dir="/var/tmp")
    os.chmod(folder, 0o755)
    jail = tmp_path / "jail.conf"
    jail.write_text('ChrootDir "%s"\n' % folder)
    os.makedirs(folder + "/var/tmp")
    os.symlink("/", folder + folder)
    portal = parts.Portal(os.path.join(folder, "demo"), None, "--include", str(jail))
    try:
        subscriber = portal.new_subscriber()
        portal.browser().ask_reset(subscriber.id)
        portal.wait_mail(subscriber.email)
    finally:
        portal.stop()
        shutil.rmtree(folder)


def test_a_libcurl_without_the_protocols_is_told(make_portal, tmp_path):
    """A libcurl that was built without SMTP refuses an option: the start fails, and so does the
    test of the configuration.
    """
    portal = make_portal()
    command = [parts.HTTPD, "-f", portal.env["HTTPD_CONF"]]
    parent = parts.pid_of(portal.env["HTTPD_PID"])
    subprocess.run(command + ["-k", "stop"], check=True)
    assert portal.wait(lambda: not parts.running(parent))
    library = str(tmp_path / "libcurl-poor.so")
    source = (
        "#include <curl/curl.h>\n#undef curl_easy_setopt\n"
        "CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) "
        "{ (void)easy, (void)option; return CURLE_UNSUPPORTED_PROTOCOL; }\n"
    )
    compiler = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library]
    subprocess.run(compiler, input=source, check=True, text=True)
    environment = dict(os.environ, LD_PRELOAD=library)
    told = "lacks a protocol (smtp, smtps, http, https): Unsupported protocol"
    done = subprocess.run(command + ["-t"], capture_output=True, text=True, env=environment)
    assert done.returncode != 0 and told in done.stderr, done.stderr
    subprocess.run(command + ["-k", "start"], env=environment)
    assert portal.wait(lambda: told in portal.log())
