# SPDX-License-Identifier: Apache-2.0
"""test_equal_answers.py: the same answer, byte for byte, after the same time, for what must not be
told apart.

That is a known and an unknown number, a right and a wrong word, a waiting and a closed account.
tests/bench/equal_answers.py looks closer, with more pairs.
"""

import statistics

import pytest

import equal

# A difference is measured again, and fails when it shows to the same side each time. Equal answers
# do that once in four million times, on any machine, however busy.
ROUNDS, PAIRS, CHANCE = 3, 20, 0.01
# Differences that are smaller than this are the benchmark's.
SECONDS = 0.001


@pytest.fixture(scope="module")
def busy(make_portal, tmp_path_factory):
    include = tmp_path_factory.mktemp("equal") / "equal.conf"
    include.write_text(equal.CONFIGURATION % equal.DEARER)
    portal = make_portal("--include", str(include))
    portal.groups = equal.people(portal, PAIRS)
    yield portal
    portal.stop()


@pytest.mark.parametrize("name", [*equal.PAIRS, *equal.MIXED])
def test_same_answer_after_the_same_time(busy, name):
    if name in equal.MIXED and "any" not in busy.groups:
        equal.mix(busy, busy.groups)
    path, *sides = {**equal.PAIRS, **equal.MIXED}[name]
    seen = []
    while len(seen) < ROUNDS:
        times, (one, other) = equal.measure(busy, busy.groups, path, sides, PAIRS)
        assert len(one) == 1 and one == other
        differences = [a - b for a, b in times]
        seen.append(statistics.median(differences))
        if (
            equal.signed_rank(differences) > CHANCE
            or abs(seen[-1]) < SECONDS
            or seen[-1] * seen[0] < 0
        ):
            return
    pytest.fail("seconds between the two: %s" % seen)


def test_statistic_tells_what_differs():
    assert equal.signed_rank([1, -2, 3, -4, 5, -6, 7, -8]) > 0.5
    assert equal.signed_rank([1.0 + i / 100 for i in range(PAIRS)]) == 2 / 2**PAIRS
    # Wilcoxon's table: of ten differences, 8 or less on one side has a chance of 0.048828125.
    assert equal.signed_rank([-1, -2, -5, 3, 4, 6, 7, 8, 9, 10]) == 0.048828125
