"""Alerts as messages of one SNS topic, in plain words, never with a personal value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from connector.aws.calls import call_aws, describe_failure
from connector.errors import RetryError, StopReason
from connector.model import Alert

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from connector.retry import RetryPolicy

PUBLISH: Final = "sns.Publish"
MAX_SUBJECT_CHARACTERS: Final = 100
"""Characters that SNS accepts in a subject: printable ASCII on one line."""


class SnsAlertPublisher:
    """Publishes alerts; without a topic it does nothing."""

    def __init__(self, client: SNSClient, topic: str, retry: RetryPolicy) -> None:
        self._client = client
        self._topic = topic
        self._retry = retry

    def publish(self, alert: Alert) -> None:
        """Publish one alert: what happened, since when, what to do, what was not lost.

        Its kind is an attribute of the message, for the filter of a subscription. Raises
        `RetryError` with the AWS code when the topic does not accept it.
        """
        if not self._topic:
            return
        try:
            call_aws(self._retry, PUBLISH, lambda: self._publish(alert))
        except (BotoCoreError, ClientError) as error:
            # A topic that is missing or refused must not change how a run ended.
            raise RetryError(
                f"the alert topic does not take an alert: {describe_failure(PUBLISH, error)}",
                reason=StopReason.AWS_UNAVAILABLE,
            ) from error

    def _publish(self, alert: Alert) -> None:
        self._client.publish(
            TopicArn=self._topic,
            Subject=subject(alert.summary),
            Message=text(alert),
            MessageAttributes={"kind": {"DataType": "String", "StringValue": alert.kind.value}},
        )


def subject(summary: str) -> str:
    """Return a sentence as SNS accepts it for a subject."""
    plain = summary.encode("ascii", "replace").decode("ascii")
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())[
        :MAX_SUBJECT_CHARACTERS
    ]


def text(alert: Alert) -> str:
    """Return the text of an alert's message."""
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
