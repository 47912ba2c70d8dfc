"""Salesforce's errors: one row for each error code, HTTP status and refusal of a login.

Look-ups are in `salesforce.diagnosis`. Sources of codes and texts: SOAP API Developer Guide,
"StatusCode"; REST API Developer Guide, "Status Codes and Error Responses"; Salesforce Help, "OAuth
2.0 Authorization Errors"; error bodies that other clients reported. Salesforce gives one text for
several reasons, and only the user's Login History has the real one: causes are therefore listed in
order, the most likely first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from connector.described_enum import DescribedEnum
from connector.errors import StopReason
from connector.http_session import STATUS_ACTIONS, ErrorAction
from connector.secrets import Flow


class ErrorClass(DescribedEnum):
    """What an error is about."""

    LOGIN = "login", "Salesforce refuses the login or cannot answer it now."
    SESSION = "session", "The session is not valid, or not for this API."
    EDITION = "edition", "The edition of the org has no API."
    API_PERMISSION = "api_permission", "The integration user may not use the API."
    PERMISSION = "permission", "The integration user may not use this object or record."
    API_LIMIT = "api_limit", "The org has reached a limit on its API calls."
    UNAVAILABLE = "unavailable", "Salesforce, or a record, is busy."
    RECORD_CHANGED = "record_changed", "The record was deleted or converted after it was read."
    SCHEMA = "schema", "A field is not as it was described."
    ALREADY_EXISTS = "already_exists", "Another record or object has this unique value or name."
    VALUE = "value", "A value of the record is missing or does not fit."
    ORG_RULE = "org_rule", "A rule, automation or limit of the org refuses the record."
    CURSOR = "cursor", "The cursor of a query has expired."
    RESPONSE = "response", "The response is missing or does not follow the documented API."


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One error and everything that depends on it.

    `code` is Salesforce's error code, its OAuth error, or the HTTP status of a response without a
    code. `detail` is the message or description in lower case, or the flow of a login; '' is the
    row of every other text. An `action` of `reject` refuses one record; an HTTP status with another
    action, such as 403, overrides it (`diagnosis.classify`). `stop` is why a run stops when the
    error stops it; a login that is not possible now always stops with `login_unavailable`. `causes`
    are the likely causes of a refused call or login, each with its remedy, the likeliest first.
    `remedy` is the remedy of one refused record.

    `is_part`: the detail is a part of the message. `is_start`: it is its beginning. `of_batch`: the
    error may be a fault of all records together, and nothing of them was saved: they are sent again
    in halves. The `action` is then that of a record that fails alone.
    """

    code: str
    error_class: ErrorClass
    action: ErrorAction
    stop: StopReason | None = None
    detail: str = ""
    causes: tuple[str, ...] = ()
    remedy: str = ""
    is_part: bool = False
    is_start: bool = False
    of_batch: bool = False

    def numbered_causes(self) -> str:
        """Return the causes as one sentence with numbers; the remedy where there are no causes."""
        causes = (f"{number}. {cause}" for number, cause in enumerate(self.causes, 1))
        return "; ".join(causes) or self.remedy


def _login(code: str, *causes: str, detail: str = "") -> ErrorRow:
    return ErrorRow(
        code, ErrorClass.LOGIN, ErrorAction.HALT, StopReason.LOGIN_REFUSED, detail, causes
    )


def _busy_login(code: str, *causes: str) -> ErrorRow:
    return ErrorRow(
        code, ErrorClass.LOGIN, ErrorAction.RETRY, StopReason.LOGIN_UNAVAILABLE, causes=causes
    )


def _session(code: str, *causes: str, detail: str = "") -> ErrorRow:
    return ErrorRow(
        code, ErrorClass.SESSION, ErrorAction.RENEW, StopReason.SESSION_REFUSED, detail, causes
    )


def _api_limit(
    detail: str,
    *causes: str,
    action: ErrorAction,
    stop: StopReason = StopReason.SALESFORCE_API_LIMIT,
) -> ErrorRow:
    return ErrorRow("REQUEST_LIMIT_EXCEEDED", ErrorClass.API_LIMIT, action, stop, detail, causes)


