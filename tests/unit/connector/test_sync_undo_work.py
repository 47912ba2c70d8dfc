"""The work of an undo: whom it lists, what it puts back, and what it names as left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError, StopReason
from connector.log_events import Event
from connector.model import (
    AgreedValue,
    Counts,
    Cursor,
    Hold,
    HoldReason,
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    Page,
    Phase,
    RecordKind,
    RunKind,
    RunState,
    Side,
    UndoReason,
    UndoRequest,
    Value,
    WorkList,
)
from connector.sync.change_limits import Limit
from connector.sync.undo_work import UndoPlanner, UndoWork
from tests.unit.connector.sync_fixtures import (
    BOUND,
    CONTACT,
    EMAIL,
    EMAIL_BASE,
    LEAD,
    LIMITS,
    MAPPING,
    OTHER,
    PHONE,
    PHONE_BASE,
    PHONE_PAIR,
    RUN,
    SyncSetup,
    after,
    agreed,
    always,
    contact,
    lead,
    never,
    progress_of,
)
from tests.unit.connector.sync_fixtures_stores import NOW

UNDO: Final = "run-2"
REQUESTED: Final = NOW - 1000
DAY: Final = 86_400.0


def entry(email: str = EMAIL, **changes: Any) -> JournalEntry:
    """Return the entry of a run that wrote the phone of a Lead, from 1 to 2."""
    known = JournalEntry(
        email=email,
        at=NOW - 500,
        run_id=RUN,
        kind=JournalKind.WRITTEN,
        side=Side.SALESFORCE,
        record_id=f"l-{email}",
        field=PHONE,
        before="1",
        after="2",
        rule="newest",
    )
    return replace(known, **changes)


def undo_setup(*entries: JournalEntry, links: tuple[Link, ...] = (), **changes: Any) -> SyncSetup:
    """Return a setup with an undo of a run that wrote these entries; the links are agreed on 2."""
    setup = SyncSetup(limits=replace(LIMITS, overwritten=changes.pop("overwritten", 100)))
    setup.read_all(at=NOW)
    setup.request(mapping_version=MAPPING.version)
    done = replace(setup.run(), state=RunState.DONE, requested_at=REQUESTED)
    setup.store_run(done)
    setup.journal.write(entries)
    setup.hold(*links, listed=False)
    request = changes.pop("undo", UndoRequest(RUN))
    setup.request(RunKind.UNDO, UNDO, undo=request, **changes)
    return setup


def work_of(setup: SyncSetup) -> UndoWork:
    return UndoWork(setup.context, BOUND, setup.run(UNDO))


def work(
    setup: SyncSetup, phase: Phase = Phase.READ, out_of_time: Callable[[], bool] = never
) -> Phase | None:
    return work_of(setup).work(phase, out_of_time)


def named(setup: SyncSetup) -> list[tuple[str, Side, str, str, str]]:
    """Return what the undo named as left: person, side, record, field, reason."""
    return [
        (it.email, it.side, it.record_id, it.field, it.rule)
        for it in setup.journal.entries()
        if it.kind is JournalKind.NOT_UNDONE
    ]


def phone_of(setup: SyncSetup, record: str = LEAD) -> Value:
    system = setup.plezi if record.startswith("p") else setup.org
    return system.records[record].values["Phone" if record.startswith("l") else "phone"]


# What is put back


def test_the_value_that_a_run_replaced_is_put_back() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),))
    found = work_of(setup)

    assert found.work(Phase.READ, never) is None
    assert (phone_of(setup), phone_of(setup, CONTACT), named(setup)) == ("1", "2", [])
    assert setup.counts(UNDO)["salesforce"]["undone"] == 1
    assert (progress_of(setup.run(UNDO)), setup.lists()) == ((1, 1, 1), {})
    assert (found.made_progress, found.phase, found.visited_lists) == (True, Phase.RESOLVE, 0)
    assert found.position == WorkList(UNDO, 0)


def test_only_the_people_who_were_named_are_put_back() -> None:
    links = (agreed(EMAIL, "2"), agreed(OTHER, "2"))
    setup = undo_setup(entry(), entry(OTHER), links=links, emails=(OTHER,))

    assert work(setup) is None
    assert (phone_of(setup), phone_of(setup, "l-b@x.fr")) == ("2", "1")
    assert progress_of(setup.run(UNDO)) == (1, 1, 1)


@pytest.mark.parametrize(("emails", "expected"), [((), "2"), ((EMAIL,), "1")])
def test_people_who_were_named_are_put_back_without_a_limit(
    emails: tuple[str, ...], expected: str
) -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),), emails=emails, overwritten=0)

    if emails:
        assert work(setup) is None
    else:
        with pytest.raises(HaltError) as raised:
            work(setup)
        assert raised.value.reason is StopReason.MASS_OVERWRITING
    assert phone_of(setup) == expected


def test_a_preview_has_no_limit() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),), overwritten=0)
    found = UndoWork(setup.context, BOUND, setup.run(UNDO), limit=Limit.NONE)

    assert found.work(Phase.READ, never) is None
    assert phone_of(setup) == "1"


def test_only_the_field_of_the_request_is_put_back() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),), undo=UndoRequest(RUN, field="Mobile"))

    assert work(setup) is None
    assert (phone_of(setup), named(setup)) == ("2", [])


def test_an_undo_without_a_request_changes_nothing() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),), undo=None)
    found = work_of(setup)

    assert found.work(Phase.READ, never) is None
    assert (phone_of(setup), setup.lists()) == ("2", {})
    assert (found.made_progress, progress_of(setup.run(UNDO))) == (False, (0, 0, 0))


# The entries and the mapping of the run


@pytest.mark.parametrize(
    ("at", "reason"),
    [(REQUESTED - DAY, ""), (REQUESTED - DAY - 1, UndoReason.NO_ENTRY)],
)
def test_entries_count_from_a_day_before_the_run_was_requested(at: float, reason: str) -> None:
    setup = undo_setup(entry(at=at), links=(agreed(EMAIL, "2"),))

    assert work(setup) is None
    assert phone_of(setup) == ("2" if reason else "1")
    assert [it[-1] for it in named(setup)] == ([reason] if reason else [])


def test_all_entries_of_a_run_count_whose_record_is_gone() -> None:
    # Without the mapping of the run, the pair may have pointed at another field: not undone.
    setup = undo_setup(entry(at=0.0), links=(agreed(EMAIL, "2"),))
    setup.ledger.forget_run(RUN)

    assert work(setup) is None
    assert named(setup) == [(EMAIL, Side.SALESFORCE, LEAD, PHONE, UndoReason.NO_PAIR)]


@pytest.mark.parametrize(("at", "reasons"), [(0.0, []), (-1.0, [UndoReason.NO_ENTRY])])
def test_no_entry_is_searched_before_the_beginning_of_time(
    at: float, reasons: list[UndoReason]
) -> None:
    setup = undo_setup(entry(at=at), links=(agreed(EMAIL, "2"),))
    setup.store_run(replace(setup.run(), requested_at=10.0))

    assert work(setup) is None
    assert [it[-1] for it in named(setup)] == reasons


def test_a_pair_that_points_at_another_field_now_is_not_put_back() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),))
    former = replace(PHONE_PAIR, plezi="mobile")
    setup.mappings.save(replace(MAPPING, version=7, pairs=(former,)))
    setup.store_run(replace(setup.run(), mapping_version=7))

    assert work(setup) is None
    assert named(setup) == [(EMAIL, Side.SALESFORCE, LEAD, PHONE, UndoReason.NO_PAIR)]


# What is left


def test_a_value_that_a_user_changed_since_is_named_once() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "3"),))
    left = [(EMAIL, Side.SALESFORCE, LEAD, PHONE, UndoReason.CHANGED_SINCE)]

    assert work(setup) is None
    assert (phone_of(setup), named(setup)) == ("3", left)
    counts = {"not_undone": 1, "not_undone.changed_since": 1}
    assert setup.counts(UNDO)["salesforce"] == counts

    # An invocation that visits the same person again names nothing twice.
    setup.ledger.save_work(WorkList(UNDO, 0), [EMAIL])
    setup.clock.advance(5)
    assert work(setup, Phase.RESOLVE) is None
    assert named(setup) == left
    assert setup.counts(UNDO)["salesforce"] == counts


def test_what_another_undo_named_is_named_again_by_this_one() -> None:
    before = entry(
        kind=JournalKind.NOT_UNDONE, run_id="run-1b", rule=UndoReason.CHANGED_SINCE, at=NOW - 9
    )
    setup = undo_setup(entry(), before, links=(agreed(EMAIL, "3"),))

    assert work(setup) is None
    assert [it.run_id for it in setup.journal.entries() if it.kind == before.kind] == [
        "run-1b",
        UNDO,
    ]


def test_a_person_without_a_link_is_named_with_each_value() -> None:
    setup = undo_setup(entry())

    assert work(setup) is None
    assert named(setup) == [(EMAIL, Side.SALESFORCE, LEAD, PHONE, UndoReason.NO_CONTACT)]
    assert setup.counts(UNDO)["salesforce"] == {"not_undone": 1, "not_undone.no_contact": 1}
    assert (progress_of(setup.run(UNDO)), setup.lists()) == ((1, 1, 1), {})


def test_a_person_without_an_entry_of_the_run_is_named() -> None:
    other_run = entry(run_id="run-0")
    setup = undo_setup(other_run, links=(agreed(EMAIL, "2"),), emails=(EMAIL,))

    assert work(setup) is None
    (found,) = [it for it in setup.journal.entries() if it.kind is JournalKind.NOT_UNDONE]
    assert found == JournalEntry(
        EMAIL,
        NOW,
        UNDO,
        JournalKind.NOT_UNDONE,
        Side.SALESFORCE,
        "",
        "",
        None,
        None,
        UndoReason.NO_ENTRY,
    )


def test_a_write_that_is_not_sent_is_named_as_unfinished() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),))
    setup.org.max_outcomes = 0
    found = work_of(setup)

    assert found.work(Phase.READ, never) is None
    (left,) = [it for it in setup.journal.entries() if it.kind is JournalKind.NOT_UNDONE]
    assert left == JournalEntry(
        EMAIL,
        NOW,
        UNDO,
        JournalKind.NOT_UNDONE,
        Side.SALESFORCE,
        LEAD,
        PHONE,
        "2",
        "1",
        UndoReason.UNFINISHED,
    )
    # The person is done, and stays on the list for the next run.
    assert (setup.lists(), progress_of(setup.run(UNDO))) == ({(UNDO, 0): (EMAIL,)}, (1, 1, 1))
    assert setup.counts(UNDO)["salesforce"]["not_undone.unfinished"] == 1


def test_a_link_on_which_another_worker_works_is_left_for_the_next_run() -> None:
    intent = Intent("id-0", "run-0", NOW, (), ())
    link = replace(agreed(EMAIL, "2"), intent=intent, dirty=True)
    setup = undo_setup(entry(), links=(link,))

    assert work(setup) is None
    assert [it[-1] for it in named(setup)] == [UndoReason.UNFINISHED]
    assert (phone_of(setup), setup.lists()) == ("2", {(UNDO, 0): (EMAIL,)})


def test_a_held_field_is_left_for_its_decision() -> None:
    hold = Hold(HoldReason.CONFLICT, NOW, {LEAD: "2", CONTACT: "2"}, attribute="phone")
    setup = undo_setup(entry(), links=(replace(agreed(EMAIL, "2"), holds={PHONE: hold}),))

    assert work(setup) is None
    assert [it[-1] for it in named(setup)] == [UndoReason.HELD]


def test_every_person_without_a_link_or_an_entry_is_named() -> None:
    setup = undo_setup(entry(), entry(OTHER), emails=("0@x.fr", "1@x.fr", EMAIL, OTHER))
    setup.list_links(0, *setup.run(UNDO).emails, run=UNDO)
    found = work_of(setup)

    assert found.work(Phase.RESOLVE, never) is None
    assert [(email, reason) for email, *_, reason in named(setup)] == [
        ("0@x.fr", UndoReason.NO_ENTRY),
        ("1@x.fr", UndoReason.NO_ENTRY),
        (EMAIL, UndoReason.NO_CONTACT),
        (OTHER, UndoReason.NO_CONTACT),
    ]
    assert found.made_progress


def test_an_undo_in_plezi_looks_at_what_changed_there() -> None:
    in_plezi = entry(side=Side.PLEZI, record_id=CONTACT)
    setup = undo_setup(in_plezi, links=(agreed(EMAIL, "2"),))
    cursor = Cursor(RecordKind.PLEZI_CONTACT, "0", completed_at=NOW - 600, look="here")
    setup.ledger.checkpoint(cursor, "", Counts())
    setup.plezi.has_change_feed = True
    changed = contact(EMAIL, "7", version="2", as_of=NOW)
    setup.plezi.changes = [Page((changed,), cursor, last=True)]

    assert work(setup) is None
    assert (setup.plezi.looks, setup.plezi.writes) == (["here"], [])
    assert [it[-1] for it in named(setup)] == [UndoReason.CHANGED_SINCE]


def test_the_log_names_the_undo_of_a_link_that_cannot_be_stored() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),))
    setup.ledger.too_large = {EMAIL}
    found = work_of(setup)

    assert found.phase is Phase.READ
    assert found.work(Phase.READ, never) is None
    assert setup.log.of(Event.link_failed)[0]["run_id"] == UNDO


# Several invocations

MANY: Final = [f"{number:04}@x.fr" for number in range(1001)]


def test_a_thousand_people_are_listed_at_a_time() -> None:
    setup = undo_setup(*(entry(email) for email in MANY))
    found = work_of(setup)

    assert found.work(Phase.READ, always) is Phase.READ
    assert setup.lists() == {(UNDO, 0): tuple(MANY[:1000])}
    assert (found.phase, found.made_progress) == (Phase.READ, True)

    assert work(setup, Phase.READ, always) is Phase.READ
    assert setup.lists()[UNDO, 1] == (MANY[1000],)
    assert progress_of(setup.run(UNDO)) == (2, 1001, 0)

    assert work(setup) is None
    assert (setup.lists(), progress_of(setup.run(UNDO))) == ({}, (2, 1001, 1001))


def test_an_invocation_goes_on_behind_the_list_that_was_visited_last() -> None:
    links = (agreed(EMAIL, "2"), agreed(OTHER, "2"))
    setup = undo_setup(entry(), entry(OTHER), links=links)
    setup.list_links(0, EMAIL, run=UNDO)
    setup.list_links(1, OTHER, run=UNDO)
    setup.store_run(replace(setup.run(UNDO), position=WorkList(UNDO, 1)))

    assert work(setup, Phase.RESOLVE) is None
    assert (phone_of(setup), phone_of(setup, "l-b@x.fr")) == ("1", "2")


def test_people_who_had_no_time_stay_on_their_list_and_are_not_named() -> None:
    links = (agreed(EMAIL, "3"), agreed(OTHER, "2"))
    plezi = [
        entry(
            it, side=Side.PLEZI, record_id=f"p-{it}", before="1", after="2" if it == OTHER else "3"
        )
        for it in (EMAIL, OTHER)
    ]
    setup = undo_setup(*plezi, links=links)
    setup.list_links(0, EMAIL, OTHER, run=UNDO)
    found = work_of(setup)

    assert found.work(Phase.RESOLVE, always) is Phase.RESOLVE
    assert (phone_of(setup, CONTACT), phone_of(setup, "p-b@x.fr")) == ("1", "2")
    assert (setup.lists(), named(setup)) == ({(UNDO, 0): (OTHER,)}, [])
    assert progress_of(setup.run(UNDO)) == (1, 0, 1)
    assert (found.position, found.made_progress) == (None, True)


def test_a_list_of_which_no_one_is_done_makes_no_progress() -> None:
    intent = Intent("id-0", "run-0", NOW, (), ())
    links = tuple(replace(agreed(it, "2"), intent=intent, dirty=True) for it in (EMAIL, OTHER))
    setup = undo_setup(entry(), entry(OTHER), links=links)
    setup.list_links(0, run=UNDO)
    found = work_of(setup)

    assert found.work(Phase.RESOLVE, after(0)) is None
    assert (found.made_progress, found.position) == (False, None)


# The planner


def planner(setup: SyncSetup) -> UndoPlanner:
    return UndoPlanner(setup.context, BOUND, setup.run(UNDO))


def test_the_journal_of_a_person_is_read_once_until_it_is_forgotten() -> None:
    link = agreed(EMAIL, "2")
    setup = undo_setup(entry(), links=(link,))
    found = planner(setup)
    found.load([EMAIL])
    setup.journal.write([entry(record_id=CONTACT, side=Side.PLEZI)])

    found.load([EMAIL, OTHER])
    assert [it.record_id for it in found.plan(link).writes] == [LEAD]

    found.forget()
    assert found.plan(link).writes == ()
    found.load([EMAIL])
    assert [it.record_id for it in found.plan(link).writes] == [CONTACT, LEAD]


def test_what_was_named_is_named_again_after_it_was_forgotten() -> None:
    setup = undo_setup()
    found = planner(setup)
    found.load([EMAIL])

    assert [it.rule for it in found.without_entry(EMAIL, NOW)] == [UndoReason.NO_ENTRY]
    assert found.without_entry(EMAIL, NOW) == []
    found.forget()
    assert len(found.without_entry(EMAIL, NOW)) == 1


def test_what_was_named_of_one_person_is_known_when_another_one_is_named() -> None:
    found = planner(undo_setup())
    found.load([EMAIL, OTHER])

    named_people = [EMAIL, OTHER, EMAIL, OTHER]
    assert [len(found.without_entry(it, NOW)) for it in named_people] == [1, 1, 0, 0]


def test_an_agreement_that_an_undo_leaves_is_the_value_that_was_put_back() -> None:
    link = agreed(EMAIL, "2")
    setup = undo_setup(entry(), links=(link,))
    found = planner(setup)
    found.load([EMAIL])

    (update,) = found.plan(link).base_updates
    assert update.values[LEAD] == AgreedValue(PHONE_BASE, "Phone", "1")
    assert update.required_writes == {LEAD}
    assert EMAIL_BASE not in update.base_keys


def test_the_records_of_an_undo_are_read_again_before_they_are_written() -> None:
    setup = undo_setup(entry(), links=(agreed(EMAIL, "2"),))
    setup.org.put(lead(EMAIL, "9", version="2"))
    setup.plezi.put(contact(EMAIL, "2"))

    assert work(setup) is None
    assert (phone_of(setup), [it[-1] for it in named(setup)]) == ("9", [UndoReason.CHANGED_SINCE])
