"""DynamoDB's JSON protocol: requests in and out of the form in which botocore has them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

TARGET_PREFIX: Final = "DynamoDB_20120810."
CONTENT_TYPE: Final = "application/x-amz-json-1.0"
SERVICE_ERROR: Final = "com.amazonaws.dynamodb.v20120810#"
VALIDATION_ERROR: Final = "com.amazon.coral.validate#"
VALIDATION_CODE: Final = "ValidationException"


def operation_of(target: str) -> str:
    """Return the operation in the header `X-Amz-Target`; '' for another service's."""
    return target.removeprefix(TARGET_PREFIX) if target.startswith(TARGET_PREFIX) else ""


def parse_request(body: bytes) -> dict[str, Any]:
    """Return the members of a request, binary values as bytes.

    Raises `ValueError` when it is no JSON object.
    """
    request = json.loads(body, object_hook=_with_bytes)
    if not isinstance(request, dict):
        raise ValueError("a request is a JSON object")  # noqa: TRY004  # one error for the caller
    return request


def _with_bytes(members: dict[str, Any]) -> dict[str, Any]:
    """Decode an attribute value of the type B or BS; return other objects as they are."""
    if len(members) == 1:
        ((kind, content),) = members.items()
        if kind == "B" and isinstance(content, str):
            return {"B": base64.b64decode(content)}
        if kind == "BS" and isinstance(content, list):
            return {"BS": [base64.b64decode(each) for each in content]}
    return members


def error_body(code: str, message: str, **members: object) -> bytes:
    """Return the body of an error, as DynamoDB words it."""
    prefix = VALIDATION_ERROR if code == VALIDATION_CODE else SERVICE_ERROR
    return json.dumps({"__type": prefix + code, "message": message, **members}).encode()


def written_keys(operation: str, request: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the table and the item, or its key, of each write that a request contains."""
    match operation:
        case "PutItem":
            return [(request["TableName"], request["Item"])]
        case "UpdateItem":
            return [(request["TableName"], request["Key"])]
        case "TransactWriteItems":
            bodies = [body for action in request["TransactItems"] for body in action.values()]
            return [(body["TableName"], body.get("Item") or body["Key"]) for body in bodies]
        case "BatchWriteItem":
            return [
                (name, action["PutRequest"]["Item"])
                for name, actions in request["RequestItems"].items()
                for action in actions
                if "PutRequest" in action
            ]
    return []