def _unavailable(code: str, *causes: str, remedy: str = "") -> ErrorRow:
    return ErrorRow(
        code,
        ErrorClass.UNAVAILABLE,
        ErrorAction.RETRY,
        StopReason.SALESFORCE_UNAVAILABLE,
        causes=causes,
        remedy=remedy,
    )


def _changed(code: str, remedy: str) -> ErrorRow:
    return ErrorRow(
        code, ErrorClass.RECORD_CHANGED, ErrorAction.STALE, StopReason.CONFLICT, remedy=remedy
    )


def _record(code: str, error_class: ErrorClass, remedy: str) -> ErrorRow:
    return ErrorRow(code, error_class, ErrorAction.REJECT, remedy=remedy)


def _limit(detail: str, cause: str) -> ErrorRow:
    return ErrorRow(
        TRIGGER_FAILED,
        ErrorClass.ORG_RULE,
        ErrorAction.REJECT,
        detail=detail,
        causes=(cause,),
        is_part=True,
        of_batch=True,
    )


def _no_right(operation: str, permission: str) -> ErrorRow:
    cause = (
        f"the integration user lacks the permission '{permission}' on Lead: give the user 'Read', "
        "'Create' and 'Edit' on Lead, in Setup > Permission Sets > Object Settings or in its "
        "profile"
    )
    return ErrorRow(
        TRIGGER_FAILED,
        ErrorClass.PERMISSION,
        ErrorAction.HALT,
        StopReason.SALESFORCE_REFUSED,
        detail=f"entity type cannot be {operation}",
        causes=(cause,),
        is_start=True,
    )


TRIGGER_FAILED: Final = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
"""A trigger or flow failed. An exception that a trigger does not catch fails all records of its
call (Apex Developer Guide, "Bulk DML Exception Handling")."""
COMMON_LOGIN_HOST: Final = "client credentials at a common login host"
"""The `detail` of a client credentials login at login.salesforce.com or test.salesforce.com."""
PASSWORD_FLOW_ENDS: Final = date(2027, 2, 20)
"""Salesforce retires the username-password flow on this day (release update, Spring '27)."""

_RESET: Final = (
    "the password was reset or has expired (every 90 days by default), which also makes the "
    "security token invalid: put the new password and the new token in the secret"
)
_OLD_SECURITY: Final = (
    "the security token is missing or old: reset it in the user's settings > Reset My Security "
    "Token, and put the token of the e-mail in the secret"
)
_EXPIRED: Final = "the password has expired: reset it, then put password and token in the secret"
_BLOCKED: Final = (
    "the org blocks the username-password flow (the default of orgs created since Summer '23): "
    "allow it in Setup > OAuth and OpenID Connect Settings, or better, use client_credentials or "
    "jwt_bearer"
)
_LOCKED: Final = (
    "the user is locked out after too many failed logins: wait 15 minutes, or unlock the user in "
    "Setup > Users"
)
PASSWORD_CAUSES: Final = frozenset({_RESET, _OLD_SECURITY, _EXPIRED, _BLOCKED, _LOCKED})
"""Causes that only a flow with a password has: no other flow sends one, or is locked out."""
_WRONG_CONSUMER_KEY: Final = (
    "the consumer key is mistyped: copy it again from the app's page in Setup > App Manager"
)
_MAINTENANCE: Final = (
    "the org is in maintenance or Salesforce is moving it: the next run tries again"
)

_LOCK_IN_TRIGGER: Final = (
    "a trigger or flow of the org waits for a record that another transaction locks: the next run "
    "tries again"
)

