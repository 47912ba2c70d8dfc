"""The writes of a unit: in which order they are sent, and what each outcome leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError, StopReason
from connector.log_events import Event
from connector.model import (
    Counts,
    JournalKind,
    ProblemCode,
    Side,
)
from connector.planning.field_problem import FieldProblem
from connector.planning.write_outcome import WriteResult
from connector.sync.isolation import Fault
from connector.sync.write_stage import StageResult
from tests.unit.connector.sync_fixtures import (
    BOUND,
    CONTACT,
    EMAIL,
    EMAIL_BASE,
    LEAD,
    MAPPING,
    OTHER,
    PHONE,
    PHONE_BASE,
    PHONE_PAIR,
    RUN,
    after,
    agreed,
    always,
    answer,
    bound_to,
    contact,
    lead,
    raising,
)
from tests.unit.connector.sync_fixtures_stores import NOW, Journal, Log
from tests.unit.connector.sync_fixtures_writes import NEW, TO_CONTACT, TO_LEAD, Stage, edited

BUSY: Final = {"code": "UNABLE_TO_LOCK_ROW", "remedy": "wait"}
REFUSED: Final = {"code": "INVALID", "remedy": "correct it", "fields": ("Phone",)}


# Writes that are done


def test_nothing_is_sent_without_a_plan() -> None:
    stage = Stage()

    assert stage.work() == StageResult()
    assert (stage.sync.org.calls, stage.sync.ledger.saves, stage.numbers) == (0, [], {})


def test_a_write_that_is_done_is_agreed_counted_and_in_the_journal() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)

    assert stage.work() == StageResult(wrote=True)
    link = stage.link()
    assert (link.intent, link.dirty) == (None, False)
    assert {it: values[PHONE_BASE] for it, values in link.base.items()} == {CONTACT: "2", LEAD: "2"}
    assert stage.numbers == {("salesforce", "updated"): 1}
    assert stage.entries() == [(JournalKind.WRITTEN, LEAD, PHONE, "2", "changed")]
    (entry,) = stage.sync.journal.entries()
    assert (entry.email, entry.at, entry.run_id) == (EMAIL, NOW, RUN)
    assert stage.sync.ledger.saves == [([EMAIL], True)]


def test_the_link_of_a_form_is_on_no_list() -> None:
    stage = Stage(listed=False)
    stage.intend(TO_LEAD)

    stage.work()

    assert stage.sync.ledger.saves == [([EMAIL], False)]


def test_salesforce_is_written_to_before_plezi() -> None:
    stage = Stage()
    stage.intend(TO_CONTACT)
    stage.intend(edited(OTHER, plezi="2"))
    order: list[tuple[int, int]] = []

    def note() -> None:
        order.append((len(stage.sync.org.writes), len(stage.sync.plezi.writes)))

    stage.sync.org.then["apply"].append(note)
    stage.sync.plezi.then["apply"].append(note)

    assert stage.work() == StageResult(wrote=True)
    assert order == [(1, 0), (1, 1)]
    assert stage.numbers == {("salesforce", "updated"): 1, ("plezi", "updated"): 1}


def test_the_outcomes_of_both_systems_are_recorded_on_one_link() -> None:
    records = (contact(EMAIL), lead(EMAIL, "2", id="l1", version="2"), lead(EMAIL, id="l2"))
    base = {it.id: {PHONE_BASE: "1", EMAIL_BASE: EMAIL} for it in records}
    stage = Stage()
    stage.intend(replace(agreed(EMAIL, "1", *records), base=base, dirty=True))

    assert stage.work() == StageResult(wrote=True)
    assert {it: of_record[PHONE_BASE] for it, of_record in stage.link().base.items()} == {
        CONTACT: "2",
        "l1": "2",
        "l2": "2",
    }
    assert stage.numbers == {("salesforce", "updated"): 1, ("plezi", "updated"): 1}


def test_a_system_without_a_write_is_not_called() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.plezi.then["apply"].append(raising(ValueError("called")))

    stage.work()

    assert (stage.sync.org.calls, stage.sync.plezi.calls) == (1, 0)


def test_the_link_of_a_lead_that_was_created_is_clean_at_once() -> None:
    stage = Stage()
    stage.intend(NEW)

    assert stage.work() == StageResult(wrote=True)
    link = stage.link()
    assert (link.dirty, link.intent, set(link.record_ids)) == (False, None, {CONTACT, LEAD})
    assert stage.numbers == {("salesforce", "created"): 1}


def test_a_link_that_changed_beside_a_creation_stays_dirty() -> None:
    stage = Stage()
    stage.intend(NEW)
    stage.sync.ledger.before_save.append(
        lambda: stage.sync.ledger.touch(EMAIL, plezi=contact(EMAIL, "9", version="2"))
    )

    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)
    assert (stage.link().dirty, stage.link().intent) == (True, None)


def test_what_a_write_cleared_and_overwrote_is_counted_by_field() -> None:
    stage = Stage()
    stage.intend(edited(plezi=None))
    stage.intend(edited(OTHER, plezi="2", salesforce="3"))

    stage.work()

    assert stage.numbers == {
        ("salesforce", "updated"): 1,
        ("plezi", "updated"): 1,
        ("salesforce", "cleared.Phone"): 1,
        ("salesforce", "cleared"): 1,
        ("plezi", "overwritten.Phone"): 1,
        ("plezi", "overwritten"): 1,
    }


def test_the_values_of_an_undo_are_counted_and_the_rest_stays_dirty() -> None:
    stage = Stage()
    stage.intend(TO_LEAD, is_partial=True, stays_dirty=True)

    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)
    assert stage.numbers == {("salesforce", "updated"): 1, ("salesforce", "undone"): 1}
    assert stage.link().dirty


def test_the_link_of_an_undo_with_nothing_else_to_do_is_clean() -> None:
    stage = Stage()
    stage.intend(TO_LEAD, is_partial=True)

    assert stage.work() == StageResult(wrote=True)
    assert not stage.link().dirty


def test_the_link_of_an_undo_whose_write_waits_stays_dirty() -> None:
    stage = Stage()
    stage.intend(TO_LEAD, is_partial=True)
    stage.sync.org.answers[LEAD].append(answer(WriteResult.RETRY))

    assert stage.work() == StageResult(dirty={EMAIL})


def test_an_attribute_that_another_pair_reads_is_news_for_it() -> None:
    twice = replace(PHONE_PAIR, salesforce="MobilePhone", direction=PHONE_PAIR.direction)
    stage = Stage(bound_to(*MAPPING.pairs, twice))
    link = edited(salesforce="2")
    both = {it.id: replace(it, values={**it.values, "MobilePhone": "1"}) for it in link.salesforce}
    base = {it: {**values, "phone>MobilePhone": "1"} for it, values in link.base.items()}
    stage.intend(replace(link, salesforce=tuple(both.values()), base=base))

    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)


def test_an_attribute_of_several_pairs_that_was_not_written_is_no_news() -> None:
    twice = replace(PHONE_PAIR, salesforce="MobilePhone")
    stage = Stage(bound_to(*MAPPING.pairs, twice))
    stage.intend(TO_LEAD, BOUND)

    assert stage.work() == StageResult(wrote=True)
    assert not stage.link().dirty


# Writes that wait


def test_a_write_that_a_system_cannot_do_now_is_counted_and_shown_in_the_run() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.org.answers[LEAD].append(answer(WriteResult.RETRY, **BUSY))

    assert stage.work() == StageResult(dirty={EMAIL})
    assert stage.numbers == {("salesforce", "retry"): 1}
    assert stage.sync.run().error == "UNABLE_TO_LOCK_ROW: wait"
    assert (stage.link().dirty, stage.entries()) == (True, [])


@pytest.mark.parametrize(
    ("result", "changes", "listed"),
    [
        (WriteResult.RETRY, {**BUSY, "code": ""}, True),
        (WriteResult.RETRY, {**BUSY, "remedy": ""}, True),
        (WriteResult.STALE, BUSY, True),
        (WriteResult.RETRY, BUSY, False),
    ],
    ids=["no code", "no remedy", "no waiting", "the write of a form"],
)
def test_a_reason_to_wait_is_shown_only_where_it_helps(
    result: WriteResult, changes: dict[str, Any], *, listed: bool
) -> None:
    stage = Stage(listed=listed)
    stage.intend(TO_LEAD)
    stage.sync.org.answers[LEAD].append(answer(result, **changes))

    assert stage.work().dirty == {EMAIL}
    assert stage.sync.run().error == ""


def test_the_first_reason_to_wait_is_shown() -> None:
    stage = Stage()
    for email in (EMAIL, OTHER, "c@x.fr"):
        stage.intend(edited(email, plezi="2"))
    stage.sync.org.answers[LEAD].append(answer(WriteResult.RETRY))
    for number, email in ((1, OTHER), (2, "c@x.fr")):
        busy = {**BUSY, "code": f"BUSY_{number}"}
        stage.sync.org.answers[f"l-{email}"].append(answer(WriteResult.RETRY, **busy))

    stage.work()

    assert stage.sync.run().error == "BUSY_1: wait"


def test_a_write_that_is_not_sent_waits_for_another_invocation() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.intend(edited(OTHER, plezi="2"))
    stage.sync.org.max_outcomes = 1

    assert stage.work() == StageResult(dirty={OTHER}, wrote=True, unsent=True)
    assert (stage.link().dirty, stage.link(OTHER).dirty, stage.link(OTHER).intent) == (
        False,
        True,
        None,
    )
    assert stage.numbers == {("salesforce", "updated"): 1, ("salesforce", "retry"): 1}


def test_writes_to_plezi_end_when_the_time_is_used_up() -> None:
    stage = Stage()
    people = [f"{number}@x.fr" for number in range(4)]
    for email in people:
        stage.intend(edited(email, salesforce="2"))

    assert stage.work(after(1)) == StageResult(dirty={*people[2:]}, wrote=True, unsent=True)
    assert [write.email for write in stage.sync.plezi.writes] == people[:2]


def test_writes_to_salesforce_do_not_end_when_the_time_is_used_up() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.intend(edited(OTHER, plezi="2"))

    assert stage.work(always) == StageResult(wrote=True)


def test_the_last_write_to_plezi_needs_no_more_time() -> None:
    stage = Stage()
    stage.intend(TO_CONTACT)
    stage.sync.plezi.answers[CONTACT].append(
        answer(WriteResult.REJECTED, **{**REFUSED, "fields": ()})
    )

    assert not stage.work(raising(ValueError("asked"))).unsent


def test_what_is_known_is_recorded_when_a_system_accepts_no_more_calls() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.intend(edited(OTHER, plezi="2"))
    stage.intend(edited("c@x.fr", salesforce="2"))
    halt = HaltError(StopReason.SALESFORCE_REFUSED, "no more")
    stage.sync.org.then["apply"] += [list, raising(halt)]

    with pytest.raises(HaltError, match="no more"):
        stage.work()

    assert (stage.link().dirty, stage.link().intent) == (False, None)
    for email in (OTHER, "c@x.fr"):
        assert (stage.link(email).dirty, stage.link(email).intent) == (True, None)
    assert stage.sync.plezi.writes == []
    assert stage.numbers == {
        ("salesforce", "updated"): 1,
        ("salesforce", "retry"): 1,
        ("plezi", "retry"): 1,
    }


# Unknown outcomes


def test_a_write_without_a_response_is_in_doubt_and_counts_what_it_may_have_changed() -> None:
    stage = Stage()
    stage.intend(edited(plezi=None))
    stage.sync.org.answers[LEAD].append(answer(WriteResult.UNKNOWN))

    assert stage.work() == StageResult(dirty={EMAIL})
    link = stage.link()
    assert link.intent is not None
    assert (link.intent.in_doubt, link.unanswered, link.quarantine) == (True, 1, None)
    assert stage.numbers == {
        ("salesforce", "unknown"): 1,
        ("salesforce", "cleared"): 1,
        ("salesforce", "cleared.Phone"): 1,
    }


@pytest.mark.parametrize(("before", "quarantined"), [(1, 0), (2, 1), (3, 0)])
def test_the_third_write_without_a_response_shows_the_link_to_an_admin(
    before: int, quarantined: int
) -> None:
    stage = Stage()
    stage.intend(replace(TO_LEAD, unanswered=before))
    stage.sync.org.answers[LEAD].append(
        answer(WriteResult.UNKNOWN, code=ProblemCode.UNANSWERED.value)
    )

    stage.work()

    assert stage.counts.get(Side.SALESFORCE, "quarantined") == quarantined
    lines = stage.sync.log.of(Event.link_quarantined)
    assert len(lines) == quarantined
    for line in lines:
        assert (line["run_id"], line["link"]) == (RUN, f"name of {EMAIL}")
        assert (line["side"], line["code"]) == ("salesforce", "unanswered")
    assert stage.isolation.faults == {}


# Outcomes of the connector itself


def test_a_defect_of_a_write_puts_its_link_in_quarantine() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.org.answers[LEAD].append(
        answer(WriteResult.RETRY, code=ProblemCode.DEFECT.value, remedy="ValueError in x:1")
    )

    stage.work()

    assert stage.isolation.faults == {EMAIL: Fault(ProblemCode.DEFECT, "ValueError in x:1")}


def test_a_fault_of_a_write_names_its_system() -> None:
    stage = Stage()
    stage.intend(TO_CONTACT)
    code = ProblemCode.UNREADABLE_RECORD
    stage.sync.plezi.answers[CONTACT].append(
        answer(WriteResult.RETRY, code=code.value, remedy="no id")
    )

    stage.work()

    assert stage.isolation.faults == {EMAIL: Fault(code, "no id", Side.PLEZI)}


def test_a_plan_without_an_intent_is_a_defect_of_its_link() -> None:
    stage = Stage()
    plan = stage.intend(TO_LEAD)
    stage.plans = [replace(plan, link=replace(plan.link, intent=None))]
    stage.intend(edited(OTHER, plezi="2"))
    before = stage.link()

    assert stage.work() == StageResult(wrote=True)
    assert stage.isolation.faults.keys() == {EMAIL}
    assert stage.isolation.faults[EMAIL].detail.startswith("TypeError in ")
    assert (stage.link(), stage.link(OTHER).intent) == (before, None)


def test_a_link_whose_entries_fail_keeps_its_intent_and_all_others_are_recorded() -> None:
    class FailingLog(Log):
        """A log that fails at a link in quarantine."""

        def __call__(self, event: Event, /, **fields: object) -> None:
            if event is Event.link_quarantined:
                raise ValueError(event)
            super().__call__(event, **fields)

    stage = Stage(log=FailingLog())
    stage.intend(TO_LEAD)
    stage.intend(edited(OTHER, plezi="2"))
    stage.sync.org.answers[LEAD].append(answer(WriteResult.REJECTED, **REFUSED))

    assert stage.work() == StageResult(wrote=True)
    assert (stage.link().intent is None, stage.link(OTHER).intent is None) == (False, True)
    assert stage.isolation.faults.keys() == {EMAIL}


def test_a_link_on_which_outcomes_cannot_be_recorded_is_a_defect_of_this_link() -> None:
    stage = Stage()
    nothing: Any = None
    plan = stage.intend(TO_LEAD)
    stage.plans = [replace(plan, link=replace(plan.link, base=nothing))]

    assert stage.work() == StageResult(wrote=True)
    assert stage.isolation.faults.keys() == {EMAIL}


def test_a_refusal_that_cannot_be_read_is_a_defect_of_its_link() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    refusal = {**REFUSED, "fields": None}
    stage.sync.org.answers[LEAD].append(answer(WriteResult.REJECTED, **refusal))

    stage.work()

    assert stage.isolation.faults.keys() == {EMAIL}


def test_a_refused_creation_without_an_intent_is_a_defect_of_its_link() -> None:
    stage = Stage()
    plan = stage.intend(NEW)
    stage.plans = [replace(plan, link=replace(plan.link, intent=None))]
    stage.sync.org.answers[EMAIL].append(answer(WriteResult.REJECTED, **REFUSED))

    stage.work()

    assert stage.isolation.faults.keys() == {EMAIL}


# The journal


def test_a_link_whose_entries_cannot_be_stored_keeps_its_intent() -> None:
    stage = Stage(journal=Journal({EMAIL: "too large"}))
    stage.intend(TO_LEAD)
    stage.intend(edited(OTHER, plezi="2"))

    assert stage.work() == StageResult(wrote=True)
    assert (stage.link().intent is None, stage.link(OTHER).intent is None) == (False, True)
    assert stage.isolation.faults == {EMAIL: Fault(ProblemCode.DEFECT, "too large")}


# Values that cannot be used

PROBLEM: Final = FieldProblem(
    PHONE, Side.PLEZI, "phone", ProblemCode.UNUSABLE_VALUE, "it is too long", "shorten it"
)


def test_a_value_that_cannot_be_used_keeps_the_link_in_quarantine_beside_its_writes() -> None:
    stage = Stage()
    stage.intend(TO_LEAD, problems=(PROBLEM,))

    assert stage.work() == StageResult(wrote=True)
    quarantine = stage.link().quarantine
    assert quarantine is not None
    assert (quarantine.code, quarantine.fields) == ("unusable_value", ("phone",))
    assert quarantine.since == NOW
    assert stage.numbers == {("salesforce", "updated"): 1, ("plezi", "quarantined"): 1}
    assert stage.sync.log.of(Event.link_quarantined) == [
        {
            "run_id": RUN,
            "link": f"name of {EMAIL}",
            "side": "plezi",
            "code": "unusable_value",
            "field_names": ["phone"],
        }
    ]


def test_a_problem_of_a_value_is_shown_beside_a_refused_write() -> None:
    stage = Stage()
    stage.intend(TO_LEAD, problems=(PROBLEM,))
    stage.sync.org.answers[LEAD].append(answer(WriteResult.REJECTED, **REFUSED))

    assert stage.work() == StageResult()
    quarantine = stage.link().quarantine
    assert quarantine is not None
    assert (set(quarantine.fields), quarantine.since) == ({"Phone", "phone"}, NOW)


def test_a_plan_decides_alone_about_the_quarantine_of_a_link_without_a_write() -> None:
    stage = Stage()
    plan = stage.intend(TO_LEAD, problems=(PROBLEM,))

    with_problem = stage.stage.with_problems(TO_LEAD, plan, Counts(), NOW)
    assert with_problem.quarantine is not None
    clean = stage.stage.with_problems(with_problem, replace(plan, problems=()), Counts(), NOW)
    assert clean == TO_LEAD


def test_the_same_problem_as_before_is_neither_counted_nor_logged_again() -> None:
    first = Stage()
    first.intend(TO_LEAD, problems=(PROBLEM,))
    first.work()
    stage = Stage()
    stage.intend(replace(TO_LEAD, quarantine=first.link().quarantine), problems=(PROBLEM,))

    stage.work()

    assert stage.link().quarantine == first.link().quarantine
    assert stage.numbers == {("salesforce", "updated"): 1}
    assert stage.sync.log.of(Event.link_quarantined) == []
