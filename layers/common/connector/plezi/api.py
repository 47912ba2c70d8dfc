"""The Plezi API: headers, rate limit, errors; one request at a time.

Verified facts of this API: the base URL, the two headers, the JSON:API shapes of creations and of
errors. The rest is assumed and comes from `PleziDialect`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests

from connector.connected_systems import other_system_error, same_system
from connector.deadline import MIN_CALL_SECONDS
from connector.errors import HaltError, RejectedError, RetryError, StaleError, StopReason
from connector.http_session import (
    OK_STATUSES,
    ErrorAction,
    HttpSession,
    ResponseTooLargeError,
    classify_status,
)
from connector.mapping.literals import to_utc
from connector.model import Side
from connector.plezi.rate_limiter import NoSlotError, RateLimiter
from connector.retry import RetryPolicy
from connector.secret_version import SecretProvider
from connector.secrets import PleziCredentials

MAX_ATTEMPTS: Final = 4
FIRST_PAUSE: Final = 1.0
"""Bound in seconds of the first pause before a call is repeated; doubled each time."""
MAX_PAUSE: Final = 30.0
"""Seconds. A run does not wait for a longer advice of the server: the next run tries again."""
MAX_ADVICE: Final = 86_400.0
"""Seconds. The longest pause that is taken from a response: a day."""
MAX_NUMBER_CHARACTERS: Final = 400
"""The largest double has 309 digits; a longer number is kept as its text."""
MAX_DETAIL_CHARACTERS: Final = 300
DEEPEST_LEVEL: Final = 32
"""Lists and objects in one another: a value of a contact is on the sixth level at most."""
JSON_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
"""What decides about the level of a place in JSON: texts, and the ends of lists and objects."""
REFUSED_IN_SUCCESS: Final = "refused_in_success"
"""The code of a write that Plezi answers with a status of success and a list of errors: by JSON:API
1.0 a document has either data or errors, and some APIs send errors with the status 200."""
TOO_MANY_REQUESTS: Final = 429
FIRST_SERVER_ERROR: Final = 500
FIRST_ERROR_STATUS: Final = 400
"""A lower status that is no success leads to another address, or to a stored copy (RFC 9110)."""
ASSUMED_CALL_SECONDS: Final = 0.5
"""How long a call takes, until the first one was measured (assumed)."""
WEIGHT_OF_LAST_CALL: Final = 0.2
"""Share of the last call in the measured pace: about the last ten calls count."""


@dataclass(frozen=True, slots=True)
class PleziResponse:
    """A successful response: its JSON object and its headers."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


class NothingDoneError(RetryError):
    """Plezi answered that it did nothing: the same write may be sent again."""


class TooManyRequestsError(NothingDoneError):
    """Plezi refused a call because of its rate."""


class LargeAnswerError(RetryError):
    """A response is above the limit of the connector: the same request has the same answer."""


class FailedAnswerError(RetryError):
    """Plezi answered with an error of its own (5xx), or with something that is no JSON object."""


