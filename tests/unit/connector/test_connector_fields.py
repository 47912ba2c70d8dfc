"""The custom fields that the product needs in an org, exactly as they are created."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connector.errors import MappingError
from connector.mapping import DEFAULT_MAPPING, Direction, Field, FieldKind
from connector.mapping.connector_fields import RequiredField, required_fields
from connector.mapping.document import mapping_document, parse_draft
from connector.mapping.model import Filter, Operator
from connector.model import RecordKind

CHOICE = Filter("import__c", Operator.IN, " yes, ask first,,no")


def test_the_fields_of_leads_have_the_definitions_of_their_attributes() -> None:
    url, score, state = required_fields(replace(DEFAULT_MAPPING, contact_filter=None))

    assert (url.full_name, url.purpose, url.is_written, url.external_id) == (
        "Lead.plezi_url__c",
        "the link to the contact's page in Plezi",
        True,
        True,
    )
    assert url.metadata == {
        "type": "Text",
        "label": "Plezi URL",
        "length": url.length,
        "externalId": True,
        "unique": True,
        "caseSensitive": False,
    }
    assert (score.full_name, score.purpose, score.external_id) == (
        "Lead.score__c",
        "the behaviour score",
        False,
    )
    assert score.metadata == {"type": "Text", "label": "Plezi score", "length": score.length}
    assert (state.full_name, state.purpose) == (
        "Lead.status__c",
        "the state of the lead in Plezi",
    )
    assert state.metadata == {"type": "Text", "label": "Plezi status", "length": url.length}


K = FieldKind
LINK, SCORE, STATE, CHOICE_FIELD = required_fields(DEFAULT_MAPPING)


def test_each_field_has_the_kinds_the_length_and_the_right_that_the_product_needs() -> None:
    needs = [
        (it.full_name, set(it.kinds), it.length, it.external_id, it.is_written)
        for it in required_fields(DEFAULT_MAPPING)
    ]

    assert needs == [
        ("Lead.plezi_url__c", {K.TEXT}, 255, True, True),
        ("Lead.score__c", {K.TEXT, K.NUMBER}, 10, False, True),
        ("Lead.status__c", {K.TEXT, K.PICKLIST}, 0, False, True),
        ("Contact.sync_to_plezi__c", {K.PICKLIST, K.CHECKBOX, K.TEXT}, 0, False, False),
    ]
    assert [it.metadata["length"] for it in (LINK, SCORE, STATE)] == [255, 10, 255]


@pytest.mark.parametrize(
    ("required", "found", "defect"),
    [
        (LINK, Field("f", K.TEXT, length=255, external_id=True, unique=True), ""),
        (LINK, Field("f", K.TEXT, external_id=True, unique=True), ""),
        (
            LINK,
            Field("f", K.TEXT, length=254, external_id=True, unique=True),
            "it holds 254 characters, and must hold 255",
        ),
        (
            LINK,
            Field("f", K.TEXT, length=255, external_id=True),
            "it must be an External ID and unique, so that no Lead is created twice",
        ),
        (
            LINK,
            Field("f", K.TEXT, length=255, unique=True),
            "it must be an External ID and unique, so that no Lead is created twice",
        ),
        (LINK, Field("f", K.PHONE, type_name="phone"), "it is a phone, and must be a text"),
        (
            LINK,
            Field("f", K.UNSUPPORTED, type_name="location"),
            "it is a location, and must be a text",
        ),
        (SCORE, Field("f", K.TEXT, length=10), ""),
        (SCORE, Field("f", K.TEXT, length=9), "it holds 9 characters, and must hold 10"),
        (SCORE, Field("f", K.NUMBER, length=3), ""),
        (
            SCORE,
            Field("f", K.CHECKBOX, type_name="boolean"),
            "it is a checkbox, and must be a number or text",
        ),
        (STATE, Field("f", K.TEXT, length=1), ""),
        (STATE, Field("f", K.PICKLIST), ""),
        (CHOICE_FIELD, Field("f", K.CHECKBOX), ""),
        (
            CHOICE_FIELD,
            Field("f", K.DATE),
            "it is a date, and must be a checkbox or picklist or text",
        ),
    ],
)
def test_a_field_that_exists_is_suitable_or_its_defect_is_named(
    required: RequiredField, found: Field, defect: str
) -> None:
    assert required.defect(found) == defect


def test_a_mapping_without_a_pair_of_the_product_needs_the_default_field() -> None:
    score = next(it for it in DEFAULT_MAPPING.pairs if it.plezi == "behaviour_score")
    others = tuple(it for it in DEFAULT_MAPPING.pairs if it.plezi not in ("url", "state"))
    unmapped = replace(DEFAULT_MAPPING.pairs[1], salesforce="")
    renamed = replace(score, salesforce="points__c")
    pairs = (unmapped, *(renamed if it is score else it for it in others))

    fields = required_fields(replace(DEFAULT_MAPPING, pairs=pairs, contact_filter=None))

    assert [it.name for it in fields] == ["plezi_url__c", "points__c", "status__c"]


def test_the_choice_of_contacts_has_the_accepted_values_and_one_that_says_no() -> None:
    mapping = replace(DEFAULT_MAPPING, contact_filter=CHOICE)

    choice = required_fields(mapping)[-1]

    assert (choice.kind, choice.name, choice.is_written) == (
        RecordKind.CONTACT,
        "import__c",
        False,
    )
    assert choice.purpose == "the choice of the Contacts that are imported in Plezi"
    assert choice.metadata == {
        "type": "Picklist",
        "label": "Sync to Plezi",
        "valueSet": {
            "restricted": True,
            "valueSetDefinition": {
                "sorted": False,
                "value": [
                    {"fullName": value, "label": value, "default": False}
                    for value in ("yes", "ask first", "no")
                ],
            },
        },
    }


def test_a_standard_field_and_a_pair_that_is_off_need_no_creation() -> None:
    changes = {"url": {"salesforce": "Website"}, "state": {"direction": Direction.OFF}}
    pairs = tuple(replace(it, **changes.get(it.plezi, {})) for it in DEFAULT_MAPPING.pairs)  # type: ignore[arg-type]
    mapping = replace(
        DEFAULT_MAPPING, pairs=pairs, contact_filter=replace(CHOICE, field="Department")
    )

    assert [it.name for it in required_fields(mapping)] == ["score__c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the mapping is not JSON"),
        ("[]", "the mapping is not a JSON object"),
        ('{"pairs": []}', "the mapping has no contact_filter: null imports every Contact"),
        ('{"contact_filter": null, "pairs": [1]}', "the mapping has no pairs: a list of objects"),
        ('{"other": 1, "any": 2}', "the mapping has members that do not exist: any, other"),
        (
            '{"contact_filter": null, "pairs": [{}, {"colour": 1}]}',
            "the mapping has members that do not exist: pairs.1.colour",
        ),
    ],
)
def test_a_draft_that_cannot_be_read_is_refused_with_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_draft(text)
    assert str(caught.value) == message


def test_a_draft_has_the_settings_that_it_names() -> None:
    document = mapping_document(replace(DEFAULT_MAPPING, contact_filter=CHOICE))
    del document["version"]
    assert parse_draft(json.dumps(document)).contact_filter == CHOICE
