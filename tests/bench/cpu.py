# SPDX-License-Identifier: Apache-2.0
"""cpu.py: processor time and memory of processes, as the kernel counts them."""

import contextlib
import os
import re
import time

import memory


def of(pid):
    """CPU seconds of all threads of a process, ended ones too, to the nanosecond. The clock's
    number is made as clock_getcpuclockid(3) makes it.
    """
    return time.clock_gettime(~pid << 3 | 2)


def of_tree(parent):
    """A process and its children; the caller sees to it that none of them ends in between."""
    return sum(map(of, memory.family(parent)))


def of_threads(pids, name):
    """Seconds of the threads that live and have this name."""
    total = 0
    for pid in pids:
        for task in os.scandir("/proc/%d/task" % pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(task.path + "/comm") as file:
                    wanted = file.read().strip() == name
                if wanted:
                    with open(task.path + "/schedstat") as file:
                        total += int(file.read().split()[0]) / 1e9
    return total


def pss(pids):
    """Bytes: each page that several share counts in parts."""
    total = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as file:
            total += int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.M).group(1)) * 1024
    return total
