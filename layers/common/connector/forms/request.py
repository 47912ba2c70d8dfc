"""One request to the form endpoint, within its limits and not yet authenticated."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from connector.errors import ConnectorError

MAX_BODY_BYTES: Final = 64 * 1024
MAX_BASE64_CHARACTERS: Final = (MAX_BODY_BYTES + 2) // 3 * 4
"""Bytes. Standard Webhooks advises senders to stay under 20 KB; a form with long answers fits."""


class ContentType(StrEnum):
    """The content types that a body may have."""

    JSON = "application/json"
    FORM = "application/x-www-form-urlencoded"


class FormRefusedError(ConnectorError):
    """A form was refused; `status` is the HTTP status, the text names the field and the remedy.

    `retry_after` is in seconds: the same form may be sent again then (0: it must be changed).
    """

    def __init__(self, status: int, message: str, *, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request: its headers by name in lower case, its body as the raw bytes that were sent.

    `request_id` is API Gateway's; its access log contains it too.
    """

    media: ContentType
    headers: Mapping[str, str]
    body: bytes
    request_id: str = ""

    def header(self, name: str) -> str:
        """Return a header, '' if it is missing."""
        return self.headers.get(name, "")


def parse_request(event: Mapping[str, Any]) -> WebhookRequest:
    """Return the request of an API Gateway event (REST API, proxy integration).

    Raises `FormRefusedError`: 415 for the content type, 413 for the size, 400 for the encoding.
    """
    headers = {
        str(name).lower(): str(value).strip() for name, value in _members(event, "headers").items()
    }
    media = _media(headers.get("content-type", ""))
    text = event.get("body") or ""
    if not isinstance(text, str):
        raise FormRefusedError(400, "body: it is no text; send one JSON object")
    body = _raw(text, encoded=bool(event.get("isBase64Encoded")))
    return WebhookRequest(media, headers, body, request_id(event))


def request_id(event: Mapping[str, Any]) -> str:
    """Return API Gateway's id of a request, '' for an event without one."""
    return str(_members(event, "requestContext").get("requestId", ""))


def _members(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object of an event; an event of a direct invocation may hold anything there."""
    value = event.get(name)
    return value if isinstance(value, Mapping) else {}


def _media(content_type: str) -> ContentType:
    name, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [it.partition("=")[2].strip('" ') for it in parameters if it.startswith("charset")]
    if name not in set(ContentType) or any(charset != "utf-8" for charset in charsets):
        raise FormRefusedError(
            415, f"Content-Type: send {' or '.join(ContentType)}, in UTF-8 if it names a charset"
        )
    return ContentType(name)


def _raw(text: str, *, encoded: bool) -> bytes:
    """Return the bytes that were sent: API Gateway hands over text, or base64."""
    body = b""
    if fits := len(text) <= (MAX_BASE64_CHARACTERS if encoded else MAX_BODY_BYTES):
        body = _decoded(text) if encoded else _encoded(text)
    if not fits or len(body) > MAX_BODY_BYTES:
        raise FormRefusedError(
            413, f"body: {MAX_BODY_BYTES} bytes at most; the e-mail or the contact id is enough"
        )
    return body


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise FormRefusedError(400, "body: it is marked as base64 and is none") from error


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise FormRefusedError(400, NOT_UTF8) from error


NOT_UTF8: Final = "body: it is not UTF-8; send it in UTF-8"
