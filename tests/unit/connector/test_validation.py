"""The rules that a mapping must meet before it is saved."""

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


def read_only(name: str, kind: FieldKind = TEXT) -> Field:
    return Field(name, kind, creatable=False, updatable=False)


SIZES = ("smb", "mid", "large")
PLEZI = schema(
    Field("email", FieldKind.EMAIL, required=True),
    read_only("url"),
    Field("first_name", TEXT),
    Field("last_name", TEXT),
    Field("company", TEXT),
    Field("phone", FieldKind.PHONE),
    Field("mobile", FieldKind.PHONE),
    Field("function", TEXT, "Job title"),
    read_only("behaviour_score", NUMBER),
    read_only("state"),
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
    read_only("formula__c"),
)
CONTACT = schema(
    Field("Email", FieldKind.EMAIL),
    Field("FirstName", TEXT),
    Field("LastName", TEXT),
    read_only("Account.Name"),
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


def validated(*added: FieldPair, without: str = "", **changes: object) -> ValidationResult:
    """Validate the default mapping with added pairs, and without one pair."""
    kept = tuple(pair for pair in DEFAULT_MAPPING.pairs if pair.key != without)
    mapping = replace(DEFAULT_MAPPING, pairs=(*kept, *added))
    return validate(replace(mapping, **changes), SCHEMAS)  # type: ignore[arg-type]


def only(issues: tuple[Issue, ...]) -> Issue:
    assert len(issues) == 1, issues
    assert issues[0].message
    assert issues[0].remedy
    return issues[0]


def saved(result: ValidationResult, key: str) -> FieldPair:
    return next(pair for pair in result.mapping.pairs if pair.key == key)


def test_the_default_mapping_has_no_issues() -> None:
    result = validated()

    assert (result.problems, result.warnings) == ((), ())
    assert result.mapping == DEFAULT_MAPPING


@pytest.mark.parametrize(
    ("source", "target", "loss"),
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
def test_the_loss_between_two_types(source: Field, target: Field, loss: str) -> None:
    assert loss in type_loss(source, target)
    assert bool(loss) == bool(type_loss(source, target))


def test_a_pair_with_a_loss_in_one_direction_is_made_one_way_with_the_reason() -> None:
    result = validated(FieldPair("employees", "note__c", BOTH))

    warning = only(result.warnings)
    assert (warning.code, warning.pair) == (IssueCode.MADE_ONE_WAY, "note__c")
    assert "a text is not always a number" in warning.message
    assert saved(result, "note__c").direction is TO_SALESFORCE
    assert not result.problems


def test_a_pair_with_a_loss_in_its_only_direction_is_refused() -> None:
    problem = only(validated(FieldPair("visited", "visited_on__c", TO_SALESFORCE)).problems)

    assert (problem.code, problem.pair, problem.field) == (
        IssueCode.LOSSY_TYPES,
        "visited_on__c",
        "direction",
    )
    assert "time of day" in problem.message


def test_a_pair_with_a_loss_in_both_directions_is_refused() -> None:
    problem = only(validated(FieldPair("optout", "born__c", BOTH)).problems)

    assert problem.code is IssueCode.LOSSY_TYPES
    assert "checkbox" in problem.message
    assert "date" in problem.message


def test_a_formula_field_is_never_written_to() -> None:
    result = validated(FieldPair("company", "formula__c", BOTH), without="Company")
    assert saved(result, "formula__c").direction is TO_PLEZI

    problem = only(validated(FieldPair("first_name", "formula__c", TO_SALESFORCE)).problems)
    assert problem.code is IssueCode.NOT_WRITABLE


def test_a_contact_field_of_another_type_is_refused_if_the_pair_writes_to_plezi() -> None:
    pair = FieldPair("employees", "employees__c", BOTH, contact="note__c")

    problem = only(validated(pair).problems)
    assert (problem.code, problem.field) == (IssueCode.LOSSY_TYPES, "contact")
    assert not validated(replace(pair, direction=TO_SALESFORCE)).problems


@pytest.mark.parametrize("key", ["Email", "plezi_url__c"])
def test_a_locked_pair_cannot_be_removed_or_changed(key: str) -> None:
    removed = [issue.code for issue in validated(without=key).problems]
    assert IssueCode.LOCKED in removed

    pair = next(pair for pair in DEFAULT_MAPPING.pairs if pair.key == key)
    changed = validated(replace(pair, policy=ConflictPolicy.HOLD), without=key).problems
    assert {issue.code for issue in changed} == {IssueCode.LOCKED}


def test_an_admin_cannot_lock_a_pair() -> None:
    problem = only(validated(FieldPair("optout", "optout__c", BOTH, locked=True)).problems)
    assert (problem.code, problem.field) == (IssueCode.LOCKED, "locked")


@pytest.mark.parametrize("key", ["score__c", "status__c"])
@pytest.mark.parametrize("direction", [BOTH, TO_PLEZI])
def test_score_and_state_are_never_written_to_plezi(key: str, direction: Direction) -> None:
    pair = next(pair for pair in DEFAULT_MAPPING.pairs if pair.key == key)

    problem = only(validated(replace(pair, direction=direction), without=key).problems)
    assert problem.code is IssueCode.ONE_WAY_SPECIAL


def test_a_two_way_function_on_free_text_gives_a_warning() -> None:
    result = validated(FieldPair("function", "Title", BOTH), without="Title")

    assert not result.problems
    warning = only(result.warnings)
    assert warning.code is IssueCode.FUNCTION_FREE_TEXT
    assert saved(result, "Title").direction is BOTH


def test_a_two_way_pair_on_a_picklist_gives_no_free_text_warning() -> None:
    result = validated(FieldPair("size", "any__c", BOTH))
    assert IssueCode.FUNCTION_FREE_TEXT not in {issue.code for issue in result.warnings}


def test_an_unknown_name_is_refused_with_similar_names() -> None:
    result = validated(FieldPair("optuot", "otpout__c", BOTH, contact="Notes"))

    assert [issue.field for issue in result.problems] == ["plezi", "salesforce", "contact"]
    assert {issue.code for issue in result.problems} == {IssueCode.UNKNOWN_NAME}
    plezi, salesforce, contact = result.problems
    assert "did you mean optout" in plezi.remedy
    assert "optout__c" in salesforce.remedy
    assert "note__c" in contact.remedy


def test_a_label_copied_from_the_screen_is_recognized() -> None:
    assert similar_names("Job title", PLEZI)[0] == "function"


def test_a_name_without_similar_names_is_refused_with_a_remedy() -> None:
    problem = only(validated(FieldPair("company", "Zzzzzz", TO_SALESFORCE)).problems)
    assert "create it" in problem.remedy


def test_a_locked_pair_without_its_field_gives_a_warning_and_the_mapping_can_be_saved() -> None:
    lead = {name: field for name, field in LEAD.items() if name != "plezi_url__c"}
    result = validate(DEFAULT_MAPPING, {**SCHEMAS, RecordKind.LEAD: lead})

    assert not result.problems
    assert only(result.warnings).code is IssueCode.UNKNOWN_NAME


def test_two_pairs_on_one_salesforce_field_are_refused_in_any_case() -> None:
    issues = [
        issue
        for issue in validated(FieldPair("mobile", "PHONE", BOTH)).problems
        if issue.field == "salesforce"
    ]
    assert IssueCode.DUPLICATE in {issue.code for issue in issues}


def test_two_pairs_that_write_to_one_attribute_are_refused() -> None:
    problem = only(validated(FieldPair("company", "note__c", BOTH)).problems)
    assert (problem.code, problem.field) == (IssueCode.DUPLICATE, "plezi")
    assert not validated(FieldPair("company", "note__c", TO_SALESFORCE)).problems


@pytest.mark.parametrize("change", [{"placeholder": ""}, {"direction": TO_PLEZI}])
def test_a_field_that_salesforce_requires_needs_a_placeholder(change: dict[str, object]) -> None:
    pair = next(pair for pair in DEFAULT_MAPPING.pairs if pair.key == "Company")

    problem = only(validated(replace(pair, **change), without="Company").problems)  # type: ignore[arg-type]
    assert (problem.code, problem.pair, problem.field) == (
        IssueCode.PLACEHOLDER,
        "Company",
        "placeholder",
    )


def test_an_unmapped_field_that_salesforce_requires_is_reported() -> None:
    problem = only(validated(without="LastName").problems)
    assert (problem.code, problem.pair) == (IssueCode.PLACEHOLDER, "LastName")
    assert "map an attribute" in problem.remedy


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (
            FieldPair("first_name", "score__c", TO_SALESFORCE, placeholder="x" * 11),
            "longer than the 10",
        ),
        (FieldPair("size", "size__c", TO_SALESFORCE, placeholder="huge"), "not in the list"),
        (FieldPair("employees", "employees__c", TO_SALESFORCE, placeholder="few"), "is a number"),
    ],
)
def test_a_placeholder_that_the_field_does_not_accept_is_refused(
    pair: FieldPair, message: str
) -> None:
    problem = only(validated(pair, without=pair.key).problems)
    assert problem.code is IssueCode.PLACEHOLDER
    assert message in problem.message


