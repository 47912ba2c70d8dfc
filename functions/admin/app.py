"""The admin API: each route parses its request and calls one use case. IAM authenticates it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from connector.bootstrap.lambda_runtime import lambda_handler
from functions.admin import (
    connection,
    fields,
    forecast,
    mapping,
    people,
    person_data,
    plezi_probe,
    review_queue,
    runs,
    setup_guide,
    status,
    systems,
)
from functions.admin.body_limits import refusal
from functions.admin.error_handlers import ERROR_HANDLERS
from functions.admin.openapi import document
from functions.admin.responses import responses
from functions.admin.times import add_utc_times

app = APIGatewayRestResolver(
    enable_validation=True,
    response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
)
for module in (
    status,
    forecast,
    setup_guide,
    connection,
    plezi_probe,
    fields,
    mapping,
    runs,
    review_queue,
    people,
    person_data,
    systems,
):
    app.include_router(module.router)
for error, error_handler in ERROR_HANDLERS.items():
    app.exception_handler(error)(error_handler)


@app.get(
    "/admin/openapi.json",
    summary="Get the OpenAPI document",
    responses=responses(200, "The OpenAPI document."),
    tags=["status"],
)
def openapi() -> dict[str, Any]:
    """Return the description of every route, generated from the code."""
    return document(app)


@lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the admin API."""
    return add_utc_times(refusal(event) or app.resolve(event, context))
