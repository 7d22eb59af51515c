# SPDX-License-Identifier: Apache-2.0
"""rows_pages.py: single requests: pages, the picture and its sound, a wrong picture, signed-in
pages.

Each row is their processor time, divided by that of a static file of the same size, measured just
before.
"""

import collections
import statistics

from flood import WRONG_WORD
from table import Result


def ratio(bench, results, name, requests, once=False, status=200):
    """One round of one row: the file, then the page."""
    instance, size = bench.instance, bench.sizes[name]
    file = instance.load.measure([instance.file(size)], bench.seconds)
    page = (
        instance.load.measure_once(requests)
        if once
        else instance.load.measure(requests, bench.seconds)
    )
    result = results.setdefault(
        name, {"ratio": [], "file": [], "page": [], "wrong": collections.Counter()}
    )
    for key, value in (
        ("ratio", page.each() / file.each()),
        ("file", 1e6 * file.each()),
        ("page", 1e6 * page.each()),
    ):
        result[key].append(value)
    result["wrong"] += file.wrong(200) + page.wrong(status)


def tell(bench, results, limits):
    """Results in the order of `limits`: name to the row's words and its limit."""
    told = []
    for name, (what, limit) in limits.items():
        found = results[name]
        page, file = (statistics.median(found[key]) for key in ("page", "file"))
        told.append(
            Result(
                what,
                found["ratio"],
                limit,
                " of the file",
                note="%.0f µs, the file %.0f µs, %d bytes" % (page, file, bench.sizes[name]),
                wrong=found["wrong"],
            )
        )
    return told


def pages(bench):
    """GET sign-in page and GET reset page."""
    results, requests = {}, {
        name: [bench.instance.request("/esign/" + name)] for name in ("login", "reset")
    }
    for name, (request,) in requests.items():
        bench.sizes[name] = bench.instance.size(request)
    for _ in range(bench.rounds):
        for name in requests:
            ratio(bench, results, name, requests[name])
    return tell(
        bench, results, {"login": ("GET sign-in page", 1.0), "reset": ("GET reset page", 1.0)}
    )


def forms(bench):
    """The picture, and the spoken picture."""
    told = []
    for suffix, what, limit, count in (
        (".png", "the picture", 0.25, 1000),
        (".wav?lang=tr", "the spoken picture", 15, 100),
    ):
        spent, sizes, wrong = [], [], collections.Counter()
        for _ in range(bench.rounds):
            requests = [
                bench.instance.request("/esign/captcha/%s%s" % (challenge, suffix))
                for challenge in bench.instance.load.challenges(count)
            ]
            found = bench.instance.load.measure(requests, bench.seconds)
            spent.append(1e3 * found.each())
            wrong += found.wrong(200)
            sizes += map(bench.instance.size, requests[:20])
        told.append(Result(what, spent, limit, " ms", wrong=wrong, note="the whole request"))
        if suffix == ".png":
            told.append(
                Result(
                    "its size",
                    [max(sizes) / 1024],
                    4,
                    " KiB",
                    note="the largest of %d" % len(sizes),
                )
            )
    return told


def wrong_picture(bench):
    """POST sign-in with a wrong picture; each challenge is fresh."""
    instance, results = bench.instance, {}

    def posts(count):
        return [
            instance.request(
                "/esign/login",
                form={
                    "id": instance.person(n % bench.people).id,
                    "challenge": challenge,
                    "answer": "AAAAA",
                    "word": WRONG_WORD,
                },
            )
            for n, challenge in enumerate(instance.load.challenges(count))
        ]

    bench.sizes["wrong picture"] = instance.size(posts(1)[0])
    for _ in range(bench.rounds):
        ratio(
            bench, results, "wrong picture", posts(int(5000 * bench.seconds)), once=True, status=422
        )
    return tell(bench, results, {"wrong picture": ("POST sign-in with a wrong picture", 4.5)})


SIGNED_IN = {
    "menu": "menu",
    "pin": "page before the PIN",
    "activity": "activity",
    "word": "page for a new word",
    "otp": "page that confirms the phone",
}


def signed_in(bench):
    """Menu and other signed-in pages, and the PIN page. Each has 32 sessions of its own, because a
    view of the PIN makes the page of activities longer.
    """
    instance, results = bench.instance, {}
    sessions, others = ([instance.sign_in() for _ in range(bench.clients)] for _ in range(2))
    requests = {
        name: [
            instance.request("/esign/" + name, {"Cookie": session.cookie}) for session in sessions
        ]
        for name in SIGNED_IN
    }
    requests["PIN"] = [
        instance.request("/esign/pin", {"Cookie": session.cookie}, {"mark": session.mark})
        for session in others
    ]
    for name, (request, *_) in requests.items():
        bench.sizes[name] = instance.size(request)
    for _ in range(bench.rounds):
        for name in requests:
            ratio(bench, results, name, requests[name])
    told = tell(
        bench,
        results,
        {
            **{name: ("GET " + what, 4.0) for name, what in SIGNED_IN.items()},
            "PIN": ("POST PIN page", 6.0),
        },
    )
    costs = {name: instance.cost(requests[name]) for name in requests}
    told.append(
        Result(
            "memcached operations of a signed-in page",
            [max(costs[name][0] for name in SIGNED_IN)],
            1,
            digits=0,
            note="of the one with the most",
        )
    )
    told.append(Result("memcached operations of the PIN page", [costs["PIN"][0]], 1, digits=0))
    told.append(Result("commits of the PIN page", [costs["PIN"][1]], 1, digits=0))
    return told
