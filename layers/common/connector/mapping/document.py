"""The mapping as a document: what is stored, and what an administrator reads and writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from connector.errors import MappingError
from connector.mapping import (
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
)

DRAFT_VERSION: Final = -1
"""Stands for a mapping that is not saved yet."""


def mapping_document(mapping: MappingConfig) -> dict[str, Any]:
    """Return the mapping as JSON-ready data, defaults left out of its lines."""
    return {
        "version": mapping.version,
        "pairs": [_pair_document(line) for line in mapping.pairs],
        "contact_filter": _filter_document(mapping.contact_filter),
        "lead_filter": _filter_document(mapping.lead_filter),
        "duplicates": mapping.duplicates.value,
        "create_lead_beside_contact": mapping.create_lead_beside_contact,
    }


def parse_mapping(document: Mapping[str, Any]) -> MappingConfig:
    """Return the mapping that a document holds; `MappingError` names what is wrong."""
    try:
        return MappingConfig(
            version=int(document["version"]),
            pairs=tuple(_to_pair(line) for line in document["pairs"]),
            contact_filter=_to_filter(document.get("contact_filter")),
            lead_filter=_to_filter(document.get("lead_filter")),
            duplicates=DuplicatePolicy(document.get("duplicates", DuplicatePolicy.MIRROR)),
            create_lead_beside_contact=bool(document.get("create_lead_beside_contact", False)),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise MappingError(
            f"the mapping cannot be read: {error}; correct it, or restore a version"
        ) from error


def parse_draft(text: str) -> MappingConfig:
    """Return the mapping of a JSON document that is not saved; `MappingError` says why not."""
    try:
        said = json.loads(text)
    except ValueError as error:
        raise MappingError("the mapping is not JSON") from error
    if not isinstance(said, dict):
        raise MappingError("the mapping is not a JSON object")
    return parse_mapping({**said, "version": DRAFT_VERSION})


def _pair_document(line: FieldPair) -> dict[str, Any]:
    said = {
        "plezi": line.plezi,
        "salesforce": line.salesforce,
        "direction": line.direction.value,
        "policy": line.policy.value,
    }
    optional = {
        "contact": line.contact,
        "placeholder": line.placeholder,
        "locked": line.locked,
        "enforced": line.enforced,
    }
    return {**said, **{name: value for name, value in optional.items() if value}}


def _to_pair(said: Mapping[str, Any]) -> FieldPair:
    return FieldPair(
        plezi=said["plezi"],
        salesforce=said["salesforce"],
        direction=Direction(said["direction"]),
        contact=said.get("contact", ""),
        policy=ConflictPolicy(said.get("policy", ConflictPolicy.NEWEST)),
        placeholder=said.get("placeholder", ""),
        locked=bool(said.get("locked", False)),
        enforced=bool(said.get("enforced", False)),
    )


def _filter_document(only: Filter | None) -> dict[str, str] | None:
    if only is None:
        return None
    return {"field": only.field, "operator": only.operator.value, "value": only.value}


def _to_filter(said: Mapping[str, str] | None) -> Filter | None:
    if said is None:
        return None
    return Filter(said["field"], Operator(said["operator"]), said["value"])
