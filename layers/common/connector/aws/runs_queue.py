"""The runs queue: first in, first out, one run at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from connector.aws.calls import call_aws
from connector.bounded_json import JsonBounds, load_json
from connector.model import Phase, RunDelivery

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from connector.retry import RetryPolicy

MAX_ID_CHARACTERS: Final = 100
BOUNDS: Final = JsonBounds(characters=1_024, depth=1, keys=10)
"""A request has an id and a phase."""
GROUP: Final = "runs"
"""One message group: runs are serial."""


class RunsQueue:
    """Sends requests to the runs queue.

    Every request has an id of its own: for five minutes, SQS drops a message that equals an earlier
    one, and a continuation equals the request that it continues. All tries to send one request have
    the same id.
    """

    def __init__(
        self, client: SQSClient, queue_url: str, new_id: Callable[[], str], retry: RetryPolicy
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._new_id = new_id
        self._retry = retry

    def send(self, run: str, phase: Phase) -> None:
        """Request an invocation that works on a phase of a run."""
        request_id = self._new_id()
        call_aws(
            self._retry,
            "sqs.SendMessage",
            lambda: self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=json.dumps({"run_id": run, "phase": phase.value}),
                MessageGroupId=GROUP,
                MessageDeduplicationId=request_id,
            ),
        )


def parse_runs(event: Mapping[str, Any]) -> list[RunDelivery]:
    """Return the requests of an SQS event; raise `ValueError` for any other message."""
    return [_delivery(record) for record in event["Records"]]


def _delivery(record: Mapping[str, Any]) -> RunDelivery:
    attributes = record.get("attributes", {})
    deliveries = int(attributes.get("ApproximateReceiveCount", "1"))
    match load_json(record["body"], BOUNDS):
        case {"run_id": str(run_id), "phase": str(phase)} if 0 < len(run_id) <= MAX_ID_CHARACTERS:
            return RunDelivery(run_id, Phase(phase), deliveries)
    raise ValueError("a message of the runs queue needs run_id and phase")
