"""POST /forms: accepted and refused requests, and the single effect of a message."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from connector.aws.dynamodb.idempotency import RECORD_SECONDS, DynamoIdempotency
from connector.bootstrap import build_app
from connector.forms.request import parse_request
from connector.model import HintedContact
from connector.settings import FormReceiverSettings
from functions.form_sync import app as form_sync
from local.template_settings import template_settings
from tests.component.deployment import forget_apps
from tests.component.form_harness import (
    KEY,
    OTHER_KEY,
    TOKEN,
    FormHarness,
    deploy_form_receiver,
    event,
    signed,
)
from tests.component.harness import REGION
from tests.retry_policies import IMMEDIATE

BODY = b'{"email": "Ana@Example.com", "first_name": "Forged"}'
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Iterator[FormHarness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        form_harness = FormHarness()
        deploy_form_receiver(form_harness, monkeypatch)
        yield form_harness
        forget_apps()


def restart_process() -> None:
    """Start a new process; it has not read the secret."""
    forget_apps()


def log_text(caplog: pytest.LogCaptureFixture) -> str:
    """Return all log records as text."""
    return " ".join(str(record.__dict__) for record in caplog.records)


def is_refused(harness: FormHarness, response: dict[str, Any], status: int) -> bool:
    return (
        response["statusCode"] == status
        and bool(response["body"]["error"])
        and not harness.take_messages()
    )


# Accepted requests


def test_the_sample_event_is_accepted_at_its_own_time(harness: FormHarness) -> None:
    sample = event("form_sync")
    receiver = build_app(
        template_settings(
            FormReceiverSettings, forms_queue_url=harness.queue_url, forms_secret="forms"
        ),
        **{**harness.runtime, "clock": lambda: 1772524800.0, "ids": lambda: "trace-1"},
    )

    assert receiver.receive(parse_request(sample)) == "trace-1"

    [(message, _)] = harness.take_messages()
    assert harness.stored_hint(message) == HintedContact(
        "ana.lopez@example.com", "5d52c938e317a71d00000001"
    )


def test_a_signed_form_gets_202_and_a_trace_id_once_its_hint_is_in_the_queue(
    harness: FormHarness,
) -> None:
    before = time.time()
    response = harness.post(BODY, signed(BODY))

    assert response["statusCode"] == 202
    [(message, delay)] = harness.take_messages()
    assert before <= message.pop("received_at") <= time.time()
    assert [(message, delay)] == [
        (
            {
                "trace_id": response["body"]["trace_id"],
                "attempt": 0,
                "busy_retries": 0,
            },
            0,
        )
    ]
    stored = harness.stored_hint({"trace_id": response["body"]["trace_id"]})
    assert stored == HintedContact("ana@example.com", "")


def test_a_form_encoded_body_and_a_base64_body_are_accepted(harness: FormHarness) -> None:
    form = b"email=zo%C3%A9%40example.com&first_name=Zo%C3%A9"
    assert harness.post(form, signed(form) | FORM)["statusCode"] == 202
    assert harness.post(BODY, signed(BODY, message="msg_2"), base64_body=True)["statusCode"] == 202
    assert [harness.stored_hint(message) for message, _ in harness.take_messages()] == [
        HintedContact("zoé@example.com", ""),
        HintedContact("ana@example.com", ""),
    ]


def test_two_keys_are_accepted_while_a_key_is_replaced(harness: FormHarness) -> None:
    assert is_refused(harness, harness.post(BODY, signed(BODY, key=OTHER_KEY)), 401)

    harness.put_forms_secret(json.dumps({"signing_keys": [KEY, OTHER_KEY]}))
    restart_process()
    # An id must not contain a space.
    assert harness.post(BODY, signed(BODY, message="by old"))["statusCode"] == 401
    assert harness.post(BODY, signed(BODY, message="by_old"))["statusCode"] == 202
    assert harness.post(BODY, signed(BODY, message="by_new", key=OTHER_KEY))["statusCode"] == 202

    harness.put_forms_secret(json.dumps({"signing_keys": [OTHER_KEY]}))
    restart_process()
    harness.take_messages()
    assert is_refused(harness, harness.post(BODY, signed(BODY, message="late")), 401)


def test_24_hours_after_both_keys_were_put_only_the_new_one_is_accepted(
    harness: FormHarness,
) -> None:
    old, new = "o" * 32, "n" * 32
    keys = {"signing_keys": [KEY, OTHER_KEY], "tokens": [old, new]}
    harness.put_forms_secret(json.dumps(keys))
    settings = template_settings(
        FormReceiverSettings, forms_queue_url=harness.queue_url, forms_secret="forms"
    )
    form_sync.APP.use(build_app(settings, **harness.runtime))

    def statuses() -> list[int]:
        at = harness.clock()
        by_key = [
            harness.post(BODY, signed(BODY, message=f"{key[-3:]}-{at:.0f}", key=key, at=at))
            for key in (KEY, OTHER_KEY)
        ]
        by_token = [harness.post(BODY, {"x-form-token": token}) for token in (old, new)]
        return [response["statusCode"] for response in by_key + by_token]

    harness.let_pass(23 * 3600)
    assert statuses() == [202, 202, 202, 202]
    harness.let_pass(2 * 3600)
    assert statuses() == [401, 202, 401, 202]


@pytest.mark.parametrize(
    "secret",
    [
        "{}",
        '{"signing_keys": [], "tokens": []}',
        '{"signing_keys": ["' + KEY + '", "not a key"]}',
        '{"signing_keys": ["' + KEY + '"], "tokens": ["too short"]}',
        "not JSON",
    ],
)
def test_every_sender_may_try_again_while_the_secret_has_no_usable_key(
    harness: FormHarness, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness.put_forms_secret(secret)
    restart_process()
    before = harness.tables()

    for headers in (signed(BODY), {"x-form-token": ""}, {"x-form-token": "too short"}):
        response = harness.post(BODY, headers)
        assert is_refused(harness, response, 503)
        assert response["headers"]["Retry-After"] == "300"

    assert harness.tables() == before
    assert KEY not in log_text(caplog)


def test_a_token_is_accepted_only_when_it_is_in_the_secret(harness: FormHarness) -> None:
    assert is_refused(harness, harness.post(BODY, {"x-form-token": TOKEN}), 401)

    harness.put_forms_secret(json.dumps({"signing_keys": [KEY], "tokens": ["o" * 32, TOKEN]}))
    restart_process()
    assert harness.post(BODY, {"x-form-token": TOKEN})["statusCode"] == 202
    assert harness.post(BODY, {"Authorization": f"Bearer {TOKEN}"})["statusCode"] == 202
    assert harness.post(BODY, {"X-Form-Token": "o" * 32})["statusCode"] == 202
    assert len(harness.take_messages()) == 3
    assert is_refused(harness, harness.post(BODY, {"x-form-token": TOKEN + "x"}), 401)
    assert is_refused(harness, harness.post(BODY, {"Authorization": f"Basic {TOKEN}"}), 401)


def test_a_wrong_signature_is_refused_although_the_token_is_valid(
    harness: FormHarness,
) -> None:
    harness.put_forms_secret(json.dumps({"signing_keys": [KEY], "tokens": [TOKEN]}))
    restart_process()
    headers = signed(BODY, key=OTHER_KEY) | {"x-form-token": TOKEN}

    assert is_refused(harness, harness.post(BODY, headers), 401)


# Refused requests


def refused_requests() -> dict[str, tuple[int, bytes, dict[str, str]]]:
    now = time.time()
    large, deep, not_utf_8 = b"x" * 1_000_000, b"[" * 60_000, b'{"email": "\xff@b.fr"}'
    duplicate_key, no_email = b'{"email": "a@b.fr", "email": "c@d.fr"}', b'{"email": "nobody"}'
    headers = signed(BODY)
    other_timestamp = str(int(headers["webhook-timestamp"]) + 1)
    return {
        "unsigned": (401, BODY, {}),
        "unknown key": (401, BODY, signed(BODY, key=OTHER_KEY)),
        "old": (401, BODY, signed(BODY, at=now - 400)),
        # 400 s are more than the limit of 300 s, also on a slow machine.
        "in the future": (401, BODY, signed(BODY, at=now + 400)),
        "altered body": (401, BODY + b" ", headers),
        "altered id": (401, BODY, headers | {"webhook-id": "msg_other"}),
        "altered timestamp": (401, BODY, headers | {"webhook-timestamp": other_timestamp}),
        "no id": (401, BODY, headers | {"webhook-id": ""}),
        "no timestamp": (401, BODY, headers | {"webhook-timestamp": ""}),
        "not UTF-8, sent as text": (401, not_utf_8, signed(not_utf_8)),
        "large": (413, large, signed(large)),
        "wrong content type": (415, BODY, headers | {"Content-Type": "text/plain"}),
        "deep": (400, deep, signed(deep)),
        "duplicate key": (400, duplicate_key, signed(duplicate_key)),
        "no e-mail address": (400, no_email, signed(no_email)),
        "no contact": (400, b"{}", signed(b"{}")),
        "not JSON": (400, b"{", signed(b"{")),
        "not a form": (400, b"%", signed(b"%") | FORM),
    }


def test_a_refused_request_changes_no_table(harness: FormHarness) -> None:
    harness.post(BODY, signed(BODY, message="warm"))
    harness.take_messages()
    before = harness.tables()
    for name, (status, body, headers) in refused_requests().items():
        response = harness.post(body, headers)
        assert is_refused(harness, response, status), (name, response)
    assert harness.tables() == before


def test_every_authentication_failure_has_the_same_response(harness: FormHarness) -> None:
    responses = {
        json.dumps(harness.post(body, headers))
        for status, body, headers in refused_requests().values()
        if status == 401
    }
    responses.add(json.dumps(harness.post(BODY, {"x-form-token": TOKEN})))
    headers = signed(BODY)
    harness.post(BODY, headers)
    responses.add(json.dumps(harness.post(BODY, headers)))
    assert len(responses) == 1


def test_a_body_that_is_not_utf_8_is_refused(harness: FormHarness) -> None:
    body = b'{"email": "\xff@b.fr"}'
    response = harness.post(body, signed(body), base64_body=True)
    assert is_refused(harness, response, 400)


# Single effect


def test_a_replay_is_refused_and_has_no_effect(harness: FormHarness) -> None:
    headers = signed(BODY)
    harness.post(BODY, headers)
    harness.take_messages()
    before = harness.tables()

    assert is_refused(harness, harness.post(BODY, headers), 401)
    assert harness.tables() == before


def test_a_retry_by_the_sender_has_the_same_response_and_no_effect(harness: FormHarness) -> None:
    now = time.time()
    first = harness.post(BODY, signed(BODY, at=now))
    harness.take_messages()
    again = signed(BODY, at=now + 7)

    assert harness.post(BODY, again)["body"] == first["body"]
    assert not harness.take_messages()
    assert is_refused(harness, harness.post(BODY, again), 401)
    assert is_refused(harness, harness.post(BODY, signed(BODY, at=now)), 401)


def test_an_unavailable_queue_is_a_503_and_the_next_try_sends_the_hint(
    harness: FormHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = signed(BODY)
    monkeypatch.setenv("FORMS_QUEUE_URL", harness.queue_url + "-gone")
    restart_process()

    response = harness.post(BODY, headers)

    assert is_refused(harness, response, 503)
    assert int(response["headers"]["Retry-After"]) > 0
    monkeypatch.setenv("FORMS_QUEUE_URL", harness.queue_url)
    restart_process()
    accepted = harness.post(BODY, headers)
    assert accepted["statusCode"] == 202
    assert [message["trace_id"] for message, _ in harness.take_messages()] == [
        accepted["body"]["trace_id"]
    ]
    assert is_refused(harness, harness.post(BODY, headers), 401)


@pytest.mark.parametrize("variable", ["LEDGER_TABLE", "FORMS_SECRET"])
def test_an_unavailable_table_or_secret_is_a_503(
    harness: FormHarness, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "gone")
    restart_process()
    assert is_refused(harness, harness.post(BODY, signed(BODY)), 503)


def test_a_crash_between_the_idempotency_record_and_the_queue_loses_nothing(
    harness: FormHarness,
) -> None:
    records = DynamoIdempotency(boto3.client("dynamodb"), "LedgerTable", IMMEDIATE)
    assert records.begin("hash", "trace-1", 1000.0) is None

    unsent = records.begin("hash", "trace-2", 1001.0)

    assert unsent is not None
    assert (unsent.trace_id, unsent.sent) == ("trace-1", False)
    assert records.complete("hash", "trace-1", "1000", 1001.0)
    sent = records.begin("hash", "trace-3", 1002.0)
    assert sent is not None
    assert (sent.trace_id, sent.sent) == ("trace-1", True)
    assert not harness.take_messages()


@pytest.mark.usefixtures("harness")
def test_an_idempotency_record_expires_later_than_every_valid_timestamp() -> None:
    records = DynamoIdempotency(boto3.client("dynamodb"), "LedgerTable", IMMEDIATE)
    records.begin("hash", "trace-1", 1000.0)
    records.complete("hash", "trace-1", "1000", 1000.0)

    assert RECORD_SECONDS >= 600
    assert records.begin("hash", "trace-2", 1000.0 + RECORD_SECONDS) is not None
    assert records.begin("hash", "trace-2", 1001.0 + RECORD_SECONDS) is None


# Log


def test_the_log_has_the_request_id_and_the_trace_id_and_no_personal_data(
    harness: FormHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.put_forms_secret(json.dumps({"signing_keys": [KEY], "tokens": [TOKEN]}))
    restart_process()
    response = harness.post(BODY, signed(BODY))
    for _, body, headers in refused_requests().values():
        harness.post(body, headers)
    harness.post(BODY, {"x-form-token": TOKEN})

    trace_id = response["body"]["trace_id"]
    [record] = [log.__dict__ for log in caplog.records if trace_id in str(log.__dict__)]
    assert record["api_request_id"] == event("form_sync")["requestContext"]["requestId"]
    for secret in ("ana@", "Ana@", "Forged", TOKEN, KEY, "nobody"):
        assert secret not in log_text(caplog)
