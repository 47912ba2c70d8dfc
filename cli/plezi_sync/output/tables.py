"""Tables for people: columns fold in a narrow terminal, and stay whole in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from plezi_sync.output.texts import clean
from plezi_sync.session import Session

WIDE_COLUMNS: Final = 130
MIN_COLUMNS: Final = {"Run": 100}
"""The id of a run is whole in a narrower terminal too: it is the argument of other commands."""
WHOLE: Final = frozenset({"Run", "Record", "Lead", "Time", "Since", "Requested", "Saved"})
"""Columns of ids and times: whole in a wide terminal."""


def print_table(
    session: Session,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    numbers: frozenset[str] = frozenset(),
) -> None:
    """Print rows of text below the names of their columns; `numbers` are aligned to the right."""
    table = Table(
        box=box.SIMPLE_HEAD if session.out.is_terminal else None,
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        pad_edge=False,
    )
    for name in columns:
        table.add_column(
            name,
            overflow="fold",
            justify="right" if name in numbers else "left",
            no_wrap=name in WHOLE and session.out.width >= MIN_COLUMNS.get(name, WIDE_COLUMNS),
        )
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    session.out.print(table)


def print_facts(session: Session, facts: Iterable[tuple[str, str]]) -> None:
    """Print names with their values, one on each line."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name), Text(clean(value)))
    session.out.print(table)
