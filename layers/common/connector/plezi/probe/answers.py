"""The calls of the probe and their answers, of any status and any form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests

from connector.deadline import DeadlineError
from connector.http_session import OK_STATUSES
from connector.plezi.api import PleziApi, read_object
from connector.plezi.api_dialect import Pager
from connector.plezi.list_end import stated_total

RATE_HEADERS: Final = ("ratelimit", "rate-limit", "retry-after")
"""Parts of the names of headers that tell a limit of calls: `RateLimit-Limit` (draft of the IETF's
HTTPAPI group), `X-RateLimit-Limit` (used by many APIs), `Retry-After` (RFC 9110)."""
MAX_ERROR_CHARACTERS: Final = 200

Row = Mapping[str, Any]
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the tenant: its status, its JSON object (None: it has none), its media type."""

    status: int
    body: Row | None
    form: str

    @property
    def is_ok(self) -> bool:
        """Whether the tenant did what was asked."""
        return self.status in OK_STATUSES

    @property
    def rows(self) -> list[Row] | None:
        """The resources of a list; None where the answer is no list of objects."""
        data = self.body.get("data") if self.body is not None and self.is_ok else None
        if not isinstance(data, list):
            return None
        return [row for row in data if isinstance(row, dict)]

    @property
    def row(self) -> Row | None:
        """The resource of an answer about one contact."""
        data = self.body.get("data") if self.body is not None and self.is_ok else None
        return data if isinstance(data, dict) else None

    @property
    def total(self) -> int | None:
        """The number of all contacts, as the list states it."""
        return stated_total(self.body) if self.body is not None else None

    @property
    def error(self) -> str:
        """The status of a refusal, with the texts of its errors."""
        errors = self.body.get("errors") if self.body is not None else None
        rows = errors if isinstance(errors, list) else []
        objects = [each for each in rows if isinstance(each, dict)]
        texts = [each.get("detail") or each.get("title") for each in objects]
        details = "; ".join(text for text in texts if isinstance(text, str))
        return f"{self.status} {details}".strip()[:MAX_ERROR_CHARACTERS]


class TenantCalls:
    """The calls of one invocation of the probe; it counts them and notes the headers of limits.

    Every method raises the errors of `PleziApi.examine`, and `DeadlineError`, with nothing sent,
    when a call of the measured pace would not end in time.
    """

    def __init__(self, api: PleziApi, clock: Callable[[], float]) -> None:
        self._api = api
        self._clock = clock
        self.number = 0
        self.seconds = 0.0
        self.rate_headers: set[str] = set()

    @property
    def tenant(self) -> str:
        """The tenant of the secret."""
        return self._api.tenant

    @property
    def rate_refusals(self) -> int:
        """Calls that the tenant refused because of the rate."""
        return self._api.rate_refusals

    def get(
        self, path: str, params: Mapping[str, str] | None = None, *, without: str = ""
    ) -> Answer:
        """Read; `without` is a header that is left out."""
        return self._noted(lambda: self._api.examine("GET", path, params=params, without=without))

    def write(self, method: str, path: str, body: object) -> Answer:
        """Write once; for `Throwaway`, which guards what is written."""
        return self._noted(lambda: self._api.examine(method, path, json=body))

    def _noted(self, call: Callable[[], requests.Response]) -> Answer:
        if not self._api.has_time_for(1):
            raise DeadlineError("the next call to Plezi would not end in time")
        started = self._clock()
        response = call()
        self.number += 1
        self.seconds += self._clock() - started
        self.rate_headers |= {
            name for name in response.headers if any(part in name.lower() for part in RATE_HEADERS)
        }
        return Answer(
            response.status_code,
            read_object(response),
            response.headers.get("Content-Type", "").partition(";")[0],
        )


def paging(pager: Pager, number: int, size: int) -> dict[str, str]:
    """Return the parameters of a page, which are numbered from 1 on."""
    if pager is Pager.PAGE:
        return {"page": str(number), "per_page": str(size)}
    return {"offset": str((number - 1) * size), "limit": str(size)}


def ids_of(rows: Rows) -> list[str]:
    """Return the ids of some resources."""
    return [str(row.get("id", "")) for row in rows]


def attributes_of(row: Row) -> Row:
    """Return the attributes of a resource; none where it has no object of them."""
    attributes = row.get("attributes")
    return attributes if isinstance(attributes, dict) else {}
