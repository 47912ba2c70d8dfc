"""`mapping values`: which value of one side's list stands for which of the other's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from plezi_sync.commands.mapping.pairs import SalesforceName, confirm_and_save
from plezi_sync.commands.mapping.show import PATH
from plezi_sync.errors import UsageError
from plezi_sync.mapping_document import used_pairs
from plezi_sync.output.tables import print_table
from plezi_sync.session import Session, segment

Row = Mapping[str, str]


def values(
    session: Session,
    salesforce: SalesforceName,
    *,
    rows: Annotated[
        list[str] | None,
        typer.Option("--set", help="A row: Plezi's value = Salesforce's; can be repeated."),
    ] = None,
    removed: Annotated[
        list[str] | None,
        typer.Option("--remove", help="Remove the rows of this value; can be repeated."),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Add all rows that are proposed.")
    ] = False,
) -> None:
    """Show or change the value table of a pair: values of the two lists that mean the same.

    Values with the same name need no row. A value that has no row and no counterpart is held.
    """
    answer = session.get(f"{PATH}/values/{segment(salesforce)}")
    table = answer.body
    if not (rows or removed or accept):
        if session.as_json:
            session.print_json(answer)
        else:
            _show(session, table)
        return
    new = [_parsed(row) for row in rows or ()]
    new += table["suggestions"] if accept else []
    gone = {value.casefold() for value in removed or ()}
    gone |= {row["plezi"].casefold() for row in new}
    kept = [row for row in table["rows"] if not gone & {it.casefold() for it in row.values()}]
    mapping = session.get(PATH).body
    pairs = [dict(pair) for pair in used_pairs(mapping)]
    for pair in pairs:
        if pair["salesforce"] == salesforce:
            pair["values"] = [*kept, *new]
    confirm_and_save(session, mapping, pairs, "Change the values of")


def _parsed(text: str) -> Row:
    """Return the row of a text. Raises `UsageError`."""
    plezi, found, salesforce = (part.strip() for part in text.partition("="))
    if not (plezi and found and salesforce):
        raise UsageError(f"{text!r} is no row. Write Plezi's value = Salesforce's value.")
    return {"plezi": plezi, "salesforce": salesforce}


def _show(session: Session, table: Mapping[str, Any]) -> None:
    session.say(f"Plezi's {table['plezi']}, Salesforce's {table['salesforce']}")
    shown = list(_rows(table))
    if not shown:
        session.say("All values have the same names on both sides.")
        return
    print_table(session, ("Plezi", "Salesforce", "State"), shown)
    if table["suggestions"]:
        name = table["salesforce"]
        session.say(f"Add the proposed rows: plezi-sync mapping values {name} --accept")


def _rows(table: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield from _pairs(table["rows"], "saved")
    yield from _pairs(table["suggestions"], "proposed")
    proposed = table["suggestions"]
    for value in table["unmatched_plezi"]:
        if value not in [row["plezi"] for row in proposed]:
            yield value, "-", "no counterpart: held"
    for value in table["unmatched_salesforce"]:
        if value not in [row["salesforce"] for row in proposed]:
            yield "-", value, "no counterpart: held"


def _pairs(rows: Sequence[Row], state: str) -> Iterator[tuple[str, str, str]]:
    for row in rows:
        yield row["plezi"], row["salesforce"], state
