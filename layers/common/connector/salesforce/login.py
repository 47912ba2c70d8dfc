"""One login: three flows, one attempt, and the likely causes of a refusal in order.

simple-salesforce would choose SOAP as soon as it is given a security token (its api.py), has no
time-out, and turns every refusal into one error; hence our own request (reference: salesforce 1.6).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import jwt
import requests

from connector.credentials import Flow, SalesforceCredentials
from connector.errors import HaltError, RetryError
from connector.model import Token
from connector.salesforce.hosts import checked_instance, login_host
from connector.transport import Next, Wire, verdict

TOKEN_PATH: Final = "/services/oauth2/token"  # noqa: S105  # a path
JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS: Final = 180
"""Salesforce accepts assertions that expire within 5 minutes; 3 leaves room for skewed clocks."""

CAUSES: Final = {
    "invalid_grant": (
        (
            "the password was reset or has expired (every 3 months by default), which also kills "
            "the security token: put the new password and token in the secret"
        ),
        (
            "the org blocks the username-password flow: Setup > OAuth and OpenID Connect Settings "
            "> Allow OAuth Username-Password Flows, or better, use client credentials or a "
            "certificate"
        ),
        "the user is locked after too many failed logins: wait 15 minutes or unlock it",
        "the user's profile restricts the addresses it may log in from",
    ),
    "invalid_client_id": ("the consumer key is wrong, or the app lives in another org",),
    "invalid_client": ("the consumer secret is wrong",),
    "unsupported_grant_type": ("the app does not allow this login flow: switch it on in the app",),
    "invalid_app_access": ("an administrator must approve the user for the connected app",),
    "app_not_found": ("the external client app is not installed in this org",),
    "inactive_user": ("the integration user is inactive",),
    "inactive_org": ("the org is locked, closed or suspended",),
}


def log_in(
    wire: Wire,
    credentials: SalesforceCredentials,
    secret_version: str,
    clock: Callable[[], float],
    trusted_host: str = "",
) -> Token:
    """Log in once and return the session.

    Raises `HaltError("login_refused")` with the likely causes in order when Salesforce refuses
    (never to be tried again with the same secret: five refusals lock the user out), `RetryError`
    when it could not be asked.
    """
    host = login_host(credentials.account_url, trusted_host)
    form, basic = _form(credentials, host, clock)
    try:
        answer = wire.request("POST", f"https://{host}{TOKEN_PATH}", data=form, auth=basic)
    except requests.RequestException as error:
        raise RetryError("Salesforce's login host does not answer") from error
    body = _json_object(answer)
    if answer.ok and isinstance(body.get("access_token"), str):
        instance = checked_instance(str(body.get("instance_url")), trusted_host)
        return Token(body["access_token"], instance, secret_version)
    if "error" not in body and verdict(answer.status_code, None) is Next.RETRY:
        raise RetryError("Salesforce's login host is not available")
    code = str(body.get("error", answer.status_code))
    raise HaltError("login_refused", refusal(code))


def refusal(code: str) -> str:
    """Return what to tell people about a refused login: the code, then the causes in order."""
    causes = CAUSES.get(code, ("Salesforce gave no known reason: see the user's Login History",))
    numbered = "; ".join(f"{number}. {cause}" for number, cause in enumerate(causes, 1))
    return (
        f"Salesforce refused the login ({code}). Most likely causes, in order: {numbered}. "
        "No further login is tried until the secret has a new version; nothing is lost."
    )


def _form(
    credentials: SalesforceCredentials, host: str, clock: Callable[[], float]
) -> tuple[dict[str, str], tuple[str, str] | None]:
    secret = credentials.consumer_secret.get_secret_value()
    match credentials.flow:
        case Flow.CLIENT_CREDENTIALS:
            return {"grant_type": "client_credentials"}, (credentials.consumer_key, secret)
        case Flow.JWT_BEARER:
            return {
                "grant_type": JWT_GRANT,
                "assertion": _assertion(credentials, host, clock),
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


def _assertion(credentials: SalesforceCredentials, host: str, clock: Callable[[], float]) -> str:
    claims = {
        "iss": credentials.consumer_key,
        "sub": credentials.username,
        "aud": f"https://{host}",
        "exp": int(clock()) + ASSERTION_SECONDS,
    }
    return jwt.encode(claims, credentials.private_key.get_secret_value(), algorithm="RS256")


def _json_object(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
