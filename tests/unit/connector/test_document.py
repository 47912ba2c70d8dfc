"""The stored document of a mapping, and the properties of a field pair in the API."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Final

import pytest

from connector.admin.mappings import MappingView, PairView
from connector.errors import MappingError
from connector.mapping import (
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    ValuePair,
)
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


FULL_DOCUMENT: Final[dict[str, Any]] = {
    "version": 3,
    "pairs": [
        {
            "plezi": "phone",
            "salesforce": "Phone",
            "direction": "to_plezi",
            "policy": "hold",
            "contact": "Phone",
            "placeholder": "[unknown]",
            "locked": True,
            "enforced": True,
            "values": [{"plezi": "Client", "salesforce": "Customer"}],
        }
    ],
    "contact_filter": {"field": "Sync__c", "operator": "not_equals", "value": "no"},
    "lead_filter": {"field": "Stage", "operator": "in", "value": "a, b"},
    "duplicates": "survivor",
    "create_lead_beside_contact": True,
    "phone_region": "BE",
}
FULL_MAPPING: Final = MappingConfig(
    3,
    (PAIR,),
    Filter("Sync__c", Operator.NOT_EQUALS, "no"),
    Filter("Stage", Operator.IN, "a, b"),
    DuplicatePolicy.SURVIVOR,
    create_lead_beside_contact=True,
    phone_region="BE",
)


def test_the_stored_document_has_every_setting_and_every_property() -> None:
    assert mapping_document(FULL_MAPPING) == FULL_DOCUMENT
    assert parse_mapping(FULL_DOCUMENT) == FULL_MAPPING


def test_a_document_of_an_older_version_has_the_defaults_of_the_settings_it_lacks() -> None:
    mapping = parse_mapping({"version": "2", "pairs": [], "create_lead_beside_contact": 0})

    assert mapping == MappingConfig(2, (), None)
    assert (mapping.duplicates, mapping.phone_region) == (DuplicatePolicy.MIRROR, "FR")
    assert parse_mapping({"version": 2, "pairs": []}).create_lead_beside_contact is False
    assert mapping.create_lead_beside_contact is False


def test_a_flag_of_a_document_is_true_or_false() -> None:
    [pair] = parse_mapping(document(locked=1, enforced=0)).pairs

    assert (pair.locked, pair.enforced) == (True, False)
    assert (type(pair.locked), type(pair.enforced)) == (bool, bool)


def row(**values: Any) -> dict[str, Any]:
    return document(values=[values])


FILTER: Final = {"field": "a", "operator": "equals", "value": "b"}


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({}, "'version'"),
        ({"version": 1}, "'pairs'"),
        ({**FULL_DOCUMENT, "version": None}, None),
        ({**FULL_DOCUMENT, "version": float("inf")}, None),
        ({**FULL_DOCUMENT, "pairs": None}, None),
        ({**FULL_DOCUMENT, "pairs": [{}]}, "'plezi'"),
        ({**FULL_DOCUMENT, "pairs": [{"plezi": "a"}]}, "'salesforce'"),
        (document(plezi=1), "plezi is not a text"),
        (document(salesforce=None), "salesforce is not a text"),
        (document(contact=1), "contact is not a text"),
        (document(placeholder=[]), "placeholder is not a text"),
        (document(direction="up"), "'up' is not a valid Direction"),
        (document(policy="random"), "'random' is not a valid ConflictPolicy"),
        (document(values=1), None),
        (row(salesforce="b"), "'plezi'"),
        (row(plezi="a"), "'salesforce'"),
        (row(plezi=1, salesforce="b"), "values.plezi is not a text"),
        (row(plezi="a", salesforce=1), "values.salesforce is not a text"),
        *(
            ({**FULL_DOCUMENT, setting: {**FILTER, **change}}, problem)
            for setting in ("contact_filter", "lead_filter")
            for change, problem in (
                ({"field": 1}, "field is not a text"),
                ({"value": 1}, "value is not a text"),
                ({"operator": "like"}, "'like' is not a valid Operator"),
            )
        ),
        ({**FULL_DOCUMENT, "lead_filter": {}}, "'field'"),
        ({**FULL_DOCUMENT, "lead_filter": {"field": "a"}}, "'operator'"),
        ({**FULL_DOCUMENT, "lead_filter": {**FILTER, "value": None}}, "value is not a text"),
        ({**FULL_DOCUMENT, "duplicates": "none"}, "'none' is not a valid DuplicatePolicy"),
        ({**FULL_DOCUMENT, "phone_region": 33}, "phone_region is not a text"),
    ],
)
def test_each_error_of_a_document_names_the_wrong_part(
    wrong: dict[str, Any], problem: str | None
) -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(wrong)

    message = str(refused.value)
    assert message.startswith("the mapping cannot be read: ")
    assert message.endswith("; correct it, or restore a version")
    if problem is not None:  # else it is the text of Python
        assert message == (
            f"the mapping cannot be read: {problem}; correct it, or restore a version"
        )


NO_PAIRS: Final = "the mapping has no pairs: a list of objects"
NOT_JSON: Final = "the mapping is not JSON"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", NOT_JSON),
        ("{", NOT_JSON),
        ("[" * 100_000, NOT_JSON),
        ("[1]", "the mapping is not a JSON object"),
        ("null", "the mapping is not a JSON object"),
        (
            '{"filter": null, "Contact_filter": null, "pairs": []}',
            "the mapping has members that do not exist: Contact_filter, filter",
        ),
        ('{"pairs": []}', "the mapping has no contact_filter: null imports every Contact"),
        ('{"contact_filter": null}', NO_PAIRS),
        ('{"contact_filter": null, "pairs": {}}', NO_PAIRS),
        ('{"contact_filter": null, "pairs": [{}, "phone"]}', NO_PAIRS),
        (
            '{"contact_filter": null, "pairs": [{}, {"polcy": "", "plezi": "", "lock": true}]}',
            "the mapping has members that do not exist: pairs.1.lock, pairs.1.polcy",
        ),
        (
            '{"contact_filter": null, "pairs": [{}]}',
            "the mapping cannot be read: 'plezi'; correct it, or restore a version",
        ),
    ],
)
def test_each_error_of_a_draft_names_the_wrong_part(text: str, message: str) -> None:
    with pytest.raises(MappingError) as refused:
        parse_draft(text)

    assert str(refused.value) == message


def test_a_draft_has_the_settings_of_its_text_and_the_version_of_no_saved_mapping() -> None:
    shown = {**FULL_DOCUMENT, "saved_by": "", "saved_at": 0, "suggestions_error": ""}
    unsaved = {name: value for name, value in shown.items() if name != "version"}

    for text in (json.dumps(shown), json.dumps(unsaved)):
        draft = parse_draft(text)
        assert draft.version == -1
        assert mapping_document(draft) == {**FULL_DOCUMENT, "version": -1}


@pytest.mark.parametrize(
    ("members", "is_kept"),
    [
        ({"saved": False, "direction": "off"}, False),
        ({"saved": False, "direction": "both"}, True),
        ({"saved": True, "direction": "off"}, True),
        ({"saved": None, "direction": "off"}, True),
        ({"direction": "off"}, True),
        ({"direction": "off", "mandatory": True, "directions": [], "reason": ""}, True),
    ],
)
def test_only_a_suggestion_that_is_off_is_left_out_of_a_draft(
    members: dict[str, Any], *, is_kept: bool
) -> None:
    draft = parse_draft(json.dumps(document(**members)))

    direction = Direction(members["direction"])
    assert draft.pairs == (FieldPair("phone", "Phone", direction),) * is_kept
