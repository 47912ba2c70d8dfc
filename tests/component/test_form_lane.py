"""From a form in the simulated Plezi, through the door and the lane, to a Lead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from connector import telemetry, wiring
from connector.model import Heard, RunKind, RunState
from functions.form_worker import app as form_worker
from local.visitors import FORM_ID
from tests.component.form_stage import KEY, FormStage, event, signed
from tests.component.stage import REGION

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
ANA = "ana@example.com"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[FormStage]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        staged = FormStage()
        for name, value in {
            "LEDGER_TABLE": "LedgerTable",
            "JOURNAL_TABLE": "JournalTable",
            "MAPPINGS_TABLE": "MappingsTable",
            "FORMS_QUEUE_URL": staged.queue_url,
            "FORMS_SECRET": "forms",
            "SALESFORCE_SECRET": "salesforce",
            "PLEZI_SECRET": "plezi",
        }.items():
            monkeypatch.setenv(name, value)
        for made in (wiring.form_door, wiring.form_lane, telemetry.logger):
            made.cache_clear()
        staged.tenant.pushes._deliver = staged.push
        target = {"url": "https://api.example/v1/forms", "signing_key": KEY}
        staged.control("plezi", "POST", "push", target)
        yield staged


def submit(stage: FormStage, **fields: str) -> list[int]:
    """Fill in a form in the simulated tenant; return what its push was answered."""
    identities = {"form_id": FORM_ID, "content_web_form_id": FORM_ID}
    stage.plezi("GET", "create_contact_after_webform", **identities, **fields)
    statuses: list[int] = stage.control("plezi", "GET", "pushes")["pushes"][-1]["statuses"]
    return statuses


def only_message(stage: FormStage) -> dict[str, Any]:
    [(message, _)] = stage.waiting()
    return message


def test_a_form_becomes_a_lead_under_one_trace_id(stage: FormStage) -> None:
    assert submit(stage, email="Ana@Example.com", last_name="Lopez", company="Atelier") == [202]
    message = only_message(stage)

    assert stage.hear(message) == (Heard.SETTLED, 0)

    [lead] = stage.leads(ANA)
    assert (lead["LastName"], lead["Company"]) == ("Lopez", "Atelier")
    run = stage.ledger.run(message["trace"])
    assert run is not None
    assert (run.kind, run.state) == (RunKind.FORM, RunState.DONE)
    assert {line["run_id"] for line in stage.journal(ANA)} == {message["trace"]}
    assert [it.id for it in stage.ledger.runs(10, forms=True)] == [message["trace"]]


def test_a_message_sent_twice_in_copy_has_one_effect(stage: FormStage) -> None:
    target = {"url": "https://api.example/v1/forms", "signing_key": KEY, "copies": 3}
    stage.control("plezi", "POST", "push", target)

    assert submit(stage, email=ANA, last_name="Lopez") == [202, 401, 401]

    assert len(stage.waiting()) == 1


def test_a_tenant_that_cannot_sign_uses_a_token(stage: FormStage) -> None:
    token = "a token that somebody drew by lot, 32 or more"
    target = {"url": "https://api.example/v1/forms", "token": token}
    stage.control("plezi", "POST", "push", target)
    assert submit(stage, email=ANA, last_name="Lopez") == [401]

    stage.put_forms_secret(json.dumps({"tokens": [token]}))
    wiring.form_door.cache_clear()
    assert submit(stage, email=ANA, last_name="Lopez") == [202]

    assert stage.hear(only_message(stage)) == (Heard.SETTLED, 0)
    assert len(stage.leads(ANA)) == 1


def test_no_value_of_the_payload_but_e_mail_and_id_reaches_anything(
    stage: FormStage, caplog: pytest.LogCaptureFixture
) -> None:
    person = stage.add_person(email=ANA, last_name="Lopez", company="Atelier")
    forged = {
        "email": ANA,
        "id": person,
        "first_name": "Forged",
        "last_name": "Forged",
        "company": "Forged",
        "phone": "Forged",
        "behaviour_score": "Forged",
        "attributes": {"email": "Forged@example.com"},
        "trace": "Forged",
        "attempt": "Forged",
        "occurred_at": "Forged",
    }
    body = json.dumps(forged).encode()
    assert stage.knock(body, signed(body, message="msg_forged"))["statusCode"] == 202
    message = only_message(stage)
    assert set(message) == {"trace", "email", "contact", "attempt", "waits"}
    assert (message["email"], message["contact"]) == (ANA, person)
    stage.hear(message)

    [lead] = stage.leads()
    assert (lead["LastName"], lead["Company"], lead["Phone"]) == ("Lopez", "Atelier", None)
    everything = (
        json.dumps(stage.leads())
        + json.dumps(stage.people())
        + stage.tables()
        + json.dumps(stage.journal(ANA))
        + str([record.__dict__ for record in caplog.records])
    )
    assert "Forged" not in everything


def test_a_contact_not_shown_yet_is_read_again_after_5_and_30_seconds(stage: FormStage) -> None:
    stage.tenant.turn(form_invisible_seconds=30)
    submit(stage, email=ANA, last_name="Lopez")
    waited = []
    heard, back_in = stage.hear(only_message(stage))
    while heard is Heard.NOT_READABLE:
        [(message, delay)] = stage.waiting()
        assert delay == back_in
        waited.append(delay)
        stage.control("plezi", "POST", "clock", {"advance": delay})
        heard, back_in = stage.hear(message)

    assert (heard, waited) == (Heard.SETTLED, [5, 30])
    assert len(stage.leads(ANA)) == 1
    assert {line["run_id"] for line in stage.journal(ANA)} == {message["trace"]}


def test_a_contact_never_shown_is_left_to_the_schedule_after_the_third_time(
    stage: FormStage,
) -> None:
    stage.tenant.turn(form_invisible_seconds=10_000)
    submit(stage, email=ANA, last_name="Lopez")
    message, waited = only_message(stage), []
    while (answer := stage.hear(message)) != (Heard.NOT_READABLE, 0):
        assert answer[0] is Heard.NOT_READABLE
        [(message, delay)] = stage.waiting()
        waited.append(delay)

    assert waited == [5, 30, 120]
    assert not stage.waiting()
    stage.control("plezi", "POST", "clock", {"advance": 10_000})
    stage.sync()
    assert len(stage.leads(ANA)) == 1


def test_a_side_that_is_away_is_asked_again_after_5_seconds(stage: FormStage) -> None:
    submit(stage, email=ANA, last_name="Lopez")
    message = only_message(stage)
    order = {"kind": "unavailable_page", "path": "composite", "count": None}
    stage.control("salesforce", "POST", "faults", order)

    assert stage.hear(message) == (Heard.BUSY, 5)

    [(message, delay)] = stage.waiting()
    assert (delay, message["waits"], message["attempt"]) == (5, 1, 0)
    stage.control("salesforce", "DELETE", "faults")
    assert stage.hear(message) == (Heard.SETTLED, 0)
    assert len(stage.leads(ANA)) == 1


@pytest.mark.parametrize("switches", [{"get_by_id": "absent"}, {"email_filter": "absent"}])
def test_one_of_e_mail_and_id_is_enough_for_a_tenant_that_offers_only_one(
    stage: FormStage, switches: dict[str, str]
) -> None:
    stage.tenant.turn(**switches)
    submit(stage, email=ANA, last_name="Lopez")

    assert stage.hear(only_message(stage)) == (Heard.SETTLED, 0)
    assert len(stage.leads(ANA)) == 1


# The worker


def test_the_event_on_file_is_heard_hint_by_hint(stage: FormStage) -> None:
    stage.ledger.switch(on=False, now=0.0)

    assert form_worker.handler(event("forms_queue"), CONTEXT) == {"batchItemFailures": []}
    assert not stage.waiting()


def test_a_message_that_is_none_of_ours_is_handed_over_again_and_spoils_no_other(
    stage: FormStage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.ledger.switch(on=False, now=0.0)
    delivered = event("forms_queue")
    delivered["Records"][0]["body"] = '{"trace": "", "email": "personal@example.com"}'
    bad = delivered["Records"][0]["messageId"]

    answer = form_worker.handler(delivered, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": bad}]}
    lines = str([record.__dict__ for record in caplog.records])
    assert "cannot be read" in lines
    assert "not_started" in lines
    assert "@example.com" not in lines


def test_a_hint_that_breaks_down_is_handed_over_again_and_only_it(
    stage: FormStage, caplog: pytest.LogCaptureFixture
) -> None:
    boto3.client("dynamodb", region_name=REGION).delete_table(TableName="LedgerTable")
    delivered = event("forms_queue")

    answer = form_worker.handler(delivered, CONTEXT)

    ids = [record["messageId"] for record in delivered["Records"]]
    assert answer == {"batchItemFailures": [{"itemIdentifier": it} for it in ids]}
    errors = [it.__dict__["error"] for it in caplog.records if "error" in it.__dict__]
    assert errors == ["ResourceNotFoundException"] * 2
    assert stage.waiting() == []


@pytest.mark.usefixtures("stage")
def test_a_hint_is_not_begun_when_the_time_is_nearly_over() -> None:
    hurried = SimpleNamespace(get_remaining_time_in_millis=lambda: 1_000)

    assert len(form_worker.handler(event("forms_queue"), hurried)["batchItemFailures"]) == 2
