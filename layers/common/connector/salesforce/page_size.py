"""The number of rows of a page: fewer after a page that failed, more again when its rows are read.

A page fails when its answer is too large, or when Salesforce cannot answer for one of its records
(a formula that fails, a query that takes too long). The same rows are then read in smaller pages.
"""

from __future__ import annotations

import math
from typing import Final

ROWS_OF_PAGE: Final = (200, 20, 1)
"""Rows of a query after one that failed, each number after the one before it failed. 200 rows of
one text of 32,000 characters of three bytes fit; the first query has no limit."""
ROWS_WITHOUT_LIMIT: Final = 2_000
"""Rows of a page of a query without a limit (REST API Developer Guide, "Query Options Header")."""


class PageSize:
    """The size of the next page of one reading; `limit` is the one that an earlier one reached."""

    def __init__(self, limit: int = 0) -> None:
        self._levels: list[tuple[int, float]] = [(0, math.inf)]
        self._alone_in_a_row = int(limit == ROWS_OF_PAGE[-1])
        while limit in ROWS_OF_PAGE and self.limit != limit:
            self.reduce()

    @property
    def limit(self) -> int:
        """The most rows that the next query may find; 0: it has no limit."""
        return self._levels[-1][0]

    @property
    def is_smallest(self) -> bool:
        """Whether the next page has one record only."""
        return self.limit == ROWS_OF_PAGE[-1]

    def reduce(self) -> None:
        """Use the next smaller size, for as many rows as the page that failed may have."""
        rows = self.limit or ROWS_WITHOUT_LIMIT
        self._levels.append((ROWS_OF_PAGE[len(self._levels) - 1], rows))

    def report(self, rows: int) -> None:
        """Report a page that was read; use a larger size when the rows of the failed one are."""
        if rows and self._alone_in_a_row > 1:
            self._levels = self._levels[:2]
        if rows:
            self._alone_in_a_row = 0
        self._pass(rows)

    def _pass(self, rows: int) -> None:
        self._levels = [(limit, left - rows) for limit, left in self._levels]
        while self._levels[-1][1] <= 0:
            self._levels.pop()

    def report_alone(self) -> None:
        """Report a record that fails alone: the next ones are read in the first smaller size.

        After a second one in a row they are read alone, until one is read: such records are often
        neighbours.
        """
        if not self._alone_in_a_row:
            self._levels = self._levels[:2]
            self._pass(1)
        self._alone_in_a_row += 1
