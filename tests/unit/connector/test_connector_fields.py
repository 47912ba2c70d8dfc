"""The custom fields that the product needs in an org, exactly as they are created."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connector.errors import MappingError
from connector.mapping import DEFAULT_MAPPING, Direction
from connector.mapping.connector_fields import required_fields
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
