"""A request of a browser as API Gateway passes it on (payload 1.0), and the response it takes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs

from connector.console.web import Request, Response

MAX_BODY_CHARACTERS: Final = 200_000
"""A form with the ids of 200 people, of at most 362 characters each, twice over."""
MAX_FIELDS: Final = 1_000
MAX_COOKIE_CHARACTERS: Final = 16_384
METHODS: Final = ("GET", "POST")


class InvalidEventError(ValueError):
    """The request cannot be read; the text names the part, and not its value."""


def parse_event(event: Mapping[str, Any]) -> Request:
    """Return the request of an event. Raises `InvalidEventError`."""
    method = str(event.get("httpMethod"))
    if method not in METHODS:
        raise InvalidEventError("method: send GET or POST")
    headers = {name.lower(): value for name, value in _texts(event, "headers").items()}
    rest = _texts(event, "pathParameters").get("proxy", "")
    return Request(
        method,
        f"/{rest}",
        _texts(event, "queryStringParameters"),
        _form(event) if method == "POST" else {},
        _cookies(headers.get("cookie", "")),
        headers.get("accept-language", ""),
    )


def _texts(event: Mapping[str, Any], member: str) -> dict[str, str]:
    """Return a member of an event by its names; empty if it is missing, as API Gateway sends it."""
    found = event.get(member)
    if not isinstance(found, Mapping):
        return {}
    return {str(name): str(value) for name, value in found.items() if value is not None}


def _form(event: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    body = event.get("body") or ""
    if not isinstance(body, str) or len(body) > MAX_BODY_CHARACTERS:
        raise InvalidEventError("body: the form is too long")
    try:
        text = base64.b64decode(body).decode() if event.get("isBase64Encoded") else body
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except (binascii.Error, ValueError) as error:
        raise InvalidEventError("body: it is not a form") from error
    return {name: tuple(values) for name, values in fields.items()}


def _cookies(header: str) -> dict[str, str]:
    """Return the cookies of a browser; none if the header is not one."""
    if len(header) > MAX_COOKIE_CHARACTERS:
        return {}
    found: SimpleCookie = SimpleCookie()
    try:
        found.load(header)
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in found.items()}


def to_gateway(response: Response) -> dict[str, Any]:
    """Return a response as API Gateway takes it."""
    headers = {**response.headers, "Content-Type": response.content_type}
    return {
        "statusCode": response.status.value,
        "headers": headers,
        "multiValueHeaders": {"Set-Cookie": list(response.cookies)} if response.cookies else {},
        "isBase64Encoded": False,
        "body": response.body,
    }
