"""One REST call and its response, independent of the web framework (`/composite` creates calls)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers

from local.salesforce_org.errors import RefusedError, WholeCallRefusedError
from local.salesforce_org.security import OrgUser

UNKNOWN_POSITION = "[line:1, column:?]"
"""Replaced by the position of the value in the body when the error object is built."""


@dataclass(slots=True)
class ApiResponse:
    """A response: its status, its body as JSON text (or None) and its own headers."""

    status: int = 200
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def api_response(value: object, status: int = 200) -> ApiResponse:
    """Return a response with a value as JSON."""
    return ApiResponse(status, to_json(value))


def to_json(value: object) -> str:
    """Return compact JSON, without ASCII escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class ApiCall:
    """One call: its target, user and content; `records` is the number of rows read or written."""

    method: str
    path: str
    version: str
    user: OrgUser
    arguments: Mapping[str, str]
    headers: Headers
    body: bytes = b""
    kind: str = ""
    writes: bool = False
    records: int = 0
    nested: bool = False

    def json(self) -> Any:  # noqa: ANN401  # any JSON value
        """Return the parsed body; an invalid body is refused with `JSON_PARSER_ERROR`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise invalid_json(self.body, error) from error

    def json_object(self) -> dict[str, Any]:
        """Return the body, which must be an object."""
        value = self.json()
        if not isinstance(value, dict):
            raise wrong_shape("START_ARRAY" if isinstance(value, list) else "VALUE_STRING")
        return value

    def argument(self, name: str) -> str | None:
        """Return an argument of the query string; its name is case-insensitive."""
        lowered = name.lower()
        return next((v for k, v in self.arguments.items() if k.lower() == lowered), None)


def error_body(refused: RefusedError, body: bytes) -> dict[str, Any]:
    """Return the error object of a refusal, with the position of a wrong value in the body."""
    error = refused.single_body()
    if isinstance(refused, WholeCallRefusedError):
        column = body.decode(errors="replace").find(refused.value) + len(refused.value)
        error["message"] = refused.message.replace(
            UNKNOWN_POSITION, f"[line:1, column:{max(column, 1)}]"
        )
    return error


def invalid_json(body: bytes, error: Exception) -> RefusedError:
    """Return the error for a body that is not JSON (recorded form)."""
    if not body.strip():
        message = "No content to map to Object due to end of input"
    else:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        text = body.decode(errors="replace").split("\n")[line - 1]
        character = text[column - 1 : column] or " "
        message = (
            f"Unexpected character ('{character}' (code {ord(character)})): expected a valid value"
            f" (number, String, array, object, 'true', 'false' or 'null')"
            f" at [line:{line}, column:{column + 1}]"
        )
    return RefusedError("JSON_PARSER_ERROR", message, fields=None)


def wrong_shape(token: str) -> RefusedError:
    """Return the error for a body of a wrong JSON type."""
    message = (
        f"Cannot deserialize instance of sobject from {token} or request may be missing"
        " a required field at [line:1, column:1]"
    )
    return RefusedError("JSON_PARSER_ERROR", message, fields=None)
