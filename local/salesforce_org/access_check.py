"""Access checks of the REST API, in this order: version, session, edition, user, quota."""

from __future__ import annotations

import re

from werkzeug.wrappers import Request

from local.salesforce_org.errors import (
    FORBIDDEN,
    UNAUTHORIZED,
    HtmlPageError,
    RefusedError,
    not_found,
)
from local.salesforce_org.fault_kinds import invalid_session, limit_exceeded
from local.salesforce_org.resources import NEWEST_VERSION, OLDEST_VERSION
from local.salesforce_org.security import OrgUser
from local.salesforce_org.state import OrgState

FIRST_VERSION = 7
GONE = 410
MAINTENANCE = 503
VERSION = re.compile(r"(\d{1,2})\.0")


def check_access(state: OrgState, request: Request, version: str) -> OrgUser:
    """Return the user of the call, or refuse the call."""
    if state.switches.org_status == "maintenance":
        raise HtmlPageError(MAINTENANCE, "We are down for maintenance.")
    check_version(version)
    user = _session_user(state, request)
    if not state.switches.api_is_on:
        message = "The REST API is not enabled for this Organization."
        raise RefusedError("API_DISABLED_FOR_ORG", message, fields=None, status=FORBIDDEN)
    if not user.api_enabled:
        message = "API is disabled for this User"
        raise RefusedError("API_CURRENTLY_DISABLED", message, fields=None, status=FORBIDDEN)
    if state.quota.used(state.now()) >= state.quota.maximum:
        raise limit_exceeded("TotalRequests")
    return user


def check_version(version: str) -> None:
    """Refuse a retired version (410) or an unknown version (404)."""
    match = VERSION.fullmatch(version)
    number = int(match[1]) if match else 0
    if FIRST_VERSION <= number < OLDEST_VERSION:
        message = f"API version v{version} is no longer supported"
        raise RefusedError("UNSUPPORTED_API_VERSION", message, fields=None, status=GONE)
    if not OLDEST_VERSION <= number <= NEWEST_VERSION:
        raise not_found()


def _session_user(state: OrgState, request: Request) -> OrgUser:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in {"bearer", "oauth"} or not token:
        raise RefusedError(
            "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", fields=None, status=UNAUTHORIZED
        )
    if not state.switches.session_opens_rest:
        message = "This session is not valid for use with the REST API"
        raise RefusedError("INVALID_SESSION_ID", message, fields=None, status=UNAUTHORIZED)
    idle = state.switches.session_timeout_seconds
    session = state.sessions.use(token.strip(), state.now(), idle)
    user = state.user_of_id(session.user_id) if session else None
    if user is None or not user.is_active:
        raise invalid_session()
    return user
