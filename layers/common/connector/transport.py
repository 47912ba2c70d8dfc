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
PIECE: Final = 64 * 1024
"""Bytes of an answer read at a time when it is shortened on its way."""
LARGEST_ANSWER: Final = 20 * 1024 * 1024
"""Bytes; 2,000 rows of 60 fields are about 4 MB, so a larger answer is not one of ours."""
OK_STATUSES: Final = range(200, 300)


class Next(StrEnum):
    """What must be done next about an answer that is not a success."""

    RETRY = "retry"
    STALE = "stale"
    REJECT = "reject"
    HALT = "halt"
    RENEW = "renew"


VERDICTS: Final[Mapping[tuple[int | None, str | None], Next]] = {
    # Salesforce, by code; None as status: on any status, and inside collections.
    (None, "INVALID_SESSION_ID"): Next.RENEW,
    (None, "REQUEST_LIMIT_EXCEEDED"): Next.HALT,
    (None, "API_DISABLED_FOR_ORG"): Next.HALT,
    (None, "API_CURRENTLY_DISABLED"): Next.HALT,
    (None, "UNABLE_TO_LOCK_ROW"): Next.RETRY,
    (None, "SERVER_UNAVAILABLE"): Next.RETRY,
    (None, "QUERY_TIMEOUT"): Next.RETRY,
    (None, "UNKNOWN_EXCEPTION"): Next.RETRY,
    (None, "TXN_SECURITY_METERING_ERROR"): Next.RETRY,
    (None, "ENTITY_IS_DELETED"): Next.STALE,
    (None, "CANNOT_UPDATE_CONVERTED_LEAD"): Next.STALE,
    # Either side, by status, where the code says nothing of its own.
    (401, None): Next.RENEW,
    (403, None): Next.HALT,
    (404, None): Next.STALE,
    (408, None): Next.RETRY,
    (412, None): Next.STALE,
    (420, None): Next.RETRY,
    (429, None): Next.RETRY,
    (500, None): Next.RETRY,
    (502, None): Next.RETRY,
    (503, None): Next.RETRY,
    (504, None): Next.RETRY,
}
"""(status, code) -> what to do. Sources: reference/salesforce 1.7, 2.9, 2.10; reference/plezi 7.7.
What is not listed is refused, with its code: nothing unknown is ever repeated."""


def verdict(status: int | None, code: str | None) -> Next:
    """Return what must be done next about an error; a code says more than a status."""
    if code is not None and (None, code) in VERDICTS:
        return VERDICTS[None, code]
    if (status, None) in VERDICTS:
        return VERDICTS[status, None]
    return Next.REJECT


class _TrustingAdapter(HTTPAdapter):
    """An HTTPS adapter that trusts one more certificate authority (PEM text)."""

    def __init__(self, authority: str) -> None:
        self._context = ssl.create_default_context()
        self._context.load_verify_locations(cadata=authority)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as urllib3
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)


class Wire(requests.Session):
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
        self._far_clock: tuple[str, float] = ("", 0.0)
        if authority:
            self.mount("https://", _TrustingAdapter(authority))

    def request(
        self,
        *args: Any,  # noqa: ANN401  # as requests
        shorten: Callable[[bytes], bytes] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> requests.Response:
        """Send one request; raise `requests.RequestException` when no whole answer was heard.

        `shorten` is given what was kept of a successful answer and the next piece of it, and
        returns what to keep: an answer of which little is used need never be held whole.
        """
        kwargs.setdefault("timeout", (CONNECT_SECONDS, READ_SECONDS))
        kwargs["allow_redirects"] = False
        kwargs["stream"] = True
        self.calls += 1
        answer = super().request(*args, **kwargs)
        try:
            content, length = _heard(answer, shorten)
        except Exception as error:
            raise requests.ConnectionError("the answer was cut off") from error
        finally:
            answer.close()
        if length > LARGEST_ANSWER:
            raise requests.ConnectionError(f"the answer is larger than {LARGEST_ANSWER} bytes")
        answer._content = content  # noqa: SLF001  # what Response.content itself would set
        self._far_clock = (answer.headers.get("Date", ""), self._monotonic())
        return answer

    def far_time(self) -> datetime | None:
        """Return what the far side's clock says now, by its last answer; None before any."""
        said, heard_at = self._far_clock
        if not said:
            return None
        elapsed = timedelta(seconds=self._monotonic() - heard_at)
        return parsedate_to_datetime(said).astimezone(UTC) + elapsed


def _heard(
    answer: requests.Response, shorten: Callable[[bytes], bytes] | None
) -> tuple[bytes, int]:
    """Read an answer, no further than it is too large; return what is kept, and the length read."""
    if shorten is None or answer.status_code not in OK_STATUSES:
        content: bytes = answer.raw.read(LARGEST_ANSWER + 1, decode_content=True)
        return content, len(content)
    kept, length = b"", 0
    while length <= LARGEST_ANSWER and (piece := answer.raw.read(PIECE, decode_content=True)):
        kept = shorten(kept + piece)
        length += len(piece)
    return kept, length
