"""Who is told of alerts: the subscriptions of the topic (product P21)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

UNCONFIRMED: Final = frozenset({"PendingConfirmation", "Deleted"})
"""What SNS says in place of an ARN where nobody has confirmed."""


class SnsRecipients:
    """Lists the subscriptions of one topic; without a topic there are none."""

    def __init__(self, client: SNSClient, topic: str) -> None:
        self._client = client
        self._topic = topic

    def list(self) -> Iterator[tuple[str, str, bool]]:
        """Yield protocol, endpoint, and whether it was confirmed, of the first hundred."""
        if not self._topic:
            return
        answer = self._client.list_subscriptions_by_topic(TopicArn=self._topic)
        for it in answer["Subscriptions"]:
            yield it["Protocol"], it["Endpoint"], it["SubscriptionArn"] not in UNCONFIRMED
