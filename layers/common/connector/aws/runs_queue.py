"""The runs queue: first in, first out, one run at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from connector.model import Phase

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

GROUP = "runs"
"""One message group: runs are serial."""


class RunRequest(BaseModel):
    """A message of the runs queue: work on this part of this run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str = Field(min_length=1, max_length=100)
    phase: Phase


class RunsQueue:
    """Sends requests to the runs queue.

    Every send has an id of its own: SQS would drop a continuation that looks like the request it
    continues, for five minutes.
    """

    def __init__(self, client: SQSClient, queue_url: str, new_id: Callable[[], str]) -> None:
        self._client = client
        self._queue_url = queue_url
        self._new_id = new_id

    def send(self, run: str, part: Phase) -> None:
        """Ask for a part of a run to be worked on."""
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=RunRequest(run_id=run, phase=part).model_dump_json(),
            MessageGroupId=GROUP,
            MessageDeduplicationId=self._new_id(),
        )


def parse_runs(event: Mapping[str, Any]) -> list[RunRequest]:
    """Return the requests of an SQS event; pydantic refuses anything else."""
    return [RunRequest.model_validate_json(record["body"]) for record in event["Records"]]
