"""Calls to Salesforce with a session that is renewed when it expires.

Every call uses simple-salesforce with an `HttpSession`. simple-salesforce distinguishes errors only
by HTTP status; this module translates them by the error table (`salesforce.error_table`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

import requests

from connector.connected_systems import other_system_error, same_system
from connector.errors import (
    RejectedError,
    RetryError,
    StaleError,
    StopReason,
    UnknownFieldError,
)
from connector.http_session import ErrorAction, HttpSession, ResponseTooLargeError
from connector.model import Side
from connector.retry import RetryPolicy
from connector.salesforce.answers import (
    QueryPage,
    Scalar,
    is_record_id,
    read_members,
    read_query_page,
    unusable_answer,
)
from connector.salesforce.auth.login import LoginUnavailableError, TokenResponse
from connector.salesforce.auth.session import SessionManager
from connector.salesforce.budget import Usage
from connector.salesforce.diagnosis import (
    DiagnosedError,
    classify,
    diagnose_session,
    find_error,
    halt_error,
    remedy,
)
from connector.salesforce.error_table import UNKNOWN_ERROR, ErrorClass, ErrorRow
from connector.salesforce.library import Salesforce, SalesforceError
from connector.secrets import Flow

T = TypeVar("T")

MAX_ATTEMPTS: Final = 3
FIRST_PAUSE: Final = 1.0
"""Bound in seconds of the first pause before a read is repeated; doubled each time. Salesforce
sends no Retry-After."""
MAX_SECONDS: Final = 30.0
"""Seconds after which a read that failed is not repeated: a query that timed out would time out
again, and an invocation has time for two of them (Salesforce ends a query after 120 s)."""
MAX_SESSIONS: Final = 3
"""The present session, the one that another invocation shares, and a new one."""
LIMIT_STATUSES: Final = frozenset({420, 429})
"""Statuses that ask for fewer calls (RFC 6585, section 4; 420 is not standard)."""
REFUSAL_STATUSES: Final = frozenset({401, 403})
BAD_REQUEST: Final = 400
"""The status of a call of which nothing was carried out (REST API Developer Guide, "Status Codes
and Error Responses"), also where its code says that Salesforce or a record is busy."""
FOREIGN_PAGE: Final = (
    "the call was answered {} with a page that is not of Salesforce's API, as a proxy or a "
    "firewall does: find what answers in place of Salesforce"
)
COMPACT: Final = {"X-PrettyPrint": "0"}
"""simple-salesforce requests indented responses, which are a third larger."""


PLAUSIBLE_YEARS: Final = range(2000, 9000)
"""The years of a server's clock that can be calculated with."""


class NoCallError(RetryError):
    """Salesforce accepts no call now, whatever it asks for: a limit, or sessions that expire."""


class UnansweredError(RetryError):
    """Salesforce could not answer a call. What it asked for may be the cause: ask for less."""


class AnswerTooLargeError(UnansweredError):
    """An answer is too large to be read: a smaller part of it must be requested."""


class UnsavedError(UnansweredError):
    """Salesforce answered that it saved nothing of a call, and that a smaller one may succeed."""

    def __init__(self, message: str, refusal: RejectedError) -> None:
        super().__init__(message, reason=StopReason.SALESFORCE_UNAVAILABLE)
        self.refusal = refusal


def _any_json(body: object) -> Any:  # noqa: ANN401  # any JSON
    return body


def _is_repeatable(error: BaseException) -> bool:
    if isinstance(error, LoginUnavailableError | ResponseTooLargeError):
        return False
    return isinstance(error, RetryError | requests.RequestException)


class Connection:
    """Calls to one org. `retry` repeats reads; a write and a login are never repeated."""

    def __init__(
        self,
        http: HttpSession,
        sessions: SessionManager,
        retry: RetryPolicy,
        *,
        api_version: str,
    ) -> None:
        self._http = http
        self._sessions = sessions
        self._version = api_version
        self._client: Salesforce | None = None
        self._org_id = ""
        self._retry = replace(
            retry,
            first_pause=FIRST_PAUSE,
            max_pause=FIRST_PAUSE * 2 ** (MAX_ATTEMPTS - 1),
            max_seconds=MAX_SECONDS,
            max_attempts=MAX_ATTEMPTS,
        )

    @property
    def version(self) -> str:
        """The API version, such as 64.0."""
        return self._version

    @property
    def calls(self) -> int:
        """HTTP requests sent so far, logins included."""
        return self._http.calls

    @property
    def served_calls(self) -> int:
        """HTTP requests that reached Salesforce, as far as is known: these count in its limits."""
        return self._http.calls - self._http.unserved

    @property
    def usage(self) -> Usage | None:
        """The last usage of the whole org in 24 hours; None before the first response."""
        usage = None if self._client is None else self._client.api_usage.get("api-usage")
        return None if usage is None else Usage(usage.used, usage.total)

    @property
    def instance_url(self) -> str:
        """Return the address of the org's instance, without a slash at its end."""
        return str(self._with_session(lambda client: f"https://{client.sf_instance}"))

    def server_time(self) -> datetime | None:
        """Return Salesforce's clock by its last response; None before the first one.

        None also for a clock that cannot be read or calculated with.
        """
        try:
            time = self._http.server_time()
        except (ValueError, TypeError, OverflowError):
            return None
        return time if time is not None and time.year in PLAUSIBLE_YEARS else None

    def log_in(self) -> TokenResponse:
        """Log in and share the session, unless this version of the secret was refused.

        Raises `LoginRefusedError` without a request when the breaker is open for this version.
        """
        self._client = None
        return self._sessions.log_in()

    def read(
        self,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Any:  # noqa: ANN401  # any JSON
        """Call a resource that changes nothing; a temporary error is repeated (`MAX_ATTEMPTS`).

        Raises as `call`, but `RetryError` without a response.
        """
        return self.decode(
            _any_json, path, method=method, params=params, headers=headers, json=json
        )

    def decode(
        self,
        decode: Callable[[object], T],
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> T:
        """Read as `read`, and decode the JSON; a body that gives `RetryError` is read again."""
        return self._with_retry(
            lambda: decode(
                self.call(path, method=method, params=params, headers=headers, json=json)
            )
        )

    def read_reduced(
        self, path: str, *, params: Mapping[str, str], reduce: Callable[[bytes], bytes]
    ) -> Any:  # noqa: ANN401  # any JSON
        """Read a resource and reduce the response while it arrives (`HttpSession.request`)."""
        return self._with_retry(
            lambda: self._with_session(
                lambda client: client.restful(
                    path, params=dict(params), headers=COMPACT, reduce=reduce
                )
            )
        )

    def call(
        self,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Any:  # noqa: ANN401  # any JSON
        """Call one REST resource below `/services/data/vXX.X/` and return its JSON.

        An expired session is renewed once. Raises `RetryError`, `StaleError`, `RejectedError` or
        `HaltError`, by the error table; `requests.RequestException` when a request that may have
        been carried out has no response.
        """
        return self._with_session(
            lambda client: client.restful(
                path,
                params=dict(params or {}),
                method=method,
                headers={**COMPACT, **(headers or {})},
                **({} if json is None else {"json": json}),
            )
        )

    def query(self, soql: str, *names: str, path: str = "query/") -> list[dict[str, Scalar]]:
        """Return these members of the records that a query finds on its first page."""
        decode = partial(read_members, names=names)
        return self.decode(decode, path, params={"q": soql})

    def next_page(self, next_page: str) -> QueryPage:
        """Return the next page of a query; its address must be relative to the instance."""
        if not next_page.startswith("/services/data/") or ".." in next_page:
            raise RejectedError("NEXT_PAGE", remedy("NEXT_PAGE"))
        return self._with_retry(
            lambda: read_query_page(
                self._with_session(
                    lambda client: client.query_more(
                        next_page, identifier_is_url=True, headers=COMPACT
                    )
                )
            )
        )

    def user_id(self) -> str:
        """Return the id of the user of the session. Raises as `read`."""
        return self._user_info(_user_id)

    def bind_org(self) -> str:
        """Return the org of the current secret, and refuse to call another one from now on.

        The login says which org it is, so this costs no call; '' where neither the login nor a call
        shows it. Raises as `read`.
        """
        self._org_id = ""
        self._client = None
        token, _ = self._sessions.get_session(set())
        org_id = token.org_id
        if not org_id:
            try:
                org_id = self._user_info(_organization_id)
            except (RejectedError, StaleError):
                return ""
            self._sessions.save_org(token, org_id)
        self._org_id = org_id
        return org_id

    def _user_info(self, read: Callable[[object], T]) -> T:
        return self._with_retry(
            lambda: read(self._with_session(lambda client: client.oauth2("userinfo")))
        )

    def _with_retry(self, call: Callable[[], T]) -> T:
        try:
            return self._retry.call(call, retry_on=_is_repeatable, operation="salesforce_read")
        except ResponseTooLargeError as error:
            raise AnswerTooLargeError(
                f"Salesforce's answer has more than {error.limit} bytes",
                reason=StopReason.SALESFORCE_UNAVAILABLE,
            ) from error
        except requests.RequestException as error:
            raise UnansweredError(
                "Salesforce does not respond", reason=StopReason.SALESFORCE_UNAVAILABLE
            ) from error

    def _with_session(self, call: Callable[[Salesforce], Any]) -> Any:  # noqa: ANN401  # any JSON
        """Call with the present session; if it has expired, with the shared or a new one."""
        expired: set[str] = set()
        for _ in range(MAX_SESSIONS):
            client, is_new = self._client_for_session(expired)
            try:
                return self._translate_errors(call, client)
            except _SessionExpiredError as error:
                if is_new and expired:
                    raise error.refusal(self._sessions.flow()) from None
                expired.add(client.session_id)
                self._client = None
        raise NoCallError(
            "the sessions that Salesforce gives expire immediately",
            reason=StopReason.SALESFORCE_UNAVAILABLE,
        )

    @staticmethod
    def _translate_errors(call: Callable[[Salesforce], Any], client: Salesforce) -> Any:  # noqa: ANN401  # any JSON
        try:
            return call(client)
        except SalesforceError as error:
            raise to_error(error.status, error.content) from error
        except requests.RequestException as error:
            if isinstance(error, requests.exceptions.JSONDecodeError):
                raise _not_json() from error
            raise
        except NOT_PARSED as error:
            raise _not_json() from error

    def _client_for_session(self, expired: set[str]) -> tuple[Salesforce, bool]:
        """Return a client whose session is not known to be expired, and whether it is new."""
        if self._client is not None:
            return self._client, False
        token, is_new = self._sessions.get_session(expired)
        if (
            self._org_id
            and token.org_id
            and not same_system(Side.SALESFORCE, self._org_id, token.org_id)
        ):
            raise other_system_error(Side.SALESFORCE, self._org_id, token.org_id)
        self._client = Salesforce(
            session_id=token.access_token,
            instance_url=token.instance_url,
            session=self._http,
            version=self._version,
            object_pairs_hook=None,
        )
        return self._client, is_new


NOT_PARSED: Final = (ValueError, TypeError, RecursionError)
"""What simple-salesforce raises for a body that it cannot parse: bytes or numbers that are not
JSON's, a body that is no object and no array, or one that is nested too deeply."""


def _not_json() -> RetryError:
    return RetryError("Salesforce's response is not JSON", reason=StopReason.SALESFORCE_UNAVAILABLE)


def _organization_id(body: object) -> str:
    """Return the id of the org; '' where the response does not show it."""
    match body:
        case {"organization_id": str(org)}:
            return org
        case _:
            return ""


def _user_id(body: object) -> str:
    match body:
        case {"user_id": str(user)} if is_record_id(user):
            return user
        case _:
            raise unusable_answer("user")


class _SessionExpiredError(Exception):
    """The session is not valid any more; one new session may be requested."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self._code = code
        self._message = message

    def refusal(self, flow: Flow) -> DiagnosedError:
        """Return the error for a new session, of a login by this flow, that Salesforce refuses."""
        diagnosis = diagnose_session(self._code, self._message, flow)
        return DiagnosedError(
            diagnosis.stop or StopReason.SESSION_REFUSED,
            "Salesforce refuses a session that it has just given. Most likely causes, in order: "
            f"{diagnosis.numbered_causes()}",
            diagnosis.causes,
        )


def part_error(status: int, content: object) -> Exception:
    """Return the connector's error for a sub-request of a composite call that was refused.

    An expired session refuses the whole call, so a part that says so cannot be explained.
    """
    error = to_error(status, content)
    return unusable_answer("part") if isinstance(error, _SessionExpiredError) else error


def to_error(status: int, content: object) -> Exception:
    """Return the connector's error for an error response of Salesforce.

    The message of the response may contain personal values and is dropped.
    """
    code, message, fields = _parse_error(content)
    if not code and status in REFUSAL_STATUSES and _is_page(content):
        return RetryError(FOREIGN_PAGE.format(status), reason=StopReason.SALESFORCE_UNAVAILABLE)
    code = code or str(status)
    row = find_error(code, message)
    text = _described(status, code, row)
    refusal = RejectedError(code, remedy(code, message), fields=fields)
    match classify(status, code, message):
        case ErrorAction.RENEW:
            return _SessionExpiredError(code, message)
        case ErrorAction.RETRY if _is_limit(status, row):
            return NoCallError(text, reason=StopReason.SALESFORCE_UNAVAILABLE)
        case ErrorAction.RETRY if status == BAD_REQUEST or (row is not None and row.of_batch):
            return UnsavedError(text, refusal)
        case ErrorAction.RETRY:
            return UnansweredError(text, reason=StopReason.SALESFORCE_UNAVAILABLE)
        case ErrorAction.STALE:
            return StaleError(_described(status, code, None))
        case ErrorAction.HALT:
            return halt_error(row or find_error(str(status)) or UNKNOWN_ERROR, code)
        case ErrorAction.REJECT if row is not None and row.error_class is ErrorClass.SCHEMA:
            return UnknownFieldError(code, refusal.remedy, fields=fields)
        case ErrorAction.REJECT:
            return refusal


def _is_limit(status: int, row: ErrorRow | None) -> bool:
    """Return whether an error is about the number of calls, and not about one of them."""
    is_api_limit = row is not None and row.error_class is ErrorClass.API_LIMIT
    return is_api_limit or status in LIMIT_STATUSES


def _is_page(content: object) -> bool:
    """Return whether a body is a page: Salesforce's API refuses with JSON, or with a word."""
    return isinstance(content, str) and content.lstrip("\ufeff \t\r\n").startswith("<")


def _described(status: int, code: str, row: ErrorRow | None) -> str:
    """Return the status, the code and the advice of an error as one sentence."""
    codes = str(status) if code == str(status) else f"{status} {code}"
    advice = row.numbered_causes() if row is not None else ""
    return f"Salesforce answered {codes}: {advice}" if advice else f"Salesforce answered {codes}"


def _parse_error(content: object) -> tuple[str, str, tuple[str, ...]]:
    """Return code, message and fields of an error body; '' and () where it has none."""
    match content:
        case [{"errorCode": str(code), **rest}, *_]:
            message, names = rest.get("message"), rest.get("fields")
            fields = names if isinstance(names, list) else []
            return (
                code,
                message if isinstance(message, str) else "",
                tuple(name for name in fields if isinstance(name, str)),
            )
        case _:
            return "", "", ()
