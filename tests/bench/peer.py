# SPDX-License-Identifier: Apache-2.0
"""peer.py: a plain portal in PHP and LemonLDAP::NG, with an httpd of their own, in one folder. No
service of the system runs for them.
"""

import glob
import json
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import command
import cpu
import instance as instances
import load
import memory
import portal as parts

HERE = os.path.dirname(os.path.abspath(__file__))
WORKERS = 8  # of each
USER = "www-data"

HTTPD = """
ServerRoot "{folder}"
ServerName localhost
PidFile "{folder}/httpd.pid"
Mutex "file:{folder}"
DefaultRuntimeDir "{folder}"
ErrorLog "{folder}/error.log"
LogLevel warn
User {user}
Group {user}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_fcgi_module {modules}/mod_proxy_fcgi.so
StartServers 2
ServerLimit 2
ThreadsPerChild 64
MaxRequestWorkers 128
MaxSpareThreads 128
MaxKeepAliveRequests 0
TypesConfig /etc/mime.types
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
SSLSessionCache "shmcb:{folder}/ssl(512000)"
SSLCertificateFile "{folder}/server.pem"
SSLCertificateKeyFile "{folder}/server.key"
Include "{top}/conf/tls.conf"
<Directory "{folder}/php">
    Require all granted
</Directory>
Listen {php}
<VirtualHost *:{php}>
    SSLEngine on
    CustomLog "{folder}/php.log" combined
    DocumentRoot "{folder}/php"
    <FilesMatch "\\.php$">
        SetHandler "proxy:unix:{folder}/fpm.sock|fcgi://localhost"
    </FilesMatch>
</VirtualHost>
Listen {llng}
<VirtualHost *:{llng}>
    SSLEngine on
    CustomLog "{folder}/llng.log" combined
    <Location "/">
        Require all granted
        SetHandler "proxy:unix:{folder}/llng.sock|fcgi://localhost/"
    </Location>
    ProxyFCGISetEnvIf "true" LLTYPE "portal"
    ProxyFCGISetEnvIf "true" SCRIPT_NAME ""
    ProxyFCGISetEnvIf "true" PATH_INFO "%{{REQUEST_URI}}"
</VirtualHost>
"""

FPM = """
[global]
pid = {folder}/fpm.pid
error_log = {folder}/fpm.log
daemonize = no
[portal]
user = {user}
group = {user}
listen = {folder}/fpm.sock
listen.owner = {user}
listen.backlog = 511
pm = static
pm.max_children = {workers}
env[PEER_DATABASE] = {folder}/php-data/portal.db
php_admin_value[session.save_path] = {folder}/php-data/sessions
php_admin_value[opcache.enable] = 1
php_admin_value[opcache.validate_timestamps] = 0
"""

LLNG = """
[all]
logLevel = error
checkTime = 600
[configuration]
type = File
dirName = {folder}/llng/conf
localStorage = Cache::FileCache
localStorageOptions = {{ 'namespace' => 'config', 'default_expires_in' => 600, \
'directory_umask' => '007', 'cache_root' => '{folder}/llng/cache', 'cache_depth' => 3 }}
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en, tr
"""


class Peer:
    """One of them, as Load sees it."""

    def __init__(self, folder, name, port, page, httpd):
        self.folder, self.name, self.page, self.httpd = folder, name, page, httpd
        self.origin, self.access_log = "https://localhost:%d" % port, os.path.join(
            folder, name + ".log"
        )
        self.host, self.url, self.program = "localhost:%d" % port, self.origin + "/", None
        self.load = load.Load(self)

    def run(self, *words, **environment):
        with open(os.path.join(self.folder, self.name + ".out"), "w") as out:
            self.program = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=dict(os.environ, **environment),
            )

    def tree(self):
        return memory.family(self.program.pid)

    def sample(self):
        return instances.Sample(
            time.monotonic(), cpu.of_tree(self.httpd()) + cpu.of_tree(self.program.pid), 0, 0, 0, 0
        )

    def pss(self):
        return cpu.pss(memory.family(self.httpd()) + self.tree())

    def request(self, path, headers=None, form=None):
        return load.request(self.host, path, headers, form)


