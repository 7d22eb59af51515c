# SPDX-License-Identifier: Apache-2.0
"""instructions.py: counts the instructions of httpd for one request of each kind, with callgrind.

The demo is one of its own. The same request counts the same each time, however busy the machine is.
The hash of the word is left out, and so are memcached and the kernel.
"""

import contextlib
import glob
import http.client
import os
import re
import shutil
import ssl
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import portal as parts  # noqa: E402

# One child with one thread for requests: all that it counts belongs to requests, and all that is
# kept between requests is there after the first. It has two connections, the thread's and the
# courier's, which may change places: what each prepares at its first use is not in the median.
CONFIGURATION = """MaxKeepAliveRequests 0
EsignAddressFailures 100000
ServerLimit 1
StartServers 1
ThreadsPerChild 1
MaxRequestWorkers 1
MaxSpareThreads 1
DBDKeep 2
DBDMax 2
Alias /bench/ "%s/"
<Directory "%s">
    Require all granted
</Directory>
"""
FILE_SIZE = 5120  # about that of the sign-in page
SIGN_INS, REPEATS = 7, 4

# Each kind by its name, in the order in which they are counted.
SINGLE = (
    "static file",
    "sign-in page",
    "reset page",
    "start page",
    "picture",
    "spoken picture",
    "POST sign-in, wrong picture",
)
STEPS = ("phone page", "POST phone, sends the code", "code page", "POST code, right")
SIGNED_IN = ("menu", "activity", "PIN page, asks", "POST PIN page", "new word page")
KINDS = SINGLE + STEPS + SIGNED_IN


class Counter:
    """Sends requests to a demo under callgrind. `counts` holds the instructions of each kind of
    request, and the files with the details.
    """

    def __init__(self, portal, folder):
        self.portal, self.folder, self.counts = portal, folder, {}
        context = ssl.create_default_context(cafile=portal.env["CERTIFICATE"])
        self.line = http.client.HTTPSConnection(
            "localhost", portal.port, context=context, timeout=120
        )
        self.cookies = {}

    def ask(self, method, path, fields=None):
        """One request of a browser with cookies; status, body."""
        headers = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "tr"}
        if self.cookies:
            headers["Cookie"] = "; ".join("%s=%s" % pair for pair in self.cookies.items())
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.line.request(
            method,
            path,
            urllib.parse.urlencode(fields or {}) if method == "POST" else None,
            headers,
        )
        response = self.line.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, value = cookie.partition(";")[0].split("=", 1)
            self.cookies[name] = value
        return response.status, response.read()

    def dumps(self):
        """Number -> path of what was written: one file a request, when the next one begins."""
        found = {}
        for path in glob.glob(self.folder + "/*.*-*"):
            number, thread = re.search(r"\.(\d+)-(\d+)$", path).groups()
            found.setdefault(int(number), {})[thread] = path
        return found

    def count(self, kind, method, path, fields=None, expected=200):
        before = max(self.dumps(), default=0)
        status, body = self.ask(
            method, "/esign/" + path if not path.startswith("/") else path, fields
        )
        assert status == expected, "%s: %d\n%s" % (kind, status, body.decode(errors="replace"))
        self.ask("GET", "/bench/file")
        mine = [
            path
            for path in self.dumps()[before + 2].values()
            if b") ap_read_request\n" in open(path, "rb").read()
        ]
        assert len(mine) == 1
        with open(mine[0]) as file:
            total = int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.M).group(1))
        self.counts.setdefault(kind, []).append((total, mine[0]))
        return body.decode(errors="replace")

    def challenge(self, page):
        return re.search(r'name="challenge" value="([^"]+)"', page).group(1)

    def single(self, kinds):
        page = self.ask("GET", "/esign/login")[1].decode()
        for _ in range(REPEATS):
            challenge = self.challenge(page)
            for kind, path in zip(
                SINGLE,
                (
                    "/bench/file",
                    "login",
                    "reset",
                    "",
                    "captcha/%s.png" % challenge,
                    "captcha/%s.wav?lang=tr" % challenge,
                ),
            ):
                if kind in kinds:
                    self.count(kind, "GET", path)
            if SINGLE[-1] in kinds:
                page = self.count(
                    SINGLE[-1],
                    "POST",
                    "login",
                    {
                        "id": "10000000146",
                        "word": "yanlış sözcük",
                        "challenge": challenge,
                        "answer": "ZZZZZ",
                    },
                    422,
                )

    def sign_in(self, kinds):
        subscriber = self.portal.new_subscriber()
        self.cookies.clear()
        challenge = self.challenge(self.ask("GET", "/esign/login")[1].decode())
        fields = {
            "id": subscriber.id,
            "word": subscriber.word,
            "challenge": challenge,
            "answer": self.portal.answer(challenge),
        }
        assert self.ask("POST", "/esign/login", fields)[0] == 303
        self.count(STEPS[0], "GET", "otp")
        self.count(STEPS[1], "POST", "otp", {}, 303)
        self.count(STEPS[2], "GET", "otp/code")
        code = self.portal.wait(lambda: self.portal.sms(subscriber.phone), 60)[0]
        self.count(
            STEPS[3], "POST", "otp/code", {"code": re.search(r"\b(\d{6})\b", code).group(1)}, 303
        )
        for _ in range(REPEATS):
            for kind, method, path in zip(
                SIGNED_IN,
                ("GET", "GET", "GET", "POST", "GET"),
                ("menu", "activity", "pin", "pin", "word"),
            ):
                if kind in kinds:
                    self.count(kind, method, path)

    def run(self, kinds):
        if set(kinds) & set(SINGLE):
            self.single(kinds)
        if set(kinds) & set(STEPS):
            for _ in range(SIGN_INS):
                self.sign_in(kinds)
        elif set(kinds) & set(SIGNED_IN):
            self.sign_in(kinds)

    def median(self, kind):
        """The lower median of a kind's requests, and the file that tells more of it."""
        return sorted(self.counts[kind])[(len(self.counts[kind]) - 1) // 2]

    def calls(self, kind, function):
        """How often that request calls a function."""
        with open(self.median(kind)[1]) as file:
            text = file.read()
        number = re.search(r"fn=\((\d+)\) %s\n" % function, text)
        pattern = r"^cfn=\(%s\).*\ncalls=(\d+)" % (number.group(1) if number else "")
        return sum(int(times) for times in re.findall(pattern, text, re.M))


@contextlib.contextmanager
def counted(kinds):
    """A Counter that has counted these kinds."""
    top = tempfile.mkdtemp(prefix="mod_esign-counted.", dir="/var/tmp")
    folder, files = top + "/counts", top + "/files"
    os.chmod(top, 0o755)
    os.mkdir(files)
    os.mkdir(folder)
    os.chmod(folder, 0o777)  # httpd's user writes there
    with open(files + "/file", "w") as file:
        file.write("x" * FILE_SIZE)
    with open(top + "/counted.conf", "w") as file:
        file.write(CONFIGURATION % (files, files))
    portal = None
    try:
        wrapper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counted")
        portal = parts.Portal(
            top + "/demo",
            None,
            "--include",
            top + "/counted.conf",
            ESIGN_HTTPD=wrapper,
            ESIGN_COUNTS=folder,
        )
        counter = Counter(portal, folder)
        counter.run(kinds)
        yield counter
    finally:
        if portal:
            portal.stop()
        shutil.rmtree(top, ignore_errors=True)
