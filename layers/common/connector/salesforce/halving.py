"""Halves of a batch that failed as a whole: which records are sent next, within a bound on calls.

Among n records, k guilty ones are found with at most 2 log2(n) calls for each; a fault that is gone
when the records are sent again costs two calls. Where no record at all can be saved, the org has a
fault of its own: a few records from different places of the batch prove it, and the others wait.
While such a fault lasts, each later batch costs three calls: one of all its records, and two of
single ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

MAX_ALONE: Final = 5
"""Records that fail alone, while none was saved, before the fault is taken for one of the org."""
MAX_ALONE_AGAIN: Final = 2
"""The same number, for a batch after one whose records all failed."""


class Halving:
    """The parts of one batch that are still to be sent; records are numbers.

    `earlier_failures`: batches before this one of which no record could be saved.
    """

    def __init__(self, batch: Sequence[int], earlier_failures: int = 0) -> None:
        self._waiting = deque([tuple(batch)])
        self._probes: deque[tuple[int, ...]] = deque()
        self._earlier_failures = earlier_failures
        self._sent_again: set[int] = set()
        self._was_split: set[int] = set()
        self.has_saved = False
        self.failed_alone = 0
        self.batch_faults = 0
        self.largest_saved = 0

    def next_part(self) -> tuple[int, ...]:
        """Return the records of the next call; () when nothing is left to send.

        While nothing was saved, the largest part follows a record that failed alone: it shows
        whether any record can be saved.
        """
        if self.is_hopeless:
            return ()
        if self._probes:
            return self._probes.popleft()
        if not self._waiting:
            return ()
        if self.failed_alone and not self.has_saved:
            return self._waiting.popleft()
        return self._waiting.pop()

    @property
    def is_hopeless(self) -> bool:
        """Whether several records failed alone and none was saved."""
        max_alone = MAX_ALONE_AGAIN if self._earlier_failures else MAX_ALONE
        return self.failed_alone >= max_alone and not self.has_saved

    def unsent(self) -> list[int]:
        """Return the records that wait."""
        return [number for part in (*self._probes, *self._waiting) for number in part]

    def split(self, part: Sequence[int]) -> None:
        """Send the records of a part again, in halves.

        After batches of which nothing could be saved, two records are sent alone first. They are
        other ones for each batch, so that two records that always fail do not hide the others.
        """
        if self._earlier_failures and not self._was_split and len(part) > MAX_ALONE_AGAIN:
            places = {
                (self._earlier_failures + len(part) * each // MAX_ALONE_AGAIN) % len(part)
                for each in range(MAX_ALONE_AGAIN)
            }
            self._was_split.update(part)
            self._probes.extend((part[place],) for place in sorted(places))
            part = [number for place, number in enumerate(part) if place not in places]
        self._was_split.update(part)
        half = (len(part) + 1) // 2
        for piece in (part[half:], part[:half]):
            if piece:
                self._waiting.append(tuple(piece))

    def is_first_try(self, number: int) -> bool:
        """Whether a record was sent once, and not together with others."""
        return number not in self._was_split and number not in self._sent_again

    def send_again(self, part: Sequence[int]) -> None:
        """Send records again in one call, after the largest part."""
        self._sent_again.update(part)
        if part:
            self._waiting.appendleft(tuple(part))

    def had_own_answers(self, part: Sequence[int]) -> bool:
        """Whether a call that saved other records has answered these, each for itself."""
        return self._sent_again.issuperset(part)