class Peers:
    """Both, with `people` subscribers."""

    def __init__(self, people):
        self.folder = tempfile.mkdtemp(prefix="mod_esign-peers.", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.people = people
        port = parts.free_port()
        self.php = Peer(self.folder, "php", port, "/login.php", self.httpd_pid)
        self.llng = Peer(self.folder, "llng", port + 1, "/", self.httpd_pid)
        try:
            self.start_php()
            self.start_llng(port + 1)
            self.start_httpd(port)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def httpd_pid(self):
        return parts.pid_of(os.path.join(self.folder, "httpd.pid"))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, **more):
        with open(self.path(name), "w") as file:
            file.write(
                text.format(folder=self.folder, user=USER, workers=WORKERS, top=parts.TOP, **more)
            )
        return self.path(name)

    def own(self, *names):
        """A folder of the user whom all of them run as."""
        os.makedirs(self.path(*names), exist_ok=True)
        shutil.chown(self.path(*names), USER, USER)

    def start_php(self):
        shutil.copytree(os.path.join(HERE, "peers-php"), self.path("php"))
        self.own("php-data")
        self.own("php-data", "sessions")
        database = sqlite3.connect(self.path("php-data", "portal.db"))
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(
            "CREATE TABLE subscriber (national_id TEXT PRIMARY KEY, word_hash TEXT, "
            "failures INTEGER DEFAULT 0)"
        )
        database.executemany(
            "INSERT INTO subscriber (national_id, word_hash) VALUES (?, ?)",
            ((parts.tckn("%09d" % (400000000 + n)), command.HASH) for n in range(self.people)),
        )
        database.commit()
        database.close()
        for file in os.listdir(self.path("php-data")):
            shutil.chown(self.path("php-data", file), USER, USER)
        self.php.run(
            sorted(glob.glob("/usr/sbin/php-fpm*"))[-1],
            "--nodaemonize",
            "--fpm-config",
            self.write("fpm.conf", FPM),
        )

    def start_llng(self, port):
        for name in (
            "",
            "conf",
            "cache",
            "sessions",
            "sessions/lock",
            "psessions",
            "psessions/lock",
        ):
            self.own("llng", name)
        with open("/var/lib/lemonldap-ng/conf/lmConf-1.json") as file:
            configuration = json.load(file)
        text = json.dumps(
            {
                **configuration,
                "portal": "https://localhost:%d/" % port,
                "domain": "localhost",
                "authentication": "Custom",
                "customAuth": "::Auth::Argon2",
                "userDB": "Null",
                "passwordDB": "Null",
                "captcha_mail_enabled": 0,
                "captcha_register_enabled": 0,
                "key": secrets.token_urlsafe(24),
                "securedCookie": 1,
                "notification": 0,
                "locationRules": {},
            }
        )
        with open(self.path("llng", "conf", "lmConf-1.json"), "w") as file:
            file.write(text.replace("/var/lib/lemonldap-ng", self.path("llng")))
        shutil.chown(self.path("llng", "conf", "lmConf-1.json"), USER, USER)
        # Its socket stands where its user may make one.
        self.own("llng", "run")
        self.llng.run(
            "/usr/sbin/llng-fastcgi-server",
            "--foreground",
            "-u",
            USER,
            "-g",
            USER,
            "-n",
            str(WORKERS),
            "-s",
            self.path("llng", "run", "llng.sock"),
            "-p",
            self.path("llng", "run", "pid"),
            LLNG_DEFAULTCONFFILE=self.write("llng.ini", LLNG),
            LLNG_DEFAULTLOGGER="Lemonldap::NG::Common::Logger::Std",
            PERL5LIB=self.copy_module(),
            PEER_HASH=command.HASH,
        )

    def copy_module(self):
        """Where its user can read it."""
        shutil.copytree(os.path.join(HERE, "peers-llng"), self.path("perl"))
        return self.path("perl")

    def start_httpd(self, port):
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
                "30",
                "-subj",
                "/CN=localhost",
                "-keyout",
                self.path("server.key"),
                "-out",
                self.path("server.pem"),
            ],
            check=True,
            capture_output=True,
        )
        modules = subprocess.run(
            ["apxs", "-q", "LIBEXECDIR"], capture_output=True, text=True, check=True
        ).stdout.strip()
        text = HTTPD.replace("{folder}/llng.sock", "{folder}/llng/run/llng.sock")
        subprocess.run(
            [
                parts.HTTPD,
                "-f",
                self.write("httpd.conf", text, modules=modules, php=port, llng=port + 1),
                "-k",
                "start",
            ],
            check=True,
        )
        for peer in (self.php, self.llng):
            self.wait(peer)

    def wait(self, peer):
        for _ in range(200):
            done = subprocess.run(
                ["curl", "-sk", "--noproxy", "*", peer.origin + peer.page],
                capture_output=True,
                text=True,
            )
            if 'name="token"' in done.stdout:
                return
            time.sleep(0.1)
        with open(self.path(peer.name + ".out")) as file:
            raise RuntimeError(
                "%s does not answer: %s" % (peer.name, file.read()[:2000] or done.stdout[-500:])
            )

    def close(self):
        if os.path.exists(self.path("httpd.pid")):
            parent = self.httpd_pid()
            os.kill(parent, signal.SIGTERM)
            while parts.running(parent):
                time.sleep(0.05)
        for peer in (self.php, self.llng):
            if peer.program:
                peer.program.terminate()
                peer.program.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Requests

    def number(self, n):
        return parts.tckn("%09d" % (400000000 + n % self.people))

    def php_posts(self, count, word):
        """Requests with a session and a picture each, whose answer is in the session's file."""
        folder = self.path("php-data", "sessions")
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        self.php.load.challenges(count, "login.php", "token")
        found = []
        for n, name in enumerate(os.listdir(folder)):
            with open(os.path.join(folder, name)) as file:
                values = dict(re.findall(r'(\w+)\|s:\d+:"([^"]*)";', file.read()))
            if len(values) == 2 and len(found) < count:
                found.append(
                    self.php.request(
                        "/login.php",
                        {"Cookie": "PHPSESSID=" + name.removeprefix("sess_")},
                        {"id": self.number(n), "word": word, **values},
                    )
                )
        return found

    def llng_posts(self, count, word):
        """Requests with a token each. The workers sometimes give the same token twice, and it works
        once.
        """
        tokens = set()
        while len(tokens) < count:
            tokens.update(self.llng.load.challenges(count, "", "token"))
        return [
            self.llng.request(
                "/", form={"user": "someone", "password": word, "token": token, "timezone": "3"}
            )
            for token in list(tokens)[:count]
        ]
