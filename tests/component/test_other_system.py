"""Credentials that lead to another org or tenant halt every run until an admin decides (L12)."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import boto3
import pytest

from connector.errors import HaltError, StopReason
from connector.http_session import HttpSession
from connector.mapping import DEFAULT_MAPPING, ConflictPolicy
from connector.model import ChangeHint, HintResult, Phase, RecordKind, Run, RunKind, RunState, Side
from functions.admin.admin_app import ADMIN
from local.plezi_tenant import PleziTenant
from local.salesforce_org import SalesforceOrg
from local.serving import InProcessAdapter
from tests.component.admin_client import AdminClient, build_admin_context
from tests.component.harness import REGION, Harness

PEOPLE = ("ana", "bob", "cleo", "dan")
SYSTEMS = "/admin/systems"
SAME_ORG = {"side": "salesforce", "decision": "same_people"}


def email(name: str) -> str:
    return f"{name}@example.com"


def start_process(harness: Harness) -> None:
    """Start a worker and an admin that know only what is stored."""
    harness.app = harness.build(harness.settings)
    harness.context, harness.engine = harness.app.context, harness.app.engine
    ADMIN.use(build_admin_context(harness))


def put_secret(harness: Harness, name: str) -> None:
    """Put the credentials of the harness's present org and tenant."""
    org, tenant, user = harness.org, harness.tenant, harness.org.integration_user
    salesforce = {
        "account_url": "https://acme.lightning.force.com",
        "consumer_key": org.consumer_key,
        "consumer_secret": org.consumer_secret,
        "username": user.username,
        "password": user.password,
        "security_token": user.security_token,
    }
    plezi = {"api_key": tenant.api_key, "tenant": tenant.tenant_name}
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(
        SecretId=name, SecretString=json.dumps(salesforce if name == "salesforce" else plezi)
    )


def connect_org(harness: Harness, org: SalesforceOrg, *, cold: bool = True) -> None:
    """Point the secret to an org."""
    harness.org = org
    harness._http.mount("https://", InProcessAdapter(org))
    harness._token = harness._log_in()
    put_secret(harness, "salesforce")
    if cold:
        start_process(harness)


def follow_secret(harness: Harness) -> None:
    """Let every process reach the org that is connected at the time of the call."""

    def current_org(environ: Any, start: Any) -> Any:
        return harness.org(environ, start)

    def http(side: Side, *, authority: str = "") -> HttpSession:  # noqa: ARG001  # no TLS here
        session = HttpSession(monotonic=time.monotonic)
        application = current_org if side is Side.SALESFORCE else harness.tenant
        session.mount("https://", InProcessAdapter(application))
        return session

    harness.http = http  # type: ignore[method-assign]
    start_process(harness)


def connect_tenant(harness: Harness, tenant: PleziTenant) -> None:
    """Point the secret to a tenant."""
    harness.tenant = tenant
    harness._http.mount("https://app.plezi.co", InProcessAdapter(tenant))
    put_secret(harness, "plezi")
    start_process(harness)


def records(harness: Harness) -> list[dict[str, Any]]:
    return [{k: v for k, v in lead.items() if k != "attributes"} for lead in harness.leads()]


def run_of(harness: Harness, result: dict[str, Any]) -> Run:
    harness.queued_phase()
    return harness.run_phase(result["run_id"])


@pytest.fixture
def linked(harness: Harness, admin_client: AdminClient) -> Harness:
    """Four people who are linked in the first org and tenant; a phone that differs is held."""
    assert isinstance(admin_client, AdminClient)
    pairs = tuple(
        replace(pair, policy=ConflictPolicy.HOLD) if pair.salesforce == "Phone" else pair
        for pair in DEFAULT_MAPPING.pairs
    )
    harness.context.mappings.save(  # type: ignore[attr-defined]
        replace(DEFAULT_MAPPING, version=1, pairs=pairs)
    )
    for name in PEOPLE:
        harness.add_person(email=email(name), last_name=name.title(), phone="111")
    assert harness.sync(kind=RunKind.FULL).state is RunState.DONE
    assert len(harness.leads()) == len(PEOPLE)
    return harness


@pytest.fixture
def other_org(linked: Harness) -> Harness:
    """Another org with three of the people, one of whom differs, and one more."""
    first = linked.org
    connect_org(linked, SalesforceOrg(seed=2))
    assert linked.org.state.org_id != first.state.org_id
    for name in PEOPLE[:3]:
        phone = "222" if name == "bob" else "111"
        linked.add_lead(Email=email(name), LastName=name.title(), Phone=phone)
    linked.add_lead(Email=email("eve"), LastName="Eve")
    return linked


