"""From a form in the simulated Plezi, through the receiver and the consumer, to a Lead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from connector.model import HintedContact, HintResult, RunKind, RunState
from functions.form_sync import app as form_sync
from functions.form_worker import app as form_worker
from local.actors import FORM_ID
from tests.component.deployment import deploy, forget_apps
from tests.component.form_harness import (
    KEY,
    TOKEN,
    FormHarness,
    deploy_form_receiver,
    event,
    signed,
)
from tests.component.harness import REGION
from tests.component.lambda_context import FakeLambdaContext

CONTEXT = FakeLambdaContext()
ANA = "ana@example.com"


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Iterator[FormHarness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        form_harness = FormHarness()
        deploy(
            form_harness,
            monkeypatch,
            "FormWorkerFunction",
            forms_queue_url=form_harness.queue_url,
        )
        deploy_form_receiver(form_harness, monkeypatch)
        form_worker.APP.use(None)
        form_harness.tenant.webhooks._deliver = form_harness.push
        target = {"url": "https://api.example/v1/forms", "signing_key": KEY}
        form_harness.control("plezi", "POST", "push", target)
        yield form_harness
        forget_apps()


def submit(harness: FormHarness, **fields: str) -> list[int]:
    """Submit a form in the simulated tenant; return the statuses of its pushes."""
    form_ids = {"form_id": FORM_ID, "content_web_form_id": FORM_ID}
    harness.plezi("GET", "create_contact_after_webform", **form_ids, **fields)
    statuses: list[int] = harness.control("plezi", "GET", "pushes")["pushes"][-1]["statuses"]
    return statuses


def only_message(harness: FormHarness) -> dict[str, Any]:
    [(message, _)] = harness.take_messages()
    return message


def test_a_form_becomes_a_lead_under_one_trace_id(harness: FormHarness) -> None:
    assert submit(harness, email="Ana@Example.com", last_name="Lopez", company="Atelier") == [202]
    message = only_message(harness)

    assert harness.consume(message) == (HintResult.RESOLVED, 0)

    [lead] = harness.leads(ANA)
    assert (lead["LastName"], lead["Company"]) == ("Lopez", "Atelier")
    run = harness.ledger.load_run(message["trace_id"])
    assert run is not None
    assert (run.kind, run.state) == (RunKind.FORM, RunState.DONE)
    assert {entry["run_id"] for entry in harness.journal(ANA)} == {message["trace_id"]}
    assert [run.id for run in harness.ledger.list_runs(10, forms=True)] == [message["trace_id"]]


def test_copies_of_a_message_have_one_effect(harness: FormHarness) -> None:
    target = {"url": "https://api.example/v1/forms", "signing_key": KEY, "copies": 3}
    harness.control("plezi", "POST", "push", target)

    assert submit(harness, email=ANA, last_name="Lopez") == [202, 401, 401]

    assert len(harness.take_messages()) == 1


def test_a_tenant_that_cannot_sign_uses_a_token(harness: FormHarness) -> None:
    target = {"url": "https://api.example/v1/forms", "token": TOKEN}
    harness.control("plezi", "POST", "push", target)
    assert submit(harness, email=ANA, last_name="Lopez") == [401]

    harness.put_forms_secret(json.dumps({"tokens": [TOKEN]}))
    form_sync.APP.use(None)
    assert submit(harness, email=ANA, last_name="Lopez") == [202]

    assert harness.consume(only_message(harness)) == (HintResult.RESOLVED, 0)
    assert len(harness.leads(ANA)) == 1


def test_only_the_email_and_the_id_of_the_payload_are_used(
    harness: FormHarness, caplog: pytest.LogCaptureFixture
) -> None:
    person = harness.add_person(email=ANA, last_name="Lopez", company="Atelier")
    forged = {
        "email": ANA,
        "id": person,
        "first_name": "Forged",
        "last_name": "Forged",
        "company": "Forged",
        "phone": "Forged",
        "behaviour_score": "Forged",
        "attributes": {"email": "Forged@example.com"},
        "trace_id": "Forged",
        "attempt": "Forged",
        "occurred_at": "Forged",
    }
    body = json.dumps(forged).encode()
    assert harness.post(body, signed(body, message="msg_forged"))["statusCode"] == 202
    message = only_message(harness)
    assert set(message) == {"trace_id", "attempt", "busy_retries", "received_at"}
    assert harness.stored_hint(message) == HintedContact(ANA, person)
    harness.consume(message)

    [lead] = harness.leads()
    assert (lead["LastName"], lead["Company"], lead["Phone"]) == ("Lopez", "Atelier", None)
    everything = (
        json.dumps(harness.leads())
        + json.dumps(harness.people())
        + harness.tables()
        + json.dumps(harness.journal(ANA))
        + str([record.__dict__ for record in caplog.records])
    )
    assert "Forged" not in everything


def test_the_queue_does_not_say_whom_a_form_is_of_and_it_is_forgotten_once_processed(
    harness: FormHarness,
) -> None:
    submit(harness, email=ANA, last_name="Lopez")
    message = only_message(harness)
    assert ANA not in json.dumps(message)

    harness.consume(message)

    assert harness.stored_hint(message) is None
    assert harness.consume(message) == (HintResult.FORGOTTEN, 0)  # SQS delivers it once more


def test_a_message_of_the_version_before_is_processed(harness: FormHarness) -> None:
    person = harness.add_person(email=ANA, last_name="Lopez")
    message = {"trace_id": "t1", "email": ANA, "contact_id": person, "attempt": 0}

    assert harness.consume(message) == (HintResult.RESOLVED, 0)

    assert len(harness.leads(ANA)) == 1


def test_a_message_of_the_version_before_that_must_come_back_is_processed_then(
    harness: FormHarness,
) -> None:
    message = {"trace_id": "t1", "email": ANA, "contact_id": "", "attempt": 0}
    assert harness.consume(message) == (HintResult.NOT_READABLE, 5)
    harness.add_person(email=ANA, last_name="Lopez")

    assert harness.consume(only_message(harness)) == (HintResult.RESOLVED, 0)


def test_a_contact_that_is_not_visible_yet_is_read_again_after_5_and_30_seconds(
    harness: FormHarness,
) -> None:
    harness.tenant.set_switches(form_invisible_seconds=30)
    submit(harness, email=ANA, last_name="Lopez")
    delays = []
    result, retry_seconds = harness.consume(only_message(harness))
    while result is HintResult.NOT_READABLE:
        [(message, delay)] = harness.take_messages()
        assert delay == retry_seconds
        delays.append(delay)
        harness.control("plezi", "POST", "clock", {"advance": delay})
        result, retry_seconds = harness.consume(message)

    assert (result, delays) == (HintResult.RESOLVED, [5, 30])
    assert len(harness.leads(ANA)) == 1
    assert {entry["run_id"] for entry in harness.journal(ANA)} == {message["trace_id"]}


def test_a_contact_that_stays_invisible_is_left_to_the_schedule_after_three_retries(
    harness: FormHarness,
) -> None:
    harness.tenant.set_switches(form_invisible_seconds=10_000)
    submit(harness, email=ANA, last_name="Lopez")
    message, delays = only_message(harness), []
    while (response := harness.consume(message)) != (HintResult.NOT_READABLE, 0):
        assert response[0] is HintResult.NOT_READABLE
        [(message, delay)] = harness.take_messages()
        delays.append(delay)

    assert delays == [5, 30, 120]
    assert not harness.take_messages()
    harness.control("plezi", "POST", "clock", {"advance": 10_000})
    harness.sync()
    assert len(harness.leads(ANA)) == 1


def test_a_hint_is_retried_after_5_seconds_when_a_side_is_unavailable(harness: FormHarness) -> None:
    submit(harness, email=ANA, last_name="Lopez")
    message = only_message(harness)
    fault = {"kind": "unavailable_page", "path": "composite", "count": None}
    harness.control("salesforce", "POST", "faults", fault)

    assert harness.consume(message) == (HintResult.BUSY, 5)

    [(message, delay)] = harness.take_messages()
    assert (delay, message["busy_retries"], message["attempt"]) == (5, 1, 0)
    harness.control("salesforce", "DELETE", "faults")
    assert harness.consume(message) == (HintResult.RESOLVED, 0)
    assert len(harness.leads(ANA)) == 1


@pytest.mark.parametrize("switches", [{"get_by_id": "absent"}, {"email_filter": "absent"}])
def test_the_email_or_the_id_is_enough_when_the_tenant_supports_only_one(
    harness: FormHarness, switches: dict[str, str]
) -> None:
    harness.tenant.set_switches(**switches)
    submit(harness, email=ANA, last_name="Lopez")

    assert harness.consume(only_message(harness)) == (HintResult.RESOLVED, 0)
    assert len(harness.leads(ANA)) == 1


# The worker


def test_the_worker_handles_each_hint_of_the_sample_event(harness: FormHarness) -> None:
    harness.ledger.set_enabled(on=False, now=0.0)

    assert form_worker.handler(event("forms_queue"), CONTEXT) == {"batchItemFailures": []}
    assert not harness.take_messages()


def test_only_an_invalid_message_is_delivered_again(
    harness: FormHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.ledger.set_enabled(on=False, now=0.0)
    delivery = event("forms_queue")
    delivery["Records"][0]["body"] = '{"trace_id": "", "email": "personal@example.com"}'
    invalid = delivery["Records"][0]["messageId"]

    response = form_worker.handler(delivery, CONTEXT)

    assert response == {"batchItemFailures": [{"itemIdentifier": invalid}]}
    log = str([record.__dict__ for record in caplog.records])
    assert "form_message_invalid" in log
    assert "not_started" in log
    assert "@example.com" not in log


def test_each_failed_hint_is_delivered_again(
    harness: FormHarness, caplog: pytest.LogCaptureFixture
) -> None:
    boto3.client("dynamodb", region_name=REGION).delete_table(TableName="LedgerTable")
    delivery = event("forms_queue")

    response = form_worker.handler(delivery, CONTEXT)

    ids = [record["messageId"] for record in delivery["Records"]]
    assert response == {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in ids]}
    failed = [log.__dict__ for log in caplog.records if log.message == "form_hint_failed"]
    codes = [(record["aws_code"], record["aws_operation"]) for record in failed]
    # The second message is of the version before: whom it is about is stored first.
    assert codes == [("ResourceNotFoundException", it) for it in ("GetItem", "PutItem")]
    assert all("/connector/" in record["frame"] for record in failed)
    assert harness.take_messages() == []


@pytest.mark.usefixtures("harness")
def test_no_hint_is_started_shortly_before_the_timeout() -> None:
    context = FakeLambdaContext(remaining_milliseconds=1_000)

    assert len(form_worker.handler(event("forms_queue"), context)["batchItemFailures"]) == 2
