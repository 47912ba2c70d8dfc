"""What every route may answer besides its own success: refusals, in one declared shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import BaseModel, ConfigDict

from connector.admin.mappings import MappingView

ERROR_DESCRIPTIONS = {
    404: "There is no such thing.",
    409: "Somebody was quicker: read again, then decide.",
    422: "The request cannot be accepted: each problem names its place and a remedy.",
    500: "The answer is not as it was promised: a defect, which the log tells.",
    502: "A side refuses us, and a person must act.",
    503: "Something is busy: ask again after `Retry-After` seconds.",
}
ALWAYS = (422, 500, 503)


class Problem(BaseModel):
    """One problem: which rule, where, what, and what to do.

    `line` is a line of the mapping (by its Salesforce field) or the name of a setting, `field` its
    property; for a request that cannot be read, `field` is the place in it.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    code: str
    pair: str
    field: str
    message: str
    remedy: str


class ErrorResponse(BaseModel):
    """Why a request was not done. `error` is a stable word, `message` says what and what to do."""

    model_config = ConfigDict(frozen=True)

    error: str
    message: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


class MappingConflict(ErrorResponse):
    """Somebody saved another version of the mapping meanwhile: both, to compare."""

    yours: MappingView
    current: MappingView


def responses(
    success: int,
    what: str,
    *refusals: int,
    conflict: type[ErrorResponse] = ErrorResponse,
    content: Mapping[str, Any] | None = None,
) -> dict[int, OpenAPIResponse]:
    """Return what a route declares: its success, and each refusal with its shape.

    `content` is for a success that is not JSON.
    """
    declared: dict[int, OpenAPIResponse] = {success: {"description": what}}
    if content is not None:
        declared[success]["content"] = dict(content)
    for status in sorted({*refusals, *ALWAYS}):
        model = conflict if status == 409 else ErrorResponse  # noqa: PLR2004  # HTTP's own number
        declared[status] = {
            "description": ERROR_DESCRIPTIONS[status],
            "content": {"application/json": {"model": model}},
        }
    return declared


def to_problems(errors: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Say pydantic's errors in our shape; never the value that was sent."""
    return tuple(
        Problem(
            code="shape",
            pair="",
            field=".".join(map(str, error["loc"])),
            message=str(error.get("msg", error.get("type", "cannot be read"))),
            remedy="see GET /admin/openapi.json for what may be sent",
        )
        for error in errors
    )
