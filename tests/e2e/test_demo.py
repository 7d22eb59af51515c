# SPDX-License-Identifier: Apache-2.0
"""test_demo.py: ./demo itself: what it refuses, what it leaves behind, and who may run it."""

import contextlib
import glob
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

import portal as parts

DEMO = os.path.join(parts.TOP, "demo")
PROMISED = {
    "URL",
    "CTL",
    "LOGS",
    "DATABASE",
    "MEMCACHED",
    "HTTPD_PID",
    "MEMCACHED_PID",
    "HTTPD_CONF",
}
AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def folder():
    """An empty folder that everybody may enter; what runs below it is stopped."""
    path = tempfile.mkdtemp(prefix="mod_esign-demo-test.", dir="/var/tmp")
    os.chmod(path, 0o755)
    yield path
    for marker in glob.glob(glob.escape(path) + "/**/.mod_esign-demo", recursive=True):
        run("--stop", "--dir", os.path.dirname(marker))
    shutil.rmtree(path)


def run(*options, before=(), demo=DEMO, env=os.environ, **more):
    """`demo`: of a clone elsewhere, which has a build of its own."""
    ours = demo == DEMO
    env = {
        name: value
        for name, value in env.items()
        if ours or name not in ("ESIGN_BUILD", "ESIGN_HTTPD")
    }
    return subprocess.run(
        [*before, demo, *options],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
        env=env,
        **more,
    )


def refused(done):
    """The one line that tells why."""
    assert done.returncode != 0 and done.stdout == "" and len(done.stderr.splitlines()) == 1, (
        done.returncode,
        done.stdout,
        done.stderr,
    )
    assert done.stderr.startswith("demo: ")
    return done.stderr


