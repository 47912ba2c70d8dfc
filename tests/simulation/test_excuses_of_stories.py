"""The excuses of stories: each holds where a rule is documented, and not for a fault beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import pytest

from connector.mapping import ConflictPolicy, Direction, DuplicatePolicy, FieldKind
from connector.model import MergeRule, Overwritten, RecordKind, Value
from tests.simulation.stories import excuses, open_findings, silent_excuses
from tests.simulation.stories.configuration import Configuration
from tests.simulation.stories.excuses import Excuse
from tests.simulation.stories.final_check import check_final, check_journal
from tests.simulation.stories.person import Loss, Person, ViolationError
from tests.simulation.stories.story import Act, do
from tests.simulation.stories.written_value import WrittenValue

ANY: Final = Configuration()
HOLD: Final = Configuration(ConflictPolicy.HOLD)
PLEZI_WINS: Final = Configuration(ConflictPolicy.PLEZI_WINS)
SALESFORCE_WINS: Final = Configuration(ConflictPolicy.SALESFORCE_WINS)
FILL_BLANK: Final = Configuration(ConflictPolicy.FILL_BLANK)
OPT_OUT: Final = Configuration(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)
TO_PLEZI: Final = Configuration(direction=Direction.TO_PLEZI)
TO_SALESFORCE: Final = Configuration(direction=Direction.TO_SALESFORCE)
ONE_WAY_HOLD: Final = Configuration(ConflictPolicy.HOLD, direction=Direction.TO_PLEZI)
SURVIVOR: Final = Configuration(ConflictPolicy.HOLD, duplicates=DuplicatePolicy.SURVIVOR)
CUSTOM: Final = Configuration(is_custom=True)


def story(text: str, key: str = "Phone") -> list[Act]:
    """Return acts: `+l1` creates blank, `+l1!` with a value, `l1!` types, `l1-` clears a field."""
    acts: list[Act] = []
    for word in text.split():
        if word.startswith("+"):
            acts.append(("create", word[1:].rstrip("!"), key if word.endswith("!") else ""))
        elif word.endswith(("!", "-")):
            acts.append(("type", word[:-1], key, "new" if word.endswith("!") else "blank"))
        else:
            acts.append(tuple(word.split(":")))
    return acts


def person_after(configuration: Configuration, text: str) -> Person:
    person = Person(configuration)
    for act in story(text, configuration.keys[0]):
        do(person, act)
    return person


def written(configuration: Configuration, text: str, write: str) -> WrittenValue:
    """Return a write, such as `p1<l1`, that a planner might do after a story."""
    person = person_after(configuration, text)
    person.read()
    repeated = person.recover()
    target, source = write.split("<")
    key = person.configuration.keys[0]
    before = {it: person.records.state(it, key) for it in person.records.by_id}
    new = before[source].value
    return WrittenValue(person, person.plan(repeated), key, target, source, new, before)


@dataclass(frozen=True)
class Case:
    """One excuse: a story and a write for which it holds, and those of a fault beside it."""

    excuse: Excuse
    configuration: Configuration
    holds: tuple[str, str]
    fault: tuple[str, str]
    other: Configuration | None = None


AGREED: Final = "+p1! +l1 +l2 run"
OWN_VALUES: Final = "+l2! run +l1! +c1!"
CASES: Final = (
    Case(
        silent_excuses.is_weak_blank,
        ANY,
        ("+p1! +l1 run p1- run delete:p1 +p2!", "l1<p2"),
        ("+p1! +l1 run delete:p1 l1- +p2!", "l1<p2"),
    ),
    Case(
        silent_excuses.is_typed_over,
        SALESFORCE_WINS,
        (f"{AGREED} p1! l2!", "l1<l2"),
        (f"{AGREED} p1! l2!", "l1<l2"),
        PLEZI_WINS,
    ),
    Case(
        silent_excuses.joins_agreed_blank,
        ANY,
        ("+p1! +l1 run p1- run +l2!", "p1<l2"),
        ("+p1! +l1 run p1- +l2!", "p1<l2"),
    ),
    Case(
        silent_excuses.is_later_edit_over_blank,
        ANY,
        ("+p1! +l1 +c1 run p1- run c1!", "p1<c1"),
        ("+p1! +l1 +c1 run c1! p1-", "p1<c1"),
    ),
    Case(
        silent_excuses.is_chosen_over_blank,
        ONE_WAY_HOLD,
        (f"{OWN_VALUES} l2- run c1! run choose:Phone:l1", "pz1<l1"),
        (f"{OWN_VALUES} l2- run c1! run choose:Phone:l1 pz1! run pz1-", "pz1<l1"),
    ),
    Case(
        silent_excuses.refills_agreed_blank,
        ANY,
        ("+p1! +l1 run p1- run policy:fill_blank +l2!", "p1<l2"),
        ("+p1! +l1 run p1- policy:fill_blank +l2!", "p1<l2"),
    ),
    Case(
        silent_excuses.is_seen_elsewhere,
        ANY,
        (f"{AGREED} l1- clear_email:l1 p1- run l2! set_email:l1", "l1<l2"),
        (f"{AGREED} l1- clear_email:l1 run l2! set_email:l1", "l1<l2"),
    ),
    Case(
        silent_excuses.fills_after_pointing,
        HOLD,
        ("+l1! +p2! run p2- point run point", "p2<l1"),
        ("+l1! +p2! run p2-", "p2<l1"),
    ),
    Case(
        excuses.is_typed_after_conversion,
        CUSTOM,
        (f"{AGREED} convert:l1:flagged cl1!", "p1<cl1"),
        (f"{AGREED} convert:l1:flagged cl1! p1!", "p1<cl1"),
    ),
    Case(
        excuses.is_chosen,
        HOLD,
        ("+p1! +l1! run choose:Phone:p1", "l1<p1"),
        ("+p1! +l1! run choose:Phone:p1 l1!", "l1<p1"),
    ),
    Case(
        excuses.is_repeated,
        ANY,
        ("+p1! +l1 run:arrived:l1 l1-", "l1<p1"),
        ("+p1! +l1 run:arrived:l1 l1!", "l1<p1"),
    ),
    Case(
        excuses.is_of_new_policy,
        HOLD,
        ("+p1! +l1! run policy:salesforce_wins", "p1<l1"),
        ("+p1! +l1! run policy:salesforce_wins p1!", "p1<l1"),
    ),
    Case(
        excuses.fills_at_first_meeting,
        ANY,
        ("+p1! p1- +l1!", "p1<l1"),
        ("+p1! +l1 run p1- l1!", "p1<l1"),
    ),
    Case(
        excuses.is_receiving_side,
        TO_PLEZI,
        ("+p1! +l1!", "p1<l1"),
        ("+p1! +l1!", "p1<l1"),
        TO_SALESFORCE,
    ),
    Case(
        excuses.is_left_with_contacts,
        ANY,
        ("+p1! +c1!", "p1<c1"),
        ("+p1! +c1! +l1", "p1<c1"),
    ),
    Case(
        excuses.is_left_with_contacts,
        ANY,
        ("+p1! +c1! run c1! p1!", "p1<c1"),
        ("+p1 +c1! run p1!", "p1<c1"),
    ),
    Case(excuses.fills_by_policy, FILL_BLANK, ("+p1 +l1!", "p1<l1"), ("+p1! +l1!", "p1<l1")),
    Case(excuses.ticks_by_policy, OPT_OUT, ("+p1 +l1!", "p1<l1"), ("+p1! +l1", "p1<l1")),
    Case(
        excuses.meets_again,
        ANY,
        ("+p1! +l1 run delete:p1 +p2!", "p2<l1"),
        ("+p1! +l1 run delete:p1 +p2! run p2!", "p2<l1"),
    ),
    Case(
        excuses.is_later_edit,
        ANY,
        ("+p1! +l1 +c1! run c1!", "p1<c1"),
        ("+p1! +l1 +c1! run c1! p1!", "p1<c1"),
    ),
    Case(
        excuses.is_later_edit,
        TO_PLEZI,
        ("+l1! +l2! run l2!", "pz1<l2"),
        ("+l1! +l2! run l2!", "pz1<l2"),
        ANY,
    ),
    Case(
        excuses.is_taken_for_another,
        SALESFORCE_WINS,
        ("+l1! run:arrived:new pz1!", "pz1<l1"),
        ("+l1! run pz1!", "pz1<l1"),
    ),
    Case(
        excuses.joins,
        CUSTOM,
        (f"{AGREED} convert:l1:flagged cl1! +l3!", "l3<cl1"),
        (f"{AGREED} convert:l1:flagged cl1! l2!", "l2<cl1"),
    ),
    Case(
        excuses.joins_by_merge,
        SURVIVOR,
        ("+l1 +l2! +c1! run merge:l2:l1 l2-", "l2<pz1"),
        ("+l1 +l2! +c1! run l2-", "l2<pz1"),
    ),
    Case(
        silent_excuses.fills_own_blank,
        TO_PLEZI,
        ("+p1! +l1 +c1 run c1! flag:c1 p1- run flag:c1", "p1<c1"),
        ("+p1! +l1 +c1! run c1! flag:c1 p1- run flag:c1", "p1<c1"),
    ),
    Case(
        excuses.is_unsent_edit_of_contact,
        ANY,
        ("+p1! +l1 +c1 run c1! flag:c1 p1- run flag:c1", "p1<c1"),
        ("+p1! +l1 +c1! run c1! flag:c1 p1- run flag:c1", "p1<c1"),
    ),
    Case(
        excuses.is_unread_edit_of_contact,
        PLEZI_WINS,
        ("+p1! +l1 +c1! run c1! p1! flag:c1 run flag:c1", "p1<c1"),
        ("+p1! +l1 +c1! run c1! p1! run", "p1<c1"),
    ),
    Case(
        excuses.is_shown_before,
        HOLD,
        ("+p1! +l1! +l2 +c1! run clear_email:l1 run l2! set_email:l1", "l1<l2"),
        ("+p1! +l1! +l2 +c1! run clear_email:l1 run l2! set_email:l1 l1!", "l1<l2"),
    ),
    Case(
        excuses.is_decided_before,
        SALESFORCE_WINS,
        ("+l1! +l2! run:refused:l2 merge:l2:l1", "l2<pz1"),
        ("+l1! +l2! run:refused:l2 l2! merge:l2:l1", "l2<pz1"),
    ),
    Case(
        open_findings.open_fill_by_merge,
        SALESFORCE_WINS,
        (f"{AGREED} clear_email:l2 p1- run merge:l1:l2", "p1<l1"),
        (f"{AGREED} clear_email:l2 p1- run l1! merge:l1:l2", "p1<l1"),
    ),
    Case(
        open_findings.open_newest_after_conversion,
        ANY,
        (f"{AGREED} l1! convert:l2:flagged", "l1<p1"),
        (f"{AGREED} l1! clear_email:l2", "l1<p1"),
    ),
    Case(excuses.joins, ANY, ("+p1! +l1 run +l2!", "l2<p1"), (f"{AGREED} l2!", "l2<p1")),
    Case(
        excuses.rejoins,
        ANY,
        (f"{AGREED} clear_email:l2 p1! run set_email:l2", "l2<p1"),
        (f"{AGREED} clear_email:l2 p1! run l2! set_email:l2", "l2<p1"),
    ),
    Case(excuses.is_later_lead, ANY, ("+p1 +l1! +l2!", "l2<l1"), ("+p1 +l1! +l2!", "l1<l2")),
    Case(excuses.wins_by_policy, PLEZI_WINS, ("+p1! +l1!", "l1<p1"), ("+p1! +l1!", "p1<l1")),
    Case(excuses.wins_by_policy, ANY, ("+p1! +l1!", "p1<l1"), ("+l1! +p1!", "p1<l1")),
    Case(
        open_findings.open_edit_after_redirection,
        TO_PLEZI,
        ("+l1! +l2! run direction:both l2!", "pz1<l2"),
        ("+l1! +l2! run direction:both l2! pz1!", "pz1<l2"),
    ),
    Case(
        open_findings.open_contact_of_hold,
        HOLD,
        ("+p1 +l1 +c1! run p1- l1! run clear_email:l1", "p1<c1"),
        ("+p1 +l1 +c1! run p1- l1! run", "p1<c1"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.excuse.__name__)
def test_an_excuse_holds_for_its_rule_only(case: Case) -> None:
    assert case.excuse(written(case.configuration, *case.holds))
    assert not case.excuse(written(case.other or case.configuration, *case.fault))


def test_every_excuse_has_a_case() -> None:
    names = {case.excuse for case in CASES}
    assert {*silent_excuses.SILENT, *excuses.ANY_ORDER, *excuses.CONFLICT} <= names


# The state after a run


def show(person: Person, record: str, what: str) -> None:
    """Let a record show another typing, as if a run had read it and forgotten it."""
    person.records.type(record, person.configuration.keys[0], what)


def problem(person: Person) -> str:
    try:
        check_final(person, person.plan())
    except ViolationError as error:
        return str(error).partition(":")[0]
    return ""


def journal(person: Person, record: str, value: Value) -> None:
    key = person.configuration.keys[0]
    kind = person.records.by_id[record].kind
    person.journal.append(Overwritten(kind, record, key, value, "", MergeRule.NEWEST))


def test_one_edit_of_what_all_agreed_on_may_not_be_held() -> None:
    person = person_after(HOLD, "+p1! +l1 run p1!")
    person.read()
    two_edits = person_after(HOLD, "+p1! +l1 run p1! l1! run")
    hold = two_edits.link.holds["Phone"]
    assert problem(two_edits) == ""
    values = {"p1": person.records.state("p1", "Phone").value, "l1": "t1"}
    person.link = replace(person.link, holds={"Phone": replace(hold, values=values)})
    assert problem(person) == "hold"


def test_a_lead_may_not_differ() -> None:
    person = person_after(ANY, "+p1! +l1 run")
    assert problem(person) == ""
    show(person, "l1", "new")
    assert problem(person) == "differs"


@pytest.mark.parametrize(
    ("configuration", "text", "record"),
    [
        (TO_PLEZI, "+p1! +l1 run", "l1"),
        (TO_SALESFORCE, "+p1! +l1 run", "p1"),
        (ANY, "+p1! +l1 +c1! run", "c1"),
    ],
)
def test_a_value_that_is_not_sent_needs_its_entry_in_the_journal(
    configuration: Configuration, text: str, record: str
) -> None:
    person = person_after(configuration, text)
    assert problem(person) == ""
    show(person, record, "new")
    assert problem(person) == "not sent"
    journal(person, record, "another value")
    assert problem(person) == "not sent"
    journal(person, record, person.records.state(record, "Phone").value)
    assert problem(person) == ""


def test_what_is_typed_later_on_the_receiving_side_stays_there() -> None:
    person = person_after(TO_SALESFORCE, "+p1! +l1 run p1!")
    show(person, "l1", "new")
    assert problem(person) == ""
    show(person, "p1", "new")
    assert problem(person) == "not sent"


def test_a_clearing_outside_the_filter_is_not_known() -> None:
    person = person_after(TO_PLEZI, "+p1! +l1! run flag:l1 l1-")
    assert problem(person) == ""
    show(person, "l1", "new")
    person.records.flag("l1")
    person.read()
    show(person, "l1", "blank")
    assert problem(person) == "not sent"


def test_the_contact_of_a_lead_that_agreed_with_a_former_contact_may_differ() -> None:
    left = "+p1 +l1 run l1! convert:l1:unflagged run"
    person = person_after(PLEZI_WINS, f"{left} +l2! delete:p1 +p2! run flag:cl1 run")
    assert problem(person) == ""
    assert person.counts["open: kept_by_contact"] > 0
    known = person_after(PLEZI_WINS, "+p1! +l1 +l2 run convert:l1:flagged run")
    show(known, "cl1", "new")
    assert problem(known) == "not sent"


def test_a_contact_may_be_cleared_of_its_own_value_only() -> None:
    own = person_after(PLEZI_WINS, "+p1! +l1 +c1! run")
    show(own, "c1", "blank")
    assert problem(own) == ""
    shared = person_after(ANY, "+p1 +l1 +c1! run")
    show(shared, "c1", "blank")
    assert problem(shared) == "not sent"


def test_fill_blank_leaves_two_values_and_no_blank_of_a_lead() -> None:
    assert problem(person_after(FILL_BLANK, "+p1! +l1! run")) == ""
    person = person_after(FILL_BLANK, "+p1! +l1 run")
    show(person, "l1", "blank")
    assert problem(person) == "differs"


def test_a_ticked_opt_out_may_not_stay_on_one_side() -> None:
    person = person_after(OPT_OUT, "+p1 +l1 +c1 run")
    show(person, "c1", "new")
    assert problem(person) == "not sent"
    ticked = person_after(OPT_OUT, "+p1! +l1 +c1! run")
    show(ticked, "c1", "blank")
    assert problem(ticked) == ""


def test_a_clearing_clears_nothing_in_a_record_that_never_agreed() -> None:
    text = "+p1! run direction:to_salesforce p1- run +l3! run"
    assert problem(person_after(HOLD, text)) == ""
    known = person_after(TO_SALESFORCE, "+p1! +l1 run")
    show(known, "p1", "blank")
    assert problem(known) == "not sent"


def test_values_may_differ_after_a_redirection_until_somebody_types() -> None:
    text = "+p1 direction:to_plezi +l1 run l1! +l2 run direction:both run"
    person = person_after(ANY, text)
    assert problem(person) == ""
    show(person, "p1", "new")
    assert problem(person) == "differs"


def test_a_last_edit_of_a_converted_lead_may_not_stay_there() -> None:
    person = person_after(CUSTOM, "+p1! +l1 run")
    show(person, "l1", "new")
    do(person, ("convert", "l1", "unflagged"))
    person.read()
    assert problem(person) == "last edit"
    journal(person, "l1", person.records.state("l1", "Phone__c").value)
    assert problem(person) == ""


def test_a_hold_shows_what_the_records_have_and_has_a_reason() -> None:
    person = person_after(HOLD, "+p1! +l1! run")
    assert problem(person) == ""
    show(person, "l1", "new")
    assert problem(person) == "hold"
    unreasoned = person_after(HOLD, "+p1! +l1! run")
    unreasoned.policies = {ConflictPolicy.NEWEST}
    assert problem(unreasoned) == "hold"


def test_the_journal_must_have_each_loss_once_no_write_is_unfinished() -> None:
    person = person_after(ANY, "+p1! +l1 run")
    state = person.records.state("p1", "Phone")
    person.losses.append(Loss("p1", "Phone", state, 0))
    with pytest.raises(ViolationError, match="journal"):
        check_journal(person)
    journal(person, "p1", state.value)
    check_journal(person)
    assert person.losses == []
    person.losses.append(Loss("p1", "Phone", state, len(person.journal)))
    with pytest.raises(ViolationError, match="journal"):
        check_journal(person)


def test_a_record_outside_the_filter_shows_its_opt_outs_only() -> None:
    person = person_after(ANY, "+p1! +l1! flag:l1")
    assert person.records.observe(person.records.by_id["l1"]).values == {}
    opt_out = person_after(OPT_OUT, "+p1 +l1! flag:l1")
    assert opt_out.records.observe(opt_out.records.by_id["l1"]).values == {"Phone": True}
    assert opt_out.records.by_id["l1"].kind is RecordKind.LEAD
