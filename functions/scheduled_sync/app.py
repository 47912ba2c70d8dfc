"""The clock asks for a run: of what changed every two hours, of everybody once a week."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from connector.model import RunKind
from connector.wiring import door


class ScheduleEvent(BaseModel):
    """What the clock says: EventBridge's own event, or the input of the weekly schedule."""

    kind: Literal[RunKind.CHANGES, RunKind.FULL] = RunKind.CHANGES


def handler(event: dict[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001  # Lambda's signature
    """Write down a run, and answer with its id."""
    return {"run_id": door().request_run(ScheduleEvent.model_validate(event).kind)}
