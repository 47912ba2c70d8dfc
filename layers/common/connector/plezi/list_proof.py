"""The proof that Plezi's list of contacts works, after a contact of it that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from connector.errors import StopReason
from connector.plezi.api import FailedAnswerError, PleziResponse

MAX_UNREADABLE: Final = 16
"""Contacts of a tenant that has no others, and of which none can be read. When more of them cannot
be read, and no other one can, the cause is the list itself."""
FIRST_PLACES: Final = (1, 2, 3)
"""Contacts that are tried to show that the list works, besides the first: a list may have no
others, and an error behind its end."""
PROOF_POWERS: Final = 11
"""Further ones: one between 4**n and 4**(n + 1), ten calls for a million contacts, because contacts
that cannot be read may be neighbours. In a shorter list, those between the last that failed and the
end are halved, at most 22 times."""
PROOF_TURNS: Final = 8
PROOF_TURN_SECONDS: Final = 60.0
"""After this time, others between the same powers are tried: there are so many sets of them."""


class ListProof:
    """Finds a contact that can be read: then the cause of an error is another contact."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known = 0

    def find(
        self, read: Callable[[int], PleziResponse | None], at_first_failure: Callable[[], object]
    ) -> PleziResponse | None:
        """Return the response with a contact that can be read; None where none is found.

        `read` returns the response with the contact that has so many others before it, which is
        empty behind the end of the list; None for an error. A list of a few contacts works also
        when it only answers that it has no more of them.
        """
        last_failed, end, empty = 0, 0, None
        for number, place in enumerate(self._places()):
            response = read(place)
            if response is None:
                if number == 0:
                    at_first_failure()
                last_failed = max(last_failed, place)
            elif rows_of(response):
                self._known = place
                return response
            elif number > 0:  # the list ends before this place
                end, empty = place, response
                break
        while end - last_failed > 1:
            place = (last_failed + end) // 2
            response = read(place)
            if response is None:
                last_failed = place
            elif rows_of(response):
                self._known = place
                return response
            else:
                end, empty = place, response
        return empty if end <= MAX_UNREADABLE else None

    def _places(self) -> Iterator[int]:
        """Yield the place that worked last, the first ones, and others by powers of four.

        The last are other contacts after some time, so that no few contacts hold up every run.
        """
        yield self._known
        if self._known:
            yield 0
        yield from (each for each in FIRST_PLACES if each != self._known)
        turn = int(self._clock() // PROOF_TURN_SECONDS) % PROOF_TURNS
        for power in range(1, PROOF_POWERS):
            place = 4**power + 3 * 4**power * turn // PROOF_TURNS
            if place != self._known:
                yield place


def rows_of(response: PleziResponse) -> list[Any]:
    """Return the contacts of a list; raise `FailedAnswerError` where it has none."""
    rows = response.body.get("data")
    if not isinstance(rows, list):
        raise FailedAnswerError("Plezi's list has no 'data'", reason=StopReason.PLEZI_UNAVAILABLE)
    return rows
