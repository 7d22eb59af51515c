# SPDX-License-Identifier: Apache-2.0
"""rows_flood.py: wrong words from many clients: hashes a second, the sign-in page meanwhile, and
refusals.
"""

import collections
import math
import time

import flood
from load import Log, milliseconds
from table import Result

CLIENTS = 64
ARGON2ID = 19456 * 1024
MIB = 2**20
WARM = 1.0


def page_p99(bench, seconds):
    """The 99th percentile of the sign-in page's time for 32 clients, in milliseconds, and all other
    answers.
    """
    instance = bench.instance
    log = Log(instance.access_log, b"GET /esign/login ")
    with instance.load.wrk([instance.request("/esign/login")]) as wrk:
        time.sleep(seconds)
        report = wrk.stop()
    return milliseconds(report, 99), collections.Counter(
        {status: count for status, count in log.statuses().items() if status != 200}
    )


def hashes(bench):
    """POST sign-in with a wrong word, 64 clients; GET sign-in page meanwhile."""
    instance, seconds = bench.instance, 4 * bench.seconds
    rates, free, pages, wrong, pages_wrong = (
        [],
        [],
        [],
        collections.Counter(),
        collections.Counter(),
    )
    for _ in range(bench.rounds):
        instance.load.settle()
        loop, _ = flood.bare(seconds)
        requests = flood.posts(instance, int(flood.RATE * (WARM + seconds)))
        with instance.load.wrk(requests, once=True, clients=CLIENTS) as wrk:
            time.sleep(WARM)
            found = instance.load.watch(wrk, lambda log: time.sleep(seconds), b"POST /esign/login ")
        rates.append(found.requests / found.seconds / loop)
        wrong += found.wrong(422)
        instance.load.settle()
        free.append(page_p99(bench, seconds)[0])
        requests = flood.posts(instance, int(flood.RATE * (WARM + seconds)))
        with instance.load.wrk(requests, once=True, clients=CLIENTS):
            time.sleep(WARM)
            p99, other = page_p99(bench, seconds)
        pages.append(p99 / free[-1])
        pages_wrong += other
    return [
        Result(
            "POST sign-in with a wrong word, 64 clients",
            rates,
            0.95,
            " of libsodium's bare loop",
            least=True,
            wrong=wrong,
        ),
        Result(
            "GET sign-in page meanwhile, p99",
            pages,
            5,
            " of that without the flood",
            wrong=pages_wrong,
        ),
    ]


def beyond(bench):
    """More at once than the queue takes."""
    instance, seconds = bench.instance, 4 * bench.seconds
    clients = flood.SLOTS + flood.QUEUE + 14
    slow, growth, overtaken, shares, wrong = [], [], [], [], collections.Counter()
    flood.Crowd(instance, flood.posts(instance, 1000), clients).run(2)
    for _ in range(bench.rounds):
        instance.load.settle(2)
        before = instance.pss()
        answers, most = flood.Crowd(
            instance,
            flood.posts(instance, int((flood.RATE + 14 / flood.PAUSE) * seconds) + 2 * clients),
            clients,
        ).run(seconds)
        refused = sorted(1e3 * (a.came - a.sent) for a in answers if a.status == 503)
        accepted = [a for a in answers if a.status == 422]
        slow.append(refused[math.ceil(0.99 * len(refused)) - 1])
        shares.append(len(refused) / len(answers))
        overtaken.append(flood.overtaken(accepted, 0.2))
        growth.append((most - before) / MIB)
        wrong.update(str(a.status) for a in answers if a.status not in (422, 503))
        wrong.update("503 without Retry-After" for a in answers if a.status == 503 and not a.retry)
    return [
        Result(
            "a full queue: 503 with Retry-After, p99",
            slow,
            50,
            " ms",
            digits=0,
            wrong=wrong,
            note="%d clients; %.0f %% refused" % (clients, 100 * max(shares)),
        ),
        Result("those accepted who were overtaken by 0.2 s", overtaken, 0, digits=0),
        Result(
            "memory more than before",
            growth,
            (flood.SLOTS * ARGON2ID + clients * 100 * 1024) / MIB,
            " MiB",
            digits=0,
            note="slots × Argon2id's, and 100 KiB a client",
        ),
    ]
