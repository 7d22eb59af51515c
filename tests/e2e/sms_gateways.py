# SPDX-License-Identifier: Apache-2.0
"""sms_gateways.py: SMS gateways that tests play, and demos that use them."""

import http.server
import threading

import pytest


class Other:
    """A gateway that answers with `answer` and records the requests."""

    def __init__(self, answer=b"OK", port=0):
        asked, self.answer = [], answer
        self.asked, this = asked, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(
                    (
                        self.path,
                        dict(self.headers),
                        self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(),
                    )
                )
                if this.answer is None:
                    return self.connection.close()  # it went out, and no answer comes
                self.send_response(200)
                self.end_headers()
                self.wfile.write(this.answer)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def other():
    one = Other()
    yield one
    one.close()


@pytest.fixture(scope="module")
def start(make_portal, tmp_path_factory):
    """Starts a demo with other gateways."""

    def begin(text, *options):
        folder = tmp_path_factory.mktemp("sms")
        folder.chmod(0o755)
        (folder / "gateways.conf").write_text(text)
        return make_portal("--include", str(folder / "gateways.conf"), *options)

    return begin


def press(portal, s, browser=None):
    browser = browser or portal.browser()
    assert browser.login(s).status == 303
    assert browser.post("otp").status == 303
    return browser


def rows(portal):
    return portal.sql("SELECT dead, gateways, awaited, error FROM outbox WHERE kind = 1")
