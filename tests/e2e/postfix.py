# SPDX-License-Identifier: Apache-2.0
"""postfix.py: Debian's Postfix in a folder of its own, on local ports: TLS, sign-in, greylisting,
refusals. Mail lies in one folder.
"""

import base64
import email
import email.policy
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile

import portal as parts
from rough import Server, loopback

MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/lib
daemon_directory = /usr/lib/postfix/sbin
command_directory = {dir}/sbin
shlib_directory = /usr/lib/postfix
maillog_file_prefixes = {dir}
maillog_file = {dir}/log/mail.log
myhostname = mx.example.org
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:all/
virtual_mailbox_base = {dir}/mail
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_transport = virtual
virtual_mailbox_limit = 0
smtpd_recipient_restrictions =
    check_recipient_access inline:{{ {{ refused.example.org = 550 5.1.1 no such mailbox }} }},
    check_policy_service inet:127.0.0.1:{policy}, permit
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_tls_cert_file = {dir}/tls/server.pem
smtpd_tls_key_file = {dir}/tls/server.key
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{accounts}
biff = no
"""

MASTER = """
127.0.0.1:{starttls} inet n - n - - smtpd
127.0.0.1:{plain} inet n - n - - smtpd -o smtpd_tls_security_level=none
127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{auth} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
    -o smtpd_sasl_auth_enable=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{ascii} inet n - n - - smtpd -o smtpd_discard_ehlo_keywords=smtputf8
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def available():
    return os.geteuid() == 0 and os.path.exists("/usr/lib/postfix/sbin/master")


class Policy(Server):
    """Greylisting: the first mail to later.example.org is deferred."""

    def __init__(self):
        self.seen = set()
        listener = loopback()
        self.port = listener.getsockname()[1]
        super().__init__(listener)

    def serve(self, connection):
        asked = {}
        for line in connection.makefile("r", encoding="utf-8"):
            name, _, value = line.rstrip("\n").partition("=")
            if name:
                asked[name] = value
                continue
            connection.sendall(("action=%s\n\n" % self.decide(asked)).encode())
            asked = {}

    def decide(self, asked):
        to = asked.get("recipient", "")
        if not to.endswith("@later.example.org") or to in self.seen:
            return "DUNNO"
        self.seen.add(to)
        return "DEFER 4.2.0 greylisted, come again"


class Accounts(Server):
    """Whom Postfix lets in, by Dovecot's authentication protocol: one user with one password."""

    def __init__(self, user, password):
        self.right = base64.b64encode(("\0%s\0%s" % (user, password)).encode()).decode()
        listener = loopback()
        self.port = listener.getsockname()[1]
        super().__init__(listener)

    def serve(self, connection):
        connection.sendall(
            b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\tx\nDONE\n"
        )
        for line in connection.makefile("r", encoding="utf-8"):
            word, *fields = line.rstrip("\n").split("\t")
            if word not in ("AUTH", "CONT"):
                continue
            said = fields[-1].removeprefix("resp=")
            word = (
                "CONT\t%s\t\n"
                if fields[-1] == "secured"
                else "OK\t%s\tuser=portal\n"
                if said == self.right
                else "FAIL\t%s\tuser=portal\n"
            )
            connection.sendall((word % fields[0]).encode())


def authority(folder, name):
    """A certificate for localhost that vouches for itself."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=" + name,
            "-addext",
            "subjectAltName=DNS:" + name,
            "-keyout",
            folder + "/%s.key" % name,
            "-out",
            folder + "/%s.pem" % name,
        ],
        check=True,
        capture_output=True,
    )
    os.chmod(folder + "/%s.pem" % name, 0o644)
    return folder + "/%s.pem" % name


class Postfix:
    def __init__(self, policy=None, further=""):
        """`further`: lines of main.cf, {policy} filled in."""
        self.dir = tempfile.mkdtemp(prefix="mod_esign-postfix.", dir="/var/tmp")
        os.chmod(self.dir, 0o755)
        for name in ("etc", "spool", "lib", "log", "mail", "sbin", "tls"):
            os.mkdir(os.path.join(self.dir, name), 0o755)
        for name in ("lib", "log"):
            shutil.chown(os.path.join(self.dir, name), "postfix")
        shutil.chown(os.path.join(self.dir, "mail"), 65534, 65534)
        self.policy, self.accounts = policy or Policy(), Accounts("portal", "doğru at pil zımba")
        self.ports = dict(zip(("starttls", "plain", "tls", "auth", "ascii"), self.free_ports(5)))
        self.certificate, self.other = authority(self.dir + "/tls", "localhost"), authority(
            self.dir + "/tls", "elsewhere"
        )
        os.rename(self.dir + "/tls/localhost.key", self.dir + "/tls/server.key")
        shutil.copy(self.certificate, self.dir + "/tls/server.pem")
        self.write(
            "etc/main.cf",
            (MAIN + further).format(
                dir=self.dir, policy=self.policy.port, accounts=self.accounts.port
            ),
        )
        self.write("etc/master.cf", MASTER.format(**self.ports))
        self.password = self.write("tls/password", "doğru at pil zımba\n")
        self.wrong_password = self.write("tls/wrong-password", "başka bir şey\n")
        # Debian's postdrop has a group of its own and would use Debian's folders; a copy has not.
        for program in glob.glob("/usr/sbin/post*"):
            place = os.path.join(self.dir, "sbin", os.path.basename(program))
            shutil.copyfile(program, place) if place.endswith("/postdrop") else os.symlink(
                program, place
            )
        os.chmod(self.dir + "/sbin/postdrop", 0o755)
        self.start()

    @staticmethod
    def free_ports(count):
        probes = [socket.socket() for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in probes]
        for probe in probes:
            probe.close()
        return ports

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self):
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", self.dir + "/etc", "start"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr + self.log()
        # The test's own sendmail command writes there as httpd's user, who is not in the group of
        # Debian's.
        os.chmod(self.dir + "/spool/maildrop", 0o1777)
        self.pid = parts.pid_of(self.dir + "/spool/pid/master.pid")
        with socket.create_connection(("127.0.0.1", self.ports["starttls"]), timeout=20) as probe:
            assert probe.recv(3) == b"220", self.log()

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        assert self.wait(lambda: not parts.running(self.pid))

    def close(self):
        if parts.running(self.pid):
            self.end()
        self.policy.close()
        self.accounts.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    wait = staticmethod(parts.poll)

    def log(self):
        try:
            with open(self.dir + "/log/mail.log", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def url(self, service):
        return "%s://localhost:%d" % ("smtps" if service == "tls" else "smtp", self.ports[service])

    def mails(self, address):
        """What has arrived for an address, as bytes and as a message."""
        found = []
        for path in sorted(glob.glob(self.dir + "/mail/all/new/*"), key=os.path.getmtime):
            with open(path, "rb") as file:
                content = file.read()
            if b"\nDelivered-To: %s\n" % address.encode() in b"\n" + content:
                found.append(
                    (content, email.message_from_bytes(content, policy=email.policy.default))
                )
        return found
