"""Similar names, and the pairs that are suggested for fields without a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from connector.mapping import (
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    Schema,
)
from connector.mapping.suggestions import CONTACT_NAMES, similar_names, suggest_pairs
from connector.model import RecordKind

TEXT, NUMBER, DATE = FieldKind.TEXT, FieldKind.NUMBER, FieldKind.DATE
OFF: Final = Direction.OFF


def schema(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


def read_only(name: str, kind: FieldKind = TEXT) -> Field:
    return Field(name, kind, read_only="it is a formula")


NAMES: Final = schema(
    Field("JobTitle__c", TEXT, "Position"),
    Field("JobTitles", TEXT),
    Field("Job", TEXT, "Job title (old)"),
    Field("Title", TEXT, "Job-title"),
    Field("Fax", TEXT, "Télécopie"),
)


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("Job title", ("Title", "JobTitles", "Job")),
        ("jobtitle__c", ("Title", "JobTitles", "Job")),
        ("Positions", ("JobTitle__c",)),
        ("TELECOPIE", ("Fax",)),
        ("FAX__c", ("Fax",)),
        ("Fa__c", ("Fax",)),
        ("F", ()),
        ("abcde", ()),
        ("", ()),
    ],
)
def test_a_name_has_up_to_three_similar_names_the_best_first(
    name: str, similar: tuple[str, ...]
) -> None:
    assert similar_names(name, NAMES) == similar


def test_a_field_whose_name_and_label_are_similar_is_named_once() -> None:
    assert similar_names("Sizes", schema(Field("Size__c", TEXT, "Sized"))) == ("Size__c",)


def test_two_names_are_similar_if_three_fifths_of_their_letters_are_the_same() -> None:
    assert similar_names("abcxy", schema(Field("abcde", TEXT))) == ("abcde",)
    assert similar_names("abcxyz", schema(Field("abcdef", TEXT))) == ()


def suggested(
    plezi: Schema, lead: Schema, contact: Schema | None = None, *mapped: FieldPair
) -> list[tuple[str, str, str]]:
    """Return the names of the suggested pairs: of Plezi, of the Lead, of the Contact."""
    schemas: Mapping[RecordKind, Schema] = {
        RecordKind.PLEZI_CONTACT: plezi,
        RecordKind.LEAD: lead,
        RecordKind.CONTACT: contact or {},
    }
    pairs = suggest_pairs(MappingConfig(1, mapped, None), schemas)
    assert all(
        pair == FieldPair(pair.plezi, pair.salesforce, OFF, contact=pair.contact) for pair in pairs
    )
    return [(pair.plezi, pair.salesforce, pair.contact) for pair in pairs]


@pytest.mark.parametrize(
    ("plezi", "lead", "expected"),
    [
        # The name, or the label, of the two fields is almost the same.
        (Field("size", TEXT), Field("Size__c", TEXT), True),
        (Field("x", TEXT, "Size"), Field("Y__c", TEXT, "SIZE"), True),
        (Field("size", TEXT, "Label"), Field("Y__c", TEXT, "Size"), True),
        (Field("employees", TEXT), Field("Employes__c", TEXT), True),
        (Field("employees", TEXT), Field("Employer__c", TEXT), False),
        # One of them can be written and holds all values of the other.
        (Field("size", NUMBER), Field("Size__c", TEXT), True),
        (Field("size", TEXT), Field("Size__c", NUMBER), True),
        (Field("size", NUMBER), Field("Size__c", DATE), False),
        (read_only("size"), Field("Size__c", TEXT), True),
        (Field("size", TEXT), read_only("Size__c"), True),
        (read_only("size"), read_only("Size__c"), False),
        (read_only("size"), Field("Size__c", NUMBER), False),
        (Field("size", NUMBER), read_only("Size__c"), False),
        (
            Field("size", TEXT, creatable=False, updatable=False),
            Field("Size__c", TEXT, creatable=False, updatable=False),
            False,
        ),
    ],
)
def test_two_fields_are_suggested_as_a_pair_if_their_names_and_types_fit(
    plezi: Field, lead: Field, *, expected: bool
) -> None:
    apart = [(plezi.name, "", ""), ("", lead.name, "")]
    together = [(plezi.name, lead.name, "")]

    assert suggested(schema(plezi), schema(lead)) == (together if expected else apart)


def test_the_suggestions_are_in_the_order_of_plezi_then_standard_fields_then_custom_ones() -> None:
    plezi = schema(
        Field("mapped", TEXT),
        Field("place", FieldKind.UNSUPPORTED),
        Field("size", TEXT),
        Field("sizes", TEXT),
        Field("alone", TEXT),
        Field("city", TEXT),
    )
    lead = schema(
        Field("Zone__c", TEXT),
        Field("Size__c", TEXT),
        Field("Mapped__c", TEXT),
        Field("Place__c", FieldKind.UNSUPPORTED),
        Field("Website", TEXT),
        Field("Sizes__c", TEXT),
        Field("City", TEXT),
        Field("Area__c", TEXT),
        Field("Fax", TEXT),
    )

    assert suggested(plezi, lead, None, FieldPair("mapped", "MAPPED__C", OFF)) == [
        ("size", "Size__c", ""),
        ("sizes", "Sizes__c", ""),
        ("alone", "", ""),
        ("city", "City", ""),
        ("", "Website", ""),
        ("", "Fax", ""),
        ("", "Zone__c", ""),
        ("", "Area__c", ""),
    ]


def test_the_closest_of_several_names_is_suggested() -> None:
    lead = schema(Field("Employee__c", TEXT), Field("Employees__c", TEXT), Field("Employes", TEXT))

    assert suggested(schema(Field("employees", TEXT)), lead)[0] == ("employees", "Employees__c", "")


@pytest.mark.parametrize(("lead", "contact"), [*CONTACT_NAMES.items(), ("Size__c", "Size__c")])
def test_a_suggested_pair_has_the_field_of_the_contact_with_the_same_meaning(
    lead: str, contact: str
) -> None:
    leads = schema(Field(lead, TEXT))

    assert suggested({}, leads, schema(Field(contact, TEXT))) == [("", lead, contact)]
    assert suggested({}, leads, schema(Field("Other", TEXT))) == [("", lead, "")]
    unusable = schema(Field(contact, FieldKind.UNSUPPORTED))
    assert suggested({}, leads, unusable) == [("", lead, "")]
    size = schema(Field("size", TEXT, lead))
    assert suggested(size, leads, schema(Field(contact, TEXT))) == [("size", lead, contact)]


def test_the_letters_of_names_are_compared_in_lower_case() -> None:
    assert similar_names("MÄSSE", schema(Field("x", TEXT, "mässe"))) == ("x",)
    assert similar_names("Mass", schema(Field("x", TEXT, "Maß"))) == ()
