"""Reads of changed contacts, for every tenant behaviour of the assumed list parameters.

There are three ways of reading, tried in this order. The result of each page shows whether the
tenant supports the way:

* *since*: the changed-since filter with ascending stamps; each page starts at the last stamp of the
  page before, so a contact that changes during the reading moves forward and is read later.
  From a stamp that a whole page of contacts has, the rest is read newest first.
* *newest first*: descending stamps down to the watermark; a contact that changes moves to the
  start, where the next reading finds it.
* *everything*: where the tenant supports neither, all pages; the values show the changes.

A reading ends at an empty page, or at a page that has no new contact and is shorter than others:
totals and page sizes may be wrong, and thousands of contacts may have the same stamp. A full page
that shows the same contacts as the page before is an error: the parameter of the page is ignored.

A page that has too many bytes, or that Plezi fails to answer although it works, is read in smaller
pages, down to one contact, which is left out, so that the next pages are read. Any answer may be
the fault of a page, except those that say that the key or the rate is refused. A contact is left
out only when Plezi answers the same list for another contact after it.

Stamps are compared as instants, and a contact without a usable stamp says nothing about the order.

A *look* reads what changed since the last look, to prove that the stored observations are current.
It needs a list that is limited or ordered by the time of the change: the *change feed*.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from connector.errors import RejectedError, RetryError, StaleError, StopReason
from connector.model import Cursor, Page, ProblemCode, RecordKind, RecordProblem
from connector.plezi.api import (
    LargeAnswerError,
    PleziApi,
    PleziResponse,
    TooManyRequestsError,
)
from connector.plezi.api_dialect import ChangedSince, Pager, PleziDialect
from connector.plezi.connection_check import FIRST_CONTACT, confirm_availability
from connector.plezi.contact_codec import ContactCodec, text_of
from connector.plezi.list_position import Position
from connector.plezi.list_proof import ListProof, rows_of
from connector.plezi.rate_limiter import NoSlotError
from connector.record_stamps import is_in_future

OVERLAP: Final = timedelta(minutes=10)
"""How long before Plezi's clock the watermark of a run is: the consistency of its lists is not
documented."""
LOOK_OVERLAP: Final = timedelta(seconds=10)
"""The same for a look: a list may show a change some seconds late (assumed), and a longer overlap
would read our own writes again and again. What appears later still is read by the next run."""
CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""How far Plezi's clock may be ahead of ours: AWS and public servers synchronize theirs within a
second. A later time in a response is wrong, and what changes until then would never be read."""
MAX_PASSES: Final = 5
"""Passes of one look of a list that is read newest first, while contacts change all the time."""
EPOCH: Final = "1970-01-01T00:00:00.000Z"
MAX_PAGES: Final = 200_000
"""Pages of one reading; 20 million contacts at the default page size of 100."""
MAX_REPEATED_PAGES: Final = 3
"""Requests in a row that show the contacts of the page before. One or two are ordinary: a page of
contacts that changed in the meantime moves the others to the next page."""
STUCK_MESSAGE: Final = (
    "Plezi's list of contacts does not advance: the next page shows the same contacts again. "
    "Correct 'pager' (or 'page_size') in the setting PLEZI_DIALECT"
)
EDGE: Final = 3
"""Contacts before a page that are known: some of them may be deleted, or change."""
MAX_AGAIN: Final = 50
"""Pages of a list that are read again because contacts moved, besides two for each other page: a
list whose order changes at each call would have no end."""
PAST_ROWS: Final = 3
"""Contacts before the watermark that end a reading newest first: one may have a wrong stamp."""
MAX_LEFT_OUT: Final = 200
"""Contacts that one invocation leaves out, at about seven calls each. The next run continues behind
them."""
PATIENCE: Final = 30.0
"""Seconds in which a page of the usual size is tried again: two time-outs of 20 s."""
LESS_PATIENCE: Final = 10.0
"""The same for one contact that has failed once: one that hangs costs one more time-out."""
NO_PATIENCE: Final = -1.0
"""The same for the other pages after one that failed: each is tried once, because smaller ones
follow, down to one contact, which is tried again."""
OF_A_PAGE: Final = (RetryError, RejectedError, StaleError)
"""Errors that a contact of a page may be the cause of."""
NOT_OF_A_PAGE: Final = (NoSlotError, TooManyRequestsError)
"""Errors among them that say something about all calls."""
PageError = RetryError | RejectedError | StaleError
LARGE_REMEDY: Final = "shorten its longest values in Plezi"
FAILED_REMEDY: Final = "save this contact again in Plezi, or report it to Plezi"
SINCE_PARAMETER: Final = {
    ChangedSince.FILTER: "filter[updated_at][gte]",
    ChangedSince.UPDATED_SINCE: "updated_since",
}


