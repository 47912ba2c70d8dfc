"""POST /sync, or a direct invocation, requests a run now."""

from __future__ import annotations

import json
from typing import Any

from connector.bootstrap.lambda_runtime import LambdaApp, lambda_handler
from connector.errors import MappingError
from connector.settings import RunRequestSettings
from connector.sync.run_requests import RunRequester
from functions.manual_sync.request import InvalidRequestError, parse_sync_request

APP: LambdaApp[RunRequester] = LambdaApp(RunRequestSettings)


@lambda_handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Request a run; answer 202 with its id, or 400 with what cannot be requested.

    The body of a refusal has the members of every refusal of the API (docs/admin.md, Errors).
    """
    is_api_call = "httpMethod" in event
    text = (event.get("body") or "{}") if is_api_call else json.dumps(event)
    status, body = _request_run(text)
    if not is_api_call:
        return body
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }


def _request_run(text: str) -> tuple[int, dict[str, Any]]:
    try:
        request = parse_sync_request(text)
        run_id = APP.get().request_run(
            request.kind,
            emails=request.emails,
            draft=request.draft,
            include_unchanged=request.include_unchanged,
            first=request.first,
            skip_stages=request.skip_stages,
        )
    except InvalidRequestError as error:
        return 400, {"error": "request", "message": str(error)}
    except MappingError as error:
        return 400, {"error": "mapping", "message": str(error)}
    return 202, {"run_id": run_id}
