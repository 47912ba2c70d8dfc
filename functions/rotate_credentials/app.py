"""A new version of a secret: tested for ops, or by Secrets Manager in its four steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from connector.bootstrap.lambda_runtime import LambdaApp, lambda_handler
from connector.bootstrap.rotation import RotationApp
from connector.connection_settings import RotationSettings
from connector.credentials.rotation import RotationOutcome, error_text
from connector.errors import ConnectorError
from connector.json_object import JsonObjectError
from connector.log_events import Event
from connector.telemetry import log_event
from functions.rotate_credentials.request import parse_request, parse_step

APP: LambdaApp[RotationApp] = LambdaApp(RotationSettings)


@lambda_handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Answer a request with its result; raise an error when a step cannot be done."""
    if "Step" in event:
        step = parse_step(event)
        APP.get().of_arn(step.secret_arn).step(step.step, step.version)
        return {}
    try:
        request = parse_request(event)
    except JsonObjectError as error:
        return {"error": f'{error}; for example {{"version": "<VersionId>"}}'}
    try:
        result = APP.get().by_kind[request.secret].test_and_promote(request.version)
    except ConnectorError as error:
        log_event(Event.rotation_refused, secret=request.secret.value, cause=type(error).__name__)
        return {"error": error_text(error)}
    if result.outcome is RotationOutcome.REFUSED:
        log_event(Event.rotation_refused, secret=request.secret.value, cause=result.outcome.value)
    return asdict(result)
