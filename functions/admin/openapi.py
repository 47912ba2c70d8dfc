"""The description of the admin API, generated from its routes."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from connector.version import VERSION

TITLE = "plezi-salesforce: administration"

SIGNED = {
    "sigv4": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "AWS Signature Version 4, service execute-api.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }
}
IMPORT = "/admin/mapping.yaml"


def document(app: APIGatewayRestResolver) -> dict[str, Any]:
    """Return the OpenAPI document of an app, as JSON-ready data."""
    text = app.get_openapi_json_schema(
        title=TITLE,
        version=VERSION,
        description="Signed with IAM. Times are seconds since 1970; lists are paged by `next`.",
    )
    described: dict[str, Any] = json.loads(text)
    described["security"] = [{"sigv4": []}]
    described["components"]["securitySchemes"] = SIGNED
    # The one body that is no JSON: Powertools describes the bodies that it parses itself.
    described["paths"][IMPORT]["put"]["requestBody"] = {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string"}}},
    }
    schemas = described["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):  # every refusal is a `Refusal`
        schemas.pop(unused, None)
    return described
