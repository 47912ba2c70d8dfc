"""The forecast of the admin API: from the runs of the last week, without a call to either side."""

from __future__ import annotations

from typing import Any

import pytest

from connector.model import RunKind
from tests.component.admin_client import AdminClient
from tests.component.drift_fixtures import verify
from tests.component.harness import Harness

PATH = "/admin/forecast"
DAY = 86_400.0


def causes(outlook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["cause"]: each for each in outlook["causes"]}


def test_the_calls_of_a_day_are_those_that_the_systems_counted(
    admin_client: AdminClient, harness: Harness
) -> None:
    for number in range(15):
        harness.add_person(email=f"p{number}@example.com", last_name="Lopez")
    harness.sync()  # the first synchronization is none of an average day
    harness.mark()
    for number in range(2):
        harness.add_lead(Email=f"lead{number}@example.com", LastName="Roi")
        harness.sync()
    made = {side: harness.calls(side)["total"] for side in ("plezi", "salesforce")}
    made["salesforce"] -= 2  # the two creations by a user
    harness.let_pass(4 * DAY)

    now = admin_client.request_ok("GET", PATH)["now"]

    changes = causes(now)["changes"]
    days = changes["observed_days"]
    assert days == pytest.approx(4, abs=0.1)
    assert changes["plezi_calls_a_day"] * days == pytest.approx(made["plezi"], abs=0.5)
    assert changes["salesforce_calls_a_day"] * days == pytest.approx(made["salesforce"], abs=0.5)


def test_a_forecast_calls_neither_system(admin_client: AdminClient, harness: Harness) -> None:
    harness.sync()
    harness.mark()

    admin_client.request_ok("GET", PATH)

    assert [harness.calls(side)["total"] for side in ("plezi", "salesforce")] == [0, 0]


def test_the_limits_are_those_of_the_settings_and_of_the_org(
    admin_client: AdminClient, harness: Harness
) -> None:
    harness.sync()
    status = admin_client.request_ok("GET", "/admin/status")["api_budget"]

    found = admin_client.request_ok("GET", PATH, api_share="0.5", calls_per_second="4")

    assert found["now"]["salesforce"]["limit_a_day"] == status["our_share"]
    assert found["now"]["plezi"]["limit_a_day"] == 2 * DAY
    assert found["changed"]["salesforce"]["limit_a_day"] == status["org_allowed"] * 0.5
    assert found["changed"]["plezi"]["limit_a_day"] == 4 * DAY


def test_a_first_sync_is_expected_from_the_preview_of_all_people(
    admin_client: AdminClient, harness: Harness
) -> None:
    for number in range(3):
        harness.add_person(email=f"p{number}@example.com", last_name="Lopez")
    harness.add_lead(Email="lead@example.com", LastName="Roi")
    assert admin_client.request_ok("GET", PATH)["now"]["first_sync"] is None
    preview = harness.sync(kind=RunKind.DRY_RUN)

    first = admin_client.request_ok("GET", PATH)["now"]["first_sync"]

    assert (first["to_plezi"], first["to_salesforce"], first["basis"]) == (1, 3, preview.id)
    harness.sync()
    assert admin_client.request_ok("GET", PATH)["now"]["first_sync"] is None


def test_twice_the_pace_halves_a_first_sync_of_leads(admin_client: AdminClient) -> None:
    found = admin_client.request_ok("GET", PATH, to_plezi="20000", calls_per_second="4")

    now, changed = found["now"]["first_sync"], found["changed"]["first_sync"]
    assert now["hours"] == pytest.approx(5.8, rel=0.02)  # as measured: docs/costs.md, new-leads
    assert changed["hours"] == pytest.approx(now["hours"] / 2, rel=0.05)
    assert changed["plezi_calls"] == now["plezi_calls"]


def test_a_filter_that_lets_in_a_tenth_makes_a_first_sync_ten_times_shorter(
    admin_client: AdminClient,
) -> None:
    found = admin_client.request_ok("GET", PATH, to_plezi="20000", people_share="0.1")

    now, changed = found["now"]["first_sync"], found["changed"]["first_sync"]
    assert changed["to_plezi"] == 2_000
    assert changed["hours"] == pytest.approx(now["hours"] / 10, rel=0.01)


def test_a_verification_of_the_week_is_measured_and_one_that_was_not_made_is_computed(
    admin_client: AdminClient, harness: Harness
) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.sync(kind=RunKind.FULL)
    assert causes(admin_client.request_ok("GET", PATH)["now"])["verify"]["is_expected"] is True

    verify(harness)

    assert causes(admin_client.request_ok("GET", PATH)["now"])["verify"]["is_expected"] is False
