"""The forms queue: hints, in no order, each with its trace id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.model import ChangeHint

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class HintMessage(BaseModel):
    """A message of the forms queue: a hint, and how often it found somebody else at work."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    trace_id: str = Field(min_length=1, max_length=100)
    email: str = Field(default="", max_length=254)
    contact_id: str = Field(default="", max_length=64)
    attempt: int = Field(default=0, ge=0)
    busy_retries: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class HintDelivery:
    """One message as the queue handed it over; `hint` is None when it could not be read."""

    message_id: str
    hint: ChangeHint | None
    busy_retries: int = 0


class FormsQueue:
    """Sends hints to the forms queue."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, hint: ChangeHint, *, busy_retries: int = 0, delay: int = 0) -> None:
        """Ask for a hint to be heard, after `delay` seconds (SQS takes 900 at most)."""
        message = HintMessage(
            trace_id=hint.trace_id,
            email=hint.email,
            contact_id=hint.contact_id,
            attempt=hint.attempt,
            busy_retries=busy_retries,
        )
        self._client.send_message(
            QueueUrl=self._queue_url, MessageBody=message.model_dump_json(), DelaySeconds=delay
        )


def parse_hints(event: Mapping[str, Any]) -> list[HintDelivery]:
    """Return what an SQS event delivers; one message that is not ours spoils no other."""
    return [_delivery(record) for record in event["Records"]]


def _delivery(record: Mapping[str, Any]) -> HintDelivery:
    try:
        message = HintMessage.model_validate_json(record["body"])
    except ValidationError:  # its text would quote the message
        return HintDelivery(record["messageId"], None)
    hint = ChangeHint(message.trace_id, message.email, message.contact_id, message.attempt)
    return HintDelivery(record["messageId"], hint, message.busy_retries)
