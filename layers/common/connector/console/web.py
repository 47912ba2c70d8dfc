"""A request and a response of the console, without what API Gateway adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` begins with a slash, and is the part below the console's address.

    `languages` is the header Accept-Language.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    languages: str = ""

    def value(self, name: str) -> str:
        """Return the first value of a field of the form; '' if there is none."""
        return self.values(name)[0] if self.values(name) else ""

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a field of the form."""
        return self.form.get(name, ())


@dataclass(frozen=True, slots=True)
class Response:
    """One response; `cookies` are complete values of Set-Cookie."""

    status: HTTPStatus
    body: str = ""
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


def redirect(location: str, *cookies: str) -> Response:
    """Return the answer that makes a browser open another page with GET."""
    return Response(HTTPStatus.SEE_OTHER, headers={"Location": location}, cookies=cookies)


def cookie(name: str, value: str, path: str, seconds: int) -> str:
    """Return the value of Set-Cookie; 0 seconds delete the cookie.

    A script cannot read the cookie (HttpOnly), it is only sent over TLS (Secure), and another
    site's form does not send it. A link of another site does, so that links in e-mails work (Lax).
    """
    return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; Secure; SameSite=Lax"
