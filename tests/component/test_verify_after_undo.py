"""A verification after an undo: what the undo left is explained by it, and a repair leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from connector.model import Run, RunKind
from functions.admin.times import utc_time
from tests.component.admin_client import WHO, AdminClient
from tests.component.drift_fixtures import (
    contradict_base,
    edit_lead_silently,
    found_by,
    let_time_pass,
    repair,
    verify,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, lead_of, next_run_writes_nothing
from tests.component.undo_fixtures import undo

UNDONE = "undone"


@pytest.fixture
def written(harness: Harness, ana: str) -> str:
    """Return the run that wrote new phones and mobiles of Ana and Bob to their Leads."""
    bob = harness.add_person(email=BOB, last_name="Roi", phone="111", mobile="500")
    harness.edit_person(ana, mobile="500")
    harness.sync()
    for person in (ana, bob):
        harness.edit_person(person, phone="222", mobile="600")
    run = harness.sync()
    let_time_pass(harness)
    harness.sync()
    return run.id


def verification_after(harness: Harness) -> Run:
    """Verify, once everything that was edited before is older than the last reading."""
    let_time_pass(harness)
    for _ in range(2):  # the second reading starts after all earlier edits
        harness.sync()
    return verify(harness)


@pytest.mark.parametrize(
    ("what", "people", "fields"),
    [
        ({}, (ANA, BOB), ("MobilePhone", "Phone")),
        ({"email": ANA}, (ANA,), ("MobilePhone", "Phone")),
        ({"email": ANA, "field": "Phone"}, (ANA,), ("Phone",)),
    ],
    ids=["of a run", "of a person", "of a field"],
)
def test_what_an_undo_leaves_is_undone_and_no_drift(
    harness: Harness,
    admin_client: AdminClient,
    written: str,
    what: dict[str, Any],
    people: tuple[str, ...],
    fields: tuple[str, ...],
) -> None:
    undone = undo(harness, admin_client, written, **what)

    run = verification_after(harness)

    assert found_by(harness, run) == {
        (person, field, UNDONE) for person in people for field in fields
    }
    shown = admin_client.request_ok("GET", f"/admin/runs/{run.id}")
    assert shown["verification"]["unexplained_fields"] == shown["verification"]["drift_rate"] == 0
    assert {it["newer_run"] for it in shown["journal"]} == {undone.id}
    assert shown["undos"] == [
        {
            "run_id": undone.id,
            "undoes": written,
            "requested_at": undone.requested_at,
            "requested_at_utc": utc_time(undone.requested_at),
            "requested_by": WHO,
        }
    ]


def test_a_repair_leaves_what_an_undo_put_back_and_mends_the_rest_of_the_person(
    harness: Harness, admin_client: AdminClient, written: str
) -> None:
    undo(harness, admin_client, written, field="Phone")
    let_time_pass(harness)
    for _ in range(2):
        harness.sync()
    edit_lead_silently(LastName="Silent")(harness, ANA)
    run = verify(harness)

    requested = admin_client.request_ok("POST", f"/admin/runs/{run.id}/repair")
    repaired = harness.run_phase(requested["run_id"])

    assert (requested["people"], requested["left_undone"]) == (1, 2)
    assert harness.people()[ANA]["last_name"] == "Silent"
    assert (lead_of(harness)["Phone"], harness.people()[ANA]["phone"]) == ("111", "222")
    assert not harness.ledger.load_links([ANA])[ANA].holds
    assert repaired.counts["salesforce"].get("held", 0) == 0
    assert found_by(harness, verification_after(harness)) == {
        (ANA, "Phone", UNDONE),
        (BOB, "Phone", UNDONE),
    }


def test_a_value_that_is_not_the_one_of_the_undo_is_unexplained_and_repaired(
    harness: Harness, admin_client: AdminClient, written: str
) -> None:
    undo(harness, admin_client, written)
    let_time_pass(harness)
    for _ in range(2):
        harness.sync()
    contradict_base(harness, ANA)
    run = verify(harness)

    repair(harness, admin_client, run)

    assert {field: cause for email, field, cause in found_by(harness, run) if email == ANA} == {
        "MobilePhone": UNDONE,
        "Phone": "unexplained",
    }
    assert set(harness.ledger.load_links([ANA])[ANA].holds) == {"Phone"}


def test_an_undo_of_the_undo_leaves_no_difference(
    harness: Harness, admin_client: AdminClient, written: str
) -> None:
    undone = undo(harness, admin_client, written)
    undo(harness, admin_client, undone.id)

    assert found_by(harness, verification_after(harness)) == set()


def test_an_edit_after_the_undo_ends_the_difference(
    harness: Harness, admin_client: AdminClient, ana: str, written: str
) -> None:
    undo(harness, admin_client, written, email=ANA, field="Phone")
    harness.edit_person(ana, phone="333")

    assert found_by(harness, verification_after(harness)) == set()
    assert lead_of(harness)["Phone"] == "333"


def test_a_full_run_leaves_what_an_undo_put_back(
    harness: Harness, admin_client: AdminClient, written: str
) -> None:
    undo(harness, admin_client, written, field="Phone")
    verification_after(harness)

    harness.sync(kind=RunKind.FULL)

    assert next_run_writes_nothing(harness)
    assert (lead_of(harness)["Phone"], harness.people()[ANA]["phone"]) == ("111", "222")


def test_a_repair_of_nothing_but_undone_differences_is_refused_with_what_to_do(
    harness: Harness, admin_client: AdminClient, written: str
) -> None:
    undo(harness, admin_client, written)
    run = verification_after(harness)

    refused = admin_client.request("POST", f"/admin/runs/{run.id}/repair")

    assert refused.status == 422
    assert "undo that undo" in refused.text
