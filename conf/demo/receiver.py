#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""receiver.py: the demo's mail server and SMS gateway: keeps messages as files and on a page."""

import email
import email.policy
import html
import http.server
import json
import os
import re
import signal
import sys
import threading
import time

from aiosmtpd.controller import Controller

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3"><title>Inbox</title></head>
<body><h1>Inbox</h1>
%s
</body></html>
"""


class Inbox:
    """Numbered files, each written under another name and renamed: nobody reads half of one."""

    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.count = 0
        self.entries = []
        for name in ("mail", "sms", "www"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        self.show()

    def write(self, path, content):
        with open(path + ".new", "wb") as file:
            file.write(content)
        os.rename(path + ".new", path)

    def keep(self, kind, suffix, content, shown):
        with self.lock:
            self.count += 1
            self.write(os.path.join(self.folder, kind, "%04d%s" % (self.count, suffix)), content)
            self.entries.insert(0, shown)
            self.show()

    def show(self):
        body = "\n<hr>\n".join(self.entries) or "<p>Nothing yet.</p>"
        self.write(os.path.join(self.folder, "www", "index.html"), (PAGE % body).encode())

    def keep_mail(self, content):
        message = email.message_from_bytes(content, policy=email.policy.default)
        text = html.escape(message.get_body(("plain",)).get_content())
        text = re.sub(r"(https://[^\s<]+)", r'<a href="\1">\1</a>', text)
        head = "".join(
            "<b>%s:</b> %s<br>" % (name, html.escape(str(message[name])))
            for name in ("From", "To", "Subject")
        )
        self.keep("mail", ".eml", content, "<p>%s</p><pre>%s</pre>" % (head, text))

    def keep_sms(self, number, text):
        self.keep(
            "sms",
            ".txt",
            ("%s\n%s" % (number, text)).encode(),
            "<p><b>SMS to %s</b></p><pre>%s</pre>" % (html.escape(number), html.escape(text)),
        )


class MailHandler:
    def __init__(self, inbox):
        self.inbox = inbox

    async def handle_DATA(self, server, session, envelope):
        self.inbox.keep_mail(envelope.original_content or envelope.content)
        return "250 kept"


def gateway(inbox, secret):
    class Gateway(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Authorization") != "Bearer " + secret:
                return self.answer(401)
            try:
                message = json.loads(body)
                inbox.keep_sms(message["to"], message["text"])
            except (ValueError, KeyError, TypeError):
                return self.answer(400)
            return self.answer(200)

        def log_message(self, *arguments):
            pass

    return Gateway


def main():
    folder, smtp_port, sms_port, secret_file = (
        sys.argv[1],
        int(sys.argv[2]),
        int(sys.argv[3]),
        sys.argv[4],
    )
    with open(secret_file) as file:
        secret = file.readline().strip()
    inbox = Inbox(folder)
    mail = Controller(
        MailHandler(inbox),
        hostname="127.0.0.1",
        port=smtp_port,
        server_kwargs={"data_size_limit": 1 << 20},
    )
    mail.start()
    sms = http.server.ThreadingHTTPServer(("127.0.0.1", sms_port), gateway(inbox, secret))
    threading.Thread(target=sms.serve_forever, daemon=True).start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    open(os.path.join(folder, "ready"), "w").close()
    while not stop.is_set():
        time.sleep(0.1)
    sms.shutdown()
    mail.stop()


main()
