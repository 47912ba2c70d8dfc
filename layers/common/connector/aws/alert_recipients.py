"""The recipients of alerts: the subscriptions of the SNS topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from connector.aws.calls import call_aws

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from connector.retry import RetryPolicy

UNCONFIRMED: Final = frozenset({"PendingConfirmation", "Deleted"})
"""Values that SNS returns instead of an ARN for a subscription that is not confirmed."""


class SnsRecipients:
    """Lists the subscriptions of one topic; without a topic there are none."""

    def __init__(self, client: SNSClient, topic: str, retry: RetryPolicy) -> None:
        self._client = client
        self._topic = topic
        self._retry = retry

    def list(self) -> Iterator[tuple[str, str, bool]]:
        """Yield protocol, endpoint, and whether it is confirmed, of the first hundred."""
        if not self._topic:
            return
        response = call_aws(
            self._retry,
            "sns.ListSubscriptionsByTopic",
            lambda: self._client.list_subscriptions_by_topic(TopicArn=self._topic),
        )
        for subscription in response["Subscriptions"]:
            confirmed = subscription["SubscriptionArn"] not in UNCONFIRMED
            yield subscription["Protocol"], subscription["Endpoint"], confirmed
