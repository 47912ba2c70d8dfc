"""The forms queue: change hints, in no order, each with its trace id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.aws.calls import call_aws
from connector.model import ChangeHint

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from connector.retry import RetryPolicy


class HintMessage(BaseModel):
    """A message of the forms queue: a hint, and how often another process had the link."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    trace_id: str = Field(min_length=1, max_length=100)
    email: str = Field(default="", max_length=254)
    contact_id: str = Field(default="", max_length=64)
    attempt: int = Field(default=0, ge=0)
    busy_retries: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class HintDelivery:
    """One message as the queue delivered it; `hint` is None when it cannot be read."""

    message_id: str
    hint: ChangeHint | None
    busy_retries: int = 0


class FormsQueue:
    """Sends hints to the forms queue."""

    def __init__(self, client: SQSClient, queue_url: str, retry: RetryPolicy) -> None:
        self._client = client
        self._queue_url = queue_url
        self._retry = retry

    def send(self, hint: ChangeHint, *, busy_retries: int = 0, delay: int = 0) -> None:
        """Send a hint; it is delivered after `delay` seconds (900 at most, SQS's limit)."""
        message = HintMessage(
            trace_id=hint.trace_id,
            email=hint.email,
            contact_id=hint.contact_id,
            attempt=hint.attempt,
            busy_retries=busy_retries,
        )
        call_aws(
            self._retry,
            "sqs.SendMessage",
            lambda: self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=message.model_dump_json(), DelaySeconds=delay
            ),
        )


def parse_hints(event: Mapping[str, Any]) -> list[HintDelivery]:
    """Return the messages of an SQS event, also those that cannot be read."""
    return [_delivery(record) for record in event["Records"]]


def _delivery(record: Mapping[str, Any]) -> HintDelivery:
    try:
        message = HintMessage.model_validate_json(record["body"])
    except ValidationError:  # the error's text would quote the message
        return HintDelivery(record["messageId"], None)
    hint = ChangeHint(message.trace_id, message.email, message.contact_id, message.attempt)
    return HintDelivery(record["messageId"], hint, message.busy_retries)
