"""The error handlers: the status of each error, with the one declared shape."""

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
from connector.errors import (
    HaltError,
    MappingError,
    RejectedError,
    RetryError,
    StaleError,
    StopReason,
)
from connector.log_events import Event
from connector.telemetry import log_event
from functions.admin.responses import ErrorResponse, Problem, to_problems

RETRY_AFTER: Final = 5
"""Seconds after which a busy table or a busy system mostly works again."""


def _mapping_conflict(error: MappingConflictError) -> Response[str]:
    body = ErrorResponse(
        error="stale",
        message=str(error),
        yours=mapping_view(error.yours),
        current=mapping_view(error.current),
    )
    return _response(HTTPStatus.CONFLICT, body)


def _invalid_mapping(error: InvalidMappingError) -> Response[str]:
    body = ErrorResponse(
        error="mapping",
        message=str(error),
        problems=tuple(map(Problem.model_validate, error.problems)),
        warnings=tuple(map(Problem.model_validate, error.warnings)),
    )
    return _response(HTTPStatus.UNPROCESSABLE_ENTITY, body)


def _invalid_request(error: RequestValidationError | ValidationError) -> Response[str]:
    body = ErrorResponse(
        error="request",
        message="the request is not valid: each problem names its place",
        problems=to_problems(error.errors()),
    )
    return _response(HTTPStatus.UNPROCESSABLE_ENTITY, body)


def _invalid_response(error: ResponseValidationError) -> Response[str]:
    places = [".".join(map(str, detail["loc"])) for detail in error.errors()]
    log_event(Event.invalid_response, places=places)
    message = "the response does not match its description: the log has the places"
    return _response(
        HTTPStatus.INTERNAL_SERVER_ERROR, ErrorResponse(error="defect", message=message)
    )


def _not_found(error: Exception) -> Response[str]:
    message = str(error) if isinstance(error, UnknownItemError) else "this route does not exist"
    return _response(HTTPStatus.NOT_FOUND, ErrorResponse(error="unknown", message=message))


def _invalid_value(error: Exception) -> Response[str]:
    return _response(
        HTTPStatus.UNPROCESSABLE_ENTITY, ErrorResponse(error="request", message=str(error))
    )


def _stale(error: StaleError) -> Response[str]:
    return _response(HTTPStatus.CONFLICT, ErrorResponse(error="stale", message=str(error)))


def _busy(error: RetryError) -> Response[str]:
    response = _response(
        HTTPStatus.SERVICE_UNAVAILABLE, ErrorResponse(error="busy", message=str(error))
    )
    response.headers["Retry-After"] = str(int(error.after) or RETRY_AFTER)
    return response


def _halted(error: HaltError | RejectedError) -> Response[str]:
    """Report a refusal by Plezi or Salesforce. Missing settings are a defect, which is raised."""
    reason = error.code if isinstance(error, RejectedError) else error.reason
    if reason == StopReason.SETTINGS:
        raise error
    return _response(HTTPStatus.BAD_GATEWAY, ErrorResponse(error=reason, message=str(error)))


def _response(status: HTTPStatus, body: ErrorResponse) -> Response[str]:
    members = body.model_dump(mode="json")
    present = {name: value for name, value in members.items() if value is not None}
    text = json.dumps(present, ensure_ascii=False)
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
"""Any other error is a defect: it is raised, and API Gateway returns status 502."""
