"""the examination of the random workload finds planted losses, and excuses only what it names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.e2e.random_workload import examination
from tests.e2e.random_workload.evidence import Entry, Evidence, FinalPerson, Rules, Typing, Version
from tests.e2e.random_workload.examination import Findings, examine
from tests.e2e.random_workload.fields import PLEZI, SALESFORCE

CONTACT, LEAD = "contact-1", "00Q1"
RECORDS = {PLEZI: CONTACT, SALESFORCE: LEAD}
PHONE = "phone"
KILLED_AT = 50.0


class Story:
    """One field of one person, told step by step; each step takes place ten seconds later."""

    def __init__(self, policy: str = "newest", direction: str = "both", name: str = PHONE) -> None:
        self._name = name
        self._typings: list[Typing] = []
        self._journal: list[Entry] = []
        self._shown = dict.fromkeys(RECORDS, "")
        self._person = FinalPerson(CONTACT, LEAD)
        self._versions = [Version(0.0, {name: Rules(direction, policy)})]
        self._now = 0.0

    def _next(self) -> float:
        self._now += 100.0
        return self._now

    def types(self, side: str, value: str, before: str | None = None) -> Story:
        """Somebody types a value; `before` is what the user saw, if it is not what is shown."""
        now = self._next()
        seen = self._shown[side] if before is None else before
        number = len(self._typings)
        self._typings.append(
            Typing(number, now, now + 1, 1, side, RECORDS[side], self._name, value, seen, "edit")
        )
        self._shown[side] = value
        return self

    def writes(
        self, side: str, value: str, rule: str = "changed", *, after_seconds: float | None = None
    ) -> Story:
        """The connector writes a value, and its journal has it."""
        self._enter("written", side, value, rule, after_seconds)
        self._shown[side] = value
        return self

    def overwrites(self, side: str, value: str, rule: str) -> Story:
        """The connector overwrites a typed value, and its journal has it."""
        self._enter("overwritten", side, value, rule, None)
        self._shown[side] = value
        return self

    def holds(self) -> Story:
        """The field is held, with the values that both records show."""
        for side in RECORDS:
            self._enter("held", side, "", "conflict", None)
        shown = {RECORDS[side]: value for side, value in self._shown.items()}
        self._person = replace(self._person, holds={self._name: shown})
        return self

    def is_mapped(self, policy: str = "newest", direction: str = "both") -> Story:
        """An admin saves a mapping."""
        self._versions.append(Version(self._next(), {self._name: Rules(direction, policy)}))
        return self

    def is_not_mapped(self) -> Story:
        """An admin removes the pair."""
        self._versions.append(Version(self._next(), {}))
        return self

    def _enter(
        self, kind: str, side: str, value: str, rule: str, after_seconds: float | None
    ) -> None:
        at = self._next() if after_seconds is None else self._now + after_seconds
        before = self._shown[side] if after_seconds is None else self._typings[-1].before
        self._journal.append(
            Entry(at, "run", kind, side, RECORDS[side], self._name, before, value, rule)
        )

    def evidence(self) -> Evidence:
        return Evidence(
            tuple(self._typings),
            tuple(self._journal),
            tuple(self._versions),
            {1: self._person},
            {RECORDS[side]: {self._name: value} for side, value in self._shown.items()},
            kills=(KILLED_AT,),
        )

    def examined(self) -> Findings:
        return examine(self.evidence())


def an_edit_that_travels() -> Story:
    return Story().types(PLEZI, "331").writes(SALESFORCE, "331")


def a_conflict() -> Story:
    """Both sides are edited before a run; Salesforce's value is the newest."""
    return Story().types(PLEZI, "331").types(SALESFORCE, "332").overwrites(PLEZI, "332", "newest")


def test_an_edit_that_is_there_on_both_sides_is_explained() -> None:
    findings = an_edit_that_travels().examined()
    assert findings.unexplained == []
    assert findings.explained[examination.THERE] == 1


def test_a_final_value_that_was_changed_is_found() -> None:
    evidence = an_edit_that_travels().evidence()
    for record in (CONTACT, LEAD):
        values = {**evidence.values, record: {PHONE: "339"}}
        assert examine(replace(evidence, values=values)).unexplained, record


def test_a_final_value_that_was_lost_on_both_sides_is_found() -> None:
    evidence = an_edit_that_travels().evidence()
    values = {record: {PHONE: ""} for record in (CONTACT, LEAD)}
    [problem] = examine(replace(evidence, values=values)).unexplained
    assert "'331' of contact-1 (typing 0) became ''" in problem


