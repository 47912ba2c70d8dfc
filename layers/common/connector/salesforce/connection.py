"""Calls to Salesforce with a session that is renewed when it dies.

Every call goes through simple-salesforce with our own `HttpSession`; its errors are turned into ours by
the verdict table, for it tells them apart by HTTP status alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from connector.errors import RejectedError, RetryError, StaleError, StopReason
from connector.http_session import ErrorAction, HttpSession, classify_error
from connector.salesforce.auth.login import LoginUnavailableError, TokenResponse
from connector.salesforce.auth.session import SessionManager
from connector.salesforce.budget import Usage
from connector.salesforce.diagnosis import CALL, DiagnosedError, diagnose_call, stop_reason
from connector.salesforce.remedies import remedy

MAX_ATTEMPTS: Final = 3
FIRST_PAUSE: Final = 1.0
"""Seconds before a read is repeated; doubled each time. Salesforce gives no Retry-After."""
MAX_SESSIONS: Final = 3
"""The session held, the one that another invocation shares, and a new one."""
COMPACT: Final = {"X-PrettyPrint": "0"}
"""simple-salesforce asks for indented answers, a third larger."""


class Connection:
    """Calls to one org."""

    def __init__(
        self,
        wire: HttpSession,
        sessions: SessionManager,
        sleep: Callable[[float], None],
        *,
        api_version: str,
    ) -> None:
        self._wire = wire
        self._sessions = sessions
        self._sleep = sleep
        self._version = api_version
        self._client: Salesforce | None = None

    @property
    def version(self) -> str:
        """The API version spoken, such as 64.0."""
        return self._version

    @property
    def calls(self) -> int:
        """HTTP requests sent so far, logins included."""
        return self._wire.calls

    @property
    def usage(self) -> Usage | None:
        """What Salesforce said last of the whole org's calls in 24 hours; None before any."""
        said = None if self._client is None else self._client.api_usage.get("api-usage")
        return None if said is None else Usage(said.used, said.total)

    def server_time(self) -> datetime | None:
        """Return what Salesforce's clock says now, by its last answer; None before any."""
        return self._wire.server_time()

    def log_in(self) -> TokenResponse:
        """Log in anew and share the session, unless this version of the secret was refused.

        Raises `LoginRefusedError` without asking when the breaker is open for this version.
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
    ) -> Any:  # noqa: ANN401  # whatever JSON the answer holds
        """Call a resource that changes nothing; repeated on the spot a bounded number of times."""
        return self._with_retry(
            lambda: self.call(path, method=method, params=params, headers=headers, json=json)
        )

    def read_reduced(
        self, path: str, *, params: Mapping[str, str], reduce: Callable[[bytes], bytes]
    ) -> Any:  # noqa: ANN401  # as above
        """Read a resource whose answer is shortened while it arrives (`HttpSession.request`)."""
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
    ) -> Any:  # noqa: ANN401  # whatever JSON the answer holds
        """Call one REST resource below `/services/data/vXX.X/` and return its JSON.

        A session that died is renewed once. Raises `RetryError`, `StaleError`, `RejectedError` or
        `HaltError`, by the verdict table; `requests.RequestException` when a request that may have
        been carried out was not answered.
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

    def next_page(self, next_page: str) -> Any:  # noqa: ANN401  # as above
        """Return the next page of a query; its address must be relative to the instance."""
        if not next_page.startswith("/services/data/") or ".." in next_page:
            raise RejectedError("NEXT_PAGE", "Salesforce's answer points outside of its own API")
        return self._with_retry(
            lambda: self._with_session(
                lambda client: client.query_more(next_page, identifier_is_url=True, headers=COMPACT)
            )
        )

    def user_id(self) -> str:
        """Return the id of the user whom the session belongs to. Raises as `read`."""
        said = self._with_retry(
            lambda: self._with_session(lambda client: client.oauth2("userinfo"))
        )
        return str(said["user_id"])

    def _with_retry(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401  # as above
        for attempt in range(MAX_ATTEMPTS - 1):
            try:
                return call()
            except LoginUnavailableError:
                raise
            except (RetryError, requests.RequestException):
                self._sleep(FIRST_PAUSE * 2**attempt)
        try:
            return call()
        except requests.RequestException as error:
            raise RetryError(
                "Salesforce does not answer", reason=StopReason.SALESFORCE_UNAVAILABLE
            ) from error

    def _with_session(self, call: Callable[[Salesforce], Any]) -> Any:  # noqa: ANN401  # as above
        """Call with the session held; when it is dead with a shared one; at last with a new one."""
        dead: set[str] = set()
        for _ in range(MAX_SESSIONS):
            client, just_given = self._client_for_session(dead)
            try:
                return self._translate_errors(call, client)
            except _SessionExpiredError as died:
                if just_given and dead:
                    raise DiagnosedError(
                        StopReason.SESSION_REFUSED, died.message(), died.advice.causes
                    ) from None
                dead.add(client.session_id)
                self._client = None
        raise RetryError(
            "Salesforce's sessions die as fast as they are shared",
            reason=StopReason.SALESFORCE_UNAVAILABLE,
        )

    @staticmethod
    def _translate_errors(call: Callable[[Salesforce], Any], client: Salesforce) -> Any:  # noqa: ANN401  # as above
        try:
            return call(client)
        except SalesforceError as error:
            raise to_error(error.status, error.content) from error
        except requests.exceptions.JSONDecodeError as error:
            raise RetryError(
                "Salesforce answered with something that is not JSON",
                reason=StopReason.SALESFORCE_UNAVAILABLE,
            ) from error

    def _client_for_session(self, dead: set[str]) -> tuple[Salesforce, bool]:
        """Return a client whose session is not known to be dead, and whether it is brand new."""
        if self._client is not None:
            return self._client, False
        token, just_given = self._sessions.get_session(dead)
        self._client = Salesforce(
            session_id=token.access_token,
            instance_url=token.instance_url,
            session=self._wire,
            version=self._version,
            object_pairs_hook=None,
        )
        return self._client, just_given


class _SessionExpiredError(Exception):
    """The session is not valid any more; a new one may be asked for, once."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.advice = diagnose_call(code, message) or CALL["INVALID_SESSION_ID", ""]

    def message(self) -> str:
        """Say what it means that a brand new session is refused."""
        return (
            "Salesforce refuses a session that it has just given. Most likely causes, in order: "
            f"{self.advice.numbered()}"
        )


def to_error(status: int, content: object) -> Exception:
    """Say a Salesforce error in our words; its text may hold personal values and is not kept."""
    code, message, fields = _parse_error(content)
    advice = diagnose_call(code or str(status), message)
    told = advice.numbered() if advice else remedy(code or str(status))
    match classify_error(status, code):
        case ErrorAction.RENEW:
            return _SessionExpiredError(code or "", message)
        case ErrorAction.RETRY:
            said = f"Salesforce answered {status} {code or ''}".strip()
            return RetryError(
                f"{said}: {told}" if advice else said, reason=StopReason.SALESFORCE_UNAVAILABLE
            )
        case ErrorAction.STALE:
            return StaleError(f"Salesforce answered {status} {code or ''}".strip())
        case ErrorAction.HALT if advice and advice.is_temporary:
            return RetryError(
                f"Salesforce answered {status} {code}: {told}",
                reason=StopReason.SALESFORCE_UNAVAILABLE,
            )
        case ErrorAction.HALT:
            causes = advice.causes if advice else (told,)
            return DiagnosedError(stop_reason(code or ""), told, causes, code or str(status))
        case ErrorAction.REJECT:
            return RejectedError(code or str(status), told, fields=fields)


def _parse_error(content: object) -> tuple[str | None, str, tuple[str, ...]]:
    match content:
        case [{"errorCode": str(code), **rest}, *_]:
            fields = rest.get("fields")
            message = str(rest.get("message", ""))
            return code, message, tuple(map(str, fields)) if isinstance(fields, list) else ()
        case _:
            return None, "", ()
