"""Mappings and schemas with one fault each, and the issues that name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from connector.mapping import (
    DEFAULT_MAPPING,
    ConflictPolicy,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    Schema,
    ValuePair,
)
from connector.mapping.issues import Issue, IssueCode
from connector.mapping.validation import (
    validate,
)
from connector.model import RecordKind

PLEZI, LEAD, CONTACT = RecordKind.PLEZI_CONTACT, RecordKind.LEAD, RecordKind.CONTACT
BOTH, TO_PLEZI, TO_SALESFORCE = Direction.BOTH, Direction.TO_PLEZI, Direction.TO_SALESFORCE
OFF: Final = Direction.OFF
TEXT, NUMBER, CHECKBOX = FieldKind.TEXT, FieldKind.NUMBER, FieldKind.CHECKBOX
DATE, DATETIME, EMAIL = FieldKind.DATE, FieldKind.DATETIME, FieldKind.EMAIL
PICKLIST, MULTI = FieldKind.PICKLIST, FieldKind.MULTI_PICKLIST
UNSUPPORTED: Final = FieldKind.UNSUPPORTED
NO_ACCESS: Final = {"creatable": False, "updatable": False}
Fields = Mapping[RecordKind, Field]


def text_fields(names: tuple[str, ...]) -> dict[str, Field]:
    return {name: Field(name, TEXT) for name in names if name}


PAIRS: Final = DEFAULT_MAPPING.pairs
SCHEMAS: Final[Mapping[RecordKind, Schema]] = {
    PLEZI: text_fields(tuple(pair.plezi for pair in PAIRS)),
    LEAD: text_fields(tuple(pair.salesforce for pair in PAIRS)),
    CONTACT: text_fields((*(pair.contact for pair in PAIRS), "sync_to_plezi__c")),
}
"""Fields to which the default mapping fits without an issue."""


def plezi(kind: FieldKind, **properties: Any) -> dict[RecordKind, Field]:
    return {PLEZI: Field("size", kind, **properties)}


def lead(kind: FieldKind, **properties: Any) -> dict[RecordKind, Field]:
    return {LEAD: Field("Size__c", kind, **properties)}


def contact(kind: FieldKind, **properties: Any) -> dict[RecordKind, Field]:
    return {CONTACT: Field("Measure__c", kind, **properties)}


def schemas_with(fields: Fields) -> Mapping[RecordKind, Schema]:
    return {
        kind: {**schema, fields[kind].name: fields[kind]} if kind in fields else schema
        for kind, schema in SCHEMAS.items()
    }


def schemas_without(kind: RecordKind, name: str) -> Mapping[RecordKind, Schema]:
    kept = {it: field for it, field in SCHEMAS[kind].items() if it != name}
    return {**SCHEMAS, kind: kept}


def with_pairs(*pairs: FieldPair) -> MappingConfig:
    """Return the default mapping with these pairs in place of its pairs of the same name."""
    keys = {pair.key for pair in pairs}
    kept = tuple(pair for pair in PAIRS if pair.key not in keys)
    return replace(DEFAULT_MAPPING, pairs=(*pairs, *kept))


def default_pair(key: str, **changes: Any) -> FieldPair:
    return replace(next(pair for pair in PAIRS if pair.key == key), **changes)


def without_pair(key: str) -> MappingConfig:
    return replace(DEFAULT_MAPPING, pairs=tuple(pair for pair in PAIRS if pair.key != key))


def issues_of(mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]) -> list[Issue]:
    """Return the problems, then the warnings."""
    result = validate(mapping, schemas)
    assert all(issue.blocks is True for issue in result.problems)
    assert all(issue.blocks is False for issue in result.warnings)
    return [*result.problems, *result.warnings]


def warning(code: IssueCode, pair: str, field: str, message: str, remedy: str) -> Issue:
    return Issue(code, pair, field, message, remedy, blocks=False)


def pair(direction: Direction, **properties: Any) -> FieldPair:
    return FieldPair("size", "Size__c", direction, **properties)


def made_one_way(message: str) -> Issue:
    return warning(
        IssueCode.MADE_ONE_WAY,
        "Size__c",
        "direction",
        message,
        "accept it, or choose a writable field of the same type as the other field",
    )


def refused_direction(code: IssueCode, message: str) -> Issue:
    return Issue(
        code,
        "Size__c",
        "direction",
        message,
        "reverse the direction of the pair, choose another field, or switch the pair off",
    )


def unsupported(property_: str, message: str, remedy: str) -> Issue:
    return Issue(IssueCode.UNSUPPORTED_TYPE, "Size__c", property_, message, remedy)


def unknown(key: str, property_: str, message: str, remedy: str) -> Issue:
    return Issue(IssueCode.UNKNOWN_NAME, key, property_, message, remedy)


def narrower(property_: str, message: str, remedy: str) -> Issue:
    return warning(IssueCode.NARROWER, "Size__c", property_, message, remedy)


def refused_placeholder(message: str) -> Issue:
    remedy = "choose a placeholder that the field accepts"
    return Issue(IssueCode.PLACEHOLDER, "Size__c", "placeholder", message, remedy)


NO_CHECKBOXES: Final = Issue(
    IssueCode.POLICY,
    "Size__c",
    "policy",
    "most_restrictive requires checkboxes, such as an opt-out, on both sides",
    "choose another policy, or two checkboxes",
)
TWO_WAY_ENFORCED: Final = Issue(
    IssueCode.ENFORCED,
    "Size__c",
    "enforced",
    "an enforced pair always writes Plezi's value to Salesforce, so it must be one-way",
    "set the direction to to_salesforce, or enforced to false",
)
WIDEN: Final = "widen the field, or expect links with such values in quarantine"
NAME_VALUES: Final = f"{WIDEN}, or name equal values in a value table (GET /admin/mapping/values)"
ADD_ROWS: Final = "add rows to the value table; until then, fields with such values are held"
CREATE: Final = "create it, or switch the pair off"
GRANT: Final = "create it, or grant the integration user access to it, or switch the pair off"
SMALL_IS_BIG: Final = (ValuePair("Small", "Big"),)
LISTS: Final = {
    **plezi(PICKLIST, options=("Small", "Big")),
    **lead(PICKLIST, options=("Big", "Huge"), restricted=True),
}
"""Two lists whose value `Big` is one value or two, as the value table says."""
TEN_AND_TWENTY: Final = {**plezi(TEXT, length=20), **lead(TEXT, length=10)}
MOST_RESTRICTIVE: Final = ConflictPolicy.MOST_RESTRICTIVE