def test_an_overwritten_value_is_explained_by_the_journal_and_its_line_is_needed() -> None:
    evidence = a_conflict().evidence()
    assert examine(evidence).unexplained == []

    [problem] = examine(replace(evidence, journal=())).unexplained

    assert "'331' of contact-1 (typing 0) became '332'" in problem
    assert "typed 1 in salesforce" in problem


@pytest.mark.parametrize(
    "wrong",
    [
        {"before": "333"},
        {"after": "333"},
        {"record": LEAD},
        {"field": "mobile"},
        {"kind": "held"},
        {"rule": "plezi_wins"},
        {"rule": "salesforce_wins"},
        {"rule": "one_way"},
        {"rule": "edited"},
        {"rule": "chosen"},
        {"rule": "most_restrictive"},
        {"rule": "changed"},
        {"at": 1.0},
    ],
    ids=str,
)
def test_a_journal_line_with_one_wrong_member_explains_nothing(wrong: dict[str, object]) -> None:
    evidence = a_conflict().evidence()
    journal = tuple(replace(it, **wrong) for it in evidence.journal)  # type: ignore[arg-type]
    assert examine(replace(evidence, journal=journal)).unexplained


def test_one_journal_line_explains_one_value() -> None:
    story = a_conflict().types(PLEZI, "331").types(SALESFORCE, "334", before="332")
    findings = story.overwrites(PLEZI, "334", "newest").examined()
    assert findings.unexplained == []
    evidence = story.evidence()
    assert examine(replace(evidence, journal=evidence.journal[:1])).unexplained


def test_a_value_typed_over_on_the_other_side_by_somebody_who_saw_it_is_explained() -> None:
    story = an_edit_that_travels().types(SALESFORCE, "335").writes(PLEZI, "335")
    findings = story.examined()
    assert findings.unexplained == []
    assert findings.explained[examination.SEEN_THERE] == 1


def test_a_value_replaced_by_somebody_who_could_not_see_it_is_found() -> None:
    story = Story().types(PLEZI, "331").types(SALESFORCE, "335").writes(PLEZI, "335")
    assert story.examined().unexplained


def test_a_value_replaced_by_an_older_one_is_found() -> None:
    story = Story().types(SALESFORCE, "330").types(PLEZI, "331").writes(PLEZI, "330")
    assert story.examined().unexplained


def test_different_values_need_a_hold_with_these_values() -> None:
    story = Story("hold").types(PLEZI, "331").types(SALESFORCE, "332")
    assert story.examined().unexplained
    assert story.holds().examined().explained[examination.HELD] == 1
    assert story.types(PLEZI, "336").examined().unexplained


def test_fill_blank_keeps_two_values_and_no_blank() -> None:
    story = Story("fill_blank").types(PLEZI, "331").types(SALESFORCE, "332")
    assert story.examined().explained[examination.TWO_VALUES] == 1
    assert Story("fill_blank").types(PLEZI, "331").examined().unexplained


def test_a_one_way_pair_differs_only_after_an_edit_of_the_receiving_side() -> None:
    story = Story(direction="to_salesforce").types(PLEZI, "331").writes(SALESFORCE, "331")
    assert story.types(SALESFORCE, "332").examined().explained[examination.ONE_WAY] == 1
    assert story.types(PLEZI, "333").examined().unexplained
    assert story.overwrites(SALESFORCE, "333", "one_way").examined().unexplained == []


def test_a_rule_counts_only_while_the_mapping_has_it() -> None:
    def story(policy: str) -> Story:
        first = Story(policy).is_mapped("plezi_wins")
        typed = first.types(PLEZI, "331").types(SALESFORCE, "332")
        return typed.overwrites(SALESFORCE, "331", "plezi_wins")

    assert story("newest").examined().unexplained == []
    ended = Story("plezi_wins").is_mapped("hold").types(PLEZI, "331").types(SALESFORCE, "332")
    assert ended.overwrites(SALESFORCE, "331", "plezi_wins").examined().unexplained


def test_a_cleared_field_is_filled_only_where_the_pair_was_not_mapped() -> None:
    agreed = an_edit_that_travels()
    unmapped = agreed.is_not_mapped().types(PLEZI, "").is_mapped().writes(PLEZI, "331")
    assert unmapped.examined().explained[examination.FILLED] == 1

    mapped = an_edit_that_travels().types(PLEZI, "").writes(PLEZI, "331")
    assert mapped.examined().unexplained


def test_a_write_that_was_planned_before_the_typing_is_counted_as_a_crossing() -> None:
    story = Story().types(SALESFORCE, "330").types(PLEZI, "331")
    crossed = story.writes(PLEZI, "330", after_seconds=2.0).examined()
    assert crossed.unexplained == []
    assert crossed.explained[examination.LAST_READING] == 1

    late = Story().types(SALESFORCE, "330").types(PLEZI, "331")
    assert late.writes(PLEZI, "330", after_seconds=60.0).examined().unexplained


