"""The forms queue delivers change hints."""

from __future__ import annotations

from typing import Any, Protocol

from connector.aws.forms_queue import parse_hints
from connector.bootstrap.form_worker import FormWorkerApp
from connector.bootstrap.lambda_runtime import LambdaApp, lambda_handler
from connector.connection_settings import FormWorkerSettings

APP: LambdaApp[FormWorkerApp] = LambdaApp(FormWorkerSettings)


class Context(Protocol):
    """What Lambda passes about an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left before Lambda stops the function."""


@lambda_handler
def handler(event: dict[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Process each hint; return those that the queue must deliver again."""
    consumer = APP.get().consumer
    return {
        "batchItemFailures": [
            {"itemIdentifier": delivery.message_id}
            for delivery in parse_hints(event)
            if not consumer.consume(delivery, context.get_remaining_time_in_millis)
        ]
    }
