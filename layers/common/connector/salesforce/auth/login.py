"""Logins: three OAuth flows, one attempt, and the likely causes of a refusal in order.

The connector sends its own request because simple-salesforce uses SOAP when it has a security token
(`simple_salesforce/api.py`), has no time-out, and turns every refusal into the same error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import requests

from connector.errors import HaltError, RetryError, StopReason
from connector.http_session import ErrorAction, HttpSession, classify_status
from connector.model import SessionToken
from connector.salesforce.auth.hosts import checked_instance, login_host
from connector.salesforce.diagnosis import DiagnosedError, diagnose_login
from connector.secrets import Flow, SalesforceCredentials

TOKEN_PATH: Final = "/services/oauth2/token"  # noqa: S105  # a path
JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS: Final = 180
MAX_ASSERTION_SECONDS: Final = 300
"""Salesforce accepts assertions that expire within 5 minutes; 3 leave room for clock skew."""
INVALID_ASSERTION: Final = ("invalid_grant", "invalid assertion")


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The response to a login: the session, the scopes, and the ids of org and user.

    `scopes` is None where the response names none, as in the password flow. `org_id` and `user_id`
    are '' where the response has no `id`.
    """

    session: SessionToken
    scopes: frozenset[str] | None
    org_id: str
    user_id: str


class LoginRefusedError(DiagnosedError):
    """Salesforce refused a login; this version of the secret must not be used for another login."""

    def __init__(self, error: str, causes: tuple[str, ...], message: str) -> None:
        super().__init__(StopReason.LOGIN_REFUSED, message, causes)
        self.error = error


class LoginUnavailableError(RetryError):
    """A login is not possible now; the next run may try again, this run must not.

    Unlike other `RetryError`s, it is not repeated immediately: a login without a response may have
    been refused, and several refusals lock the user. `answered`: Salesforce responded, so it did
    not refuse the credentials.
    """

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message, reason=StopReason.LOGIN_UNAVAILABLE)
        self.answered = answered


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The response of a token endpoint without a session."""

    error: str
    description: str
    status: int


def log_in(
    http: HttpSession,
    credentials: SalesforceCredentials,
    secret_version: str,
    clock: Callable[[], float],
    trusted_host: str,
) -> TokenResponse:
    """Log in once and return the session.

    When an assertion is outside of its validity by Salesforce's clock, it is signed again with that
    clock and sent once more; no password is sent twice. Raises `LoginRefusedError` with the likely
    causes in order, `LoginUnavailableError` when Salesforce does not respond or is busy, and
    `HaltError` when the account URL or the private key is not usable.
    """
    host = login_host(credentials.account_url, trusted_host)
    now = clock()
    response = _request_token(http, credentials, host, now)
    if isinstance(response, _Refusal) and _is_clock_skew(response, credentials.flow, http, now):
        response = _request_token(http, credentials, host, _server_seconds(http, now))
    if isinstance(response, _Refusal):
        raise _error(response, credentials.flow, host)
    instance = checked_instance(str(response.get("instance_url")), trusted_host)
    scope = response.get("scope")
    org_id, user_id = _identity(str(response.get("id", "")))
    return TokenResponse(
        SessionToken(response["access_token"], instance, secret_version),
        frozenset(scope.split()) if isinstance(scope, str) else None,
        org_id,
        user_id,
    )


def _request_token(
    http: HttpSession, credentials: SalesforceCredentials, host: str, now: float
) -> dict[str, Any] | _Refusal:
    form, basic = _form(credentials, host, now)
    try:
        response = http.request("POST", f"https://{host}{TOKEN_PATH}", data=form, auth=basic)
    except requests.RequestException as error:
        message = "Salesforce's login host does not respond"
        raise LoginUnavailableError(message, answered=False) from error
    body = _json(response)
    if response.ok and isinstance(body, dict) and isinstance(body.get("access_token"), str):
        return body
    match body:
        case {"error": error, **rest}:
            description = str(rest.get("error_description", ""))
            return _Refusal(str(error), description, response.status_code)
        case [{"errorCode": error, **rest}, *_]:  # the shape of REST errors
            return _Refusal(str(error), str(rest.get("message", "")), response.status_code)
        case _:
            return _Refusal(str(response.status_code), "", response.status_code)


def _error(refusal: _Refusal, flow: Flow, host: str) -> Exception:
    diagnosis = diagnose_login(refusal.error, refusal.description, flow, host)
    if ErrorAction.RETRY in (diagnosis.action, classify_status(refusal.status)):
        message = (
            f"Salesforce accepts no login now ({refusal.error}): {diagnosis.numbered_causes()}"
        )
        return LoginUnavailableError(message, answered=True)
    return LoginRefusedError(
        refusal.error,
        diagnosis.causes,
        f"Salesforce refused the login ({refusal.error}). Most likely causes, in order: "
        f"{diagnosis.numbered_causes()}. The connector logs in again when the secret has a new "
        "version (the same values put again are a new version). Nothing is lost.",
    )


def _is_clock_skew(refusal: _Refusal, flow: Flow, http: HttpSession, now: float) -> bool:
    """Whether an assertion was refused because the two clocks differ too much."""
    error = (refusal.error, refusal.description.strip().lower())
    if flow is not Flow.JWT_BEARER or error != INVALID_ASSERTION:
        return False
    expires = now + ASSERTION_SECONDS
    server_now = _server_seconds(http, now)
    return not server_now < expires <= server_now + MAX_ASSERTION_SECONDS


def _server_seconds(http: HttpSession, now: float) -> float:
    """Return Salesforce's clock by its last response, in seconds since 1970; else `now`."""
    server_time = http.server_time()
    return now if server_time is None else server_time.timestamp()


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
            "put the key of the app's certificate in the secret",
        ) from None


def _identity(url: str) -> tuple[str, str]:
    """Return the ids of org and user of an identity URL (`.../id/<org>/<user>`)."""
    match urlsplit(url).path.split("/"):
        case ["", "id", org_id, user_id]:
            return org_id, user_id
        case _:
            return "", ""


def _json(response: requests.Response) -> Any:  # noqa: ANN401  # any JSON
    try:
        return response.json()
    except ValueError:
        return None
