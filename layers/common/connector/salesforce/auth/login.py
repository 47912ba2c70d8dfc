"""Logins: three OAuth flows, one attempt, and the likely causes of a refusal in order.

The connector sends its own request because simple-salesforce uses SOAP when it has a security token
(`simple_salesforce/api.py`), has no time-out, and turns every refusal into the same error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import jwt
import requests

from connector.errors import HaltError, RetryError, StopReason
from connector.http_session import ErrorAction, HttpSession
from connector.model import SessionToken
from connector.salesforce.auth.hosts import checked_instance, login_host
from connector.salesforce.auth.token_response import (
    Granted,
    Refused,
    Unavailable,
    clean_description,
    read_token_response,
)
from connector.salesforce.diagnosis import DiagnosedError, diagnose_login
from connector.salesforce.error_table import BUSY_LOGIN
from connector.secrets import Flow, SalesforceCredentials, SecretText

TOKEN_PATH: Final = "/services/oauth2/token"  # noqa: S105  # a path
JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS: Final = 180
MAX_ASSERTION_SECONDS: Final = 300
"""Salesforce accepts assertions that expire within 5 minutes; 3 leave room for clock skew."""
SUBMITTED: Final = (
    "username", "password", "security_token", "consumer_key", "consumer_secret", "private_key",
)  # fmt: skip
"""The values of a secret that no message repeats, although a response might contain them."""
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
    been refused, and several refusals lock the user. `answered`: Salesforce responded and did not
    refuse the credentials; a page of a proxy, or half a body, is no such response.
    """

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message, reason=StopReason.LOGIN_UNAVAILABLE)
        self.answered = answered


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
    causes in order for an OAuth error that refuses the credentials, `LoginUnavailableError` for any
    other response and for none, and `HaltError` when the account URL or the private key is not
    usable, or when the session is for a host that is not Salesforce's.
    """
    host = login_host(credentials.account_url, trusted_host)
    now = clock()
    response = _request_token(http, credentials, host, now)
    if isinstance(response, Refused) and _is_clock_skew(response, credentials.flow, http, now):
        response = _request_token(http, credentials, host, _server_seconds(http, now))
    match response:
        case Granted():
            instance = checked_instance(response.instance_url, trusted_host)
            session = SessionToken(response.access_token, instance, secret_version, response.org_id)
            return TokenResponse(session, response.scopes, response.org_id, response.user_id)
        case Refused():
            raise _refusal(response, credentials, host)
        case Unavailable():
            raise _unavailable(response, credentials)


def _request_token(
    http: HttpSession, credentials: SalesforceCredentials, host: str, now: float
) -> Granted | Refused | Unavailable:
    form, basic = _form(credentials, host, now)
    try:
        response = http.request("POST", f"https://{host}{TOKEN_PATH}", data=form, auth=basic)
    except requests.RequestException as error:
        message = "Salesforce's login host does not respond"
        raise LoginUnavailableError(message, answered=False) from error
    return read_token_response(response.status_code, response.content)


def _refusal(refusal: Refused, credentials: SalesforceCredentials, host: str) -> LoginRefusedError:
    diagnosis = diagnose_login(refusal.error, refusal.description, credentials.flow, host)
    reason = _reason(refusal.error, refusal.description, credentials)
    return LoginRefusedError(
        refusal.error,
        diagnosis.causes,
        f"Salesforce refused the login ({reason}). Most likely causes, in order: "
        f"{diagnosis.numbered_causes()}. The connector logs in again when the secret has a new "
        "version (the same values put again are a new version). Nothing is lost.",
    )


def _reason(code: str, description: str, credentials: SalesforceCredentials) -> str:
    """Return an error's code with Salesforce's description, without any submitted value."""
    submitted = (getattr(credentials, name) for name in SUBMITTED)
    text = clean_description(
        description,
        (it.get_secret_value() if isinstance(it, SecretText) else it for it in submitted),
    )
    return f"{code}: {text}" if text else code


def _unavailable(
    response: Unavailable, credentials: SalesforceCredentials
) -> LoginUnavailableError:
    if response.is_from_salesforce or response.is_oauth_error:
        row = diagnose_login(response.code, response.description, credentials.flow, "")
        # A status of the server makes any error one that is not about the credentials.
        advice = row if row.action is ErrorAction.RETRY else BUSY_LOGIN
        reason = _reason(response.code, response.description, credentials)
        message = f"Salesforce accepts no login now ({reason}): {advice.numbered_causes()}"
        return LoginUnavailableError(message, answered=response.is_from_salesforce)
    return LoginUnavailableError(
        f"the login host answered {response.code} without a login or a refusal, as a proxy, a "
        "firewall or maintenance does: a later run tries again; if this continues, find what "
        "answers in place of Salesforce",
        answered=False,
    )


def _is_clock_skew(refusal: Refused, flow: Flow, http: HttpSession, now: float) -> bool:
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
