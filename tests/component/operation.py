"""All functions in operation, and the metrics that AWS and their own output make of it.

The handlers are the deployed ones; their clock is that of the harness. What AWS measures of a
function, a queue or the API is recorded here as AWS does (Lambda Developer Guide, "Viewing metrics
for Lambda functions"; SQS Developer Guide, "Available CloudWatch metrics"; API Gateway Developer
Guide, "Amazon API Gateway dimensions and metrics").
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

import boto3
import pytest
from moto.backends import get_backend

from connector import telemetry
from connector.bootstrap import build_app
from connector.connection_settings import (
    AdminSettings,
    FormWorkerSettings,
    RotationSettings,
    WorkerSettings,
)
from connector.settings import FormReceiverSettings, RunRequestSettings, variable_names
from functions.admin import app as admin
from functions.admin.admin_app import ADMIN
from functions.console import app as console
from functions.form_sync import app as form_sync
from functions.form_worker import app as form_worker
from functions.manual_sync import app as manual_sync
from functions.rotate_credentials import app as rotate_credentials
from functions.scheduled_sync import app as scheduled_sync
from functions.sync_worker import app as sync_worker
from local.template_settings import template_settings
from tests.alarm_evaluator import AlarmEvaluator, MetricRecorder, load_template
from tests.component.form_harness import ACCOUNT, FormHarness, event
from tests.component.harness import REGION
from tests.component.lambda_context import FakeLambdaContext

SERVICE: Final = "AWS::StackName"
"""The name of the stack, as the dimensions of the template refer to it."""
Handler = Callable[[dict[str, Any], Any], Any]
HANDLERS: Final[Mapping[str, Handler]] = {
    "ScheduledSync": scheduled_sync.handler,
    "ManualSync": manual_sync.handler,
    "FormSync": form_sync.handler,
    "FormWorker": form_worker.handler,
    "SyncWorker": sync_worker.handler,
    "Admin": admin.handler,
    "RotateCredentials": rotate_credentials.handler,
    "Console": console.handler,
}
APPS: Final[tuple[tuple[Any, Any], ...]] = (
    (scheduled_sync.APP, RunRequestSettings),
    (manual_sync.APP, RunRequestSettings),
    (form_sync.APP, FormReceiverSettings),
    (form_worker.APP, FormWorkerSettings),
    (sync_worker.APP, WorkerSettings),
    (ADMIN, AdminSettings),
    (rotate_credentials.APP, RotationSettings),
)
"""What is built of all functions but the console, which has tests of its own."""
QUEUES: Final = {
    "RunsQueue": "runs.fifo",
    "FormsQueue": "forms",
    "RunsDeadLetters": "runs-dead-letters.fifo",
    "FormsDeadLetters": "forms-dead-letters",
    "ScheduleDeadLetters": "schedule-dead-letters",
}
REDRIVES: Final = {"runs.fifo": "runs-dead-letters.fifo", "forms": "forms-dead-letters"}
MAX_RECEIVES: Final = "5"
PARTS_OF_THE_API: Final[tuple[dict[str, str], ...]] = (
    {"ApiName": SERVICE, "Stage": "v1"},
    {"ApiName": SERVICE, "Stage": "v1", "Resource": "/forms", "Method": "POST"},
)
BAD_GATEWAY: Final = 502
"""The status of API Gateway when a function fails."""


def build_apps(harness: FormHarness, **changes: Any) -> None:
    """Build what each function needs, on the harness, with some settings changed."""
    resources = {
        **harness.resources,
        **changes,
        "forms_queue_url": harness.queue_url,
        "forms_secret": "forms",
    }
    for app, kind in APPS:
        known = {name.lower() for name in variable_names(kind)}
        given = {name: value for name, value in resources.items() if name in known}
        settings = template_settings(kind, **given)
        app.use(build_app(settings, **harness.runtime, log=telemetry.log_event))


class Operation:
    """Invokes functions as AWS does, and records what CloudWatch sees."""

    def __init__(
        self,
        harness: FormHarness,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", SERVICE)
        self.harness = harness
        self.recorder = MetricRecorder()
        self.alarms = AlarmEvaluator(load_template(), self.recorder)
        self.printed: list[str] = []
        """What the functions wrote to their logs."""
        self._capsys = capsys
        self._sqs = boto3.client("sqs", region_name=REGION)
        self._make_queues()
        self.restart()

    def _make_queues(self) -> None:
        for name in QUEUES.values():
            fifo: Any = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
            self._sqs.create_queue(QueueName=name, Attributes=fifo)
        for source, target in REDRIVES.items():
            arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{target}"
            policy = {"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES}
            self._sqs.set_queue_attributes(
                QueueUrl=self._url(source), Attributes={"RedrivePolicy": json.dumps(policy)}
            )

    def restart(self, **settings: Any) -> None:
        """Start a new process of every function, with some settings changed."""
        build_apps(self.harness, **settings)

    def break_deployment(self) -> None:
        """Start new processes without their environment variables, which the functions need."""
        for app in (*(app for app, _ in APPS), console.APP):
            app.use(None)

    def _url(self, name: str) -> str:
        return self._sqs.get_queue_url(QueueName=name)["QueueUrl"]

    # Invocations

    def invoke(self, name: str, message: dict[str, Any], milliseconds: int = 240_000) -> Any:
        """Invoke a function; None if it fails."""
        # The log was made by an earlier test, or by an earlier phase of this one.
        for handler in telemetry.logger()._logger.handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.stream = sys.stdout
        dimensions = {"FunctionName": f"{name}Function"}
        now = self.harness.clock()
        self.recorder.add("AWS/Lambda", "Invocations", dimensions, 1, now)
        self.recorder.add("AWS/Lambda", "Throttles", dimensions, 0, now)
        try:
            result, errors = HANDLERS[name](message, FakeLambdaContext(milliseconds)), 0
        except Exception:  # noqa: BLE001  # Lambda catches every error, and writes it to the log
            result, errors = None, 1
            self.printed.append(traceback.format_exc())
        self.recorder.add("AWS/Lambda", "Errors", dimensions, errors, self.harness.clock())
        out, err = self._capsys.readouterr()
        self.printed += [out, err]
        self.recorder.add_printed(out, self.harness.clock())
        return result

    def throttle(self, name: str) -> None:
        """Let AWS refuse an invocation because the concurrency is used up."""
        dimensions = {"FunctionName": f"{name}Function"}
        self.recorder.add("AWS/Lambda", "Throttles", dimensions, 1, self.harness.clock())

    def request(self, name: str, message: dict[str, Any]) -> int:
        """Send a request through the API; return the status."""
        response = self.invoke(name, message)
        status = response["statusCode"] if response else BAD_GATEWAY
        parts = PARTS_OF_THE_API if name == "FormSync" else PARTS_OF_THE_API[:1]
        for dimensions in parts:
            for first, metric in ((4, "4XXError"), (5, "5XXError")):
                is_one = float(status // 100 == first)
                self.recorder.add("AWS/ApiGateway", metric, dimensions, is_one, self._now)
        return int(status)

    def form(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a form through the API; return the status."""
        request = event("form_sync")
        request["headers"] = {"Content-Type": "application/json", **headers}
        request["body"] = body.decode()
        return self.request("FormSync", request)

    @property
    def _now(self) -> float:
        return self.harness.clock()

    # Queues

    def deliver(
        self, queue: str, worker: str, milliseconds: int = 240_000, most: int = 100
    ) -> None:
        """Deliver the messages of a queue until none is left; a failed one comes back."""
        url = self._url(queue)
        for _ in range(most):
            received = self._sqs.receive_message(
                QueueUrl=url, VisibilityTimeout=0, AttributeNames=["ApproximateReceiveCount"]
            ).get("Messages", [])
            if not received:
                return
            [message] = received
            record = {
                "messageId": message["MessageId"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            result = self.invoke(worker, {"Records": [record]}, milliseconds)
            if result is not None and not result["batchItemFailures"]:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def put_message(self, queue: str, body: str) -> None:
        """Put a message into a queue."""
        group = {"MessageGroupId": "g", "MessageDeduplicationId": body}
        self._sqs.send_message(
            QueueUrl=self._url(queue),
            MessageBody=body,
            **(group if queue.endswith(".fifo") else {}),  # type: ignore[arg-type]
        )

    def measure_queues(self) -> None:
        """Record what SQS publishes every minute: visible messages, and the age of the oldest."""
        backend = get_backend("sqs")[ACCOUNT][REGION]
        for logical, name in QUEUES.items():
            messages = backend.queues[name]._messages
            sent = [(message.sent_timestamp or 0) / 1000 for message in messages]
            age = max((self._now - at for at in sent), default=0.0)
            for metric, value in (
                ("ApproximateNumberOfMessagesVisible", float(len(messages))),
                ("ApproximateAgeOfOldestMessage", age),
            ):
                self.recorder.add("AWS/SQS", metric, {"QueueName": logical}, value, self._now)

    # Time

    def tick(self) -> None:
        """Let the schedule request a run, and the worker make it."""
        self.invoke("ScheduledSync", event("scheduler"))
        self.deliver("runs.fifo", "SyncWorker")

    def let_pass(self, minutes: float) -> None:
        """Let time pass; SQS measures its queues at the end."""
        self.harness.let_pass(60 * minutes)
        self.measure_queues()
