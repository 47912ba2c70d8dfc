"""The clock asks for a run of what changed."""

from __future__ import annotations

from typing import Any

from connector.model import RunKind
from connector.wiring import door


def handler(event: dict[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001  # Lambda's signature
    """Write down a run of what changed, and answer with its id."""
    return {"run_id": door().request(RunKind.CHANGES)}
