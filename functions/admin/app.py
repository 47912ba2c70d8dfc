"""The admin API: every route parses, calls one verb, answers. IAM has said who asks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from connector.telemetry import with_lambda_context
from functions.admin import connection, fields, mapping, people, runs, status
from functions.admin import review_queue as attention
from functions.admin.error_handlers import ERROR_HANDLERS
from functions.admin.openapi import document
from functions.admin.responses import responses

app = APIGatewayRestResolver(
    enable_validation=True,
    response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
)
for subject in (status, connection, fields, mapping, runs, attention, people):
    app.include_router(subject.router)
for error, answer in ERROR_HANDLERS.items():
    app.exception_handler(error)(answer)


@app.get(
    "/admin/openapi.json",
    summary="This API, described",
    responses=responses(200, "The OpenAPI document."),
    tags=["status"],
)
def openapi() -> dict[str, Any]:
    """Describe every route of the admin API, generated from its code."""
    return document(app)


@with_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the admin API."""
    return app.resolve(event, context)
