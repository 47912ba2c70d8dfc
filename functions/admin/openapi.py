"""The OpenAPI document of the admin API, generated from its routes."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from connector.version import VERSION
from functions.admin.responses import ERROR_DESCRIPTIONS, ErrorResponse
from functions.admin.sync_route import describe_sync
from functions.admin.times import describe_utc_times

TITLE: Final = "plezi-salesforce: admin API"
DESCRIPTION: Final = (
    "Signed with IAM. Times are in seconds since 1970; beside each is the same one in ISO 8601, "
    "with `_utc` at the end of its name. `next` is the token of the next page."
)

SECURITY_SCHEMES: Final = {
    "sigv4": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "AWS Signature Version 4, service execute-api.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }
}
IMPORT: Final = "/admin/mapping.yaml"
POWERTOOLS_SCHEMAS: Final = (
    "HTTPValidationError",
    "ResponseValidationError",
    "ValidationError",
)


def document(app: APIGatewayRestResolver) -> dict[str, Any]:
    """Return the OpenAPI document of an app, as JSON-ready data."""
    text = app.get_openapi_json_schema(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
    )
    described: dict[str, Any] = json.loads(text)
    described["security"] = [{"sigv4": []}]
    described["components"]["securitySchemes"] = SECURITY_SCHEMES
    # This body is not JSON: Powertools only describes the bodies that it parses itself.
    described["paths"][IMPORT]["put"]["requestBody"] = {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string"}}},
    }
    _use_one_error_shape(described)
    describe_sync(described)
    describe_utc_times(described)
    return described


def _use_one_error_shape(described: dict[str, Any]) -> None:
    """Replace Powertools' own schemas of errors: its handlers are not used (`error_handlers`)."""
    reference = f"#/components/schemas/{ErrorResponse.__name__}"
    for operations in described["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    response["description"] = ERROR_DESCRIPTIONS[int(status)]
                    response["content"] = {"application/json": {"schema": {"$ref": reference}}}
    for unused in POWERTOOLS_SCHEMAS:
        described["components"]["schemas"].pop(unused, None)
