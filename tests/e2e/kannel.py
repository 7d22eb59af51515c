# SPDX-License-Identifier: Apache-2.0
"""kannel.py: Debian's Kannel in a folder of its own: bearerbox, smsbox, and its fake SMSC, which
prints what arrives.
"""

import os
import re
import socket
import subprocess
import urllib.parse

import portal as parts

BEARERBOX, SMSBOX, FAKESMSC = (
    "/usr/sbin/bearerbox",
    "/usr/sbin/smsbox",
    "/usr/lib/kannel/test/fakesmsc",
)

CONFIGURATION = """
group = core
admin-port = %(admin)d
admin-interface = "127.0.0.1"
admin-password = %(admin_password)s
smsbox-port = %(boxes)d
smsbox-interface = "127.0.0.1"
log-level = 0
dlr-storage = internal
store-type = file
store-location = "%(folder)s/store"

group = smsc
smsc = fake
smsc-id = FAKE
host = 127.0.0.1
port = %(smsc)d
connect-allow-ip = 127.0.0.1
denied-prefix = "+90555999"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = %(boxes)d
sendsms-port = %(http)d
sendsms-interface = "127.0.0.1"
sendsms-chars = "0123456789 +-"
immediate-sendsms-reply = true
log-level = 0

group = sendsms-user
username = portal
password = %(password)s
default-sender = esign
concatenation = true
max-messages = 3

group = sms-service
keyword = default
text = "none"
"""


def missing():
    return [path for path in (BEARERBOX, SMSBOX, FAKESMSC) if not os.access(path, os.X_OK)]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Kannel:
    password = "kannel-%d" % os.getpid()

    def __init__(self, folder):
        self.folder, self.processes = str(folder), {}
        self.ports = dict(zip(("admin", "boxes", "smsc", "http"), free_ports(4)))
        self.configuration = os.path.join(self.folder, "kannel.conf")
        with open(self.configuration, "w") as file:
            file.write(
                CONFIGURATION
                % dict(
                    self.ports,
                    folder=self.folder,
                    password=self.password,
                    admin_password=self.password,
                )
            )
        self.start("bearerbox", BEARERBOX, "-v", "0", self.configuration)
        self.listens("boxes")
        self.start("smsbox", SMSBOX, "-v", "0", self.configuration)
        self.listens("http")
        self.listens("smsc")
        self.connect()

    def start(self, name, *command):
        with open(os.path.join(self.folder, name + ".out"), "ab") as out:
            self.processes[name] = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    def connect(self):
        """The fake SMSC of the network's side; its own messages would go out at -m."""
        self.start(
            "fakesmsc",
            FAKESMSC,
            "-H",
            "127.0.0.1",
            "-r",
            str(self.ports["smsc"]),
            "-m",
            "0",
            "1 2 text none",
        )

    def listens(self, name):
        def connected():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.ports[name])) == 0

        assert parts.poll(connected), "Kannel: " + self.out("bearerbox") + self.out("smsbox")

    def end(self, name):
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def close(self):
        for name in list(self.processes)[::-1]:
            self.end(name)

    def out(self, name):
        with open(
            os.path.join(self.folder, name + ".out"), encoding="utf-8", errors="replace"
        ) as file:
            return file.read()

    def messages(self, number):
        """The texts that reached the fake SMSC for a number, in UCS-2 alone. The parts of a long
        text are joined.
        """
        found, parts = [], {}
        for receiver, kind, rest in re.findall(
            r"Got message \d+: <esign (\S+) (text|udh|ucs-2) (.*)>", self.out("fakesmsc")
        ):
            if receiver != number:
                continue
            assert kind != "text", rest
            header, _, data = rest.rpartition(" data ") if kind == "udh" else ("", "", rest)
            text = urllib.parse.unquote_to_bytes(data.replace("+", " ")).decode("utf-16-be")
            if not header:
                found.append(text)
                continue
            # The header of a concatenated message (3GPP TS 23.040): its number, the number of
            # parts, the part.
            one, total, part = urllib.parse.unquote_to_bytes(header)[3:6]
            parts[one, part] = text
            if all((one, i) in parts for i in range(1, total + 1)):
                found.append("".join(parts.pop((one, i)) for i in range(1, total + 1)))
        return found

    def url(self):
        return "http://127.0.0.1:%d/cgi-bin/sendsms" % self.ports["http"]
