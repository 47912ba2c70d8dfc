"""The OAuth endpoints: token (password, client credentials, JWT bearer) and identity."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography import x509

from local.salesforce_org import login
from local.salesforce_org.errors import FORBIDDEN, HtmlPageError, OAuthRefusedError
from local.salesforce_org.login import LoginStatus
from local.salesforce_org.security import OrgUser
from local.salesforce_org.sessions import LETTERS, Session
from local.salesforce_org.state import OrgState

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GENERIC_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
MAINTENANCE = 503
REFRESH_TOKEN_LENGTH = 80


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """The connected app."""

    consumer_key: str
    consumer_secret: str


def grant(
    state: OrgState, app: ConnectedApp, form: dict[str, str], host: str, instance_url: str
) -> dict[str, Any]:
    """Return the token response of a new session.

    Raises:
        OAuthRefusedError: when the request is refused.
        HtmlPageError: during maintenance.
    """
    _check_org(state)
    match form.get("grant_type"):
        case "password":
            user = _by_password(state, app, form, host)
        case "client_credentials":
            user = _by_client_credentials(state, app, form, host)
        case str(kind) if kind == JWT_BEARER:
            user = _by_assertion(state, app, form, host, instance_url)
        case "refresh_token":
            user = _by_refresh_token(state, app, form)
        case _:
            raise _flow_disabled()
    _check_user(state, user)
    login.add_history_row(state, user, "Remote Access 2.0", LoginStatus.SUCCESS)
    session = state.sessions.open(state.org_id, user.id, state.now(), "oauth")
    session.refresh_token = form.get("refresh_token", "")
    response = token_response(state, app, session, instance_url)
    if form["grant_type"] != "password" and state.switches.answered_scopes is not None:
        response["scope"] = state.switches.answered_scopes
    return response


def approve(state: OrgState, user: OrgUser) -> str:
    """Return a new refresh token: the user approves the app in the browser.

    The authorization page and its code are not simulated, only their result.
    """
    token = "5Aep861" + "".join(state.rng.choices(LETTERS, k=REFRESH_TOKEN_LENGTH))
    state.refresh_tokens[token] = user.id
    return token


def revoke(state: OrgState, token: str) -> None:
    """End a session, or a refresh token with all its sessions.

    Documentation: Salesforce Help, "Revoke OAuth Tokens".

    Raises:
        OAuthRefusedError: when the token is neither.
    """
    if state.refresh_tokens.pop(token, None) is not None:
        state.sessions.kill_of_refresh_token(token)
    elif not state.sessions.kill(token):
        raise OAuthRefusedError("unsupported_token_type", "this token type is not supported")


def token_response(
    state: OrgState, app: ConnectedApp, session: Session, instance_url: str
) -> dict[str, Any]:
    """Return the six keys of a token response: no `expires_in`, `issued_at` is a string.

    `signature` is the Base64 form of the HMAC-SHA256 of `id` and `issued_at`, with the consumer
    secret as key (documentation: Salesforce Help, "OAuth 2.0 Token Response"; asserted by the live
    tests of a client).
    """
    identity = f"https://login.salesforce.com/id/{state.org_id}/{session.user_id}"
    issued = str(int(session.last_used.timestamp() * 1000))
    key = app.consumer_secret.encode()
    digest = hmac.new(key, (identity + issued).encode(), hashlib.sha256).digest()
    return {
        "access_token": session.token,
        "instance_url": instance_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued,
        "signature": base64.b64encode(digest).decode(),
    }


def identity(state: OrgState, user: OrgUser, instance_url: str) -> dict[str, Any]:
    """Return the response of `/services/oauth2/userinfo` and `/id/{org}/{user}`."""
    return {
        "sub": f"https://login.salesforce.com/id/{state.org_id}/{user.id}",
        "user_id": user.id,
        "organization_id": state.org_id,
        "preferred_username": user.username,
        "username": user.username,
        "nickname": user.username.partition("@")[0],
        "name": user.full_name,
        "display_name": user.full_name,
        "email": user.username,
        "email_verified": True,
        "given_name": user.first_name,
        "family_name": user.last_name,
        "active": user.is_active,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "urls": {"rest": f"{instance_url}/services/data/v{{version}}/"},
    }


def _by_password(state: OrgState, app: ConnectedApp, form: dict[str, str], host: str) -> OrgUser:
    _check_client(state, app, form, secret=True)
    switches = state.switches
    if switches.external_client_app or not switches.password_flow_in_app:
        raise _flow_disabled()
    if switches.password_flow_retired:  # text not proved
        raise _flow_disabled()
    user = state.user(form.get("username", ""))
    if switches.block_oauth_password_flow:
        raise _refused_login(state, user, LoginStatus.FLOW_BLOCKED)
    if switches.login_host_forbidden and host in GENERIC_HOSTS:
        raise _refused_login(state, user, LoginStatus.HOST_FORBIDDEN)
    status = login.check_password(state, user, form.get("password", ""))
    if status is LoginStatus.INACTIVE:
        login.add_history_row(state, user, "Remote Access 2.0", status)
        raise OAuthRefusedError("inactive_user", "user is inactive")
    if user is None or status is not LoginStatus.SUCCESS:
        raise _refused_login(state, user, status)
    return user


def _by_client_credentials(
    state: OrgState, app: ConnectedApp, form: dict[str, str], host: str
) -> OrgUser:
    if host in GENERIC_HOSTS:
        raise OAuthRefusedError("invalid_client_id", "client identifier invalid")
    _check_client(state, app, form, secret=True)
    if not state.switches.client_credentials_in_app:
        raise _flow_disabled()
    user = state.user(state.switches.client_credentials_user or "")
    if user is None:
        raise OAuthRefusedError("invalid_grant", "no client credentials user enabled")
    return user


def _by_refresh_token(state: OrgState, app: ConnectedApp, form: dict[str, str]) -> OrgUser:
    """Return the user who approved the app; a token can be used again and again.

    The app requires the secret, as a new one does (Salesforce Help, "OAuth 2.0 Refresh Token
    Flow"); it does not rotate its refresh tokens. The refusal of an unknown token is recorded.
    """
    _check_client(state, app, form, secret=True)
    user = state.user_of_id(state.refresh_tokens.get(form.get("refresh_token", ""), ""))
    if user is None:
        raise OAuthRefusedError("invalid_grant", "expired access/refresh token")
    return user


def _by_assertion(
    state: OrgState, app: ConnectedApp, form: dict[str, str], host: str, instance_url: str
) -> OrgUser:
    if not state.switches.jwt_flow_in_app:
        raise _flow_disabled()
    claims = _claims(state, form.get("assertion", ""))
    if claims.get("iss") != app.consumer_key:
        raise OAuthRefusedError("invalid_client_id", "client identifier invalid")
    audiences = {f"https://{name}" for name in (*GENERIC_HOSTS, host)} | {instance_url}
    if str(claims.get("aud", "")).rstrip("/") not in audiences:
        raise OAuthRefusedError("invalid_grant", "audience is invalid")
    # The documentation asks for an `exp` within five minutes; real orgs accept later ones, however
    # late: `@salesforce/core` sends milliseconds, which are a year far in the future.
    try:
        expires = int(claims.get("exp", 0))
    except (TypeError, ValueError, OverflowError):
        raise OAuthRefusedError("invalid_grant", "invalid assertion") from None
    if expires <= state.now().timestamp():
        raise OAuthRefusedError("invalid_grant", "invalid assertion")
    user = state.user(str(claims.get("sub", "")))
    if user is None or not user.approved:
        login.add_history_row(state, user, "Remote Access 2.0", LoginStatus.NOT_APPROVED)
        raise OAuthRefusedError("invalid_grant", "user hasn't approved this consumer")
    return user


def _claims(state: OrgState, assertion: str) -> dict[str, Any]:
    for pem in state.jwt_certificates:
        key: Any = x509.load_pem_x509_certificate(pem.encode()).public_key()
        try:
            return jwt.decode(
                assertion,
                key,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_aud": False},
            )
        except jwt.PyJWTError:
            continue
    raise OAuthRefusedError("invalid_grant", "invalid assertion")


def _check_org(state: OrgState) -> None:
    if state.switches.org_status == "maintenance":
        raise HtmlPageError(MAINTENANCE, "We are down for maintenance.")
    if state.switches.org_status != "active":
        raise OAuthRefusedError("inactive_org", "organization is inactive")


def _check_client(
    state: OrgState, app: ConnectedApp, form: dict[str, str], *, secret: bool
) -> None:
    if form.get("client_id") != app.consumer_key:
        raise OAuthRefusedError("invalid_client_id", "client identifier invalid")
    if not state.switches.app_installed:
        message = "External client app is not installed in this org"
        raise OAuthRefusedError("app_not_found", message)
    if secret and form.get("client_secret") != app.consumer_secret:
        raise OAuthRefusedError("invalid_client", "invalid client credentials")


def _check_user(state: OrgState, user: OrgUser) -> None:
    if not user.is_active:
        login.add_history_row(state, user, "Remote Access 2.0", LoginStatus.INACTIVE)
        raise OAuthRefusedError("inactive_user", "user is inactive")
    if user.ip_restricted:
        login.add_history_row(state, user, "Remote Access 2.0", LoginStatus.IP_RESTRICTED)
        raise OAuthRefusedError("invalid_grant", "ip restricted")
    if not user.admin_approved:
        login.add_history_row(state, user, "Remote Access 2.0", LoginStatus.NOT_APPROVED)
        message = "user is not admin approved to access this app"
        raise OAuthRefusedError("invalid_app_access", message)
    if login.exceeds_login_rate(state, user):
        login.add_history_row(state, user, "Remote Access 2.0", LoginStatus.TOO_MANY)
        raise OAuthRefusedError("LOGIN_RATE_EXCEEDED", "Login Rate Exceeded", FORBIDDEN)


def _refused_login(state: OrgState, user: OrgUser | None, status: LoginStatus) -> OAuthRefusedError:
    """Record the real reason, and return the error that all reasons share."""
    login.add_history_row(state, user, "Remote Access 2.0", status)
    return OAuthRefusedError("invalid_grant", "authentication failure")


def _flow_disabled() -> OAuthRefusedError:
    return OAuthRefusedError("unsupported_grant_type", "grant type not supported")
