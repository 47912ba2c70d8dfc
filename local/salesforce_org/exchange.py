"""One call on the REST API and its answer, free of any web framework: /composite makes them too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers

from local.salesforce_org.errors import RefusedError, WholeCallRefusedError
from local.salesforce_org.security import OrgUser

UNKNOWN_POSITION = (
    "[line:1, column:?]"  # where a value stands in the body; filled in when it is answered
)


@dataclass(slots=True)
class ApiResponse:
    """A status, a body that is JSON text already (or None) and headers of its own."""

    status: int = 200
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def api_response(value: object, status: int = 200) -> ApiResponse:
    """Answer a value as JSON."""
    return ApiResponse(status, to_json(value))


def to_json(value: object) -> str:
    """Return compact JSON, letters beyond ASCII as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class ApiCall:
    """One call: where, by whom, with what; `records` says how many rows it read or wrote."""

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

    def json(self) -> Any:  # noqa: ANN401  # whatever the caller sent
        """Return the parsed body; what cannot be parsed is `JSON_PARSER_ERROR`."""
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
        """Return an argument of the query string, whatever the case of its name."""
        lowered = name.lower()
        return next((v for k, v in self.arguments.items() if k.lower() == lowered), None)


def error_body(refused: RefusedError, body: bytes) -> dict[str, Any]:
    """Return an error as it is answered; a value that cannot be read is found in the body."""
    error = refused.single_body()
    if isinstance(refused, WholeCallRefusedError):
        place = body.decode(errors="replace").find(refused.value) + len(refused.value)
        error["message"] = refused.message.replace(
            UNKNOWN_POSITION, f"[line:1, column:{max(place, 1)}]"
        )
    return error


def invalid_json(body: bytes, error: Exception) -> RefusedError:
    """Return the refusal of a body that is not JSON (recorded form)."""
    if not body.strip():
        message = "No content to map to Object due to end of input"
    else:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        text = body.decode(errors="replace").split("\n")[line - 1]
        letter = text[column - 1 : column] or " "
        message = (
            f"Unexpected character ('{letter}' (code {ord(letter)})): expected a valid value"
            f" (number, String, array, object, 'true', 'false' or 'null')"
            f" at [line:{line}, column:{column + 1}]"
        )
    return RefusedError("JSON_PARSER_ERROR", message, fields=None)


def wrong_shape(token: str) -> RefusedError:
    """Return the refusal of a body of another shape."""
    message = (
        f"Cannot deserialize instance of sobject from {token} or request may be missing"
        " a required field at [line:1, column:1]"
    )
    return RefusedError("JSON_PARSER_ERROR", message, fields=None)
