"""The wire to Plezi: headers, pace, errors; one request at a time.

What is verified of this API: base URL, the two headers, JSON:API shapes of create and of errors.
The rest is assumed and comes from `PleziDialect` (reference: plezi section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from connector.errors import HaltError, RejectedError, RetryError, StaleError, StopReason
from connector.http_session import ErrorAction, HttpSession, classify_error
from connector.secrets import PleziCredentials, SecretProvider

MAX_ATTEMPTS: Final = 4
FIRST_PAUSE: Final = 1.0
MAX_PAUSE: Final = 30.0
"""Seconds: a longer advice is not waited for inside a run; the next run comes back."""
MAX_DETAIL_CHARACTERS: Final = 300
TOO_MANY_REQUESTS: Final = 429


class RateLimiter:
    """Keeps the agreed number of calls a second (0: no limit)."""

    def __init__(
        self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    def acquire(self) -> None:
        """Wait for this call's turn."""
        if not self._gap:
            return
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._gap


@dataclass(frozen=True, slots=True)
class PleziResponse:
    """A success: its JSON object and its headers."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


class PleziApi:
    """Calls to one tenant."""

    def __init__(
        self,
        wire: HttpSession,
        secrets: SecretProvider[PleziCredentials],
        base_url: str,
        pace: RateLimiter,
        sleep: Callable[[float], None],
    ) -> None:
        self._wire = wire
        self._secrets = secrets
        self._base_url = base_url.rstrip("/")
        self._pace = pace
        self._sleep = sleep

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._wire.calls

    def read(self, path: str, params: Mapping[str, str] | None = None) -> PleziResponse:
        """Get a resource; repeated on the spot a bounded number of times.

        Raises `RetryError`, `StaleError` (it is not there), `RejectedError` or `HaltError`.
        """
        pause = FIRST_PAUSE
        for attempt in range(MAX_ATTEMPTS):
            try:
                return self.send("GET", path, params=params)
            except requests.RequestException as error:
                if attempt == MAX_ATTEMPTS - 1:
                    raise RetryError(
                        "Plezi does not answer", reason=StopReason.PLEZI_UNAVAILABLE
                    ) from error
            except RetryError as error:
                if attempt == MAX_ATTEMPTS - 1 or error.after > MAX_PAUSE:
                    raise
                pause = max(pause, error.after)
            self._sleep(pause)
            pause *= 2
        raise AssertionError("the last try returns or raises")

    def write(self, method: str, path: str, body: object) -> PleziResponse:
        """Send a write once; again only when Plezi says that it did nothing (429).

        Raises as `read`, and `requests.RequestException` when the answer was not heard.
        """
        for _ in range(MAX_ATTEMPTS - 1):
            try:
                return self.send(method, path, json=body)
            except _TooManyRequestsError as error:
                if error.after > MAX_PAUSE:
                    raise
                self._sleep(error.after or FIRST_PAUSE)
        return self.send(method, path, json=body)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
    ) -> PleziResponse:
        """Send one request and judge the answer."""
        credentials = self._secrets.current().value
        self._pace.acquire()
        answer = self._wire.request(
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
        if answer.ok:
            return PleziResponse(_json_object(answer), answer.headers)
        raise _to_error(answer)


class _TooManyRequestsError(RetryError):
    """Plezi refused a call because of its rate: nothing was done."""


def _to_error(answer: requests.Response) -> Exception:
    status = answer.status_code
    match classify_error(status, None):
        case ErrorAction.RETRY:
            after = answer.headers.get("Retry-After", "")
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
            return RejectedError(str(status), _detail(answer))


def _detail(answer: requests.Response) -> str:
    """Plezi's own words, which may be HTML or nothing at all; they are for the ledger only."""
    try:
        errors = _json_object(answer).get("errors", [])
        words = "; ".join(str(it.get("detail") or it.get("title")) for it in errors)
    except (AttributeError, RetryError):
        words = ""
    return (words or "Plezi refused the contact and gave no reason")[:MAX_DETAIL_CHARACTERS]


def _json_object(answer: requests.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError as error:
        raise RetryError(
            "Plezi answered with something that is not JSON", reason=StopReason.PLEZI_UNAVAILABLE
        ) from error
    if not isinstance(body, dict):
        raise RetryError(
            "Plezi answered with something that is not a JSON object",
            reason=StopReason.PLEZI_UNAVAILABLE,
        )
    return body
