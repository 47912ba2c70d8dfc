"""The main scenarios in random combinations of a tenant's switches, as a probe finds them.

A combination that cannot be served is refused before the start, with the reason. The pace of the
tenant is left out: no test here waits for a real second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import pytest
from moto import mock_aws

from connector.model import HintResult
from functions.admin.admin_app import ADMIN
from local.plezi_tenant import Switches
from tests.component.admin_client import AdminClient, build_admin_context
from tests.component.form_harness import FormHarness
from tests.component.harness import REGION
from tests.component.memory_dynamodb import dynamodb_in_memory
from tests.component.probe_variants import Variant, can_create, can_update, variants
from tests.component.tenant_scenarios import CLEO, Users, main_scenarios

SEED = 13
SERVED, REFUSED = 30, 10
OFTEN = 3
"""Combinations of the normal suite; each takes some seconds."""
NO_PACE = {"read_lag_seconds": 0.0, "rate_limit_per_minute": 0}
DORA = "dora@example.com"


def is_served(variant: Variant) -> bool:
    """Return whether the connector can surely work with a tenant of this kind."""
    switches = Switches().with_changes(variant.switches)
    is_readable = switches.email_filter == "honoured" or switches.get_by_id == "offered"
    return is_readable and can_create(variant, switches) and bool(can_update(switches))


def is_refused(variant: Variant) -> bool:
    """Return whether a writing probe surely shows that a tenant of this kind cannot be served.

    Without a contact, and with other names for the attributes, it can show nothing.
    """
    switches = Switches().with_changes(variant.switches)
    is_known = can_create(variant, switches) or switches.key_rights == "read"
    return is_known and not can_update(switches)


def combinations(condition: Callable[[Variant], bool], count: int) -> list[Variant]:
    """Return the first combinations that meet a condition."""
    drawn = (
        replace(variant, switches={**variant.switches, **NO_PACE})
        for variant in variants(1000, SEED)
    )
    return list(islice(filter(condition, drawn), count))


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Iterator[FormHarness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws(), dynamodb_in_memory():
        yield FormHarness()


@pytest.fixture
def client(harness: FormHarness) -> Iterator[AdminClient]:
    ADMIN.use(build_admin_context(harness))
    yield AdminClient()
    ADMIN.use(None)


def probe(harness: FormHarness, client: AdminClient, variant: Variant) -> list[str]:
    """Let a tenant be of this kind, and probe it; return why it cannot be served."""
    harness.tenant.public_url = variant.public_url
    load = {"contacts": variant.contacts, "spread_seconds": variant.spread_seconds}
    harness.control("plezi", "POST", "load", load)
    harness.control("plezi", "POST", "switches", dict(variant.switches))
    client.request_ok("POST", "/admin/pause")
    contact = {"contact": "throwaway@example.com", "throwaway": True}
    report = client.request_ok("POST", "/admin/plezi/probe", contact)
    assert report["state"] == "done", report["message"]
    return [each["reason"] for each in report["refusals"]]


def submit_form(users: Users) -> None:
    """Let a visitor submit a form: the contact is a Lead before the next run."""
    harness = users.harness
    assert isinstance(harness, FormHarness)
    person = users.add_person(email=DORA, last_name="Form", company="Atelier")
    hint = {"trace_id": "t1", "email": DORA, "contact_id": person}
    assert harness.consume(hint)[0] is HintResult.RESOLVED
    assert users.lead(DORA)["LastName"] == "Form"


def check_served(harness: FormHarness, client: AdminClient, variant: Variant) -> None:
    assert probe(harness, client, variant) == []
    client.request_ok("POST", "/admin/start")
    users = Users(harness)
    main_scenarios(users)
    submit_form(users)
    users.sync()
    assert len(harness.leads(DORA)) == len(harness.leads(CLEO)) == 1
    harness.mark()
    users.sync()
    assert [harness.calls(side)["writes"] for side in ("plezi", "salesforce")] == [0, 0]


@pytest.mark.parametrize("variant", combinations(is_served, OFTEN), ids=str)
def test_the_main_scenarios_hold_in_some_combinations(
    harness: FormHarness, client: AdminClient, variant: Variant
) -> None:
    check_served(harness, client, variant)


@pytest.mark.nightly
@pytest.mark.parametrize("variant", combinations(is_served, SERVED), ids=str)
def test_the_main_scenarios_hold_in_each_combination(
    harness: FormHarness, client: AdminClient, variant: Variant
) -> None:
    check_served(harness, client, variant)


@pytest.mark.parametrize("variant", combinations(is_refused, REFUSED), ids=str)
def test_a_combination_that_cannot_be_served_is_refused_with_the_reason_before_the_start(
    harness: FormHarness, client: AdminClient, variant: Variant
) -> None:
    reasons = probe(harness, client, variant)

    assert reasons
    refused = client.request("POST", "/admin/start")
    assert refused.status == 409
    assert reasons[0] in refused.body["message"]
    step = client.request_ok("GET", "/admin/setup")["steps"][1]
    assert (step["name"], step["state"], step["reason"]) == ("check", "blocked", reasons[0])
