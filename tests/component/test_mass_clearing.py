"""Mass clearing: a run stops before it clears the fields of too many contacts."""

from __future__ import annotations

from dataclasses import replace

from connector.model import RunKind, RunState
from connector.planning.announced_changes import ChangeLimits
from connector.sync.runs import SyncEngine
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

LIMIT = 3
LIMITS = ChangeLimits(LIMIT, LIMIT, 0.0)


def add_synchronized_contacts(harness: Harness, number: int) -> list[str]:
    harness.engine = SyncEngine(replace(harness.context, change_limits=LIMITS))
    people = [
        harness.add_person(email=f"p{index}@example.com", last_name="Roi", phone="111")
        for index in range(number)
    ]
    harness.sync()
    return people


def clear_phones(harness: Harness, people: list[str]) -> None:
    for person in people:
        harness.edit_person(person, phone=None)


def test_fields_of_a_few_contacts_may_be_cleared(harness: Harness) -> None:
    clear_phones(harness, add_synchronized_contacts(harness, LIMIT))

    assert harness.sync().state is RunState.DONE
    assert {lead["Phone"] for lead in harness.leads()} == {None}


def test_a_run_that_would_clear_too_many_fields_stops_and_asks(harness: Harness) -> None:
    clear_phones(harness, add_synchronized_contacts(harness, LIMIT + 1))

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, "mass_clearing")
    assert {lead["Phone"] for lead in harness.leads()} == {"111"}
    assert harness.sync().state is RunState.HALTED
    breaker = harness.ledger.breaker()
    assert breaker is not None
    assert "POST /admin/breaker/release" in breaker.message


def test_a_dry_run_lists_the_affected_contacts_while_the_breaker_is_open(harness: Harness) -> None:
    clear_phones(harness, add_synchronized_contacts(harness, LIMIT + 1))
    harness.sync()

    run, entries = harness.dry_run()

    assert run.state is RunState.DONE, run.message
    assert run.counts["salesforce"]["cleared"] == LIMIT + 1
    assert {entry.after for entry in entries if entry.field == "Phone"} == {None}


def test_the_next_run_clears_the_fields_after_an_admin_allowed_it(harness: Harness) -> None:
    clear_phones(harness, add_synchronized_contacts(harness, LIMIT + 1))
    harness.sync()

    harness.ledger.allow_clearing(harness.context.clock() + 3600)

    assert harness.sync().state is RunState.DONE
    assert {lead["Phone"] for lead in harness.leads()} == {None}


def test_an_admin_resets_the_breaker_as_corrected_or_as_intended(
    harness: Harness, admin_client: AdminClient
) -> None:
    people = add_synchronized_contacts(harness, LIMIT + 1)
    clear_phones(harness, people)
    harness.sync()
    assert admin_client.request_ok("GET", "/admin/status")["breaker"]["reason"] == "mass_clearing"

    corrected = admin_client.request_ok("POST", "/admin/breaker/release", {"intended": False})
    assert corrected["clearing_allowed_until"] == 0
    assert harness.sync().state is RunState.HALTED
    intended = admin_client.request_ok("POST", "/admin/breaker/release", {"intended": True})
    assert intended["clearing_allowed_until"] > harness.context.clock()

    assert harness.sync().state is RunState.DONE
    assert {lead["Phone"] for lead in harness.leads()} == {None}
    assert admin_client.request("POST", "/admin/breaker/release", {"intended": True}).status == 409
    entries = admin_client.request_ok("GET", "/admin/audit")["entries"]
    assert [entry["action"] for entry in entries] == [
        "reset breaker: the clearing is intended",
        "reset breaker: the clearing is corrected",
    ]


def test_a_corrected_mistake_causes_no_write(harness: Harness) -> None:
    people = add_synchronized_contacts(harness, LIMIT + 1)
    clear_phones(harness, people)
    harness.sync()
    for person in people:
        harness.edit_person(person, phone="111")
    harness.ledger.close_breaker()
    harness.mark()

    assert harness.sync().state is RunState.DONE
    assert harness.calls("salesforce")["writes"] == 0


def test_selected_contacts_are_synchronized_while_the_breaker_is_open(harness: Harness) -> None:
    clear_phones(harness, add_synchronized_contacts(harness, LIMIT + 1))
    harness.sync()

    run = harness.sync(kind=RunKind.SELECTED, emails=["p0@example.com"])

    assert run.state is RunState.DONE
    assert [lead["Phone"] for lead in harness.leads("p0@example.com")] == [None]
