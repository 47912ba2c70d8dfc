"""Why Salesforce refuses a login or a session, and what to do: one ordered list for each refusal.

Salesforce says the same words for different reasons, and the real one stands only in the user's
Login History; so each list begins with the most likely cause. Refusals and their texts: Salesforce
help "OAuth 2.0 authorization errors", reports of other clients (reference: salesforce 1.2, 1.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.errors import HaltError, StopReason
from connector.salesforce.auth.hosts import LOGIN_HOST, TEST_HOST
from connector.secrets import Flow


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The likely causes of one refusal, each with its remedy, the likeliest first.

    `later`: nothing that a person put in the secret is wrong and the same call may succeed later;
    such a refusal does not open the breaker.
    """

    causes: tuple[str, ...]
    is_temporary: bool = False

    def numbered(self) -> str:
        """Return the causes as one sentence with numbers."""
        return "; ".join(f"{number}. {cause}" for number, cause in enumerate(self.causes, 1))


class DiagnosedError(HaltError):
    """A refusal that a person must look at, with its likely causes in order."""

    def __init__(
        self, reason: StopReason, message: str, causes: tuple[str, ...], code: str = ""
    ) -> None:
        super().__init__(reason, message)
        self.causes = causes
        self.code = code


def stop_reason(code: str) -> StopReason:
    """Return why a run stops when Salesforce refuses a call with this code."""
    return STOP_REASONS.get(code, StopReason.SALESFORCE_REFUSED)


STOP_REASONS: Final[Mapping[str, StopReason]] = {
    "API_DISABLED_FOR_ORG": StopReason.SALESFORCE_API_DISABLED,
    "API_CURRENTLY_DISABLED": StopReason.SALESFORCE_API_DISABLED,
    "REQUEST_LIMIT_EXCEEDED": StopReason.SALESFORCE_API_LIMIT,
}


def diagnosis(*causes: str, later: bool = False) -> Diagnosis:
    """Return an advice of these causes, the likeliest first."""
    return Diagnosis(causes, later)


NOT_MY_DOMAIN: Final = "client credentials at a common login host"
"""Stands in a key of `LOGIN` for what the answer does not say: where the login was tried."""

_RESET: Final = (
    "the password was reset or has expired (every 90 days by default), which also kills the "
    "security token: put the new password and the new token in the secret"
)
_BLOCKED: Final = (
    "the org blocks the username-password flow (the default of orgs made since Summer '23): allow "
    "it in Setup > OAuth and OpenID Connect Settings, or better, use client_credentials or "
    "jwt_bearer"
)
_LOCKED: Final = (
    "the user is locked out after too many failed logins: wait 15 minutes, or unlock it in "
    "Setup > Users"
)
_OTHER_APP: Final = (
    "the consumer key is mistyped: copy it again from the app's page in Setup > App Manager"
)

