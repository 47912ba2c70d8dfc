"""The forms queue hands over hints."""

from __future__ import annotations

from typing import Any, Protocol

from connector.aws.forms_queue import parse_hints
from connector.wiring import hear


class Context(Protocol):
    """What Lambda says of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left before Lambda kills the function."""


def handler(event: dict[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Hear each hint; name those that the queue must hand over again."""
    return {
        "batchItemFailures": [
            {"itemIdentifier": delivery.message_id}
            for delivery in parse_hints(event)
            if not hear(delivery, context.get_remaining_time_in_millis)
        ]
    }
