"""GET and POST /console/...: the console, for people who sign in. A schedule invokes it daily."""

from __future__ import annotations

from typing import Any, Final

from connector.bootstrap.lambda_runtime import LambdaApp, lambda_handler
from connector.connection_settings import ConsoleSettings
from connector.console.application import Console
from functions.console.request import InvalidEventError, parse_event, to_gateway

APP: LambdaApp[Console] = LambdaApp(ConsoleSettings)
SCHEDULED: Final = {"task": "count_waiting"}
"""The event of the schedule in template.yaml. A request of API Gateway has other members."""


@lambda_handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Answer one request of a browser; or, once a day, count the people who wait."""
    if event == SCHEDULED:
        APP.get().count_waiting()
        return {}
    try:
        request = parse_event(event)
    except InvalidEventError as error:
        return {"statusCode": 400, "headers": {"Content-Type": "text/plain"}, "body": str(error)}
    return to_gateway(APP.get().answer(request))
