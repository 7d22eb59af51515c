# SPDX-License-Identifier: Apache-2.0
"""table.py: results against their goals, as a table of Markdown."""

import os
import re
import statistics

import portal as parts

DOCUMENT = os.path.join(parts.TOP, "docs", "performance.md")
BEGIN, END = "<!-- tests/bench/run writes from here -->", "<!-- to here -->"


class Result:
    """Measurements of one thing. `limit` is the goal: at most, or with `least` at least; None has
    no goal. `wrong` counts statuses or words that must not have been: one of them misses the goal.
    """

    def __init__(self, what, values, limit=None, unit="", digits=2, least=False, note="", wrong=""):
        (
            self.what,
            self.values,
            self.limit,
            self.unit,
            self.digits,
            self.least,
            self.note,
            self.wrong,
        ) = (what, values, limit, unit, digits, least, note, wrong)

    def quartiles(self):
        if len(self.values) == 1:
            return [self.values[0]] * 3
        return statistics.quantiles(self.values, n=4, method="inclusive")

    def missed(self):
        """By more than the spread: three quarters of the rounds and more missed it."""
        low, _, high = self.quartiles()
        return bool(self.wrong) or (
            self.limit is not None and (high < self.limit if self.least else low > self.limit)
        )

    def number(self, value):
        return "%.*f" % (self.digits, value)

    def goal(self):
        return (
            ""
            if self.limit is None
            else "%s %s%s" % ("≥" if self.least else "≤", self.number(self.limit), self.unit)
        )

    def measured(self):
        low, middle, high = map(self.number, self.quartiles())
        return "%s%s%s" % (middle, self.unit, " (%s to %s)" % (low, high) if low != high else "")

    def verdict(self):
        if self.wrong:
            return "missed: " + (
                self.wrong
                if isinstance(self.wrong, str)
                else ", ".join(
                    "%d × %s" % (count, what) for what, count in sorted(self.wrong.items())
                )
            )
        return "missed" if self.missed() else "ok" if self.limit is not None else ""

    def row(self):
        return "| %s | %s | %s | %s | %s |" % (
            self.what,
            self.goal(),
            self.measured(),
            self.verdict(),
            self.note,
        )


HEAD = "| what | goal | result, median (quartiles) | | |\n| --- | --- | --- | --- | --- |"


def publish(text, begin=BEGIN, end=END):
    """Between two marks of the document."""
    with open(DOCUMENT, encoding="utf-8") as file:
        document = file.read()
    fresh, count = re.subn(
        "%s.*?%s" % tuple(map(re.escape, (begin, end))),
        lambda _: "%s\n\n%s\n\n%s" % (begin, text, end),
        document,
        flags=re.S,
    )
    assert count == 1, "the marks are not in " + DOCUMENT
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(fresh)