@pytest.mark.parametrize("kind", [RunKind.CHANGES, RunKind.FULL, RunKind.SELECTED])
def test_l12_another_org_halts_every_run_and_writes_nothing(
    other_org: Harness, kind: RunKind
) -> None:
    before, people = records(other_org), other_org.people()
    emails = [email("ana")] if kind is RunKind.SELECTED else []

    run = other_org.sync(kind=kind, emails=emails)

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.OTHER_ORG)
    assert "POST /admin/systems" in run.message
    assert other_org.org.state.org_id in run.message
    assert records(other_org) == before
    assert other_org.people() == people


def test_l12_another_org_halts_forms_and_dry_runs(other_org: Harness) -> None:
    result = other_org.engine.sync_contact(ChangeHint("form-1", email=email("ana")))
    assert result is HintResult.PAUSED
    run, _ = other_org.dry_run()
    assert run.reason is StopReason.OTHER_ORG


def test_l12_the_same_people_are_matched_by_email_and_nobody_is_duplicated(
    other_org: Harness, admin_client: AdminClient
) -> None:
    other_org.sync()
    people = other_org.people()

    result = admin_client.request_ok("POST", SYSTEMS, SAME_ORG)
    assert result["system"]["forgetting"] is True
    assert admin_client.request_ok("GET", "/admin/status")["manual_sync"]["due"] is True
    run = run_of(other_org, result)

    assert run.state is RunState.DONE, run.message
    leads = other_org.leads()
    assert sorted(lead["Email"] for lead in leads) == sorted(map(email, [*PEOPLE, "eve"]))
    assert set(other_org.people()) == {*people, email("eve")}
    for link in other_org.ledger.load_links(map(email, PEOPLE)).values():
        assert [each.email for each in link.salesforce] == [link.email]
    [view] = [
        each
        for each in admin_client.request_ok("GET", SYSTEMS)["systems"]
        if each["side"] == "salesforce"
    ]
    assert view == {
        "side": "salesforce",
        "id": other_org.org.state.org_id,
        "found": "",
        "forgetting": False,
    }


def test_l12_values_that_differ_in_the_new_org_meet_for_the_first_time(
    other_org: Harness, admin_client: AdminClient
) -> None:
    other_org.sync()
    run_of(other_org, admin_client.request_ok("POST", SYSTEMS, SAME_ORG))

    [bob] = other_org.leads(email("bob"))
    assert bob["Phone"] == "222"
    assert other_org.people()[email("bob")]["phone"] == "111"
    assert "Phone" in other_org.ledger.load_links([email("bob")])[email("bob")].holds
    other_org.edit_lead(bob["Id"], FirstName="Bob")
    assert other_org.sync().state is RunState.DONE
    assert other_org.people()[email("bob")]["first_name"] == "Bob"


def test_l12_wrong_credentials_change_nothing_and_the_right_ones_continue(
    other_org: Harness, admin_client: AdminClient
) -> None:
    other_org.sync()
    before = other_org.ledger.load_links(map(email, PEOPLE))

    decision = {"side": "salesforce", "decision": "wrong_credentials"}
    result = admin_client.request_ok("POST", SYSTEMS, decision)

    assert result["run_id"] == ""
    assert "put the credentials of the Salesforce org" in result["next_step"]
    assert other_org.ledger.load_links(map(email, PEOPLE)) == before
    assert other_org.sync().reason is StopReason.OTHER_ORG


