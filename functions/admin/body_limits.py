"""The bounds of a request body, checked before it is parsed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from connector.bounded_json import JsonBounds, JsonBoundsError, check_bounds
from functions.admin.responses import ErrorResponse

BOUNDS: Final = JsonBounds(characters=2_000_000, depth=10, keys=60_000)
"""A mapping as it was shown: 2,000 pairs of 15 members, each of up to 255 characters."""
FILE_SUFFIX: Final = ".yaml"
"""The route whose body is no JSON; its reader has bounds of its own (`mapping/yaml_file.py`)."""


def refusal(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the response to a body beyond a bound; None for a body that may be parsed."""
    body = event.get("body")
    if not isinstance(body, str) or str(event.get("path")).endswith(FILE_SUFFIX):
        return None
    try:
        check_bounds(body, BOUNDS)
    except JsonBoundsError as error:
        answer = ErrorResponse(error="request", message=f"body: {error}")
        members = answer.model_dump(mode="json", exclude_none=True)
        return {
            "statusCode": HTTPStatus.UNPROCESSABLE_ENTITY.value,
            "headers": {"Content-Type": "application/json"},
            "isBase64Encoded": False,
            "body": json.dumps(members),
        }
    return None
