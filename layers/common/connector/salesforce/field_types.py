"""The table of Salesforce's field types: what each one is compared as, and in which directions.

The types are those of the SOAP API Developer Guide, "Field Types" and "DescribeSObjectResult"; the
table in docs/mapping.md is generated from here. A type that the table does not have is refused: it
is never taken for text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.mapping import Direction, FieldKind

COMPUTED: Final = "Salesforce computes its value"
COMPOUND_REMEDY: Final = "map its parts instead"


@dataclass(frozen=True, slots=True)
class FieldType:
    """One row: the describe type, its kind, and the widest direction of a pair with it.

    `direction` is `both`, `to_plezi` (never written) or `off` (refused). `conversion` says how a
    value becomes one of the other side. `remark` is the reason of a restriction, or what to know;
    `remedy` is what to do in place of a refused field.
    """

    name: str
    kind: FieldKind
    direction: Direction = Direction.BOTH
    conversion: str = "as it is"
    remark: str = ""
    remedy: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether no pair can have a field of this type."""
        return self.direction is Direction.OFF


def _refused(name: str, remark: str, remedy: str) -> FieldType:
    return FieldType(name, FieldKind.UNSUPPORTED, Direction.OFF, "-", remark, remedy)


TYPES: Final[Mapping[str, FieldType]] = {
    row.name: row
    for row in (
        FieldType("string", FieldKind.TEXT, remark="also with Shield Platform Encryption"),
        FieldType(
            "textarea", FieldKind.TEXT, remark="long text too, of which the ledger stores a digest"
        ),
        FieldType("url", FieldKind.TEXT),
        FieldType("email", FieldKind.EMAIL, remark="Salesforce stores it in lower case"),
        FieldType("phone", FieldKind.PHONE),
        FieldType("picklist", FieldKind.PICKLIST, conversion="the spelling of the option"),
        FieldType(
            "combobox",
            FieldKind.PICKLIST,
            conversion="the spelling of the option",
            remark="accepts other values than its options",
        ),
        FieldType(
            "multipicklist",
            FieldKind.MULTI_PICKLIST,
            conversion="options separated by `;`, a list in Plezi",
        ),
        FieldType("boolean", FieldKind.CHECKBOX, conversion="true or false"),
        FieldType(
            "int", FieldKind.NUMBER, conversion="a number", remark="Salesforce refuses decimals"
        ),
        FieldType("double", FieldKind.NUMBER, conversion="a number"),
        FieldType(
            "currency",
            FieldKind.NUMBER,
            conversion="a number",
            remark="in the currency of the record; the connector converts no currency",
        ),
        FieldType(
            "percent", FieldKind.NUMBER, conversion="a number", remark="12.5 stands for 12.5 %"
        ),
        FieldType("date", FieldKind.DATE, conversion="YYYY-MM-DD"),
        FieldType("datetime", FieldKind.DATETIME, conversion="ISO 8601 in UTC"),
        FieldType(
            "time",
            FieldKind.TIME,
            Direction.TO_PLEZI,
            "text, such as 10:30:00.000Z",
            "Plezi has no time of day (assumed), and not every text is one",
        ),
        _refused(
            "reference",
            "it has the id of another record, which means nothing in Plezi",
            "map the name of the linked record where a field for it is offered (Owner.Name), or a "
            "formula field with the text that Plezi needs",
        ),
        _refused(
            "id",
            "it is the id of one record, and a person may have several",
            "none is needed: plezi_url__c leads from a Lead to its contact",
        ),
        _refused(
            "address", "it is a compound of several fields, and cannot be written", COMPOUND_REMEDY
        ),
        _refused(
            "location", "it is a compound of several fields, and cannot be written", COMPOUND_REMEDY
        ),
        _refused(
            "encryptedstring",
            "Salesforce shows its characters masked, and a mask would be taken for a value",
            "map a text field; Shield Platform Encryption keeps text fields readable",
        ),
        _refused("base64", "it has a file, and not a value", "map a url field with its address"),
        _refused(
            "anyType",
            "its values have different types",
            "map a formula field with the text that Plezi needs",
        ),
    )
}
"""The rows by the `type` of a describe."""

NAME_COMPOUND: Final = _refused(
    "compoundFieldName",
    "it is a compound of several fields, and cannot be written",
    COMPOUND_REMEDY,
)
"""The row of a field that other fields name as their compound, such as Name of a person."""
RICH_TEXT: Final = _refused(
    "htmlFormatted",
    "it has HTML: Plezi would show its tags, and Salesforce changes the HTML that it stores",
    "map a plain text area",
)
"""The row of rich text, and of formulas that show a link or an image."""
FORMULA: Final = FieldType(
    "calculated",
    FieldKind.TEXT,
    Direction.TO_PLEZI,
    "as its result type",
    f"{COMPUTED}; a new result without an edit of the record arrives after the weekly reading",
)
"""The row of formulas; the kind is that of the result type."""
AUTO_NUMBER: Final = FieldType(
    "autoNumber", FieldKind.TEXT, Direction.TO_PLEZI, remark="Salesforce numbers the records itself"
)
"""The row of auto-numbers."""
RECORD_NAME: Final = FieldType(
    "reference.Name",
    FieldKind.TEXT,
    Direction.TO_PLEZI,
    remark="the name of a linked user, queue or account; a new name of it arrives after the "
    "weekly reading",
)
"""The row of the name of a linked record, which the connector adds: Owner.Name, Account.Name."""
UNKNOWN: Final = _refused(
    "any other type",
    "the connector does not know this type",
    "map a field of another type, such as a formula field with the text that Plezi needs",
)
"""The row of a type that the table does not have."""

BY_PROPERTY: Final = (RECORD_NAME, FORMULA, AUTO_NUMBER, RICH_TEXT, NAME_COMPOUND)
ROWS: Final = (*TYPES.values(), *BY_PROPERTY, UNKNOWN)
"""All rows, in the order of the document. Rows of a property are stronger than those of a type."""


def field_type(
    type_name: str, described: Mapping[object, object], *, is_compound: bool
) -> FieldType:
    """Return the row of a field, from its describe; the row of a property is the stronger one.

    `is_compound`: other fields of the object name it as their compound.
    """
    row = TYPES.get(type_name, UNKNOWN)
    if row.is_refused:
        return row
    if is_compound:
        return NAME_COMPOUND
    if described.get("htmlFormatted") is True:
        return RICH_TEXT
    if described.get("autoNumber") is True:
        return AUTO_NUMBER
    return FORMULA if described.get("calculated") is True else row
