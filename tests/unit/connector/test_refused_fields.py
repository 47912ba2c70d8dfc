"""What is still written of a refused write, and what an admin reads about its fields."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    UnusableValue,
)
from connector.model import (
    NEW_RECORD,
    Intent,
    Link,
    Observation,
    ProblemCode,
    Quarantine,
    RecordKind,
    Side,
    Value,
    Write,
)
from connector.planning.field_problem import (
    FieldProblem,
    describe_problem,
    find_unreadable,
    quarantine_for,
    quarantine_with,
    waits_for_reading,
)
from connector.planning.refused_fields import combined, remaining_write, with_smaller_creation
from connector.planning.write_outcome import WriteOutcome, WriteResult

OPT_OUT = FieldPair(
    "optout", "Optout__c", Direction.BOTH, ConflictPolicy.MOST_RESTRICTIVE, contact="Optout__c"
)
COMPANY = FieldPair("company", "Company", Direction.BOTH, placeholder="[unknown]")
PHONE = FieldPair("phone", "Phone", Direction.BOTH, contact="Phone")


def bound_pair(pair: FieldPair, kind: FieldKind = FieldKind.TEXT) -> BoundPair:
    names = {
        RecordKind.PLEZI_CONTACT: pair.plezi,
        RecordKind.LEAD: pair.salesforce,
        RecordKind.CONTACT: pair.contact,
    }
    return BoundPair(pair, {it: Field(name, kind) for it, name in names.items() if name})


PHONES = bound_pair(PHONE)
BOUND = BoundMapping(
    MappingConfig(1, (OPT_OUT, COMPANY, PHONE), None),
    (bound_pair(OPT_OUT, FieldKind.CHECKBOX), bound_pair(COMPANY), PHONES),
    (),
)


def update(kind: RecordKind = RecordKind.LEAD, **values: Value) -> Write:
    return Write(kind, "l", "a@x.fr", values, dict.fromkeys(values, "old"), "1")


def creation(kind: RecordKind = RecordKind.LEAD, **values: Value) -> Write:
    return Write(kind, NEW_RECORD, "a@x.fr", values)


def left(write: Write, *fields: str, result: WriteResult = WriteResult.REJECTED) -> Write | None:
    return remaining_write(WriteOutcome(write, result, fields=fields), BOUND)


class TestRemainingWrite:
    def test_an_update_leaves_out_the_fields_that_are_named(self) -> None:
        rest = left(update(Phone="1", Company="Acme"), "Phone", "Fax")

        assert rest is not None
        assert (rest.values, rest.before) == ({"Company": "Acme"}, {"Company": "old"})

    def test_without_a_named_field_the_consent_goes_alone(self) -> None:
        rest = left(update(Phone="1", Optout__c=True))

        assert rest is not None
        assert (rest.values, rest.before) == ({"Optout__c": True}, {"Optout__c": "old"})
        assert left(update(Optout__c=True)) is None  # the same write again
        assert left(update(Phone="1")) is None

    def test_nothing_is_left_of_an_update_whose_only_field_is_named(self) -> None:
        assert left(update(Phone="1"), "Phone") is None

    @pytest.mark.parametrize("result", [it for it in WriteResult if it != WriteResult.REJECTED])
    def test_only_a_refusal_leaves_something(self, result: WriteResult) -> None:
        assert left(update(Phone="1", Company="Acme"), "Phone", result=result) is None

    def test_a_creation_leaves_out_a_field_or_gives_it_its_placeholder(self) -> None:
        whole = creation(Email="a@x.fr", Phone="1", Company="Acme")

        without_phone = left(whole, "Phone")
        with_placeholder = left(whole, "Company")

        assert without_phone is not None
        assert without_phone.values == {"Email": "a@x.fr", "Company": "Acme"}
        assert with_placeholder is not None
        assert with_placeholder.values == {
            "Email": "a@x.fr",
            "Phone": "1",
            "Company": "[unknown]",
        }

    def test_a_refused_placeholder_is_left_out(self) -> None:
        rest = left(creation(Email="a@x.fr", Company="[unknown]"), "Company")

        assert rest is not None
        assert rest.values == {"Email": "a@x.fr"}

    def test_plezi_has_no_placeholder(self) -> None:
        rest = left(creation(RecordKind.PLEZI_CONTACT, email="a@x.fr", company="Acme"), "company")

        assert rest is not None
        assert rest.values == {"email": "a@x.fr"}

    def test_no_creation_is_left_without_its_identity_or_a_named_field(self) -> None:
        whole = creation(Email="a@x.fr", Phone="1", Fax="2")

        assert left(whole, "Email", "Phone") is None
        assert left(whole) is None
        rest = left(whole, "Fax")  # a field without a pair
        assert rest is not None
        assert rest.values == {"Email": "a@x.fr", "Phone": "1"}


def test_a_smaller_creation_replaces_that_of_its_kind_in_the_intent() -> None:
    lead, contact = creation(Phone="1"), creation(RecordKind.PLEZI_CONTACT, phone="1")
    edited = update(Phone="1")
    link = Link("a@x.fr", intent=Intent("i", "r", 0.0, (edited, lead, contact), ()))
    smaller = creation(Company="Acme")

    after = with_smaller_creation(link, smaller)

    assert after.intent is not None
    assert after.intent.writes == (edited, smaller, contact)
    with pytest.raises(TypeError, match="has an intent"):
        with_smaller_creation(Link("a@x.fr"), smaller)


def test_two_refusals_name_the_fields_of_both_and_a_done_rest_keeps_the_refusal() -> None:
    first = WriteOutcome(update(Phone="1"), WriteResult.REJECTED, fields=("Phone", "Fax"))
    rest = WriteOutcome(update(Company="A"), WriteResult.REJECTED, fields=("Company", "Fax"))

    assert combined(first, rest) == replace(first, fields=("Phone", "Fax", "Company"))
    done = replace(rest, result=WriteResult.DONE)
    assert combined(first, done) == replace(done, refusal=first)


PROBLEM = FieldProblem(
    "Phone", Side.PLEZI, "phone", ProblemCode.UNKNOWN_VALUE, "phone is too long", "shorten it"
)
OTHER = replace(PROBLEM, field="mobile", detail="mobile is too long", remedy="shorten that")


class TestProblem:
    @pytest.mark.parametrize(
        ("kind", "source"),
        [
            (RecordKind.PLEZI_CONTACT, "Phone in Salesforce"),
            (RecordKind.LEAD, "phone in Plezi"),
        ],
    )
    def test_a_value_that_does_not_fit_is_to_be_corrected_where_it_is(
        self, kind: RecordKind, source: str
    ) -> None:
        unusable = UnusableValue("Phone", "it is too long", ProblemCode.UNKNOWN_VALUE)

        problem = describe_problem(PHONES, kind, unusable)

        assert problem == FieldProblem(
            "Phone",
            kind.side,
            "Phone",
            ProblemCode.UNKNOWN_VALUE,
            "Phone cannot hold the value, it is too long",
            f"correct {source}, or map it to a field that can hold the value",
        )

    def test_each_unreadable_field_of_a_pair_is_a_problem_once(self) -> None:
        def unreadable(kind: RecordKind, record: str, *fields: str) -> Observation:
            return Observation(
                kind, record, "a@x.fr", "1", "", 0.0, {}, unreadable=frozenset(fields)
            )

        records = [
            unreadable(RecordKind.LEAD, "l1", "Phone"),
            unreadable(RecordKind.LEAD, "l2", "Phone", "Fax"),
            unreadable(RecordKind.PLEZI_CONTACT, "p", "phone"),
            unreadable(RecordKind.CONTACT, "c", "Company"),
        ]

        plezi, salesforce = find_unreadable(PHONES, records)

        assert (plezi.side, plezi.field) == (Side.PLEZI, "phone")
        assert salesforce == FieldProblem(
            "Phone",
            Side.SALESFORCE,
            "Phone",
            ProblemCode.UNUSABLE_VALUE,
            "what Salesforce has in Phone is not a value that can be read",
            "correct Phone in Salesforce, or take it out of the mapping",
        )
        company = bound_pair(COMPANY)  # a Contact has no field of this pair
        assert find_unreadable(company, records) == []

    def test_problems_are_a_quarantine_and_the_same_ones_the_former_quarantine(self) -> None:
        link = Link("a@x.fr")

        found = quarantine_for([PROBLEM, OTHER], link, now=7.0)

        assert found == Quarantine(
            Side.PLEZI,
            ProblemCode.UNKNOWN_VALUE,
            "phone is too long: shorten it; mobile is too long: shorten that",
            ("phone", "mobile"),
            7.0,
        )
        assert quarantine_for([PROBLEM, OTHER], replace(link, quarantine=found), now=9.0) is found
        fewer = quarantine_for([PROBLEM], replace(link, quarantine=found), now=9.0)
        assert fewer is not None
        assert (fewer.fields, fewer.since) == (("phone",), 9.0)
        other = replace(PROBLEM, code=ProblemCode.UNUSABLE_VALUE)
        changed = quarantine_for([other, OTHER], replace(link, quarantine=found), now=9.0)
        assert changed is not None
        assert changed.since == 9.0

    def test_without_problems_only_a_record_that_could_not_be_read_waits(self) -> None:
        refused = Quarantine(Side.PLEZI, "422", "correct it", ("phone",), 5.0)
        unread = Quarantine(Side.PLEZI, ProblemCode.UNREADABLE_RECORD, "read it", (), 5.0)

        assert quarantine_for([], Link("a@x.fr", quarantine=refused), now=9.0) is None
        waiting = Link("a@x.fr", quarantine=unread)
        assert quarantine_for([], waiting, now=9.0) is unread
        read = Observation(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 6.0, {})
        assert quarantine_for([], replace(waiting, plezi=read), now=9.0) is None

    def test_a_refusal_keeps_its_code_and_names_the_fields_of_the_problems_too(self) -> None:
        refused = Quarantine(Side.PLEZI, "422", "correct it", ("fax", "mobile"), 5.0, 3)

        found = quarantine_with(refused, [PROBLEM, OTHER], Link("a@x.fr"), now=9.0)

        assert found == replace(
            refused,
            remedy="correct it; phone is too long: shorten it; mobile is too long: shorten that",
            fields=("fax", "mobile", "phone"),
        )
        alone = quarantine_with(None, [PROBLEM], Link("a@x.fr"), now=9.0)
        assert alone == quarantine_for([PROBLEM], Link("a@x.fr"), now=9.0)

    @pytest.mark.parametrize("code", [ProblemCode.UNREADABLE_RECORD, ProblemCode.UNUSABLE_VALUE])
    def test_a_record_is_read_by_a_later_reading_of_its_side(self, code: ProblemCode) -> None:
        unread = Quarantine(Side.SALESFORCE, code, "read it", (), 5.0)
        link = Link("a@x.fr", quarantine=unread)
        lead = Observation(RecordKind.LEAD, "l", "a@x.fr", "1", "", 5.0, {})
        plezi = Observation(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 9.0, {})

        assert waits_for_reading(link, [lead, plezi])
        assert not waits_for_reading(link, [plezi, replace(lead, as_of=5.1)])
        assert not waits_for_reading(replace(link, quarantine=None), [])
        named = replace(unread, fields=("Phone",))
        assert not waits_for_reading(replace(link, quarantine=named), [])
        other = replace(unread, code="422")
        assert not waits_for_reading(replace(link, quarantine=other), [])
