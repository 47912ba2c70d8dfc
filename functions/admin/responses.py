"""The responses that the routes declare: the success, and every error in one shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import BaseModel, ConfigDict

from connector.admin.mappings import MappingView

ERROR_DESCRIPTIONS: Final = {
    404: "The item does not exist.",
    409: "Conflict: the item changed since you read it. Read it again, then decide.",
    422: "The request is not valid. Each problem names its place and a remedy.",
    500: "The response does not match this description. This is a defect; the log has the places.",
    502: "Plezi or Salesforce refuses the connector. An admin must correct the cause.",
    503: "A system is busy. Repeat the request after `Retry-After` seconds.",
}
ALWAYS: Final = (422, 500, 503)
"""The errors that every route can return."""


class Problem(BaseModel):
    """One problem: its code, its place, a message and a remedy.

    `pair` is the key of a field pair or the name of a setting of the mapping, `field` is its
    property. If the request is not valid, `field` is the place in the request.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    code: str
    pair: str
    field: str
    message: str
    remedy: str


class ErrorResponse(BaseModel):
    """The reason why a request was refused.

    `error` is a stable code. `message` describes the reason and the remedy. `yours` and `current`
    are present if the mapping changed since it was read: the mapping of the request, and the
    current one.
    """

    model_config = ConfigDict(frozen=True)

    error: str
    message: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    yours: MappingView | None = None
    current: MappingView | None = None


def responses(
    success: int, description: str, *errors: int, content: Mapping[str, Any] | None = None
) -> dict[int, OpenAPIResponse]:
    """Return the responses of a route: its success, its own errors, and those of every route.

    `content` is the content of a success that is not JSON.
    """
    declared: dict[int, OpenAPIResponse] = {success: {"description": description}}
    if content is not None:
        declared[success]["content"] = dict(content)
    for status in sorted({*errors, *ALWAYS}):
        declared[status] = {
            "description": ERROR_DESCRIPTIONS[status],
            "content": {"application/json": {"model": ErrorResponse}},
        }
    return declared


def to_problems(errors: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Return pydantic's errors as problems, without the values of the request."""
    return tuple(
        Problem(
            code="shape",
            pair="",
            field=".".join(map(str, error["loc"])),
            message=str(error.get("msg", error.get("type", "not valid"))),
            remedy="see GET /admin/openapi.json for the members of a request",
        )
        for error in errors
    )
