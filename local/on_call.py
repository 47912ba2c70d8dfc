"""Whoever is on call: gets the alerts, puts new credentials, offers them to the rotation."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile

QUEUE: Final = "mail-of-whoever-is-on-call"
ALERT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it was delivered."""

    subject: str
    text: str


class OnCall:
    """Subscribed to the alert topic from now on."""

    def __init__(self, stack: StackFile) -> None:
        self._stack = stack
        self._aws = EmbeddedAws(stack.aws_endpoint)
        queues = self._aws.queues
        self._queue = queues.create_queue(QueueName=QUEUE)["QueueUrl"]
        answer = queues.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = answer["Attributes"]["QueueArn"]
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
        """Return the alerts since the last look; wait a little for as many as are expected."""
        got: list[Alert] = []
        until = time.monotonic() + ALERT_SECONDS
        while True:
            answer = self._aws.queues.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=0
            )
            messages = answer.get("Messages", [])
            for message in messages:
                body = json.loads(message["Body"])
                got.append(Alert(body["Subject"], body["Message"]))
                self._aws.queues.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
            if not messages and (len(got) >= at_least or time.monotonic() > until):
                return got

    def salesforce_credentials(self) -> dict[str, Any]:
        """Return what the Salesforce secret holds now."""
        answer = self._aws.secrets.get_secret_value(SecretId=self._stack.secrets["salesforce"])
        held: dict[str, Any] = json.loads(answer["SecretString"])
        return held

    def current_version(self) -> str:
        """Return the version of the Salesforce secret that is current."""
        answer = self._aws.secrets.get_secret_value(SecretId=self._stack.secrets["salesforce"])
        return answer["VersionId"]

    def put_pending(self, credentials: Mapping[str, Any]) -> str:
        """Put new material for Salesforce beside what is current; return its version."""
        answer = self._aws.secrets.put_secret_value(
            SecretId=self._stack.secrets["salesforce"],
            SecretString=json.dumps(dict(credentials)),
            VersionStages=["AWSPENDING"],
        )
        return answer["VersionId"]

    def rotate(self, version: str) -> dict[str, Any]:
        """Invoke the rotation with a pending version; return what became of it."""
        function = self._stack.functions["rotate_credentials"]
        answer: dict[str, Any] = self._aws.invoke(function, {"version": version})
        return answer
