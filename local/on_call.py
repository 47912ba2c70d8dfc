"""The operator on call: receives alerts, stores new credentials, starts the rotation."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile

QUEUE: Final = "alerts-of-the-operator-on-call"
ALERT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Alert:
    """One delivered alert."""

    subject: str
    text: str


class OnCall:
    """An operator whose queue is subscribed to the alert topic."""

    def __init__(self, stack: StackFile) -> None:
        self._stack = stack
        self._aws = EmbeddedAws(stack.aws_endpoint)
        queues = self._aws.queues
        self._queue = queues.create_queue(QueueName=QUEUE)["QueueUrl"]
        attributes = queues.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": stack.alerts_topic}},
                }
            ],
        }
        queues.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        self._aws.topics.subscribe(TopicArn=stack.alerts_topic, Protocol="sqs", Endpoint=arn)

    def new_alerts(self, *, at_least: int = 0) -> list[Alert]:
        """Return the alerts since the last call; wait up to 10 s for `at_least` alerts."""
        alerts: list[Alert] = []
        deadline = time.monotonic() + ALERT_SECONDS
        while True:
            response = self._aws.queues.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=0
            )
            messages = response.get("Messages", [])
            for message in messages:
                body = json.loads(message["Body"])
                alerts.append(Alert(body["Subject"], body["Message"]))
                self._aws.queues.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
            if not messages and (len(alerts) >= at_least or time.monotonic() > deadline):
                return alerts

    def salesforce_credentials(self) -> dict[str, Any]:
        """Return the current value of the Salesforce secret."""
        secret = self._aws.secrets.get_secret_value(SecretId=self._stack.secrets["salesforce"])
        credentials: dict[str, Any] = json.loads(secret["SecretString"])
        return credentials

    def current_version(self) -> str:
        """Return the id of the current version of the Salesforce secret."""
        secret = self._aws.secrets.get_secret_value(SecretId=self._stack.secrets["salesforce"])
        return secret["VersionId"]

    def put_pending(self, credentials: Mapping[str, Any]) -> str:
        """Store new Salesforce credentials as the pending version (AWSPENDING); return its id."""
        secret = self._aws.secrets.put_secret_value(
            SecretId=self._stack.secrets["salesforce"],
            SecretString=json.dumps(dict(credentials)),
            VersionStages=["AWSPENDING"],
        )
        return secret["VersionId"]

    def rotate(self, version: str) -> dict[str, Any]:
        """Invoke the rotation function for a pending version and return its result."""
        function = self._stack.functions["rotate_credentials"]
        result: dict[str, Any] = self._aws.invoke(function, {"version": version})
        return result
