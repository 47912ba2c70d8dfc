"""What a unit finds: e-mails in use, records of other links, duplicates, numbers of a stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import DuplicatePolicy
from connector.model import (
    Hold,
    HoldReason,
    JournalEntry,
    JournalKind,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    ProblemCode,
    RecordKind,
    Side,
    UndoReason,
)
from connector.planning.first_sync_stages import StageNumbers
from connector.planning.participating_records import select_participants
from connector.planning.plan import NotUndone, Plan, plan_link
from connector.planning.write_outcome import WriteResult
from connector.sync.change_limits import Limit
from connector.sync.isolation import Fault
from connector.sync.resolve_unit import UnitResolver, UnitResult
from tests.unit.connector.sync_fixtures import (
    BOUND,
    CONTACT,
    EMAIL,
    LEAD,
    MAPPING,
    OTHER,
    PHONE,
    RUN,
    agreed,
    answer,
    contact,
    lead,
    never,
)
from tests.unit.connector.sync_fixtures_stores import NOW
from tests.unit.connector.sync_fixtures_writes import TO_LEAD, Unit, edited, fresh

# E-mails in use

IN_USE: Final = HoldReason.EMAIL_IN_USE


def test_a_contact_is_not_created_while_another_one_has_its_e_mail() -> None:
    # The contact of the other link gets another e-mail later, and has this one until then.
    other = agreed(OTHER, "1", contact(EMAIL, id="p-other"), lead(OTHER))
    new = Link(EMAIL, salesforce=(lead(EMAIL, as_of=NOW),), dirty=True)
    unit = Unit(new, other)

    assert unit.resolve() == UnitResult(dirty={EMAIL})
    assert (unit.sync.plezi.writes, unit.link().holds["Email"].reason) == ([], IN_USE)
    assert unit.link().holds["Email"].since == NOW
    assert unit.sync.ledger.saves == [([EMAIL], True)]


def test_a_contact_that_exists_is_written_although_another_one_has_its_e_mail() -> None:
    other = agreed(OTHER, "1", contact(EMAIL, id="p-other"), lead(OTHER))
    unit = Unit(fresh(edited(salesforce="2")), other)

    assert unit.resolve() == UnitResult(wrote=True)
    assert [it.record_id for it in unit.sync.plezi.writes] == [CONTACT]


def test_a_link_that_waits_for_another_one_is_held_once() -> None:
    other = agreed(OTHER, "1", contact(OTHER), lead(OTHER, id="l9"))
    new = Link(EMAIL, plezi=contact(EMAIL, as_of=NOW), dirty=True)
    unit = Unit(new, other)
    # A Lead of the other link has the e-mail now, and is not read yet.
    unit.sync.org.put(lead(EMAIL, id="l9", version="5"))

    assert unit.resolve() == UnitResult(dirty={EMAIL})
    assert (unit.link().holds["Email"].reason, unit.sync.org.writes) == (IN_USE, [])

    saves = len(unit.sync.ledger.saves)
    assert unit.resolve() == UnitResult(dirty={EMAIL})
    assert len(unit.sync.ledger.saves) == saves


def test_a_record_that_cannot_be_read_leaves_its_link_for_the_next_run() -> None:
    unit = Unit(fresh(TO_LEAD))
    unit.isolation.add(OTHER, Fault(ProblemCode.UNREADABLE_RECORD, "no id", retry=True))

    assert unit.resolve().dirty == {OTHER}


# Records that belong to another link


def deleted_setup(*records: Observation) -> Unit:
    """Return a unit of a link of which a look-up found a record deleted."""
    return Unit(agreed(EMAIL, "1", *records, dirty=True))


def test_a_link_moves_to_the_e_mail_that_its_records_have() -> None:
    gone = lead(EMAIL, deleted=True)
    moved = contact(OTHER, id=CONTACT)
    unit = deleted_setup(moved, gone)

    unit.resolve()

    assert CONTACT in unit.link(OTHER).record_ids


def test_a_link_of_which_a_record_keeps_the_e_mail_does_not_move() -> None:
    unit = deleted_setup(contact(EMAIL), lead(OTHER, id="l2"), lead(EMAIL, deleted=True))

    unit.resolve()

    assert unit.sync.ledger.load_links([OTHER]) == {}


def test_people_who_wait_for_an_e_mail_get_it_when_no_record_has_it() -> None:
    hold = Hold(HoldReason.EMAIL_TAKEN, NOW, {"p-b@x.fr": EMAIL})
    waiting = agreed(OTHER, "1", contact(EMAIL, id="p-b@x.fr"), lead(OTHER))
    waiting = replace(waiting, holds={"Email": hold})
    unit = Unit(agreed(EMAIL, "1", lead(EMAIL, deleted=True), dirty=True), waiting)

    unit.resolve()

    assert "p-b@x.fr" in unit.link().record_ids


# Dry runs and duplicates


def duplicates(email: str = EMAIL) -> Link:
    records = (contact(email), lead(email), lead(email, id=f"l2-{email}"))
    return agreed(email, "1", *records, dirty=True)


def test_a_dry_run_reports_several_leads_of_a_person_once() -> None:
    bound = replace(BOUND, config=replace(MAPPING, duplicates=DuplicatePolicy.SURVIVOR))
    unit = Unit(duplicates(), bound=bound, is_dry_run=True)

    unit.resolve()
    unit.sync.ledger.touch(EMAIL, dirty=True)
    unit.resolve()

    assert unit.entries() == [
        (JournalKind.DUPLICATE, record, "", None, None, "survivor")
        for record in (LEAD, "l2-a@x.fr")
    ]
    assert {(it.run_id, it.at) for it in unit.sync.journal.entries()} == {(RUN, NOW)}
    assert unit.sync.counts()["salesforce"]["duplicates"] == 1


def test_a_run_does_not_report_duplicates() -> None:
    unit = Unit(duplicates())

    unit.resolve()

    assert (unit.entries(), unit.sync.counts()) == ([], {})


# The numbers of a stage


def test_a_stage_counts_what_is_remarkable_in_each_person() -> None:
    links = (
        duplicates(),
        fresh(edited(OTHER, plezi="2", salesforce="3")),
        fresh(edited("c@x.fr", plezi="2")),
    )
    unit = Unit(*links)
    unit.sync.org.answers["l-c@x.fr"].append(answer(WriteResult.REJECTED, code="INVALID"))
    unit.unit.begin_stage(10)

    unit.resolve(EMAIL, OTHER, "c@x.fr")

    expected = StageNumbers(errors=1, duplicates=1, overwritten=1)
    assert unit.unit.stage_numbers == expected
    counts = unit.sync.counts()["salesforce"]
    assert {name: it for name, it in counts.items() if name.startswith("stage")} == {
        "stage.10.errors": 1,
        "stage.10.duplicates": 1,
        "stage.10.overwritten": 1,
    }
    # A person who is visited again is not counted again.
    unit.sync.ledger.touch(EMAIL, dirty=True)
    unit.resolve()
    assert unit.unit.stage_numbers == expected


def test_people_are_counted_once_if_they_were_visited() -> None:
    unit = Unit(duplicates(), agreed(OTHER))
    unit.unit.begin_stage(10)
    unit.resolve(EMAIL)

    first = unit.unit.count_stage_people([EMAIL, OTHER])
    second = unit.unit.count_stage_people([EMAIL])

    assert (first.get(Side.SALESFORCE, "stage.10.people"), bool(second)) == (1, False)
    assert unit.unit.stage_numbers == StageNumbers(people=1, duplicates=1)


def test_the_people_of_every_unit_of_a_stage_are_counted() -> None:
    unit = Unit(agreed(EMAIL), agreed(OTHER))
    unit.unit.begin_stage(10)
    unit.resolve(EMAIL)
    unit.resolve(OTHER)

    counts = unit.unit.count_stage_people([EMAIL, OTHER])

    assert counts.get(Side.SALESFORCE, "stage.10.people") == 2


def test_a_stage_that_began_in_another_invocation_goes_on_with_its_numbers() -> None:
    unit = Unit(agreed(EMAIL))
    counts = {"salesforce": {"stage.10.people": 4, "stage.10.errors": 2}}
    run = replace(unit.sync.run(), counts=counts)
    resolver = UnitResolver(
        unit.sync.context, BOUND, run, unit.isolation, listed=True, limit=Limit.RUN
    )

    resolver.begin_stage(10)
    assert resolver.stage_numbers == StageNumbers(people=4, errors=2)
    resolver.begin_stage(0)
    assert resolver.stage_numbers == StageNumbers()


def test_nothing_is_counted_for_a_stage_without_one() -> None:
    unit = Unit(duplicates())

    unit.resolve()

    assert unit.sync.counts() == {}


# A planner of its own


class OnlyPlanner:
    """Plans nothing but one value that is left, and notes whom it was loaded for."""

    def __init__(self) -> None:
        self.loaded: list[list[str]] = []

    def load(self, emails: Sequence[str]) -> None:
        self.loaded.append(list(emails))

    def plan(self, link: Link) -> Plan:
        participants = select_participants(link, MAPPING)
        return Plan(link, participants, is_partial=True, stays_dirty=link.email == OTHER)

    def entries(self, plan: Plan, now: float) -> list[JournalEntry]:
        left = NotUndone(Side.PLEZI, CONTACT, PHONE, UndoReason.HELD)
        return [
            JournalEntry(
                plan.link.email,
                now,
                RUN,
                JournalKind.NOT_UNDONE,
                left.side,
                left.record_id,
                left.pair,
                None,
                None,
                left.reason,
            )
        ]


def test_a_planner_of_its_own_plans_clean_links_too() -> None:
    planner = OnlyPlanner()
    unit = Unit(agreed(EMAIL), edited(OTHER, plezi="2"), planner=planner)

    links = unit.unit.load([EMAIL, OTHER])
    result = unit.unit.resolve(links, unit.unit.plan(links), never, with_plezi=True)

    assert (result, planner.loaded) == (UnitResult(), [[EMAIL, OTHER]])
    assert (unit.link().dirty, unit.link(OTHER).dirty) == (False, True)
    assert [(it.email, it.kind, it.at) for it in unit.sync.journal.entries()] == [
        (EMAIL, JournalKind.NOT_UNDONE, NOW),
        (OTHER, JournalKind.NOT_UNDONE, NOW),
    ]
    assert unit.sync.counts() == {"plezi": {"not_undone": 2, "not_undone.held": 2}}
    assert unit.sync.org.writes == []


class FailingPlanner(OnlyPlanner):
    """Plans as it is said, and cannot name what is left."""

    def __init__(self, *, has_write: bool) -> None:
        super().__init__()
        self.has_write = has_write

    def plan(self, link: Link) -> Plan:
        plan = plan_link(link, BOUND, now=NOW)
        return plan if self.has_write else replace(plan, writes=())

    def entries(self, plan: Plan, now: float) -> list[JournalEntry]:
        if plan.link.email == EMAIL:
            raise ValueError(now)
        return []


@pytest.mark.parametrize("has_write", [True, False])
def test_a_plan_whose_entries_fail_puts_its_link_in_quarantine(*, has_write: bool) -> None:
    links = (fresh(edited(plezi="2")), fresh(edited(OTHER, plezi="2")))
    unit = Unit(*links, planner=FailingPlanner(has_write=has_write))

    unit.resolve(EMAIL, OTHER)

    assert unit.isolation.quarantined == {EMAIL}
    assert [it.email for it in unit.sync.org.writes] == ([OTHER] if has_write else [])


class LosingPlanner(OnlyPlanner):
    """Plans that a value gives way without a write."""

    def plan(self, link: Link) -> Plan:
        lost = Overwritten(RecordKind.LEAD, "l-a@x.fr", PHONE, "1", "2", MergeRule.CONTACT_WINS)
        return replace(super().plan(link), overwritten=(lost,))


def test_a_value_that_gives_way_without_a_write_is_in_the_journal() -> None:
    unit = Unit(agreed(EMAIL), planner=LosingPlanner())

    unit.resolve()

    (entry, _) = unit.sync.journal.entries()
    assert entry == JournalEntry(
        EMAIL,
        NOW,
        RUN,
        JournalKind.OVERWRITTEN,
        Side.SALESFORCE,
        "l-a@x.fr",
        PHONE,
        "1",
        "2",
        MergeRule.CONTACT_WINS,
    )