class RefusedKeyError(HaltError):
    """Plezi answered 401 or 403: `status`, with the text of its error in `detail`."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(
            StopReason.PLEZI_REFUSED,
            f"Plezi answered {status}: check the API key and the tenant's name in the secret",
        )
        self.status = status
        self.detail = detail


def _is_repeatable_read(error: BaseException) -> bool:
    if isinstance(error, NoSlotError):
        return False
    if isinstance(error, RetryError):
        return error.after <= MAX_PAUSE
    is_lost = isinstance(error, requests.RequestException)
    return is_lost and not isinstance(error, ResponseTooLargeError)


def _is_repeatable_write(error: BaseException) -> bool:
    return isinstance(error, TooManyRequestsError) and error.after <= MAX_PAUSE


class PleziApi:
    """Calls to one tenant. `rate_refusals` counts the calls that it refused for their rate."""

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
        self._tenant = ""
        self._retry = replace(
            retry,
            first_pause=FIRST_PAUSE,
            max_pause=MAX_PAUSE,
            max_seconds=math.inf,
            max_attempts=MAX_ATTEMPTS,
        )
        self._measured = 0.0
        self.rate_refusals = 0

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._http.calls

    @property
    def seconds_per_call(self) -> float:
        """How long a call takes, with its wait for the rate that all functions share."""
        return max(self._rate_limiter.gap, self._measured or ASSUMED_CALL_SECONDS)

    def has_time_for(self, calls: int) -> bool:
        """Whether so many calls, at the measured pace, end before the invocation's last call."""
        return self._retry.deadline.allows(calls * self.seconds_per_call + MIN_CALL_SECONDS)

    @property
    def tenant(self) -> str:
        """The tenant of the current secret."""
        return self._secrets.current().value.tenant

    def bind_tenant(self) -> str:
        """Return the tenant of the current secret, and refuse to call another one from now on."""
        self._tenant = self.tenant
        return self._tenant

    def read(
        self, path: str, params: Mapping[str, str] | None = None, patience: float = math.inf
    ) -> PleziResponse:
        """Get a resource; a temporary error is repeated (`MAX_ATTEMPTS`).

        After `patience` seconds only a refusal because of the rate (429) leads to another try.
        Raises `RetryError`, `StaleError` (not found), `RejectedError` or `HaltError`;
        `DeadlineError` or `NoSlotError` when no call could be made. `LargeAnswerError`, a
        `RetryError`, is raised at once.
        """
        started = self._retry.clock()

        def is_repeatable(error: BaseException) -> bool:
            is_late = self._retry.clock() - started > patience
            return _is_repeatable_write(error) if is_late else _is_repeatable_read(error)

        try:
            return self._retry.call(
                lambda: self.send("GET", path, params=params),
                retry_on=is_repeatable,
                operation="plezi_read",
            )
        except ResponseTooLargeError as error:
            text = f"Plezi's response is larger than {error.limit} bytes"
            raise LargeAnswerError(text, reason=StopReason.PLEZI_UNAVAILABLE) from error
        except requests.RequestException as error:
            raise RetryError(
                "Plezi does not respond", reason=StopReason.PLEZI_UNAVAILABLE
            ) from error

    def write(self, method: str, path: str, body: object) -> PleziResponse:
        """Send a write once; repeat it only when Plezi answers that it did nothing (429).

        Raises as `read`, and `requests.RequestException` when the response was lost. After a
        `NothingDoneError`, a `NoSlotError` or a `DeadlineError` nothing was written.
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
        """Send one request; return a successful response, else raise as `write`.

        When Plezi answers that there were too many calls and for how long it accepts no others, no
        function calls it for that time. A key that is refused may be from before a rotation, which
        this process does not know yet: then the request, which did nothing, is sent with the
        current key.
        """
        version = self._secrets.current().version
        response = self._exchange(method, path, params, json)
        if _refuses_key(response) and self._secrets.current(fresh=True).version != version:
            response = self._exchange(method, path, params, json)
        if response.status_code in OK_STATUSES:
            body = _json_object(response)
            if method != "GET" and body.get("errors") and not body.get("data"):
                raise RejectedError(
                    REFUSED_IN_SUCCESS, _detail(response), fields=_named_attributes(response)
                )
            return PleziResponse(body, response.headers)
        raise _to_error(response)

    def examine(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        without: str = "",
    ) -> requests.Response:
        """Send one request and return its response, also a refusal: for the probe of a tenant.

        `without` is a header that is left out. As in `read` and `write`, a temporary error of a GET
        and a refusal because of the rate are repeated, and raised after the last try: `RetryError`,
        `DeadlineError`, `NoSlotError`.
        """
        is_read = method == "GET"

        def exchange() -> requests.Response:
            response = self._exchange(method, path, params, json, without)
            if classify_status(response.status_code) is ErrorAction.RETRY:
                raise _to_error(response)
            return response

        try:
            return self._retry.call(
                exchange,
                retry_on=_is_repeatable_read if is_read else _is_repeatable_write,
                operation="plezi_probe",
            )
        except requests.RequestException as error:
            raise RetryError(
                "Plezi does not respond", reason=StopReason.PLEZI_UNAVAILABLE
            ) from error

    def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        json: object,
        without: str = "",
    ) -> requests.Response:
        """Send one request when the rate allows it; return the response, whatever its status."""
        credentials = self._secrets.current().value
        if self._tenant and not same_system(Side.PLEZI, self._tenant, credentials.tenant):
            raise other_system_error(Side.PLEZI, self._tenant, credentials.tenant)
        headers = {
            "X-API-Key": credentials.api_key.get_secret_value(),
            "X-Tenant-Company": credentials.tenant,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        headers.pop(without, None)
        started = self._retry.clock()
        self._rate_limiter.acquire()
        try:
            response = self._http.request(
                method,
                f"{self._base_url}/{path}",
                params=dict(params or {}),
                json=json,
                headers=headers,
            )
        finally:
            self._measure(self._retry.clock() - started)
        if response.status_code == TOO_MANY_REQUESTS:
            self.rate_refusals += 1
            if advice := _advice(response.headers):
                self._rate_limiter.postpone(advice)
        return response

    def _measure(self, seconds: float) -> None:
        known = self._measured or seconds
        self._measured = known + WEIGHT_OF_LAST_CALL * (seconds - known)


def _to_error(response: requests.Response) -> Exception:
    status = response.status_code
    if status < FIRST_ERROR_STATUS:
        return RetryError(
            f"Plezi's address answered {status}, which leads to another address, as a proxy does",
            reason=StopReason.PLEZI_UNAVAILABLE,
        )
    match classify_status(status):
        case ErrorAction.RETRY:
            kind = FailedAnswerError if status >= FIRST_SERVER_ERROR else RetryError
            kind = TooManyRequestsError if status == TOO_MANY_REQUESTS else kind
            return kind(
                f"Plezi answered {status}",
                reason=StopReason.PLEZI_UNAVAILABLE,
                after=_advice(response.headers),
            )
        case ErrorAction.STALE:
            return StaleError(f"Plezi answered {status}")
        case ErrorAction.RENEW | ErrorAction.HALT if _is_page(response):
            return RetryError(
                f"Plezi's address answered {status} with a web page, as a proxy or a firewall does",
                reason=StopReason.PLEZI_UNAVAILABLE,
            )
        case ErrorAction.RENEW | ErrorAction.HALT:
            return RefusedKeyError(status, _detail(response))
        case ErrorAction.REJECT:
            fields = _named_attributes(response)
            return RejectedError(str(status), _detail(response), fields=fields)


def _refuses_key(response: requests.Response) -> bool:
    """Return whether Plezi refuses the key of a request, as far as its status and body tell."""
    status = response.status_code
    is_refused = status >= FIRST_ERROR_STATUS and (
        classify_status(status) in {ErrorAction.RENEW, ErrorAction.HALT}
    )
    return is_refused and not _is_page(response)


def read_object(response: requests.Response) -> Mapping[str, Any] | None:
    """Return the JSON object of a response of any status; None where it has none."""
    try:
        return _json_object(response)
    except FailedAnswerError:
        return None


def _is_page(response: requests.Response) -> bool:
    """Return whether a response is a web page: Plezi refuses a key with JSON or text (assumed)."""
    return response.content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _advice(headers: Mapping[str, str]) -> float:
    """Return for how many seconds a response asks to wait; 0 where it does not say it.

    Retry-After is a number of seconds or a date (RFC 9110, section 10.2.3), which is compared with
    the date of the response.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_ADVICE)
    until, now = _http_date(text), _http_date(headers.get("Date", ""))
    if until is None or now is None:
        return 0.0
    return min(max((until - now).total_seconds(), 0.0), MAX_ADVICE)


