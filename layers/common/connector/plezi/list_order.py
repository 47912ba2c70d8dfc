"""The order of Plezi's list of contacts: whether the tenant sorts, and contacts that moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from connector.plezi.list_errors import Ask, UnreadablePageError
from connector.plezi.list_position import Position
from connector.plezi.list_proof import rows_of
from connector.plezi.list_rows import ListRows, Rows, instant_of

EDGE: Final = 3
"""Contacts before a page that are known: some of them may be deleted, or change."""
MAX_AGAIN: Final = 50
"""Pages of a list that are read again because contacts moved, besides two for each other page: a
list whose order changes at each call would have no end."""
ORDER_PLACES: Final = (0, 1, 3)
"""The contacts at the other end of a list of which one must be read to show that it is sorted."""


class ListOrder:
    """Asks for single contacts of the list, to compare them with those of a page."""

    def __init__(self, ask: Ask, rows: ListRows, *, is_known: bool) -> None:
        self._ask = ask
        self._rows = rows
        self._is_known = is_known

    def is_known(self, position: Position, rows: Rows, read_at: float) -> bool:
        """Return whether the tenant sorts: the other end of the list shows other contacts.

        The stamps of one page do not show it: they are in order as well where new contacts come
        first, or where all have one stamp. A contact that changed since the page was requested, at
        `read_at`, shows nothing: it has moved. Makes one to three calls while it is not known.
        """
        if self._is_known:
            return True
        is_ascending = bool(position.since)
        direction = "desc" if is_ascending else "asc"
        for place in ORDER_PLACES:
            answer = self._ask(position.first().contact(place), direction=direction)
            if isinstance(answer, UnreadablePageError):
                continue
            other = rows_of(answer)
            if any(it.timestamp() >= read_at for it in self._rows.instants(other)):
                continue
            is_other = self._rows.ids(other).isdisjoint(self._rows.ids(rows))
            found = self._rows.instants(other)
            ends = sorted([*self._rows.instants(rows), *found])
            is_sorted = bool(found) and ends[-1 if is_ascending else 0] in found
            self._is_known = is_other and is_sorted
            break
        return self._is_known

    def is_broken(self, position: Position, rows: Rows) -> bool:
        """Return whether a page of a filtered list shows that the tenant does not sort as asked."""
        instants = self._rows.instants(rows)
        if instants != sorted(instants, reverse=position.descending):
            return True
        return position.descending and self._is_later_at_the_end(position, instants)

    def _is_later_at_the_end(self, position: Position, instants: Sequence[datetime]) -> bool:
        """Return whether a page newest first has later stamps than the first contact of the list.

        It may have later ones than the page before: contacts changed, and others followed them.
        """
        before = instant_of(position.oldest)
        if before is None or not instants or min(instants) <= before:
            return False
        answer = self._ask(position.first().contact(0))
        first = [] if isinstance(answer, UnreadablePageError) else rows_of(answer)
        return max(self._rows.instants(first), default=before) < max(instants)

    def edge(self, position: Position, rows: Rows) -> tuple[str, ...]:
        """Return the last contacts before the page behind a position; none after a short page."""
        if len(rows) < position.page_size:
            return ()
        return (*position.edge, *self._rows.edges(rows[-EDGE:]))[-EDGE:]

    def way_back(self, position: Position, rows: Rows) -> Position | None:
        """Return where to read again, because contacts moved to pages that were read before.

        They do when one before them is deleted, or changes and moves to the end. None: no contact
        was left out. A page that shows one of the contacts before it follows without a gap; else
        the contact before the page is read alone, and must be one of them.
        """
        edge = position.edge
        if position.page == 1 or not edge or not self._rows.edges(rows).keys().isdisjoint(edge):
            return None
        if position.way_back:
            return position.back(2 * position.way_back)
        if position.again >= MAX_AGAIN + 2 * position.page or self._follows(position):
            return None
        return position.back(1)

    def _follows(self, position: Position) -> bool:
        """Return whether the contact before a page is one of those known to be before it."""
        answer = self._ask(position.contact(position.contacts_before - 1))
        if isinstance(answer, UnreadablePageError):
            return True  # it was read with its page, and nothing shows that it moved
        return not self._rows.edges(rows_of(answer)).keys().isdisjoint(position.edge)

    def is_last(self, position: Position, repeated: int, rows: Rows) -> bool:
        """Return whether a page that was shown again is the last one, as some tenants answer then.

        The contact behind it is the last one again. Where the parameter of the page is ignored, it
        is the first one. Makes one call, or two for a page of one contact.
        """
        shown = replace(position, page=max(1, position.page - repeated))
        if len(rows) > 1:
            return self._shows(shown.contact(shown.contacts_before + len(rows)), rows[-1:])
        if shown.page_size > 1:
            return True  # the list has one contact
        is_at_its_place = shown.page > 1 and self._shows(shown, rows)
        return is_at_its_place and not self._shows(shown.contact(0), rows)

    def _shows(self, position: Position, rows: Rows) -> bool:
        """Return whether a position of one contact shows that of a row."""
        answer = self._ask(position)
        found = [] if isinstance(answer, UnreadablePageError) else rows_of(answer)
        return len(found) == 1 and self._rows.edges(found) == self._rows.edges(rows)
