"""One login: three flows, one attempt, and the likely causes of a refusal in order.

simple-salesforce would choose SOAP as soon as it is given a security token (its api.py), has no
time-out, and turns every refusal into one error; hence our own request (reference: salesforce 1.6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import requests

from connector.errors import HaltError, RetryError, StopReason
from connector.http_session import ErrorAction, HttpSession, classify_error
from connector.model import SessionToken
from connector.salesforce.auth.hosts import checked_instance, login_host
from connector.salesforce.diagnosis import DiagnosedError, diagnose_login
from connector.secrets import Flow, SalesforceCredentials

TOKEN_PATH: Final = "/services/oauth2/token"  # noqa: S105  # a path
JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS: Final = 180
MAX_ASSERTION_SECONDS: Final = 300
"""Salesforce accepts assertions that expire within 5 minutes; 3 leaves room for skewed clocks."""
INVALID_ASSERTION: Final = ("invalid_grant", "invalid assertion")


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What a login gave: the session; the scopes, where the answer names them; and who we are.

    The password flow names no scopes. `org_id` and `user_id` are '' where the answer has no `id`.
    """

    session: SessionToken
    scopes: frozenset[str] | None
    org_id: str
    user_id: str


class LoginRefusedError(DiagnosedError):
    """Salesforce refused a login: never to be tried again with the same version of the secret."""

    def __init__(self, error: str, causes: tuple[str, ...], message: str) -> None:
        super().__init__(StopReason.LOGIN_REFUSED, message, causes)
        self.error = error


class LoginUnavailableError(RetryError):
    """No login was possible now; the next run may try, this one must not.

    Unlike other `RetryError`s it is not repeated on the spot: a login that was not answered may
    have been refused, and refusals add up to a locked user. `heard`: it was answered, so it was no
    refusal of the credentials.
    """

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message, reason=StopReason.LOGIN_UNAVAILABLE)
        self.answered = answered


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What a token endpoint answered instead of a session."""

    error: str
    description: str
    status: int


def log_in(
    wire: HttpSession,
    credentials: SalesforceCredentials,
    secret_version: str,
    clock: Callable[[], float],
    trusted_host: str = "",
) -> TokenResponse:
    """Log in once and return the session.

    An assertion that Salesforce's own clock puts outside of its time is signed again by that clock
    and sent once more: no password is tried twice. Raises `LoginRefusedError` with the likely
    causes in order, `LoginUnavailableError` when Salesforce could not be asked or has too much to do, and
    `HaltError` when the account URL or the private key cannot be used at all.
    """
    host = login_host(credentials.account_url, trusted_host)
    now = clock()
    answer = _ask(wire, credentials, host, now)
    if isinstance(answer, _Refusal) and _is_clock_skew(answer, credentials.flow, wire, now):
        answer = _ask(wire, credentials, host, _server_seconds(wire, now))
    if isinstance(answer, _Refusal):
        raise _error(answer, credentials.flow, host)
    instance = checked_instance(str(answer.get("instance_url")), trusted_host)
    scope = answer.get("scope")
    org_id, user_id = _identity(str(answer.get("id", "")))
    return TokenResponse(
        SessionToken(answer["access_token"], instance, secret_version),
        frozenset(scope.split()) if isinstance(scope, str) else None,
        org_id,
        user_id,
    )


def _ask(
    wire: HttpSession, credentials: SalesforceCredentials, host: str, now: float
) -> dict[str, Any] | _Refusal:
    form, basic = _form(credentials, host, now)
    try:
        answer = wire.request("POST", f"https://{host}{TOKEN_PATH}", data=form, auth=basic)
    except requests.RequestException as error:
        message = "Salesforce's login host does not answer"
        raise LoginUnavailableError(message, answered=False) from error
    body = _json(answer)
    if answer.ok and isinstance(body, dict) and isinstance(body.get("access_token"), str):
        return body
    match body:
        case {"error": error, **rest}:
            return _Refusal(str(error), str(rest.get("error_description", "")), answer.status_code)
        case [{"errorCode": error, **rest}, *_]:  # the shape of REST errors
            return _Refusal(str(error), str(rest.get("message", "")), answer.status_code)
        case _:
            return _Refusal(str(answer.status_code), "", answer.status_code)


def _error(refusal: _Refusal, flow: Flow, host: str) -> Exception:
    advice = diagnose_login(refusal.error, refusal.description, flow, host)
    if advice.is_temporary or classify_error(refusal.status, None) is ErrorAction.RETRY:
        return LoginUnavailableError(
            f"Salesforce takes no login now ({refusal.error}): {advice.numbered()}", answered=True
        )
    return LoginRefusedError(
        refusal.error,
        advice.causes,
        f"Salesforce refused the login ({refusal.error}). Most likely causes, in order: "
        f"{advice.numbered()}. No further login is tried until the secret has a new version (the "
        "same values put again count as one); nothing is lost.",
    )


def _is_clock_skew(refusal: _Refusal, flow: Flow, wire: HttpSession, now: float) -> bool:
    """Whether an assertion was refused because the two clocks differ too much."""
    said = (refusal.error, refusal.description.strip().lower())
    if flow is not Flow.JWT_BEARER or said != INVALID_ASSERTION:
        return False
    ends = now + ASSERTION_SECONDS
    far = _server_seconds(wire, now)
    return not far < ends <= far + MAX_ASSERTION_SECONDS


def _server_seconds(wire: HttpSession, now: float) -> float:
    """Return Salesforce's clock by its last answer, in seconds since 1970; ours without any."""
    far = wire.server_time()
    return now if far is None else far.timestamp()


def _form(
    credentials: SalesforceCredentials, host: str, now: float
) -> tuple[dict[str, str], tuple[str, str] | None]:
    secret = credentials.consumer_secret.get_secret_value()
    match credentials.flow:
        case Flow.CLIENT_CREDENTIALS:
            return {"grant_type": "client_credentials"}, (credentials.consumer_key, secret)
        case Flow.JWT_BEARER:
            return {
                "grant_type": JWT_GRANT,
                "assertion": _assertion(credentials, host, now),
            }, None
        case Flow.PASSWORD:
            token = credentials.security_token.get_secret_value()
            return {
                "grant_type": "password",
                "client_id": credentials.consumer_key,
                "client_secret": secret,
                "username": credentials.username,
                "password": credentials.password.get_secret_value() + token,
            }, None


def _assertion(credentials: SalesforceCredentials, host: str, now: float) -> str:
    claims = {
        "iss": credentials.consumer_key,
        "sub": credentials.username,
        "aud": f"https://{host}",
        "exp": int(now) + ASSERTION_SECONDS,
    }
    try:
        return jwt.encode(claims, credentials.private_key.get_secret_value(), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise HaltError(
            StopReason.SECRET,
            "the Salesforce secret's private_key is not an RSA key in PEM without a passphrase: "
            "put the key that belongs to the certificate of the app",
        ) from None


def _identity(url: str) -> tuple[str, str]:
    """Return the ids of org and user of an identity URL (`.../id/<org>/<user>`)."""
    match urlsplit(url).path.split("/"):
        case ["", "id", org_id, user_id]:
            return org_id, user_id
        case _:
            return "", ""


def _json(answer: requests.Response) -> Any:  # noqa: ANN401  # whatever was answered
    try:
        return answer.json()
    except ValueError:
        return None
