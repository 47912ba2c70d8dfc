"""The mapping as a JSON document: the stored form, and the form that admins read and write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, asdict, fields
from enum import StrEnum
from typing import Any, Final, get_type_hints

from connector.errors import MappingError
from connector.mapping.model import (
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
)
from connector.mapping.phones import DEFAULT_REGION
from connector.mapping.value_table import ValuePair

DRAFT_VERSION: Final = -1
"""The version number of a mapping that is not saved yet."""
VIEW_MEMBERS: Final = frozenset({"saved_by", "saved_at", "suggestions_error"})
"""What the view of a mapping has beside its settings: accepted in a draft, and ignored."""
PAIR_VIEW_MEMBERS: Final = frozenset({"saved", "mandatory", "directions", "reason"})
"""What the view of a field pair has beside its properties."""
VALUES: Final = "values"
"""The member of a pair with the rows of its value table."""
PAIR_TYPES: Final = get_type_hints(FieldPair)
"""The type of each property of a field pair, by name: text, an enumeration, a flag, or rows."""


def mapping_document(mapping: MappingConfig) -> dict[str, Any]:
    """Return the mapping as JSON-ready data."""
    return {
        "version": mapping.version,
        "pairs": [_pair_document(pair) for pair in mapping.pairs],
        "contact_filter": _filter_document(mapping.contact_filter),
        "lead_filter": _filter_document(mapping.lead_filter),
        "duplicates": mapping.duplicates.value,
        "create_lead_beside_contact": mapping.create_lead_beside_contact,
        "phone_region": mapping.phone_region,
    }


def parse_mapping(document: Mapping[str, Any]) -> MappingConfig:
    """Return the mapping of a document. Raises `MappingError`, which names the wrong part."""
    try:
        return MappingConfig(
            version=int(document["version"]),
            pairs=tuple(_to_pair(pair) for pair in document["pairs"]),
            contact_filter=_to_filter(document.get("contact_filter")),
            lead_filter=_to_filter(document.get("lead_filter")),
            duplicates=DuplicatePolicy(document.get("duplicates", DuplicatePolicy.MIRROR)),
            create_lead_beside_contact=bool(document.get("create_lead_beside_contact", False)),
            phone_region=_text("phone_region", document.get("phone_region", DEFAULT_REGION)),
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise MappingError(
            f"the mapping cannot be read: {error}; correct it, or restore a version"
        ) from error


def parse_draft(text: str) -> MappingConfig:
    """Return the mapping of a JSON text that is not saved. Raises `MappingError`.

    It is read as strictly as the body of a save: a member that does not exist is refused, and
    `contact_filter` is required, because null imports every Contact. Suggestions are left out.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MappingError("the mapping is not JSON") from error
    if not isinstance(document, dict):
        raise MappingError("the mapping is not a JSON object")
    _refuse_others(document, {field.name for field in fields(MappingConfig)} | VIEW_MEMBERS, "")
    if "contact_filter" not in document:
        raise MappingError("the mapping has no contact_filter: null imports every Contact")
    pairs = document.get("pairs")
    if not isinstance(pairs, list) or not all(isinstance(pair, dict) for pair in pairs):
        raise MappingError("the mapping has no pairs: a list of objects")
    for place, pair in enumerate(pairs):
        _refuse_others(pair, PAIR_TYPES.keys() | PAIR_VIEW_MEMBERS, f"pairs.{place}.")
    drafted = [pair for pair in pairs if not _is_suggestion(pair)]
    return parse_mapping({**document, "pairs": drafted, "version": DRAFT_VERSION})


def _is_suggestion(pair: Mapping[str, Any]) -> bool:
    return pair.get("saved") is False and pair.get("direction") == Direction.OFF.value


def _refuse_others(members: Mapping[str, Any], known: AbstractSet[str], place: str) -> None:
    """Raise `MappingError` that names the members that do not exist."""
    if others := sorted(members.keys() - known):
        names = ", ".join(f"{place}{name}" for name in others)
        raise MappingError(f"the mapping has members that do not exist: {names}")


def _pair_document(pair: FieldPair) -> dict[str, Any]:
    """Return the properties of a pair; those with their default value are left out."""
    document: dict[str, Any] = {}
    for field in fields(FieldPair):
        value = getattr(pair, field.name)
        if isinstance(value, StrEnum):
            document[field.name] = value.value
        elif field.name == VALUES:
            if value:
                document[VALUES] = [asdict(row) for row in value]
        elif field.default is MISSING or value != field.default:
            document[field.name] = value
    return document


def _to_pair(document: Mapping[str, Any]) -> FieldPair:
    properties: dict[str, Any] = {}
    for field in fields(FieldPair):
        if field.default is not MISSING and field.name not in document:
            continue
        value = document[field.name]
        if field.name == VALUES:
            properties[VALUES] = tuple(map(_to_row, value))
            continue
        kind = PAIR_TYPES[field.name]
        properties[field.name] = _text(field.name, value) if kind is str else kind(value)
    return FieldPair(**properties)


def _to_row(document: Mapping[str, str]) -> ValuePair:
    return ValuePair(
        _text(f"{VALUES}.plezi", document["plezi"]),
        _text(f"{VALUES}.salesforce", document["salesforce"]),
    )


def _filter_document(condition: Filter | None) -> dict[str, str] | None:
    if condition is None:
        return None
    return {
        "field": condition.field,
        "operator": condition.operator.value,
        "value": condition.value,
    }


def _to_filter(document: Mapping[str, str] | None) -> Filter | None:
    if document is None:
        return None
    return Filter(
        _text("field", document["field"]),
        Operator(document["operator"]),
        _text("value", document["value"]),
    )


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{name} is not a text")
