"""The runs queue delivers one phase of a run at a time."""

from __future__ import annotations

from typing import Any, Protocol

from connector.aws.runs_queue import parse_runs
from connector.bootstrap.lambda_runtime import LambdaApp, lambda_handler
from connector.bootstrap.sync_worker import WorkerApp
from connector.connection_settings import WorkerSettings

APP: LambdaApp[WorkerApp] = LambdaApp(WorkerSettings)


class Context(Protocol):
    """What Lambda passes about an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left before Lambda stops the function."""


@lambda_handler
def handler(event: dict[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Work on each request as far as the time allows.

    The work list is in the ledger, so a request is finished once it was worked on. An unexpected
    error is raised: the queue delivers the request again.
    """
    worker = APP.get().worker
    for request in parse_runs(event):
        worker.work(request, context.get_remaining_time_in_millis())
    return {"batchItemFailures": []}
