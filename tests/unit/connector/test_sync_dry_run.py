"""A dry run: both systems are read, everything is stored apart, and the report is what would be."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import StopReason
from connector.model import (
    Breaker,
    Counts,
    Cursor,
    JournalEntry,
    JournalKind,
    Link,
    LinkChange,
    Page,
    Phase,
    Progress,
    RecordKind,
    Run,
    RunKind,
    RunState,
    SaveResult,
    Side,
    UndoRequest,
    WorkList,
)
from connector.sync.dry_run import DryRun, DryRunJournal
from connector.sync.dry_run_ledger import (
    DryRunControl,
    DryRunCursors,
    OverlayLinks,
    OverlayWork,
)
from local.world.memory import MemoryJournal, MemoryScratch
from tests.unit.connector.sync_fixtures import EMAIL, SyncSetup, always, never
from tests.unit.connector.sync_fixtures_limits import (
    BOUND,
    RUNNING,
    VERSION,
    limited,
    mapped,
    synchronized,
)
from tests.unit.connector.sync_fixtures_reading import ScriptedSystem
from tests.unit.connector.sync_fixtures_stores import NOW, Ledger

DRY: Final = Run("d1", RunKind.DRY_RUN, RunState.RUNNING, requested_at=NOW, invocations=1)
ENTRY: Final = JournalEntry(
    EMAIL, NOW, "r0", JournalKind.WRITTEN, Side.SALESFORCE, "l", "Phone", "1", "2", "changed"
)


def dry_run(setup: SyncSetup, **changes: Any) -> DryRun:
    run = setup.store_run(replace(DRY, **changes))
    return DryRun(setup.context, BOUND, run)


def place_of(run: DryRun) -> tuple[Phase, WorkList | None, int, bool]:
    """Return what the next invocation goes on with, and whether there was progress."""
    return run.phase, run.position, run.visited_lists, run.made_progress


# The links


def test_a_link_is_the_one_stored_apart_else_the_real_one() -> None:
    ledger, scratch = Ledger(), MemoryScratch()
    real = ledger.put(Link("a@x.fr"), Link("b@x.fr"), Link("c@x.fr"))
    apart = Link("b@x.fr", dirty=True)
    scratch.save_scratch_links({"b@x.fr": apart, "c@x.fr": None, "d@x.fr": apart})

    links = OverlayLinks(ledger, scratch).load_links(["a@x.fr", "b@x.fr", "c@x.fr", "no@x.fr"])

    assert links == {"a@x.fr": real["a@x.fr"], "b@x.fr": apart}


def test_the_owner_of_a_record_is_the_link_stored_apart_else_the_real_one() -> None:
    ledger, scratch = Ledger(), MemoryScratch()
    ledger.put(Link("a@x.fr", plezi=mapped("p1")), Link("b@x.fr", salesforce=(mapped("l1"),)))
    scratch.save_scratch_links({"c@x.fr": Link("c@x.fr", plezi=mapped("p1", "c@x.fr"))})

    owners = OverlayLinks(ledger, scratch).owner_emails(["p1", "l1", "l9"])

    assert owners == {"p1": "c@x.fr", "l1": "b@x.fr"}


def test_links_are_stored_apart_as_the_ledger_would_and_the_real_ones_stay() -> None:
    ledger, scratch = Ledger(), MemoryScratch()
    real = ledger.put(Link("a@x.fr"), Link("b@x.fr"))
    links = OverlayLinks(ledger, scratch)
    moved = replace(real["a@x.fr"], email="c@x.fr", plezi=mapped("p1", "c@x.fr"))
    changed = replace(real["b@x.fr"], dirty=True)

    saved = links.save_links([LinkChange(moved, real["a@x.fr"]), LinkChange(changed)], listed=True)

    assert saved == SaveResult()
    assert links.load_links(["a@x.fr", "b@x.fr", "c@x.fr"]) == {
        "b@x.fr": replace(changed, revision=real["b@x.fr"].revision + 1),
        "c@x.fr": replace(moved, revision=real["a@x.fr"].revision + 1, indexed=frozenset({"p1"})),
    }
    assert ledger.load_links(["a@x.fr", "b@x.fr", "c@x.fr"]) == real


def test_a_link_is_removed_only_from_what_is_stored_apart() -> None:
    ledger = Ledger()
    real = ledger.put(Link("a@x.fr"))
    links = OverlayLinks(ledger, MemoryScratch())

    assert links.remove_link(real["a@x.fr"]) is True
    assert links.load_links(["a@x.fr"]) == {}
    assert ledger.load_links(["a@x.fr"]) == real


def test_a_link_that_cannot_be_decoded_is_left_to_a_run() -> None:
    """The ledger in memory refuses to list one."""
    OverlayLinks(Ledger(), MemoryScratch()).list_unreadable("a@x.fr")


def test_dirty_and_all_links_are_those_of_the_real_ledger() -> None:
    ledger = Ledger()
    ledger.put(*(Link(f"{name}@x.fr", dirty=name != "b") for name in "0bcde"))
    links = OverlayLinks(ledger, MemoryScratch())

    assert links.dirty_emails(2) == ["0@x.fr", "c@x.fr"]
    assert links.dirty_emails(2, "c@x.fr") == ["d@x.fr", "e@x.fr"]
    assert links.all_emails(2) == ["0@x.fr", "b@x.fr"]
    assert links.all_emails(2, "b@x.fr") == ["c@x.fr", "d@x.fr"]


# The cursors and the control state


def test_a_dry_run_has_cursors_of_its_own_and_counts_what_it_read() -> None:
    ledger = Ledger()
    ledger.create_run(DRY)
    applied = [Cursor(kind, watermark="7", applied_version=VERSION) for kind in RecordKind]
    for cursor in applied:
        ledger.checkpoint(cursor, "d1", Counts())
    first = Cursor(RecordKind.LEAD, watermark="first")
    cursors = DryRunCursors(ledger, MemoryScratch(), ledger, lambda kind: replace(first, kind=kind))
    assert cursors.load_cursor(RecordKind.CONTACT) == replace(first, kind=RecordKind.CONTACT)
    seen = Counts()
    seen.add(Side.SALESFORCE, "seen", 4)

    later = replace(first, watermark="later")
    cursors.checkpoint(later, "d1", seen, Progress(lists=1, listed=4))

    assert cursors.load_cursor(RecordKind.LEAD) == later
    assert [ledger.load_cursor(kind) for kind in RecordKind] == applied
    assert ledger.load_run("d1") == replace(
        DRY, counts={"salesforce": {"seen": 4}}, progress=Progress(lists=1, listed=4)
    )
    assert cursors.applied_version() == VERSION


def test_nothing_stops_a_dry_run_and_it_stops_nothing() -> None:
    ledger: Any = Ledger()
    breaker = Breaker(StopReason.FIRST_SYNC, "look", NOW)
    ledger.open_breaker(breaker)
    ledger.save_suspended_pairs({"Phone": "gone"})
    control = DryRunControl(ledger)

    control.open_breaker(Breaker(StopReason.DEFECT, "too many", NOW))
    control.save_suspended_pairs({})
    changes = Counts()
    changes.add(Side.PLEZI, "cleared.Phone")

    assert control.add_form_changes(1, changes) == {}
    assert ledger.load_document("form_changes#1") is None
    assert (control.breaker(), ledger.breaker()) == (breaker, breaker)
    assert control.suspended_pairs() == {"Phone": "gone"}
    assert control.is_enabled() is True
    assert control.clearing_allowed_until() == control.defects_allowed_until() == math.inf


@pytest.mark.parametrize("method", ["write", "write_dry_run"])
def test_the_plan_is_journaled_apart_from_the_history_of_people(method: str) -> None:
    journal = MemoryJournal()

    getattr(DryRunJournal(journal), method)([ENTRY])

    assert (journal.plans, journal.entries()) == ([ENTRY], [])


# The lists


def test_the_lists_of_other_runs_are_read_and_never_changed() -> None:
    ledger, scratch = Ledger(), MemoryScratch()
    own, other, third = WorkList("d1", 0), WorkList("r0", 0), WorkList("r0", 1)
    ledger.save_work(other, [EMAIL])
    ledger.save_work(third, ["c@x.fr"])
    work = OverlayWork(ledger, scratch, "d1")

    work.save_work(own, ["b@x.fr"])
    work.save_work(other, ["d@x.fr"])

    assert work.load_work([own, other]) == {own: ("b@x.fr",), other: (EMAIL,)}
    assert (ledger.load_work([own, other]), scratch.load_work([own, other])) == (
        {other: (EMAIL,)},
        {own: ("b@x.fr",)},
    )
    assert (work.open_work(1), work.open_work(9, other)) == ([other], [third])
    work.save_work(own, [])
    assert work.load_work([own]) == {}


# The work


def test_a_dry_run_reports_what_a_run_would_create_and_writes_nothing() -> None:
    setup = limited(mapped("p", phone="1"))
    run = dry_run(setup)
    before = place_of(run)

    assert run.work(Phase.READ, never) is None

    assert before == (Phase.READ, None, 0, False)
    assert place_of(run) == (Phase.WRITE_PLEZI, None, 1, True)
    assert (setup.plezi.writes, setup.org.writes) == ([], [])
    assert (setup.ledger.all_links(), setup.journal.entries()) == ([], [])
    assert setup.ledger.open_work(9) == []
    assert [setup.ledger.load_cursor(kind) for kind in RecordKind] == list(map(Cursor, RecordKind))
    written = {(it.record_id, it.field, it.after) for it in setup.journal.plans}
    assert written == {
        ("new record 1000001 in salesforce", "Email", EMAIL),
        ("new record 1000001 in salesforce", "Phone", "1"),
    }
    assert {(it.run_id, it.kind) for it in setup.journal.plans} == {("d1", JournalKind.WRITTEN)}
    assert setup.counts("d1")["salesforce"]["created"] == 1


def test_a_dry_run_shows_whom_an_unfinished_run_has_listed_and_leaves_the_list() -> None:
    plezi, its = mapped("p", phone="2"), mapped("l", Phone="1")
    setup = limited(plezi, its)
    link = synchronized(mapped("p", phone="1"), its).with_observation(plezi)
    setup.ledger.save_links([LinkChange(replace(link, dirty=True))], listed=True)
    left = WorkList("r0", 0)
    setup.ledger.save_work(left, [EMAIL])
    setup.store_run(replace(RUNNING, id="r0"))
    for kind in RecordKind:
        read = Cursor(kind, "w", completed_at=NOW, applied_version=VERSION)
        setup.ledger.checkpoint(read, "r0", Counts())

    dry_run(setup).work(Phase.READ, never)

    assert [(it.field, it.after) for it in setup.journal.plans] == [("Phone", "2")]
    assert setup.ledger.load_work([left]) == {left: (EMAIL,)}


def test_the_calls_of_a_run_are_predicted_with_those_that_a_dry_run_does_not_make() -> None:
    """A Lead becomes a contact: a page, a search and a creation in Plezi, two pages of the org."""
    setup = limited(mapped("l", Phone="1"))

    dry_run(setup).work(Phase.READ, never)

    counts = setup.run("d1").counts
    assert setup.plezi.calls == 1
    assert counts["plezi"]["predicted_calls"] == 1 + 1 + 1
    assert counts["plezi"]["predicted_write_calls"] == 1
    assert setup.org.calls == 2
    assert counts["salesforce"]["predicted_calls"] == 2
    assert counts["salesforce"]["predicted_write_calls"] == 0


def test_only_the_calls_of_this_work_are_predicted_also_where_it_fails() -> None:
    setup = limited()
    setup.plezi.calls = 70
    setup.org.calls = 50
    run = dry_run(setup)

    def fail() -> bool:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        run.work(Phase.READ, fail)

    counts = setup.run("d1").counts
    assert counts["plezi"] == {"predicted_calls": 1, "predicted_write_calls": 0}


def test_an_invocation_without_time_leaves_its_phase_to_another_one() -> None:
    setup = limited(mapped("p"))

    assert dry_run(setup).work(Phase.READ, always) is Phase.READ

    first = WorkList("d1", 0)
    assert setup.ledger.scratch("d1").load_work([first]) == {first: (EMAIL,)}
    assert setup.ledger.load_work([first]) == {}
    assert dry_run(setup).work(Phase.READ, never) is None


def test_the_leads_of_one_e_mail_are_reported_as_duplicates() -> None:
    setup = limited(mapped("l1"), mapped("l2"))

    dry_run(setup).work(Phase.READ, never)

    found = [it for it in setup.journal.plans if it.kind is JournalKind.DUPLICATE]
    assert [(it.record_id, it.rule) for it in found] == [("l1", "mirror"), ("l2", "mirror")]


def test_many_unexpected_errors_do_not_stop_a_preview() -> None:
    no_values: Any = None
    broken = [replace(mapped(f"l{it}", f"{it}@x.fr"), values=no_values) for it in range(21)]
    setup = limited()
    org = ScriptedSystem(Side.SALESFORCE)
    org.pages[RecordKind.LEAD] = [Page(tuple(broken), Cursor(RecordKind.LEAD), last=True)]
    setup.org = org

    assert dry_run(setup).work(Phase.READ, never) is None

    assert setup.counts("d1")["salesforce"]["quarantined"] == 21
    assert setup.ledger.breaker() is None


@pytest.mark.parametrize(
    ("changes", "applied", "is_full"),
    [
        ({}, VERSION, False),
        ({"include_unchanged": True}, VERSION, True),
        ({"draft": "{}"}, VERSION, True),
        ({}, VERSION - 1, True),
        ({}, -1, True),
    ],
)
def test_all_people_are_checked_on_request_for_a_draft_or_while_a_mapping_is_new(
    changes: dict[str, Any], applied: int, *, is_full: bool
) -> None:
    setup = limited()
    setup.store_run(DRY)
    for kind in RecordKind:
        cursor = Cursor(kind, "w", completed_at=NOW, applied_version=applied, look="k")
        setup.ledger.checkpoint(cursor, "d1", Counts())

    dry_run(setup, **changes).work(Phase.READ, never)

    [read] = setup.plezi.reads
    cursor = Cursor(
        RecordKind.PLEZI_CONTACT, mapping_version=VERSION, applied_version=applied, look="k"
    )
    expected = replace(cursor, full=True) if is_full else replace(cursor, watermark="w")
    assert read == expected
    assert [it.kind for it in setup.org.reads] == [RecordKind.LEAD, RecordKind.CONTACT]


def test_many_cleared_values_and_an_open_breaker_do_not_stop_a_preview() -> None:
    people = [mapped(f"p{number}", f"{number}@x.fr", phone="1") for number in range(20)]
    leads = [mapped(f"l{number}", f"{number}@x.fr") for number in range(20)]
    setup = limited(*people, *leads)
    for plezi, its in zip(people, leads, strict=True):
        before = replace(its, values={**its.values, "Phone": "1"}, version="0")
        setup.ledger.put(synchronized(plezi, before))

    assert dry_run(setup).work(Phase.READ, never) is None

    assert setup.counts("d1")["plezi"]["cleared.Phone"] == 20
    assert setup.ledger.breaker() is None


def test_the_preview_of_an_undo_reports_what_it_would_put_back() -> None:
    setup = limited(mapped("p", phone="2"), mapped("l", Phone="2"))
    setup.ledger.put(synchronized(mapped("p", phone="2"), mapped("l", Phone="2")))
    setup.store_run(replace(RUNNING, id="r0", mapping_version=VERSION))
    setup.journal.write([ENTRY])

    run = dry_run(setup, undo=UndoRequest("r0"))
    assert run.work(Phase.READ, never) is None

    assert run.position == WorkList("d1", 0)
    [plan] = setup.journal.plans
    assert (plan.kind, plan.record_id, plan.before, plan.after) == (
        JournalKind.WRITTEN,
        "l",
        "2",
        "1",
    )
    assert setup.org.writes == []
    assert setup.journal.entries() == [ENTRY]


def test_the_preview_of_an_undo_has_no_limit() -> None:
    numbers = range(4)
    people = [mapped(f"p{it}", f"{it}@x.fr", phone="2") for it in numbers]
    leads = [mapped(f"l{it}", f"{it}@x.fr", Phone="2") for it in numbers]
    setup = limited(*people, *leads)
    setup.ledger.put(*map(synchronized, people, leads))
    setup.store_run(replace(RUNNING, id="r0", mapping_version=VERSION))
    setup.journal.write([replace(ENTRY, email=f"{it}@x.fr", record_id=f"l{it}") for it in numbers])

    assert dry_run(setup, undo=UndoRequest("r0")).work(Phase.READ, never) is None

    assert setup.counts("d1")["salesforce"]["overwritten.Phone"] == 4
