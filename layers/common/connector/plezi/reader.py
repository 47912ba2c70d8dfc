"""Reads of changed contacts, for every tenant behaviour of the assumed list parameters.

There are three ways of reading, tried in this order. The result of each page shows whether the
tenant supports the way:

* *since*: the changed-since filter with ascending stamps; each page starts at the last stamp of the
  page before, so a contact that changes during the reading moves forward and is read later.
* *newest first*: descending stamps down to the watermark; a contact that changes moves to the
  start, where the next reading finds it.
* *everything*: where the tenant supports neither, all pages; the values show the changes.

A reading ends at an empty page, or at a page that has no new contact and is shorter than others:
totals and page sizes may be wrong, and thousands of contacts may have the same stamp.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from connector.errors import RejectedError, RetryError, StopReason
from connector.model import Cursor, Page
from connector.plezi.api import PleziApi, PleziResponse
from connector.plezi.api_dialect import ChangedSince, Pager, PleziDialect
from connector.plezi.contact_codec import ContactCodec

OVERLAP: Final = timedelta(minutes=10)
"""How long before Plezi's clock a watermark is: the consistency of its lists is not documented."""
EPOCH: Final = "1970-01-01T00:00:00.000Z"
MAX_PAGES: Final = 200_000
"""Pages of one reading; 20 million contacts at the default page size of 100."""
SINCE_PARAMETER: Final = {
    ChangedSince.FILTER: "filter[updated_at][gte]",
    ChangedSince.UPDATED_SINCE: "updated_since",
}


@dataclass(frozen=True, slots=True)
class _Position:
    """The position of a reading: `since` is '' when it reads newest first or everything."""

    since: str
    page: int = 1
    ordered: bool = True

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> _Position:
        return cls(**json.loads(text))


class Reader:
    """Reads the changed contacts of one tenant."""

    def __init__(
        self,
        api: PleziApi,
        contacts: ContactCodec,
        dialect: PleziDialect,
        clock: Callable[[], float],
    ) -> None:
        self._api = api
        self._contacts = contacts
        self._dialect = dialect
        self._clock = clock

    def read(self, cursor: Cursor, names: Sequence[str]) -> Iterator[Page]:
        """Read the contacts that changed since the cursor, page by page."""
        position = self._start(cursor)
        previous_ids: frozenset[str] = frozenset()
        largest = 0
        for _ in range(MAX_PAGES):
            as_of = self._clock()
            response, position = self._request_page(position)
            if not cursor.next_watermark:
                cursor = replace(
                    cursor, next_watermark=self._next_watermark(response), started_at=as_of
                )
            rows = self._rows(response)
            ids = frozenset(str(row["id"]) for row in rows)
            if position.since and self._ignores_filter(position, rows):
                position, previous_ids = _Position("", ordered=True), frozenset()
                continue
            position, is_past = self._next(position, cursor, rows)
            no_new_ids = not ids - previous_ids and len(rows) < largest
            last = is_past or no_new_ids or not rows
            largest = max(largest, len(rows))
            cursor_after = cursor.finished() if last else replace(cursor, position=position.text())
            observations, skipped = self._contacts.decode_page(rows, names, as_of)
            yield Page(observations, cursor_after, skipped, last)
            if last:
                return
            previous_ids, cursor = ids, cursor_after
        raise RetryError(
            "Plezi's list of contacts does not end", reason=StopReason.PLEZI_UNAVAILABLE
        )

    def _start(self, cursor: Cursor) -> _Position:
        if cursor.position:
            return _Position.of(cursor.position)
        if self._dialect.changed_since is ChangedSince.NONE:
            return _Position("")
        return _Position(cursor.watermark or EPOCH)

    def _request_page(self, position: _Position) -> tuple[PleziResponse, _Position]:
        """Request a page; where the tenant refuses the filter, start again without it."""
        try:
            return self._api.read("contacts", self._parameters(position)), position
        except RejectedError:
            if not position.since:
                raise
        position = _Position("")
        return self._api.read("contacts", self._parameters(position)), position

    def _parameters(self, position: _Position) -> dict[str, str]:
        size = self._dialect.page_size
        if self._dialect.pager is Pager.PAGE:
            paging = {"page": str(position.page), "per_page": str(size)}
        else:
            paging = {"offset": str((position.page - 1) * size), "limit": str(size)}
        order = {"sort_by": "updated_at", "sort_dir": "asc" if position.since else "desc"}
        if position.since:
            order[SINCE_PARAMETER[self._dialect.changed_since]] = position.since
        return {**paging, **order}

    def _ignores_filter(self, position: _Position, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether the tenant ignored the filter: a row is too old or not in order."""
        stamps = [self._contacts.stamp(row) for row in rows]
        return any(stamp < position.since for stamp in stamps) or stamps != sorted(stamps)

    def _next(
        self, position: _Position, cursor: Cursor, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[_Position, bool]:
        """Return the position of the next page, and whether this page went past the watermark."""
        stamps = [self._contacts.stamp(row) for row in rows]
        if position.since:
            newest = max(stamps, default=position.since)
            if newest > position.since:
                return _Position(newest), False
            return replace(position, page=position.page + 1), False
        ordered = position.ordered and all(stamps) and stamps == sorted(stamps, reverse=True)
        is_past = ordered and bool(cursor.watermark) and min(stamps, default="") < cursor.watermark
        return replace(position, page=position.page + 1, ordered=ordered), is_past

    @staticmethod
    def _rows(response: PleziResponse) -> list[Mapping[str, Any]]:
        rows = response.body.get("data")
        if not isinstance(rows, list):
            raise RetryError("Plezi's list has no 'data'", reason=StopReason.PLEZI_UNAVAILABLE)
        return [row for row in rows if isinstance(row, dict) and row.get("id")]

    def _next_watermark(self, response: PleziResponse) -> str:
        """Return the watermark of this reading: Plezi's clock, less the overlap."""
        date = response.headers.get("Date", "")
        now = (
            parsedate_to_datetime(date).astimezone(UTC)
            if date
            else datetime.fromtimestamp(self._clock(), UTC)
        )
        return (now - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000Z")
