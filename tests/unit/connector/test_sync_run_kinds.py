"""The mapping, the fields and the limit with which a run of each kind works."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import (
    StopReason,
    UnknownFieldError,
)
from connector.mapping import Field, FieldKind
from connector.mapping.document import mapping_document
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import (
    Cursor,
    JournalKind,
    MappingProblem,
    Phase,
    Progress,
    RecordKind,
    RunKind,
    RunState,
    Side,
    UndoRequest,
)
from connector.sync.runs import SyncEngine
from tests.unit.connector.sync_fixtures import (
    EMAIL,
    LIMITS,
    MAPPING,
    PHONE_PAIR,
    RUN,
    SyncSetup,
    agreed,
    always,
    contact,
    lead,
    never,
    raising,
)
from tests.unit.connector.sync_fixtures_runs import run_phase, setup_with_contact
from tests.unit.connector.sync_fixtures_stores import NOW

UNDESCRIBED: Final = UnknownFieldError("NO_FIELD", "describe again")


# The mapping of a run


@pytest.mark.parametrize(
    ("first_version", "invocations", "used"),
    [(1, 0, 2), (1, 1, 1), (9, 1, 2)],
    ids=["the newest one first", "the same one later", "the newest one if it is gone"],
)
def test_a_run_keeps_the_version_of_the_mapping_with_which_it_began(
    first_version: int, invocations: int, used: int
) -> None:
    setup = setup_with_contact()
    setup.mappings.save(replace(MAPPING, version=2))
    setup.request(mapping_version=first_version, invocations=invocations)

    run_phase(setup)

    assert setup.run().mapping_version == used


DRAFT_FIELD: Final = Field("url", FieldKind.TEXT)
DRAFT_URL: Final = Field("plezi_url__c", FieldKind.TEXT)


def draft_setup() -> SyncSetup:
    """Return a setup whose systems have all fields that a mapping must have."""
    setup = setup_with_contact()
    setup.plezi.describe(DRAFT_FIELD)
    setup.org.describe(DRAFT_URL)
    return setup


def draft(*pairs: Any) -> str:
    document = mapping_document(replace(MAPPING, version=7, pairs=(*MAPPING.pairs, *pairs)))
    return json.dumps({**document, "contact_filter": FILTER})


FILTER: Final = {"field": "Phone", "operator": "equals", "value": "1"}


def test_a_dry_run_of_a_draft_plans_with_the_draft() -> None:
    setup = draft_setup()
    setup.plezi.put(contact(EMAIL, values={"email": EMAIL, "phone": "1", "url": "page"}))
    setup.request(RunKind.DRY_RUN, draft=draft(PLEZI_URL_PAIR))

    assert run_phase(setup) is RunState.DONE
    assert {entry.field: entry.after for entry in setup.journal.plans} == {
        "Email": EMAIL,
        "Phone": "1",
        "plezi_url__c": "page",
    }
    assert (setup.run().problems, setup.run().mapping_version) == ((), -1)


LOCKED: Final = MappingProblem(
    "locked",
    "plezi_url__c",
    "",
    "the pair url -> plezi_url__c is locked, but was changed or removed",
    "restore it as GET /admin/mapping shows it",
)


def test_a_draft_that_a_save_would_refuse_is_refused_with_its_problems() -> None:
    setup = draft_setup()
    setup.request(RunKind.DRY_RUN, draft=draft())

    assert run_phase(setup) is RunState.FAILED
    run = setup.run()
    assert (run.reason, run.problems) == (StopReason.MAPPING, (LOCKED,))
    assert run.message == (
        "The mapping has 1 problem(s), so nothing was read. A save would refuse it too. "
        f"plezi_url__c: {LOCKED.message}; {LOCKED.remedy}. `problems` of this run has each problem "
        "with its remedy."
    )
    assert (setup.plezi.calls, setup.journal.plans) == (0, [])


def test_a_dry_run_stores_the_first_two_hundred_problems_of_a_draft() -> None:
    setup = draft_setup()
    unknown = [
        replace(PHONE_PAIR, plezi=f"p{number}", salesforce=f"S{number}", contact="")
        for number in range(250)
    ]
    setup.request(RunKind.DRY_RUN, draft=draft(PLEZI_URL_PAIR, *unknown))

    assert run_phase(setup) is RunState.FAILED
    run = setup.run()
    assert len(run.problems) == 200
    assert run.problems[0].code == "unknown_name"
    assert "The mapping has 500 problem(s)" in run.message


def test_a_saved_mapping_with_a_problem_is_used_and_the_problem_is_stored() -> None:
    setup = setup_with_contact()
    setup.request(RunKind.DRY_RUN, problems=(replace(LOCKED, code="other"),))

    assert run_phase(setup) is RunState.DONE
    assert setup.run().problems == (LOCKED,)
    assert [entry.after for entry in setup.journal.plans] == [EMAIL, "1"]


def test_only_a_dry_run_stores_the_problems_of_its_mapping() -> None:
    setup = setup_with_contact()
    setup.request()

    assert run_phase(setup) is RunState.DONE
    assert setup.run().problems == ()


def test_the_pairs_of_a_draft_are_used_as_a_save_would_store_them() -> None:
    setup = draft_setup()
    setup.org.describe(Field("Phone", FieldKind.TEXT, creatable=False, updatable=False))
    setup.store(agreed(EMAIL))
    setup.plezi.put(contact(EMAIL, "1", version="2"))
    setup.org.put(lead(EMAIL, "2", version="2"))
    setup.request(RunKind.DRY_RUN, draft=draft(PLEZI_URL_PAIR))

    assert run_phase(setup) is RunState.DONE
    assert [(it.side, it.after) for it in setup.journal.plans if it.kind.value == "written"] == [
        (Side.PLEZI, "2")
    ]


# Fields that are not as described


def test_a_field_that_is_not_as_described_is_described_again_once() -> None:
    setup = setup_with_contact()
    setup.request()
    setup.org.then["look_up"].append(raising(UNDESCRIBED))

    assert run_phase(setup) is RunState.DONE
    assert [write.values["Phone"] for write in setup.org.writes] == ["1"]
    # Once for the first run with a system, once for the description.
    assert (setup.plezi.invalidations, setup.org.invalidations) == (2, 2)
    assert setup.lists() == {}


def test_a_run_fails_when_a_field_is_not_as_described_again() -> None:
    setup = setup_with_contact()
    setup.request()
    setup.org.then["look_up"] += [raising(UNDESCRIBED), raising(UNDESCRIBED)]

    assert run_phase(setup) is RunState.FAILED
    assert setup.run().reason is StopReason.REQUEST_REJECTED
    assert setup.run().message == "NO_FIELD: describe again"


def test_a_run_reads_all_people_again_when_a_suspended_pair_can_be_used() -> None:
    setup = setup_with_contact()
    setup.ledger.save_suspended_pairs({"Gone": "create it"})
    setup.request()

    assert run_phase(setup, out_of_time=always) is RunState.RUNNING
    restarted = Cursor(RecordKind.LEAD, full=True, mapping_version=1, applied_version=-1)
    assert setup.ledger.load_cursor(RecordKind.LEAD) == restarted
    assert setup.plezi.reads[0].full
    assert setup.ledger.suspended_pairs() == {}


def test_people_who_were_read_at_this_moment_are_not_read_again_for_a_suspended_pair() -> None:
    setup = SyncSetup()
    setup.read_all(at=NOW)
    setup.ledger.save_suspended_pairs({"Gone": "create it"})
    setup.request()

    assert run_phase(setup) is RunState.DONE
    assert (setup.plezi.reads, setup.org.reads) == ([], [])


# The kinds of runs


def test_a_full_run_reads_all_records_again() -> None:
    setup = setup_with_contact()
    setup.request(RunKind.FULL)

    assert run_phase(setup, out_of_time=always) is RunState.RUNNING
    restarted = Cursor(RecordKind.LEAD, full=True, mapping_version=1, applied_version=1)
    assert setup.ledger.load_cursor(RecordKind.LEAD) == restarted
    assert setup.plezi.reads[0].full


def test_a_full_run_does_not_read_again_what_was_read_since_it_was_requested() -> None:
    setup = SyncSetup()
    setup.request(RunKind.FULL)
    setup.clock.advance(100)
    setup.read_all()

    assert run_phase(setup) is RunState.DONE
    assert (setup.plezi.reads, setup.org.reads) == ([], [])


@pytest.mark.parametrize(
    ("kind", "phase"), [(RunKind.FULL, Phase.RESOLVE), (RunKind.CHANGES, Phase.READ)]
)
def test_only_the_first_phase_of_a_full_run_begins_to_read_all_records(
    kind: RunKind, phase: Phase
) -> None:
    setup = setup_with_contact()
    setup.request(kind)

    assert run_phase(setup, phase) is RunState.DONE
    assert not any(cursor.full for cursor in (*setup.plezi.reads, *setup.org.reads))


def cleared_setup() -> SyncSetup:
    """Return a setup without permission to clear a value; a user cleared a phone in Plezi."""
    setup = SyncSetup(limits=replace(LIMITS, cleared=0))
    setup.read_all()
    setup.store(agreed(EMAIL))
    setup.plezi.put(contact(EMAIL, None, version="2"))
    setup.org.put(lead(EMAIL))
    return setup


def test_a_run_of_changes_has_a_limit_on_what_it_clears() -> None:
    setup = cleared_setup()
    setup.request()

    assert run_phase(setup) is RunState.HALTED
    assert (setup.run().reason, setup.org.writes) == (StopReason.MASS_CLEARING, [])


def test_people_whom_an_admin_named_have_no_limit() -> None:
    setup = cleared_setup()
    setup.request(RunKind.SELECTED, emails=(EMAIL,))

    assert run_phase(setup) is RunState.DONE
    assert [write.values for write in setup.org.writes] == [{"Phone": None}]


def test_a_repair_has_the_limit_of_a_run() -> None:
    setup = cleared_setup()
    setup.request(RunKind.SELECTED, emails=(EMAIL,), repairs="run-0")

    assert run_phase(setup) is RunState.HALTED
    assert (setup.run().reason, setup.org.writes) == (StopReason.MASS_CLEARING, [])


def test_a_verification_compares_and_writes_nothing() -> None:
    setup = cleared_setup()
    setup.request(RunKind.VERIFY)

    assert run_phase(setup) is RunState.DONE
    counts = setup.counts()["salesforce"]
    assert (counts["people"], counts["compared"], setup.org.writes) == (1, 2, [])
    assert [(it.kind, it.field) for it in setup.journal.plans] == [(JournalKind.DRIFT, "Phone")]


def test_an_undo_puts_back_what_a_run_wrote() -> None:
    setup = setup_with_contact()
    setup.store(agreed(EMAIL, "1"))
    setup.plezi.put(contact(EMAIL, "2", version="2"))
    setup.org.put(lead(EMAIL, "1"))
    setup.request()
    assert run_phase(setup) is RunState.DONE
    assert setup.org.records["l-a@x.fr"].values["Phone"] == "2"

    setup.request(RunKind.UNDO, "run-2", undo=UndoRequest(RUN))

    engine = SyncEngine(setup.context)
    assert engine.run_phase("run-2", Phase.READ, never) is RunState.DONE
    assert setup.org.records["l-a@x.fr"].values["Phone"] == "1"
    assert setup.counts("run-2")["salesforce"]["undone"] == 1
    assert setup.run("run-2").progress == Progress(lists=1, listed=1, resolved=1)
