"""Alerts as messages of one SNS topic, in plain words, never with a personal value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from connector.model import Alert

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

LONGEST_SUBJECT: Final = 100
"""Characters that SNS takes in a subject."""


class SnsAlerts:
    """Publishes alerts; without a topic nobody is told."""

    def __init__(self, client: SNSClient, topic: str) -> None:
        self._client = client
        self._topic = topic

    def tell(self, alert: Alert) -> None:
        """Publish one alert: what happened, since when, what to do, what was not lost."""
        if not self._topic:
            return
        since = datetime.fromtimestamp(alert.since, UTC).strftime("%d %B %Y, %H:%M UTC")
        message = "\n".join(
            (alert.what, "", f"Since: {since}", f"What to do: {alert.remedy}", alert.kept)
        )
        self._client.publish(
            TopicArn=self._topic, Subject=alert.what[:LONGEST_SUBJECT], Message=message
        )