class _UnreadablePageError(Exception):
    """The page at a position has too many bytes, or Plezi fails to answer it, although it works."""

    def __init__(self, error: PageError, position: Position) -> None:
        super().__init__(str(error))
        self.error = error
        self.position = position
        self.is_large = isinstance(error, LargeAnswerError)


@dataclass(frozen=True, slots=True)
class _Behind:
    """Where a reading continues after a page that cannot be read, and the contacts left out.

    `proof` is the response that shows that the list works.
    """

    position: Position
    problems: tuple[RecordProblem, ...] = ()
    proof: PleziResponse | None = None


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
        self._filters = dialect.changed_since is not ChangedSince.NONE
        self._orders = True
        self._proof = ListProof(clock)
        self._answered_place = FIRST_CONTACT

    @property
    def has_change_feed(self) -> bool:
        """Whether a look costs a few calls: the tenant filters or orders, as far as is known."""
        is_limited = self._dialect.changed_since is not ChangedSince.NONE
        return (is_limited or self._dialect.newest_first) and self._orders

    def read(self, cursor: Cursor, names: Sequence[str]) -> Iterator[Page]:
        """Read the contacts that changed since the cursor, page by page."""
        return self._read(cursor, names, self._start(cursor), OVERLAP)

    def look(self, since: str, names: Sequence[str]) -> Iterator[Page]:
        """Read what changed since the position of the last look, page by page ('': since now).

        After a page that is `last`, everything that had changed before the look is read. There is
        no such page when the tenant turns out to have no change feed, or when more than a page of
        contacts changes during each pass.
        """
        position = since or _watermark(self._our_time(), LOOK_OVERLAP)
        for _ in range(MAX_PASSES):
            cursor = Cursor(RecordKind.PLEZI_CONTACT, watermark=position)
            start = self._start(cursor) if self._filters else Position("")
            filled = 0
            for page in self._read(cursor, names, start, LOOK_OVERLAP):
                filled += bool(page.observations)
                is_complete = self._filters or filled <= 1  # see `_next`: contacts move
                yield replace(page, last=page.last and is_complete)
                if not self.has_change_feed or (page.last and is_complete):
                    return
                position = page.cursor.watermark

    def _read(
        self, cursor: Cursor, names: Sequence[str], position: Position, overlap: timedelta
    ) -> Iterator[Page]:
        previous_ids: frozenset[str] = frozenset()
        largest = left_out = 0
        failed: Position | None = None
        started_at = self._clock()
        for _ in range(MAX_PAGES):
            as_of = self._clock()
            answer, place = self._try_page(position, is_again=position == failed)
            if place != position:
                position, previous_ids, largest = place, frozenset(), 0
            if isinstance(answer, _UnreadablePageError):
                behind = self._behind(
                    answer, is_again=position == failed, may_leave_out=left_out < MAX_LEFT_OUT
                )
                failed, position = position, behind.position
                previous_ids, largest = frozenset(), 0
                left_out += len(behind.problems)
                if behind.proof is not None:
                    cursor = self._with_watermark(cursor, behind.proof, started_at, overlap)
                cursor = replace(cursor, position=position.text())
                yield Page((), cursor, last=False, problems=behind.problems)
                continue
            cursor = self._with_watermark(cursor, answer, started_at, overlap)
            rows = rows_of(answer)
            ids = frozenset(text_of(self._contacts.record_id, row) for row in rows)
            if position.since and self._ignores_filter(position, rows):
                self._filters = False
                position, previous_ids = Position("", ordered=True), frozenset()
                continue
            back = self._without_sort(position, rows) or self._way_back(position, rows)
            if back is not None:
                position, previous_ids, largest = back, frozenset(), 0
                continue
            requested, (position, is_past) = position, self._next(position, cursor, rows, as_of)
            position = self._counted(self._larger(position, len(rows)), requested, rows)
            if position.repeated >= MAX_REPEATED_PAGES and len(rows) >= largest:
                raise RetryError(STUCK_MESSAGE, reason=StopReason.PLEZI_UNAVAILABLE)
            no_new_ids = not ids - previous_ids and len(rows) < largest
            last = is_past or no_new_ids or not rows
            largest = max(largest, len(rows)) if position.size == requested.size else 0
            cursor_after = cursor.finished() if last else replace(cursor, position=position.text())
            page = self._contacts.decode_page(rows, names, as_of)
            yield Page(page.observations, cursor_after, last, page.problems)
            if last:
                return
            previous_ids, cursor = ids, cursor_after
        raise RetryError(
            "Plezi's list of contacts does not end", reason=StopReason.PLEZI_UNAVAILABLE
        )

    def _start(self, cursor: Cursor) -> Position:
        position = Position.of(cursor.position) if cursor.position else None
        since = None if position is None else _instant(position.since)
        if position is not None and not (since and is_in_future(since, self._clock())):
            return position
        if self._dialect.changed_since is ChangedSince.NONE:
            return Position("")
        watermark = _instant(cursor.watermark)
        if watermark is None or watermark > self._latest_time():
            return Position(EPOCH)  # a clock was wrong when it was stored: nothing is sure
        return Position(cursor.watermark)

    def _with_watermark(
        self, cursor: Cursor, response: PleziResponse, as_of: float, overlap: timedelta
    ) -> Cursor:
        """Return the cursor of a reading that starts at `as_of`, with what follows it.

        The response came later, because of pages that could not be read before. A cursor that has
        a watermark keeps it.
        """
        if cursor.next_watermark:
            return cursor
        now = min(_server_time(response) or self._our_time(), self._latest_time())
        now -= timedelta(seconds=max(0.0, self._clock() - as_of))
        return replace(
            cursor,
            next_watermark=_watermark(now, overlap),
            next_look=_watermark(now, LOOK_OVERLAP),
            started_at=as_of,
        )

    def _try_page(
        self, position: Position, *, is_again: bool
    ) -> tuple[PleziResponse | _UnreadablePageError, Position]:
        """Request a page; where the tenant refuses the filter, the first one without it.

        Returns the response, or why the page cannot be read, and its position. `is_again`: a single
        contact is requested again, because Plezi may fail for many contacts from time to time.
        """
        patience = LESS_PATIENCE if is_again else NO_PATIENCE if position.size else PATIENCE
        try:
            return self._request(position, patience), position
        except _UnreadablePageError as error:
            is_refusal = isinstance(error.error, RejectedError | StaleError)
            if not (is_refusal and position.since) or self._accepts_filter():
                self._confirm_page(error)
                return error, position
        self._filters = False
        position = Position("")
        try:
            return self._request(position, PATIENCE), position
        except _UnreadablePageError as error:
            self._confirm_page(error)
            return error, position

    def _behind(
        self, failed: _UnreadablePageError, *, is_again: bool, may_leave_out: bool
    ) -> _Behind:
        """Return where a reading continues after a page that cannot be read.

        These are smaller pages at the same place, the same contact again, or the contacts after it,
        which is left out. Raises the error of the page where the list fails as a whole, or where no
        contact may be left out any more.
        """
        position = failed.position
        if (smaller := self._smaller(position)) is not None:
            return _Behind(smaller)
        if not (failed.is_large or is_again):
            return _Behind(position)
        if not may_leave_out:
            raise failed.error
        proof = self._confirm_list(failed)
        following = replace(position, page=position.page + 1, digest="", repeated=0, edge=())
        problem = self._unreadable_contact(failed)
        return _Behind(self._larger(following, 1), (problem,), proof)

    def _request(self, position: Position, patience: float) -> PleziResponse:
        """Request a page once, and again for `patience` seconds.

        Raises `_UnreadablePageError` for an error that a contact of the page may be the cause of.
        """
        try:
            response = self._api.read("contacts", self._parameters(position), patience)
            rows_of(response)
        except NOT_OF_A_PAGE:
            raise
        except OF_A_PAGE as error:
            if isinstance(error, RetryError) and error.after:
                raise
            raise _UnreadablePageError(error, position) from error
        return response

    def _accepts_filter(self) -> bool:
        """Return whether Plezi answers a filtered list that has no contact, or hardly any."""
        now = _watermark(self._our_time(), timedelta())
        try:
            self._request(Position(now, size=1), NO_PATIENCE)
        except _UnreadablePageError:
            return False
        return True

    def _confirm_page(self, failed: _UnreadablePageError) -> None:
        """Return if Plezi answers another call, so that an error may be one of the page.

        The error of a single contact is confirmed by the list (`_confirm_list`).
        """
        if not failed.is_large and self._smaller(failed.position) is not None:
            self._confirm_availability(failed)

    def _confirm_list(self, failed: _UnreadablePageError) -> PleziResponse:
        """Return a response of the whole list with a contact, which shows that the list works.

        A list of a few contacts works also when it only answers that it has no more of them. Raises
        the error that a page had when no contact can be read, and that of Plezi when it answers no
        other call.
        """
        first = Position(EPOCH if failed.position.since else "", size=1)

        def read(place: int) -> PleziResponse | None:
            try:
                return self._request(replace(first, page=place + 1), NO_PATIENCE)
            except _UnreadablePageError:
                return None

        proof = self._proof.find(read, lambda: self._confirm_availability(failed))
        if proof is None:
            raise failed.error
        return proof

    def _confirm_availability(self, failed: _UnreadablePageError) -> None:
        """Return if Plezi answers another call; else raise its error."""
        try:
            self._answered_place = confirm_availability(
                self._api, self._dialect, self._answered_place
            )
        except (RejectedError, StaleError):
            raise failed.error from None

    def _parameters(self, position: Position) -> dict[str, str]:
        size = position.size or self._dialect.page_size
        if self._dialect.pager is Pager.PAGE:
            paging = {"page": str(position.page), "per_page": str(size)}
        else:
            paging = {"offset": str((position.page - 1) * size), "limit": str(size)}
        is_ascending = position.since and not position.descending
        order = {"sort_by": "updated_at", "sort_dir": "asc" if is_ascending else "desc"}
        if position.since:
            order[SINCE_PARAMETER[self._dialect.changed_since]] = position.since
        return {**paging, **order}

    def _smaller(self, position: Position) -> Position | None:
        """Return the same place with smaller pages; None where a page is one contact."""
        size = position.size or self._dialect.page_size
        smaller = next((each for each in self._sizes() if each < size and size % each == 0), 0)
        if not smaller:
            return None
        page = (position.page - 1) * (size // smaller) + 1  # it begins with the same contact
        return replace(position, page=page, size=smaller, left=size, digest="")

    def _larger(self, position: Position, read: int) -> Position:
        """Return the place with larger pages, once the contact that failed is passed.

        The number of contacts before a page must be a multiple of its size.
        """
        if not position.size:
            return position
        left = position.left - read
        if left > 0:
            return replace(position, left=left)
        before = (position.page - 1) * position.size
        size = next(each for each in self._sizes() if before % each == 0)
        is_usual = size == self._dialect.page_size
        return replace(position, page=before // size + 1, size=0 if is_usual else size, left=0)

    def _sizes(self) -> Iterator[int]:
        """Yield the sizes of a page: the usual one, then each a part of the one before it, to 1."""
        size = self._dialect.page_size
        while size > 1:
            yield size
            size //= next(each for each in range(2, size + 1) if size % each == 0)
        yield 1

    @staticmethod
    def _unreadable_contact(error: _UnreadablePageError) -> RecordProblem:
        """Return the problem of a contact that cannot be read, even alone."""
        position = error.position
        place = f"contact {position.page} of the list since {position.since or 'the newest'}"
        remedy = LARGE_REMEDY if error.is_large else FAILED_REMEDY
        detail = f"{place}: {_cause(error.error)}; {remedy}"
        code = ProblemCode.UNREADABLE_RECORD
        return RecordProblem(RecordKind.PLEZI_CONTACT, "", "", code, detail)

    def _ignores_filter(self, position: Position, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether the tenant ignored the filter: a row is too old or not in order.

        A page on which no row has a stamp does not show that it was respected.
        """
        instants = self._instants(rows)
        since = _instant(position.since)
        if since is None or not instants:
            return bool(rows)
        is_in_order = position.descending or instants == sorted(instants)
        return min(instants) < since or not is_in_order

    def _next(
        self,
        position: Position,
        cursor: Cursor,
        rows: Sequence[Mapping[str, Any]],
        read_at: float,
    ) -> tuple[Position, bool]:
        """Return the position of the next page, and whether this page went past the watermark.

        Newest first, a contact that changes between two pages moves to the front, where this
        reading does not come again. So more than a page of contacts with one stamp (a bulk update)
        is read newest first too: else one that changes would move the others to earlier pages. No
        stamp in the future is a position: it would leave out the contacts between.
        """
        is_full = len(rows) == (position.size or self._dialect.page_size)
        edge = (*position.edge, *self._edges(rows[-EDGE:])) if is_full else ()
        following = replace(position, page=position.page + 1, way_back=0, edge=edge[-EDGE:])
        instants = self._instants(rows)
        if position.since:
            newest = max(
                (
                    text_of(self._contacts.stamp, row)
                    for row, instant in self._with_instants(rows)
                    if not is_in_future(instant, read_at)
                ),
                key=_sort_key,
                default=position.since,
            )
            if position.descending:
                return replace(following, edge=()), False
            if _sort_key(newest) > _sort_key(position.since):
                return Position(newest, size=position.size, left=position.left), False
            if is_full and position.ordered and position.page == 1 and not position.size:
                return Position(position.since, descending=True), False
            return following, False
        ordered = (
            position.ordered
            and bool(instants or not rows)
            and instants == sorted(instants, reverse=True)
        )
        self._orders = self._orders and ordered
        watermark = _instant(cursor.watermark)
        is_past = (
            ordered
            and watermark is not None
            and sum(instant < watermark for instant in instants) >= PAST_ROWS
        )
        return replace(following, ordered=ordered), is_past

    def _without_sort(
        self, position: Position, rows: Sequence[Mapping[str, Any]]
    ) -> Position | None:
        """Return where to read again if the tenant does not sort the newest first; else None."""
        instants = self._instants(rows)
        if position.descending and instants != sorted(instants, reverse=True):
            return Position(position.since, ordered=False)
        return None

    def _way_back(self, position: Position, rows: Sequence[Mapping[str, Any]]) -> Position | None:
        """Return where to read again, because contacts moved to pages that were read before.

        They do when one before them is deleted, or changes and moves to the end. None: no contact
        was left out. A page that shows one of the contacts before it follows without a gap; else
        the contact before the page is read alone, and must be one of them.
        """
        edge = position.edge
        if position.page == 1 or not edge or not self._edges(rows).keys().isdisjoint(edge):
            return None
        if position.way_back:
            return self._back(position, 2 * position.way_back)
        if position.again >= MAX_AGAIN + 2 * position.page or self._follows(position):
            return None
        return self._back(position, 1)

    def _follows(self, position: Position) -> bool:
        """Return whether the contact before a page is one of those known to be before it."""
        size = position.size or self._dialect.page_size
        before = replace(position, page=(position.page - 1) * size, size=1)
        try:
            rows = rows_of(self._request(before, NO_PATIENCE))
        except _UnreadablePageError:
            return True  # it was read with its page, and nothing shows that it moved
        return not self._edges(rows).keys().isdisjoint(position.edge)

    @staticmethod
    def _back(position: Position, pages: int) -> Position:
        page = max(1, position.page - pages)
        again = position.again + pages + 1
        return replace(position, page=page, again=again, way_back=pages, digest="", repeated=0)

    def _edges(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, None]:
        """Return, in order, short texts that stand for contacts that have not changed since."""
        names = {text_of(self._state, row): None for row in rows}
        return {_short(name): None for name in names if name}

    def _state(self, row: object) -> str:
        record_id = self._contacts.record_id(row)
        return record_id and f"{record_id} {self._contacts.stamp(row)}"

    def _counted(
        self, position: Position, requested: Position, rows: Sequence[Mapping[str, Any]]
    ) -> Position:
        """Return the next position, which knows how often the page at `requested` was the same.

        It is not the same page when its contacts have changed again.
        """
        digest = self._digest(rows)
        is_later = position.since != requested.since
        is_repeated = bool(rows) and digest == requested.digest and not is_later
        return replace(
            position, digest=digest, repeated=requested.repeated + 1 if is_repeated else 0
        )

    def _digest(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Return a short text that stands for the contacts of a page, in any order."""
        ids = sorted(text_of(self._contacts.record_id, row) or json.dumps(row) for row in rows)
        return _short("\n".join(ids))

    def _instants(self, rows: Sequence[Mapping[str, Any]]) -> list[datetime]:
        """Return when the contacts of some rows changed, where that is known."""
        return [instant for _, instant in self._with_instants(rows)]

    def _with_instants(
        self, rows: Sequence[Mapping[str, Any]]
    ) -> Iterator[tuple[Mapping[str, Any], datetime]]:
        """Yield the rows with the time when their contact changed, where that is known."""
        for row in rows:
            if (instant := _instant(text_of(self._contacts.stamp, row))) is not None:
                yield row, instant

    def _our_time(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _latest_time(self) -> datetime:
        """Return the latest time that Plezi's clock can show now."""
        return self._our_time() + CLOCK_TOLERANCE


def _cause(error: PageError) -> str:
    """Return why a contact cannot be read, without the text of the answer: it may quote values."""
    return f"Plezi answered {error.code}" if isinstance(error, RejectedError) else str(error)


def _short(text: str) -> str:
    """Return a text that hardly any other text has."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def _watermark(now: datetime, overlap: timedelta) -> str:
    """Return the watermark of a reading that starts now, in Plezi's format."""
    return (now - overlap).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _server_time(response: PleziResponse) -> datetime | None:
    """Return Plezi's clock by the header of a response; None where it cannot be read."""
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _instant(stamp: str) -> datetime | None:
    """Return the instant of a stamp, in UTC where it names no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(stamp)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _sort_key(stamp: str) -> datetime:
    """Return the instant of a stamp; one that cannot be read comes before all others."""
    return _instant(stamp) or datetime.min.replace(tzinfo=UTC)