ERRORS: Final[tuple[ErrorRow, ...]] = (
    # Refused logins: OAuth error and description.
    _login(
        "invalid_grant",
        _RESET,
        _OLD_SECURITY,
        _BLOCKED,
        _LOCKED,
        "the username is mistyped, or belongs to another org or sandbox: compare it with Setup > "
        "Users",
        "the org forbids logins at login.salesforce.com: set account_url to its My Domain",
        detail="authentication failure",
    ),
    _login("invalid_grant", _RESET, _LOCKED, detail="authentication failure - invalid password"),
    _login(
        "invalid_grant",
        "access was revoked for this app: approve the app for the user again (Setup > Connected "
        "Apps OAuth Usage)",
        "the app's refresh token policy ended the access: use client_credentials or jwt_bearer, "
        "which need no refresh token",
        detail="expired access/refresh token",
    ),
    _login(
        "invalid_grant",
        "the profile of the integration user restricts the IP addresses of its logins: add the "
        "addresses of these functions under Login IP Ranges of the profile",
        "the app enforces IP restrictions: relax them in the app's OAuth policies",
        detail="ip restricted",
    ),
    _login(
        "invalid_grant",
        "the user is not pre-authorized for the app: set the app's policy to 'Admin approved users "
        "are pre-authorized' and give the user a permission set of the app",
        "the username in the secret is mistyped, or the user is not in this org: correct it",
        detail="user hasn't approved this consumer",
    ),
    _login(
        "invalid_grant",
        "the app has no user to run as: choose one under Client Credentials Flow > Run As in the "
        "app's policies",
        "the Run As user was deactivated: activate this user or choose another one",
        detail="no client credentials user enabled",
    ),
    _login(
        "invalid_grant",
        "the account URL leads to another login host than the org's: set account_url to the org's "
        "My Domain",
        "a sandbox logs in at test.salesforce.com or at its own My Domain: set account_url to it",
        detail="audience is invalid",
    ),
    _login(
        "invalid_grant",
        "the private key does not belong to the certificate of the app: upload the certificate "
        "again in the app, or put its key in the secret",
        "the certificate has expired: create a new pair, upload the certificate in the app and put "
        "the key in the secret",
        detail="invalid assertion",
    ),
    _login(
        "invalid_grant",
        "the org refuses the grant: the user's Login History in Setup has the reason",
        _RESET,
        _LOCKED,
    ),
    _login(
        "invalid_client_id",
        "Salesforce accepts client credentials only at the org's My Domain: set account_url to "
        "https://<your domain>.my.salesforce.com",
        _WRONG_CONSUMER_KEY,
        detail=COMMON_LOGIN_HOST,
    ),
    _login(
        "invalid_client_id",
        _WRONG_CONSUMER_KEY,
        "the app was created minutes ago: wait ten minutes, which Salesforce may need, then put "
        "the secret again",
        "the app is in another org or sandbox: check account_url",
    ),
    _login(
        "invalid_client",
        "the consumer secret is wrong: copy it again from the app's page",
        "the consumer secret was rotated in the app: put the new one in the secret",
    ),
    _login(
        "unsupported_grant_type",
        "the app does not allow the username-password flow; an External Client App never allows "
        "it: use client_credentials or jwt_bearer",
        f"Salesforce has ended the username-password flow ({PASSWORD_FLOW_ENDS:%-d %B %Y}): use "
        "client_credentials or jwt_bearer",
        detail=Flow.PASSWORD,
    ),
    _login(
        "unsupported_grant_type",
        "the app does not allow the JWT bearer flow: switch on 'Use digital signatures' in the app",
        detail=Flow.JWT_BEARER,
    ),
    _login(
        "unsupported_grant_type",
        "the app does not allow the client credentials flow: switch it on in the app",
        detail=Flow.CLIENT_CREDENTIALS,
    ),
    _login(
        "invalid_app_access",
        "an administrator must approve the user for the app: give the user's profile or a "
        "permission set access to the app",
        "the app was blocked in Setup > Connected Apps OAuth Usage: unblock it",
    ),
    _login(
        "app_not_found",
        "the app is not installed in this org: install it in Setup > Connected Apps OAuth Usage, "
        "or create an app in this org",
        "account_url leads to another org than the app's: correct it",
    ),
    _login(
        "inactive_user",
        "the integration user is deactivated or frozen: activate it in Setup > Users, or put "
        "another user in the secret",
    ),
    _login(
        "inactive_org",
        "the org is locked, closed or suspended: contact Salesforce or the owner of the contract",
        "the trial has ended, or the sandbox was deleted: set another account_url",
    ),
    _login(
        "unauthorized_client",
        "the app may not use this OAuth flow: allow the flow in the app, and the user in its "
        "policies",
    ),
    _login(
        "access_denied",
        "the org or the app denies this user the access: see Login History in Setup, and the "
        "app's policies",
    ),
    _login(
        "invalid_client_credentials",
        "the consumer key and the consumer secret do not belong together: copy both from the "
        "app's page",
    ),
    _busy_login(
        "server_error",
        "Salesforce's login has an error of its own: nothing to do, the next run tries again",
    ),
    _busy_login(
        "temporarily_unavailable",
        "Salesforce's login is overloaded or in maintenance: nothing to do, the next run tries "
        "again",
    ),
    _busy_login(
        "unknown_error",
        "Salesforce could not finish the login and does not say why: the next run tries again; if "
        "this continues, see Login History in Setup",
    ),
    _busy_login(
        "rate_limit_exceeded",
        "the org had too many logins in the last minutes: nothing to do, the next run tries again",
        "another program logs in with the same user in a loop: find it in Login History",
    ),
    _busy_login(
        "LOGIN_RATE_EXCEEDED",
        "the user has logged in 3,600 times within an hour, and this connector does not log in so "
        "often: find the other program in Login History, and give this connector its own user",
    ),
    # Refused calls: session, edition, permissions, limits.
    _session(
        "INVALID_SESSION_ID",
        "the app lacks the scope 'api' (access and manage your data): add it to the app's scopes",
        "the org requires a high-assurance session of this user: remove that policy for the user",
        detail="this session is not valid for use with the rest api",
    ),
    _session(
        "INVALID_SESSION_ID",
        "the session ends immediately after the login: look for a session policy, or for another "
        "program that revokes the user's sessions",
        _EXPIRED,
    ),
    _session(
        "INVALID_AUTH_HEADER",
        "a proxy between the connector and Salesforce removes the Authorization header: find it",
    ),
    ErrorRow(
        "API_DISABLED_FOR_ORG",
        ErrorClass.EDITION,
        ErrorAction.HALT,
        StopReason.SALESFORCE_API_DISABLED,
        causes=(
            (
                "this Salesforce edition has no API: Enterprise, Unlimited, Developer and "
                "Performance have it, Contact Manager, Group and Professional do not; change the "
                "edition"
            ),
            "Professional Edition can buy the API: ask Salesforce to enable it",
        ),
    ),
    ErrorRow(
        "API_CURRENTLY_DISABLED",
        ErrorClass.API_PERMISSION,
        ErrorAction.HALT,
        StopReason.SALESFORCE_API_DISABLED,
        causes=(
            (
                "the integration user lacks the permission 'API Enabled': tick it in the user's "
                "profile, or in a permission set"
            ),
        ),
    ),
    ErrorRow(
        "403",
        ErrorClass.API_PERMISSION,
        STATUS_ACTIONS[403],
        StopReason.SALESFORCE_REFUSED,
        remedy="Salesforce refuses this call to the integration user: check its permissions",
    ),
    ErrorRow(
        "INSUFFICIENT_ACCESS",
        ErrorClass.PERMISSION,
        ErrorAction.REJECT,
        StopReason.SALESFORCE_REFUSED,
        causes=("the integration user may not make this call: check its permissions",),
    ),
    _api_limit(
        "totalrequests limit exceeded.",
        "the org's API calls of the last 24 hours are used up: the next run continues where this "
        "one stopped",
        "another program uses them: see Setup > API Usage; or buy more calls",
        action=ErrorAction.HALT,
    ),
    _api_limit(
        "concurrentrequests (concurrent api requests) limit exceeded.",
        "too many calls of 20 seconds or more run in the org at the same time: the next run tries "
        "again",
        action=ErrorAction.RETRY,
        stop=StopReason.SALESFORCE_UNAVAILABLE,
    ),
    _api_limit(
        "concurrentperorglongtxn limit exceeded.",
        "too many long transactions run in the org at the same time: the next run tries again; if "
        "this continues, look for slow triggers and flows",
        action=ErrorAction.RETRY,
        stop=StopReason.SALESFORCE_UNAVAILABLE,
    ),
    _api_limit(
        "",
        "the org has reached one of its limits on API calls: see Setup > Company Information",
        action=ErrorAction.HALT,
    ),
    # Salesforce, or the record, is busy.
    _unavailable("420", "Salesforce is setting the org up: the next run tries again"),
    _unavailable("503", _MAINTENANCE),
    _unavailable("SERVER_UNAVAILABLE", _MAINTENANCE),
    _unavailable(
        "UNABLE_TO_LOCK_ROW",
        remedy="another transaction of the org locks the record: the next run tries again",
    ),
    _unavailable(
        "QUERY_TIMEOUT",
        remedy="the query takes too long now: the next run tries again",
    ),
    _unavailable(
        "OPERATION_TOO_LARGE",
        remedy="the query is too large for the org: it is sent again in smaller parts",
    ),
    ErrorRow(
        "REQUEST_RUNNING_TOO_LONG",
        ErrorClass.ORG_RULE,
        ErrorAction.RETRY,
        StopReason.SALESFORCE_UNAVAILABLE,
        remedy="Salesforce stopped the request because it took too long: the next run tries again",
        of_batch=True,
    ),
    _unavailable(
        "UNKNOWN_EXCEPTION",
        remedy="Salesforce had an internal error: the next run tries again",
    ),
    _unavailable(
        "TXN_SECURITY_METERING_ERROR",
        remedy="the org's transaction security policies take too long: the next run tries again",
    ),
    # Refused records and fields.
    _changed("ENTITY_IS_DELETED", "the record was deleted in Salesforce"),
    _changed("CANNOT_UPDATE_CONVERTED_LEAD", "the lead was converted: its contact takes its place"),
    _record(
        "REQUIRED_FIELD_MISSING",
        ErrorClass.VALUE,
        "map the missing fields, or give their field pairs a placeholder",
    ),
    _record("INVALID_EMAIL_ADDRESS", ErrorClass.VALUE, "correct the e-mail address in Plezi"),
    _record(
        "STRING_TOO_LONG",
        ErrorClass.VALUE,
        "shorten the value in Plezi, or make the Salesforce field longer",
    ),
    _record(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ErrorClass.VALUE,
        "add the value to the picklist in Salesforce, or choose one of its values in Plezi",
    ),
    _record(
        "FIELD_INTEGRITY_EXCEPTION",
        ErrorClass.VALUE,
        "the value does not fit the field (state and country lists, lookups): correct it in Plezi",
    ),
    _record(
        "JSON_PARSER_ERROR",
        ErrorClass.SCHEMA,
        "the value does not have the field's type: correct it in Plezi",
    ),
    _record(
        "INVALID_TYPE",
        ErrorClass.PERMISSION,
        "the object does not exist for the integration user: give it access to the object",
    ),
    _record(
        "INVALID_FIELD",
        ErrorClass.SCHEMA,
        "the field was deleted, renamed, or hidden by field-level security: grant it to the "
        "integration user or change the mapping",
    ),
    _record(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        ErrorClass.SCHEMA,
        "grant the integration user edit access to the field (field-level security), or make the "
        "field pair one-way towards Plezi",
    ),
    _record(
        "DUPLICATE_VALUE",
        ErrorClass.ALREADY_EXISTS,
        "another record, possibly a converted Lead, or one that the integration user may not see, "
        "has this unique value: share it with that user, clear the value there, or merge the "
        "records",
    ),
    _record(
        "DUPLICATE_DEVELOPER_NAME",
        ErrorClass.ALREADY_EXISTS,
        "a field or permission set of this name exists already: use it, or rename it",
    ),
    _record(
        "DUPLICATES_DETECTED",
        ErrorClass.ORG_RULE,
        "a duplicate rule of the org blocks the record: merge the duplicates, or let the rule "
        "allow the integration user to save",
    ),
    _record(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        ErrorClass.ORG_RULE,
        "a validation rule of the org refuses the record: correct the value, or exempt the "
        "integration user from the rule",
    ),
    _no_right("inserted", "Create"),
    _no_right("updated", "Edit"),
    ErrorRow(
        TRIGGER_FAILED,
        ErrorClass.UNAVAILABLE,
        ErrorAction.RETRY,
        StopReason.SALESFORCE_UNAVAILABLE,
        "unable_to_lock_row",
        (_LOCK_IN_TRIGGER,),
        is_part=True,
        of_batch=True,
    ),
    _limit(
        "limitexception",
        "a trigger of the org exceeds a governor limit even with one record: its administrator "
        "finds the limit in the debug log",
    ),
    _limit(
        "time limit exceeded",
        "a trigger or flow of the org takes too much CPU time even with one record: its "
        "administrator finds it in the debug log",
    ),
    _limit(
        "too many",
        "a trigger or flow of the org makes too many queries or changes even with one record: its "
        "administrator finds the limit in the debug log",
    ),
    ErrorRow(
        TRIGGER_FAILED,
        ErrorClass.ORG_RULE,
        ErrorAction.REJECT,
        remedy="a trigger or flow of the org failed: its administrator finds the reason in the "
        "debug log",
        of_batch=True,
    ),
    ErrorRow(
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        ErrorClass.ORG_RULE,
        ErrorAction.REJECT,
        remedy="a flow or process of the org failed: its administrator finds the reason in the "
        "e-mail that Salesforce sends about it",
        of_batch=True,
    ),
    _record(
        "INACTIVE_OWNER_OR_USER",
        ErrorClass.ORG_RULE,
        "the owner of the record is inactive: give the record another owner",
    ),
    _record(
        "ENTITY_IS_LOCKED",
        ErrorClass.ORG_RULE,
        "an approval process locks the record: finish or recall it",
    ),
    ErrorRow(
        "STORAGE_LIMIT_EXCEEDED",
        ErrorClass.ORG_RULE,
        ErrorAction.RETRY,
        StopReason.SALESFORCE_UNAVAILABLE,
        remedy="the org's data storage is full, and new leads wait: delete data or buy storage",
    ),
    _record(
        "INSUFFICIENT_ACCESS_OR_READONLY",
        ErrorClass.PERMISSION,
        "give the integration user edit access to the record",
    ),
    _record(
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        ErrorClass.VALUE,
        "give the integration user access to the related record (owner, account)",
    ),
    _record(
        "INVALID_CROSS_REFERENCE_KEY",
        ErrorClass.VALUE,
        "a related record does not exist any more: choose another one",
    ),
    _record(
        "MALFORMED_ID",
        ErrorClass.VALUE,
        "the record's id is not valid any more: run a full synchronization",
    ),
    _record(
        "INVALID_QUERY_LOCATOR",
        ErrorClass.CURSOR,
        "the page cursor has expired: the next run reads on from the last row",
    ),
    # Codes of the connector itself.
    ErrorRow(
        "NEXT_PAGE",
        ErrorClass.RESPONSE,
        ErrorAction.REJECT,
        remedy="the response contains the address of a next page outside of Salesforce's API",
    ),
    ErrorRow(
        "NO_ANSWER",
        ErrorClass.RESPONSE,
        ErrorAction.RETRY,
        StopReason.SALESFORCE_UNAVAILABLE,
        remedy="Salesforce does not respond: send the request again; parts that were created "
        "already are found",
    ),
)
"""Every error that the connector knows. The action of an error that is not listed is that of its
HTTP status (`http_session.STATUS_ACTIONS`); without one, the record is refused with the code."""

UNKNOWN_ERROR: Final = ErrorRow(
    "UNKNOWN",
    ErrorClass.VALUE,
    ErrorAction.REJECT,
    StopReason.SALESFORCE_REFUSED,
    remedy="Salesforce refused the record with this code: correct the record there or in Plezi",
)
"""The row of an error that the table does not list, or that has no code."""
UNKNOWN_LOGIN_ERROR: Final = _busy_login(
    "UNKNOWN",
    "Salesforce gives a reason that this connector does not know: a later run tries again; if this "
    "continues, see Login History in Setup",
)
"""The row of a login's error that the table does not list. Such an error does not say that the
credentials are wrong, so they are used again, within the bound on logins without an answer."""
BUSY_LOGIN: Final = _busy_login(
    "BUSY", "Salesforce accepts no login at this moment: nothing to do, the next run tries again"
)
"""The row of a login whose description says that it is not possible now, whatever its code is."""
BUSY_LOGIN_TEXTS: Final = ("rate exceeded", "temporarily", "retry your request")
"""Parts of the descriptions of such a login, in lower case: "login rate exceeded" also comes with
the code of wrong credentials."""
