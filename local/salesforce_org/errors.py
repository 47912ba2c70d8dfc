"""Errors of the org: REST errors, OAuth errors, SOAP faults, and HTML pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404


class RefusedError(Exception):
    """A REST error: a code, a message, the wrong fields and the HTTP status.

    `fields` is None where the recorded responses have no `fields` key.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        fields: Sequence[str] | None = (),
        status: int = BAD_REQUEST,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)
        self.status = status
        self.extra = dict(extra or {})

    def single_body(self) -> dict[str, Any]:
        """Return the error object of a single call; the code has the key `errorCode`."""
        body: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            body["fields"] = self.fields
        return body | self.extra

    def collection_item(self) -> dict[str, Any]:
        """Return the error object of a collection's result; the code has the key `statusCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


class WholeCallRefusedError(RefusedError):
    """An error that refuses the whole call, even in a collection: the body cannot be parsed.

    `value` is the wrong JSON text; the error message contains its column in the body.
    """

    value = ""


class OAuthRefusedError(Exception):
    """An error of the token endpoint: an object, never an array."""

    def __init__(self, error: str, description: str, status: int = BAD_REQUEST) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


class SoapFaultError(Exception):
    """A SOAP fault of login()."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class HtmlPageError(Exception):
    """An HTML page in place of JSON (status 420 or 503, or a lightning host)."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(f"HTTP {status}: {title}")
        self.status = status
        self.title = title

    def html(self) -> str:
        """Return the page."""
        return (
            f"<!DOCTYPE html>\n<html><head><title>{self.title}</title></head>"
            f"<body><h1>{self.title}</h1></body></html>\n"
        )


def not_found() -> RefusedError:
    """Return the 404 error of a missing record or resource (recorded response)."""
    return RefusedError(
        "NOT_FOUND", "The requested resource does not exist", fields=None, status=NOT_FOUND
    )
