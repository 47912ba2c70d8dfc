"""The session with Salesforce: shared by all invocations, renewed once, never retried when refused.

Every call goes through simple-salesforce with our own `Wire`; its errors are turned into ours by
the verdict table, for it tells them apart by HTTP status alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from connector.credentials import SalesforceCredentials, SecretReader
from connector.errors import HaltError, RejectedError, RetryError, StaleError
from connector.model import Breaker, Token
from connector.salesforce.budget import Usage
from connector.salesforce.login import log_in
from connector.salesforce.remedies import remedy
from connector.transport import Next, Wire, verdict

READ_TRIES: Final = 3
FIRST_PAUSE: Final = 1.0
"""Seconds before a read is repeated; doubled each time. Salesforce gives no Retry-After."""
COMPACT: Final = {"X-PrettyPrint": "0"}
"""simple-salesforce asks for indented answers, a third larger."""


class Gate(Protocol):
    """Where the session and the breaker are kept for all invocations."""

    def token(self) -> Token | None:
        """Return the session kept, if any."""

    def keep_token(self, token: Token) -> None:
        """Keep a session."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker."""

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""

    def close_breaker(self) -> None:
        """Close the breaker."""


class Connection:
    """Calls to one org."""

    def __init__(
        self,
        wire: Wire,
        secrets: SecretReader[SalesforceCredentials],
        gate: Gate,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        api_version: str,
        trusted_host: str = "",
    ) -> None:
        self._wire = wire
        self._sleep = sleep
        self._secrets = secrets
        self._gate = gate
        self._clock = clock
        self._version = api_version
        self._trusted_host = trusted_host
        self._token: Token | None = None
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

    def far_time(self) -> datetime | None:
        """Return what Salesforce's clock says now, by its last answer; None before any."""
        return self._wire.far_time()

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
        return self._repeated(
            lambda: self.ask(path, method=method, params=params, headers=headers, json=json)
        )

    def ask(
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
        return self._once_renewed(
            lambda client: client.restful(
                path,
                params=dict(params or {}),
                method=method,
                headers={**COMPACT, **(headers or {})},
                **({} if json is None else {"json": json}),
            )
        )

    def more(self, next_page: str) -> Any:  # noqa: ANN401  # as above
        """Return the next page of a query; its address must be relative to the instance."""
        if not next_page.startswith("/services/data/") or ".." in next_page:
            raise RejectedError("NEXT_PAGE", "Salesforce's answer points outside of its own API")
        return self._repeated(
            lambda: self._once_renewed(
                lambda client: client.query_more(next_page, identifier_is_url=True, headers=COMPACT)
            )
        )

    def user_id(self) -> str:
        """Return the id of the user whom the session belongs to. Raises as `read`."""
        said = self._repeated(lambda: self._once_renewed(lambda client: client.oauth2("userinfo")))
        return str(said["user_id"])

    def _repeated(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401  # as above
        for attempt in range(READ_TRIES - 1):
            try:
                return call()
            except (RetryError, requests.RequestException):
                self._sleep(FIRST_PAUSE * 2**attempt)
        try:
            return call()
        except requests.RequestException as error:
            raise RetryError("Salesforce does not answer") from error

    def _once_renewed(self, call: Callable[[Salesforce], Any]) -> Any:  # noqa: ANN401  # as above
        try:
            return self._judged(call)
        except _SessionDiedError:
            self._token = self._client = None
        try:
            return self._judged(call, renew=True)
        except _SessionDiedError:
            raise HaltError(
                "session",
                "Salesforce refuses a session that it has just given: check that the user has the "
                "permission 'API Enabled' and the app the scope 'api'",
            ) from None

    def _judged(self, call: Callable[[Salesforce], Any], *, renew: bool = False) -> Any:  # noqa: ANN401  # as above
        client = self._connected(renew=renew)
        try:
            return call(client)
        except SalesforceError as error:
            raise our_error(error.status, error.content) from error
        except requests.exceptions.JSONDecodeError as error:
            raise RetryError("Salesforce answered with something that is not JSON") from error

    def _connected(self, *, renew: bool) -> Salesforce:
        if self._client is None or self._token is None:
            self._token = self._session(renew=renew)
            self._client = Salesforce(
                session_id=self._token.access_token,
                instance_url=self._token.instance_url,
                session=self._wire,
                version=self._version,
                object_pairs_hook=None,
            )
        return self._client

    def _session(self, *, renew: bool) -> Token:
        """Return a session: the one that is shared, or a new one by a single login.

        The breaker, once open, stays open until the secret has another version.
        """
        secret = self._secrets.current(fresh=renew)
        breaker = self._gate.breaker()
        if breaker is not None and breaker.reason == "login_refused":
            secret = self._secrets.current(fresh=True)
            if breaker.secret_version == secret.version:
                raise HaltError(breaker.reason, breaker.message)
        shared = self._gate.token()
        if shared is not None and not renew and shared.secret_version == secret.version:
            return shared
        try:
            token = log_in(
                self._wire, secret.material, secret.version, self._clock, self._trusted_host
            )
        except HaltError as error:
            if error.reason == "login_refused":
                self._gate.open_breaker(
                    Breaker(error.reason, str(error), self._clock(), secret.version)
                )
            raise
        self._gate.keep_token(token)
        if breaker is not None:
            self._gate.close_breaker()
        return token


class _SessionDiedError(Exception):
    """The session is not valid any more; a new one may be asked for, once."""


def our_error(status: int, content: object) -> Exception:
    """Say a Salesforce error in our words; its text may hold personal values and is not kept."""
    code, fields = _code(content)
    match verdict(status, code):
        case Next.RENEW:
            return _SessionDiedError()
        case Next.RETRY:
            return RetryError(f"Salesforce answered {status} {code or ''}".strip())
        case Next.STALE:
            return StaleError(f"Salesforce answered {status} {code or ''}".strip())
        case Next.HALT:
            return HaltError(code or str(status), remedy(code or str(status)))
        case Next.REJECT:
            return RejectedError(code or str(status), remedy(code or str(status)), fields=fields)


def _code(content: object) -> tuple[str | None, tuple[str, ...]]:
    match content:
        case [{"errorCode": str(code), **rest}, *_]:
            fields = rest.get("fields")
            return code, tuple(map(str, fields)) if isinstance(fields, list) else ()
        case _:
            return None, ()
