"""The template grants each function what it uses, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from connector.bootstrap.rotation import SecretKind
from connector.credentials.rotation import RotationOutcome
from connector.mapping import DEFAULT_MAPPING
from connector.model import HintResult, RunKind
from connector.sync.runs import FINAL_STATES
from functions.manual_sync import app as manual_sync
from functions.scheduled_sync import app as scheduled_sync
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.deployment import deploy, forget_apps
from tests.component.form_harness import FormHarness, deploy_form_receiver, signed
from tests.component.harness import REGION, Harness
from tests.component.iam_permissions import ApiCallRecorder, granted, record_calls
from tests.component.lambda_context import FakeLambdaContext


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> ApiCallRecorder:
    return record_calls(monkeypatch)


def test_the_permissions_of_the_schedule(
    harness: Harness, watch: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(harness, monkeypatch, "ScheduledSyncFunction")
    with watch.recording():
        scheduled_sync.handler({}, FakeLambdaContext())

    assert watch.used == granted("ScheduledSyncFunction")


def test_the_permissions_of_manual_requests(
    harness: Harness, watch: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(harness, monkeypatch, "ManualSyncFunction")
    with watch.recording():
        for kind in ("changes", "full", "dry_run"):
            assert "run_id" in manual_sync.handler({"kind": kind}, FakeLambdaContext())

    assert watch.used == granted("ManualSyncFunction")


def test_the_permissions_of_the_sync_worker(
    credentials: CredentialFixtures, watch: ApiCallRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People of all sorts, and each kind of run, until nothing more is asked of AWS."""
    harness = credentials.harness
    work = harness.engine.run_phase

    def watched(run_id: str, *asked: Any) -> Any:
        with watch.recording():
            state = work(run_id, *asked)
            run = harness.ledger.load_run(run_id)
            if run is not None and state in FINAL_STATES:
                harness.app.alerts.notify(run)
            return state

    monkeypatch.setattr(harness.engine, "run_phase", watched)
    credentials.reset_password()
    harness.sync()
    credentials.put(credentials.material())
    harness.context.mappings.save(replace(DEFAULT_MAPPING, version=1))  # type: ignore[attr-defined]
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="1")
    harness.add_lead(Email="ana@example.com", Phone="2")
    harness.add_person(email="long@example.com", last_name="x" * 81)
    harness.sync(out_of_time=lambda: True)
    harness.edit_person(person, email="ana@example.org")
    harness.sync()
    harness.sync(kind=RunKind.SELECTED, emails=["long@example.com"])
    harness.sync(kind=RunKind.FULL)
    harness.dry_run()

    assert watch.used == granted("SyncWorkerFunction")


def test_the_permissions_of_the_rotation(
    credentials: CredentialFixtures, watch: ApiCallRecorder
) -> None:
    credentials.reset_password()
    bad = credentials.put(credentials.material(password="wrong"), "AWSPENDING")
    with watch.recording():
        assert credentials.rotation().test_and_promote(bad).outcome is RotationOutcome.REFUSED
    good = credentials.put(credentials.material(), "AWSPENDING")
    with watch.recording():
        assert credentials.rotation().test_and_promote(good).outcome is RotationOutcome.PROMOTED
    plezi = credentials.put_plezi("AWSPENDING")
    with watch.recording():
        assert (
            credentials.rotation(SecretKind.PLEZI).test_and_promote(plezi).outcome
            is RotationOutcome.PROMOTED
        )

    assert watch.used == granted("RotateCredentialsFunction")


@pytest.fixture
def forms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FormHarness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        staged = FormHarness()
        deploy_form_receiver(staged, monkeypatch)
        yield staged
        forget_apps()


def test_the_permissions_of_the_form_receiver(forms: FormHarness, watch: ApiCallRecorder) -> None:
    body = b'{"email": "ana@example.com"}'
    once = signed(body)  # signed anew in the next second, it would be a second try, which is taken
    with watch.recording():
        assert forms.post(body, once)["statusCode"] == 202
        assert forms.post(body, once)["statusCode"] == 401  # a replay
        assert forms.post(body, {})["statusCode"] == 401

    assert watch.used == granted("FormSyncFunction")


def test_the_permissions_of_the_form_worker(forms: FormHarness, watch: ApiCallRecorder) -> None:
    def hint(**said: str) -> dict[str, Any]:
        return {
            "trace_id": said.get("email", "t"),
            "email": "",
            "contact_id": "",
            "attempt": 0,
            **said,
        }

    person = forms.add_person(email="ana@example.com", last_name="Lopez")
    with watch.recording():
        assert forms.consume(hint(email="ana@example.com"))[0] is HintResult.RESOLVED
        assert forms.consume(hint(email="nobody@example.com"))[0] is HintResult.NOT_READABLE
    forms.edit_person(person, email="ana@example.org")
    with watch.recording():
        assert forms.consume(hint(contact_id=person))[0] is HintResult.RESOLVED

    assert watch.used == granted("FormWorkerFunction")
