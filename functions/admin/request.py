"""The parts of a request except its body: the caller, the page, the names in the path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from connector.admin.errors import UnknownItemError

MAX_PAGE: Final = 200
DEFAULT_PAGE: Final = 100
MAX_TOKEN_CHARACTERS: Final = 2048
MAX_NAME_BYTES: Final = 1024
"""Half of what a partition key of DynamoDB may have (2,048 bytes): a key has a prefix too."""
DIRECT_INVOCATION: Final = "direct invocation"
"""The caller of an invocation that did not come through API Gateway."""

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="The maximum number of items.")]
Next = Annotated[
    str,
    Query(
        alias="next", max_length=MAX_TOKEN_CHARACTERS, description="The `next` of an earlier page."
    ),
]


def caller(event: Mapping[str, Any]) -> str:
    """Return the IAM identity of the caller, as API Gateway verified it."""
    identity = (event.get("requestContext") or {}).get("identity") or {}
    return str(identity.get("userArn") or DIRECT_INVOCATION)


def path_value(name: str) -> str:
    """Return a name in the path, decoded: API Gateway passes the path without decoding it.

    Raises `UnknownItemError` for a name that is too long for a key of DynamoDB: nothing is stored
    under it.
    """
    value = unquote(name)
    if len(value.encode()) > MAX_NAME_BYTES:
        raise UnknownItemError(
            f"a name in the path has {len(value.encode())} bytes, more than {MAX_NAME_BYTES}: "
            "nothing has such a name. GET /admin/runs and GET /admin/attention list the names"
        )
    return value


def new_router() -> Router:
    """Return a router without routes."""
    return Router()  # type: ignore[no-untyped-call]
