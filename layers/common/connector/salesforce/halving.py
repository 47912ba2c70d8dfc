"""Halves of a batch that failed as a whole: which records are sent next, within a bound on calls.

Among n records, k guilty ones are found with at most 2 log2(n) calls for each; a fault that is gone
when the records are sent again costs two calls. Where no record at all can be saved, the org has a
fault of its own: a few records from different places of the batch prove it, and the others wait.
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
    """The parts of one batch that are still to be sent; records are numbers."""

    def __init__(self, batch: Sequence[int], max_alone: int = MAX_ALONE) -> None:
        self._waiting = deque([tuple(batch)])
        self._max_alone = max_alone
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
        if not self._waiting or self.is_hopeless:
            return ()
        if self.failed_alone and not self.has_saved:
            return self._waiting.popleft()
        return self._waiting.pop()

    @property
    def is_hopeless(self) -> bool:
        """Whether several records failed alone and none was saved."""
        return self.failed_alone >= self._max_alone and not self.has_saved

    def unsent(self) -> list[int]:
        """Return the records that wait."""
        return [number for part in self._waiting for number in part]

    def split(self, part: Sequence[int]) -> None:
        """Send the records of a part again, in halves."""
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

    def may_split_unknown(self, part: Sequence[int]) -> bool:
        """Whether records with an error that the table lacks are sent in halves: once only."""
        fresh = self._sent_again.isdisjoint(part)
        self._sent_again.update(part)
        return fresh
