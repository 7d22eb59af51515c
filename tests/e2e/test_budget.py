# SPDX-License-Identifier: Apache-2.0
"""test_budget.py: no kind of request takes more instructions than its budget.

A change that makes one slower shows at once; a change that makes one faster lowers its budget.
tests/bench/profile shows where the instructions go.
"""

import os
import sys
import warnings

import pytest

import portal as parts

sys.path.insert(0, os.path.join(parts.TOP, "tests", "bench"))

import instructions  # noqa: E402

# Thousands of instructions of httpd's child without the hash of the word, with Debian 12's
# libraries.
BUDGET = {
    "sign-in page": 220,
    "reset page": 221,
    "start page": 112,
    "picture": 815,
    "spoken picture": 3600,
    "POST sign-in, wrong picture": 410,
    "phone page": 335,
    "POST phone, sends the code": 578,
    "code page": 383,
    "POST code, right": 785,
    "menu": 317,
    "activity": 740,
    "PIN page, asks": 334,
    "POST PIN page": 555,
    "new word page": 333,
}
# The tolerance: a twentieth, and OWN thousand instructions, by which httpd's and OpenSSL's own part
# differs between connections. Pictures and sounds are as long as their letters.
TOLERANCE, OWN, OF_CHANCE = 0.05, 12, {"picture": 0.15, "spoken picture": 0.4}
FAR_BELOW = 0.85


def judged():
    """Sanitizers count for themselves."""
    with open("/etc/os-release") as file:
        return 'VERSION_ID="12"\n' in file.read() and "ESIGN_BUILD" not in os.environ


@pytest.fixture(scope="module")
def counts():
    with instructions.counted(BUDGET) as counter:
        return {kind: counter.median(kind)[0] / 1000 for kind in BUDGET}


@pytest.mark.skipif(
    not judged(), reason="the budget is that of an ordinary build with Debian 12's libraries"
)
@pytest.mark.parametrize("kind", BUDGET)
def test_budget(counts, kind):
    most = BUDGET[kind] * (1 + OF_CHANCE.get(kind, TOLERANCE)) + OWN
    assert counts[kind] <= most, (
        "%s takes %.0f thousand instructions, more than its budget of %d: tests/bench/profile '%s'"
        % (kind, counts[kind], BUDGET[kind], kind)
    )
    if counts[kind] < BUDGET[kind] * (FAR_BELOW - OF_CHANCE.get(kind, 0)):
        warnings.warn(
            "%s takes %.0f thousand instructions only: lower its budget of %d"
            % (kind, counts[kind], BUDGET[kind])
        )
