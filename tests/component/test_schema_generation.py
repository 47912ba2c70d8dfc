"""New fields and mappings work in the next run of a process that is warm (M1, M2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.errors import RetryError, StopReason
from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import ChangeHint, HintResult, RunKind, RunState
from connector.schema_cache import load_confirmed
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

ANA = "ana@example.com"
SETUP = "/admin/setup/salesforce-fields"
SHOE = {"plezi": "shoe_size", "salesforce": "shoe_size__c", "contact": "", "direction": "both"}
SHOE_PAIR = FieldPair("shoe_size", "shoe_size__c", Direction.BOTH)
PRODUCT_FIELDS = [("Lead", "plezi_url__c"), ("Lead", "score__c"), ("Contact", "sync_to_plezi__c")]


@pytest.fixture
def warm(harness: Harness) -> Harness:
    """A worker that has described both systems in an earlier run."""
    harness.add_person(email=ANA, last_name="Lopez")
    assert harness.sync(kind=RunKind.FULL).state is RunState.DONE
    return harness


def add_shoe_size(harness: Harness) -> None:
    harness.control("plezi", "POST", "attributes", {"name": "shoe_size", "label": "Shoe size"})
    text = {"type": "Text", "label": "Shoe size", "length": 40}
    body = {"name": "shoe_size__c", "Metadata": text}
    harness.control("salesforce", "POST", "fields/Lead", body)


def save_with_shoe_size(admin_client: AdminClient) -> None:
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    pairs = [pair for pair in mapping["pairs"] if pair["saved"]]
    pairs.append({**pairs[-1], "placeholder": "", "policy": "hold", "enforced": False, **SHOE})
    admin_client.request_ok("PUT", "/admin/mapping", {**mapping, "pairs": pairs})


def shoe_size(harness: Harness) -> Any:
    response = harness.salesforce("GET", "query", q="SELECT shoe_size__c FROM Lead")
    return response["records"][0]["shoe_size__c"]


def status(admin_client: AdminClient) -> dict[str, Any]:
    return dict(admin_client.request_ok("GET", "/admin/status"))


@pytest.mark.parametrize("refresh", [True, False], ids=["refresh pressed", "only saved"])
def test_m1_a_pair_of_new_fields_works_in_the_next_full_run_of_a_warm_worker(
    warm: Harness, admin_client: AdminClient, *, refresh: bool
) -> None:
    admin_client.request_ok("GET", "/admin/fields")
    add_shoe_size(warm)
    if refresh:
        admin_client.request_ok("GET", "/admin/fields", refresh="true")
    save_with_shoe_size(admin_client)
    [person] = warm.people().values()
    warm.edit_person(person["id"], shoe_size="42")

    run = warm.sync(kind=RunKind.FULL)

    assert run.state is RunState.DONE, run.message
    assert warm.ledger.suspended_pairs() == {}
    assert shoe_size(warm) == "42"
    assert status(admin_client)["manual_sync"]["due"] is False


def test_m2_fields_that_the_set_up_creates_work_in_the_next_run_of_a_warm_worker(
    warm: Harness, admin_client: AdminClient
) -> None:
    for kind, name in PRODUCT_FIELDS:
        warm.control("salesforce", "DELETE", f"fields/{kind}/{name}")
    for client in warm.context.clients.values():
        client.invalidate_schemas()
    warm.sync(kind=RunKind.FULL)
    assert warm.ledger.suspended_pairs()

    assert admin_client.request_ok("POST", SETUP, {"create": True})["ready"] is True
    due = status(admin_client)["manual_sync"]
    assert due["due"] is True
    assert "fields were read again" in due["why"]
    run = warm.sync()

    assert run.state is RunState.DONE, run.message
    assert warm.ledger.suspended_pairs() == {}
    assert status(admin_client)["manual_sync"]["due"] is False


def test_a_pair_saved_by_another_way_than_the_api_is_described_afresh_before_it_is_suspended(
    warm: Harness,
) -> None:
    add_shoe_size(warm)
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, SHOE_PAIR))
    warm.context.mappings.save(mapping)  # type: ignore[attr-defined]

    warm.sync(kind=RunKind.FULL)

    assert warm.ledger.suspended_pairs() == {}


def test_a_pair_that_stays_suspended_is_described_once(warm: Harness) -> None:
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, SHOE_PAIR))
    warm.context.mappings.save(mapping)  # type: ignore[attr-defined]
    warm.sync()
    assert set(warm.ledger.suspended_pairs()) == {"shoe_size__c"}
    described_at = warm.ledger.load_document("describe#plezi")

    for number in range(3):
        warm.sync()
        hint = ChangeHint(f"form-{number}", email=ANA)
        assert warm.engine.sync_contact(hint) is HintResult.RESOLVED

    assert warm.ledger.load_document("describe#plezi") == described_at


def test_the_status_says_what_was_not_applied(warm: Harness, admin_client: AdminClient) -> None:
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, SHOE_PAIR))
    warm.context.mappings.save(mapping)  # type: ignore[attr-defined]
    warm.sync(kind=RunKind.FULL)
    shown = status(admin_client)["manual_sync"]
    assert shown["due"] is False
    assert "without the suspended pairs: shoe_size__c" in shown["why"]

    add_shoe_size(warm)
    admin_client.request_ok("GET", "/admin/fields", refresh="true")

    assert status(admin_client)["manual_sync"]["due"] is True


def test_a_version_is_not_applied_to_everybody_while_people_are_read_again_for_a_pair(
    warm: Harness, admin_client: AdminClient
) -> None:
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, SHOE_PAIR))
    warm.context.mappings.save(mapping)  # type: ignore[attr-defined]
    warm.sync(kind=RunKind.FULL)
    add_shoe_size(warm)
    admin_client.request_ok("GET", "/admin/fields", refresh="true")
    run_id = warm.run_requester.request_run(RunKind.CHANGES)
    state = warm.engine.run_phase(run_id, warm.queued_phase(), lambda: True)
    assert state is RunState.RUNNING

    assert status(admin_client)["manual_sync"]["due"] is True


def test_a_hint_of_a_warm_worker_uses_new_fields_too(
    warm: Harness, admin_client: AdminClient
) -> None:
    add_shoe_size(warm)
    save_with_shoe_size(admin_client)
    [person] = warm.people().values()
    warm.edit_person(person["id"], shoe_size="42")

    assert warm.engine.sync_contact(ChangeHint("form-1", email=ANA)) is HintResult.RESOLVED

    assert load_confirmed(warm.ledger).reasons == {}
    stored = warm.ledger.load_links([ANA])[ANA].plezi
    assert stored is not None
    assert stored.values["shoe_size"] == "42"


def test_a_set_up_that_fails_after_its_first_field_makes_the_next_run_describe_again(
    warm: Harness, admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = warm.ledger.load_document("schema_generation")
    for kind, name in PRODUCT_FIELDS:
        warm.control("salesforce", "DELETE", f"fields/{kind}/{name}")

    def fail(*_: object) -> None:
        raise RetryError("busy", reason=StopReason.SALESFORCE_UNAVAILABLE)

    monkeypatch.setattr("connector.salesforce.setup.org_setup.OrgSetup._grant_access", fail)
    assert admin_client.request("POST", SETUP, {"create": True}).status == 503

    reported = warm.ledger.load_document("schema_generation")
    assert reported not in (None, before)
