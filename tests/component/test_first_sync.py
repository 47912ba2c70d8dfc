"""The first synchronization runs in stages: 10, 100 and 1,000 people, then all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.errors import StopReason
from connector.first_sync import FirstSync, load_first_sync
from connector.model import RunState
from connector.sync.runs import SyncEngine
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

PEOPLE = 30
TOO_LONG = "x" * 200
"""Longer than the field Title of Salesforce: the write is refused."""


def add_people(harness: Harness, number: int = PEOPLE, *, refused: bool = False) -> None:
    function = TOO_LONG if refused else "Buyer"
    for each in range(number):
        email = f"p{each:02d}@example.com"
        harness.add_person(email=email, last_name="Roi", function=function)


def number_quarantined(client: AdminClient) -> int:
    return int(client.request_ok("GET", "/admin/status")["attention"]["quarantine"])


def test_first_sync_stops_after_10_people_with_many_errors(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people(harness, refused=True)

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.FIRST_SYNC)
    assert number_quarantined(admin_client) == 10
    status = admin_client.request_ok("GET", "/admin/status")
    assert status["first_sync"] == {"stage": "10", "done": False}
    assert status["last_run"]["progress"]["stage"] == "10"
    assert status["breaker"]["reason"] == "first_sync"
    for part in ("10 people", "10 are in quarantine", "more than 10%", "skip_stages", "intended"):
        assert part in status["breaker"]["message"]
    assert harness.sync().state is RunState.HALTED
    assert number_quarantined(admin_client) == 10


def test_first_sync_goes_through_all_stages_in_one_run(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people(harness, 115)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.leads()) == 115
    stages = run.counts["salesforce"]
    assert [stages.get(f"stage.{size}.people") for size in (10, 100, 1000)] == [10, 100, 5]
    status = admin_client.request_ok("GET", "/admin/status")
    assert status["first_sync"] == {"stage": "all", "done": True}
    assert status["last_run"]["progress"]["stage"] == "all"
    harness.mark()
    assert harness.sync().state is RunState.DONE
    assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0


def test_first_sync_has_no_stages_when_they_are_skipped(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people(harness, refused=True)

    run = harness.sync(skip_stages=True)

    assert run.state is RunState.DONE
    assert number_quarantined(admin_client) == PEOPLE
    assert load_first_sync(harness.ledger) == FirstSync(stage=3, done=True)


def test_first_sync_goes_on_with_the_next_stage_when_an_admin_intends_it(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people(harness, refused=True)
    harness.sync()

    released = admin_client.request_ok("POST", "/admin/breaker/release", {"intended": True})
    assert released["clearing_allowed_until"] == released["defects_allowed_until"] == 0
    assert released["clearing_allowed_until_utc"] == ""
    assert admin_client.request_ok("GET", "/admin/status")["first_sync"]["stage"] == "100"

    run = harness.sync()
    assert run.state is RunState.DONE
    assert run.counts["salesforce"]["stage.100.people"] == PEOPLE - 10
    assert number_quarantined(admin_client) == PEOPLE
    [entry] = admin_client.request_ok("GET", "/admin/audit")["entries"]
    assert entry["action"] == "reset breaker: the stage of the first synchronization is intended"


def test_first_sync_repeats_the_stage_with_other_people_when_the_cause_is_corrected(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people(harness, refused=True)
    harness.sync()
    for person in harness.people().values():
        harness.edit_person(person["id"], function="Buyer")
    admin_client.request_ok("POST", "/admin/breaker/release", {"intended": False})

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert run.counts["salesforce"]["stage.10.people"] == 10
    assert number_quarantined(admin_client) == 0
    assert len(harness.leads()) == PEOPLE


def test_first_sync_can_skip_the_stages_that_are_left(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people(harness, refused=True)
    harness.sync()
    admin_client.request_ok("POST", "/admin/breaker/release", {"intended": False})

    assert harness.sync(skip_stages=True).state is RunState.DONE
    assert number_quarantined(admin_client) == PEOPLE


def test_first_sync_stops_after_a_stage_with_many_duplicates(harness: Harness) -> None:
    for each in range(PEOPLE):
        for _ in range(2):
            harness.add_lead(Email=f"p{each:02d}@example.com", LastName="Roi")

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.FIRST_SYNC)
    assert "have several Leads" in run.message
    assert len(harness.people()) == 10


def test_first_sync_stops_after_a_stage_that_overwrites_many(harness: Harness) -> None:
    add_people(harness)
    for each in range(PEOPLE):
        harness.add_lead(Email=f"p{each:02d}@example.com", LastName="Roi", Title=f"typed {each}")

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.FIRST_SYNC)
    assert "typed values of 10 were overwritten" in run.message
    assert sum(lead["Title"].startswith("typed") for lead in harness.leads()) == PEOPLE - 10


def test_first_sync_of_ten_people_has_no_stages(harness: Harness) -> None:
    add_people(harness, 10, refused=True)

    run = harness.sync()

    assert run.state is RunState.DONE
    assert not any(name.startswith("stage.") for name in run.counts["salesforce"])


def test_first_sync_goes_on_in_other_invocations_and_counts_nobody_twice(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_people(harness, 30)
    monkeypatch.setattr("connector.sync.resolve_phase.UNIT_LINKS", 3)
    monkeypatch.setattr("connector.sync.resolve_phase.SMALL_REST", 0)

    run = harness.sync(lambda: True)

    assert run.state is RunState.DONE, run.message
    assert run.invocations > 5
    assert run.counts["salesforce"]["stage.10.people"] == 10
    assert run.counts["salesforce"]["stage.100.people"] == 20
    assert len(harness.leads()) == 30


def test_first_sync_begins_again_on_request(harness: Harness) -> None:
    add_people(harness)
    harness.sync()
    for person in harness.people().values():
        harness.edit_person(person["id"], function=TOO_LONG)

    run = harness.sync(first=True)

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.FIRST_SYNC)
    assert run.counts["salesforce"]["stage.10.people"] == 10


def test_first_sync_has_no_stages_where_an_older_version_synchronized_all_people(
    harness: Harness,
) -> None:
    add_people(harness)
    harness.sync()
    harness.ledger.delete_document("first_sync")
    for person in harness.people().values():
        harness.edit_person(person["id"], function=TOO_LONG)

    assert harness.sync().state is RunState.DONE
    assert load_first_sync(harness.ledger) == FirstSync(stage=3, done=True)


def test_first_sync_thresholds_are_settings(harness: Harness) -> None:
    limits = replace(harness.context.stage_limits, errors=1.0)
    harness.context = replace(harness.context, stage_limits=limits)
    harness.engine = SyncEngine(harness.context)
    add_people(harness, refused=True)

    assert harness.sync().state is RunState.DONE
