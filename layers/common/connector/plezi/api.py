"""The Plezi API: headers, rate limit, errors; one request at a time.

Verified facts of this API: the base URL, the two headers, the JSON:API shapes of creations and of
errors. The rest is assumed and comes from `PleziDialect`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import requests

from connector.errors import HaltError, RejectedError, RetryError, StaleError, StopReason
from connector.http_session import ErrorAction, HttpSession, classify_status
from connector.retry import RetryPolicy
from connector.secret_version import SecretProvider
from connector.secrets import PleziCredentials

MAX_ATTEMPTS: Final = 4
FIRST_PAUSE: Final = 1.0
"""Bound in seconds of the first pause before a call is repeated; doubled each time."""
MAX_PAUSE: Final = 30.0
"""Seconds. A run does not wait for a longer advice of the server: the next run tries again."""
MAX_DETAIL_CHARACTERS: Final = 300
TOO_MANY_REQUESTS: Final = 429


class RateLimiter:
    """Keeps the allowed number of calls a second (0: no limit)."""

    def __init__(
        self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    def acquire(self) -> None:
        """Wait until the next call is allowed."""
        if not self._gap:
            return
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._gap


@dataclass(frozen=True, slots=True)
class PleziResponse:
    """A successful response: its JSON object and its headers."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


class _TooManyRequestsError(RetryError):
    """Plezi refused a call because of its rate; nothing was done."""


def _is_repeatable_read(error: BaseException) -> bool:
    if isinstance(error, RetryError):
        return error.after <= MAX_PAUSE
    return isinstance(error, requests.RequestException)


def _is_repeatable_write(error: BaseException) -> bool:
    return isinstance(error, _TooManyRequestsError) and error.after <= MAX_PAUSE


class PleziApi:
    """Calls to one tenant."""

    def __init__(
        self,
        http: HttpSession,
        secrets: SecretProvider[PleziCredentials],
        base_url: str,
        rate_limiter: RateLimiter,
        retry: RetryPolicy,
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._base_url = base_url.rstrip("/")
        self._rate_limiter = rate_limiter
        self._retry = replace(
            retry,
            first_pause=FIRST_PAUSE,
            max_pause=MAX_PAUSE,
            max_seconds=math.inf,
            max_attempts=MAX_ATTEMPTS,
        )

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._http.calls

    def read(self, path: str, params: Mapping[str, str] | None = None) -> PleziResponse:
        """Get a resource; a temporary error is repeated (`MAX_ATTEMPTS`).

        Raises `RetryError`, `StaleError` (not found), `RejectedError` or `HaltError`.
        """
        try:
            return self._retry.call(
                lambda: self.send("GET", path, params=params),
                retry_on=_is_repeatable_read,
                operation="plezi_read",
            )
        except requests.RequestException as error:
            raise RetryError(
                "Plezi does not respond", reason=StopReason.PLEZI_UNAVAILABLE
            ) from error

    def write(self, method: str, path: str, body: object) -> PleziResponse:
        """Send a write once; repeat it only when Plezi answers that it did nothing (429).

        Raises as `read`, and `requests.RequestException` when the response was lost.
        """
        return self._retry.call(
            lambda: self.send(method, path, json=body),
            retry_on=_is_repeatable_write,
            operation="plezi_write",
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
    ) -> PleziResponse:
        """Send one request; return a successful response, else raise as `write`."""
        credentials = self._secrets.current().value
        self._rate_limiter.acquire()
        response = self._http.request(
            method,
            f"{self._base_url}/{path}",
            params=dict(params or {}),
            json=json,
            headers={
                "X-API-Key": credentials.api_key.get_secret_value(),
                "X-Tenant-Company": credentials.tenant,
                "Accept": "application/json",
                "Content-Type": "application/json",
            },
        )
        if response.ok:
            return PleziResponse(_json_object(response), response.headers)
        raise _to_error(response)


def _to_error(response: requests.Response) -> Exception:
    status = response.status_code
    match classify_status(status):
        case ErrorAction.RETRY:
            after = response.headers.get("Retry-After", "")
            kind = _TooManyRequestsError if status == TOO_MANY_REQUESTS else RetryError
            return kind(
                f"Plezi answered {status}",
                reason=StopReason.PLEZI_UNAVAILABLE,
                after=float(after) if after.isdigit() else 0.0,
            )
        case ErrorAction.STALE:
            return StaleError(f"Plezi answered {status}")
        case ErrorAction.RENEW | ErrorAction.HALT:
            return HaltError(
                StopReason.PLEZI_REFUSED,
                f"Plezi answered {status}: check the API key and the tenant's name in the secret",
            )
        case ErrorAction.REJECT:
            return RejectedError(str(status), _detail(response))


def _detail(response: requests.Response) -> str:
    """Return the text of Plezi's errors for the ledger; the body may be HTML or empty."""
    try:
        errors = _json_object(response).get("errors", [])
        details = "; ".join(str(error.get("detail") or error.get("title")) for error in errors)
    except (AttributeError, RetryError):
        details = ""
    return (details or "Plezi refused the contact and gave no reason")[:MAX_DETAIL_CHARACTERS]


def _json_object(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError as error:
        raise RetryError(
            "Plezi's response is not JSON", reason=StopReason.PLEZI_UNAVAILABLE
        ) from error
    if not isinstance(body, dict):
        raise RetryError(
            "Plezi's response is not a JSON object", reason=StopReason.PLEZI_UNAVAILABLE
        )
    return body
