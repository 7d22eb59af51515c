# SPDX-License-Identifier: Apache-2.0
"""test_tls.py: handshakes with conf/tls.conf, as the demo includes it: good ones succeed, and no
others.
"""

import os
import re
import socket
import struct
import subprocess

import pytest

import portal as parts

CONF = os.path.join(parts.TOP, "conf", "tls.conf")


def suites(protocol=""):
    with open(CONF, encoding="utf-8") as file:
        found = re.findall(r"^SSLCipherSuite (?:(\S+) )?(\S+)$", file.read(), re.M)
    return next(names.split(":") for version, names in found if version == protocol)


@pytest.fixture(scope="module")
def portal(make_portal, tmp_path_factory):
    """With an RSA certificate beside the demo's ECDSA one, and HTTP/2."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate, include = (folder / name for name in ("rsa.key", "rsa.pem", "tls.conf"))
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:3072",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    modules = subprocess.run(
        ["apxs", "-q", "LIBEXECDIR"], capture_output=True, text=True, check=True
    ).stdout.strip()
    include.write_text(
        'SSLCertificateFile "%s"\nSSLCertificateKeyFile "%s"\n'
        'LoadModule http2_module %s/mod_http2.so\nInclude "%s"\n'
        % (certificate, key, modules, CONF)
    )
    portal = make_portal("--include", str(include))
    yield portal
    portal.stop()


def client(portal, *options, send="", name="localhost"):
    done = subprocess.run(
        [
            "openssl",
            "s_client",
            "-connect",
            "127.0.0.1:%d" % portal.port,
            "-servername",
            name,
            *options,
        ],
        input=send,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=20,
    )
    return done.stdout + done.stderr


def cipher(text):
    """The suite that was agreed on; None: there was no handshake."""
    found = re.search(r"^New, (\S+), Cipher is (\S+)$", text, re.M)
    assert found, text
    return None if found[2] == "(NONE)" else found[2]


def test_the_demo_includes_the_very_file(portal):
    with open(portal.env["HTTPD_CONF"], encoding="utf-8") as file:
        conf = file.read()
    included = re.search(r'^Include "(.*/tls\.conf)"$', conf, re.M)[1]
    with open(CONF, "rb") as ours, open(included, "rb") as used:
        assert ours.read() == used.read()
    assert not re.search(
        r"^\s*SSL(Protocol|CipherSuite|OpenSSLConfCmd|Compression|SessionTickets)", conf, re.M
    )


@pytest.mark.parametrize("suite", suites())
def test_good_suites_of_tls_1_2(portal, suite):
    assert cipher(client(portal, "-tls1_2", "-cipher", suite)) == suite


@pytest.mark.parametrize("suite", suites("TLSv1.3"))
def test_good_suites_of_tls_1_3(portal, suite):
    assert cipher(client(portal, "-tls1_3", "-ciphersuites", suite)) == suite


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384"])
def test_good_groups(portal, group):
    for protocol in ("-tls1_2", "-tls1_3"):
        assert cipher(client(portal, protocol, "-groups", group))


def test_the_best_is_chosen_whatever_the_client_likes(portal):
    assert cipher(client(portal, "-tls1_2", "-cipher", ":".join(reversed(suites())))) == suites()[0]


@pytest.mark.parametrize(
    "options",
    [
        ("-tls1", "-cipher", "ALL:@SECLEVEL=0"),
        ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
        (
            "-tls1_2",
            "-cipher",
            "ALL:COMPLEMENTOFALL:%s:@SECLEVEL=0" % ":".join("!" + suite for suite in suites()),
        ),
        ("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"),
        ("-tls1_2", "-groups", "P-521:X448"),
        ("-tls1_3", "-groups", "P-521:X448:ffdhe2048"),
        (
            "-tls1_2",
            "-sigalgs",
            "ECDSA+SHA1:RSA+SHA1:ECDSA+SHA224:RSA+SHA224",
            "-cipher",
            "ALL:@SECLEVEL=0",
        ),
    ],
    ids=[
        "TLS 1.0",
        "TLS 1.1",
        "all other suites",
        "CCM",
        "other groups",
        "other groups, TLS 1.3",
        "SHA-1 and SHA-224",
    ],
)
def test_everything_else_is_refused(portal, options):
    text = client(portal, *options)
    # The server itself refuses: a refusal by this machine's OpenSSL would prove nothing.
    assert cipher(text) is None and re.search(r"SSL alert number (40|70)", text), text


@pytest.mark.parametrize("version", [0x0300, 0x0002])
def test_ssl_is_refused(portal, version):
    """By hand: no OpenSSL of today has it."""
    if version == 0x0300:
        body = (
            struct.pack(">H", version)
            + bytes(32)
            + b"\0"
            + struct.pack(">H", 6)
            + b"\xc0\x2b\xc0\x2f\x00\x0a"
            + b"\1\0"
        )
        hello = (
            b"\x16\x03\x00"
            + struct.pack(">H", len(body) + 4)
            + b"\1"
            + struct.pack(">I", len(body))[1:]
            + body
        )
    else:
        body = b"\1" + struct.pack(">HHHH", version, 3, 0, 16) + b"\x07\x00\xc0" + bytes(16)
        hello = struct.pack(">H", 0x8000 | len(body)) + body
    with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as plain:
        plain.sendall(hello)
        answer = plain.recv(4096)
    assert answer == b"" or answer[0] == 0x15, answer


def test_no_compression_and_no_tickets(portal):
    text = client(portal, "-tls1_2", "-comp")
    assert "Compression: NONE" in text and "TLS session ticket:" not in text


@pytest.mark.parametrize("protocol", ["-tls1_2", "-tls1_3"])
def test_sessions_are_resumed_from_the_servers_memory(portal, tmp_path, protocol):
    kept, request = (
        str(tmp_path / "session"),
        "GET /esign/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    assert "HTTP/1.1 200 OK" in client(
        portal, protocol, "-ign_eof", "-sess_out", kept, send=request
    )
    assert re.search(r"^Reused, TLS", client(portal, protocol, "-sess_in", kept), re.M)
    # A ticket that is not looked up would hold the whole session, 200 bytes or more.
    text = subprocess.run(
        ["openssl", "sess_id", "-in", kept, "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert len(re.findall(r"^    [0-9a-f]{4} - ", text, re.M)) <= 2, text


def test_no_renegotiation_by_the_client(portal):
    process = subprocess.Popen(
        [
            "openssl",
            "s_client",
            "-connect",
            "127.0.0.1:%d" % portal.port,
            "-servername",
            "localhost",
            "-tls1_2",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        text, _ = process.communicate("R\n", timeout=20)
    finally:
        process.kill()
    assert (
        "Secure Renegotiation IS supported" in text
        and "RENEGOTIATING" in text
        and "no renegotiation" in text
    )


def test_http_2_is_agreed_on_with_these_suites(portal):
    for protocol in ("-tls1_2", "-tls1_3"):
        assert "ALPN protocol: h2" in client(portal, protocol, "-alpn", "h2,http/1.1")
    done = subprocess.run(
        ["curl", "-s", "-i", "--http2", "--noproxy", "*", "-k", "--max-time", "20", portal.url],
        capture_output=True,
        text=True,
    )
    assert (
        done.stdout.startswith("HTTP/2 200")
        and "strict-transport-security: max-age=" in done.stdout
    )


def test_plain_http_on_the_port_of_tls_opens_nothing(portal):
    with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as plain:
        plain.sendall(b"GET /esign/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = plain.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"Set-Cookie" not in answer
