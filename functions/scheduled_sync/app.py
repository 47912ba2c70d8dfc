"""The schedule requests runs: of changes every two hours, a verification once a week."""

from __future__ import annotations

from typing import Any

from connector.bootstrap.lambda_runtime import LambdaApp, lambda_handler
from connector.model import RunKind
from connector.settings import RunRequestSettings
from connector.sync.run_requests import RunRequester

SCHEDULED_KINDS = (RunKind.CHANGES, RunKind.VERIFY, RunKind.FULL)
APP: LambdaApp[RunRequester] = LambdaApp(RunRequestSettings)


@lambda_handler
def handler(event: dict[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001  # Lambda's signature
    """Request a run, and answer with its id.

    `kind` is the input of the weekly schedule; EventBridge's own event has none.
    """
    kind = RunKind(event.get("kind", RunKind.CHANGES))
    if kind not in SCHEDULED_KINDS:
        raise ValueError(f"kind: a schedule requests {' or '.join(SCHEDULED_KINDS)}")
    return {"run_id": APP.get().request_run(kind)}
