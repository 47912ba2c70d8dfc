"""Alerts as messages of one SNS topic, in plain words, never with a personal value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from connector.errors import RetryError, StopReason
from connector.model import Alert

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

MAX_SUBJECT_CHARACTERS: Final = 100
"""Characters that SNS takes in a subject: printable ASCII on one line."""


class SnsAlertPublisher:
    """Publishes alerts; without a topic nobody is told."""

    def __init__(self, client: SNSClient, topic: str) -> None:
        self._client = client
        self._topic = topic

    def publish(self, alert: Alert) -> None:
        """Publish one alert: what happened, since when, what to do, what was not lost.

        Its kind is an attribute of the message, by which a subscription may choose. Raises
        `RetryError` when the topic does not take it.
        """
        if not self._topic:
            return
        try:
            self._client.publish(
                TopicArn=self._topic,
                Subject=subject(alert.summary),
                Message=text(alert),
                MessageAttributes={"kind": {"DataType": "String", "StringValue": alert.kind.value}},
            )
        except (BotoCoreError, ClientError) as error:
            refused = f"the alert topic does not take an alert: {type(error).__name__}"
            raise RetryError(refused, reason=StopReason.AWS_UNAVAILABLE) from error


def subject(what: str) -> str:
    """Return a sentence as SNS takes it for a subject."""
    plain = what.encode("ascii", "replace").decode("ascii")
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())[
        :MAX_SUBJECT_CHARACTERS
    ]


def text(alert: Alert) -> str:
    """Return the message."""
    since = datetime.fromtimestamp(alert.since, UTC).strftime("%d %B %Y, %H:%M UTC")
    return "\n".join(
        (
            f"{alert.summary}.",
            "",
            f"Since: {since}",
            f"What to do: {alert.remedy}",
            f"What is not lost: {alert.impact}",
        )
    )
