"""Errors of the API: JSON:API error objects, or HTML when the switch requires it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from werkzeug.wrappers import Response

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class RefusedError(Exception):
    """Raised when a call is refused: a status, and one detail for each problem."""

    def __init__(
        self, status: int, *details: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {'; '.join(details)}")
        self.status = status
        self.details = details
        self.headers = dict(headers or {})


def json_refusal(error: RefusedError) -> Response:
    """Return a response with `{"errors": [{"status", "title", "detail"}]}`."""
    title = TITLES[error.status]
    errors = [
        {"status": str(error.status), "title": title, "detail": detail} for detail in error.details
    ]
    return Response(
        json.dumps({"errors": errors}),
        status=error.status,
        headers=error.headers,
        content_type="application/json; charset=utf-8",
    )


def html_refusal(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return an HTML page, as a proxy in front of the application does."""
    title = f"{status} {TITLES.get(status, 'Maintenance')}"
    page = (
        f"<!DOCTYPE html><html><head><title>{title}</title></head>"
        f"<body><center><h1>{title}</h1></center><hr><center>nginx</center></body></html>"
    )
    return Response(page, status=status, headers=dict(headers or {}), content_type="text/html")
