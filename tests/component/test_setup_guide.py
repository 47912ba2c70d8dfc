"""The set-up guide: each step is done, to do or blocked, with the reason and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from connector.errors import StopReason
from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import Breaker, RunKind, RunState
from connector.probe_report import FoundDialect, ProbeRefusal, save_found_dialect
from tests.component.admin_client import AdminClient
from tests.component.harness import REGION, Harness

GUIDE = "/admin/setup"
CHECK = "/admin/connection/check"
CREATE = "/admin/setup/salesforce-fields"


@pytest.fixture
def new_stack(harness: Harness, admin_client: AdminClient) -> AdminClient:
    """Return a client of a stack with credentials in its secrets, on which nothing was done."""
    harness.ledger.set_enabled(on=False, now=0.0)
    return admin_client


def guide(admin_client: AdminClient) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in admin_client.request_ok("GET", GUIDE)["steps"]}


def states(admin_client: AdminClient) -> dict[str, str]:
    return {name: step["state"] for name, step in guide(admin_client).items()}


def put_secret(name: str, **values: str) -> None:
    secrets = boto3.client("secretsmanager", region_name=REGION)
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps(values))


def logins(harness: Harness) -> int:
    return len(harness.control("salesforce", "GET", "logins"))


def test_the_guide_leads_from_credentials_to_the_start(
    harness: Harness, new_stack: AdminClient
) -> None:
    assert states(new_stack) == {
        "connect": "done",
        "check": "to_do",
        "fields": "blocked",
        "mapping": "blocked",
        "preview": "blocked",
        "start": "blocked",
    }
    assert new_stack.request_ok("GET", GUIDE)["next"] == "check"

    new_stack.request_ok("POST", CHECK)
    step = guide(new_stack)["preview"]
    assert (step["state"], step["command"]) == ("to_do", "plezi-sync preview")

    harness.sync(kind=RunKind.DRY_RUN)
    step = guide(new_stack)["start"]
    assert (step["state"], step["command"]) == ("to_do", "plezi-sync start")
    assert "built-in connector" in step["remedy"]

    new_stack.request_ok("POST", "/admin/start")
    assert set(states(new_stack).values()) == {"done"}
    assert "plezi-sync sync --wait" in guide(new_stack)["start"]["notes"][0]
    harness.sync()
    assert guide(new_stack)["start"].get("notes", []) == []
    assert new_stack.request_ok("GET", GUIDE)["next"] == ""


def test_a_secret_without_its_members_is_named_and_no_system_is_called(
    harness: Harness, new_stack: AdminClient
) -> None:
    put_secret("plezi", api_key="")
    before = logins(harness)

    step = guide(new_stack)["connect"]

    assert (step["state"], step["command"]) == ("to_do", "plezi-sync connect set plezi")
    assert "tenant" in step["reason"]
    assert guide(new_stack)["check"]["command"] == "plezi-sync connect set plezi"
    assert logins(harness) == before


def test_a_refused_login_blocks_with_the_first_cause_and_is_not_repeated(
    harness: Harness, new_stack: AdminClient
) -> None:
    user = f"users/{harness.org.integration_user.username}"
    harness.control("salesforce", "POST", f"{user}/password", {"password": "Another-pass1"})
    new_stack.request_ok("POST", CHECK)
    before = logins(harness)

    step = guide(new_stack)["check"]

    assert (step["state"], step["command"]) == ("blocked", "plezi-sync connect check")
    assert "password was reset" in step["remedy"]
    assert logins(harness) == before


def test_new_credentials_must_be_checked_again_or_proved_by_a_run(
    harness: Harness, new_stack: AdminClient
) -> None:
    new_stack.request_ok("POST", CHECK)
    put_secret("plezi", api_key=harness.tenant.api_key, tenant=harness.tenant.tenant_name)
    step = guide(new_stack)["check"]
    assert (step["state"], step["reason"][:19]) == ("to_do", "The credentials are")

    harness.let_pass(5)
    harness.sync(kind=RunKind.DRY_RUN)

    assert guide(new_stack)["check"]["state"] == "done"


def test_a_tenant_that_nobody_probed_is_a_note_and_one_that_cannot_be_served_blocks(
    harness: Harness, new_stack: AdminClient
) -> None:
    new_stack.request_ok("POST", CHECK)
    assert "plezi-sync probe" in guide(new_stack)["check"]["notes"][0]
    refusals = (ProbeRefusal("pager", "no pages"),)
    save_found_dialect(harness.ledger, FoundDialect("T", 1.0, {}, refusals))

    step = guide(new_stack)["check"]

    assert (step["state"], step["reason"]) == ("blocked", "no pages")


def test_missing_fields_are_listed_and_done_when_they_are_created(
    harness: Harness, new_stack: AdminClient
) -> None:
    new_stack.request_ok("POST", CHECK)
    harness.control("salesforce", "DELETE", "fields/Lead/score__c")
    new_stack.request_ok("GET", "/admin/fields", refresh="true")
    step = guide(new_stack)["fields"]
    assert (step["state"], step["command"]) == ("to_do", "plezi-sync setup fields --create")
    assert "Lead.score__c is missing" in step["reason"]

    new_stack.request_ok("POST", CREATE, {"create": True})

    step = guide(new_stack)["fields"]
    assert step["state"] == "done"
    assert "page layout" in step["notes"][0]


def test_a_field_that_an_administrator_creates_is_seen_without_a_refresh(
    harness: Harness, new_stack: AdminClient
) -> None:
    harness.control("salesforce", "DELETE", "fields/Lead/score__c")
    new_stack.request_ok("POST", CHECK)
    assert guide(new_stack)["fields"]["state"] == "to_do"
    field = {"name": "score__c", "Metadata": {"type": "Text", "label": "Score", "length": 10}}

    harness.control("salesforce", "POST", "fields/Lead", {**field, "visible": True})

    assert guide(new_stack)["fields"]["state"] == "done"


def test_a_field_of_a_wrong_type_blocks_because_the_set_up_never_changes_it(
    harness: Harness, new_stack: AdminClient
) -> None:
    harness.control("salesforce", "PATCH", "fields/Lead/score__c", {"type": "boolean"})
    new_stack.request_ok("POST", CHECK)

    step = guide(new_stack)["fields"]

    assert (step["state"], step["command"]) == ("blocked", "plezi-sync setup fields")
    assert "must be a" in step["remedy"]


def test_a_missing_permission_on_an_object_blocks_with_its_name(
    harness: Harness, new_stack: AdminClient
) -> None:
    new_stack.request_ok("POST", CHECK)
    rights = {"read": True, "create": False, "edit": True, "delete": True}
    harness.control("salesforce", "POST", "objects/Lead/permissions", rights)
    assert new_stack.request("GET", "/admin/fields", refresh="true").status == 502

    step = guide(new_stack)["fields"]

    assert step["state"] == "blocked"
    assert "'Create' on Lead" in step["reason"]


def test_an_email_that_cannot_be_filtered_blocks_the_fields(
    harness: Harness, new_stack: AdminClient
) -> None:
    new_stack.request_ok("POST", CHECK)
    scheme = {"encryption": "probabilistic"}
    harness.control("salesforce", "PATCH", "fields/Lead/Email", scheme)
    assert new_stack.request("GET", "/admin/fields", refresh="true").status == 502

    step = guide(new_stack)["fields"]

    assert step["state"] == "blocked"
    assert "choose deterministic encryption" in step["reason"]


def test_a_mapping_that_fits_no_longer_is_named_with_the_remedy(
    harness: Harness, new_stack: AdminClient
) -> None:
    new_stack.request_ok("POST", CHECK)
    pairs = (*DEFAULT_MAPPING.pairs, FieldPair("segment", "Gone__c", Direction.BOTH))
    harness.context.mappings.save(replace(DEFAULT_MAPPING, version=1, pairs=pairs))  # type: ignore[attr-defined]

    step = guide(new_stack)["mapping"]

    assert (step["state"], step["command"]) == ("to_do", "plezi-sync mapping edit")
    assert "Gone__c" in step["reason"]
    assert step["remedy"]


def test_a_preview_counts_for_its_version_of_the_mapping_only(
    harness: Harness, new_stack: AdminClient
) -> None:
    new_stack.request_ok("POST", CHECK)
    harness.sync(kind=RunKind.DRY_RUN, emails=["ana@example.com"])
    assert guide(new_stack)["preview"]["state"] == "to_do"
    requested = harness.run_requester.request_run(RunKind.DRY_RUN)
    assert requested in guide(new_stack)["preview"]["command"]
    assert harness.run_phase(requested).state is RunState.DONE
    assert guide(new_stack)["preview"]["state"] == "done"
    mapping = new_stack.request_ok("GET", "/admin/mapping")
    for pair in mapping["pairs"]:
        if pair["salesforce"] == "Phone":
            pair["policy"] = "hold"

    new_stack.request_ok("PUT", "/admin/mapping", mapping)

    step = guide(new_stack)["preview"]
    assert (step["state"], step["reason"]) == ("to_do", "No dry run of version 1 was made.")
    assert guide(new_stack)["start"]["state"] == "blocked"


def test_an_open_breaker_blocks_the_start(harness: Harness, admin_client: AdminClient) -> None:
    admin_client.request_ok("POST", CHECK)
    harness.sync()
    harness.ledger.open_breaker(Breaker(StopReason.MASS_CLEARING, "many", 0.0))

    step = guide(admin_client)["start"]

    assert (step["state"], step["command"]) == ("blocked", "plezi-sync breaker")
    assert "many" in step["reason"]
