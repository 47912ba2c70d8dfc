"""The forms queue: hints, in no order, each with its trace id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.model import Hint

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class HintMessage(BaseModel):
    """A message of the forms queue: a hint, and how often it found somebody else at work."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    trace: str = Field(min_length=1, max_length=100)
    email: str = Field(default="", max_length=254)
    contact: str = Field(default="", max_length=64)
    attempt: int = Field(default=0, ge=0)
    waits: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as the queue handed it over; `hint` is None when it could not be read."""

    message_id: str
    hint: Hint | None
    waits: int = 0


class FormsInbox:
    """Sends hints to the forms queue."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, hint: Hint, *, waits: int = 0, delay: int = 0) -> None:
        """Ask for a hint to be heard, after `delay` seconds (SQS takes 900 at most)."""
        message = HintMessage(
            trace=hint.trace,
            email=hint.email,
            contact=hint.contact,
            attempt=hint.attempt,
            waits=waits,
        )
        self._client.send_message(
            QueueUrl=self._queue_url, MessageBody=message.model_dump_json(), DelaySeconds=delay
        )


def parse_hints(event: Mapping[str, Any]) -> list[Delivery]:
    """Return what an SQS event delivers; one message that is not ours spoils no other."""
    return [_delivery(record) for record in event["Records"]]


def _delivery(record: Mapping[str, Any]) -> Delivery:
    try:
        message = HintMessage.model_validate_json(record["body"])
    except ValidationError:  # its text would quote the message
        return Delivery(record["messageId"], None)
    hint = Hint(message.trace, message.email, message.contact, message.attempt)
    return Delivery(record["messageId"], hint, message.waits)
