"""The connection check of Salesforce: whether a run can work with this org, how long, and why not.

It always logs in, because a shared session does not prove the credentials; but it does not use a
version of the secret that was refused before. It makes two calls and those of
`precondition_check`, and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from connector.connection_report import ConnectionReport, Finding, Grade
from connector.errors import ConnectorError, HaltError, RejectedError, RetryError, StopReason
from connector.mapping import MappingConfig
from connector.salesforce.auth.login import LoginRefusedError, TokenResponse
from connector.salesforce.auth.password import days_left, password_changed_at
from connector.salesforce.connection import Connection
from connector.salesforce.diagnosis import DiagnosedError, error_class
from connector.salesforce.error_table import PASSWORD_FLOW_ENDS, ErrorClass
from connector.salesforce.precondition_check import check_preconditions
from connector.secret_version import SecretProvider
from connector.secrets import Flow, SalesforceCredentials

CLIENT_CREDENTIALS: Final = (
    "use client_credentials: in the app switch on the client credentials flow, choose the user to "
    "run as, and put flow, consumer_key, consumer_secret and a My Domain as account_url in the "
    "secret"
)
JWT_BEARER: Final = (
    "or use jwt_bearer: upload a certificate in the app, pre-authorize the user, and put flow, "
    "consumer_key, username and private_key in the secret"
)
LEAVE_PASSWORD_FLOW: Final = (CLIENT_CREDENTIALS, JWT_BEARER)
RENEWAL: Final = (
    "set a new password in Salesforce before that day, and put it with the new security token in "
    "the secret (docs/operations.md, After a password reset)"
)
EDITIONS: Final = {
    "Enterprise Edition": True,
    "Unlimited Edition": True,
    "Developer Edition": True,
    "Performance Edition": True,
    "Contact Manager Edition": False,
    "Team Edition": False,
    "Base Edition": False,
    "Personal Edition": False,
    "Professional Edition": False,
}
"""OrganizationType -> whether the edition includes the API (Salesforce Help, "Salesforce Features
and Edition Allocations"). The type of Group Edition is Team Edition; a Professional Edition may
have bought the API."""
ARTICLE_SCOPES: Final = ("api", "refresh_token", "full")
"""The scopes that Plezi's help article requires; `offline_access` is another name of
`refresh_token`. This connector needs only `api`, which `full` includes."""
API_WORKS: Final = Finding("api", Grade.OK, "The user may use the API.")
ORGANIZATION: Final = "SELECT Id, OrganizationType, IsSandbox FROM Organization"
BUDGET_WARNING: Final = 0.8
"""Used part of the org's API calls that is a warning."""
EXPIRY_WARNING_DAYS: Final = 14
"""Days before the expiry of the password that are a warning."""


def check_org(
    connection: Connection,
    secrets: SecretProvider[SalesforceCredentials],
    clock: Callable[[], float],
    password_expires_days: int,
    mapping: MappingConfig,
) -> ConnectionReport:
    """Check one org; every error of Salesforce or the secret becomes a finding.

    The preconditions are those of the queries for this mapping.
    """
    checked = ConnectionReport(at=clock())
    try:
        credentials = secrets.current(fresh=True).value
    except HaltError as error:
        return checked.with_findings(Finding("login", Grade.FAILED, str(error)))
    checked = _check_flow(checked, credentials.flow)
    try:
        response = connection.log_in()
    except LoginRefusedError as error:
        return checked.with_findings(Finding("login", Grade.FAILED, str(error), error.causes))
    except HaltError as error:
        return checked.with_findings(Finding("login", Grade.FAILED, str(error)))
    except RetryError as error:
        return checked.with_findings(Finding("login", Grade.UNKNOWN, str(error)))
    checked = replace(checked, org_id=response.org_id)
    checked = checked.with_findings(
        Finding("login", Grade.OK, "Salesforce accepts the credentials.")
    )
    checked = _check_calls(checked, connection, response)
    if not checked.ok:
        return checked
    if credentials.flow is Flow.PASSWORD and checked.has_api:
        checked = _check_password(checked, connection, credentials.username, password_expires_days)
    if checked.has_api:
        checked = checked.with_findings(*check_preconditions(connection, mapping))
    return _check_quota(checked, connection)


def _check_flow(checked: ConnectionReport, flow: Flow) -> ConnectionReport:
    if flow is not Flow.PASSWORD:
        finding = Finding("flow", Grade.OK, f"The flow {flow.value} has no password that expires.")
        return replace(checked, flow=flow.value).with_findings(finding)
    left = (PASSWORD_FLOW_ENDS - datetime.fromtimestamp(checked.at, UTC).date()).days
    end = f"Salesforce ends the username-password flow on {PASSWORD_FLOW_ENDS:%-d %B %Y}"
    message = f"{end}, in {left} days." if left > 0 else f"{end}: it may stop at any time."
    checked = replace(checked, flow=flow.value, flow_ends=PASSWORD_FLOW_ENDS.isoformat())
    return checked.with_findings(Finding("flow", Grade.WARNING, message, LEAVE_PASSWORD_FLOW))


def _check_calls(
    checked: ConnectionReport, connection: Connection, response: TokenResponse
) -> ConnectionReport:
    """Check scopes, edition and permissions by the login's response and by a call.

    The response of the password flow names no scopes: then a call that works proves `api`.
    """
    if response.scopes is not None:
        checked = _check_scopes(checked, response.scopes)
        return _check_org(checked, connection, "api") if checked.ok else checked
    checked = _check_org(checked, connection, "scopes")
    if not checked.has_api:
        return checked
    message = "The login names no scopes; a call works, so the session has 'api'."
    checked = replace(checked, scopes_present=("api",))
    return checked.with_findings(Finding("scopes", Grade.OK, message))


def _check_org(
    checked: ConnectionReport, connection: Connection, session_finding: str
) -> ConnectionReport:
    try:
        rows = connection.query(ORGANIZATION, "OrganizationType", "IsSandbox")
    except HaltError as error:
        code = error.code if isinstance(error, DiagnosedError) else ""
        name = "edition" if error_class(code) is ErrorClass.EDITION else "api"
        if error.reason is StopReason.SESSION_REFUSED:
            name = session_finding
        message = f"Salesforce accepts the login but refuses calls ({code or error.reason.value})."
        causes = error.causes if isinstance(error, DiagnosedError) else (str(error),)
        return replace(checked, has_api=False).with_findings(
            Finding(name, Grade.FAILED, message, causes)
        )
    except RejectedError:
        hidden = "The user may not read the org's edition; the API works, so a run can work."
        return replace(checked, has_api=True).with_findings(
            API_WORKS, Finding("edition", Grade.UNKNOWN, hidden)
        )
    except ConnectorError as error:
        return checked.with_findings(Finding("api", Grade.UNKNOWN, str(error)))
    organization = rows[0] if rows else {}
    edition = str(organization.get("OrganizationType", ""))
    is_sandbox = organization.get("IsSandbox") is True
    checked = replace(checked, has_api=True, edition=edition, sandbox=is_sandbox)
    kind = "a sandbox of " if checked.sandbox else ""
    added = "" if EDITIONS.get(edition, True) else ", with the API added"
    return checked.with_findings(
        API_WORKS, Finding("edition", Grade.OK, f"The org is {kind}{edition}{added}.")
    )


def _check_scopes(checked: ConnectionReport, named: frozenset[str]) -> ConnectionReport:
    scopes = named | ({"refresh_token"} if "offline_access" in named else set())
    present = tuple(scope for scope in ARTICLE_SCOPES if scope in scopes)
    missing = tuple(scope for scope in ARTICLE_SCOPES if scope not in scopes)
    checked = replace(checked, scopes_present=present, scopes_missing=missing)
    if scopes & {"api", "full"}:
        optional = f" Plezi's article also requires {', '.join(missing)}." if missing else ""
        message = f"The login has the scopes that are needed: {', '.join(present)}.{optional}"
        return checked.with_findings(Finding("scopes", Grade.OK, message))
    cause = (
        "the app lacks the scope 'api': add 'Access and manage your data (api)' to the app's OAuth "
        "scopes, then put the secret again"
    )
    message = "The login lacks the scope 'api', which every call needs."
    return checked.with_findings(Finding("scopes", Grade.FAILED, message, (cause,)))


def _check_password(
    checked: ConnectionReport, connection: Connection, username: str, policy_days: int
) -> ConnectionReport:
    if not policy_days:
        never = "By the settings, the password never expires (PasswordExpiresDays is 0)."
        return checked.with_findings(Finding("password", Grade.OK, never))
    try:
        changed_at = password_changed_at(connection, username)
    except ConnectorError as error:
        return checked.with_findings(Finding("password", Grade.UNKNOWN, str(error)))
    if changed_at is None:
        unknown = "Salesforce does not show when the password was last changed."
        return checked.with_findings(Finding("password", Grade.UNKNOWN, unknown))
    days = math.floor(days_left(changed_at, policy_days, checked.at))
    checked = replace(checked, password_expires_in_days=days)
    message = f"The password expires in {days} days, by a policy of {policy_days} days."
    if days > EXPIRY_WARNING_DAYS:
        return checked.with_findings(Finding("password", Grade.OK, message))
    causes = (
        RENEWAL,
        "or give the user the permission 'Password Never Expires', and set PasswordExpiresDays=0",
        *LEAVE_PASSWORD_FLOW,
    )
    return checked.with_findings(Finding("password", Grade.WARNING, message, causes))


def _check_quota(checked: ConnectionReport, connection: Connection) -> ConnectionReport:
    usage = connection.usage
    if usage is None:
        return checked
    checked = replace(checked, calls_used=usage.used, calls_allowed=usage.total)
    message = f"{usage.used} of the org's {usage.total} API calls in 24 hours are used."
    grade = Grade.WARNING if usage.used >= BUDGET_WARNING * usage.total else Grade.OK
    return checked.with_findings(Finding("quota", grade, message))
