"""How the org says no: REST errors, OAuth errors, SOAP faults, and pages that are not JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404


class RefusedError(Exception):
    """A REST refusal: a code, a message, the fields at fault and the HTTP status.

    `fields` is None where the recorded answers carry no `fields` key.
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
        """Return the body of a single call: the key is `errorCode`."""
        body: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            body["fields"] = self.fields
        return body | self.extra

    def collection_item(self) -> dict[str, Any]:
        """Return one item of `errors` in a collection's result: the key is `statusCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


class WholeCallRefusedError(RefusedError):
    """A refusal that ends the whole call, even in a collection: the body cannot be read.

    `value` is the JSON text at fault; the answer says at which column of the body it stands.
    """

    value = ""


class OAuthRefusedError(Exception):
    """A refusal of the token endpoint: an object, never an array."""

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
    """An answer that is an HTML page where JSON was due (420, 503, a lightning host)."""

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


def resource_missing() -> RefusedError:
    """Return the 404 of a record or a resource that is not there (recorded answer)."""
    return RefusedError(
        "NOT_FOUND", "The requested resource does not exist", fields=None, status=NOT_FOUND
    )
