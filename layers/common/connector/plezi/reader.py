"""Reading contacts that changed, whatever of its assumed list parameters Plezi honours.

Three ways, tried in this order and noticed by their results, never trusted:

* *since*: the changed-since filter with rising stamps; each page asks again from the last stamp
  seen, so that contacts which change while we page move ahead of us and are read later.
* *newest first*: falling stamps, down to the watermark; contacts that change move behind us, where
  the next reading finds them.
* *everything*: where neither is honoured, all pages; the values themselves say what changed.

A reading ends at an empty page, or at one that brings nothing new and is shorter than others were:
totals and page sizes may lie (fault 32), and thousands of contacts may share one stamp.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from connector.errors import RejectedError, RetryError, StopReason
from connector.model import Cursor, Page
from connector.plezi.api import PleziApi, PleziResponse
from connector.plezi.contact_codec import ContactCodec
from connector.settings import ChangedSince, Pager, PleziDialect

OVERLAP: Final = timedelta(minutes=10)
"""How far before Plezi's own clock a watermark stays: its consistency is not documented."""
BEGINNING: Final = "1970-01-01T00:00:00.000Z"
MAX_PAGES: Final = 200_000
"""Pages of one reading; 20 million contacts at the largest page size that is assumed."""
SINCE_PARAMETER: Final = {
    ChangedSince.FILTER: "filter[updated_at][gte]",
    ChangedSince.UPDATED_SINCE: "updated_since",
}


@dataclass(frozen=True, slots=True)
class _Position:
    """How far a reading came: `since` is '' when reading newest first or everything."""

    since: str
    page: int = 1
    ordered: bool = True

    def text(self) -> str:
        return json.dumps([self.since, self.page, self.ordered])

    @classmethod
    def of(cls, text: str) -> _Position:
        since, page, ordered = json.loads(text)
        return cls(since, page, ordered)


class Reader:
    """Reads the contacts of one tenant."""

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
        """Read what changed since the cursor, page by page."""
        place = self._beginning(cursor)
        before: frozenset[str] = frozenset()
        largest = 0
        for _ in range(MAX_PAGES):
            as_of = self._clock()
            answer, place = self._ask(place)
            if not cursor.next_watermark:
                cursor = replace(cursor, next_watermark=self._cover(answer), started_at=as_of)
            rows = self._rows(answer)
            ids = frozenset(str(row["id"]) for row in rows)
            if place.since and self._ignores_the_filter(place, rows):
                place, before = _Position("", ordered=True), frozenset()
                continue
            place, past = self._next(place, cursor, rows)
            last = past or (not ids - before and len(rows) < largest) or not rows
            largest = max(largest, len(rows))
            cursor_after = cursor.finished() if last else replace(cursor, position=place.text())
            seen, skipped = self._contacts.decode_page(rows, names, as_of)
            yield Page(seen, cursor_after, skipped, last)
            if last:
                return
            before, cursor = ids, cursor_after
        raise RetryError(
            "Plezi's list does not come to an end", reason=StopReason.PLEZI_UNAVAILABLE
        )

    def _beginning(self, cursor: Cursor) -> _Position:
        if cursor.position:
            return _Position.of(cursor.position)
        if self._dialect.changed_since is ChangedSince.NONE:
            return _Position("")
        return _Position(cursor.watermark or BEGINNING)

    def _ask(self, place: _Position) -> tuple[PleziResponse, _Position]:
        """Ask for a page; where the filter is refused, begin again without it."""
        try:
            return self._api.read("contacts", self._parameters(place)), place
        except RejectedError:
            if not place.since:
                raise
        place = _Position("")
        return self._api.read("contacts", self._parameters(place)), place

    def _parameters(self, place: _Position) -> dict[str, str]:
        size = self._dialect.page_size
        if self._dialect.pager is Pager.PAGE:
            paging = {"page": str(place.page), "per_page": str(size)}
        else:
            paging = {"offset": str((place.page - 1) * size), "limit": str(size)}
        order = {"sort_by": "updated_at", "sort_dir": "asc" if place.since else "desc"}
        if place.since:
            order[SINCE_PARAMETER[self._dialect.changed_since]] = place.since
        return {**paging, **order}

    def _ignores_the_filter(self, place: _Position, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these rows cannot be the answer to what was asked: too old, or out of order."""
        stamps = [self._contacts.stamp(row) for row in rows]
        return any(stamp < place.since for stamp in stamps) or stamps != sorted(stamps)

    def _next(
        self, place: _Position, cursor: Cursor, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[_Position, bool]:
        """Return where the next page begins, and whether this one went past the watermark."""
        stamps = [self._contacts.stamp(row) for row in rows]
        if place.since:
            newest = max(stamps, default=place.since)
            if newest > place.since:
                return _Position(newest), False
            return replace(place, page=place.page + 1), False
        ordered = place.ordered and all(stamps) and stamps == sorted(stamps, reverse=True)
        past = ordered and bool(cursor.watermark) and min(stamps, default="") < cursor.watermark
        return replace(place, page=place.page + 1, ordered=ordered), past

    @staticmethod
    def _rows(answer: PleziResponse) -> list[Mapping[str, Any]]:
        rows = answer.body.get("data")
        if not isinstance(rows, list):
            raise RetryError("Plezi's list has no 'data'", reason=StopReason.PLEZI_UNAVAILABLE)
        return [row for row in rows if isinstance(row, dict) and row.get("id")]

    def _cover(self, answer: PleziResponse) -> str:
        """Return what the watermark becomes: Plezi's own clock, less the overlap."""
        heard = answer.headers.get("Date", "")
        now = (
            parsedate_to_datetime(heard).astimezone(UTC)
            if heard
            else datetime.fromtimestamp(self._clock(), UTC)
        )
        return (now - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000Z")
