# SPDX-License-Identifier: Apache-2.0
"""memory.py: what a core file of a process would hold, and what it would leave out."""

import os
import re
import urllib.parse

HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)")


def regions(pid, guarded):
    """The content and flags of a process's memory: what a core file holds or, with `guarded`, the
    part that is marked to be left out of it (dd).
    """
    with open("/proc/%d/smaps" % pid) as file:
        lines = file.read().splitlines()
    with open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in lines:
            head = HEAD.match(line)
            if head:
                start, end, rights, name = int(head[1], 16), int(head[2], 16), head[3], head[4]
                used = 0
            elif line.startswith(("Rss:", "Swap:")):
                used += int(line.split()[1])
            elif line.startswith("VmFlags:"):
                flags = line.split()[1:]
                # Larger ones are the sanitizers' own.
                if (
                    used
                    and end - start < 2**30
                    and "r" in rights
                    and ("dd" in flags) == guarded
                    and not name.startswith(("[vvar", "[vsyscall"))
                    and ("w" in rights or not name.startswith("/"))
                ):
                    memory.seek(start)
                    try:
                        yield memory.read(end - start), flags
                    except OSError:
                        # Given back meanwhile.
                        pass


def forms(secret):
    """A text as it is, and as forms and addresses carry it."""
    return (
        {
            form.encode()
            for form in (secret, urllib.parse.quote(secret), urllib.parse.quote_plus(secret))
        }
        if isinstance(secret, str)
        else {secret}
    )


def found(pid, secrets, guarded=False):
    """Which of the secrets, by name, are there, and the flags of where."""
    told = {}
    for content, flags in regions(pid, guarded):
        for name, secret in secrets.items():
            if any(form in content for form in forms(secret)):
                told.setdefault(name, []).append(flags)
    return told


def family(parent):
    """A process and its children."""
    found_pids = [parent]
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name) as file:
                if int(file.read().rpartition(")")[2].split()[1]) == parent:
                    found_pids.append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found_pids
