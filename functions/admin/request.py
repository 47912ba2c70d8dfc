"""The parts of a request except its body: the caller, the page, the names in the path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

MAX_PAGE: Final = 200
DEFAULT_PAGE: Final = 100
MAX_TOKEN_CHARACTERS: Final = 2048
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
    """Return a name in the path, decoded: API Gateway passes the path without decoding it."""
    return unquote(name)


def new_router() -> Router:
    """Return a router without routes."""
    return Router()  # type: ignore[no-untyped-call]
