"""POST /forms: somebody says that a Plezi contact filled in a form."""

from __future__ import annotations

import json
from typing import Any

from connector.forms.request import FormRefusedError, parse_request
from connector.wiring import form_door


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Write down a hint; 202 with its trace id once it is durable, else why not."""
    try:
        trace = form_door().receive(parse_request(event))
    except FormRefusedError as error:
        again = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return _answer(error.status, {"error": str(error)}, again)
    return _answer(202, {"trace_id": trace}, {})


def _answer(status: int, body: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **headers},
        "body": json.dumps(body),
    }
