"""Calls to Salesforce with a session that is renewed when it expires.

Every call uses simple-salesforce with an `HttpSession`. simple-salesforce distinguishes errors only
by HTTP status; this module translates them by the error table (`salesforce.error_table`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import requests

from connector.errors import (
    RejectedError,
    RetryError,
    StaleError,
    StopReason,
    UnknownFieldError,
)
from connector.http_session import ErrorAction, HttpSession
from connector.retry import RetryPolicy
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

MAX_ATTEMPTS: Final = 3
FIRST_PAUSE: Final = 1.0
"""Bound in seconds of the first pause before a read is repeated; doubled each time. Salesforce
sends no Retry-After."""
MAX_SESSIONS: Final = 3
"""The present session, the one that another invocation shares, and a new one."""
COMPACT: Final = {"X-PrettyPrint": "0"}
"""simple-salesforce requests indented responses, which are a third larger."""


def _is_repeatable(error: BaseException) -> bool:
    if isinstance(error, LoginUnavailableError):
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
        self._retry = replace(
            retry,
            first_pause=FIRST_PAUSE,
            max_pause=FIRST_PAUSE * 2 ** (MAX_ATTEMPTS - 1),
            max_seconds=math.inf,
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
    def usage(self) -> Usage | None:
        """The last usage of the whole org in 24 hours; None before the first response."""
        usage = None if self._client is None else self._client.api_usage.get("api-usage")
        return None if usage is None else Usage(usage.used, usage.total)

    def server_time(self) -> datetime | None:
        """Return Salesforce's clock by its last response; None before the first one."""
        return self._http.server_time()

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
        return self._with_retry(
            lambda: self.call(path, method=method, params=params, headers=headers, json=json)
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

    def next_page(self, next_page: str) -> Any:  # noqa: ANN401  # any JSON
        """Return the next page of a query; its address must be relative to the instance."""
        if not next_page.startswith("/services/data/") or ".." in next_page:
            raise RejectedError("NEXT_PAGE", remedy("NEXT_PAGE"))
        return self._with_retry(
            lambda: self._with_session(
                lambda client: client.query_more(next_page, identifier_is_url=True, headers=COMPACT)
            )
        )

    def user_id(self) -> str:
        """Return the id of the user of the session. Raises as `read`."""
        user = self._with_retry(
            lambda: self._with_session(lambda client: client.oauth2("userinfo"))
        )
        return str(user["user_id"])

    def _with_retry(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401  # any JSON
        try:
            return self._retry.call(call, retry_on=_is_repeatable, operation="salesforce_read")
        except requests.RequestException as error:
            raise RetryError(
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
                    raise error.refusal() from None
                expired.add(client.session_id)
                self._client = None
        raise RetryError(
            "the sessions that Salesforce gives expire immediately",
            reason=StopReason.SALESFORCE_UNAVAILABLE,
        )

    @staticmethod
    def _translate_errors(call: Callable[[Salesforce], Any], client: Salesforce) -> Any:  # noqa: ANN401  # any JSON
        try:
            return call(client)
        except SalesforceError as error:
            raise to_error(error.status, error.content) from error
        except requests.exceptions.JSONDecodeError as error:
            raise RetryError(
                "Salesforce's response is not JSON", reason=StopReason.SALESFORCE_UNAVAILABLE
            ) from error

    def _client_for_session(self, expired: set[str]) -> tuple[Salesforce, bool]:
        """Return a client whose session is not known to be expired, and whether it is new."""
        if self._client is not None:
            return self._client, False
        token, is_new = self._sessions.get_session(expired)
        self._client = Salesforce(
            session_id=token.access_token,
            instance_url=token.instance_url,
            session=self._http,
            version=self._version,
            object_pairs_hook=None,
        )
        return self._client, is_new


class _SessionExpiredError(Exception):
    """The session is not valid any more; one new session may be requested."""

    def __init__(self, diagnosis: ErrorRow) -> None:
        super().__init__(diagnosis.code)
        self._diagnosis = diagnosis

    def refusal(self) -> DiagnosedError:
        """Return the error for a new session that Salesforce refuses."""
        return DiagnosedError(
            self._diagnosis.stop or StopReason.SESSION_REFUSED,
            "Salesforce refuses a session that it has just given. Most likely causes, in order: "
            f"{self._diagnosis.numbered_causes()}",
            self._diagnosis.causes,
        )


def to_error(status: int, content: object) -> Exception:
    """Return the connector's error for an error response of Salesforce.

    The message of the response may contain personal values and is dropped.
    """
    code, message, fields = _parse_error(content)
    code = code or str(status)
    row = find_error(code, message)
    match classify(status, code, message):
        case ErrorAction.RENEW:
            return _SessionExpiredError(diagnose_session(code, message))
        case ErrorAction.RETRY:
            return RetryError(
                _described(status, code, row), reason=StopReason.SALESFORCE_UNAVAILABLE
            )
        case ErrorAction.STALE:
            return StaleError(_described(status, code, None))
        case ErrorAction.HALT:
            return halt_error(row or find_error(str(status)) or UNKNOWN_ERROR, code)
        case ErrorAction.REJECT if row is not None and row.error_class is ErrorClass.SCHEMA:
            return UnknownFieldError(code, remedy(code), fields=fields)
        case ErrorAction.REJECT:
            return RejectedError(code, remedy(code), fields=fields)


def _described(status: int, code: str, row: ErrorRow | None) -> str:
    """Return the status, the code and the advice of an error as one sentence."""
    codes = str(status) if code == str(status) else f"{status} {code}"
    advice = row.numbered_causes() if row is not None else ""
    return f"Salesforce answered {codes}: {advice}" if advice else f"Salesforce answered {codes}"


def _parse_error(content: object) -> tuple[str, str, tuple[str, ...]]:
    """Return code, message and fields of an error body; '' and () where it has none."""
    match content:
        case [{"errorCode": str(code), **rest}, *_]:
            fields = rest.get("fields")
            message = str(rest.get("message", ""))
            return code, message, tuple(map(str, fields)) if isinstance(fields, list) else ()
        case _:
            return "", "", ()