def _http_date(text: str) -> datetime | None:
    """Return a date of a header, in UTC; None for a text that is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return to_utc(moment)


def _errors(response: requests.Response) -> list[dict[str, Any]]:
    """Return the errors of an answer; the body may be of any kind."""
    try:
        errors = _json_object(response).get("errors")
    except RetryError:
        errors = None
    return (
        [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    )


def _detail(response: requests.Response) -> str:
    """Return the text of Plezi's errors for the ledger."""
    texts = [error.get("detail") or error.get("title") for error in _errors(response)]
    details = "; ".join(text for text in texts if isinstance(text, str))
    return (details or "Plezi refused the contact and gave no reason")[:MAX_DETAIL_CHARACTERS]


def _named_attributes(response: requests.Response) -> tuple[str, ...]:
    """Return the words of a refusal that may be attributes: where it points to, and its text.

    JSON:API 1.0 points to an attribute by `source.pointer`, "/data/attributes/phone". Whether Plezi
    does is not known: the text of the error is read too.
    """
    words: dict[str, None] = {}
    for error in _errors(response):
        source = error.get("source")
        pointer = source.get("pointer") if isinstance(source, dict) else None
        for text in (pointer, error.get("detail"), error.get("title")):
            if isinstance(text, str):
                words |= dict.fromkeys(re.findall(r"\w+", text[:MAX_DETAIL_CHARACTERS]))
    return tuple(words)


def _json_object(response: requests.Response) -> Mapping[str, Any]:
    """Return the JSON object of a response, as `JSON_OPTIONS` says.

    What is nested too deeply for Python is left out, so that it does not hide the other contacts of
    a page. Raises `FailedAnswerError` for every other body.
    """
    try:
        try:
            body = response.json(**JSON_OPTIONS)
        except RecursionError:
            text = response.content.decode(errors="replace")
            body = json.loads(_without_deep_parts(text), **JSON_OPTIONS)
    except (ValueError, RecursionError) as error:
        raise FailedAnswerError(
            "Plezi's response is not JSON", reason=StopReason.PLEZI_UNAVAILABLE
        ) from error
    if not isinstance(body, dict):
        raise FailedAnswerError(
            "Plezi's response is not a JSON object", reason=StopReason.PLEZI_UNAVAILABLE
        )
    return body


def _without_deep_parts(text: str) -> str:
    """Return JSON in which every list and object below the deepest level is empty."""
    kept: list[str] = []
    depth = start = 0
    for token in JSON_TOKENS.finditer(text):
        match token.group()[0]:
            case "[" | "{":
                depth += 1
                if depth == DEEPEST_LEVEL:
                    kept.append(text[start : token.end()])
            case "]" | "}":
                if depth == DEEPEST_LEVEL:
                    start = token.start()
                depth -= 1
    return "".join([*kept, text[start:]])


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= MAX_NUMBER_CHARACTERS else text


def _double(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


JSON_OPTIONS: Final[Mapping[str, Any]] = {
    "strict": False,
    "parse_int": _integer,
    "parse_float": _double,
    "parse_constant": str,
}
"""How a response is read: a text may have raw control characters, which JSON does not allow
(RFC 8259, section 7), and a number may be one that Python cannot hold."""
