"""POST /sync asks for a run."""

from __future__ import annotations

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer that the request was taken."""
    return {"statusCode": 202, "body": "{}"}
