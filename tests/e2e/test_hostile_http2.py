# SPDX-License-Identifier: Apache-2.0
"""test_hostile_http2.py: hostile requests over HTTP/2."""

import contextlib
import socket
import ssl

import h2.config
import h2.connection
import h2.events
import pytest

from hostile import clean_log, portal  # noqa: F401
from hostile import FORM, check, check_logs


def ask_h2(portal, headers, body=b""):
    """(status, headers, body) of one stream; status 0: the stream or the connection was reset."""
    context = ssl.create_default_context(cafile=portal.env["CERTIFICATE"])
    context.set_alpn_protocols(["h2"])
    config = h2.config.H2Configuration(
        client_side=True,
        header_encoding="latin-1",
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    connection, answer = h2.connection.H2Connection(config), [0, {}, b""]
    with context.wrap_socket(
        socket.create_connection(("127.0.0.1", portal.port), timeout=20),
        server_hostname="localhost",
    ) as tls:
        connection.initiate_connection()
        connection.send_headers(1, headers, end_stream=not body)
        if body:
            connection.send_data(1, body, end_stream=True)
        tls.sendall(connection.data_to_send())
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := tls.recv(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived):
                        answer[0] = int(dict(event.headers)[":status"])
                        for name, value in event.headers:
                            answer[1].setdefault(name, []).append(value)
                    elif isinstance(event, h2.events.DataReceived):
                        answer[2] += event.data
                    elif isinstance(
                        event,
                        (
                            h2.events.StreamEnded,
                            h2.events.StreamReset,
                            h2.events.ConnectionTerminated,
                        ),
                    ):
                        return answer[0], answer[1], answer[2].decode()
                tls.sendall(connection.data_to_send())
    return answer[0], answer[1], answer[2].decode()


def pseudo(method="GET", path="/esign/login", authority="localhost", scheme="https"):
    return [
        pair
        for pair in (
            (":method", method),
            (":scheme", scheme),
            (":authority", authority),
            (":path", path),
        )
        if pair[1] is not None
    ]


@pytest.mark.parametrize(
    "headers,statuses",
    [
        (pseudo(), {200}),
        (pseudo(authority="evil.example"), {200, 421}),
        (pseudo(authority="user@localhost"), {0, 400}),
        (pseudo(authority="localhost:99999"), {0, 400}),
        (pseudo(authority=None), {0, 400}),
        (pseudo() + [("host", "evil.example")], {0, 200, 400}),
        (pseudo(authority="a b"), {0, 400}),
        (pseudo(authority="<script>"), {0, 400}),
        (pseudo(path="//evil.example/"), {0, 404}),
        (pseudo(path="login"), {0, 400}),
        (pseudo(path=""), {0, 400}),
        (pseudo(path=None), {0, 400}),
        (pseudo(path="*"), {0, 400}),
        (pseudo(path="https://evil.example/esign/login"), {0, 400, 404, 200}),
        (pseudo(path="/esign/login HTTP/1.1\r\nX-A: evil"), {0, 400}),
        (pseudo(path="/esign/\0"), {0, 400}),
        (pseudo(path="/esign/..;/menu"), {404}),
        (pseudo(path="/esign/%2e%2e//evil"), {404}),
        (pseudo(path="/esign/" + "a" * 9000), {0, 400, 414, 431}),
        (pseudo(path="/esign/menu"), {403}),
        (pseudo(scheme="http"), {0, 200, 400}),
        (pseudo(scheme="evil"), {0, 400}),
        (pseudo(scheme=None), {0, 400}),
        (pseudo(method=None), {0, 400}),
        (pseudo(method="G T"), {0, 400}),
        (pseudo(method="TRACE"), {0, 405}),
        (pseudo(method="BREW"), {0, 405, 501}),
        (pseudo(method="CONNECT"), {0, 400, 405}),
        (pseudo(method="get"), {0, 405, 501}),
        (pseudo() + [(":path", "/esign/menu")], {0, 400}),
        (pseudo() + [(":evil", "x")], {0, 400}),
        ([("x", "y")] + pseudo(), {0, 400}),
        (pseudo() + [("X-Upper", "y")], {0, 200, 400}),
        (pseudo() + [("connection", "upgrade")], {0, 200, 400}),
        (pseudo() + [("transfer-encoding", "chunked")], {0, 200, 400}),
        (pseudo() + [("te", "evil")], {0, 200, 400}),
        (pseudo() + [("x-a", "b\r\nx-c: evil")], {0, 400}),
        (pseudo() + [("x-a", "b\0c")], {0, 400}),
        (pseudo() + [("x a", "b")], {0, 400}),
        (pseudo() + [("", "b")], {0, 400}),
        (pseudo() + [("cookie", "c%d=evil" % i) for i in range(100)], {0, 200, 400, 431}),
        (pseudo() + [("cookie", "a=" + "b" * 8200)], {0, 400, 431}),
        (pseudo() + [("range", "bytes=0-1")], {206}),
    ],
    ids=lambda value: repr(value)[-60:] if isinstance(value, list) else None,
)
def test_http_2_requests(portal, headers, statuses):
    status, head, text = ask_h2(portal, headers)
    assert status in statuses, (status, head, text)
    if status:
        check(status, head, text)


@pytest.mark.parametrize(
    "headers,body,statuses",
    [
        ([FORM.split(": ")], b"id=1", {422}),
        ([FORM.split(": "), ("content-length", "2")], b"id=1", {0, 400}),
        ([FORM.split(": "), ("content-length", "9")], b"id=1", {0, 400}),
        ([FORM.split(": "), ("content-length", "4"), ("content-length", "5")], b"id=1", {0, 400}),
        ([("content-type", "application/json")], b"{}", {415}),
        ([FORM.split(": "), ("sec-fetch-site", "cross-site")], b"id=1", {403}),
        ([FORM.split(": "), ("origin", "https://evil.example")], b"id=1", {403}),
    ],
)
def test_http_2_bodies(portal, headers, body, statuses):
    status, head, text = ask_h2(
        portal, pseudo("POST") + [(name.lower(), value) for name, value in headers], body
    )
    assert status in statuses, (status, head, text)
    if status:
        check(status, head, text)


# What all this left in the logs


def test_nothing_hostile_stands_raw_in_a_log(portal):
    check_logs(portal)
