"""The rules for the value table of a field pair, checked before a mapping is saved. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from connector.mapping.issues import Issue, IssueCode
from connector.mapping.model import Direction, FieldPair
from connector.mapping.schema import Field
from connector.mapping.type_loss import LIST_KINDS, NAMED_OPTIONS
from connector.mapping.value_table import folded
from connector.model import Side

VALUES: Final = "values"
NAMES: Final = {Side.PLEZI: "Plezi", Side.SALESFORCE: "Salesforce"}


def check_value_table(pair: FieldPair, plezi: Field, lead: Field) -> Iterator[Issue]:
    """Yield the issues of the value table of a pair, whose fields exist and have usable types."""
    if not pair.values:
        return
    if not {plezi.kind, lead.kind} & LIST_KINDS:
        yield _issue(
            pair,
            f"neither {plezi.name} nor {lead.name} is a list, so the pair has no value table",
            "remove the rows, or map a list",
        )
        return
    if any(not folded(row.plezi) or not folded(row.salesforce) for row in pair.values):
        yield _issue(
            pair, "a row has a blank value", "remove the row: a blank stands for a blank only"
        )
        return
    for side, field in ((Side.PLEZI, plezi), (Side.SALESFORCE, lead)):
        yield from _check_side(pair, side, field)


def _check_side(pair: FieldPair, side: Side, field: Field) -> Iterator[Issue]:
    counts = Counter(folded(row.of(side)) for row in pair.values)
    repeated = [name for name, number in counts.items() if number > 1]
    if repeated and pair.direction.can_send(side):
        yield _issue(
            pair,
            f"{_named(repeated)} of {NAMES[side]} stands for several values of the other side",
            "keep one row for each value"
            + (
                "; several values may stand for one only in a pair with one direction"
                if pair.direction is Direction.BOTH
                else ""
            ),
        )
    known = {folded(option) for option in field.options}
    missing = [row.of(side) for row in pair.values if folded(row.of(side)) not in known]
    if not known or not missing:
        return
    receives = pair.direction.can_receive(side)
    yield _issue(
        pair,
        f"the list of {field.name} lacks {_named(missing)}",
        f"add the value to the list in {NAMES[side]}, or correct or remove the row",
        blocks=receives and field.restricted,
    )


def _named(values: list[str]) -> str:
    more = len(values) - NAMED_OPTIONS
    return ", ".join(values[:NAMED_OPTIONS]) + (f" and {more} more" if more > 0 else "")


def _issue(pair: FieldPair, message: str, remedy: str, *, blocks: bool = True) -> Issue:
    return Issue(IssueCode.VALUE_TABLE, pair.key, VALUES, message, remedy, blocks=blocks)