LOGIN: Final[Mapping[tuple[str, str], Diagnosis]] = {
    ("invalid_grant", "authentication failure"): diagnosis(
        _RESET,
        "the security token is missing or is an old one: reset it in the user's settings > Reset "
        "My Security Token, and put the one that is mailed in the secret",
        _BLOCKED,
        _LOCKED,
        "the username is mistyped, or belongs to another org or sandbox: compare it with Setup > "
        "Users",
        "the org forbids logins at login.salesforce.com: give its My Domain as account_url",
    ),
    ("invalid_grant", "authentication failure - invalid password"): diagnosis(
        _RESET,
        _LOCKED,
    ),
    ("invalid_grant", "expired access/refresh token"): diagnosis(
        "access was revoked for this app: approve the app for the user again (Setup > Connected "
        "Apps OAuth Usage)",
        "the app's refresh token policy ended it: use client_credentials or jwt_bearer, which need "
        "no refresh token",
    ),
    ("invalid_grant", "ip restricted"): diagnosis(
        "the profile of the integration user restricts the addresses it may log in from: add the "
        "addresses of these functions under Login IP Ranges of the profile",
        "the app enforces IP restrictions: relax them in the app's OAuth policies",
    ),
    ("invalid_grant", "user hasn't approved this consumer"): diagnosis(
        "the user is not pre-authorised for the app: set the app's policy to 'Admin approved users "
        "are pre-authorized' and give the user a permission set of the app",
        "the username in the secret is mistyped, or the user is not of this org: correct it",
    ),
    ("invalid_grant", "no client credentials user enabled"): diagnosis(
        "the app has no user to run as: choose one under Client Credentials Flow > Run As in the "
        "app's policies",
        "the Run As user was deactivated: activate it or choose another one",
    ),
    ("invalid_grant", "audience is invalid"): diagnosis(
        "the account URL leads to another login host than the org's: give the org's My Domain as "
        "account_url",
        "a sandbox logs in at test.salesforce.com or at its own My Domain: give that one",
    ),
    ("invalid_grant", "invalid assertion"): diagnosis(
        "the private key does not belong to the certificate of the app: upload the certificate "
        "again in the app, or put its key in the secret",
        "the certificate has expired: make a new pair, upload the one and put the other",
    ),
    ("invalid_grant", ""): diagnosis(
        "the org refuses the grant: the user's Login History in Setup says why",
        _RESET,
        _LOCKED,
    ),
    ("invalid_client_id", NOT_MY_DOMAIN): diagnosis(
        "client credentials are only accepted at the org's My Domain: give https://<your "
        "domain>.my.salesforce.com as account_url",
        _OTHER_APP,
    ),
    ("invalid_client_id", ""): diagnosis(
        _OTHER_APP,
        "the app was made minutes ago: Salesforce needs up to ten minutes, then put the secret "
        "again",
        "the app lives in another org or sandbox: check account_url",
    ),
    ("invalid_client", ""): diagnosis(
        "the consumer secret is wrong: copy it again from the app's page",
        "the consumer secret was rotated in the app: put the new one",
    ),
    ("unsupported_grant_type", Flow.PASSWORD): diagnosis(
        "the app does not allow the username-password flow; an External Client App never does: use "
        "client_credentials or jwt_bearer",
        "Salesforce has ended the username-password flow (20 February 2027): use "
        "client_credentials or jwt_bearer",
    ),
    ("unsupported_grant_type", Flow.JWT_BEARER): diagnosis(
        "the app does not allow the JWT bearer flow: switch on 'Use digital signatures' in it",
    ),
    ("unsupported_grant_type", Flow.CLIENT_CREDENTIALS): diagnosis(
        "the app does not allow the client credentials flow: switch it on in the app",
    ),
    ("invalid_app_access", ""): diagnosis(
        "an administrator must approve the user for the app: give the user's profile or a "
        "permission set access to it",
        "the app was blocked in Setup > Connected Apps OAuth Usage: unblock it",
    ),
    ("app_not_found", ""): diagnosis(
        "the app is not installed in this org: install it in Setup > Connected Apps OAuth Usage, "
        "or make one in this org",
        "account_url leads to another org than the app's: correct it",
    ),
    ("inactive_user", ""): diagnosis(
        "the integration user is deactivated or frozen: activate it in Setup > Users, or name "
        "another one in the secret",
    ),
    ("inactive_org", ""): diagnosis(
        "the org is locked, closed or suspended: ask Salesforce or whoever pays for it",
        "the trial has ended, or the sandbox was deleted: give another account_url",
    ),
    ("rate_limit_exceeded", ""): diagnosis(
        "the org had too many logins of late: nothing to do, the next run tries again",
        "another program logs in with the same user in a loop: find it in Login History",
        later=True,
    ),
    ("LOGIN_RATE_EXCEEDED", ""): diagnosis(
        "the user has logged in 3,600 times within an hour, which is not this connector's doing: "
        "find the program in Login History, and give this one a user of its own",
        later=True,
    ),
    ("420", ""): diagnosis(
        "Salesforce is setting the org up: the next run tries again",
        later=True,
    ),
    ("503", ""): diagnosis(
        "the org is in maintenance or is being moved: the next run tries again",
        later=True,
    ),
}
"""(error, description in small letters) -> advice. The second part may also be a flow, or empty:
any description. What is not listed gets `UNKNOWN`."""

