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
    "sign-in page": 216,
    "reset page": 216,
    "start page": 105,
    "picture": 815,
    "spoken picture": 3600,
    "POST sign-in, wrong picture": 398,
    "phone page": 329,
    "POST phone, sends the code": 575,
    "code page": 375,
    "POST code, right": 777,
    "menu": 308,
    "activity": 740,
    "PIN page, asks": 326,
    "POST PIN page": 546,
    "new word page": 322,
}
# The tolerance: a twentieth, and OWN thousand instructions, by which httpd's and OpenSSL's own part
# differs between connections. Pictures and sounds are as long as their letters.
TOLERANCE, OWN, OF_CHANCE = 0.05, 12, {"picture": 0.15, "spoken picture": 0.4}
FAR_BELOW = 0.85


def judged():
    """Sanitizers count for themselves."""
    with open("/etc/os-release") as file:
        return 'VERSION_ID="12"\n' in file.read() and "ESIGN_BUILD" not in os.environ


pytestmark = pytest.mark.skipif(
    not judged(), reason="the budget is that of an ordinary build with Debian 12's libraries"
)


@pytest.fixture(scope="module")
def counted():
    """Kind -> thousands of instructions, and how often the configuration was merged."""
    with instructions.counted(BUDGET) as counter:
        return {
            kind: (counter.median(kind)[0] / 1000, counter.calls(kind, "esign_config_of_request"))
            for kind in BUDGET
        }


@pytest.mark.parametrize("kind", BUDGET)
def test_budget(counted, kind):
    most = BUDGET[kind] * (1 + OF_CHANCE.get(kind, TOLERANCE)) + OWN
    count, _ = counted[kind]
    assert count <= most, (
        "%s takes %.0f thousand instructions, more than its budget of %d: tests/bench/profile '%s'"
        % (kind, count, BUDGET[kind], kind)
    )
    if count < BUDGET[kind] * (FAR_BELOW - OF_CHANCE.get(kind, 0)):
        warnings.warn(
            "%s takes %.0f thousand instructions only: lower its budget of %d"
            % (kind, count, BUDGET[kind])
        )


def test_the_configuration_is_merged_once_a_request(counted):
    assert {kind: merges for kind, (_, merges) in counted.items() if merges != 1} == {}
