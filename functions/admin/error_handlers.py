"""Which refusal each error is: its status, in the one declared shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)
from pydantic import ValidationError

from connector.admin.errors import (
    InvalidMappingError,
    InvalidRequestError,
    MappingConflictError,
    UnknownItemError,
)
from connector.admin.mappings import mapping_view
from connector.errors import HaltError, MappingError, RejectedError, RetryError, StaleError
from connector.log_events import Event
from connector.telemetry import log_event
from functions.admin.responses import ErrorResponse, MappingConflict, Problem, to_problems

RETRY_AFTER: Final = 5
"""Seconds; what a busy table or a busy side mostly needs."""
MISSING_SETTINGS: Final = "settings"


def _mapping_conflict(error: MappingConflictError) -> Response[str]:
    conflict = MappingConflict(
        error="stale",
        message=str(error),
        yours=mapping_view(error.yours),
        current=mapping_view(error.current),
    )
    return _answer(HTTPStatus.CONFLICT, conflict)


def _invalid_mapping(error: InvalidMappingError) -> Response[str]:
    refusal = ErrorResponse(
        error="mapping",
        message=str(error),
        problems=tuple(map(Problem.model_validate, error.problems)),
        warnings=tuple(map(Problem.model_validate, error.warnings)),
    )
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal)


def _invalid_request(error: RequestValidationError | ValidationError) -> Response[str]:
    refusal = ErrorResponse(
        error="request",
        message="the request cannot be read: each problem names its place",
        problems=to_problems(error.errors()),
    )
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal)


def _invalid_response(error: ResponseValidationError) -> Response[str]:
    places = [".".join(map(str, each["loc"])) for each in error.errors()]
    log_event(Event.invalid_response, places=places)
    message = "the answer is not as it was promised: the log names the places"
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, ErrorResponse(error="defect", message=message))


def _not_found(error: Exception) -> Response[str]:
    message = str(error) if isinstance(error, UnknownItemError) else "there is no such route"
    return _answer(HTTPStatus.NOT_FOUND, ErrorResponse(error="unknown", message=message))


def _invalid_value(error: Exception) -> Response[str]:
    return _answer(
        HTTPStatus.UNPROCESSABLE_ENTITY, ErrorResponse(error="request", message=str(error))
    )


def _stale(error: StaleError) -> Response[str]:
    return _answer(HTTPStatus.CONFLICT, ErrorResponse(error="stale", message=str(error)))


def _busy(error: RetryError) -> Response[str]:
    answer = _answer(
        HTTPStatus.SERVICE_UNAVAILABLE, ErrorResponse(error="busy", message=str(error))
    )
    answer.headers["Retry-After"] = str(int(error.after) or RETRY_AFTER)
    return answer


def _halted(error: HaltError | RejectedError) -> Response[str]:
    """A side refuses us. A function that lacks its settings is broken, and says so as such."""
    reason = error.code if isinstance(error, RejectedError) else error.reason
    if reason == MISSING_SETTINGS:
        raise error
    return _answer(HTTPStatus.BAD_GATEWAY, ErrorResponse(error=reason, message=str(error)))


def _answer(status: HTTPStatus, body: ErrorResponse) -> Response[str]:
    text = json.dumps(body.model_dump(mode="json"), ensure_ascii=False)
    return Response(status.value, content_type="application/json", body=text, headers={})


ERROR_HANDLERS: Final[dict[type[Exception], Callable[[Any], Response[str]]]] = {
    MappingConflictError: _mapping_conflict,
    InvalidMappingError: _invalid_mapping,
    RequestValidationError: _invalid_request,
    RequestUnsupportedContentType: _invalid_request,
    ValidationError: _invalid_request,
    ResponseValidationError: _invalid_response,
    UnknownItemError: _not_found,
    NotFoundError: _not_found,
    InvalidRequestError: _invalid_value,
    MappingError: _invalid_value,
    StaleError: _stale,
    RetryError: _busy,
    HaltError: _halted,
    RejectedError: _halted,
}
"""What is not listed is a defect: it is raised, and API Gateway answers 502 for us."""
