"""The value table of one field pair, with what the two lists have and the rows that are missing."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, UnknownItemError
from connector.mapping import Direction, ValuePair
from connector.mapping.type_loss import LIST_KINDS
from connector.mapping.value_table import suggest_rows, unmatched_values
from connector.model import RecordKind


@dataclass(frozen=True, slots=True)
class ValueTableView:
    """The value table of a pair: its saved rows, proposed ones, and what has no counterpart.

    `version` is the current version of the mapping. `plezi_values` and `salesforce_values` are the
    lists (empty: the field has no list). `unmatched_plezi` and `unmatched_salesforce` are the
    values that have no row and no value of the same name on the other side, those of the proposed
    rows included. A row is saved with the pair: `PUT /admin/mapping`.
    """

    version: int
    plezi: str
    salesforce: str
    direction: Direction
    rows: tuple[ValuePair, ...]
    suggestions: tuple[ValuePair, ...]
    plezi_values: tuple[str, ...]
    salesforce_values: tuple[str, ...]
    unmatched_plezi: tuple[str, ...]
    unmatched_salesforce: tuple[str, ...]


def show_value_table(context: AdminContext, field: str) -> ValueTableView:
    """Return the value table of the pair of a Salesforce field, and rows to add.

    Raises `UnknownItemError` for a field without a pair, `InvalidRequestError` for a pair without
    a list, and the errors of the sides' clients.
    """
    mapping = context.mappings.current()
    pair = next((pair for pair in mapping.pairs if pair.key == field), None)
    if pair is None:
        raise UnknownItemError(
            f"no pair of the mapping has the Salesforce field {field!r}: GET /admin/mapping lists "
            "the pairs"
        )
    schemas = context.sides().schemas()
    plezi = schemas[RecordKind.PLEZI_CONTACT].get(pair.plezi)
    lead = schemas[RecordKind.LEAD].get(pair.salesforce)
    if plezi is None or lead is None or not {plezi.kind, lead.kind} & LIST_KINDS:
        raise InvalidRequestError(
            f"field: neither {pair.plezi!r} of Plezi nor {pair.salesforce!r} of Lead is a list at "
            "present, so the pair has no value table: GET /admin/fields lists the types"
        )
    lists = plezi.options, lead.options
    unmatched = unmatched_values(pair.values, *lists)
    return ValueTableView(
        mapping.version,
        pair.plezi,
        pair.salesforce,
        pair.direction,
        pair.values,
        suggest_rows(pair.values, *lists),
        *lists,
        *unmatched,
    )
