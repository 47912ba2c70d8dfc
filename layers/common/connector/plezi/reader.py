"""Reads of changed contacts, for every tenant behaviour of the assumed list parameters.

There are three ways of reading, tried in this order. The pages, and calls for single contacts where
a page does not show it (`list_order`, `list_end`), say whether the tenant supports the way:

* *since*: the changed-since filter with ascending stamps; each page starts at the last stamp of the
  page before, so a contact that changes during the reading moves forward and is read later.
  Where a whole page of contacts has one stamp, the list is read newest first. Where the tenant
  filters and does not sort, the pages are read by number.
* *newest first*: descending stamps down to the watermark; a contact that changes moves to the
  start, where the next reading finds it.
* *everything*: where the tenant supports neither, all pages; the values show the changes.

A reading ends at an empty page, or at a page that has no new contact and is shorter than others:
totals and page sizes may be wrong, and thousands of contacts may have the same stamp. A page that
shows the same contacts again and again is the last one, or an error: the parameter of the page is
ignored. A tenant may also answer an error behind the last page.

A page that has too many bytes, or that Plezi fails to answer although it works, is read in smaller
pages, down to one contact, which is left out, so that the next pages are read. Any answer may be
the fault of a page, except those that say that the key or the rate is refused. A contact is left
out only when Plezi answers the list for another contact.

A page that has fewer contacts than the list states to have at its place is requested again, at most
twice: a row that is missing once would be missed until it changes. A total may be too high: where
a page stays short, the reading trusts no total any more, unless its pages are limited in size.

Stamps are compared as instants, and a contact without a usable stamp says nothing about the order.

A *look* reads what changed since the last look, to prove that the stored observations are current.
It needs a list that is limited or ordered by the time of the change: the *change feed*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from operator import itemgetter
from typing import Final

from connector.errors import RejectedError, RetryError, StaleError, StopReason
from connector.model import Cursor, Page, ProblemCode, RecordKind, RecordProblem
from connector.plezi.api import PleziApi, PleziResponse
from connector.plezi.api_dialect import ChangedSince, Pager, PleziDialect
from connector.plezi.connection_check import FIRST_CONTACT, confirm_availability
from connector.plezi.contact_codec import ContactCodec
from connector.plezi.list_end import ListEnd, stated_total
from connector.plezi.list_errors import NOT_OF_A_PAGE, OF_A_PAGE, UnreadablePageError
from connector.plezi.list_order import ListOrder
from connector.plezi.list_position import Position
from connector.plezi.list_proof import ListProof, rows_of
from connector.plezi.list_rows import ListRows, Rows, instant_of
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
MAX_INCOMPLETE: Final = 2
"""How often a page is requested again that has fewer contacts than the list says are there. The
first request shows that one answer was short, the second that the total is wrong."""
SMALLEST_LIMIT: Final = 10
"""Contacts of a page that a tenant limits it to at least: the smallest size that the probe tries. A
list with fewer contacts than that has one page."""
LARGE_REMEDY: Final = "shorten its longest values in Plezi"
FAILED_REMEDY: Final = "save this contact again in Plezi, or report it to Plezi"
SINCE_PARAMETER: Final = {
    ChangedSince.FILTER: "filter[updated_at][gte]",
    ChangedSince.UPDATED_SINCE: "updated_since",
}


@dataclass(frozen=True, slots=True)
class _Behind:
    """Where a reading continues after a page that cannot be read, and the contacts left out.

    The position is None where the list ends before the page. `proof` is the response that shows
    that the list works.
    """

    position: Position | None
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
        self._trusts_total = True
        self._usual_size = dialect.page_size
        self._rows = ListRows(contacts)
        self._end = ListEnd(self._answer)
        self._order = ListOrder(self._answer, self._rows, is_known=dialect.newest_first)
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
            start = self._start(cursor) if self._filters else self._first("")
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
        left_out = 0
        started_at = self._clock()
        self._trusts_total = True
        for _ in range(MAX_PAGES):
            as_of = self._clock()
            answer, place = self._try_whole_page(position)
            if place != position:
                position, previous_ids = place, frozenset()
            if isinstance(answer, UnreadablePageError):
                behind = self._behind(answer, may_leave_out=left_out < MAX_LEFT_OUT)
                left_out += len(behind.problems)
                if behind.proof is not None:
                    cursor = self._with_watermark(cursor, behind.proof, started_at, overlap)
                if behind.position is None:
                    yield Page((), cursor.finished(), last=True)
                    return
                position, previous_ids = behind.position, frozenset()
                cursor = replace(cursor, position=position.text())
                yield Page((), cursor, last=False, problems=behind.problems)
                continue
            cursor = self._with_watermark(cursor, answer, started_at, overlap)
            rows = rows_of(answer)
            ids = self._rows.ids(rows)
            if (other := self._other_way(position, answer)) is not None:
                position, previous_ids = other, frozenset()
                continue
            requested, (position, is_past) = position, self._next(position, cursor, rows, as_of)
            position = self._counted(position.larger(len(rows)), requested, rows)
            is_again = position.repeated > 0
            is_short = len(rows) < requested.most and (is_again or not ids - previous_ids)
            last = is_past or is_short or not rows
            if is_again and not last and (requested.page > 1 or len(rows) == 1):
                last = self._order.is_last(requested, position.repeated, rows)
            if position.repeated >= MAX_REPEATED_PAGES and not last:
                raise RetryError(STUCK_MESSAGE, reason=StopReason.PLEZI_UNAVAILABLE)
            cursor_after = cursor.finished() if last else replace(cursor, position=position.text())
            page = self._contacts.decode_page(rows, names, as_of)
            yield Page(page.observations, cursor_after, last, page.problems)
            if last:
                return
            previous_ids, cursor = ids, cursor_after
        raise RetryError(
            "Plezi's list of contacts does not end", reason=StopReason.PLEZI_UNAVAILABLE
        )

    def _other_way(self, position: Position, answer: PleziResponse) -> Position | None:
        """Return where to read again, and how, if a page shows another behaviour of the tenant.

        None: the page follows the one before it, as far as can be seen. A first page newest first
        that is the one with the oldest contacts shows that the tenant does not sort.
        """
        rows = rows_of(answer)
        if position.since and self._ignores_filter(position, rows):
            self._filters = False
            return self._first("")
        if (limited := self._limited(position, answer)) is not None:
            return limited
        is_sorted = position.since and position.ordered
        is_same = position.page == 1 and self._rows.digest(rows) == position.digest
        is_unsorted = position.descending and is_same and len(rows) == position.page_size
        if is_sorted and (is_unsorted or self._order.is_broken(position, rows)):
            return self._first(position.since, ordered=False)
        return self._order.way_back(position, rows)

    def _first(self, since: str, *, ordered: bool = True, descending: bool = False) -> Position:
        """Return the position of the first page of a list."""
        return Position(
            since,
            ordered=ordered,
            descending=descending,
            set_size=self._dialect.page_size,
            usual_size=self._usual_size,
        )

    def _start(self, cursor: Cursor) -> Position:
        position = Position.of(cursor.position) if cursor.position else None
        if position is not None and (stored := self._stored(position)) is not None:
            return stored
        if self._dialect.changed_since is ChangedSince.NONE:
            return self._first("")
        watermark = instant_of(cursor.watermark)
        if watermark is None or watermark > self._latest_time():
            return self._first(EPOCH)  # a clock was wrong when it was stored: nothing is sure
        return self._first(cursor.watermark)

    def _stored(self, position: Position) -> Position | None:
        """Return a stored position as the settings of today understand it; None where they do not.

        Pages of another size have other contacts: then the list is read from its first page on. A
        position of an older version does not name its size.
        """
        since = instant_of(position.since)
        is_filter = self._dialect.changed_since is not ChangedSince.NONE
        if position.since and not (
            is_filter and since is not None and not is_in_future(since, self._clock())
        ):
            return None
        size = self._dialect.page_size
        if not position.set_size:
            return replace(position, set_size=size, usual_size=size)
        if position.set_size != size or not 0 < position.usual_size <= size:
            return self._first(position.since)
        self._usual_size = position.usual_size
        return position

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

    def _try_page(self, position: Position) -> tuple[PleziResponse | UnreadablePageError, Position]:
        """Request a page; where the tenant refuses the filter, the first one without it.

        Returns the response, or why the page cannot be read, and its position. A single contact is
        requested again, because Plezi may fail for many contacts from time to time.
        """
        patience = LESS_PATIENCE if position.tried else NO_PATIENCE if position.size else PATIENCE
        answer = self._answer(position, patience)
        if isinstance(answer, PleziResponse):
            return answer, position
        is_refusal = isinstance(answer.error, RejectedError | StaleError)
        if is_refusal and position.since and not self._accepts_filter():
            self._filters = False
            position = self._first("")
            answer = self._answer(position, PATIENCE)
        if isinstance(answer, UnreadablePageError):
            self._confirm_page(answer)
        return answer, position

    def _try_whole_page(
        self, position: Position
    ) -> tuple[PleziResponse | UnreadablePageError, Position]:
        """Request a page, and again while it has fewer contacts than the list states to have there.

        Returns the response with most contacts, or why the page cannot be read, and its position.
        """
        answer, place = self._try_page(position)
        if isinstance(answer, PleziResponse):
            answer = self._completed(answer, place)
        return answer, place

    def _completed(self, answer: PleziResponse, position: Position) -> PleziResponse:
        for _ in range(MAX_INCOMPLETE if self._trusts_total else 0):
            if not _lacks_contacts(answer, position):
                return answer
            again = self._answer(position)
            if isinstance(again, PleziResponse) and len(rows_of(again)) > len(rows_of(answer)):
                answer = again
        self._trusts_total = self._trusts_total and not _lacks_contacts(answer, position)
        return answer

    def _behind(self, failed: UnreadablePageError, *, may_leave_out: bool) -> _Behind:
        """Return where a reading continues after a page that cannot be read.

        These are smaller pages at the same place, the same contact again, or the contacts after it,
        which is left out. Raises the error of the page where the list fails as a whole, or where no
        contact may be left out any more.
        """
        position = failed.position
        if self._end.is_suspected(failed):
            if not self._end.goes_on(position):
                return self._at_the_end(failed)
            position = replace(position, within=True)
        is_later = position.page > 1
        if is_later and (limited := self._limit(position, position.most)) is not None:
            return _Behind(limited)
        if (smaller := position.smaller()) is not None:
            return _Behind(smaller)
        if not (failed.is_large or position.tried):
            return _Behind(replace(position, tried=True))
        if not may_leave_out:
            raise failed.error
        proof = self._confirm_list(failed)
        return _Behind(position.behind(), (self._unreadable_contact(failed),), proof)

    def _at_the_end(self, failed: UnreadablePageError) -> _Behind:
        """Return that the list ends before a page; raise its error where that is not shown.

        Plezi must work at the same time: other contacts are answered, and this page is not. It is
        read after all where contacts came in the meantime.
        """
        proof = self._end.response_before(failed.position, lambda: self._confirm_list(failed))
        again = self._answer(failed.position)
        if isinstance(again, PleziResponse):
            return _Behind(failed.position)
        if proof is None or again.cause != failed.cause:
            raise failed.error
        return _Behind(None, proof=proof)

    def _answer(
        self, position: Position, /, patience: float = NO_PATIENCE, *, direction: str = ""
    ) -> PleziResponse | UnreadablePageError:
        """Return the response with a page, or the error that a contact may have caused."""
        try:
            return self._request(position, patience, direction)
        except UnreadablePageError as error:
            return error

    def _request(self, position: Position, patience: float, direction: str) -> PleziResponse:
        """Request a page once, and again for `patience` seconds; `direction` is another order.

        Raises `UnreadablePageError` for an error that a contact of the page may be the cause of.
        """
        try:
            parameters = self._parameters(position, direction)
            response = self._api.read("contacts", parameters, patience)
            rows_of(response)
        except NOT_OF_A_PAGE:
            raise
        except OF_A_PAGE as error:
            if isinstance(error, RetryError) and error.after:
                raise
            raise UnreadablePageError(error, position) from error
        return response

    def _accepts_filter(self) -> bool:
        """Return whether Plezi answers a filtered list that has no contact, or hardly any."""
        now = _watermark(self._our_time(), timedelta())
        return isinstance(self._answer(self._first(now).contact(0)), PleziResponse)

    def _confirm_page(self, failed: UnreadablePageError) -> None:
        """Return if Plezi answers another call, so that an error may be one of the page.

        The error of a single contact is confirmed by the list (`_confirm_list`).
        """
        if not failed.is_large and failed.position.smaller() is not None:
            self._confirm_availability(failed)

    def _confirm_list(self, failed: UnreadablePageError) -> PleziResponse:
        """Return a response of the whole list with a contact, which shows that the list works.

        A list of a few contacts works also when it only answers that it has no more of them. Raises
        the error that a page had when no contact can be read, and that of Plezi when it answers no
        other call.
        """
        first = self._first(EPOCH if failed.position.since else "")

        def read(place: int) -> PleziResponse | None:
            answer = self._answer(first.contact(place))
            if isinstance(answer, PleziResponse):
                return answer
            is_end = answer.cause != failed.cause and answer.cause == self._end.far_cause(first)
            return PleziResponse({"data": []}, {}) if is_end else None

        proof = self._proof.find(read, lambda: self._confirm_availability(failed))
        if proof is None:
            raise failed.error
        return proof

    def _confirm_availability(self, failed: UnreadablePageError) -> None:
        """Return if Plezi answers another call; else raise its error."""
        try:
            self._answered_place = confirm_availability(
                self._api, self._dialect, self._answered_place
            )
        except (RejectedError, StaleError):
            raise failed.error from None

    def _parameters(self, position: Position, direction: str) -> dict[str, str]:
        size = position.page_size
        if self._dialect.pager is Pager.PAGE:
            paging = {"page": str(position.page), "per_page": str(size)}
        else:
            paging = {"offset": str(position.contacts_before), "limit": str(size)}
        is_ascending = position.since and not position.descending
        usual = "asc" if is_ascending else "desc"
        order = {"sort_by": "updated_at", "sort_dir": direction or usual}
        if position.since:
            order[SINCE_PARAMETER[self._dialect.changed_since]] = position.since
        return {**paging, **order}

    @staticmethod
    def _unreadable_contact(error: UnreadablePageError) -> RecordProblem:
        """Return the problem of a contact that cannot be read, even alone."""
        position = error.position
        place = f"contact {position.page} of the list since {position.since or 'the newest'}"
        remedy = LARGE_REMEDY if error.is_large else FAILED_REMEDY
        detail = f"{place}: {error.cause}; {remedy}"
        code = ProblemCode.UNREADABLE_RECORD
        return RecordProblem(RecordKind.PLEZI_CONTACT, "", "", code, detail)

    def _ignores_filter(self, position: Position, rows: Rows) -> bool:
        """Return whether the tenant ignored the filter: a row is too old.

        A page on which no row has a stamp does not show that it was respected.
        """
        instants = self._rows.instants(rows)
        since = instant_of(position.since)
        if since is None or not instants:
            return bool(rows)
        return min(instants) < since

    def _next(
        self,
        position: Position,
        cursor: Cursor,
        rows: Rows,
        read_at: float,
    ) -> tuple[Position, bool]:
        """Return the position of the next page, and whether this page went past the watermark.

        Newest first, a contact that changes between two pages moves to the front, where this
        reading does not come again. So more than a page of contacts with one stamp (a bulk update)
        is read newest first too: else one that changes would move the others to earlier pages.
        """
        edge = self._order.edge(position, rows)
        following = replace(position, page=position.page + 1, way_back=0, edge=edge, tried=False)
        stamps = (stamp for stamp, _ in self._rows.stamps(rows))
        oldest = min(stamps, key=_sort_key, default=position.oldest)
        if position.descending:
            return replace(following, edge=(), oldest=oldest), False
        if position.since and position.ordered:
            return self._later(position, following, rows, read_at), False
        if position.since:
            return following, False
        instants = self._rows.instants(rows)
        before = [instant] if (instant := instant_of(position.oldest)) is not None else []
        ordered = (
            position.ordered
            and bool(instants or not rows)
            and [*before, *instants] == sorted([*before, *instants], reverse=True)
        )
        watermark = instant_of(cursor.watermark)
        is_past = (
            ordered
            and watermark is not None
            and sum(instant < watermark for instant in instants) >= PAST_ROWS
        )
        if is_past and not self._order.is_known(position, rows, read_at):
            ordered = is_past = False
        self._orders = self._orders and ordered
        return replace(following, ordered=ordered, oldest=oldest), is_past

    def _later(
        self,
        position: Position,
        following: Position,
        rows: Rows,
        read_at: float,
    ) -> Position:
        """Return the position after a page of a filtered list that is sorted, the oldest first.

        It is the newest stamp of the page. The rest is read newest first where a full page has one
        stamp: all of it, because the tenant may not sort. No stamp in the future is a position: it
        would leave out the contacts between.
        """
        usable = [each for each in self._rows.stamps(rows) if not is_in_future(each[1], read_at)]
        newest, at = max(usable, key=itemgetter(1), default=(position.since, None))
        is_full = len(rows) == position.page_size
        has_one_stamp = len({instant for _, instant in usable}) == 1
        if is_full and has_one_stamp and position.page == 1 and not position.size:
            return self._first(position.since, descending=True)
        if is_full and not self._order.is_known(position, rows, read_at):
            return replace(following, ordered=False)
        if at is not None and at > _sort_key(position.since):
            return replace(self._first(newest), size=position.size, left=position.left)
        return following

    def _limited(self, position: Position, answer: PleziResponse) -> Position | None:
        """Return where to read again if the tenant limits the size of a page, as this one shows.

        The page follows one with fewer contacts than were asked for, or it is one, the first of a
        list that has more.
        """
        rows = rows_of(answer)
        if position.page == 1:
            is_limited = len(rows) < position.page_size and self._end.is_cut_off(position, answer)
            return self._limit(position, len(rows)) if is_limited else None
        is_later_page = bool(rows) and self._rows.digest(rows) != position.digest
        is_limited = is_later_page and len(rows) <= position.most
        return self._limit(position, position.most) if is_limited else None

    def _limit(self, position: Position, size: int) -> Position | None:
        """Return the first page again, in the size that pages have; None where that was asked for.

        Fewer contacts than any limit lets through are a page that is not full.
        """
        if not SMALLEST_LIMIT <= size < position.page_size:
            return None
        self._usual_size = size
        self._trusts_total = True
        return self._first(position.since, ordered=position.ordered, descending=position.descending)

    def _counted(self, position: Position, requested: Position, rows: Rows) -> Position:
        """Return the next position, which knows how often the page at `requested` was the same.

        It is not the same page when its contacts have changed again. `most` counts pages of one
        size.
        """
        digest = self._rows.digest(rows)
        is_later = position.since != requested.since
        is_repeated = bool(rows) and digest == requested.digest and not is_later
        most = max(requested.most, len(rows)) if position.size == requested.size else 0
        return replace(
            position,
            digest=digest,
            repeated=requested.repeated + 1 if is_repeated else 0,
            most=most,
        )

    def _our_time(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _latest_time(self) -> datetime:
        """Return the latest time that Plezi's clock can show now."""
        return self._our_time() + CLOCK_TOLERANCE


def _lacks_contacts(answer: PleziResponse, position: Position) -> bool:
    """Return whether a page has fewer contacts than the list states to have at its place."""
    left = (stated_total(answer.body) or 0) - position.contacts_before
    return len(rows_of(answer)) < min(position.page_size, left)


def _watermark(now: datetime, overlap: timedelta) -> str:
    """Return the watermark of a reading that starts now, in Plezi's format."""
    return (now - overlap).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _server_time(response: PleziResponse) -> datetime | None:
    """Return Plezi's clock by the header of a response; None where it cannot be read."""
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _sort_key(stamp: str) -> datetime:
    """Return the instant of a stamp; one that cannot be read comes before all others."""
    return instant_of(stamp) or datetime.min.replace(tzinfo=UTC)
