"""The stored document of a mapping, and the properties of a field pair in the API."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from connector.admin.mappings import MappingView, PairView
from connector.errors import MappingError
from connector.mapping import ConflictPolicy, Direction, FieldPair, MappingConfig, ValuePair
from connector.mapping.document import (
    PAIR_VIEW_MEMBERS,
    VIEW_MEMBERS,
    mapping_document,
    parse_draft,
    parse_mapping,
)
from functions.admin.mapping_body import MappingBody, PairBody

PAIR = FieldPair(
    "phone",
    "Phone",
    Direction.TO_PLEZI,
    policy=ConflictPolicy.HOLD,
    contact="Phone",
    placeholder="[unknown]",
    locked=True,
    enforced=True,
    values=(ValuePair("Client", "Customer"),),
)


def document(**properties: Any) -> dict[str, Any]:
    pair = {"plezi": "phone", "salesforce": "Phone", "direction": "both", **properties}
    return {"version": 3, "pairs": [pair], "contact_filter": None}


def test_default_text_and_flags_are_left_out_of_the_document() -> None:
    pair = FieldPair("phone", "Phone", Direction.BOTH)

    [stored] = mapping_document(MappingConfig(3, (pair,), None))["pairs"]

    assert stored == {
        "plezi": "phone",
        "salesforce": "Phone",
        "direction": "both",
        "policy": "newest",
    }


def test_all_properties_of_a_pair_are_the_same_after_storing_and_reading() -> None:
    mapping = MappingConfig(3, (PAIR,), None)

    assert all(getattr(PAIR, field.name) != field.default for field in fields(FieldPair))
    assert parse_mapping(mapping_document(mapping)) == mapping


@pytest.mark.parametrize("name", ["plezi", "salesforce", "direction"])
def test_a_document_without_a_required_property_is_refused_with_its_name(name: str) -> None:
    incomplete = document()
    del incomplete["pairs"][0][name]

    with pytest.raises(MappingError, match=name):
        parse_mapping(incomplete)


def test_a_document_with_an_incomplete_row_of_a_value_table_is_refused() -> None:
    for row in ({"plezi": "a"}, {"plezi": "a", "salesforce": 1}, "a"):
        with pytest.raises(MappingError, match="cannot be read"):
            parse_mapping(document(values=[row]))


@pytest.mark.parametrize("properties", [{"direction": "up"}, {"policy": "random"}])
def test_a_document_with_an_unknown_value_is_refused(properties: dict[str, str]) -> None:
    with pytest.raises(MappingError, match="is not a valid"):
        parse_mapping(document(**properties))


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"pairs": 1}'])
def test_a_draft_that_is_not_a_mapping_is_refused(text: str) -> None:
    with pytest.raises(MappingError):
        parse_draft(text)


def test_the_api_view_and_the_api_body_have_all_properties_of_a_pair() -> None:
    properties = PAIR.properties()

    assert set(properties) == {field.name for field in fields(FieldPair)}
    assert PairView(**properties).properties() == properties
    assert PairBody(**properties).pair() == PAIR


def test_m6_a_draft_may_have_what_the_view_of_a_mapping_adds_and_nothing_else() -> None:
    def added(view: type[Any], settings: type[Any]) -> set[str]:
        return {field.name for field in fields(view)} - {field.name for field in fields(settings)}

    assert added(PairView, FieldPair) == PAIR_VIEW_MEMBERS
    assert added(MappingView, MappingConfig) == VIEW_MEMBERS


@pytest.mark.parametrize(
    "properties",
    [
        {"unknown": "x"},
        {"placeholder": "a\nb"},
        {"contact": "a\x85"},
        {"plezi": "x" * 256},
        {"policy": "random"},
        {"values": [{"plezi": "a"}]},
        {"values": [{"plezi": "a", "salesforce": "b\nc"}]},
        {"values": [{"plezi": "a", "salesforce": "b", "both": "c"}]},
    ],
)
def test_a_body_with_a_wrong_property_is_refused(properties: dict[str, Any]) -> None:
    MappingBody.model_validate(document())

    with pytest.raises(ValueError, match=next(iter(properties))):
        MappingBody.model_validate(document(**properties))
