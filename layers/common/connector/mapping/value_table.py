"""The value table of a field pair: which value of one side's list stands for which of the other's.

Values that have the same name on both sides need no row. Every function accepts every text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from connector.clean_text import clean
from connector.model import Side

SIMILAR_CUTOFF: Final = 0.6
"""difflib's default cutoff for a close match: values that an admin only has to confirm."""


@dataclass(frozen=True, slots=True)
class ValuePair:
    """One row: a value of Plezi's list, and the value of Salesforce's list that stands for it."""

    plezi: str
    salesforce: str

    def of(self, side: Side) -> str:
        """Return the value of one side."""
        return self.plezi if side is Side.PLEZI else self.salesforce

    def __str__(self) -> str:
        """Return the row in one line: Client = Customer."""
        return f"{self.plezi} = {self.salesforce}"


@dataclass(frozen=True)
class ValueTable:
    """The rows of a pair; `is_two_way`: values travel in both directions.

    In a table for one direction several values may stand for one. In one for both directions each
    value stands for exactly one, so that a value that travels there and back is the same.
    """

    rows: tuple[ValuePair, ...]
    is_two_way: bool

    def translate(self, value: str, source: Side) -> str | None:
        """Return what stands for a value on the other side; a value without a row is its own name.

        None: its name belongs to another value there, so nothing is known to stand for it.
        """
        name = folded(value)
        if (row := self._rows_by[source].get(name)) is not None:
            return row.of(source.other)
        is_taken = self.is_two_way and name in self._rows_by[source.other]
        return None if is_taken else value

    @cached_property
    def _rows_by(self) -> Mapping[Side, Mapping[str, ValuePair]]:
        """The rows by the folded value of each side; of two rows the first counts."""
        return {side: {folded(row.of(side)): row for row in reversed(self.rows)} for side in Side}


def folded(value: str) -> str:
    """Return the name of a value of a list as it is compared: clean, in lower case."""
    return clean(value).casefold()


def suggest_rows(
    rows: Sequence[ValuePair], plezi: Sequence[str], salesforce: Sequence[str]
) -> tuple[ValuePair, ...]:
    """Return a row for each value of Plezi that has none, and a similar free value of Salesforce.

    `plezi` and `salesforce` are the lists. Values of the same name need no row. A value is in one
    row at most.
    """
    free_plezi, free_salesforce = unmatched_values(rows, plezi, salesforce)
    found = []
    names = {_letters(value): value for value in reversed(free_salesforce)}
    for value in free_plezi:
        matches = get_close_matches(_letters(value), names, n=1, cutoff=SIMILAR_CUTOFF)
        if matches and _letters(value):
            found.append(ValuePair(value, names.pop(matches[0])))
    return tuple(found)


def unmatched_values(
    rows: Sequence[ValuePair], plezi: Sequence[str], salesforce: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the values of each list that have no row and no value of the same name."""
    in_rows = {side: {folded(row.of(side)) for row in rows} for side in Side}
    same = {folded(value) for value in plezi} & {folded(value) for value in salesforce}
    # The name of a value in a row belongs to that row on both sides.
    same -= in_rows[Side.PLEZI] | in_rows[Side.SALESFORCE]

    def without_row(values: Sequence[str], side: Side) -> tuple[str, ...]:
        return tuple(it for it in values if folded(it) not in in_rows[side] | same)

    return without_row(plezi, Side.PLEZI), without_row(salesforce, Side.SALESFORCE)


def _letters(value: str) -> str:
    """Return the letters and digits of a value, for the comparison of names."""
    return "".join(filter(str.isalnum, folded(value)))
