"""The form receiver and the form consumer on the harness; moto provides the queue."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.backends import get_backend

from connector.aws.forms_queue import parse_hints
from connector.bootstrap import build_app
from connector.connection_settings import FormWorkerSettings
from connector.model import HintedContact, HintResult
from functions.form_sync import app as form_sync
from local.plezi_tenant.webhooks import signature
from local.template_settings import template_settings
from tests.component.deployment import deploy
from tests.component.harness import REGION, Harness
from tests.component.lambda_context import FakeLambdaContext

EVENTS = Path(__file__).parents[2] / "events"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the key that signed events/form_sync.json
OTHER_KEY = "whsec_" + base64.b64encode(b"a second key that is long enough").decode()
TOKEN = "a random token of 32 or more characters"
ACCOUNT = "123456789012"  # the account of moto
WORKER_TIMEOUT = 300.0
TABLES = ("LedgerTable", "JournalTable", "MappingsTable")


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


class FormHarness(Harness):
    """A harness with a form receiver and a form consumer."""

    def __init__(self) -> None:
        super().__init__()
        self._sqs = boto3.client("sqs", region_name=REGION)
        self._secrets = boto3.client("secretsmanager", region_name=REGION)
        self.queue_url = self._sqs.create_queue(QueueName="forms")["QueueUrl"]
        self._secrets.create_secret(
            Name="forms", SecretString=json.dumps({"signing_keys": [KEY], "tokens": []})
        )
        resources = {
            name: value for name, value in self.resources.items() if name.endswith("_secret")
        }
        settings = template_settings(
            FormWorkerSettings, forms_queue_url=self.queue_url, **resources
        )
        self.form_app = build_app(settings, **self.runtime)
        self.consumer = self.form_app.consumer

    def put_forms_secret(self, text: str) -> None:
        """Put a new version of the secret; the receiver uses the old one for five minutes."""
        self._secrets.put_secret_value(SecretId="forms", SecretString=text)

    # The receiver

    def post(
        self, body: bytes, headers: Mapping[str, str], *, base64_body: bool = False
    ) -> dict[str, Any]:
        """Send a request to the receiver, as API Gateway does; return the response."""
        request = event("form_sync")
        request["headers"] = {"Content-Type": "application/json", **headers}
        request["multiValueHeaders"] = {name: [value] for name, value in request["headers"].items()}
        request["isBase64Encoded"] = base64_body
        text = base64.b64encode(body).decode() if base64_body else body.decode(errors="replace")
        request["body"] = text
        response = form_sync.handler(request, FakeLambdaContext())
        assert response["headers"]["Content-Type"] == "application/json"
        return {**response, "body": json.loads(response["body"])}

    def push(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Deliver a push of the simulated tenant; return the status."""
        assert url.endswith("/forms")
        return int(self.post(body, headers)["statusCode"])

    # The queue and the consumer

    def take_messages(self) -> list[tuple[dict[str, Any], int]]:
        """Remove all messages from the forms queue; return each with its delay in seconds."""
        queue = get_backend("sqs")[ACCOUNT][REGION].queues["forms"]
        messages = [
            (
                json.loads(message.body),
                round(max(0, message.delayed_until - (message.sent_timestamp or 0)) / 1000),
            )
            for message in queue._messages
        ]
        queue._messages.clear()
        return messages

    def empty_queues(self) -> None:
        """Remove all messages: moto counts those of a queue at each call that sends one."""
        for queue in get_backend("sqs")[ACCOUNT][REGION].queues.values():
            queue._messages.clear()

    def stored_hint(self, message: Mapping[str, Any]) -> HintedContact | None:
        """Return whom the hint of a message is about."""
        return self.runtime["aws"].form_hints("LedgerTable").load(message["trace_id"])  # type: ignore[no-any-return]

    def consume(self, message: Mapping[str, Any]) -> tuple[HintResult, int]:
        """Let the consumer handle one message, as the queue delivers it."""
        [delivery] = parse_hints({"Records": [{"messageId": "m", "body": json.dumps(message)}]})
        assert delivery.hint is not None
        return self.consumer.handle(delivery.hint, delivery.busy_retries)

    def tables(self) -> str:
        """Return the contents of all tables as text."""
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        items = [dynamodb.scan(TableName=name)["Items"] for name in TABLES]
        return json.dumps(items, sort_keys=True, default=str)


def signed(
    body: bytes, *, key: str = KEY, message: str = "msg_1", at: float | None = None
) -> dict[str, str]:
    """Return the headers with which a sender signs a body."""
    timestamp = str(int(time.time() if at is None else at))
    return {
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(key, message, timestamp, body),
    }


def deploy_form_receiver(harness: FormHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of the function that receives forms."""
    deploy(
        harness,
        monkeypatch,
        "FormSyncFunction",
        forms_queue_url=harness.queue_url,
        forms_secret="forms",
    )
