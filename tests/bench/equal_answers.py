#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""equal_answers.py: measures whether the time of an answer depends on the number or the word.

usage: equal_answers.py [PAIRS]      (starts a demo of its own; 200 pairs take about ten minutes)

It prints a table of pairs of requests, each measured many times in random order. Noise only adds
time, so low quantiles tell more than the median (Crosby, Wallach and Riedi, "Opportunities and
limits of remote timing attacks"). The table has the differences at the 10th and 50th percentile.
Each has an interval that holds the true one with a probability of 99.9 % (bootstrap over pairs).
With 18 intervals, one table in fifty shows a difference where none is.
"""

import os
import random
import shutil
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))

import equal  # noqa: E402
import portal as parts  # noqa: E402

QUANTILES, RESAMPLES, OUTSIDE = (0.1, 0.5), 4000, 0.001


def quantile(values, q):
    ordered = sorted(values)
    return ordered[int(q * len(ordered))]


def difference(pairs, q):
    return quantile([a for a, _ in pairs], q) - quantile([b for _, b in pairs], q)


def interval(pairs, q):
    found = sorted(difference(random.choices(pairs, k=len(pairs)), q) for _ in range(RESAMPLES))
    cut = int(RESAMPLES * OUTSIDE / 2)
    return found[cut], found[-1 - cut]


def report(name, pairs, same):
    told = []
    equal_times = True
    for q in QUANTILES:
        low, high = interval(pairs, q)
        equal_times = equal_times and low <= 0 <= high
        told.append(
            "%.3f [%.3f, %.3f]" % tuple(1000 * x for x in (difference(pairs, q), low, high))
        )
    medians = ["%.2f" % (1000 * statistics.median(side)) for side in zip(*pairs)]
    print(
        "| %s | %s |"
        % (
            name,
            " | ".join(
                [
                    *medians,
                    *told,
                    "%.2g" % equal.signed_rank([a - b for a, b in pairs]),
                    "yes" if same and equal_times else "NO",
                ]
            ),
        ),
        flush=True,
    )


def others_wait(portal, groups, count):
    """The mean time of other requests in the half second after a reset request: what the courier's
    work for a known number costs them.
    """
    pairs, line, stranger = [], equal.Line(portal), equal.Line(portal)
    for turn in range(count):
        pair = [None, None]
        for i in random.sample((0, 1), 2):
            challenge = line.challenge("reset")
            form = {
                "id": groups["usual"][turn % len(groups["usual"])].id if i == 0 else parts.tckn(),
                "challenge": challenge,
                "answer": portal.answer(challenge),
            }
            assert line.ask("reset", form)[1] == 303
            until, times = time.monotonic() + 0.5, []
            while time.monotonic() < until:
                times.append(stranger.ask("login")[0])
            pair[i] = statistics.mean(times)
        pairs.append(pair)
    return pairs


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    folder = tempfile.mkdtemp(prefix="mod_esign-bench.", dir="/var/tmp")
    os.chmod(folder, 0o755)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as include:
        include.write(equal.CONFIGURATION % equal.DEARER)
        include.flush()
        portal = parts.Portal(folder, None, "--include", include.name)
    try:
        groups = equal.people(portal, count)
        print(
            "| first, second | ms | ms | difference at 10 % | at 50 % | chance | equal |\n"
            "| --- | --- | --- | --- | --- | --- | --- |"
        )
        for name, (path, *sides) in {**equal.PAIRS, **equal.MIXED}.items():
            if name in equal.MIXED and "any" not in groups:
                equal.mix(portal, groups)
            times, (one, other) = equal.measure(portal, groups, path, sides, count)
            report(name, times, len(one) == 1 and one == other)
        report(
            "a stranger's pages while a mail is made: known number, unknown number",
            others_wait(portal, groups, count),
            True,
        )
    finally:
        portal.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
