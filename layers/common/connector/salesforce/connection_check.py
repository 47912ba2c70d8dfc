"""The connection check: can a run work with this org, for how long, and if not, why (P2 to P6).

It logs in anew, for a shared session says nothing of the credentials; but never with a version of
the secret that was refused before. It asks two calls and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from connector.connection_report import ConnectionReport, Finding, Grade
from connector.errors import ConnectorError, HaltError, RejectedError, RetryError, StopReason
from connector.salesforce.auth.login import LoginRefusedError, TokenResponse
from connector.salesforce.auth.password import days_left, password_changed_at
from connector.salesforce.connection import Connection
from connector.salesforce.diagnosis import DiagnosedError
from connector.secrets import Flow, SalesforceCredentials, SecretProvider

PASSWORD_FLOW_ENDS: Final = date(2027, 2, 20)
"""Salesforce's enforcement date, Spring '27 (reference: salesforce 1.1)."""
CLIENT_CREDENTIALS: Final = (
    "use client_credentials: in the app switch on the client credentials flow, choose the user to "
    "run as, and put flow, consumer_key, consumer_secret and a My Domain as account_url"
)
JWT_BEARER: Final = (
    "or use jwt_bearer: upload a certificate in the app, pre-authorise the user, and put flow, "
    "consumer_key, username and private_key"
)
LEAVE_PASSWORD_FLOW: Final = (CLIENT_CREDENTIALS, JWT_BEARER)
RENEW_IT: Final = (
    "set a new password in Salesforce before, and put it with the new security token "
    "(docs/operations.md, After a password reset)"
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
"""OrganizationType -> whether the API is part of it. Group Edition calls itself Team Edition
(reference: salesforce 3.5); Professional Edition may have bought the API."""
ARTICLE_SCOPES: Final = ("api", "refresh_token", "full")
"""What Plezi's article asks for (P4); `offline_access` is another name of `refresh_token`. This
connector needs `api` alone, which `full` includes."""
ORGANIZATION: Final = "SELECT Id, OrganizationType, IsSandbox FROM Organization"
BUDGET_WARNING: Final = 0.8
EXPIRY_WARNING_DAYS: Final = 14


def check_org(
    connection: Connection,
    secrets: SecretProvider[SalesforceCredentials],
    clock: Callable[[], float],
    password_expires_days: int,
) -> ConnectionReport:
    """Check one org; nothing is raised, for every trouble is a finding."""
    checked = ConnectionReport(at=clock())
    try:
        material = secrets.current(fresh=True).value
    except HaltError as error:
        return checked.with_findings(Finding("login", Grade.FAILED, str(error)))
    checked = _check_flow(checked, material.flow)
    try:
        grant = connection.log_in()
    except LoginRefusedError as error:
        return checked.with_findings(Finding("login", Grade.FAILED, str(error), error.causes))
    except HaltError as error:
        return checked.with_findings(Finding("login", Grade.FAILED, str(error)))
    except RetryError as error:
        return checked.with_findings(Finding("login", Grade.UNKNOWN, str(error)))
    checked = replace(checked, org_id=grant.org_id)
    checked = checked.with_findings(
        Finding("login", Grade.OK, "Salesforce accepts the credentials.")
    )
    checked = _check_calls(checked, connection, grant)
    if not checked.ok:
        return checked
    if material.flow is Flow.PASSWORD and checked.has_api:
        checked = _check_password(checked, connection, material.username, password_expires_days)
    return _check_quota(checked, connection)


def _check_flow(checked: ConnectionReport, flow: Flow) -> ConnectionReport:
    if flow is not Flow.PASSWORD:
        good = Finding("flow", Grade.OK, f"The flow {flow.value} has no password that expires.")
        return replace(checked, flow=flow.value).with_findings(good)
    left = (PASSWORD_FLOW_ENDS - datetime.fromtimestamp(checked.at, UTC).date()).days
    told = f"Salesforce ends the username-password flow on {PASSWORD_FLOW_ENDS:%-d %B %Y}"
    message = f"{told}, in {left} days." if left > 0 else f"{told}: it may stop any day."
    checked = replace(checked, flow=flow.value, flow_ends=PASSWORD_FLOW_ENDS.isoformat())
    return checked.with_findings(Finding("flow", Grade.WARNING, message, LEAVE_PASSWORD_FLOW))


def _check_calls(
    checked: ConnectionReport, connection: Connection, grant: TokenResponse
) -> ConnectionReport:
    """Judge scopes, edition and rights: by the login's answer, else by whether calls are answered.

    The password flow's answer names no scopes.
    """
    if grant.scopes is not None:
        checked = _check_scopes(checked, grant.scopes)
        return _check_org(checked, connection, "api") if checked.ok else checked
    checked = _check_org(checked, connection, "scopes")
    if not checked.has_api:
        return checked
    message = "The login names no scopes; calls are answered, so it has 'api'."
    checked = replace(checked, scopes_present=("api",))
    return checked.with_findings(Finding("scopes", Grade.OK, message))


def _check_org(
    checked: ConnectionReport, connection: Connection, of_session: str
) -> ConnectionReport:
    try:
        rows = connection.read("query/", params={"q": ORGANIZATION})["records"]
    except HaltError as error:
        code = error.code if isinstance(error, DiagnosedError) else ""
        name = "edition" if code == "API_DISABLED_FOR_ORG" else "api"
        if error.reason is StopReason.SESSION_REFUSED:
            name = of_session
        message = f"Salesforce accepts the login, but no call ({code or error.reason.value})."
        causes = error.causes if isinstance(error, DiagnosedError) else (str(error),)
        return replace(checked, has_api=False).with_findings(
            Finding(name, Grade.FAILED, message, causes)
        )
    except RejectedError:
        seen = Finding("api", Grade.OK, "The user may use the API.")
        hidden = "The user may not see the org's edition; the API answers, which is what counts."
        checked = replace(checked, has_api=True)
        return checked.with_findings(seen, Finding("edition", Grade.UNKNOWN, hidden))
    except ConnectorError as error:
        return checked.with_findings(Finding("api", Grade.UNKNOWN, str(error)))
    edition = str(rows[0]["OrganizationType"])
    checked = replace(checked, has_api=True, edition=edition, sandbox=rows[0]["IsSandbox"])
    kind = "a sandbox of " if checked.sandbox else ""
    added = "" if EDITIONS.get(edition, True) else ", with the API added to it"
    return checked.with_findings(
        Finding("api", Grade.OK, "The user may use the API."),
        Finding("edition", Grade.OK, f"The org is {kind}{edition}{added}."),
    )


def _check_scopes(checked: ConnectionReport, named: frozenset[str]) -> ConnectionReport:
    told = named | ({"refresh_token"} if "offline_access" in named else set())
    present = tuple(each for each in ARTICLE_SCOPES if each in told)
    missing = tuple(each for each in ARTICLE_SCOPES if each not in told)
    checked = replace(checked, scopes_present=present, scopes_missing=missing)
    if told & {"api", "full"}:
        lacking = f" Plezi's article also asks for {', '.join(missing)}." if missing else ""
        message = f"The login has what is needed: {', '.join(present)}.{lacking}"
        return checked.with_findings(Finding("scopes", Grade.OK, message))
    fix = "add 'Access and manage your data (api)' to the app's OAuth scopes, then put the secret"
    message = "The login lacks the scope 'api', without which no call is answered."
    return checked.with_findings(Finding("scopes", Grade.FAILED, message, (fix,)))


def _check_password(
    checked: ConnectionReport, connection: Connection, username: str, policy_days: int
) -> ConnectionReport:
    if not policy_days:
        never = "The password is said never to expire (PasswordExpiresDays is 0)."
        return checked.with_findings(Finding("password", Grade.OK, never))
    try:
        changed_at = password_changed_at(connection, username)
    except ConnectorError as error:
        return checked.with_findings(Finding("password", Grade.UNKNOWN, str(error)))
    if changed_at is None:
        untold = "Salesforce does not tell when the password was last changed."
        return checked.with_findings(Finding("password", Grade.UNKNOWN, untold))
    days = math.floor(days_left(changed_at, policy_days, checked.at))
    checked = replace(checked, password_expires_in_days=days)
    message = f"The password expires in {days} days, by a policy of {policy_days} days."
    if days > EXPIRY_WARNING_DAYS:
        return checked.with_findings(Finding("password", Grade.OK, message))
    renew = (
        RENEW_IT,
        "or give the user the permission 'Password Never Expires', and set PasswordExpiresDays=0",
        *LEAVE_PASSWORD_FLOW,
    )
    return checked.with_findings(Finding("password", Grade.WARNING, message, renew))


def _check_quota(checked: ConnectionReport, connection: Connection) -> ConnectionReport:
    usage = connection.usage
    if usage is None:
        return checked
    checked = replace(checked, calls_used=usage.used, calls_allowed=usage.total)
    message = f"{usage.used} of the org's {usage.total} API calls of 24 hours are used."
    grade = Grade.WARNING if usage.used >= BUDGET_WARNING * usage.total else Grade.OK
    return checked.with_findings(Finding("quota", grade, message))
