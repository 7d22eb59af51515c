# SPDX-License-Identifier: Apache-2.0
"""equal.py: sign-ins and reset requests that must look the same, sent in pairs of random order and
compared.
"""

import http.client
import random
import re
import ssl
import time
import urllib.parse

import portal as parts

CONFIGURATION = (
    "MaxKeepAliveRequests 0\nEsignAddressFailures 100000\nEsignAddressRequests 100000\n"
    "EsignHashMemory %d\n"
)
MEMORY, DEARER = 19456, 32768
WRONG = "yanlış ama uzun sözcük"

# The form, and two requests: each is a group of subscribers (None: a number that nobody has) and
# whether the word is right.
PAIRS = {
    "reset: known number, unknown number": ("reset", ("usual", False), (None, False)),
    "sign-in: known number and wrong word, unknown number": (
        "login",
        ("usual", False),
        (None, False),
    ),
    "waiting: right word, wrong word": ("login", ("waiting", True), ("waiting", False)),
    "waiting: right word, unknown number": ("login", ("waiting", True), (None, False)),
    "closed: right word, wrong word": ("login", ("closed", True), ("closed", False)),
    "closed: right word, unknown number": ("login", ("closed", True), (None, False)),
}
# The same with half of the hashes made when they cost less. An unknown number costs what some known
# one costs, so it is compared with any of them.
MIXED = {
    "waiting, cheaper hash: right word, wrong word": (
        "login",
        ("waiting cheap", True),
        ("waiting cheap", False),
    ),
    "hashes of two costs: any known number and wrong word, unknown number": (
        "login",
        ("any", False),
        (None, False),
    ),
}


class Line:
    """One connection that stays open, without cookies. One child of httpd answers its requests."""

    def __init__(self, portal):
        context = ssl.create_default_context(cafile=portal.env["CERTIFICATE"])
        self.connection = http.client.HTTPSConnection(
            "localhost", portal.port, context=context, timeout=60
        )

    def ask(self, path, fields=None):
        """Seconds until the whole answer was there; its status, headers and body."""
        body = None if fields is None else urllib.parse.urlencode(fields)
        headers = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        self.connection.request("POST" if body else "GET", "/esign/" + path, body, headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        return time.perf_counter() - began, response.status, response.getheaders(), text

    def challenge(self, path):
        return re.search(r'name="challenge" value="([^"]+)"', self.ask(path)[3]).group(1)


def register(portal, memory, count):
    """New subscribers whose hash costs so much."""
    path = portal.dir + "/conf/esignctl.conf"
    with open(path) as file:
        lines = [line for line in file if not line.startswith("EsignHashMemory")]
    with open(path, "w") as file:
        file.writelines(lines + ["EsignHashMemory %d\n" % memory])
    made = [portal.new_subscriber() for _ in range(count)]
    assert (
        "m=%d," % memory
        in portal.sql("SELECT word_hash FROM subscriber WHERE id = ?", portal.row(made[0]))[0][0]
    )
    return made


def hold(portal, subscriber, change):
    portal.sql(
        "UPDATE subscriber SET failures = 100, %s WHERE id = ?" % change, portal.row(subscriber)
    )


WAITING, CLOSED = "wait_until = 1000000 * 4000000000", "closed = 1"


def people(portal, count):
    """Subscribers by group, with `count` of them in the groups whose wait would begin after four
    wrong words. There is nobody else, and no hash of another cost.
    """
    portal.sql("DELETE FROM card")
    portal.sql("DELETE FROM subscriber")
    groups = {
        "usual": register(portal, DEARER, count),
        "waiting": register(portal, DEARER, 1),
        "closed": register(portal, DEARER, 1),
    }
    hold(portal, groups["waiting"][0], WAITING)
    hold(portal, groups["closed"][0], CLOSED)
    return groups


def mix(portal, groups):
    """As many again, whose hashes cost less."""
    cheap = register(portal, MEMORY, len(groups["usual"]))
    groups["waiting cheap"] = register(portal, MEMORY, 1)
    hold(portal, groups["waiting cheap"][0], WAITING)
    groups["any"] = [s for pair in zip(cheap, groups["usual"]) for s in pair]


def fields(groups, side, turn):
    group, right = side
    if group is None:
        return {"id": parts.tckn(), "word": WRONG}
    s = random.choice(groups["any"]) if group == "any" else groups[group][turn % len(groups[group])]
    return {"id": s.id, "word": s.word if right else WRONG}


def without_chance(number, answer):
    """An answer without what chance, the time of day or the typed number decides."""
    seconds, status, headers, text = answer
    for pattern in (r'name="challenge" value="([^"]+)"', r'data-target="([^"]+)"'):
        for random_value in re.findall(pattern, text):
            text = text.replace(random_value, "*" * len(random_value))
    return (
        status,
        [(name, value) for name, value in headers if name != "Date"],
        text.replace(number, "*" * len(number)),
    )


def measure(portal, groups, path, sides, count):
    """Times of both sides, pair by pair, and the different answers of each, without chance."""
    line, times, answers = Line(portal), [], (set(), set())
    challenges = [line.challenge(path) for _ in range(2 * count)]
    solved = list(
        zip(challenges, portal.ctl("captcha", "answer", "-", stdin="\n".join(challenges)).split())
    )
    for turn in range(count):
        pair = [None, None]
        for i in random.sample((0, 1), 2):
            challenge, answer = solved.pop()
            form = {**fields(groups, sides[i], turn), "challenge": challenge, "answer": answer}
            if path == "reset":
                del form["word"]
            told = line.ask(path, form)
            pair[i] = told[0]
            answers[i].add(repr(without_chance(form["id"], told)))
        times.append(pair)
    return times, answers


def signed_rank(differences):
    """Wilcoxon's exact test: how probable differences as one-sided as these are if each could have
    had the other sign.

    The order within a pair is drawn, so the result holds however busy the machine is.
    """
    ranked = sorted(differences, key=abs)
    positive = sum(rank for rank, d in enumerate(ranked, 1) if d > 0)
    total = len(ranked) * (len(ranked) + 1) // 2
    ways = [1] + [0] * total
    for rank in range(1, len(ranked) + 1):
        for sum_of_ranks in range(total, rank - 1, -1):
            ways[sum_of_ranks] += ways[sum_of_ranks - rank]
    return min(1.0, 2 * sum(ways[: min(positive, total - positive) + 1]) / 2 ** len(ranked))
