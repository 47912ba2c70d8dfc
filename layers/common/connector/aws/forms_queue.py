"""The forms queue: change hints, in no order, each with its trace id.

A message does not say whom it is about: that is stored apart (`dynamodb/form_hints`). A message
with an e-mail or the id of a contact is understood too: versions before 0.2 sent it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from connector.aws.calls import call_aws
from connector.bounded_json import JsonBounds, load_json
from connector.model import ChangeHint, HintDelivery

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from connector.retry import RetryPolicy


BOUNDS: Final = JsonBounds(characters=4_096, depth=1, keys=20)
"""A hint has six members; the longest is an e-mail of 254 characters."""
DEFAULTS: Final = {"email": "", "contact_id": "", "attempt": 0, "busy_retries": 0, "received_at": 0}
"""What a message that lacks a member means."""


class FormsQueue:
    """Sends hints to the forms queue."""

    def __init__(self, client: SQSClient, queue_url: str, retry: RetryPolicy) -> None:
        self._client = client
        self._queue_url = queue_url
        self._retry = retry

    def send(self, hint: ChangeHint, *, busy_retries: int = 0, delay: int = 0) -> None:
        """Send a hint; it is delivered after `delay` seconds (900 at most, SQS's limit)."""
        message = {
            "trace_id": hint.trace_id,
            "attempt": hint.attempt,
            "busy_retries": busy_retries,
            "received_at": hint.received_at,
        }
        call_aws(
            self._retry,
            "sqs.SendMessage",
            lambda: self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=json.dumps(message), DelaySeconds=delay
            ),
        )


def parse_hints(event: Mapping[str, Any]) -> list[HintDelivery]:
    """Return the messages of an SQS event, also those that cannot be read."""
    return [_delivery(record) for record in event["Records"]]


def _delivery(record: Mapping[str, Any]) -> HintDelivery:
    message_id = record["messageId"]
    try:
        message = load_json(record["body"], BOUNDS)
    except ValueError:
        return HintDelivery(message_id, None)
    match DEFAULTS | message if isinstance(message, dict) else None:
        case {
            "trace_id": str(trace_id),
            "email": str(email),
            "contact_id": str(contact_id),
            "attempt": int(attempt),
            "busy_retries": int(busy_retries),
            "received_at": int() | float() as received_at,
        } if trace_id and attempt >= 0 and busy_retries >= 0 and 0 <= received_at < math.inf:
            hint = ChangeHint(trace_id, email, contact_id, attempt, float(received_at))
            return HintDelivery(message_id, hint, busy_retries)
    return HintDelivery(message_id, None)
