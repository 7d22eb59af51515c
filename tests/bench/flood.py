# SPDX-License-Identifier: Apache-2.0
"""flood.py: sign-ins with a wrong word, each by another subscriber with a picture of its own, and
libsodium's bare loop to compare them with.
"""

import collections
import itertools
import subprocess
import threading
import time

import command
import instance as instances

WRONG_WORD = "yanlış ama uzun sözcük"
SLOTS, QUEUE = 2, 64  # EsignHashSlots, EsignHashQueue
RATE = 250  # more hashes a second than two cores reach
PAUSE = 0.1  # after a 503

Answer = collections.namedtuple("Answer", "sent came status retry")


def posts(instance, count):
    """Subscribers from the end of the list: nobody else uses them."""
    found = []
    for challenge, answer in instance.load.solved(count):
        person = instance.person(
            instance.people - 1 - next(instance.victims) % (instance.people // 2)
        )
        found.append(
            instance.request(
                "/esign/login",
                form={
                    "id": person.id,
                    "challenge": challenge,
                    "answer": answer,
                    "word": WRONG_WORD,
                },
            )
        )
    return found


def bare(seconds, threads=SLOTS):
    """Hashes a second, and processor seconds of one."""
    done = subprocess.run(
        [instances.build("hashes"), str(threads), str(seconds), command.HASH],
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(map(float, done.stdout.split()))


class Crowd:
    """More clients than the gate has places. Each sends one request after another, and pauses after
    a refusal.
    """

    def __init__(self, instance, requests, clients):
        self.instance, self.requests, self.answers, self.over = (
            instance,
            itertools.cycle(requests),
            [],
            False,
        )
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work) for _ in range(clients)]

    def work(self):
        while not self.over:
            with self.instance.line() as ask:
                self.send(ask)
            time.sleep(PAUSE)

    def send(self, ask):
        """Until it is refused: httpd ends a connection with its 503."""
        status = None
        while not self.over and status != 503:
            with self.lock:
                request = next(self.requests)
            sent = time.monotonic()
            status, headers, _ = ask(request)
            self.answers.append(Answer(sent, time.monotonic(), status, headers.get("Retry-After")))

    def run(self, seconds):
        """The answers, and the most memory that httpd had meanwhile."""
        most, end = 0, time.monotonic() + seconds
        for thread in self.threads:
            thread.start()
        while time.monotonic() < end:
            most = max(most, self.instance.pss())
            time.sleep(0.1)
        self.over = True
        for thread in self.threads:
            thread.join()
        return self.answers, most


def overtaken(answers, margin):
    """Those that were answered after one who had come later, both by more than `margin` seconds."""
    return sum(
        any(later.sent > one.sent + margin and later.came < one.came - margin for later in answers)
        for one in answers
    )
