"""The refusals of Salesforce that a dry run predicts from the description of the fields."""

from __future__ import annotations

from typing import Final

import pytest

from connector.mapping import Field, FieldKind
from connector.model import NEW_RECORD, LongText, RecordKind, Value, Write
from connector.planning.preflight import ExpectedRefusal, expected_refusal

TEXT: Final = Field("Phone", FieldKind.TEXT, length=5)
LIST: Final = Field("Rating", FieldKind.PICKLIST, options=("Hot", "Cold"))
CHOICES: Final = Field("Topics__c", FieldKind.MULTI_PICKLIST, options=("a", "b"))


def refusal_of(field: Field, value: Value) -> str:
    """Return the code for an update of one field; '' if none is expected."""
    write = Write(RecordKind.LEAD, "l", "a@x.fr", {field.name: value})
    refusal = expected_refusal(write, {field.name: field})
    if refusal is None:
        return ""
    assert refusal.fields == (field.name,)
    return refusal.code


def restricted(field: Field) -> Field:
    return Field(field.name, field.kind, options=field.options, restricted=True)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (TEXT, "12345", ""),
        (TEXT, "123456", "STRING_TOO_LONG"),
        (TEXT, LongText(6, "0" * 64), "STRING_TOO_LONG"),
        (TEXT, LongText(5, "0" * 64), ""),
        (Field("Phone", FieldKind.TEXT), "1" * 1_000, ""),
        (Field("Age__c", FieldKind.NUMBER), 12.5, ""),
        (Field("Age__c", FieldKind.NUMBER), "many", "JSON_PARSER_ERROR"),
        (Field("Vip__c", FieldKind.CHECKBOX), True, ""),
        (Field("Vip__c", FieldKind.CHECKBOX), "yes", "JSON_PARSER_ERROR"),
        (Field("Email", FieldKind.EMAIL, length=8), "a@x.fr", ""),
        (Field("Email", FieldKind.EMAIL, length=8), "a at x", "INVALID_EMAIL_ADDRESS"),
        (Field("Email", FieldKind.EMAIL, length=8), "ana at x", "INVALID_EMAIL_ADDRESS"),
        (Field("Email", FieldKind.EMAIL, length=8), "anna at x", "STRING_TOO_LONG"),
        (Field("Email", FieldKind.EMAIL, length=8), "ana@xy.fr", "STRING_TOO_LONG"),
        (LIST, "Warm", ""),
        (restricted(LIST), "Hot", ""),
        (restricted(LIST), "Warm", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (CHOICES, ("a", "c"), ""),
        (restricted(CHOICES), ("a", "b"), ""),
        (restricted(CHOICES), ("a", "c"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    ],
)
def test_each_kind_of_field_has_its_refusal(field: Field, value: Value, code: str) -> None:
    assert refusal_of(field, value) == code


@pytest.mark.parametrize("blank", [None, ""])
def test_a_blank_is_refused_only_in_a_required_field(blank: Value) -> None:
    assert refusal_of(TEXT, blank) == ""
    required = Field("LastName", FieldKind.TEXT, required=True)
    assert refusal_of(required, blank) == "REQUIRED_FIELD_MISSING"


def test_a_creation_names_every_required_field_without_a_value() -> None:
    schema = {
        name: Field(name, FieldKind.TEXT, required=required)
        for name, required in {
            "FirstName": False,
            "LastName": True,
            "Company": True,
            "Status": True,
        }.items()
    }
    write = Write(RecordKind.LEAD, NEW_RECORD, "a@x.fr", {"Status": "new", "LastName": ""})

    assert expected_refusal(write, schema) == ExpectedRefusal(
        "REQUIRED_FIELD_MISSING", ("LastName", "Company")
    )
    update = Write(RecordKind.LEAD, "l", "a@x.fr", {"Status": "new"})
    assert expected_refusal(update, schema) is None


def test_a_field_that_salesforce_does_not_have_is_refused() -> None:
    write = Write(RecordKind.LEAD, "l", "a@x.fr", {"Phone": "1", "Gone__c": "1"})

    assert expected_refusal(write, {"Phone": TEXT}) == ExpectedRefusal(
        "INVALID_FIELD", ("Gone__c",)
    )


@pytest.mark.parametrize(
    ("record", "creatable", "updatable", "is_refused"),
    [
        (NEW_RECORD, True, False, False),
        (NEW_RECORD, False, True, True),
        ("l", True, False, True),
        ("l", False, True, False),
    ],
)
def test_the_rights_to_create_and_to_update_are_separate(
    record: str, *, creatable: bool, updatable: bool, is_refused: bool
) -> None:
    field = Field("Phone", FieldKind.TEXT, creatable=creatable, updatable=updatable)
    write = Write(RecordKind.LEAD, record, "a@x.fr", {"Phone": "1"})

    expected = ExpectedRefusal("INVALID_FIELD_FOR_INSERT_UPDATE", ("Phone",))
    assert expected_refusal(write, {"Phone": field}) == (expected if is_refused else None)


def test_a_field_without_a_problem_does_not_hide_the_next_one() -> None:
    schema = {"Phone": TEXT, "Rating": restricted(LIST)}
    write = Write(RecordKind.LEAD, "l", "a@x.fr", {"Phone": "1", "Rating": "Warm"})

    assert expected_refusal(write, schema) == ExpectedRefusal(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ("Rating",)
    )