UNKNOWN: Final = diagnosis(
    "Salesforce gives a reason that is not known here: Login History in Setup says more",
)

CALL: Final[Mapping[tuple[str, str], Diagnosis]] = {
    ("INVALID_SESSION_ID", "this session is not valid for use with the rest api"): diagnosis(
        "the app lacks the scope 'api' (access and manage your data): add it to the app's scopes",
        "the org wants a high-assurance session of this user: lift that policy for it",
    ),
    ("INVALID_SESSION_ID", ""): diagnosis(
        "the session is ended as soon as it is given: look for a session policy, or another "
        "program that revokes the user's sessions",
        "the password has expired: reset it, then put password and token in the secret",
    ),
    ("INVALID_AUTH_HEADER", ""): diagnosis(
        "something between here and Salesforce removes the Authorization header: find it",
    ),
    ("API_DISABLED_FOR_ORG", ""): diagnosis(
        "this Salesforce edition has no API: Enterprise, Unlimited, Developer and Performance have "
        "it, Contact Manager, Group and Professional do not; change edition",
        "Professional Edition can buy the API: ask Salesforce to enable it",
    ),
    ("API_CURRENTLY_DISABLED", ""): diagnosis(
        "the integration user lacks the permission 'API Enabled': tick it in its profile, or in a "
        "permission set",
    ),
    ("REQUEST_LIMIT_EXCEEDED", "totalrequests limit exceeded."): diagnosis(
        "the org's API calls of the last 24 hours are used up: the next run goes on where this one "
        "stopped",
        "another program uses them: see Setup > API Usage; or buy more calls",
    ),
    (
        "REQUEST_LIMIT_EXCEEDED",
        "concurrentrequests (concurrent api requests) limit exceeded.",
    ): diagnosis(
        "too many calls of 20 seconds or more run in the org at once: the next run tries again",
        later=True,
    ),
    ("REQUEST_LIMIT_EXCEEDED", "concurrentperorglongtxn limit exceeded."): diagnosis(
        "too many long transactions run in the org at once: the next run tries again; if it lasts, "
        "look for slow triggers and flows",
        later=True,
    ),
    ("REQUEST_LIMIT_EXCEEDED", ""): diagnosis(
        "a limit of the org on API calls is reached: see Setup > Company Information",
    ),
    ("INSUFFICIENT_ACCESS", ""): diagnosis(
        "the integration user may not do this call: check its permissions",
    ),
    ("420", ""): LOGIN["420", ""],
    ("503", ""): LOGIN["503", ""],
    ("SERVER_UNAVAILABLE", ""): LOGIN["503", ""],
}
"""(error code or status, message in small letters) -> advice, for a call with a session."""


def diagnose_login(error: str, description: str, flow: Flow, host: str) -> Diagnosis:
    """Return the advice for a refused login; `error` is Salesforce's word, or the HTTP status."""
    at_common_host = flow is Flow.CLIENT_CREDENTIALS and host in (LOGIN_HOST, TEST_HOST)
    unsaid = NOT_MY_DOMAIN if at_common_host else flow.value
    for said in (unsaid, description.strip().lower(), ""):
        if (error, said) in LOGIN:
            return LOGIN[error, said]
    return UNKNOWN


def diagnose_call(code: str, message: str) -> Diagnosis | None:
    """Return the advice for a refused call with a session; None for refusals of another kind."""
    return CALL.get((code, message.strip().lower())) or CALL.get((code, ""))
