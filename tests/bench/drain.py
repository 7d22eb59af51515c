#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""drain.py: measures how fast the courier empties an outbox that filled while the mail server was
dead.

usage: drain.py [MAILS [RUNS]]

Run it as root, with Postfix for its smtp-sink (Debian: apt-get install postfix). A demo of its own
takes requests for new words through its form, for a thousand invented subscribers. The database is
copied, and put back for each run. Each run prints the mails a second from the first row to the
last, and the largest resident memory of a child. It also prints the processor time a mail, of
httpd's children and of the sink.
"""

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import command  # noqa: E402
import portal as parts  # noqa: E402

PEOPLE = 1000
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def register(portal):
    numbers = set()
    while len(numbers) < PEOPLE:
        numbers.add("%09d" % random.randrange(100000000, 1000000000))
    people = [
        command.subscriber(
            n,
            ids='national-id="%s" language="%s"' % (parts.tckn(nine), ("tr", "en")[n % 2]),
            serial="BENCH-%d" % n,
        )
        for n, nine in enumerate(sorted(numbers))
    ]
    portal.ctl("subscriber", "import", "-", stdin=command.file_of(*people))
    return [parts.tckn(nine) for nine in sorted(numbers)]


def ask(portal, people, mails):
    """Requests through the form; the pictures are answered by one esignctl."""
    answers = subprocess.Popen(
        [portal.env["CTL"].split()[0], *portal.env["CTL"].split()[1:], "captcha", "answer", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    lock, left = threading.Lock(), list(range(mails))

    def work():
        browser = portal.browser()
        while True:
            with lock:
                if not left:
                    return
                n = left.pop()
            challenge = browser.get("reset").challenge()
            with lock:
                answers.stdin.write(challenge + "\n")
                answers.stdin.flush()
                answer = answers.stdout.readline().strip()
            # On a busy machine the database may get no time: press "try again", as people do.
            if (
                browser.post(
                    "reset",
                    {"id": people[n % len(people)], "challenge": challenge, "answer": answer},
                ).status
                != 303
            ):
                with lock:
                    left.append(n)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.stdin.close()
    answers.wait()


def waiting(portal):
    return portal.sql("SELECT count(*) FROM outbox WHERE dead = 0")[0][0]


def cpu(pid):
    """Seconds of processor time."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024


def children(portal):
    return [
        int(pid)
        for pid in subprocess.run(
            ["pgrep", "-P", str(parts.pid_of(portal.env["HTTPD_PID"]))],
            capture_output=True,
            text=True,
        ).stdout.split()
    ]


def run(portal, port, mails):
    sink = subprocess.Popen(["/usr/sbin/smtp-sink", "-u", "nobody", "127.0.0.1:%d" % port, "100"])
    try:
        httpd = [parts.HTTPD, "-f", portal.env["HTTPD_CONF"], "-k"]
        time.sleep(0.3)
        subprocess.run(httpd + ["start"], check=True)
        while not os.path.exists(portal.env["HTTPD_PID"]):
            time.sleep(0.01)
        left = mails
        while left == mails:
            time.sleep(0.01)
            left = waiting(portal)
        begin, first, pids = time.time(), left, children(portal)
        before = sum(map(cpu, pids)), cpu(sink.pid)
        while left:
            time.sleep(0.05)
            left = waiting(portal)
        took = time.time() - begin
        after = sum(map(cpu, pids)), cpu(sink.pid)
        print(
            "%6.0f mails/s   httpd %4.0f us/mail   sink %4.0f us/mail   %5.1f MB"
            % (
                first / took,
                (after[0] - before[0]) / first * 1e6,
                (after[1] - before[1]) / first * 1e6,
                max(map(resident, pids)),
            ),
            flush=True,
        )
        parent = parts.pid_of(portal.env["HTTPD_PID"])
        subprocess.run(httpd + ["stop"], check=True)
        while parts.running(parent):
            time.sleep(0.05)
    finally:
        sink.terminate()
        sink.wait()


def main():
    mails, runs = (int(text) for text in (sys.argv[1:] + ["10000", "3"][len(sys.argv) - 1 :]))
    folder, port = tempfile.mkdtemp(prefix="mod_esign-drain.", dir="/var/tmp"), free_port()
    os.chmod(folder, 0o755)
    include = os.path.join(folder, "mail.conf")
    with open(include, "w") as file:
        file.write(
            "EsignMail smtp://127.0.0.1:%d\nEsignMailsPerDay 100\nEsignMailsPerMinute 0\n"
            "EsignAddressRequests 100000\nEsignMailConnections 8\n" % port
        )
    demo = os.path.join(folder, "demo")
    portal = parts.Portal(demo, None, "--include", include)
    try:
        people = register(portal)
        begin = time.time()
        ask(portal, people, mails)
        print("%d requests taken in %.0f s" % (mails, time.time() - begin), flush=True)
        parent = parts.pid_of(portal.env["HTTPD_PID"])
        subprocess.run([parts.HTTPD, "-f", portal.env["HTTPD_CONF"], "-k", "stop"], check=True)
        while parts.running(parent):
            time.sleep(0.05)
        portal.sql("UPDATE outbox SET due = 0")
        mails = waiting(portal)
        portal.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(portal.env["DATABASE"], folder + "/kept.db")
        for _ in range(runs):
            for name in ("-wal", "-shm"):
                if os.path.exists(portal.env["DATABASE"] + name):
                    os.unlink(portal.env["DATABASE"] + name)
            shutil.copyfile(folder + "/kept.db", portal.env["DATABASE"])
            run(portal, port, mails)
    finally:
        portal.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
