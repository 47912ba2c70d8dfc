"""The template grants each function what it uses, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from connector import telemetry, wiring
from connector.connecting import SecretKind, tell_people
from connector.engine.runs import FINAL_STATES
from connector.mapping import DEFAULT_MAPPING
from connector.model import Heard, RunKind
from connector.rotation import Outcome
from functions.manual_sync import app as manual_sync
from functions.scheduled_sync import app as scheduled_sync
from tests.component.form_stage import FormStage, signed
from tests.component.keyring import Keyring
from tests.component.rights import Watch, granted, watch_calls
from tests.component.stage import REGION, Stage


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return watch_calls(monkeypatch)


@pytest.fixture
def door(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    queue = boto3.client("sqs", region_name=REGION).get_queue_url(QueueName="runs.fifo")
    monkeypatch.setenv("LEDGER_TABLE", "LedgerTable")
    monkeypatch.setenv("RUNS_QUEUE_URL", queue["QueueUrl"])
    wiring.door.cache_clear()
    telemetry.logger.cache_clear()
    yield stage
    wiring.door.cache_clear()


@pytest.mark.usefixtures("door")
def test_the_clock_s_door(watch: Watch) -> None:
    with watch.watching():
        scheduled_sync.handler({}, None)

    assert watch.used == granted("ScheduledSyncFunction")


@pytest.mark.usefixtures("door")
def test_the_manual_door(watch: Watch) -> None:
    with watch.watching():
        for kind in ("changes", "full", "dry_run"):
            assert "run_id" in manual_sync.handler({"kind": kind}, None)

    assert watch.used == granted("ManualSyncFunction")


def test_the_worker(keyring: Keyring, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """People of all sorts, and each kind of run, until nothing more is asked of AWS."""
    stage = keyring.stage
    work = stage.engine.work

    def watched(run_id: str, *asked: Any) -> Any:
        with watch.watching():
            state = work(run_id, *asked)
            run = stage.ledger.run(run_id)
            if run is not None and state in FINAL_STATES:
                tell_people(stage.world, stage.settings, run)
            return state

    monkeypatch.setattr(stage.engine, "work", watched)
    keyring.reset_password()
    stage.sync()
    keyring.put(keyring.material())
    stage.world.configuration.save(replace(DEFAULT_MAPPING, version=1))  # type: ignore[attr-defined]
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="1")
    stage.add_lead(Email="ana@example.com", Phone="2")
    stage.add_person(email="long@example.com", last_name="x" * 81)
    stage.sync(out_of_time=lambda: True)
    stage.edit_person(person, email="ana@example.org")
    stage.sync()
    stage.sync(kind=RunKind.SELECTED, emails=["long@example.com"])
    stage.sync(kind=RunKind.FULL)
    stage.dry_run()

    assert watch.used == granted("SyncWorkerFunction")


def test_the_rotation(keyring: Keyring, watch: Watch) -> None:
    keyring.reset_password()
    bad = keyring.put(keyring.material(password="wrong"), "AWSPENDING")
    with watch.watching():
        assert keyring.rotation().offer(bad).outcome is Outcome.REFUSED
    good = keyring.put(keyring.material(), "AWSPENDING")
    with watch.watching():
        assert keyring.rotation().offer(good).outcome is Outcome.PROMOTED
    plezi = keyring.put_plezi("AWSPENDING")
    with watch.watching():
        assert keyring.rotation(SecretKind.PLEZI).offer(plezi).outcome is Outcome.PROMOTED

    assert watch.used == granted("RotateCredentialsFunction")


@pytest.fixture
def forms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FormStage]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        staged = FormStage()
        monkeypatch.setenv("LEDGER_TABLE", "LedgerTable")
        monkeypatch.setenv("FORMS_QUEUE_URL", staged.queue_url)
        monkeypatch.setenv("FORMS_SECRET", "forms")
        wiring.form_door.cache_clear()
        telemetry.logger.cache_clear()
        yield staged
        wiring.form_door.cache_clear()


def test_the_door_of_forms(forms: FormStage, watch: Watch) -> None:
    body = b'{"email": "ana@example.com"}'
    once = signed(body)  # signed anew in the next second, it would be a second try, which is taken
    with watch.watching():
        assert forms.knock(body, once)["statusCode"] == 202
        assert forms.knock(body, once)["statusCode"] == 401  # a replay
        assert forms.knock(body, {})["statusCode"] == 401

    assert watch.used == granted("FormSyncFunction")


def test_the_worker_of_forms(forms: FormStage, watch: Watch) -> None:
    def hint(**said: str) -> dict[str, Any]:
        return {"trace": said.get("email", "t"), "email": "", "contact": "", "attempt": 0, **said}

    person = forms.add_person(email="ana@example.com", last_name="Lopez")
    with watch.watching():
        assert forms.hear(hint(email="ana@example.com"))[0] is Heard.SETTLED
        assert forms.hear(hint(email="nobody@example.com"))[0] is Heard.NOT_READABLE
    forms.edit_person(person, email="ana@example.org")
    with watch.watching():
        assert forms.hear(hint(contact=person))[0] is Heard.SETTLED

    assert watch.used == granted("FormWorkerFunction")
