"""The response of a token endpoint: a session, a refusal, or neither.

Only an OAuth error says anything about credentials (RFC 6749, 5.2, "Error Response"), and only some
of them refuse these (`error_table`). Everything else (an error of the server or one that the table
does not list, a page of a proxy or of maintenance, a redirect, half a body) only says that no login
is possible now. Every function here returns for every status and body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlsplit

from connector.http_session import OK_STATUSES, ErrorAction, classify_status
from connector.salesforce.diagnosis import (
    BUSY_LOGIN_ERRORS,
    REFUSED_LOGIN_ERRORS,
    is_busy_login,
)

OAUTH_STATUSES: Final = frozenset({400, 401})
"""Statuses of an OAuth error (RFC 6749, 5.2)."""
OAUTH_ERROR: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}", re.ASCII)
"""The error codes of Salesforce and of OAuth's extensions. The standard also allows spaces, which
stand in the texts of gateways ("Bad Request") and in no code."""
ACCESS_TOKEN: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)
"""A bearer token is sent in a header: visible characters of ASCII (RFC 6750, 2.1)."""
MAX_DESCRIPTION: Final = 200
"""Characters of a description that are kept; Salesforce's longest has about 60."""
MIN_HIDDEN: Final = 3
"""Shorter submitted values are not looked for: any text contains them."""
HIDDEN: Final = "[...]"


@dataclass(frozen=True, slots=True)
class Granted:
    """A session. `scopes` is None where the response names none; the ids are '' without an `id`."""

    access_token: str
    instance_url: str
    scopes: frozenset[str] | None
    org_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An OAuth error that refuses the credentials.

    `error` is its code, `description` Salesforce's text ('' for none).
    """

    error: str
    description: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A response without a session that does not refuse the credentials.

    `code` is an error code, or the HTTP status of a response without one; `description` is the text
    of an OAuth error ('' for none). `is_from_salesforce`: the response shows that Salesforce
    received the login and did not refuse it; otherwise it may be the page of a proxy, what is left
    of a refusal, or an error that the connector does not know. `is_oauth_error`: it has an OAuth
    error.
    """

    code: str
    is_from_salesforce: bool
    description: str = ""
    is_oauth_error: bool = False


def read_token_response(status: int, content: bytes) -> Granted | Refused | Unavailable:
    """Return what a response of the token endpoint says."""
    body = _json(content)
    match body:
        case {"access_token": str(token), "instance_url": str(instance)} if (
            status in OK_STATUSES and ACCESS_TOKEN.fullmatch(token)
        ):
            return _granted(body, token, instance)
        case {"error": str(error), **rest} if _is_oauth_error(status, error):
            return _oauth_error(status, error, _text(rest.get("error_description")))
        case [{"errorCode": str(code)}, *_] if OAUTH_ERROR.fullmatch(code):  # as REST errors
            return Unavailable(code, is_from_salesforce=code in BUSY_LOGIN_ERRORS)
        case _:
            code = str(status)
            return Unavailable(code, is_from_salesforce=code in BUSY_LOGIN_ERRORS)


def clean_description(description: str, submitted: Iterable[str]) -> str:
    """Return a description for messages: printable, bounded, without any submitted value."""
    text = "".join(each if each.isprintable() else " " for each in description)
    for value in sorted(submitted, key=len, reverse=True):
        for form in (value, quote(value, safe=""), quote_plus(value)):
            if len(form) >= MIN_HIDDEN:
                text = re.sub(re.escape(form), HIDDEN, text, flags=re.IGNORECASE)
    text = " ".join(text.split())
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 3]}..."


def _is_oauth_error(status: int, error: str) -> bool:
    if OAUTH_ERROR.fullmatch(error) is None:
        return False
    return error in REFUSED_LOGIN_ERRORS | BUSY_LOGIN_ERRORS or status in OAUTH_STATUSES


def _oauth_error(status: int, error: str, description: str) -> Refused | Unavailable:
    is_busy = classify_status(status) is ErrorAction.RETRY or is_busy_login(error, description)
    if error in REFUSED_LOGIN_ERRORS and not is_busy:
        return Refused(error, description)
    return Unavailable(error, is_busy, description, is_oauth_error=True)


def _granted(body: dict[str, Any], token: str, instance: str) -> Granted:
    scope = body.get("scope")
    scopes = frozenset(scope.split()) if isinstance(scope, str) else None
    return Granted(token, instance, scopes, *_identity(_text(body.get("id"))))


def _identity(url: str) -> tuple[str, str]:
    """Return the ids of org and user of an identity URL (`.../id/<org>/<user>`)."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return "", ""
    match path.split("/"):
        case ["", "id", org_id, user_id] if org_id.isalnum() and org_id.isascii():
            return org_id, user_id
        case _:
            return "", ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _json(content: bytes) -> Any:  # noqa: ANN401  # any JSON
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
