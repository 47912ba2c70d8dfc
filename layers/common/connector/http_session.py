"""HTTP sessions: time-outs on every call, bounded responses, no redirects, a count of the calls.

This module also maps the HTTP statuses of errors to the next action of the connector.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from connector.deadline import Deadline, no_deadline

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
"""For how long a session waits for a response when no other time is given; a known Plezi client
waits 20 s too."""
WHOLE_SECONDS: Final = 120.0
"""Seconds that a whole response may take at most, if the session's read time-out is not longer:
each read may wait for the read time-out, and a server that sends a byte now and then would never
meet it. Salesforce ends a request after 120 s too ("API Request Limits and Allocations")."""
CHUNK_BYTES: Final = 64 * 1024
"""Bytes of a response that are read at a time, at most."""
MAX_RESPONSE_BYTES: Final = 20 * 1024 * 1024
"""Bytes; 2,000 rows of 60 fields are about 4 MB, so no expected response is larger."""
OK_STATUSES: Final = range(200, 300)


class ResponseTooLargeError(requests.ConnectionError):
    """A response has more bytes than `limit`: the same request has the same answer again.

    A caller that can asks for less; to others it is a response that did not arrive.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"the response is larger than {limit} bytes")
        self.limit = limit


class ErrorAction(StrEnum):
    """The next action after an error.

    `retry`: send the same request later. `stale`: read the record again. `reject`: the request or
    record is refused, the others continue. `halt`: stop the run until an admin has acted. `renew`:
    get another session.
    """

    RETRY = "retry"
    STALE = "stale"
    REJECT = "reject"
    HALT = "halt"
    RENEW = "renew"


STATUS_ACTIONS: Final[Mapping[int, ErrorAction]] = {
    401: ErrorAction.RENEW,
    403: ErrorAction.HALT,
    404: ErrorAction.STALE,
    408: ErrorAction.RETRY,
    412: ErrorAction.STALE,
    420: ErrorAction.RETRY,
    429: ErrorAction.RETRY,
    500: ErrorAction.RETRY,
    502: ErrorAction.RETRY,
    503: ErrorAction.RETRY,
    504: ErrorAction.RETRY,
}
"""HTTP status -> action, for errors of both systems whose code has no action of its own (RFC 9110;
420 is not standard, it asks to slow down). Any other status is a refusal: an unknown error is never
repeated."""


def classify_status(status: int | None) -> ErrorAction:
    """Return the action for an error with this HTTP status; None: an error of one record."""
    return ErrorAction.REJECT if status is None else STATUS_ACTIONS.get(status, ErrorAction.REJECT)


class _TrustingAdapter(HTTPAdapter):
    """An HTTPS adapter that trusts one more certificate authority (PEM text)."""

    def __init__(self, authority: str) -> None:
        self._context = ssl.create_default_context()
        self._context.load_verify_locations(cadata=authority)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as urllib3
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)


GATEWAY_ERRORS: Final = frozenset({502, 503, 504})
"""Statuses of a gateway that got no answer from its servers (RFC 9110, 15.6)."""


def _is_unserved(response: requests.Response) -> bool:
    """Return whether a gateway answered in the place of the API, which answers in JSON."""
    content_type = response.headers.get("Content-Type", "")
    return response.status_code in GATEWAY_ERRORS and "json" not in content_type.lower()


class HttpSession(requests.Session):
    """A `requests` session with a time-out on every call and a bound on every response.

    It never follows a redirect, which could lead outside of the allowed hosts. It ignores proxies
    and netrc of the environment, and counts its calls. No call waits longer than `deadline` allows.
    """

    def __init__(self, *, authority: str = "", monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self.trust_env = False
        self.calls = 0
        self.unserved = 0
        """Calls that were answered in front of the API: 502, 503 or 504 without JSON."""
        self._server_clock: tuple[str, float] = ("", 0.0)
        self._deadline = no_deadline()
        self._read_seconds = READ_SECONDS
        if authority:
            self.mount("https://", _TrustingAdapter(authority))

    def limit_time(self, deadline: Deadline, read_seconds: float = READ_SECONDS) -> None:
        """Wait `read_seconds` at most for a response, and never longer than `deadline` allows."""
        self._deadline = deadline
        self._read_seconds = read_seconds

    def request(
        self,
        *args: Any,  # noqa: ANN401  # as requests
        reduce: Callable[[bytes], bytes] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> requests.Response:
        """Send one request; raise `requests.RequestException` without a complete response.

        Raises `ResponseTooLargeError` for a response above `MAX_RESPONSE_BYTES`. Raises
        `DeadlineError`, and sends nothing, when the invocation has no time for the call.

        `reduce` receives the bytes kept so far of a successful response plus the next chunk, and
        returns the bytes to keep: a response of which little is used is never in memory as a whole.
        """
        seconds = self._deadline.call_seconds(self._read_seconds)
        whole_seconds = self._deadline.call_seconds(max(self._read_seconds, WHOLE_SECONDS))
        ends_at = self._monotonic() + whole_seconds
        kwargs.setdefault("timeout", (min(CONNECT_SECONDS, seconds), seconds))
        kwargs["allow_redirects"] = False
        kwargs["stream"] = True
        self.calls += 1
        response = super().request(*args, **kwargs)
        is_reduced = response.status_code in OK_STATUSES
        try:
            content = _read_bounded(self._chunks(response, ends_at), reduce if is_reduced else None)
        except requests.RequestException:
            raise
        except Exception as error:
            raise requests.ConnectionError("the response is incomplete") from error
        finally:
            response.close()
        self.unserved += _is_unserved(response)
        response._content = content  # noqa: SLF001  # as Response.content itself does
        self._server_clock = (response.headers.get("Date", ""), self._monotonic())
        return response

    def _chunks(self, response: requests.Response, ends_at: float) -> Iterator[bytes]:
        """Yield the parts of a response as they arrive; raise when it is too long or too slow.

        A read waits for the read time-out at most, so the end is noticed that much later.
        """
        length = 0
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            length += len(chunk)
            if length > MAX_RESPONSE_BYTES:
                raise ResponseTooLargeError(MAX_RESPONSE_BYTES)
            yield chunk
            if self._monotonic() > ends_at:
                raise requests.ConnectionError("the response takes too long")

    def server_time(self) -> datetime | None:
        """Return the server's clock by its last response; None where no response shows it."""
        date, received_at = self._server_clock
        elapsed = timedelta(seconds=self._monotonic() - received_at)
        try:
            return parsedate_to_datetime(date).astimezone(UTC) + elapsed if date else None
        except (ValueError, TypeError, OverflowError):  # a header that is no date, or out of range
            return None


def _read_bounded(chunks: Iterator[bytes], reduce: Callable[[bytes], bytes] | None) -> bytes:
    """Return the bytes to keep of a response; `reduce` bounds them while it is read."""
    if reduce is None:
        return b"".join(chunks)
    kept = b""
    for chunk in chunks:
        kept = reduce(kept + chunk)
    return kept
