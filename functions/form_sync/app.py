"""POST /forms: a sender reports that a Plezi contact submitted a form."""

from __future__ import annotations

import json
from typing import Any

from connector.bootstrap.lambda_runtime import LambdaApp, lambda_handler
from connector.forms.receiver import FormReceiver
from connector.forms.request import FormRefusedError, parse_request, request_id
from connector.log_events import Event
from connector.settings import FormReceiverSettings
from connector.telemetry import describe_error, log_event

UNAVAILABLE = 503
APP: LambdaApp[FormReceiver] = LambdaApp(FormReceiverSettings)


@lambda_handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Queue a change hint; answer 202 with its trace id once it is durable, else why it is not."""
    try:
        trace_id = APP.get().receive(parse_request(event))
    except FormRefusedError as error:
        _log_refusal(event, error)
        retry_after = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return _response(error.status, {"error": str(error)}, retry_after)
    return _response(202, {"trace_id": trace_id}, {})


def _log_refusal(event: dict[str, Any], error: FormRefusedError) -> None:
    api_request_id = request_id(event)
    if error.status == UNAVAILABLE:
        cause = error.__cause__ or error
        described = describe_error(cause.__cause__ or cause)
        log_event(Event.form_not_stored, api_request_id=api_request_id, **described)
    else:
        log_event(Event.form_refused, status=error.status, api_request_id=api_request_id)


def _response(status: int, body: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **headers},
        "body": json.dumps(body),
    }
