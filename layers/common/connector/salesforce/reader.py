"""Reads of Leads and Contacts: records that changed since a cursor, and look-ups of records.

The watermark is Salesforce's `latestDateCovered` (SOAP API Developer Guide, "getUpdated()"): while
a transaction is open it is the start of that transaction, so a row that is committed late is still
read. Where the org does not return it, the watermark is ten minutes before the server's clock. A
time after our own clock is never a watermark: no change before it would be read until it has
passed.
Pages are ordered by (SystemModstamp, Id), so another invocation can resume after any row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from connector.clean_text import MAX_EMAIL_CHARACTERS, canonical_email
from connector.errors import (
    RejectedError,
    RetryError,
    StaleError,
    UnknownFieldError,
    describe_defect,
)
from connector.mapping import ReadScope
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import (
    Cursor,
    LookupResult,
    Observation,
    Page,
    ProblemCode,
    RecordKind,
    RecordProblem,
    Value,
)
from connector.pace import PacedCalls
from connector.record_stamps import STAMP_TOLERANCE, plausible_stamp
from connector.salesforce.answers import (
    RECORD_ID,
    QueryPage,
    UnreadableError,
    is_record_id,
    is_unicode,
    read_covered_date,
    read_flag,
    read_id,
    read_query_page,
    read_stamp,
    read_text,
    read_value,
    unusable_answer,
)
from connector.salesforce.auth.login import LoginUnavailableError
from connector.salesforce.connection import AnswerTooLargeError, Connection, NoCallError
from connector.salesforce.diagnosis import error_class
from connector.salesforce.error_table import ErrorClass
from connector.salesforce.failed_lookups import FailedLookups
from connector.salesforce.lookup import (
    FAILED,
    SMALLEST_CALL,
    SMALLEST_QUERY,
    Lookup,
    unanswered_problems,
    unnamed_row_problem,
)
from connector.salesforce.lookup_queries import LookupQuery, lookup_queries
from connector.salesforce.missing_records import deleted_ids, invisible_problem
from connector.salesforce.object_access import query_with_access
from connector.salesforce.page_position import (
    Place,
    last_position,
    place_of,
    since_condition,
    soql_time,
    stamp_of,
    stored_limit,
    with_limit,
)
from connector.salesforce.page_size import PageSize

OVERLAP: Final = timedelta(minutes=10)
"""Rows can appear minutes after their stamp; Airbyte's connector re-reads the same ten minutes."""
COVERED_WINDOW: Final = timedelta(hours=1)
"""The window of getUpdated. Only its `latestDateCovered` is used; no Salesforce transaction stays
open for an hour."""
ID_IN_LIST: Final = re.compile(rb'"[0-9A-Za-z]{18}"\s*,\s*')
"""An id in a list that is followed by another id."""
SYSTEM_FIELDS: Final = ("Id", "Email", "SystemModstamp", "LastModifiedDate", "IsDeleted")
OBJECT_FIELDS: Final = {
    RecordKind.LEAD: ("IsConverted", "MasterRecordId", "ConvertedContactId", "CreatedDate"),
    RecordKind.CONTACT: ("MasterRecordId", "CreatedDate"),
}
SALESFORCE_KINDS: Final = tuple(OBJECT_FIELDS)
TOO_LARGE: Final = "the record is too large to be read"
FEW_RECORDS: Final = 4
"""Records of an org that has no others, and of which none can be read: fewer than
`halving.MAX_ALONE`. When more of them cannot be read, the fault is one of all queries."""
PROOF_RECORDS: Final = 2_000
"""Records of which some may show that the query of a page works: as many as a page has."""
PROOF_PLACES: Final = (0, 8, 4, 2, 6, 1, 3, 5, 7)
"""Which of them are tried, in eighths of their list and in this order: records that cannot be read
may be neighbours."""
PROOF_TURN_SECONDS: Final = 60.0
"""After this time the order starts with the next place. A query that hangs takes up to two minutes,
and an invocation has time for one or two: the next invocation must not begin with the same ones."""
MAX_LEFT_OUT: Final = 200
"""Records that one reading of an invocation leaves out, at six calls each where they are
neighbours. The next run continues behind them."""
OF_A_PAGE: Final = (RetryError, RejectedError, StaleError)
"""Errors that a record of a page may be the cause of."""
NOT_OF_A_PAGE: Final = (NoCallError, LoginUnavailableError, UnknownFieldError)
"""Errors among them that no smaller page avoids."""
PageError = RetryError | RejectedError | StaleError
PAGE_CALL: Final = "page"
SMALL_CALL: Final = "small page"
PROOF_CALL: Final = "query of a record that can be read"
COVERED_CALL: Final = "covered date"
"""The kinds of calls whose pace is measured: the slow query of one record does not make the others
slow."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the list: its place, None where it shows none, and what it holds."""

    place: Place | None
    content: Observation | RecordProblem


