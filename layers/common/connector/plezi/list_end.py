"""The end of Plezi's list of contacts, where a page behind it is not simply empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from connector.errors import RejectedError, StaleError
from connector.plezi.api import FailedAnswerError, PleziResponse
from connector.plezi.connection_check import BEHIND_ALL_CONTACTS
from connector.plezi.list_errors import Ask, UnreadablePageError
from connector.plezi.list_position import Position
from connector.plezi.list_proof import rows_of

STEPS: Final = (0, 1, 2, 3, *(4**power for power in range(1, 11)))
"""Contacts from the page on that are tried: any of them shows that the list goes on. The first ones
are neighbours, because some of them may be unreadable and others the last ones of the list."""
LEAST_LIMIT: Final = 1_000
"""Contacts that any limit of pages lets through: search engines have one of 10,000 (the setting
`index.max_result_window` of Elasticsearch)."""
OTHER_PLACES: Final = (0, 1, 3)
"""Contacts that show the total of the list where the page before cannot be read."""


class ListEnd:
    """Tells a page behind the end of the list from one that cannot be read.

    Web frameworks differ: many answer an empty page, some an error (Django REST framework: 404
    "Invalid page"; Pagy for Ruby raises `OverflowError`, a 500 where the application does not catch
    it), and some the last page again (`ListOrder.is_last`).
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._cause: str | None = None

    def is_suspected(self, failed: UnreadablePageError) -> bool:
        """Return whether a page has the error that Plezi answers far behind the end of the list.

        The first page is never behind it. Makes one call, once.
        """
        position = failed.position
        is_between = position.size > 1 or position.within
        is_answer = isinstance(failed.error, RejectedError | StaleError | FailedAnswerError)
        if position.page == 1 or is_between or not is_answer:
            return False
        return failed.cause == self.far_cause(position)

    def far_cause(self, position: Position) -> str:
        """Return the error far behind the end of the list, '' for none. Makes one call, once."""
        if self._cause is None:
            far = self._ask(position.contact(BEHIND_ALL_CONTACTS))
            self._cause = far.cause if isinstance(far, UnreadablePageError) else ""
        return self._cause

    def is_cut_off(self, position: Position, answer: PleziResponse) -> bool:
        """Return whether other contacts follow those of a page that should be the last one.

        Makes one call where the list states to have more contacts: a total may be wrong.
        """
        rows = rows_of(answer)
        before = position.contacts_before + len(rows)
        if before >= (stated_total(answer.body) or 0):
            return False
        behind = self._ask(position.contact(before))
        return isinstance(behind, PleziResponse) and any(it not in rows for it in rows_of(behind))

    def goes_on(self, position: Position) -> bool:
        """Return whether Plezi answers one of some contacts from a position on."""
        places = (position.contacts_before + step for step in STEPS)
        return any(isinstance(self._ask(position.contact(it)), PleziResponse) for it in places)

    def response_before(
        self, position: Position, proof: Callable[[], PleziResponse]
    ) -> PleziResponse | None:
        """Return a response that shows that the page before a position is the last one; else None.

        It has fewer contacts than were asked for, or the list states that there are no more. An end
        behind many contacts that neither shows may be a limit of Plezi's. `proof` returns another
        response that shows that Plezi's list works.
        """
        is_near = position.contacts_before < LEAST_LIMIT
        before = replace(position, page=position.page - 1)
        others = (position.contact(place) for place in OTHER_PLACES)
        for each in (before, *others):
            response = self._ask(each)
            if isinstance(response, UnreadablePageError):
                continue
            total = stated_total(response.body)
            is_short = each is before and len(rows_of(response)) < position.page_size
            is_all = total is not None and total <= position.contacts_before
            return response if is_near or is_short or is_all else None
        return proof() if is_near else None


def stated_total(document: Mapping[str, Any]) -> int | None:
    """Return how many contacts a list states to have; None where it does not (assumed: `meta`)."""
    meta = document.get("meta")
    total = meta.get("total_results") if isinstance(meta, dict) else None
    return total if type(total) is int else None
