"""The phases of a run that resolve links, and the people whom an administrator named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError
from connector.log_events import Event
from connector.model import (
    Counts,
    Cursor,
    Intent,
    Link,
    Page,
    Phase,
    RecordKind,
    RunKind,
    WorkList,
)
from connector.sync.change_limits import Limit
from connector.sync.run_work import RunWork
from tests.unit.connector.sync_fixtures import (
    BOUND,
    EMAIL,
    LIMITS,
    OTHER,
    PHONE_BASE,
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
from tests.unit.connector.sync_fixtures_runs import setup_with, work, work_of
from tests.unit.connector.sync_fixtures_stores import NOW

MANY: Final = [f"{number:02}@x.fr" for number in range(25)]


def edited_in_plezi(email: str) -> Link:
    """Return a link whose phone was changed in Plezi: a call to Salesforce is enough."""
    records = (contact(email, "2", version="2", as_of=NOW), lead(email, as_of=NOW))
    return agreed(email, "1", *records, dirty=True)


def edited_in_salesforce(email: str) -> Link:
    """Return a link whose phone was changed in Salesforce: a call to Plezi is needed."""
    records = (contact(email, as_of=NOW), lead(email, "2", version="2", as_of=NOW))
    return agreed(email, "1", *records, dirty=True)


def written(setup: SyncSetup) -> list[str]:
    return [write.email for write in (*setup.org.writes, *setup.plezi.writes)]


# The phases


def test_links_that_need_no_call_to_plezi_are_resolved_first() -> None:
    setup = setup_with(edited_in_plezi(EMAIL), edited_in_salesforce(OTHER))
    setup.list_links(0, EMAIL, OTHER)
    found = work_of(setup)

    assert found.work(Phase.RESOLVE, after(1)) is Phase.WRITE_PLEZI
    assert (written(setup), setup.lists()) == ([EMAIL], {(RUN, 0): (OTHER,)})
    assert (found.visited_lists, found.made_progress, found.phase) == (1, True, Phase.RESOLVE)

    assert work(setup, Phase.WRITE_PLEZI) is None
    assert (written(setup), setup.lists()) == ([EMAIL, OTHER], {})


def test_links_on_no_list_are_resolved_by_the_next_run() -> None:
    setup = setup_with(edited_in_plezi(EMAIL), listed=False)

    assert work(setup, Phase.RESOLVE) is None
    assert (written(setup), setup.lists()) == ([EMAIL], {})
    assert progress_of(setup.run()) == (1, 1, 1)


def test_lists_that_were_visited_wait_for_their_calls_to_plezi() -> None:
    setup = setup_with(edited_in_plezi(EMAIL), edited_in_plezi(OTHER), visited_lists=1)
    setup.list_links(0, EMAIL)
    setup.list_links(1, OTHER)

    assert work(setup, Phase.RESOLVE, after(1)) is Phase.WRITE_PLEZI
    assert (written(setup), setup.lists()) == ([OTHER], {(RUN, 0): (EMAIL,)})


def test_the_phase_of_all_links_comes_again_while_some_are_left() -> None:
    emails = [f"{number:04}@x.fr" for number in range(1300)]
    setup = setup_with(*(agreed(email, dirty=True) for email in emails))
    setup.list_links(0, *emails[:650])
    setup.list_links(1, *emails[650:])
    found = work_of(setup)

    assert found.work(Phase.RESOLVE, always) is Phase.RESOLVE
    assert list(setup.lists()) == [(RUN, 0)]
    assert (found.position, found.visited_lists) == (WorkList(RUN, 1), 0)

    assert work(setup, Phase.RESOLVE) is None
    assert setup.lists() == {}


@pytest.mark.parametrize(
    ("phase_before", "resolved"),
    [(Phase.WRITE_PLEZI, [EMAIL]), (Phase.RESOLVE, [EMAIL, OTHER])],
    ids=["the same phase", "another phase"],
)
def test_an_invocation_goes_on_behind_the_place_of_the_same_phase(
    phase_before: Phase, resolved: list[str]
) -> None:
    setup = setup_with(edited_in_salesforce(EMAIL), edited_in_salesforce(OTHER))
    setup.list_links(0, EMAIL)
    setup.list_links(1, OTHER)
    setup.store_run(replace(setup.run(), phase=phase_before, position=WorkList(RUN, 1)))
    # Without a write of this invocation there is no second pass over all lists.
    setup.plezi.max_outcomes = 0

    work(setup, Phase.WRITE_PLEZI)

    assert [it["links"] for it in setup.log.of(Event.batch_resolved)] == [len(resolved)]


def test_work_in_which_nothing_is_resolved_makes_no_progress() -> None:
    setup = setup_with()
    found = work_of(setup)

    assert found.work(Phase.RESOLVE, never) is None
    assert (found.made_progress, found.position) == (False, None)


def test_a_run_begins_with_its_reading() -> None:
    assert work_of(setup_with()).phase is Phase.READ


def test_a_run_has_a_limit_on_what_it_clears_unless_it_has_none() -> None:
    setup = setup_with(edited_in_plezi(EMAIL), limits=replace(LIMITS, cleared=0))
    setup.ledger.touch(EMAIL, plezi=contact(EMAIL, None, version="2", as_of=NOW))
    setup.list_links(0, EMAIL)

    with pytest.raises(HaltError):
        work(setup, Phase.RESOLVE)
    unlimited = RunWork(setup.context, BOUND, setup.run(), limit=Limit.NONE)
    assert unlimited.work(Phase.RESOLVE, never) is None
    assert written(setup) == [EMAIL]


def test_the_log_names_the_run_of_a_link_that_cannot_be_stored() -> None:
    setup = setup_with()
    setup.plezi.put(contact(EMAIL))
    setup.ledger.too_large = {EMAIL}
    setup.store_run(replace(setup.run(), requested_at=NOW + 1))

    setup.clock.advance(2)
    work(setup)

    assert setup.log.of(Event.link_failed)[0]["run_id"] == RUN


# People whom an administrator named


def named_setup(*links: Link, emails: tuple[str, ...] = (), **changes: Any) -> SyncSetup:
    """Return a setup with a run of the people of some links."""
    people = emails or tuple(link.email for link in links)
    setup = setup_with(*links, kind=RunKind.SELECTED, emails=people, **changes)
    setup.plezi.seconds = (0.0, 0.0, 10.0)
    return setup


def test_people_who_were_named_are_read_again_and_resolved() -> None:
    setup = named_setup(agreed(EMAIL), agreed(OTHER))
    setup.plezi.put(contact(EMAIL, "2", version="2"))
    found = work_of(setup)

    assert found.work(Phase.READ, never) is None
    assert (written(setup), setup.lists()) == ([EMAIL], {})
    assert [ids for ids, _ in setup.plezi.look_ups] == [["p-a@x.fr", "p-b@x.fr"]]
    counts = setup.counts()
    assert (counts["plezi"]["seen"], counts["salesforce"]["seen"]) == (2, 2)
    assert progress_of(setup.run()) == (1, 2, 0)
    assert (found.made_progress, found.phase) == (True, Phase.RESOLVE)
    # Only the people who were named are read.
    assert (setup.plezi.reads, setup.org.reads) == ([], [])


def test_a_person_whom_neither_system_knows_is_done() -> None:
    setup = named_setup(emails=(EMAIL,))
    found = work_of(setup)

    assert found.work(Phase.READ, never) is None
    assert (setup.lists(), found.made_progress) == ({}, True)


def test_people_are_read_as_many_at_a_time_as_the_time_allows() -> None:
    people = [agreed(email) for email in MANY[:7]]
    setup = named_setup(*people)

    assert work(setup) is None
    assert [len(ids) for ids, _ in setup.plezi.look_ups] == [3, 3, 1]
    assert setup.lists() == {}


def test_the_next_invocation_reads_the_people_who_are_left() -> None:
    people = [agreed(email) for email in MANY[:7]]
    setup = named_setup(*people)
    found = work_of(setup)

    assert found.work(Phase.READ, always) is Phase.RESOLVE
    assert setup.lists() == {(RUN, 0): tuple(MANY[3:7])}
    assert found.made_progress

    assert work(setup, Phase.RESOLVE, always) is Phase.RESOLVE
    assert setup.lists() == {(RUN, 0): tuple(MANY[6:7])}
    assert work(setup, Phase.RESOLVE, always) is None
    assert (setup.lists(), progress_of(setup.run())) == ({}, (1, 7, 0))


def busy_setup(*emails: str) -> SyncSetup:
    """Return a setup in which Plezi carries out no write to the people who were named."""
    setup = named_setup(*(edited_in_salesforce(email) for email in emails))
    setup.plezi.max_outcomes = 0
    return setup


def test_a_person_whose_write_waits_stays_on_the_list_for_the_next_run() -> None:
    setup = busy_setup(EMAIL)
    found = work_of(setup)

    assert found.work(Phase.READ, never) is None
    assert (setup.lists(), found.made_progress) == ({(RUN, 0): (EMAIL,)}, False)


def test_a_person_whose_write_had_no_time_is_tried_by_the_next_invocation() -> None:
    setup = busy_setup(EMAIL)
    found = work_of(setup)

    assert found.work(Phase.READ, always) is Phase.RESOLVE
    assert (setup.lists(), found.made_progress) == ({(RUN, 0): (EMAIL,)}, False)


def test_people_whose_writes_wait_are_kept_behind_those_who_were_not_read() -> None:
    setup = busy_setup(*MANY[:5])

    assert work(setup, out_of_time=after(1, again=True)) is Phase.RESOLVE
    assert setup.lists() == {(RUN, 0): (*MANY[3:5], *MANY[:3])}


def test_the_people_who_are_left_of_all_parts_stay_on_the_list() -> None:
    setup = busy_setup(*MANY[:5])

    assert work(setup) is None
    assert setup.lists() == {(RUN, 0): tuple(MANY[:5])}


def test_progress_is_what_any_part_of_the_people_made() -> None:
    links = (*(agreed(email) for email in MANY[:3]), edited_in_salesforce(MANY[3]))
    setup = named_setup(*links)
    setup.plezi.max_outcomes = 0
    found = work_of(setup)

    assert found.work(Phase.READ, never) is None
    assert (found.made_progress, setup.lists()) == (True, {(RUN, 0): (MANY[3],)})


def test_a_person_who_waits_for_another_worker_is_on_the_list_of_the_run() -> None:
    intent = Intent("id-0", "run-0", NOW, (), ())
    setup = named_setup(replace(agreed(EMAIL), intent=intent))
    setup.plezi.put(contact(EMAIL, "2", version="2"))

    assert work(setup) is None
    assert setup.lists() == {(RUN, 0): (EMAIL,)}
    assert (setup.link(EMAIL).dirty, setup.ledger.dirty_emails(10)) == (True, [])


def looked_at_setup(number: int) -> SyncSetup:
    """Return a setup of some named people with a tenant whose list shows changes."""
    setup = named_setup(*(agreed(email) for email in MANY[:number]))
    setup.plezi.has_change_feed = True
    old = Cursor(RecordKind.PLEZI_CONTACT, "0", completed_at=NOW - 100, look="here")
    setup.ledger.checkpoint(old, "", Counts())
    setup.plezi.changes = [Page((), replace(old, watermark="there"), last=True)]
    return setup


@pytest.mark.parametrize(
    ("number", "looks", "read", "queries"),
    [(20, 0, [3, 3, 3, 3, 3, 3, 2], 7), (21, 1, [], 1)],
)
def test_plezi_is_looked_at_once_for_more_than_twenty_people(
    number: int, looks: int, read: list[int], queries: int
) -> None:
    setup = looked_at_setup(number)

    assert work(setup) is None
    assert (len(setup.plezi.looks), len(setup.org.look_ups)) == (looks, queries)
    assert [len(ids) for ids, _ in setup.plezi.look_ups] == read


def test_contacts_that_were_looked_at_a_moment_ago_are_not_read_again() -> None:
    setup = looked_at_setup(21)
    setup.read_all(at=NOW - 5)

    assert work(setup) is None
    assert (setup.plezi.looks, setup.plezi.look_ups) == ([], [])


def test_a_tenant_that_shows_no_changes_is_read_contact_by_contact() -> None:
    setup = looked_at_setup(21)
    setup.plezi.has_change_feed = False

    assert work(setup) is None
    assert [len(ids) for ids, _ in setup.plezi.look_ups] == [3] * 7


CONTRADICTED: Final = replace(
    agreed(EMAIL, "1", contact(EMAIL, "2"), lead(EMAIL, "3", modified="2026-02")),
    base={"p-a@x.fr": {PHONE_BASE: "2"}, "l-a@x.fr": {PHONE_BASE: "3"}},
)


@pytest.mark.parametrize(("repairs", "expected"), [("", []), ("run-0", [{"phone": "3"}])])
def test_a_repair_forgets_the_agreements_that_the_records_contradict(
    repairs: str, expected: list[dict[str, str]]
) -> None:
    setup = named_setup(CONTRADICTED, repairs=repairs)

    assert work(setup) is None
    assert [write.values for write in setup.plezi.writes] == expected
