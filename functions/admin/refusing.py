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

from connector import telemetry
from connector.administration.mappings import told
from connector.administration.refusals import (
    MappingMovedError,
    MappingRefusedError,
    NotKnownError,
    UnusableError,
)
from connector.errors import HaltError, MappingError, RejectedError, RetryError, StaleError
from functions.admin.answers import MappingConflict, Problem, Refusal, problems_of

RETRY_AFTER: Final = 5
"""Seconds; what a busy table or a busy side mostly needs."""
MISSING_SETTINGS: Final = "settings"


def _moved(error: MappingMovedError) -> Response[str]:
    conflict = MappingConflict(
        error="stale", message=str(error), yours=told(error.yours), current=told(error.current)
    )
    return _answer(HTTPStatus.CONFLICT, conflict)


def _refused(error: MappingRefusedError) -> Response[str]:
    refusal = Refusal(
        error="mapping",
        message=str(error),
        problems=tuple(map(Problem.model_validate, error.problems)),
        warnings=tuple(map(Problem.model_validate, error.warnings)),
    )
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal)


def _misshapen(error: RequestValidationError | ValidationError) -> Response[str]:
    refusal = Refusal(
        error="request",
        message="the request cannot be read: each problem names its place",
        problems=problems_of(error.errors()),
    )
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal)


def _broken_promise(error: ResponseValidationError) -> Response[str]:
    places = [".".join(map(str, each["loc"])) for each in error.errors()]
    telemetry.logger().error("an answer is not as promised", extra={"places": places})
    message = "the answer is not as it was promised: the log names the places"
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, Refusal(error="defect", message=message))


def _unknown(error: Exception) -> Response[str]:
    message = str(error) if isinstance(error, NotKnownError) else "there is no such route"
    return _answer(HTTPStatus.NOT_FOUND, Refusal(error="unknown", message=message))


def _unusable(error: Exception) -> Response[str]:
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, Refusal(error="request", message=str(error)))


def _stale(error: StaleError) -> Response[str]:
    return _answer(HTTPStatus.CONFLICT, Refusal(error="stale", message=str(error)))


def _busy(error: RetryError) -> Response[str]:
    answer = _answer(HTTPStatus.SERVICE_UNAVAILABLE, Refusal(error="busy", message=str(error)))
    answer.headers["Retry-After"] = str(int(error.after) or RETRY_AFTER)
    return answer


def _halted(error: HaltError | RejectedError) -> Response[str]:
    """A side refuses us. A function that lacks its settings is broken, and says so as such."""
    reason = error.code if isinstance(error, RejectedError) else error.reason
    if reason == MISSING_SETTINGS:
        raise error
    return _answer(HTTPStatus.BAD_GATEWAY, Refusal(error=reason, message=str(error)))


def _answer(status: HTTPStatus, body: Refusal) -> Response[str]:
    text = json.dumps(body.model_dump(mode="json"), ensure_ascii=False)
    return Response(status.value, content_type="application/json", body=text, headers={})


REFUSALS: Final[dict[type[Exception], Callable[[Any], Response[str]]]] = {
    MappingMovedError: _moved,
    MappingRefusedError: _refused,
    RequestValidationError: _misshapen,
    RequestUnsupportedContentType: _misshapen,
    ValidationError: _misshapen,
    ResponseValidationError: _broken_promise,
    NotKnownError: _unknown,
    NotFoundError: _unknown,
    UnusableError: _unusable,
    MappingError: _unusable,
    StaleError: _stale,
    RetryError: _busy,
    HaltError: _halted,
    RejectedError: _halted,
}
"""What is not listed is a defect: it is raised, and API Gateway answers 502 for us."""