def test_an_attribute_that_plezi_requires_must_be_written_to_plezi() -> None:
    plezi = {**PLEZI, "first_name": replace(PLEZI["first_name"], required=True)}
    schemas = {**SCHEMAS, RecordKind.PLEZI_CONTACT: plezi}
    kept = tuple(pair for pair in DEFAULT_MAPPING.pairs if pair.plezi != "first_name")

    problem = only(validate(replace(DEFAULT_MAPPING, pairs=kept), schemas).problems)
    assert (problem.code, problem.pair) == (IssueCode.MANDATORY, "first_name")
    assert not validate(DEFAULT_MAPPING, schemas).problems


def test_most_restrictive_requires_checkboxes() -> None:
    consent = FieldPair("optout", "optout__c", BOTH, policy=ConflictPolicy.MOST_RESTRICTIVE)
    assert not validated(consent).problems

    problem = only(
        validated(
            FieldPair("size", "any__c", BOTH, policy=ConflictPolicy.MOST_RESTRICTIVE)
        ).problems
    )
    assert problem.code is IssueCode.POLICY


def test_an_enforced_pair_must_be_one_way() -> None:
    problem = only(validated(FieldPair("optout", "optout__c", BOTH, enforced=True)).problems)
    assert problem.code is IssueCode.ENFORCED


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (FieldPair("size", "size__c", TO_SALESFORCE), "lacks large"),
        (FieldPair("employees", "employees__c", TO_SALESFORCE), "0 decimals"),
    ],
)
def test_a_narrower_field_gives_a_warning(pair: FieldPair, message: str) -> None:
    result = validated(pair)
    warning = only(result.warnings)
    assert warning.code is IssueCode.NARROWER
    assert message in warning.message
    assert not result.problems


