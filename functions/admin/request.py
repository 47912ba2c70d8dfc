"""What routes read of a request besides its body: who asks, pages, names in the path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

MAX_PAGE = 200
DEFAULT_PAGE = 100
MAX_TOKEN_CHARACTERS = 2048
DIRECT_INVOCATION = "direct invocation"

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many at most.")]
Next = Annotated[
    str,
    Query(
        alias="next", max_length=MAX_TOKEN_CHARACTERS, description="The `next` of an earlier page."
    ),
]


def caller(event: Mapping[str, Any]) -> str:
    """Return the IAM identity that asks, as API Gateway has verified it."""
    identity = (event.get("requestContext") or {}).get("identity") or {}
    return str(identity.get("userArn") or DIRECT_INVOCATION)


def path_value(name: str) -> str:
    """Return a name of the path as it is meant: API Gateway hands the path over as it was sent."""
    return unquote(name)


def new_router() -> Router:
    """Return the routes of one subject, empty."""
    return Router()  # type: ignore[no-untyped-call]
