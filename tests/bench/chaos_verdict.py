# SPDX-License-Identifier: Apache-2.0
"""chaos_verdict.py: what became of each message that chaos.py sent."""

import collections
import glob
import re
import statistics
import time

BEGAN = time.time()  # of the run
TAKEN_OVER = 5  # seconds at most
WRITTEN = 0.35  # seconds after an answer within which the end of the row is committed
FULL, READ_ONLY = 10, 60
PLAN = {
    "kill_courier": 10,
    "kill_httpd": 4,
    "kill_postfix": 3,
    "kill_memcached": 2,
    "fill_disk": 1,
    "make_read_only": 1,
}
NAMES = {
    "kill_courier": "kill -9 of the courier's child",
    "kill_httpd": "kill -9 of all of httpd, then started again",
    "kill_postfix": "kill -9 of all of Postfix, then started again",
    "kill_memcached": "kill -9 of memcached, then started again",
    "fill_disk": "the disk full under the database for %d s" % FULL,
    "make_read_only": "the database read-only for %d s" % READ_ONLY,
}


class Verdict:
    """What became of each message, and of what."""

    def __init__(self, crowd, chaos, policy, gateway):
        self.chaos, self.lost, self.dropped, self.postfix_own = chaos, [], [], 0
        self.twice = collections.Counter()  # (event's kind or None, how): copies
        mails = self.mails(chaos.postfix)
        dead = [e.at for e in chaos.events if e.kind == "kill_memcached"]
        unusable = chaos.portal.log().count("a code that nobody can use any more is dropped")
        for message in crowd.accepted:
            if message.kind == "code":
                copies, texts = len(gateway.texts[message.to]), gateway.texts[message.to]
            else:
                queued = mails.get(message.to, [])
                copies, texts = len(set(queued)), policy.texts[message.to]
                self.postfix_own += len(queued) - copies
            # Its session went with memcached, and the code with it.
            if (
                copies == 0
                and message.kind == "code"
                and len(self.dropped) < unusable
                and any(message.asked - 1 < at < message.asked + 100 for at in dead)
            ):
                self.dropped.append(message)
            elif copies == 0:
                self.lost.append(message)
            for text in texts[: max(copies - 1, 0)]:
                self.twice[self.reason(text[0], text[1] or time.time())] += 1

    @staticmethod
    def mails(postfix):
        """For each recipient, the queue ids of the copies in Postfix's mailbox. The same id twice
        is Postfix's own doing: it was killed between the delivery and its note of it.
        """
        found = collections.defaultdict(list)
        for path in glob.glob(postfix.dir + "/mail/all/new/*"):
            with open(path, "rb") as file:
                head = file.read(4000).decode("ascii", "replace")
            found[re.search("^Delivered-To: (.*)$", head, re.M).group(1)].append(
                re.search(r"\bid ([0-9A-Za-z]+)", head).group(1)
            )
        return found

    def reason(self, began, answered):
        """Says why a message was sent again. Its server had all of it at `began` and answered at
        `answered`.
        """
        for event in self.chaos.events:
            if event.kind not in ("kill_courier", "kill_httpd", "kill_postfix") and not (
                event.kind == "make_read_only" and self.chaos.sqlite
            ):
                continue
            if began - 0.1 <= event.at <= answered + 0.05 or (
                event.kind == "kill_postfix" and answered <= event.at <= answered + WRITTEN
            ):
                return event.kind, "lost"
            if answered <= event.at <= answered + WRITTEN:
                return event.kind, "unwritten"
        return None, "else"

    def nearest(self, message):
        """The event that a lost message was nearest to."""
        return min(self.chaos.events, key=lambda event: abs(event.at - message.asked)).kind

    def row(self, kind, crowd):
        events = [event for event in self.chaos.events if event.kind == kind]
        over = [event.taken_over for event in events if event.taken_over is not None]
        again = [
            min((m.asked for m in crowd.accepted if m.asked >= event.until), default=event.until)
            - event.until
            for event in events
        ]
        return "| %s | %d | %d | %d | %d | %d | %s | %.1f s |" % (
            NAMES[kind],
            len(events),
            sum(len(event.under_way) for event in events),
            sum(self.nearest(m) == kind for m in self.lost),
            self.twice[kind, "lost"],
            self.twice[kind, "unwritten"],
            "%.1f s, %.1f s" % (statistics.median(over), max(over)) if over else "",
            max(again, default=0),
        )

    def tell(self, crowd):
        kinds = collections.Counter(message.kind for message in crowd.accepted)
        print(
            "\n| what was done | times | under way then | lost | twice: the answer was lost | "
            "twice: killed before it was written down | taken over after: median, "
            "longest | next request taken, longest |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for kind in PLAN:
            if kind not in self.chaos.skipped:
                print(self.row(kind, crowd))
        print(
            "\n%d messages accepted: %d links, %d codes, %d notices. Lost: %d. Twice though no "
            "answer was lost: %d. Dropped, for the code's session went with memcached: %d. "
            "Delivered twice by Postfix itself: %d."
            % (
                len(crowd.accepted),
                kinds["link"],
                kinds["code"],
                kinds["notice"],
                len(self.lost),
                self.twice[None, "else"],
                len(self.dropped),
                self.postfix_own,
            )
        )
        for message in self.lost:
            print(
                "lost: %s to %s, accepted at %.1f s"
                % (message.kind, message.to, message.asked - BEGAN)
            )

    def good(self):
        late = [event for event in self.chaos.events if (event.taken_over or 0) > TAKEN_OVER]
        return not self.lost and not self.twice[None, "else"] and not late
