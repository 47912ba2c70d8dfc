"""How we speak HTTP: time-outs on every call, bounded answers, no redirects, calls counted.

And the one table that says what an error means for us, by what must be done next.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
"""A Salesforce call of 20 s or more counts as long-running (25 at once, 5 in a Developer Edition);
20 s is also what a known Plezi client waits."""
CHUNK_BYTES: Final = 64 * 1024
"""Bytes of an answer read at a time when it is shortened on its way."""
MAX_RESPONSE_BYTES: Final = 20 * 1024 * 1024
"""Bytes; 2,000 rows of 60 fields are about 4 MB, so a larger answer is not one of ours."""
OK_STATUSES: Final = range(200, 300)


class ErrorAction(StrEnum):
    """What must be done next about an answer that is not a success."""

    RETRY = "retry"
    STALE = "stale"
    REJECT = "reject"
    HALT = "halt"
    RENEW = "renew"


ERROR_ACTIONS: Final[Mapping[tuple[int | None, str | None], ErrorAction]] = {
    # Salesforce, by code; None as status: on any status, and inside collections.
    (None, "INVALID_SESSION_ID"): ErrorAction.RENEW,
    (None, "REQUEST_LIMIT_EXCEEDED"): ErrorAction.HALT,
    (None, "API_DISABLED_FOR_ORG"): ErrorAction.HALT,
    (None, "API_CURRENTLY_DISABLED"): ErrorAction.HALT,
    (None, "UNABLE_TO_LOCK_ROW"): ErrorAction.RETRY,
    (None, "SERVER_UNAVAILABLE"): ErrorAction.RETRY,
    (None, "QUERY_TIMEOUT"): ErrorAction.RETRY,
    (None, "UNKNOWN_EXCEPTION"): ErrorAction.RETRY,
    (None, "TXN_SECURITY_METERING_ERROR"): ErrorAction.RETRY,
    (None, "ENTITY_IS_DELETED"): ErrorAction.STALE,
    (None, "CANNOT_UPDATE_CONVERTED_LEAD"): ErrorAction.STALE,
    # Either side, by status, where the code says nothing of its own.
    (401, None): ErrorAction.RENEW,
    (403, None): ErrorAction.HALT,
    (404, None): ErrorAction.STALE,
    (408, None): ErrorAction.RETRY,
    (412, None): ErrorAction.STALE,
    (420, None): ErrorAction.RETRY,
    (429, None): ErrorAction.RETRY,
    (500, None): ErrorAction.RETRY,
    (502, None): ErrorAction.RETRY,
    (503, None): ErrorAction.RETRY,
    (504, None): ErrorAction.RETRY,
}
"""(status, code) -> what to do. Sources: reference/salesforce 1.7, 2.9, 2.10; reference/plezi 7.7.
What is not listed is refused, with its code: nothing unknown is ever repeated."""


def classify_error(status: int | None, code: str | None) -> ErrorAction:
    """Return what must be done next about an error; a code says more than a status."""
    if code is not None and (None, code) in ERROR_ACTIONS:
        return ERROR_ACTIONS[None, code]
    if (status, None) in ERROR_ACTIONS:
        return ERROR_ACTIONS[status, None]
    return ErrorAction.REJECT


class _TrustingAdapter(HTTPAdapter):
    """An HTTPS adapter that trusts one more certificate authority (PEM text)."""

    def __init__(self, authority: str) -> None:
        self._context = ssl.create_default_context()
        self._context.load_verify_locations(cadata=authority)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as urllib3
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)


class HttpSession(requests.Session):
    """A `requests` session with a time-out on every call and a bound on every answer.

    It never follows a redirect (an attacker's way out of the allow-list), ignores proxies and
    netrc of the environment, and counts its calls.
    """

    def __init__(
        self, *, authority: str = "", monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._monotonic = monotonic
        self.trust_env = False
        self.calls = 0
        self._server_clock: tuple[str, float] = ("", 0.0)
        if authority:
            self.mount("https://", _TrustingAdapter(authority))

    def request(
        self,
        *args: Any,  # noqa: ANN401  # as requests
        reduce: Callable[[bytes], bytes] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> requests.Response:
        """Send one request; raise `requests.RequestException` when no whole answer was heard.

        `reduce` is given what was kept of a successful answer and the next piece of it, and
        returns what to keep: an answer of which little is used need never be held whole.
        """
        kwargs.setdefault("timeout", (CONNECT_SECONDS, READ_SECONDS))
        kwargs["allow_redirects"] = False
        kwargs["stream"] = True
        self.calls += 1
        answer = super().request(*args, **kwargs)
        try:
            content, length = _read_bounded(answer, reduce)
        except Exception as error:
            raise requests.ConnectionError("the answer was cut off") from error
        finally:
            answer.close()
        if length > MAX_RESPONSE_BYTES:
            raise requests.ConnectionError(f"the answer is larger than {MAX_RESPONSE_BYTES} bytes")
        answer._content = content  # noqa: SLF001  # what Response.content itself would set
        self._server_clock = (answer.headers.get("Date", ""), self._monotonic())
        return answer

    def server_time(self) -> datetime | None:
        """Return what the far side's clock says now, by its last answer; None before any."""
        said, heard_at = self._server_clock
        if not said:
            return None
        elapsed = timedelta(seconds=self._monotonic() - heard_at)
        return parsedate_to_datetime(said).astimezone(UTC) + elapsed


def _read_bounded(
    answer: requests.Response, reduce: Callable[[bytes], bytes] | None
) -> tuple[bytes, int]:
    """Read an answer, no further than it is too large; return what is kept, and the length read."""
    if reduce is None or answer.status_code not in OK_STATUSES:
        content: bytes = answer.raw.read(MAX_RESPONSE_BYTES + 1, decode_content=True)
        return content, len(content)
    kept, length = b"", 0
    while length <= MAX_RESPONSE_BYTES and (
        piece := answer.raw.read(CHUNK_BYTES, decode_content=True)
    ):
        kept = reduce(kept + piece)
        length += len(piece)
    return kept, length
