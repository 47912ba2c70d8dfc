"""Cases of real life that no other file tests; docs/field-cases.md lists all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from connector.log_events import Event
from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import Phase, RunKind, RunState
from connector.model.runs import RunDelivery
from connector.sync.worker import MAX_DELIVERIES, UnexpectedRunError
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import advance_clocks, next_run_writes_nothing

NOTES = FieldPair("notes", "Description", Direction.BOTH)
LONG = "\u4f60" * 31_900


def map_notes(harness: Harness) -> None:
    body = {"name": NOTES.plezi, "type": "text"}
    harness.control("plezi", "POST", "attributes", body)
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, NOTES))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def test_s2_a_person_with_31_900_chinese_characters_arrives_and_so_do_all_others(
    harness: Harness,
) -> None:
    map_notes(harness)
    long = harness.add_lead(Email="ana@example.com", Description=LONG)
    harness.add_lead(Email="bob@example.com", Description="short")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.people()["ana@example.com"]["notes"] == LONG
    assert harness.people()["bob@example.com"]["notes"] == "short"

    harness.edit_lead(long, Description=LONG[1:] + "x")
    assert harness.sync().state is RunState.DONE
    assert harness.people()["ana@example.com"]["notes"] == LONG[1:] + "x"
    harness.edit_person(harness.people()["ana@example.com"]["id"], notes=LONG)
    assert harness.sync().state is RunState.DONE
    stored = harness.salesforce("GET", f"sobjects/Lead/{long}")["Description"]
    assert stored == LONG


def test_s2_a_long_text_typed_in_a_lead_just_before_its_conversion_arrives(
    harness: Harness,
) -> None:
    """The ledger has its digest only, and the converted Lead takes no part any more."""
    map_notes(harness)
    lead = harness.add_lead(Email="ana@example.com", Description="short")
    harness.sync()
    harness.edit_lead(lead, Description=LONG)
    harness.control("salesforce", "POST", f"leads/{lead}/convert")
    advance_clocks(harness)

    harness.sync()

    person = harness.people()["ana@example.com"]
    assert person["notes"] == LONG
    harness.edit_person(person["id"], phone="222")
    assert next_run_writes_nothing(harness)  # nobody waits for anything


def test_s2_a_long_text_of_one_lead_reaches_another_lead_of_the_person(harness: Harness) -> None:
    map_notes(harness)
    first = harness.add_lead(Email="ana@example.com", Phone="101", Description=LONG)
    harness.sync()
    advance_clocks(harness, 60)
    harness.let_pass(60)
    second = harness.add_lead(Email="ana@example.com", Phone="104")

    harness.sync()

    assert harness.salesforce("GET", f"sobjects/Lead/{second}")["Description"] == LONG
    harness.edit_lead(first, MobilePhone="333")
    advance_clocks(harness)
    harness.sync()
    assert harness.people()["ana@example.com"]["mobile"] == "333"
    assert next_run_writes_nothing(harness)


def test_s6_a_run_whose_message_dies_is_failed_and_names_the_code_of_aws(
    harness: Harness, admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is one of the whole run: no single link causes it."""
    events: list[tuple[Event, dict[str, Any]]] = []
    monkeypatch.setattr(
        harness.app.worker, "_log", lambda event, **fields: events.append((event, fields))
    )
    response: Any = {"Error": {"Code": "ValidationException", "Message": "an e-mail"}}

    def refuse(*_: object, **__: object) -> None:
        raise ClientError(response, "TransactWriteItems")

    monkeypatch.setattr(harness.context.cursors, "checkpoint", refuse)
    harness.add_person(email="ana@example.com", last_name="Lopez")
    run_id = harness.run_requester.request_run(RunKind.CHANGES)

    for delivery in range(1, MAX_DELIVERIES + 1):
        with pytest.raises(UnexpectedRunError):
            harness.app.worker.work(RunDelivery(run_id, Phase.READ, delivery), 300_000)

    [run] = admin_client.request_ok("GET", "/admin/runs")["runs"]
    assert (run["state"], run["reason"]) == ("failed", "defect")
    assert "ValidationException" in run["message"]
    assert "an e-mail" not in run["message"]
    assert admin_client.request_ok("GET", "/admin/status")["last_run"]["reason"] == "defect"
    failed = [fields for event, fields in events if event is Event.run_failed]
    assert {fields["aws_code"] for fields in failed} == {"ValidationException"}