def processes(text):
    """Process ids whose command line has the text."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if text.encode() in file.read():
                found.append(int(path.split("/")[2]))
    return [pid for pid in found if pid != os.getpid()]


def semaphores(pid):
    """The System V semaphore sets that a process was the last to set."""
    ids = [
        line.split()[1]
        for line in subprocess.run(
            ["ipcs", "-s"], capture_output=True, text=True
        ).stdout.splitlines()
        if line.startswith("0x")
    ]
    told = {
        i: subprocess.run(["ipcs", "-s", "-i", i], capture_output=True, text=True).stdout
        for i in ids
    }
    return {i for i, text in told.items() if re.search(r"^\d+ .*\s%d\s*$" % pid, text, re.M)}


def read_pid(path):
    with open(path) as file:
        return int(file.read())


@pytest.mark.parametrize(
    "options,told",
    [
        (["--nonsense"], "--nonsense"),
        (["extra"], "extra"),
        (["--port"], "--port needs a value"),
        (["--port", "https"], "--port https: write a number from 1 to 65533"),
        (["--port", "0"], "--port 0"),
        (["--port", "65534"], "--port 65534"),
        (["--port", "99999999999999999999"], "--port 99999999999999999999"),
        (["--mpm", "fork"], "--mpm fork: write event, worker or prefork"),
        (["--include", "/nonexistent/more.conf"], "--include /nonexistent/more.conf"),
        (["--include", "/etc"], "--include /etc"),
        (["--theme", "/etc/passwd"], "--theme /etc/passwd: is no folder"),
        (["--theme", "/nonexistent"], "--theme /nonexistent: is no folder"),
        (["--dir", ""], "--dir needs a value"),
        (["--dir", '/var/tmp/a"b'], "--dir"),
        (["--dir", "/proc/demo"], "/proc/demo cannot be written"),
        (["--dir", "/etc/passwd"], "/etc/passwd is no folder"),
        (["--dir", "/usr/bin"], "/usr/bin"),
        (["--stop", "--dir", "/var/tmp/mod_esign-no-such-demo"], "no demo lives there"),
    ],
)
def test_bad_options_are_refused_in_one_line(options, told):
    assert told in refused(run(*options))


def test_help_tells_every_option():
    done = run("--help")
    assert done.returncode == 0
    for option in (
        "--dir",
        "--port",
        "--detach",
        "--stop",
        "--include",
        "--theme",
        "--mpm",
        "--log-level",
    ):
        assert option in done.stdout


def test_folder_with_other_things_is_left_alone(folder):
    mine = os.path.join(folder, "thesis.txt")
    open(mine, "w").close()
    assert "holds other things" in refused(run("--dir", folder))
    assert os.listdir(folder) == ["thesis.txt"]


def test_httpd_that_refuses_is_told_in_one_line(folder, tmp_path):
    include = tmp_path / "wrong.conf"
    include.write_text("EsignLinkLife 1\n")
    done = run(
        "--dir", folder, "--port", str(parts.free_port()), "--include", str(include), "--detach"
    )
    assert "EsignLinkLife" in refused(done)
    assert processes(folder) == []


@pytest.mark.parametrize(
    "offset,family,address",
    [
        (0, socket.AF_INET, "127.0.0.1"),
        (1, socket.AF_INET, "127.0.0.1"),
        (2, socket.AF_INET, "127.0.0.1"),
        (0, socket.AF_INET6, "::1"),
    ],
)
def test_taken_port_is_named(folder, offset, family, address):
    if family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
        pytest.skip("there is no IPv6")
    port = parts.free_port()
    with socket.socket(family) as taken:
        taken.bind((address, port + offset))
        taken.listen()
        line = refused(run("--dir", folder, "--port", str(port)))
    assert "port %d is taken" % (port + offset) in line and "--port" in line
    assert processes(folder) == []


def test_running_demo_is_left_alone_and_stop_can_be_said_twice(folder):
    relative = os.path.relpath(folder, "/var")
    port = parts.free_port()
    done = run("--dir", relative, "--port", str(port), "--detach", cwd="/var")
    assert done.returncode == 0, done.stderr
    pid = read_pid(folder + "/httpd.pid")
    assert "a demo runs in %s already" % folder in refused(
        run("--dir", folder + "/", "--port", str(parts.free_port()))
    )
    assert read_pid(folder + "/httpd.pid") == pid and os.path.exists("/proc/%d" % pid)
    for _ in range(2):
        done = run("--stop", "--dir", "./tmp/../" + relative, cwd="/var")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert processes(folder) == []


def test_two_demos_side_by_side_in_folders_with_odd_names(folder):
    """demo.env is read by sh; each command finds its own database."""
    names = ["with a space", "it's & ş (%s)" % ("long " * 20)]
    rows = []
    for name in names:
        path = os.path.join(folder, name)
        done = run(
            "--dir",
            path,
            "--port",
            str(parts.free_port()),
            "--detach",
            env={**os.environ, "LC_ALL": "C"},
        )
        assert done.returncode == 0, done.stderr
        script = (
            '. "$1/demo.env" && set -u && eval "$CTL subscriber show 10000000146" '
            '&& curl -sf --cacert "$CERTIFICATE" -o /dev/null "$URL" && '
            'test -d "$LOGS" && test -f "$DATABASE" && test -S "$MEMCACHED" '
            '&& kill -0 "$(cat "$HTTPD_PID")" "$(cat "$MEMCACHED_PID")" && test -f "$HTTPD_CONF"'
        )
        shell = subprocess.run(
            ["sh", "-e", "-c", script, "sh", path], capture_output=True, text=True
        )
        assert shell.returncode == 0, shell.stderr
        rows.append(re.search(r"#\d+", shell.stdout).group())
        with open(path + "/demo.env", encoding="utf-8") as file:
            assert PROMISED <= set(re.findall(r"^(\w+)=", file.read(), re.M))
    assert rows[0] != rows[1]
    states = [os.path.realpath(os.path.join(folder, name, "state")) for name in names]
    for name in names:
        assert run("--stop", "--dir", os.path.join(folder, name)).returncode == 0
    assert processes(folder) == [] and all(processes(state) == [] for state in states)


@pytest.mark.parametrize("killed", [["httpd"], ["httpd", "memcached", "receiver"]])
def test_killed_demo_is_replaced(folder, killed):
    port = parts.free_port()
    assert run("--dir", folder, "--port", str(port), "--detach").returncode == 0
    sets = semaphores(read_pid(folder + "/httpd.pid"))
    for name in killed:
        os.kill(read_pid("%s/%s.pid" % (folder, name)), signal.SIGKILL)
    with socket.create_connection(("127.0.0.1", port)):
        pass  # httpd's children outlive it and keep the port
    done = run("--dir", folder, "--port", str(port), "--detach")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout.count("Replacing") == 1 and done.stdout.startswith(
        "Replacing what an earlier demo left in %s\n" % folder
    )
    page = subprocess.run(
        [
            "curl",
            "-sf",
            "--cacert",
            folder + "/conf/server.pem",
            "https://localhost:%d/esign/" % port,
        ],
        capture_output=True,
    )
    assert page.returncode == 0
    assert len({os.getpgid(pid) for pid in processes(folder + "/conf/httpd.conf")}) == 1
    run("--stop", "--dir", folder)
    assert processes(folder) == []
    # Nobody can tell whose the semaphores of a killed httpd are, once it is gone.
    for one in sets:
        subprocess.run(["ipcrm", "-s", one], check=True)


class Terminal(parts.Portal):
    """A demo in the foreground of a terminal."""

    def __init__(self, folder):
        self.dir, self.port, self.shown = folder, parts.free_port(), ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            # Whoever started the tests may have Ctrl-C ignored; a terminal has not.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execv(DEMO, [DEMO, "--dir", folder, "--port", str(self.port)])
        threading.Thread(target=self.read, daemon=True).start()
        assert self.wait(lambda: "Ctrl-C stops it all" in self.shown, 60), self.shown
        self.read_env()

    def read(self):
        with contextlib.suppress(OSError):
            while piece := os.read(self.terminal, 4096):
                self.shown += piece.decode(errors="replace")

    def end(self, seconds=30):
        """Its exit status."""
        ended = self.wait(
            lambda: os.waitpid(self.pid, os.WNOHANG)[1:]
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            else None,
            seconds,
        )
        assert ended, "it does not end"
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(ended[0])


def test_messages_are_shown_until_ctrl_c_which_leaves_nothing(folder):
    demo = Terminal(folder)
    sets = semaphores(read_pid(demo.env["HTTPD_PID"]))
    assert sets
    browser, s = demo.browser(), demo.new_subscriber()
    link = browser.reset_link(s)
    browser.sign_in(s)
    code = re.search(r"\b\d{6}\b", demo.sms(s.phone)[-1]).group()
    assert demo.wait(lambda: code in demo.shown, 5), demo.shown
    assert (
        re.search(r"^Mail to .*%s" % re.escape(s.email), demo.shown, re.M)
        and demo.url + link in demo.shown
    )
    assert "SMS to %s:" % s.phone in demo.shown
    os.write(demo.terminal, b"\x03")
    assert demo.end() == 130
    assert processes(folder) == []
    left = subprocess.run(["ipcs", "-s"], capture_output=True, text=True).stdout
    assert not any(re.search(r"^\S+\s+%s\s" % i, left, re.M) for i in sets)


def test_part_that_ends_by_itself_ends_the_foreground(folder):
    demo = Terminal(folder)
    os.kill(read_pid(demo.env["MEMCACHED_PID"]), signal.SIGKILL)
    assert demo.end() == 1
    assert "demo: a part has ended by itself: see %s/logs" % folder in demo.shown
    assert processes(folder) == []


def copy_of_the_tree(folder, *, built):
    top = os.path.join(folder, "clone")
    unwanted = [
        ".git",
        "demo-data",
        "__pycache__",
        "autom4te.cache",
        "*.o",
        "*.lo",
        "*.la",
        "*.a",
    ] + ([] if built else ["build"])
    shutil.copytree(parts.TOP, top, ignore=shutil.ignore_patterns(*unwanted), symlinks=True)
    return top


@only_root
def test_theme_that_httpd_could_not_read_is_refused(folder):
    theme = os.path.join(folder, "theme")
    os.mkdir(theme, 0o700)
    done = run(
        "--dir",
        os.path.join(folder, "demo"),
        "--port",
        str(parts.free_port()),
        "--theme",
        theme,
        "--detach",
    )
    assert done.returncode != 0 and "--theme %s: www-data cannot read it" % theme in done.stderr


@only_root
def test_anybody_runs_it_from_a_clone_that_root_has_built(folder):
    top = copy_of_the_tree(folder, built=True)
    own = os.path.join(folder, "own")
    os.mkdir(own)
    shutil.chown(own, "nobody", "nogroup")
    asked = {"demo": top + "/demo", "before": AS_NOBODY, "cwd": "/"}
    assert "%s/demo-data cannot be written" % top in refused(run(**asked))
    done = run("--dir", own, "--port", str(parts.free_port()), "--detach", **asked)
    assert done.returncode == 0, done.stderr
    assert {os.stat("/proc/%d" % pid).st_uid for pid in processes(own + "/conf/httpd.conf")} <= {
        os.stat(own).st_uid,
        0,
    }
    assert run("--stop", "--dir", own, **asked).returncode == 0 and processes(own) == []
    # Without a finished build there is nothing to run.
    os.unlink(top + "/build/esignctl")
    assert "holds no finished build" in refused(run("--dir", own, **asked))


@only_root
def test_missing_package_is_told_to_an_ordinary_user(folder):
    top = copy_of_the_tree(folder, built=True)
    os.mkdir(folder + "/bin")
    with open(folder + "/bin/dpkg-query", "w") as file:
        file.write(
            '#!/bin/sh\nfor last; do :; done\n[ "$last" != memcached ] || exit 1\n'
            'exec /usr/bin/dpkg-query "$@"\n'
        )
    os.chmod(folder + "/bin/dpkg-query", 0o755)
    os.mkdir(folder + "/own")
    shutil.chown(folder + "/own", "nobody", "nogroup")
    done = run(
        "--dir",
        folder + "/own",
        demo=top + "/demo",
        before=AS_NOBODY,
        cwd="/",
        env={"PATH": folder + "/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert refused(done) == (
        "demo: these packages are missing: memcached; install them as root: apt-get install "
        "memcached\n"
    )


@only_root
def test_root_s_demo_is_not_stopped_by_somebody_else(folder):
    assert (
        run("--dir", folder + "/demo", "--port", str(parts.free_port()), "--detach").returncode == 0
    )
    top = copy_of_the_tree(folder, built=True)
    asked = {"demo": top + "/demo", "before": AS_NOBODY, "cwd": "/"}
    assert "cannot be stopped" in refused(run("--stop", "--dir", folder + "/demo", **asked))
    assert "a demo runs in" in refused(run("--dir", folder + "/demo", **asked))
    os.kill(read_pid(folder + "/demo/httpd.pid"), 0)


@only_root
def test_anybody_builds_and_runs_it_from_their_own_clone(folder):
    top = copy_of_the_tree(folder, built=False)
    subprocess.run(["chown", "-R", "nobody:nogroup", top], check=True)
    done = run(
        "--port",
        str(parts.free_port()),
        "--detach",
        demo=top + "/demo",
        before=AS_NOBODY,
        cwd=top,
        env={"PATH": os.environ["PATH"], "CFLAGS": "-O0"},
    )
    assert done.returncode == 0, done.stderr
    assert (
        run("--stop", demo=top + "/demo", before=AS_NOBODY, cwd=top).returncode == 0
        and processes(top) == []
    )