def test_a_filter_on_an_unknown_field_is_refused_with_similar_names() -> None:
    problem = only(
        validated(contact_filter=Filter("sync_plezi__c", Operator.EQUALS, "yes")).problems
    )
    assert (problem.code, problem.pair, problem.field) == (
        IssueCode.UNKNOWN_NAME,
        "contact_filter",
        "field",
    )
    assert "sync_to_plezi__c" in problem.remedy

    problem = only(validated(lead_filter=Filter("Stage", Operator.EQUALS, "x")).problems)
    assert problem.pair == "lead_filter"


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
def test_a_filter_that_no_record_can_pass_gives_a_warning(
    field: str, value: str, *, warned: bool
) -> None:
    result = validated(contact_filter=Filter(field, Operator.EQUALS, value))
    assert [issue.code for issue in result.warnings] == [IssueCode.FILTER_VALUE] * warned
    assert not result.problems


def test_a_missing_contact_filter_gives_a_warning() -> None:
    assert only(validated(contact_filter=None).warnings).code is IssueCode.NO_FILTER


def test_all_problems_are_reported_at_once() -> None:
    result = validated(
        FieldPair("optuot", "optout__c", BOTH),
        FieldPair("visited", "visited_on__c", TO_SALESFORCE),
        FieldPair("size", "any__c", BOTH, policy=ConflictPolicy.MOST_RESTRICTIVE),
        without="Email",
    )
    assert {issue.code for issue in result.problems} == {
        IssueCode.UNKNOWN_NAME,
        IssueCode.LOSSY_TYPES,
        IssueCode.POLICY,
        IssueCode.LOCKED,
        IssueCode.MANDATORY,
    }


def test_a_pair_that_is_off_is_not_validated_and_is_removed_if_it_lacks_a_name() -> None:
    result = validated(
        FieldPair("optout", "optout__c", Direction.OFF),
        FieldPair("born", "", Direction.OFF),
        FieldPair("", "note__c", Direction.OFF),
    )
    assert not result.problems
    assert result.mapping.pairs[-1] == FieldPair("optout", "optout__c", Direction.OFF)


def test_unmapped_fields_are_suggested_switched_off_with_their_counterpart() -> None:
    suggested = suggest_pairs(DEFAULT_MAPPING, SCHEMAS)

    assert {pair.direction for pair in suggested} == {Direction.OFF}
    pairs = [(pair.plezi, pair.salesforce) for pair in suggested]
    assert ("optout", "optout__c") in pairs
    assert ("born", "born__c") in pairs
    assert ("interests", "") in pairs  # no Salesforce field has a similar name
    assert pairs[-2:] == [("", "many__c"), ("", "formula__c")]
    assert ("", "note__c") in pairs


def test_no_salesforce_field_is_suggested_twice() -> None:
    fields = [
        pair.salesforce for pair in suggest_pairs(DEFAULT_MAPPING, SCHEMAS) if pair.salesforce
    ]
    assert len(fields) == len(set(fields))


def test_mapped_fields_are_not_suggested() -> None:
    mapping = MappingConfig(
        1, (*DEFAULT_MAPPING.pairs, FieldPair("optout", "optout__c", Direction.OFF)), None
    )
    suggested = suggest_pairs(mapping, SCHEMAS)
    assert not any("optout" in (pair.plezi, pair.salesforce.lower()) for pair in suggested)
