"""The template grants each function the permissions that it uses, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from moto import mock_aws

from connector.bootstrap.rotation import SecretKind
from connector.connected_systems import ConnectedSystem, save_system
from connector.credentials.rotation import RotationOutcome
from connector.mapping import DEFAULT_MAPPING
from connector.model import AttentionKind, HintedContact, HintResult, RunKind, Side, UndoRequest
from connector.sync.runs import FINAL_STATES
from functions.manual_sync import app as manual_sync
from functions.scheduled_sync import app as scheduled_sync
from tests.component.admin_client import AdminClient
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.deployment import deploy, forget_apps
from tests.component.form_harness import FormHarness, deploy_form_receiver, signed
from tests.component.harness import REGION, Harness
from tests.component.iam_permissions import ApiCallRecorder, granted, leading_keys, record_calls
from tests.component.lambda_context import FakeLambdaContext


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> ApiCallRecorder:
    return record_calls(monkeypatch)


def test_the_permissions_of_the_schedule(
    harness: Harness, recorder: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(harness, monkeypatch, "ScheduledSyncFunction")
    with recorder.recording():
        scheduled_sync.handler({}, FakeLambdaContext())

    assert recorder.used == granted("ScheduledSyncFunction")
    assert recorder.keys_outside(leading_keys("ScheduledSyncFunction")) == set()


def test_the_permissions_of_manual_requests(
    harness: Harness, recorder: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(harness, monkeypatch, "ManualSyncFunction")
    with recorder.recording():
        for kind in ("changes", "full", "dry_run", "verify"):
            assert "run_id" in manual_sync.handler({"kind": kind}, FakeLambdaContext())

    assert recorder.used == granted("ManualSyncFunction")
    assert recorder.keys_outside(leading_keys("ManualSyncFunction")) == set()


def test_the_permissions_of_the_sync_worker(
    credentials: CredentialFixtures, recorder: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All kinds of records and runs, so that every call to AWS of the worker is made."""
    harness = credentials.harness
    run_phase = harness.engine.run_phase

    def recorded(run_id: str, *arguments: Any) -> Any:
        with recorder.recording():
            state = run_phase(run_id, *arguments)
            run = harness.ledger.load_run(run_id)
            if run is not None and state in FINAL_STATES:
                harness.app.alerts.notify(run)
            return state

    monkeypatch.setattr(harness.engine, "run_phase", recorded)
    credentials.reset_password()
    harness.sync()
    credentials.put(credentials.material())
    harness.context.mappings.save(replace(DEFAULT_MAPPING, version=1))  # type: ignore[attr-defined]
    harness.runtime["aws"].tombstones("LedgerTable", "tombstones").add(["gone@example.com"], 1.0)
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="1")
    harness.add_lead(Email="ana@example.com", Phone="2")
    harness.add_person(email="long@example.com", last_name="x" * 81)
    harness.sync(out_of_time=lambda: True)
    harness.edit_person(person, email="ana@example.org")
    harness.sync()
    harness.sync(kind=RunKind.SELECTED, emails=["long@example.com"])
    harness.sync(kind=RunKind.FULL)
    harness.sync(kind=RunKind.UNDO, undo=UndoRequest(harness.dry_run()[0].id))
    accepted = ConnectedSystem(harness.org.state.org_id, forget_since=1.0)
    save_system(harness.ledger, Side.SALESFORCE, accepted)
    harness.sync()

    assert recorder.used == granted("SyncWorkerFunction")
    assert recorder.keys_outside(leading_keys("SyncWorkerFunction")) == set()


def test_the_permissions_of_the_rotation(
    credentials: CredentialFixtures, recorder: ApiCallRecorder
) -> None:
    credentials.reset_password()
    invalid = credentials.put(credentials.material(password="wrong"), "AWSPENDING")
    with recorder.recording():
        assert credentials.rotation().test_and_promote(invalid).outcome is RotationOutcome.REFUSED
    valid = credentials.put(credentials.material(), "AWSPENDING")
    with recorder.recording():
        assert credentials.rotation().test_and_promote(valid).outcome is RotationOutcome.PROMOTED
    plezi = credentials.put_plezi("AWSPENDING")
    with recorder.recording():
        assert (
            credentials.rotation(SecretKind.PLEZI).test_and_promote(plezi).outcome
            is RotationOutcome.PROMOTED
        )

    assert recorder.used == granted("RotateCredentialsFunction")
    assert recorder.keys_outside(leading_keys("RotateCredentialsFunction")) == set()


