"""The runs queue hands over one part of a run at a time."""

from __future__ import annotations

from typing import Any, Protocol

from connector.aws.runs_queue import parse_runs
from connector.wiring import work


class Context(Protocol):
    """What Lambda says of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left before Lambda kills the function."""


def handler(event: dict[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Work on each request as far as the time allows.

    The work list is in the ledger, so a request is done once it was worked on. An error that the
    connector did not foresee is raised: the queue hands the request over again.
    """
    for request in parse_runs(event):
        work(request.run_id, request.phase, context.get_remaining_time_in_millis)
    return {"batchItemFailures": []}
