"""The faults that can be ordered, and what each does to a call."""

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
"""Kinds that strike before the call is carried out; it never is, except a slow one."""
AFTER = ("empty_body", "truncated_body", "reset_after", "timeout_after")
"""Kinds that strike once the call is carried out: its answer is lost or spoilt."""
TRUNCATED_PAGE = "truncated_page"
STALE = "stale"
KINDS = (*BEFORE, *AFTER, TRUNCATED_PAGE, STALE)

SLOW_SECONDS = 30.0
"""Beyond the 20 s that the one known client waits."""
STALE_SECONDS = 60.0
RETRY_SECONDS = 1


def inject_before(fault: Fault, wait: Sleep) -> Response | None:
    """Return the answer that takes the place of the call, or None to go on with it."""
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
            wait(float(fault.parameters.get("seconds", SLOW_SECONDS)))
            return None


def inject_after(fault: Fault, answer: Response, wait: Sleep) -> Response:
    """Return what the caller gets of an answer whose call was carried out."""
    match fault.kind:
        case "reset_after":
            raise ConnectionDroppedError
        case "timeout_after":
            wait(float(fault.parameters.get("seconds", SLOW_SECONDS)))
            raise ConnectionDroppedError("timed out")
        case "truncated_body":
            body = answer.get_data()
            answer.set_data(body[: len(body) // 2])
        case _:
            answer.set_data(b"")
    return answer


def truncate_page(fault: Fault, answer: Response) -> Response:
    """Leave only the first rows of a list (`keep`; half of them unless told)."""
    document = json.loads(answer.get_data())
    rows = document["data"]
    document["data"] = rows[: int(fault.parameters.get("keep", len(rows) // 2))]
    answer.set_data(json.dumps(document, ensure_ascii=False).encode())
    return answer