def test_a_write_that_rests_on_a_reading_from_before_the_typing_is_counted_as_a_crossing() -> None:
    def written(after_seconds: float, *read_after_seconds: float) -> Findings:
        story = Story().types(SALESFORCE, "330").types(PLEZI, "331")
        story.writes(PLEZI, "330", after_seconds=after_seconds)
        evidence = story.evidence()
        typed = evidence.typings[-1].ended
        readings = [typed + it for it in (-30.0, *read_after_seconds)]
        return examine(replace(evidence, readings={CONTACT: readings}))

    assert written(40.0).explained[examination.LAST_READING] == 1
    assert written(40.0, 60.0).unexplained == []
    assert written(40.0, 20.0).unexplained, "it was read with what was typed"
    assert written(90.0).unexplained, "the reading was too old"


def test_a_write_of_a_killed_worker_took_place_before_its_line_in_the_journal() -> None:
    """The line comes 40 s after the typing; the next worker had read the record after 20 s."""

    def written(*killed_after_seconds: float) -> Findings:
        story = Story().types(SALESFORCE, "330").types(PLEZI, "331")
        evidence = story.writes(PLEZI, "330", after_seconds=40.0).evidence()
        typed = evidence.typings[-1].ended
        kills = tuple(typed + it for it in killed_after_seconds)
        readings = {CONTACT: [typed - 30.0, typed + 20.0]}
        return examine(replace(evidence, readings=readings, kills=kills))

    found = written(10.0)
    assert found.unexplained == []
    assert found.explained[examination.LAST_READING] == 1
    for others in ((), (-10.0,), (30.0,), (50.0,)):
        assert written(*others).unexplained


def chosen_in_a_one_way_pair() -> Story:
    """An admin chooses Salesforce's value; Plezi keeps its own, as the pair goes to Salesforce."""
    story = Story(direction="to_salesforce").types(PLEZI, "330").types(SALESFORCE, "331")
    return story.overwrites(PLEZI, "330", "chosen")


def test_a_chosen_value_is_replaced_by_what_is_typed_after_the_choice() -> None:
    edited = chosen_in_a_one_way_pair().types(PLEZI, "332").writes(SALESFORCE, "332")
    assert edited.examined().explained[examination.DECIDED_BEFORE] == 1
    assert edited.examined().unexplained == []

    silent = edited.evidence()
    silent = replace(silent, journal=silent.journal[:1])
    assert examine(silent).unexplained

    without_choice = edited.evidence()
    without_choice = replace(without_choice, journal=without_choice.journal[1:])
    assert examine(without_choice).unexplained

    by_nobody = chosen_in_a_one_way_pair().writes(SALESFORCE, "330")
    assert by_nobody.examined().unexplained


def test_the_agreed_value_typed_again_looks_unchanged_only_if_no_run_was_between() -> None:
    unseen = (
        an_edit_that_travels().types(PLEZI, "337").types(SALESFORCE, "").types(SALESFORCE, "331")
    )
    findings = unseen.writes(SALESFORCE, "337").examined()
    assert findings.unexplained == []
    assert findings.explained[examination.TYPED_BACK] == 1

    seen = an_edit_that_travels().types(SALESFORCE, "").writes(PLEZI, "").types(PLEZI, "337")
    again = seen.types(SALESFORCE, "331").writes(SALESFORCE, "337")
    assert again.examined().unexplained


def test_a_lost_opt_out_is_found() -> None:
    story = Story("most_restrictive", name="newsletter_optout").types(PLEZI, "yes")
    assert story.examined().unexplained
    assert story.writes(SALESFORCE, "yes").examined().unexplained == []
    assert story.writes(SALESFORCE, "").writes(PLEZI, "").examined().unexplained


def test_a_person_without_a_record_on_one_side_is_found_unless_its_creation_was_refused() -> None:
    evidence = Story().types(PLEZI, "331").evidence()
    person = FinalPerson(CONTACT, "")
    [problem] = examine(replace(evidence, people={1: person})).unexplained
    assert problem == "person 1: no record in salesforce"

    refused = replace(person, refused=frozenset({"last_name"}))
    findings = examine(replace(evidence, people={1: refused}))
    assert findings.unexplained == []
    assert findings.explained[examination.NOT_CREATED] == 1


def test_a_second_record_of_a_person_is_found() -> None:
    evidence = an_edit_that_travels().evidence()
    person = FinalPerson(CONTACT, LEAD, problems=("a second record 00Q2",))
    assert examine(replace(evidence, people={1: person})).unexplained == [
        "person 1: a second record 00Q2"
    ]
