"""The faults that can be injected, and the effect of each on a call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from werkzeug.wrappers import Response

from local.control import Fault
from local.plezi_tenant.errors import RefusedError, html_refusal
from local.serving import ConnectionDroppedError

Sleep: TypeAlias = Callable[[float], None]

BEFORE = (
    "http_500",
    "http_502_html",
    "http_503",
    "http_429",
    "html_200",
    "reset_before",
    "slow",
)
"""Kinds applied before the call is executed. Only a slow call is executed afterwards."""
AFTER = ("empty_body", "truncated_body", "reset_after", "timeout_after")
"""Kinds applied after the call is executed: its response is lost or damaged."""
TRUNCATED_PAGE = "truncated_page"
STALE = "stale"
KINDS = (*BEFORE, *AFTER, TRUNCATED_PAGE, STALE)

SLOW_SECONDS = 30.0
"""Above the 20 s time-out of the only known client."""
STALE_SECONDS = 60.0
RETRY_SECONDS = 1


def inject_before(fault: Fault, sleep: Sleep) -> Response | None:
    """Return the response that replaces the call, or None to continue with the call."""
    match fault.kind:
        case "http_500":
            raise RefusedError(500, "something went wrong")
        case "http_502_html":
            return html_refusal(502)
        case "http_503":
            raise RefusedError(503, "the service is not available")
        case "http_429":
            seconds = fault.parameters.get("retry_after", RETRY_SECONDS)
            headers = {} if seconds is None else {"Retry-After": str(seconds)}
            raise RefusedError(429, "too many calls", headers=headers)
        case "html_200":
            return html_refusal(200)
        case "reset_before":
            raise ConnectionDroppedError
        case _:
            sleep(float(fault.parameters.get("seconds", SLOW_SECONDS)))
            return None


def inject_after(fault: Fault, response: Response, sleep: Sleep) -> Response:
    """Return the damaged response of an executed call, or drop the connection."""
    match fault.kind:
        case "reset_after":
            raise ConnectionDroppedError
        case "timeout_after":
            sleep(float(fault.parameters.get("seconds", SLOW_SECONDS)))
            raise ConnectionDroppedError("timed out")
        case "truncated_body":
            body = response.get_data()
            response.set_data(body[: len(body) // 2])
        case _:
            response.set_data(b"")
    return response


def truncate_page(fault: Fault, response: Response) -> Response:
    """Keep only the first rows of a list: the parameter `keep`, by default half of them."""
    document = json.loads(response.get_data())
    rows = document["data"]
    document["data"] = rows[: int(fault.parameters.get("keep", len(rows) // 2))]
    response.set_data(json.dumps(document, ensure_ascii=False).encode())
    return response
