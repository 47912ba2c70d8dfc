"""Composite calls (`/composite`): up to 25 sub-requests, of which 5 are queries or collections."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers

from local.salesforce_org.access_check import check_version
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.exchange import ApiCall, ApiResponse, error_body, to_json
from local.salesforce_org.state import OrgState

PREFIX = "/services/data/v"
MAX_PARTS = 25
MAX_HEAVY_PARTS = 5
HEAVY = re.compile(r"/(?:query|queryAll|composite/sobjects)(?:[/?]|$)", re.IGNORECASE)
REFERENCE = re.compile(r"@\{([A-Za-z_]\w*)\.([^}]+)\}")
FAILURE = 400
PROCESSING_HALTED = to_json(
    [
        {
            "errorCode": "PROCESSING_HALTED",
            "message": "The transaction was rolled back since another operation in the same"
            " transaction failed.",
        }
    ]
)
Dispatch = Callable[[ApiCall], ApiResponse]


class _RollbackError(Exception):
    """Raised to roll back a composite call."""


def run(state: OrgState, call: ApiCall, dispatch: Dispatch) -> ApiResponse:
    """Handle a composite call: always HTTP 200, one item per sub-request, in order."""
    body = call.json_object()
    parts = body.get("compositeRequest")
    if not isinstance(parts, list) or not parts:
        raise RefusedError("INVALID_INPUT", "compositeRequest is required", fields=None)
    _check_size(parts)
    all_or_none = body.get("allOrNone") is True
    responses: list[tuple[str, ApiResponse]] = []
    try:
        with state.store.savepoint():
            bodies: dict[str, Any] = {}
            for part in parts:
                name = str(part["referenceId"])
                response = _run_part(call, part, bodies, dispatch)
                responses.append((name, response))
                bodies[name] = json.loads(response.body) if response.body else None
                if all_or_none and response.status >= FAILURE:
                    raise _RollbackError  # noqa: TRY301  # leaves the savepoint
    except _RollbackError:
        responses = _rolled_back(parts, responses)
    items = ",".join(_item(name, response) for name, response in responses)
    return ApiResponse(200, f'{{"compositeResponse":[{items}]}}')


def _check_size(parts: list[Any]) -> None:
    if len(parts) > MAX_PARTS:
        message = f"Cannot have more than {MAX_PARTS} subrequests in a single composite request"
        raise RefusedError("INVALID_INPUT", message, fields=None)
    for part in parts:
        if not isinstance(part, dict) or not all(
            isinstance(part.get(key), str) for key in ("method", "url", "referenceId")
        ):
            message = "Each subrequest needs method, url and referenceId"
            raise RefusedError("INVALID_INPUT", message, fields=None)
        if not _are_headers(part.get("httpHeaders") or {}):
            message = "httpHeaders must be names with one line of text each"
            raise RefusedError("INVALID_INPUT", message, fields=None)
    names = [part["referenceId"] for part in parts]
    if len(set(names)) < len(names):
        raise RefusedError("INVALID_INPUT", "Duplicate referenceId in the request", fields=None)
    heavy = sum(1 for part in parts if HEAVY.search(part["url"]))
    if heavy > MAX_HEAVY_PARTS:
        message = f"Cannot have more than {MAX_HEAVY_PARTS} query or collection subrequests"
        raise RefusedError("INVALID_INPUT", message, fields=None)


def _are_headers(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(text, str) and text.isprintable() for text in value.values()
    )


def _run_part(
    call: ApiCall, part: dict[str, Any], bodies: dict[str, Any], dispatch: Dispatch
) -> ApiResponse:
    try:
        url = _resolve(part["url"], bodies)
        body = part.get("body")
        raw = _resolve(to_json(body), bodies).encode() if body is not None else b""
    except LookupError as missing:
        message = f"Invalid reference specified. No value for {missing.args[0]} found"
        return _error("PROCESSING_HALTED", message)
    if not url.startswith(PREFIX):
        message = f"The subrequest url must start with {PREFIX}{call.version}"
        return _error("INVALID_INPUT", message)
    target, _, query = url.removeprefix(PREFIX).partition("?")
    version, _, path = target.partition("/")
    headers = Headers(call.headers)
    headers.update(part.get("httpHeaders") or {})
    sub = ApiCall(
        part["method"].upper(),
        "/" + path,
        version,
        call.user,
        dict(parse_qsl(query, keep_blank_values=True)),
        headers,
        raw,
        nested=True,
    )
    try:
        check_version(version)
        response = dispatch(sub)
    except RefusedError as refused:
        return ApiResponse(refused.status, to_json([error_body(refused, raw)]))
    finally:
        call.records += sub.records
        call.writes = call.writes or sub.writes
    return response


def _resolve(text: str, bodies: dict[str, Any]) -> str:
    """Replace each `@{reference.field[0].other}` by its value in an earlier response."""

    def value(match: re.Match[str]) -> str:
        node: Any = bodies.get(match[1])
        for step in re.findall(r"\w+", match[2]):
            try:
                node = node[int(step)] if isinstance(node, list) else node[step]
            except (KeyError, IndexError, TypeError, ValueError):
                raise LookupError(match[0]) from None
        return str(node)

    return REFERENCE.sub(value, text)


def _rolled_back(
    parts: list[Any], responses: list[tuple[str, ApiResponse]]
) -> list[tuple[str, ApiResponse]]:
    """Return the responses of a rolled back call: only the failed part has its own error."""
    failed = dict(responses[-1:])
    halted = ApiResponse(FAILURE, PROCESSING_HALTED)
    return [(p["referenceId"], failed.get(p["referenceId"], halted)) for p in parts]


def _item(name: str, response: ApiResponse) -> str:
    headers = to_json(response.headers)
    return (
        f'{{"body":{response.body or "null"},"httpHeaders":{headers},'
        f'"httpStatusCode":{response.status},"referenceId":{json.dumps(name)}}}'
    )


def _error(code: str, message: str) -> ApiResponse:
    return ApiResponse(FAILURE, to_json([{"errorCode": code, "message": message}]))