def test_the_first_org_is_accepted_again_without_a_decision(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.add_person(email=email("ana"), last_name="Ana")
    harness.sync()
    first = harness.org
    connect_org(harness, SalesforceOrg(seed=2))
    assert harness.sync().reason is StopReason.OTHER_ORG

    connect_org(harness, first)

    assert harness.sync().state is RunState.DONE
    assert admin_client.request("POST", SYSTEMS, SAME_ORG).status == 409


def test_a_warm_worker_notices_the_new_secret_at_the_start_of_a_run(linked: Harness) -> None:
    follow_secret(linked)
    assert linked.sync().state is RunState.DONE
    connect_org(linked, SalesforceOrg(seed=2), cold=False)
    linked.let_pass(301)  # a secret is used for five minutes without reading it again

    assert linked.sync().reason is StopReason.OTHER_ORG


def test_forgetting_continues_over_many_invocations(
    other_org: Harness, admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.sync.identity.BATCH_SIZE", 1)
    other_org.sync()
    result = admin_client.request_ok("POST", SYSTEMS, SAME_ORG)
    other_org.queued_phase()
    for _ in range(2):
        state = other_org.engine.run_phase(result["run_id"], Phase.READ, lambda: True)
        assert state is RunState.RUNNING
        form = other_org.engine.sync_contact(ChangeHint("form-2", email=email("ana")))
        assert form is HintResult.PAUSED
        start_process(other_org)

    run = other_org.run_phase(result["run_id"])

    assert run.state is RunState.DONE
    assert len(other_org.leads()) == len(PEOPLE) + 1


def test_a_first_preview_does_not_choose_the_org(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.dry_run()
    assert {each["id"] for each in admin_client.request_ok("GET", SYSTEMS)["systems"]} == {""}
    connect_org(harness, SalesforceOrg(seed=2))

    assert harness.sync().state is RunState.DONE


def test_a_session_without_the_org_costs_one_call(linked: Harness) -> None:
    token = linked.ledger.load_session()
    assert token is not None
    linked.ledger.save_session(
        type(token)(token.access_token, token.instance_url, token.secret_version)
    )
    start_process(linked)

    assert linked.sync().state is RunState.DONE

    stored = linked.ledger.load_session()
    assert stored is not None
    assert stored.org_id == linked.org.state.org_id


def test_l12_another_tenant_halts_and_the_same_people_are_matched_by_email(
    linked: Harness, admin_client: AdminClient
) -> None:
    before = records(linked)
    tenant = PleziTenant(seed=2)
    tenant._api.tenant_name = "NewAcme"
    connect_tenant(linked, tenant)
    for name in PEOPLE[:3]:
        linked.add_person(email=email(name), last_name=name.title(), phone="111")
    run = linked.sync()
    assert (run.state, run.reason) == (RunState.HALTED, StopReason.OTHER_TENANT)
    assert records(linked) == before

    decision = {"side": "plezi", "decision": "same_people"}
    run = run_of(linked, admin_client.request_ok("POST", SYSTEMS, decision))

    assert run.state is RunState.DONE, run.message
    assert set(linked.people()) == set(map(email, PEOPLE))
    assert len(linked.leads()) == len(PEOPLE)


def test_only_the_cursors_of_the_forgotten_side_start_again(
    other_org: Harness, admin_client: AdminClient
) -> None:
    other_org.sync()
    plezi = other_org.ledger.load_cursor(RecordKind.PLEZI_CONTACT)
    admin_client.request_ok("POST", SYSTEMS, SAME_ORG)
    run_id = other_org.run_requester.request_run(RunKind.SELECTED, emails=[email("ana")])

    assert other_org.run_phase(run_id).state is RunState.DONE

    assert other_org.ledger.load_cursor(RecordKind.PLEZI_CONTACT) == plezi
    assert other_org.ledger.load_cursor(RecordKind.LEAD).watermark == ""
    assert len(other_org.leads(email("ana"))) == 1
    assert Side.SALESFORCE is RecordKind.LEAD.side


def test_l12_no_other_tenant_is_called_in_the_middle_of_a_run(linked: Harness) -> None:
    plezi = linked.context.clients[Side.PLEZI]
    plezi.identity()
    linked.tenant._api.tenant_name = "NewAcme"
    put_secret(linked, "plezi")
    linked.let_pass(301)  # the secret is read again
    plezi.invalidate_schemas()

    with pytest.raises(HaltError) as halted:
        plezi.schemas()

    assert halted.value.reason is StopReason.OTHER_TENANT


def test_l12_no_other_org_is_called_in_the_middle_of_a_run(linked: Harness) -> None:
    follow_secret(linked)
    salesforce = linked.context.clients[Side.SALESFORCE]
    salesforce.identity()
    linked.control("salesforce", "POST", "sessions/kill", {})
    connect_org(linked, SalesforceOrg(seed=2), cold=False)
    salesforce.invalidate_schemas()

    with pytest.raises(HaltError) as halted:
        salesforce.schemas()

    assert halted.value.reason is StopReason.OTHER_ORG


def test_l12_the_fields_of_the_new_org_are_described_again(
    linked: Harness, admin_client: AdminClient
) -> None:
    linked.control("salesforce", "DELETE", "fields/Lead/score__c")
    admin_client.request_ok("GET", "/admin/fields", refresh="true")
    linked.sync()
    assert set(linked.ledger.suspended_pairs()) == {"score__c"}
    connect_org(linked, SalesforceOrg(seed=2))
    linked.sync()

    run_of(linked, admin_client.request_ok("POST", SYSTEMS, SAME_ORG))

    assert linked.ledger.suspended_pairs() == {}
