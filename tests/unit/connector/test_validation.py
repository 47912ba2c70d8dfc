"""Each rule by which a mapping is judged before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from connector.mapping import (
    DEFAULT_MAPPING,
    ConflictPolicy,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    Schema,
)
from connector.mapping.issues import Issue, IssueCode, ValidationResult
from connector.mapping.suggestions import similar_names, suggest_pairs
from connector.mapping.type_loss import type_loss
from connector.mapping.validation import validate
from connector.model import RecordKind

TEXT, NUMBER, CHECKBOX = FieldKind.TEXT, FieldKind.NUMBER, FieldKind.CHECKBOX
DATE, DATETIME = FieldKind.DATE, FieldKind.DATETIME
PICKLIST, MULTI = FieldKind.PICKLIST, FieldKind.MULTI_PICKLIST
BOTH, TO_PLEZI, TO_SALESFORCE = Direction.BOTH, Direction.TO_PLEZI, Direction.TO_SALESFORCE


def schema(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


def fixed(name: str, kind: FieldKind = TEXT) -> Field:
    return Field(name, kind, creatable=False, updatable=False)


SIZES = ("smb", "mid", "large")
PLEZI = schema(
    Field("email", FieldKind.EMAIL, required=True),
    fixed("url"),
    Field("first_name", TEXT),
    Field("last_name", TEXT),
    Field("company", TEXT),
    Field("phone", FieldKind.PHONE),
    Field("mobile", FieldKind.PHONE),
    Field("function", TEXT, "Job title"),
    fixed("behaviour_score", NUMBER),
    fixed("state"),
    Field("optout", CHECKBOX, "Opt-out"),
    Field("born", DATE),
    Field("visited", DATETIME),
    Field("employees", NUMBER),
    Field("size", PICKLIST, options=SIZES, restricted=True),
    Field("interests", MULTI, options=SIZES, restricted=True),
)
LEAD = schema(
    Field("Email", FieldKind.EMAIL, length=80),
    Field("plezi_url__c", TEXT, length=255, external_id=True, unique=True),
    Field("FirstName", TEXT, length=40),
    Field("LastName", TEXT, length=80, required=True),
    Field("Company", TEXT, length=255, required=True),
    Field("Phone", FieldKind.PHONE, length=40),
    Field("MobilePhone", FieldKind.PHONE, length=40),
    Field("Title", TEXT, length=128),
    Field("score__c", TEXT, length=10),
    Field("status__c", TEXT, length=255),
    Field("optout__c", CHECKBOX, required=False),
    Field("born__c", DATE),
    Field("visited_on__c", DATE),
    Field("employees__c", NUMBER, scale=0),
    Field("note__c", TEXT, length=255),
    Field("size__c", PICKLIST, options=("smb", "mid"), restricted=True),
    Field("any__c", PICKLIST, options=SIZES),
    Field("many__c", MULTI, options=SIZES, restricted=True),
    fixed("formula__c"),
)
CONTACT = schema(
    Field("Email", FieldKind.EMAIL),
    Field("FirstName", TEXT),
    Field("LastName", TEXT),
    fixed("Account.Name"),
    Field("Phone", FieldKind.PHONE),
    Field("MobilePhone", FieldKind.PHONE),
    Field("Title", TEXT),
    Field("note__c", TEXT),
    Field("sync_to_plezi__c", PICKLIST, options=("yes", "no"), restricted=True),
    Field("ticked__c", CHECKBOX),
)
SCHEMAS: Mapping[RecordKind, Schema] = {
    RecordKind.PLEZI_CONTACT: PLEZI,
    RecordKind.LEAD: LEAD,
    RecordKind.CONTACT: CONTACT,
}


def judged(*lines: FieldPair, without: str = "", **changes: object) -> ValidationResult:
    """Judge the shipped mapping with some lines more, and some line less."""
    kept = tuple(line for line in DEFAULT_MAPPING.pairs if line.key != without)
    mapping = replace(DEFAULT_MAPPING, pairs=(*kept, *lines))
    return validate(replace(mapping, **changes), SCHEMAS)  # type: ignore[arg-type]


def only(remarks: tuple[Issue, ...]) -> Issue:
    assert len(remarks) == 1, remarks
    assert remarks[0].message
    assert remarks[0].remedy
    return remarks[0]


def saved(found: ValidationResult, key: str) -> FieldPair:
    return next(line for line in found.mapping.pairs if line.key == key)


def test_the_shipped_mapping_has_nothing_to_say() -> None:
    found = judged()

    assert (found.problems, found.warnings) == ((), ())
    assert found.mapping == DEFAULT_MAPPING


@pytest.mark.parametrize(
    ("source", "target", "lost"),
    [
        (Field("a", NUMBER), Field("b", TEXT), ""),
        (Field("a", TEXT), Field("b", NUMBER), "a text is not always a number"),
        (Field("a", TEXT), Field("b", FieldKind.EMAIL), "a text is not always an email"),
        (Field("a", TEXT), Field("b", FieldKind.PHONE), ""),
        (Field("a", FieldKind.PHONE), Field("b", NUMBER), "leading zeros"),
        (Field("a", DATETIME), Field("b", DATE), "the time of day"),
        (Field("a", DATE), Field("b", DATETIME), ""),
        (Field("a", MULTI), Field("b", PICKLIST), "all choices but one"),
        (Field("a", PICKLIST), Field("b", MULTI, restricted=True), ""),
        (Field("a", TEXT), Field("b", PICKLIST), ""),
        (Field("a", TEXT), Field("b", PICKLIST, restricted=True), "only the values of its list"),
        (Field("a", NUMBER), Field("b", CHECKBOX), "a number is not always a checkbox"),
        (Field("a", CHECKBOX), Field("b", DATE), "a checkbox is not always a date"),
    ],
)
def test_what_two_types_lose(source: Field, target: Field, lost: str) -> None:
    assert lost in type_loss(source, target)
    assert bool(lost) == bool(type_loss(source, target))


def test_a_pair_that_loses_one_way_is_made_one_way_with_the_reason() -> None:
    found = judged(FieldPair("employees", "note__c", BOTH))

    told = only(found.warnings)
    assert (told.code, told.pair) == (IssueCode.MADE_ONE_WAY, "note__c")
    assert "a text is not always a number" in told.message
    assert saved(found, "note__c").direction is TO_SALESFORCE
    assert not found.problems


def test_a_pair_that_loses_the_way_that_is_asked_for_is_refused() -> None:
    wrong = only(judged(FieldPair("visited", "visited_on__c", TO_SALESFORCE)).problems)

    assert (wrong.code, wrong.pair, wrong.field) == (
        IssueCode.LOSSY_TYPES,
        "visited_on__c",
        "direction",
    )
    assert "time of day" in wrong.message


def test_a_pair_that_loses_both_ways_is_refused() -> None:
    wrong = only(judged(FieldPair("optout", "born__c", BOTH)).problems)

    assert wrong.code is IssueCode.LOSSY_TYPES
    assert "checkbox" in wrong.message
    assert "date" in wrong.message


def test_a_formula_is_only_read() -> None:
    found = judged(FieldPair("company", "formula__c", BOTH), without="Company")
    assert saved(found, "formula__c").direction is TO_PLEZI

    wrong = only(judged(FieldPair("first_name", "formula__c", TO_SALESFORCE)).problems)
    assert wrong.code is IssueCode.NOT_WRITABLE


def test_a_contact_field_of_another_type_is_refused_where_it_would_reach_plezi() -> None:
    line = FieldPair("employees", "employees__c", BOTH, contact="note__c")

    wrong = only(judged(line).problems)
    assert (wrong.code, wrong.field) == (IssueCode.LOSSY_TYPES, "contact")
    assert not judged(replace(line, direction=TO_SALESFORCE)).problems


@pytest.mark.parametrize("key", ["Email", "plezi_url__c"])
def test_a_locked_line_cannot_be_left_out_or_changed(key: str) -> None:
    left_out = [remark.code for remark in judged(without=key).problems]
    assert IssueCode.LOCKED in left_out

    line = next(line for line in DEFAULT_MAPPING.pairs if line.key == key)
    moved = judged(replace(line, policy=ConflictPolicy.HOLD), without=key).problems
    assert {remark.code for remark in moved} == {IssueCode.LOCKED}


def test_nobody_else_locks_lines() -> None:
    wrong = only(judged(FieldPair("optout", "optout__c", BOTH, locked=True)).problems)
    assert (wrong.code, wrong.field) == (IssueCode.LOCKED, "locked")


@pytest.mark.parametrize("key", ["score__c", "status__c"])
@pytest.mark.parametrize("direction", [BOTH, TO_PLEZI])
def test_the_specials_never_travel_to_plezi(key: str, direction: Direction) -> None:
    line = next(line for line in DEFAULT_MAPPING.pairs if line.key == key)

    wrong = only(judged(replace(line, direction=direction), without=key).problems)
    assert wrong.code is IssueCode.ONE_WAY_SPECIAL


def test_a_two_way_function_on_free_text_is_warned_of() -> None:
    found = judged(FieldPair("function", "Title", BOTH), without="Title")

    assert not found.problems
    told = only(found.warnings)
    assert told.code is IssueCode.FUNCTION_FREE_TEXT
    assert saved(found, "Title").direction is BOTH


def test_a_two_way_function_on_a_list_is_not_warned_of() -> None:
    found = judged(FieldPair("size", "any__c", BOTH))
    assert IssueCode.FUNCTION_FREE_TEXT not in {remark.code for remark in found.warnings}


def test_an_unknown_name_is_refused_with_the_near_ones() -> None:
    found = judged(FieldPair("optuot", "otpout__c", BOTH, contact="Notes"))

    assert [remark.field for remark in found.problems] == ["plezi", "salesforce", "contact"]
    assert {remark.code for remark in found.problems} == {IssueCode.UNKNOWN_NAME}
    plezi, salesforce, contact = found.problems
    assert "did you mean optout" in plezi.remedy
    assert "optout__c" in salesforce.remedy
    assert "note__c" in contact.remedy


def test_a_label_copied_from_the_screen_is_recognised() -> None:
    assert similar_names("Job title", PLEZI)[0] == "function"


def test_a_name_like_no_other_is_refused_with_a_way_out() -> None:
    wrong = only(judged(FieldPair("company", "Zzzzzz", TO_SALESFORCE)).problems)
    assert "create it" in wrong.remedy


def test_a_locked_line_without_its_field_only_warns_so_that_others_can_be_saved() -> None:
    lead = {name: field for name, field in LEAD.items() if name != "plezi_url__c"}
    found = validate(DEFAULT_MAPPING, {**SCHEMAS, RecordKind.LEAD: lead})

    assert not found.problems
    assert only(found.warnings).code is IssueCode.UNKNOWN_NAME


def test_two_lines_on_one_salesforce_field_are_refused_whatever_their_case() -> None:
    wrong = [
        it for it in judged(FieldPair("mobile", "PHONE", BOTH)).problems if it.field == "salesforce"
    ]
    assert IssueCode.DUPLICATE in {remark.code for remark in wrong}


def test_two_lines_that_write_one_attribute_are_refused() -> None:
    wrong = only(judged(FieldPair("company", "note__c", BOTH)).problems)
    assert (wrong.code, wrong.field) == (IssueCode.DUPLICATE, "plezi")
    assert not judged(FieldPair("company", "note__c", TO_SALESFORCE)).problems


@pytest.mark.parametrize("change", [{"placeholder": ""}, {"direction": TO_PLEZI}])
def test_a_field_that_salesforce_demands_wants_a_placeholder(change: dict[str, object]) -> None:
    line = next(line for line in DEFAULT_MAPPING.pairs if line.key == "Company")

    wrong = only(judged(replace(line, **change), without="Company").problems)  # type: ignore[arg-type]
    assert (wrong.code, wrong.pair, wrong.field) == (
        IssueCode.PLACEHOLDER,
        "Company",
        "placeholder",
    )


def test_a_field_that_salesforce_demands_and_nobody_mapped_is_named() -> None:
    wrong = only(judged(without="LastName").problems)
    assert (wrong.code, wrong.pair) == (IssueCode.PLACEHOLDER, "LastName")
    assert "map an attribute" in wrong.remedy


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            FieldPair("first_name", "score__c", TO_SALESFORCE, placeholder="x" * 11),
            "longer than the 10",
        ),
        (FieldPair("size", "size__c", TO_SALESFORCE, placeholder="huge"), "not in the list"),
        (FieldPair("employees", "employees__c", TO_SALESFORCE, placeholder="few"), "is a number"),
    ],
)
def test_a_placeholder_that_the_field_does_not_take_is_refused(line: FieldPair, said: str) -> None:
    wrong = only(judged(line, without=line.key).problems)
    assert wrong.code is IssueCode.PLACEHOLDER
    assert said in wrong.message


def test_what_plezi_demands_must_reach_it() -> None:
    plezi = {**PLEZI, "first_name": replace(PLEZI["first_name"], required=True)}
    schemas = {**SCHEMAS, RecordKind.PLEZI_CONTACT: plezi}
    lines = tuple(line for line in DEFAULT_MAPPING.pairs if line.plezi != "first_name")

    wrong = only(validate(replace(DEFAULT_MAPPING, pairs=lines), schemas).problems)
    assert (wrong.code, wrong.pair) == (IssueCode.MANDATORY, "first_name")
    assert not validate(DEFAULT_MAPPING, schemas).problems


def test_most_restrictive_is_for_checkboxes() -> None:
    consent = FieldPair("optout", "optout__c", BOTH, policy=ConflictPolicy.MOST_RESTRICTIVE)
    assert not judged(consent).problems

    wrong = only(
        judged(FieldPair("size", "any__c", BOTH, policy=ConflictPolicy.MOST_RESTRICTIVE)).problems
    )
    assert wrong.code is IssueCode.POLICY


def test_an_enforced_line_is_one_way() -> None:
    wrong = only(judged(FieldPair("optout", "optout__c", BOTH, enforced=True)).problems)
    assert wrong.code is IssueCode.ENFORCED


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (FieldPair("size", "size__c", TO_SALESFORCE), "lacks large"),
        (FieldPair("employees", "employees__c", TO_SALESFORCE), "0 decimals"),
    ],
)
def test_a_narrower_field_is_warned_of(line: FieldPair, said: str) -> None:
    found = judged(line)
    told = only(found.warnings)
    assert told.code is IssueCode.NARROWER
    assert said in told.message
    assert not found.problems


def test_a_filter_on_a_field_that_is_not_there_is_refused_with_the_near_ones() -> None:
    wrong = only(judged(contact_filter=Filter("sync_plezi__c", Operator.EQUALS, "yes")).problems)
    assert (wrong.code, wrong.pair, wrong.field) == (
        IssueCode.UNKNOWN_NAME,
        "contact_filter",
        "field",
    )
    assert "sync_to_plezi__c" in wrong.remedy

    wrong = only(judged(lead_filter=Filter("Stage", Operator.EQUALS, "x")).problems)
    assert wrong.pair == "lead_filter"


@pytest.mark.parametrize(
    ("field", "value", "warned"),
    [
        ("sync_to_plezi__c", "perhaps", True),
        ("sync_to_plezi__c", "NO", False),
        ("sync_to_plezi__c", "", False),
        ("ticked__c", "yes", False),
        ("ticked__c", "perhaps", True),
        ("note__c", "perhaps", False),
    ],
)
def test_a_filter_that_nobody_can_pass_is_warned_of(
    field: str, value: str, *, warned: bool
) -> None:
    found = judged(contact_filter=Filter(field, Operator.EQUALS, value))
    assert [remark.code for remark in found.warnings] == [IssueCode.FILTER_VALUE] * warned
    assert not found.problems


def test_to_import_every_contact_is_warned_of() -> None:
    assert only(judged(contact_filter=None).warnings).code is IssueCode.NO_FILTER


def test_everything_is_told_at_once() -> None:
    found = judged(
        FieldPair("optuot", "optout__c", BOTH),
        FieldPair("visited", "visited_on__c", TO_SALESFORCE),
        FieldPair("size", "any__c", BOTH, policy=ConflictPolicy.MOST_RESTRICTIVE),
        without="Email",
    )
    assert {remark.code for remark in found.problems} == {
        IssueCode.UNKNOWN_NAME,
        IssueCode.LOSSY_TYPES,
        IssueCode.POLICY,
        IssueCode.LOCKED,
        IssueCode.MANDATORY,
    }


def test_a_line_that_is_off_is_not_judged_and_dropped_when_it_lacks_a_name() -> None:
    found = judged(
        FieldPair("optout", "optout__c", Direction.OFF),
        FieldPair("born", "", Direction.OFF),
        FieldPair("", "note__c", Direction.OFF),
    )
    assert not found.problems
    assert found.mapping.pairs[-1] == FieldPair("optout", "optout__c", Direction.OFF)


def test_new_fields_are_offered_at_the_end_switched_off_with_their_counterpart() -> None:
    offered = suggest_pairs(DEFAULT_MAPPING, SCHEMAS)

    assert {line.direction for line in offered} == {Direction.OFF}
    pairs = [(line.plezi, line.salesforce) for line in offered]
    assert ("optout", "optout__c") in pairs
    assert ("born", "born__c") in pairs
    assert ("interests", "") in pairs  # nothing is called so
    assert pairs[-1] == ("", "many__c")
    assert ("", "note__c") in pairs
    assert not any(salesforce == "formula__c" for _, salesforce in pairs)


def test_no_salesforce_field_is_offered_twice() -> None:
    fields = [
        line.salesforce for line in suggest_pairs(DEFAULT_MAPPING, SCHEMAS) if line.salesforce
    ]
    assert len(fields) == len(set(fields))


def test_nothing_that_a_line_names_already_is_offered() -> None:
    mapping = MappingConfig(
        1, (*DEFAULT_MAPPING.pairs, FieldPair("optout", "optout__c", Direction.OFF)), None
    )
    offered = suggest_pairs(mapping, SCHEMAS)
    assert not any("optout" in (line.plezi, line.salesforce.lower()) for line in offered)