@pytest.fixture
def forms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FormHarness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        form_harness = FormHarness()
        deploy_form_receiver(form_harness, monkeypatch)
        yield form_harness
        forget_apps()


def test_the_permissions_of_the_form_receiver(
    forms: FormHarness, recorder: ApiCallRecorder
) -> None:
    body = b'{"email": "ana@example.com"}'
    headers = signed(body)  # a signature of the next second would be a retry, which is accepted
    with recorder.recording():
        assert forms.post(body, headers)["statusCode"] == 202
        assert forms.post(body, headers)["statusCode"] == 401  # a replay
        assert forms.post(body, {})["statusCode"] == 401

    assert recorder.used == granted("FormSyncFunction")
    assert recorder.keys_outside(leading_keys("FormSyncFunction")) == set()


def test_the_permissions_of_the_form_worker(forms: FormHarness, recorder: ApiCallRecorder) -> None:
    def hint(**members: str) -> dict[str, Any]:
        return {
            "trace_id": members.get("email", "t"),
            "email": "",
            "contact_id": "",
            "attempt": 0,
            **members,
        }

    def stored(email: str) -> dict[str, Any]:
        contact = HintedContact(email, "")
        forms.runtime["aws"].form_hints("LedgerTable").save(email, contact, forms.clock())
        return {"trace_id": email}

    forms.runtime["aws"].tombstones("LedgerTable", "tombstones").add(["gone@example.com"], 1.0)
    person = forms.add_person(email="ana@example.com", last_name="Lopez")
    with recorder.recording():
        assert forms.consume(stored("ana@example.com"))[0] is HintResult.RESOLVED
        assert forms.consume(hint(email="nobody@example.com"))[0] is HintResult.NOT_READABLE
    forms.edit_person(person, email="ana@example.org")
    with recorder.recording():
        assert forms.consume(hint(contact_id=person))[0] is HintResult.RESOLVED

    assert recorder.used == granted("FormWorkerFunction")
    assert recorder.keys_outside(leading_keys("FormWorkerFunction")) == set()


def test_the_admin_reads_everything_with_the_permissions_that_it_has(
    harness: Harness, recorder: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All routes that read: the journal of a run, its plan, a person, the review queue."""
    deploy(harness, monkeypatch, "AdminFunction")
    harness.add_person(email="ana@example.com", last_name="Lopez", phone="1")
    harness.add_person(email="long@example.com", last_name="x" * 81)
    run = harness.sync()
    dry_run, _ = harness.dry_run()
    client = AdminClient()
    routes = (
        *("/admin/status", "/admin/audit", "/admin/fields", "/admin/systems"),
        *("/admin/mapping", "/admin/mapping.yaml", "/admin/mapping/versions"),
        *("/admin/runs", f"/admin/runs/{run.id}", f"/admin/runs/{dry_run.id}/plan"),
        *(f"/admin/attention?kind={kind.value}" for kind in AttentionKind),
        "/admin/contacts/ana%40example.com",
    )

    with recorder.recording():
        for route in routes:
            path, _, query = route.partition("?")
            response = client.request("GET", path, **dict(parse_qsl(query)))
            assert response.status == 200, (route, response.text)

    assert recorder.used <= granted("AdminFunction")
    assert recorder.keys_outside(leading_keys("AdminFunction")) == set()


def test_the_admin_writes_only_its_audit_entries_into_the_journal(
    harness: Harness, recorder: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(harness, monkeypatch, "AdminFunction")
    client = AdminClient()
    with recorder.recording():
        assert client.request("POST", "/admin/pause").status == 200

    assert ("dynamodb:PutItem", "JournalTable") in recorder.used
    assert recorder.keys_outside(leading_keys("AdminFunction")) == set()


def test_a_key_outside_of_a_condition_is_found(
    harness: Harness, recorder: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(harness, monkeypatch, "ScheduledSyncFunction")
    with recorder.recording():
        harness.ledger.save_document("other", {})

    assert {key for _, _, key in recorder.keys_outside(leading_keys("ScheduledSyncFunction"))} == {
        "state#other"
    }
