"""The recipients of alerts: the subscriptions of the SNS topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from connector.aws.calls import call_aws

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import SubscriptionTypeDef

    from connector.retry import RetryPolicy

UNCONFIRMED: Final = frozenset({"PendingConfirmation", "Deleted"})
"""Values that SNS returns instead of an ARN for a subscription that is not confirmed."""


class SnsRecipients:
    """Lists and changes the subscriptions of one topic; without a topic there are none."""

    def __init__(self, client: SNSClient, topic: str, retry: RetryPolicy) -> None:
        self._client = client
        self._topic = topic
        self._retry = retry

    def list(self) -> Iterator[tuple[str, str, bool]]:
        """Yield protocol, endpoint, and whether it is confirmed, of the first hundred."""
        for subscription in self._subscriptions():
            confirmed = subscription["SubscriptionArn"] not in UNCONFIRMED
            yield subscription["Protocol"], subscription["Endpoint"], confirmed

    def subscribe(self, email: str) -> None:
        """Send somebody the request to confirm that alerts are wanted."""
        call_aws(
            self._retry,
            "sns.Subscribe",
            lambda: self._client.subscribe(TopicArn=self._topic, Protocol="email", Endpoint=email),
        )

    def unsubscribe(self, email: str) -> None:
        """Send no more alerts to a confirmed recipient; nothing happens if there is none."""
        for subscription in self._subscriptions():
            arn = subscription["SubscriptionArn"]
            is_meant = (subscription["Protocol"], subscription["Endpoint"]) == ("email", email)
            if is_meant and arn not in UNCONFIRMED:
                self._unsubscribe(arn)

    def _unsubscribe(self, arn: str) -> None:
        call_aws(
            self._retry,
            "sns.Unsubscribe",
            lambda: self._client.unsubscribe(SubscriptionArn=arn),
        )

    def _subscriptions(self) -> Sequence[SubscriptionTypeDef]:
        if not self._topic:
            return []
        response = call_aws(
            self._retry,
            "sns.ListSubscriptionsByTopic",
            lambda: self._client.list_subscriptions_by_topic(TopicArn=self._topic),
        )
        return response["Subscriptions"]