class Reader:
    """Reads one org; `scope` has the fields to read and the records that take part."""

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], float],
        scope: ReadScope,
        calls: PacedCalls,
        failed_lookups: FailedLookups,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._scope = scope
        self._calls = calls
        self._failed_lookups = failed_lookups
        self._size = PageSize()
        self._left_out = 0
        self._doubted: str | None = None
        self._readable: dict[RecordKind, str] = {}
        self._resume = Cursor(RecordKind.LEAD)

    def read(self, cursor: Cursor) -> Iterator[Page]:
        """Read the records that changed since the cursor, page by page, deleted ones included.

        An expired page cursor resumes after the last row that was yielded, and so does a query with
        fewer rows after a page that failed while Salesforce answers others. A record that fails
        alone is a problem of the page. Raises the error of the page when Salesforce answers no
        query, or the query of a page for no record, and `DeadlineError` when too little time is
        left for a page.
        """
        if not cursor.position and not cursor.next_watermark:
            cursor = replace(
                cursor, next_watermark=self._next_watermark(cursor.kind), started_at=self._clock()
            )
        self._size = PageSize(stored_limit(cursor.position))
        self._left_out = 0
        self._doubted = None
        while True:
            try:
                yield from self._pages(cursor)
            except NOT_OF_A_PAGE:
                raise
            except OF_A_PAGE as error:
                if not self._is_expired(error, cursor):
                    yield self._reduced(error)
            else:
                return
            cursor = self._resume

    def _is_expired(self, error: PageError, started: Cursor) -> bool:
        """Return whether the cursor of a query has expired, after rows that were yielded."""
        is_of_cursor = (
            isinstance(error, RejectedError) and error_class(error.code) is ErrorClass.CURSOR
        )
        return is_of_cursor and self._resume != started

    def _reduced(self, error: PageError) -> Page:
        """Use smaller pages after one that failed, or leave out the record that fails alone.

        Returns a page with the position after that: another invocation continues there. Raises the
        error where Salesforce answers no query, or for no record.
        """
        cursor = self._resume
        if not isinstance(error, AnswerTooLargeError):
            self._query_rows(SMALLEST_QUERY.format(cursor.kind.value), SMALLEST_CALL)
        if not self._size.is_smallest:
            self._size.reduce()
            self._resume = self._at(cursor, cursor.position)
            return Page((), self._resume, last=False)
        if self._left_out >= MAX_LEFT_OUT:
            raise error
        self._left_out += 1
        return self._page_without_next(cursor, error)

    def _at(self, cursor: Cursor, position: str) -> Cursor:
        """Return a cursor at a position, with the size of the next page where that is limited."""
        return replace(cursor, position=with_limit(position, self._size.limit))

    def _confirm_query(self, kind: RecordKind, failed_id: object, error: PageError) -> None:
        """Return if the query of a page finds some record; else raise the error of the page.

        The query may fail as a whole: then it is no fault of a record. An org with a few records
        may have no other one.
        """
        if self._is_readable(kind, self._readable.get(kind, "")):
            return
        # The kind is a member of an enumeration.
        select = f"SELECT Id FROM {kind.value}"  # noqa: S608  # nosec B608
        soql = f"{select} ORDER BY SystemModstamp, Id LIMIT {PROOF_RECORDS}"
        rows = [row for row in self._query_rows(soql, PROOF_CALL).rows if isinstance(row, dict)]
        ids = [str(row.get("Id")) for row in rows if row.get("Id") != failed_id]
        last = max(0, len(ids) - 1)
        turn = int(self._clock() // PROOF_TURN_SECONDS) % len(PROOF_PLACES)
        places = PROOF_PLACES[turn:] + PROOF_PLACES[:turn]
        for record_id in dict.fromkeys(
            ids[last * place // max(PROOF_PLACES)] for place in places if ids
        ):
            if self._is_readable(kind, record_id):
                self._readable[kind] = record_id
                return
        if len(rows) > FEW_RECORDS:
            raise error

    def _is_readable(self, kind: RecordKind, record_id: str) -> bool:
        """Return whether the query of a page, for one record by its id, finds it."""
        if not is_record_id(record_id):
            return False
        soql = f"{self._select(kind)} WHERE Id = '{record_id}'"
        try:
            return bool(self._query_rows(soql, PROOF_CALL).rows)
        except NOT_OF_A_PAGE:
            raise
        except OF_A_PAGE:
            return False

    def _pages(self, cursor: Cursor) -> Iterator[Page]:
        self._resume = cursor
        as_of = self._clock()
        limit, rows_of_query = self._size.limit, 0
        answer = self._first_page(cursor, self._select(cursor.kind), limit)
        while True:
            # A query with a limit may have several pages too.
            rows_of_query += len(answer.rows)
            self._size.report(len(answer.rows))
            is_full = 0 < limit <= rows_of_query
            next_page, last = answer.next_page, answer.is_last and not is_full
            rows = [self._located(cursor.kind, row, as_of) for row in answer.rows]
            del answer  # several MB that are not needed while the page is stored
            cursor = self._at(cursor, self._position_after(cursor, rows, is_full=is_full))
            page = _page(rows, cursor.finished() if last else cursor, last=last)
            del rows
            yield page
            if last:
                return
            del page  # not needed while the next page is read
            self._resume = cursor
            if next_page:
                answer = self._calls.make(PAGE_CALL, partial(self._connection.next_page, next_page))
            else:
                limit, rows_of_query = self._size.limit, 0
                answer = self._first_page(cursor, self._select(cursor.kind), limit)

    def _position_after(self, cursor: Cursor, rows: Sequence[_Row], *, is_full: bool) -> str:
        """Return the position after a page: that of its last row with an id and a plausible stamp.

        Where no row of a full page has a plausible one, the same page is read again, once: then
        the clock of the org is wrong, and the rows are in its order. Raises `RetryError` for a
        full page of which no row has an id and a stamp, or only stamps before the page.
        """
        start = stamp_of(cursor.position)
        places = [row.place for row in rows if row.place is not None]
        later = [each for each in places if start is None or each.stamp >= start]
        if position := last_position(later, self._clock()):
            return position
        if not is_full:
            return cursor.position
        if self._doubted != cursor.position:
            self._doubted = cursor.position
            return cursor.position
        if position := last_position(later):
            return position
        raise unusable_answer("id and stamp of a record")

    def _first_page(
        self, cursor: Cursor, select: str, limit: int, call_kind: str = ""
    ) -> QueryPage:
        """Query the rows after a cursor: `limit` at most, 0 for all."""
        soql = f"{select}{since_condition(cursor)} ORDER BY SystemModstamp, Id"
        kind = call_kind or (SMALL_CALL if limit else PAGE_CALL)
        soql = f"{soql} LIMIT {limit}" if limit else soql
        return query_with_access(cursor.kind, lambda: self._query_rows(soql, kind))

    def _query_rows(self, soql: str, call_kind: str) -> QueryPage:
        read = self._connection.decode
        return self._calls.make(
            call_kind, lambda: read(read_query_page, "queryAll/", params={"q": soql})
        )

    def _page_without_next(self, cursor: Cursor, error: PageError) -> Page:
        """Return a page with the problem of the next record, which cannot be read."""
        rows = self._rows_to_name(cursor)
        located = [self._located(cursor.kind, row, self._clock()) for row in rows]
        position = self._position_after(cursor, located, is_full=True)
        members = rows[0] if isinstance(rows[0], dict) else {}
        is_too_large = isinstance(error, AnswerTooLargeError)
        if not is_too_large:
            self._confirm_query(cursor.kind, members.get("Id"), error)
        detail = TOO_LARGE if is_too_large else FAILED
        problem = _problem(cursor.kind, members, ProblemCode.UNREADABLE_RECORD, detail)
        self._size.report_alone()
        self._resume = self._at(cursor, position)
        return Page((), self._resume, last=False, problems=(problem,))

    def _rows_to_name(self, cursor: Cursor) -> Sequence[object]:
        """Return the next row with its id and e-mail; without the e-mail where that fails."""
        # The kind is a member of an enumeration.
        select = f"SELECT Id,{{}}SystemModstamp FROM {cursor.kind.value}"  # noqa: S608  # nosec B608
        try:
            return self._first_page(cursor, select.format("Email,"), 1, PROOF_CALL).rows
        except NOT_OF_A_PAGE:
            raise
        except OF_A_PAGE:
            return self._first_page(cursor, select.format(""), 1, PROOF_CALL).rows

    def _located(self, kind: RecordKind, row: object, as_of: float) -> _Row:
        """Return what a row of the list holds, and where it is."""
        members: Mapping[str, object] = row if isinstance(row, dict) else {}
        try:
            place = place_of(members)
        except Exception as error:  # noqa: BLE001  # the problem of one record
            problem = _problem(kind, members, ProblemCode.DEFECT, describe_defect(error))
            return _Row(None, problem)
        return _Row(place, self._read_row(kind, row, as_of))

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records by id, all Leads and Contacts of some e-mails, Leads of some Plezi pages.

        A record that is neither found nor in the recycle bin is a problem: it may be invisible.
        Raises `RetryError` when Salesforce answers too few of the queries, and `DeadlineError` when
        too little time is left.
        """
        lookup = Lookup(self._connection, self._clock, self._calls, self._failed_lookups)
        lookup.run(self._lookup_queries(records, emails, page_urls))
        found: dict[str, Observation] = {}
        email_of = {record.id: record.email for record in records}
        problems = unanswered_problems(lookup.unanswered, email_of)
        kinds_with_unnamed: set[RecordKind] = set()
        for each in lookup.rows:
            match self._read_row(each.query.kind, each.row, each.as_of):
                case RecordProblem() as problem:
                    problems.append(problem)
                    if each.query.is_by_id and not problem.record_id:
                        kinds_with_unnamed.add(problem.kind)
                case observation:
                    found[observation.id] = observation
        explained = {problem.record_id for problem in problems}
        missing = [each for each in records if each.id not in found and each.id not in explained]
        unsure = [each for each in missing if each.kind in kinds_with_unnamed]
        problems += [unnamed_row_problem(each.kind, each.id, each.email) for each in unsure]
        deleted = {each.id for each in found.values() if each.deleted}
        absent = [each for each in missing if each.kind not in kinds_with_unnamed]
        deleted |= deleted_ids(self._connection, self._calls, absent)
        problems += [invisible_problem(each) for each in absent if each.id not in deleted]
        present = tuple(each for each in found.values() if not each.deleted)
        return LookupResult(present, frozenset(deleted), tuple(problems))

    def _lookup_queries(
        self, records: Sequence[Observation], emails: Sequence[str], page_urls: Sequence[str]
    ) -> Iterator[LookupQuery]:
        for kind in SALESFORCE_KINDS:
            select = self._select(kind)
            ids = [record.id for record in records if record.kind is kind]
            yield from lookup_queries(select, kind, "Id", ids)
            yield from lookup_queries(select, kind, "Email", emails)
        key = PLEZI_URL_PAIR.salesforce
        if key in self._scope.field_names[RecordKind.LEAD]:
            select = self._select(RecordKind.LEAD)
            yield from lookup_queries(select, RecordKind.LEAD, key, page_urls)

    def _select(self, kind: RecordKind) -> str:
        names = [*SYSTEM_FIELDS, *OBJECT_FIELDS[kind], *self._scope.field_names[kind]]
        if (record_filter := self._scope.filters.get(kind)) is not None:
            names.append(record_filter.field)
        # The names come from the describe of the org, the kind from an enumeration.
        return f"SELECT {','.join(dict.fromkeys(names))} FROM {kind.value}"  # noqa: S608  # nosec B608

    def _read_row(self, kind: RecordKind, row: object, as_of: float) -> Observation | RecordProblem:
        """Return the observation of a row, or the problem why it cannot be used."""
        members: Mapping[str, object] = row if isinstance(row, dict) else {}
        try:
            return self._observation(kind, members, as_of)
        except UnreadableError as error:
            return _problem(kind, members, ProblemCode.UNREADABLE_RECORD, str(error))
        except Exception as error:  # noqa: BLE001  # the problem of one record
            return _problem(kind, members, ProblemCode.DEFECT, describe_defect(error))

    def _observation(
        self, kind: RecordKind, row: Mapping[str, object], as_of: float
    ) -> Observation:
        """Return the observation of a row; raise `UnreadableError` where it cannot be used."""
        record_id = read_id(row, "Id")
        if not record_id:
            raise UnreadableError("Id is missing")
        if "Email" not in row:
            raise UnreadableError("Email is missing")
        version = plausible_stamp(read_stamp(row, "SystemModstamp"), as_of)
        modified = plausible_stamp(read_stamp(row, "LastModifiedDate"), as_of)
        is_converted = kind is RecordKind.LEAD and read_flag(row, "IsConverted")
        eligible = self._is_eligible(kind, row)
        names = (self._scope.field_names if eligible else self._scope.opt_outs).get(kind, ())
        values, unreadable = _values(row, names)
        return Observation(
            kind=kind,
            id=record_id,
            email=_email(row),
            version=_version(version),
            modified=modified.isoformat(timespec="milliseconds"),
            as_of=as_of,
            values=values,
            eligible=eligible,
            converted=is_converted,
            deleted=read_flag(row, "IsDeleted"),
            successor=read_id(row, "MasterRecordId") or read_id(row, "ConvertedContactId"),
            created=_created(row),
            unreadable=unreadable,
        )

    def _is_eligible(self, kind: RecordKind, row: Mapping[str, object]) -> bool:
        """Return whether a record takes part; raise `UnreadableError` where it is not known."""
        if kind in self._scope.excluded:
            return False
        record_filter = self._scope.filters.get(kind)
        if record_filter is None:
            return True
        values, _ = _values(row, (record_filter.field,))
        if record_filter.field not in values:
            raise UnreadableError(f"{record_filter.field} is missing, or is not a value")
        return record_filter.accepts(values[record_filter.field])

    def _next_watermark(self, kind: RecordKind) -> str:
        """Return the time before which every change can already be read."""
        now = self._server_time()
        params = {"start": soql_time(now - COVERED_WINDOW), "end": soql_time(now)}
        path = f"sobjects/{kind.value}/updated/"
        read = self._connection.read_reduced
        try:
            body: object = self._calls.make(
                COVERED_CALL, lambda: read(path, params=params, reduce=drop_ids)
            )
            covered = read_covered_date(body)
        except (RejectedError, UnreadableError):
            return soql_time(self._server_time() - OVERLAP)
        is_plausible = covered <= self._own_time() + STAMP_TOLERANCE
        return soql_time(covered if is_plausible else self._own_time() - OVERLAP)

    def _server_time(self) -> datetime:
        """Return Salesforce's clock; our own where that is not known, or is far ahead."""
        ours = self._own_time()
        theirs = self._connection.server_time()
        return ours if theirs is None or theirs > ours + STAMP_TOLERANCE else theirs

    def _own_time(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _page(rows: Sequence[_Row], cursor: Cursor, *, last: bool) -> Page:
    """Return what the rows of a page hold."""
    content = [row.content for row in rows]
    observations = tuple(each for each in content if isinstance(each, Observation))
    problems = tuple(each for each in content if isinstance(each, RecordProblem))
    return Page(observations, cursor, last, problems)


def _created(row: Mapping[str, object]) -> str:
    """Return when a record was created, to the second; '' where the answer does not say."""
    try:
        return soql_time(read_stamp(row, "CreatedDate"))
    except UnreadableError:
        return ""


def _email(row: Mapping[str, object]) -> str:
    """Return the canonical e-mail ('' for none), which can be a key of the ledger."""
    email = canonical_email(row["Email"] and read_text(row, "Email"))
    if len(email) > MAX_EMAIL_CHARACTERS:
        raise UnreadableError(f"Email has more than {MAX_EMAIL_CHARACTERS} characters")
    return email


def drop_ids(response: bytes) -> bytes:
    """Return a response of getUpdated without its ids, except the last one; it is still JSON.

    The response lists every record that changed in the window, at most 600,000 (SOAP API Developer
    Guide, "getUpdated()"). The connector needs only its stamp; 200,000 ids took 18 MB of memory
    (docs/benchmarks.md).
    """
    return ID_IN_LIST.sub(b"", response)


def _problem(
    kind: RecordKind, row: Mapping[str, object], code: ProblemCode, detail: str
) -> RecordProblem:
    """Return the problem of a row, with its id and e-mail where it shows them."""
    record_id, email = row.get("Id"), row.get("Email")
    try:
        key = canonical_email(email) if isinstance(email, str) and is_unicode(email) else ""
    except Exception:  # noqa: BLE001  # the record is found by its id
        key = ""
    key = key if len(key) <= MAX_EMAIL_CHARACTERS else ""
    is_id = isinstance(record_id, str) and RECORD_ID.fullmatch(record_id) is not None
    return RecordProblem(kind, str(record_id) if is_id else "", key, code, detail)


def _values(
    row: Mapping[str, object], names: Sequence[str]
) -> tuple[dict[str, Value], frozenset[str]]:
    """Return the fields that a row has, and the names of those whose value cannot be used.

    A field that the row lacks is unknown, and not blank. A dot leads to the parent record, which
    may be null.
    """
    values: dict[str, Value] = {}
    unreadable = set()
    for name in names:
        holder, step = row, name
        if name not in row and "." in name:
            parent, _, step = name.rpartition(".")
            for part in parent.split("."):
                found = holder.get(part, {})
                if not isinstance(found, dict):
                    holder = {step: None if found is None else [found]}
                    break
                holder = found
        if step in holder:
            try:
                values[name] = read_value(name, holder[step])
            except UnreadableError:
                unreadable.add(name)
    return values, frozenset(unreadable)


def _version(moment: datetime) -> str:
    """Return a stamp as text that sorts, in the form of the REST API: UTC and milliseconds."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}+0000"
