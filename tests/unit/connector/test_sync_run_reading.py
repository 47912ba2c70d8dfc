"""The reading of a run: what is read, when it is read again, and what restarts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.approved_changes import note_people, number_of_people
from connector.deadline import DeadlineError
from connector.first_sync import FirstSync, load_first_sync, save_first_sync
from connector.model import Counts, Cursor, Page, Phase, RecordKind, RunKind
from connector.sync.run_work import RunWork, is_since, restart_reading
from tests.unit.connector.sync_fixtures import (
    BOUND,
    EMAIL,
    RUN,
    SyncSetup,
    after,
    agreed,
    always,
    contact,
    lead,
    never,
    raising,
)
from tests.unit.connector.sync_fixtures_runs import work, work_of
from tests.unit.connector.sync_fixtures_stores import NOW

MANY: Final = [f"{number:02}@x.fr" for number in range(12)]
LATE: Final = DeadlineError("the time is used up")


def read_kinds(setup: SyncSetup) -> list[RecordKind]:
    return [cursor.kind for cursor in (*setup.plezi.reads, *setup.org.reads)]


def known_setup() -> SyncSetup:
    """Return a setup that was read a minute ago, with a run that is requested now."""
    setup = SyncSetup()
    setup.read_all()
    setup.request()
    return setup


# What is read


def test_every_kind_of_record_is_read_from_its_cursor() -> None:
    setup = known_setup()
    setup.plezi.put(contact(EMAIL))

    assert work(setup) is None
    assert read_kinds(setup) == list(RecordKind)
    assert [cursor.mapping_version for cursor in setup.plezi.reads] == [1]
    assert not any(cursor.full for cursor in (*setup.plezi.reads, *setup.org.reads))
    cursor = setup.ledger.load_cursor(RecordKind.PLEZI_CONTACT)
    assert (cursor.watermark, cursor.completed_at, cursor.started_at) == ("1", NOW, 0.0)


@pytest.mark.parametrize(
    ("age", "plezi_call", "org_query", "is_read"),
    [
        (600.0, 0.0, 0.0, False),
        (600.5, 0.0, 0.0, True),
        (899.0, 1.0, 0.0, False),
        (901.0, 1.0, 0.0, True),
        (1199.0, 0.0, 10.0, False),
        (1201.0, 0.0, 10.0, True),
        (-1.0, 0.0, 0.0, True),
    ],
)
def test_a_system_is_read_again_after_ten_minutes_or_later_if_it_is_slow(
    age: float, plezi_call: float, org_query: float, *, is_read: bool
) -> None:
    setup = SyncSetup()
    setup.read_all(at=NOW - age)
    setup.request()
    setup.store_run(replace(setup.run(), requested_at=NOW - 5000))
    setup.plezi.seconds = (1000.0, 1000.0, plezi_call)
    setup.org.seconds = (1000.0, 1000.0, org_query)

    assert work(setup) is None
    assert read_kinds(setup) == (list(RecordKind) if is_read else [])


def test_what_was_read_since_the_request_is_not_read_again() -> None:
    setup = SyncSetup()
    setup.request()
    setup.clock.advance(10)
    setup.read_all(at=NOW)

    assert work(setup) is None
    assert read_kinds(setup) == []


def test_a_kind_that_was_read_is_left_out_and_the_others_are_read() -> None:
    setup = known_setup()
    setup.ledger.checkpoint(Cursor(RecordKind.LEAD, "0", completed_at=NOW), "", Counts())

    assert work(setup) is None
    assert read_kinds(setup) == [RecordKind.PLEZI_CONTACT, RecordKind.CONTACT]


def test_a_reading_that_is_in_progress_goes_on() -> None:
    setup = known_setup()
    begun = Cursor(RecordKind.LEAD, "0", position="1", started_at=NOW - 5, completed_at=NOW)
    setup.ledger.checkpoint(begun, "", Counts())

    assert work(setup) is None
    assert begun in setup.org.reads


def test_an_invocation_without_time_reads_one_page_and_stops() -> None:
    setup = known_setup()
    setup.plezi.page_size = 1
    setup.plezi.put(contact("a@x.fr"), contact("b@x.fr"))
    found = work_of(setup)

    assert found.work(Phase.READ, always) is Phase.READ
    assert (setup.plezi.calls, setup.org.calls, found.made_progress) == (1, 0, True)
    assert (found.phase, found.position) == (Phase.READ, None)


def test_an_invocation_without_time_reads_one_kind_and_stops() -> None:
    setup = known_setup()

    assert work(setup, out_of_time=always) is Phase.READ
    assert read_kinds(setup) == [RecordKind.PLEZI_CONTACT]
    assert work(setup, out_of_time=always) is Phase.READ
    assert work(setup, out_of_time=always) is Phase.READ
    assert work(setup, out_of_time=always) is Phase.RESOLVE
    assert read_kinds(setup) == list(RecordKind)


def test_work_in_which_nothing_is_read_makes_no_progress() -> None:
    setup = known_setup()
    setup.read_all(at=NOW)
    found = work_of(setup)

    assert found.work(Phase.READ, never) is None
    assert not found.made_progress


# How many people are synchronized


@pytest.mark.parametrize(
    ("kind", "people"), [(RunKind.CHANGES, 2), (RunKind.FULL, 2), (RunKind.DRY_RUN, 0)]
)
def test_a_reading_of_all_records_stores_how_many_people_there_are(
    kind: RunKind, people: int
) -> None:
    setup = SyncSetup()
    setup.request(kind)
    setup.plezi.put(contact("a@x.fr"), contact("b@x.fr"))

    assert work(setup) is None
    assert number_of_people(setup.ledger) == people


def test_a_reading_of_changes_does_not_change_the_number_of_people() -> None:
    setup = known_setup()
    setup.plezi.put(contact("a@x.fr"))
    note_people(setup.ledger, {"plezi": {"people.contact": 7}})

    assert work(setup) is None
    assert number_of_people(setup.ledger) == 7


def test_the_number_of_people_is_stored_although_the_time_ends_with_the_last_kind() -> None:
    setup = SyncSetup()
    setup.request()
    setup.plezi.put(contact("a@x.fr"))

    assert work(setup, out_of_time=after(2)) is Phase.READ  # all Contacts are read
    assert work(setup) is None
    assert number_of_people(setup.ledger) == 1


def test_a_run_whose_record_is_gone_stores_no_number_of_people() -> None:
    setup = SyncSetup()
    run = setup.request()
    setup.plezi.put(contact("a@x.fr"))
    setup.ledger.then["load_run"].append(lambda: setup.ledger.forget_run(RUN))

    with pytest.raises(KeyError):
        # Its counts have no place any more either.
        RunWork(setup.context, BOUND, run).work(Phase.READ, never)
    assert number_of_people(setup.ledger) == 0


# The stages of a first synchronization


def first_setup(number: int = len(MANY), **changes: Any) -> SyncSetup:
    """Return a setup in which nothing was ever read, with some contacts."""
    setup = SyncSetup()
    setup.request(**changes)
    setup.plezi.put(*(contact(email) for email in MANY[:number]))
    return setup


def test_a_first_synchronization_begins_with_ten_people() -> None:
    setup = first_setup()
    stages: list[FirstSync | None] = []
    setup.org.then["apply"].append(lambda: stages.append(load_first_sync(setup.ledger)))

    assert work(setup) is None
    assert [write.email for write in setup.org.writes] == MANY
    assert stages == [FirstSync(stage=0)]
    assert load_first_sync(setup.ledger) == FirstSync(stage=3, done=True)
    # Each is written to in its stage; then all of those are found clean.
    assert len(setup.org.look_ups) == 2


def test_a_stage_that_is_not_complete_comes_again() -> None:
    setup = first_setup()

    # There is time to read three kinds of records and to begin the stage, no more.
    assert work(setup, out_of_time=after(4)) is Phase.STAGE
    assert load_first_sync(setup.ledger) == FirstSync(stage=0)

    assert work(setup, Phase.STAGE) is None
    assert load_first_sync(setup.ledger) == FirstSync(stage=3, done=True)
    assert [write.email for write in setup.org.writes] == MANY


def test_a_stage_ends_for_a_reading_that_is_due() -> None:
    setup = first_setup()
    setup.org.then["apply"].append(lambda: setup.clock.advance(601))

    assert work(setup) is None
    assert len(setup.plezi.reads) == 2
    assert load_first_sync(setup.ledger) == FirstSync(stage=3, done=True)


def test_the_first_synchronization_is_over_when_all_people_are_done() -> None:
    setup = known_setup()
    save_first_sync(setup.ledger, FirstSync(stage=3))

    assert work(setup, Phase.RESOLVE, always) is Phase.WRITE_PLEZI
    assert load_first_sync(setup.ledger) == FirstSync(stage=3)

    assert work(setup, Phase.WRITE_PLEZI) is None
    assert load_first_sync(setup.ledger) == FirstSync(stage=3, done=True)


# A reading in a run that takes hours


def long_setup(kind: RunKind = RunKind.CHANGES, *, seconds: float = 601) -> SyncSetup:
    """Return a setup with three Leads to create in Plezi, of which the first takes long."""
    setup = SyncSetup()
    setup.read_all(at=NOW)
    setup.request(kind)
    setup.list_links(0, *MANY[:3])
    leads = [lead(email, as_of=NOW) for email in MANY[:3]]
    setup.org.put(*leads)
    setup.store(*(agreed(it.email, "1", it, dirty=True) for it in leads), listed=True)
    setup.plezi.then["apply"].append(lambda: setup.clock.advance(seconds))
    return setup


def test_both_systems_are_read_again_in_a_run_that_writes_to_plezi_for_long() -> None:
    setup = long_setup()

    assert work(setup, Phase.WRITE_PLEZI) is None
    assert read_kinds(setup) == list(RecordKind)
    assert [write.email for write in setup.plezi.writes] == MANY[:3]
    # What was read again is not too old: nothing is read a third time.
    cursor = setup.ledger.load_cursor(RecordKind.CONTACT)
    assert cursor.completed_at == NOW + 601


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(RunKind.CHANGES, 600.0), (RunKind.DRY_RUN, 601.0), (RunKind.SELECTED, 601.0)],
)
def test_nothing_is_read_again_too_soon_or_in_a_run_of_some_people(
    kind: RunKind, seconds: float
) -> None:
    setup = long_setup(kind, seconds=seconds)

    assert work(setup, Phase.WRITE_PLEZI) is None
    assert (read_kinds(setup), len(setup.plezi.writes)) == ([], 3)


def test_a_reading_that_is_ten_minutes_old_is_not_too_old() -> None:
    setup = long_setup(seconds=600.0)
    setup.deadline.start(remaining=1e6, budget=630.0)

    assert work(setup, Phase.WRITE_PLEZI) is None
    assert len(setup.plezi.writes) == 3


def test_a_full_run_reads_both_systems_again_too() -> None:
    setup = long_setup(RunKind.FULL)

    assert work(setup, Phase.WRITE_PLEZI) is None
    assert read_kinds(setup) == list(RecordKind)


def test_the_oldest_reading_of_a_kind_decides_when_to_read_again() -> None:
    setup = long_setup(seconds=301)
    old = Cursor(RecordKind.LEAD, "0", completed_at=NOW - 300, applied_version=1)
    setup.ledger.checkpoint(old, "", Counts())

    assert work(setup, Phase.WRITE_PLEZI) is None
    assert read_kinds(setup) == [RecordKind.LEAD]


@pytest.mark.parametrize(
    ("left", "phase", "reads"), [(59.0, Phase.READ, 0), (60.0, None, 1)], ids=["no time", "time"]
)
def test_both_systems_are_read_again_if_a_minute_is_left(
    left: float, phase: Phase | None, reads: int
) -> None:
    setup = long_setup()
    setup.deadline.start(remaining=1e6, budget=601.0 + left)

    assert work(setup, Phase.WRITE_PLEZI) is phase
    assert len(setup.plezi.reads) == reads


def test_an_invocation_without_time_leaves_the_rest_of_plezi_to_the_next_one() -> None:
    setup = long_setup(seconds=1.0)

    assert work(setup, Phase.WRITE_PLEZI, always) is Phase.WRITE_PLEZI
    assert [write.email for write in setup.plezi.writes] == MANY[:1]


# A look that a reading replaces


def look_setup(pages: int) -> SyncSetup:
    """Return a setup in which the time is over after some pages of a look at Plezi."""
    setup = SyncSetup()
    setup.request()
    cursor = Cursor(RecordKind.PLEZI_CONTACT, "0", completed_at=NOW - 200, look="here")
    setup.ledger.checkpoint(cursor, "", Counts())
    setup.list_links(0, EMAIL)
    setup.store(
        agreed(EMAIL, "1", contact(EMAIL), lead(EMAIL, "2", version="2"), dirty=True),
        listed=True,
    )
    setup.ledger.touch(EMAIL, base={it: {"phone>Phone": "1"} for it in ("p-a@x.fr", "l-a@x.fr")})
    setup.plezi.has_change_feed = True
    setup.plezi.changes = [Page((), cursor)] * (pages + 1)
    nothing: Callable[[], object] = list
    setup.plezi.then["recent_changes"] += [*[nothing] * pages, raising(LATE)]
    return setup


@pytest.mark.parametrize(("pages", "phase"), [(10, Phase.READ), (9, Phase.WRITE_PLEZI)])
def test_a_reading_follows_a_look_that_was_too_long(pages: int, phase: Phase) -> None:
    setup = look_setup(pages)
    found = work_of(setup)

    with pytest.raises(DeadlineError):
        found.work(Phase.WRITE_PLEZI, never)
    assert found.phase is phase


# When a reading counts, and what restarts it


@pytest.mark.parametrize(
    ("at", "since", "expected"),
    [(5.0, 5.0, True), (4.0, 5.0, False), (10.0, 5.0, True), (11.0, 5.0, False)],
)
def test_a_time_counts_if_it_is_not_before_and_not_in_the_future(
    at: float, since: float, *, expected: bool
) -> None:
    setup = SyncSetup()
    setup.clock.now = 10.0

    assert is_since(setup.context, at, since) is expected


@pytest.mark.parametrize(
    ("cursor", "is_restarted"),
    [
        ({"completed_at": NOW - 101}, True),
        ({"completed_at": NOW - 100}, False),
        ({"completed_at": NOW + 1}, True),
        ({"completed_at": NOW - 300, "full": True}, False),
        ({"completed_at": NOW - 300, "full": True, "started_at": NOW - 100}, False),
        ({"completed_at": NOW - 300, "full": True, "started_at": NOW - 101}, True),
        ({"completed_at": NOW - 300, "started_at": NOW - 50}, True),
    ],
)
def test_a_full_reading_begins_unless_one_began_since_then(
    cursor: dict[str, Any], *, is_restarted: bool
) -> None:
    setup = SyncSetup()
    known = Cursor(RecordKind.LEAD, "5", applied_version=1, look="here", **cursor)
    setup.ledger.checkpoint(known, "", Counts())

    restart_reading(setup.context, BOUND, since=NOW - 100)

    restarted = Cursor(
        RecordKind.LEAD, full=True, mapping_version=1, applied_version=1, look="here"
    )
    assert setup.ledger.load_cursor(RecordKind.LEAD) == (restarted if is_restarted else known)
    other = setup.ledger.load_cursor(RecordKind.CONTACT)
    assert other == Cursor(RecordKind.CONTACT, full=True, mapping_version=1)


def test_a_version_that_must_be_applied_again_counts_as_never_applied() -> None:
    setup = SyncSetup()
    setup.read_all(at=NOW - 100)

    setup.ledger.checkpoints.clear()

    restart_reading(setup.context, BOUND, since=NOW, is_applied=False)

    # The cursor belongs to no run: nothing is counted.
    assert setup.ledger.checkpoints == [(kind, "", {}) for kind in RecordKind]
    cursor = setup.ledger.load_cursor(RecordKind.CONTACT)
    assert cursor == Cursor(RecordKind.CONTACT, full=True, mapping_version=1, applied_version=-1)
    assert setup.ledger.applied_version() is None
