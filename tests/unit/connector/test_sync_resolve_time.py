"""Stages, looks at Plezi, and units that fit into the time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.model import (
    Counts,
    Cursor,
    Intent,
    JournalEntry,
    Link,
    Page,
    RecordKind,
    Side,
    Write,
)
from connector.planning.first_sync_stages import StageNumbers
from connector.planning.participating_records import select_participants
from connector.planning.plan import Plan
from connector.planning.write_outcome import WriteResult
from connector.sync.change_limits import Limit
from connector.sync.resolve_phase import ResolvePhase, StageEnd
from tests.unit.connector.sync_fixtures import (
    BOUND,
    EMAIL,
    LIMITS,
    RUN,
    SyncSetup,
    after,
    agreed,
    always,
    answer,
    contact,
    lead,
    never,
    progress_of,
)
from tests.unit.connector.sync_fixtures_runs import phase_of, setup_with, units
from tests.unit.connector.sync_fixtures_stores import NOW
from tests.unit.connector.sync_fixtures_writes import busy, edited, fresh

MANY: Final = [f"{number:02}@x.fr" for number in range(30)]


# Stages of the first synchronization


def staged(number: int, *sizes: int, waiting: int = 0) -> SyncSetup:
    """Return a setup of people on lists of these sizes, of whom the first ones wait."""
    links = [busy(email) for email in MANY[:waiting]]
    links += [edited(email, plezi="2") for email in MANY[waiting:number]]
    setup = setup_with(*links)
    start = 0
    for list_number, size in enumerate(sizes or (number,)):
        setup.list_links(list_number, *MANY[start : start + size])
        start += size
    return setup


def written(setup: SyncSetup) -> list[str]:
    return [write.email for write in setup.org.writes]


def test_a_stage_resolves_its_number_of_people_completely() -> None:
    setup = staged(12)
    phase = phase_of(setup)

    assert phase.resolve_stage(10, never) is StageEnd.FULL
    assert written(setup) == MANY[:10]
    assert setup.lists() == {(RUN, 0): tuple(MANY[10:12])}
    assert setup.counts()["salesforce"]["stage.10.people"] == 10
    assert (progress_of(setup.run()), phase.made_progress) == ((1, 0, 10), True)
    assert phase.end_stage() == StageNumbers(people=10)
    assert phase.end_stage() == StageNumbers()


def test_a_stage_takes_people_from_several_lists_together() -> None:
    setup = staged(12, 3, 3, 6)

    assert phase_of(setup).resolve_stage(10, never) is StageEnd.FULL
    # The newest list comes first; one person of the first list is left with two others.
    assert sorted(written(setup)) == sorted([*MANY[6:12], *MANY[3:6], MANY[0]])
    assert setup.lists() == {(RUN, 0): (MANY[1], MANY[2])}
    assert units(setup)[0] == 10


def test_a_stage_counts_the_people_of_earlier_invocations() -> None:
    setup = staged(12)
    counts = {"salesforce": {"stage.10.people": 7}}
    setup.store_run(replace(setup.run(), counts=counts))
    phase = phase_of(setup)

    assert phase.resolve_stage(10, never) is StageEnd.FULL
    assert written(setup) == MANY[:3]
    assert phase.end_stage() == StageNumbers(people=10)


def test_people_who_wait_are_not_counted_and_others_take_their_place() -> None:
    setup = staged(15, waiting=3)
    phase = phase_of(setup)

    assert phase.resolve_stage(10, never) is StageEnd.FULL
    assert written(setup) == MANY[3:13]
    assert setup.lists() == {(RUN, 0): (*MANY[:3], *MANY[13:15])}

    # They are not tried again by the next stage of this invocation.
    assert phase.resolve_stage(100, never) is StageEnd.NOBODY_LEFT
    assert written(setup) == MANY[3:15]
    assert setup.lists() == {(RUN, 0): tuple(MANY[:3])}


def test_a_stage_of_fewer_people_than_its_number_is_the_last_one() -> None:
    setup = staged(4)

    assert phase_of(setup).resolve_stage(10, never) is StageEnd.NOBODY_LEFT
    assert (setup.lists(), written(setup)) == ({}, MANY[:4])


def test_a_stage_without_people_makes_no_progress() -> None:
    phase = phase_of(staged(0))

    assert phase.resolve_stage(10, never) is StageEnd.NOBODY_LEFT
    assert not phase.made_progress


def test_a_stage_stops_when_the_time_is_used_up() -> None:
    setup = staged(12)
    phase = phase_of(setup)

    assert phase.resolve_stage(10, always) is StageEnd.OUT_OF_TIME
    # What was done in the time is counted.
    assert (phase.end_stage(), len(setup.lists()[RUN, 0])) == (StageNumbers(people=10), 2)


def test_people_of_a_stage_who_had_no_time_stay_on_their_list() -> None:
    setup = setup_with(*(edited(email, salesforce="2") for email in MANY[:5]))
    setup.list_links(0, *MANY[:5])
    phase = phase_of(setup)

    assert phase.resolve_stage(10, after(1, again=True)) is StageEnd.OUT_OF_TIME
    assert setup.lists() == {(RUN, 0): tuple(MANY[2:5])}
    assert progress_of(setup.run()) == (1, 0, 2)
    assert phase.end_stage() == StageNumbers(people=2)


def test_people_who_need_no_write_are_progress_of_a_stage() -> None:
    setup = setup_with(agreed(EMAIL, dirty=True))
    setup.list_links(0, EMAIL)
    phase = phase_of(setup)

    assert phase.resolve_stage(10, never) is StageEnd.NOBODY_LEFT
    assert (phase.made_progress, setup.lists()) == (True, {})


def test_nothing_is_counted_for_a_stage_that_is_over() -> None:
    setup = setup_with(agreed(EMAIL, "1", contact(EMAIL), lead(EMAIL), lead(EMAIL, id="l2")))
    phase = phase_of(setup)
    phase.resolve_stage(10, never)
    phase.end_stage()

    phase.resolve_people([EMAIL], never)

    assert setup.counts() == {}


def test_a_person_on_two_lists_is_one_person_of_a_stage() -> None:
    setup = staged(2)
    setup.list_links(1, MANY[0], MANY[0])
    phase = phase_of(setup)

    assert phase.resolve_stage(2, never) is StageEnd.FULL
    assert phase.end_stage() == StageNumbers(people=2)
    assert setup.lists() == {}


@pytest.mark.parametrize(("number", "expected"), [(5, True), (6, False), (7, False)])
def test_the_people_on_all_lists_are_compared_with_a_number(number: int, *, expected: bool) -> None:
    setup = staged(6, 3, 3)
    setup.list_links(2, *MANY[:3])

    assert phase_of(setup).has_more_people_than(number) is expected


# Looks at what changed in Plezi


def look_setup(link: Link | None = None, *, age: float = 600.0, **cursor: Any) -> SyncSetup:
    """Return a setup with a tenant that shows changes, which was read some time ago."""
    setup = setup_with(*(() if link is None else (link,)))
    known = Cursor(RecordKind.PLEZI_CONTACT, "0", completed_at=NOW - age, look="here")
    setup.ledger.checkpoint(replace(known, **cursor), "", Counts())
    setup.plezi.has_change_feed = True
    after_look = replace(known, watermark="there")
    setup.plezi.changes = [Page((), after_look, last=True)]
    return setup


@pytest.mark.parametrize(
    ("age", "query", "update", "is_looked"),
    [
        (47.5, 0.0, 0.0, False),
        (48.0, 0.0, 0.0, True),
        (47.5, 12.0, 0.0, False),
        (29.5, 30.0, 0.0, False),
        (30.0, 30.0, 0.0, True),
        (11.5, 100.0, 0.0, False),
        (12.5, 100.0, 0.0, True),
        (95.5, 0.0, 1.0, False),
        (96.5, 0.0, 1.0, True),
        (47.5, 0.0, 0.1, False),
        (0.0, 0.0, 0.0, False),
        (-1.0, 0.0, 0.0, True),
    ],
)
def test_plezi_is_looked_at_before_its_observations_are_too_old(
    age: float, query: float, update: float, *, is_looked: bool
) -> None:
    setup = look_setup(age=age)
    setup.org.seconds = (900.0, 900.0, query)
    setup.plezi.seconds = (900.0, update, 900.0)
    phase = phase_of(setup)

    assert phase.look_if_old() is is_looked
    assert setup.plezi.looks == (["here"] if is_looked else [])


def test_a_look_is_the_time_from_which_observations_are_fresh() -> None:
    setup = look_setup()
    phase = phase_of(setup)

    assert not phase.is_looked_at
    assert phase.look_if_old()
    cursor = setup.ledger.load_cursor(RecordKind.PLEZI_CONTACT)
    assert (cursor.look, cursor.looked_at, cursor.watermark) == ("there", NOW, "0")
    assert looked_at(phase)
    assert not phase.look_if_old()

    setup.clock.advance(59.5)
    assert looked_at(phase)
    setup.clock.advance(0.5)
    assert not looked_at(phase)


def looked_at(phase: ResolvePhase) -> bool:
    return phase.is_looked_at


@pytest.mark.parametrize(("age", "expected"), [(0.0, True), (-0.5, False)])
def test_a_look_in_the_future_of_our_clock_proves_nothing(age: float, *, expected: bool) -> None:
    assert phase_of(look_setup(age=age)).is_looked_at is expected


@pytest.mark.parametrize(
    ("change", "looks"),
    [({"started_at": NOW - 5}, []), ({"look": ""}, [])],
    ids=["a reading is in progress", "the place is not known"],
)
def test_plezi_cannot_be_looked_at_during_a_reading_or_from_nowhere(
    change: dict[str, Any], looks: list[str]
) -> None:
    setup = look_setup(**change)

    assert not phase_of(setup).look_if_old()
    assert setup.plezi.looks == looks


def test_a_tenant_without_a_list_of_changes_is_not_looked_at() -> None:
    setup = look_setup()
    setup.plezi.has_change_feed = False

    assert not phase_of(setup).look_if_old()
    assert setup.plezi.looks == []


def test_a_look_that_is_not_complete_proves_nothing() -> None:
    setup = look_setup()
    setup.plezi.changes = []
    phase = phase_of(setup)

    assert not phase.look_if_old()
    assert (setup.plezi.looks, phase.is_looked_at) == (["here"], False)


def test_the_last_reading_or_look_counts_whichever_is_later() -> None:
    setup = look_setup(looked_at=NOW - 10)
    phase = phase_of(setup)
    assert looked_at(phase)

    # A later reading counts when it is noted.
    setup.clock.advance(100)
    assert not looked_at(phase)
    setup.read_all(at=NOW + 90)
    assert not looked_at(phase)
    phase.note_reading()
    assert looked_at(phase)


TO_CONTACT: Final = edited(EMAIL, salesforce="2")
TO_LEAD: Final = edited(EMAIL, plezi="2")


@pytest.mark.parametrize(
    ("link", "is_looked"),
    [
        (TO_CONTACT, True),
        (TO_LEAD, True),
        (fresh(TO_CONTACT), False),
        (fresh(TO_CONTACT, NOW - 47), False),
        (fresh(TO_CONTACT, NOW - 49), True),
        (agreed(EMAIL, dirty=True), False),
        (replace(TO_CONTACT, intent=Intent("i", "run-0", NOW - 999, (), ())), False),
    ],
    ids=[
        "a write to Plezi",
        "a write to Salesforce",
        "read now",
        "still fresh",
        "soon too old",
        "nothing to write",
        "an intent to recover",
    ],
)
def test_plezi_is_looked_at_if_a_write_would_rest_on_an_old_contact(
    link: Link, *, is_looked: bool
) -> None:
    setup = look_setup(link)

    phase_of(setup).resolve_people([EMAIL], never)

    assert setup.plezi.looks == (["here"] if is_looked else [])


def test_links_are_planned_again_with_what_a_look_shows() -> None:
    setup = look_setup(TO_CONTACT)
    changed = contact(EMAIL, "2", version="7", as_of=NOW)
    setup.plezi.put(changed)
    (page,) = setup.plezi.changes
    setup.plezi.changes = [replace(page, observations=(changed,))]

    assert phase_of(setup).resolve_people([EMAIL], never) == set()
    assert (setup.plezi.writes, setup.plezi.look_ups) == ([], [])
    assert setup.link(EMAIL).base["p-a@x.fr"]["phone>Phone"] == "2"


def test_a_clean_link_is_loaded_again_after_a_look() -> None:
    setup = look_setup(replace(TO_CONTACT, dirty=False))

    assert phase_of(setup).resolve_people([EMAIL], never) == set()
    assert [write.values for write in setup.plezi.writes] == [{"phone": "2"}]


def test_contacts_are_read_by_id_where_a_look_is_not_possible() -> None:
    setup = look_setup(TO_CONTACT, look="")

    assert phase_of(setup).resolve_people([EMAIL], never) == set()
    assert setup.plezi.look_ups == [(["p-a@x.fr"], [])]


# Units that fit into the time


def to_contacts(number: int) -> SyncSetup:
    """Return a setup with fresh links whose phone is to be written to Plezi."""
    setup = setup_with(*(fresh(edited(it, salesforce="2")) for it in MANY[:number]))
    setup.list_links(0, *MANY[:number])
    return setup


@pytest.mark.parametrize(
    ("update", "query", "left", "expected"),
    [
        (10.0, 0.0, math.inf, [7, 7, 1]),
        (10.0, 1.0, math.inf, [7, 7, 1]),
        (10.0, 5.0, math.inf, [9, 6]),
        (10.0, 0.0, 35.0, [4]),
        (70.0, 0.0, math.inf, [1] * 15),
        (0.0, 0.0, math.inf, [15]),
    ],
)
def test_the_calls_of_a_unit_take_a_minute_or_sixteen_queries(
    update: float, query: float, left: float, expected: list[int]
) -> None:
    setup = to_contacts(15)
    setup.plezi.seconds = (900.0, update, 900.0)
    setup.org.seconds = (900.0, 900.0, query)
    if left < math.inf:
        setup.deadline.start(remaining=1e6, budget=left)
    out_of_time = never if left == math.inf else always

    phase_of(setup).resolve_lists(out_of_time, with_plezi=True)

    # A first write in the pass of lists is followed by one pass without anything to do.
    assert units(setup)[: len(expected)] == expected


def test_the_calls_of_the_first_link_of_a_unit_do_not_count() -> None:
    setup = to_contacts(3)
    setup.plezi.seconds = (0.0, 61.0, 0.0)

    phase_of(setup).resolve_people(MANY[:3], never)

    assert units(setup) == [1, 1, 1]
    assert [write.email for write in setup.plezi.writes] == MANY[:3]


@pytest.mark.parametrize(("with_plezi", "expected"), [(True, [4, 4, 1]), (False, [9])])
def test_calls_to_plezi_count_only_where_they_are_made(
    expected: list[int], *, with_plezi: bool
) -> None:
    setup = to_contacts(9)
    setup.plezi.seconds = (0.0, 20.0, 0.0)

    phase_of(setup).resolve_lists(never, with_plezi=with_plezi)

    assert units(setup)[: len(expected)] == expected


def test_writes_to_salesforce_and_their_reading_count_too() -> None:
    links = [fresh(edited(it, plezi="2")) for it in MANY[:9]]
    setup = setup_with(*links)
    setup.list_links(0, *MANY[:9])
    # A Lead that is written is read again before: ten seconds for each.
    setup.org.seconds = (0.0, 9.0, 1.0)

    phase_of(setup).resolve_lists(never, with_plezi=False)

    assert units(setup)[:2] == [7, 2]


def test_creations_count_as_creations() -> None:
    links = [Link(it, salesforce=(lead(it, as_of=NOW),), dirty=True) for it in MANY[:9]]
    setup = setup_with(*links)
    setup.plezi.seconds = (20.0, 1.0, 1.0)

    phase_of(setup).resolve_people(MANY[:9], never)

    assert units(setup)[:3] == [4, 4, 1]


def test_the_writes_that_are_recovered_are_read_again() -> None:
    def in_doubt(email: str) -> Link:
        write = Write(RecordKind.PLEZI_CONTACT, f"p-{email}", email, {"phone": "2"})
        intent = Intent("id", "run-0", NOW - 999, (write,), (), in_doubt=True)
        return replace(fresh(agreed(email)), intent=intent, dirty=True)

    setup = setup_with(*(in_doubt(it) for it in MANY[:9]))
    # Two for each link: the write, and the contact that is read again.
    setup.plezi.seconds = (900.0, 900.0, 10.0)

    phase_of(setup).resolve_people(MANY[:9], never)

    assert units(setup)[:3] == [4, 4, 1]


def test_a_unit_that_did_not_fit_shows_how_large_the_next_one_may_be() -> None:
    setup = to_contacts(30)
    setup.plezi.seconds = (0.0, 20.0, 0.0)
    phase = phase_of(setup)

    phase.resolve_people(MANY[:12], never)
    assert units(setup) == [4, 4, 4]
    # Four fitted twice: the next ones may be twice as many. The last part shows nothing.
    assert phase._size == 8


def test_people_who_were_not_visited_are_left() -> None:
    setup = to_contacts(9)
    setup.plezi.seconds = (0.0, 20.0, 0.0)

    assert phase_of(setup).resolve_people(MANY[:9], after(3, again=True)) == set(MANY[4:9])
    assert units(setup) == [4]


def test_salesforce_is_fresh_for_the_time_of_a_unit() -> None:
    setup = to_contacts(1)
    setup.org.seconds = (0.0, 0.0, 5.0)
    phase = phase_of(setup)

    phase.resolve_people(MANY[:1], never)

    assert phase._unit.refresher.fresh_seconds[Side.SALESFORCE] == 80.0


def test_a_link_whose_calls_cannot_be_counted_is_in_quarantine_and_all_others_are_resolved() -> (
    None
):
    setup = to_contacts(2)
    broken = setup.link(MANY[0])
    no_writes: Any = None
    intent = Intent("id", "run-0", NOW - 999, no_writes, ())
    setup.store(replace(broken, intent=intent), listed=True)

    phase_of(setup).resolve_people(MANY[:2], never)

    assert [write.email for write in setup.plezi.writes] == [MANY[1]]
    quarantine = setup.link(MANY[0]).quarantine
    assert quarantine is not None
    assert quarantine.code == "defect"


@pytest.mark.parametrize(("limit", "number"), [(Limit.RUN, 0), (Limit.NONE, 1)])
def test_the_limit_of_the_run_counts_for_its_links(limit: Limit, number: int) -> None:
    setup = setup_with(edited(EMAIL, plezi=None), limits=replace(LIMITS, cleared=0))
    phase = phase_of(setup, limit=limit)

    if number:
        phase.resolve_people([EMAIL], never)
    else:
        with pytest.raises(Exception, match="This run stopped"):
            phase.resolve_people([EMAIL], never)
    assert len(setup.org.writes) == number


@pytest.mark.parametrize(
    ("options", "unlisted"), [({}, []), ({"listed": True}, []), ({"listed": False}, [EMAIL])]
)
def test_links_are_on_a_list_unless_the_run_has_no_lists(
    options: dict[str, Any], unlisted: list[str]
) -> None:
    setup = setup_with(edited(EMAIL, plezi="2"))
    setup.org.max_outcomes = 0

    phase_of(setup, **options).resolve_people([EMAIL], always)

    assert setup.ledger.dirty_emails(10) == unlisted


class NoPlanner:
    """Plans nothing, and names nothing as left."""

    def load(self, emails: Sequence[str]) -> None:
        """Need nothing for a plan."""

    def plan(self, link: Link) -> Plan:
        return Plan(link, select_participants(link, BOUND.config), is_partial=True)

    def entries(self, plan: Plan, now: float) -> list[JournalEntry]:
        assert (plan.writes, now) == ((), NOW)
        return []


def test_a_planner_of_its_own_decides_what_is_written() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"))

    assert phase_of(setup, planner=NoPlanner()).resolve_people([EMAIL], never) == set()
    assert (setup.org.writes, setup.link(EMAIL).dirty) == ([], False)


def test_links_with_nothing_to_do_take_no_time() -> None:
    setup = setup_with(*(agreed(it, dirty=True) for it in MANY[:5]), read_at=NOW - 600)
    setup.plezi.seconds = (100.0, 100.0, 100.0)
    setup.org.seconds = (100.0, 100.0, 1.0)

    assert phase_of(setup).resolve_people(MANY[:5], never) == set()
    assert units(setup) == [5]


def test_the_people_who_are_left_of_each_unit_are_left() -> None:
    setup = to_contacts(9)
    setup.plezi.seconds = (0.0, 20.0, 0.0)
    setup.plezi.answers[f"p-{MANY[0]}"] += [answer(WriteResult.RETRY)] * 3

    assert phase_of(setup).resolve_in_passes(MANY[:9], never) == ({MANY[0]}, True)


def test_a_unit_without_calls_to_plezi_is_large_however_slow_plezi_is() -> None:
    setup = setup_with(*(Link(f"{n:03}@x.fr", dirty=True) for n in range(200)))
    setup.list_links(0, *(f"{n:03}@x.fr" for n in range(200)))
    setup.plezi.seconds = (100.0, 0.0, 0.0)
    setup.deadline.start(remaining=1e6, budget=300.0)

    assert phase_of(setup).resolve_lists(never, with_plezi=False)
    assert units(setup) == [200]
