"""Look-ups of records by id, e-mail or Plezi page, in composite calls of five queries.

One composite call counts as one call (REST API Developer Guide, "Composite"). A query that fails is
sent again in halves, and so are the queries of a call that fails as a whole: one value cannot fail
the look-up of all. Whether such a call fails because of its values or because Salesforce does not
answer now is asked with the smallest query. The values of queries that failed are remembered, and
looked up last (`salesforce.failed_lookups`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from connector.deadline import DeadlineError
from connector.errors import RejectedError, RetryError, StaleError, UnknownFieldError
from connector.http_session import OK_STATUSES
from connector.model import ProblemCode, RecordKind, RecordProblem
from connector.pace import PacedCalls
from connector.salesforce.answers import PartAnswer, QueryPage, read_composite, read_query_page
from connector.salesforce.auth.login import LoginUnavailableError
from connector.salesforce.connection import Connection, part_error
from connector.salesforce.failed_lookups import FailedLookups
from connector.salesforce.lookup_queries import LookupQuery, encoded
from connector.salesforce.object_access import query_with_access

QUERIES_IN_COMPOSITE: Final = 5
"""Queries in one composite call (REST API Developer Guide, "Composite")."""
LONGEST_QUERY_IN_URL: Final = 8_000
"""Characters; percent-encoded it stays below the 16,384 bytes of URI and headers."""
MAX_FAILED_QUERIES: Final = 20
"""Queries that may fail in one look-up: enough to find a value among 1,000 twice."""
LOOK_UP_CALL: Final = "look-up"
APART_CALL: Final = "look-up of a value that failed"
SMALLEST_CALL: Final = "smallest query"
"""The kinds of calls whose pace is measured: a slow value does not make the others slow."""
APART_SECONDS: Final = 30.0
"""Seconds after which no further query for values that failed before begins: one of them may take
two minutes, and the others of the look-up wait for it."""
FAILED: Final = "Salesforce does not answer the query for this record"
SMALLEST_QUERY: Final = "SELECT Id FROM {} LIMIT 1"
"""A query that fails only where Salesforce answers no query at all."""
NOT_OF_A_QUERY: Final = (LoginUnavailableError, UnknownFieldError)
"""Errors that no smaller query avoids."""
OF_A_QUERY: Final = (RetryError, RejectedError, StaleError)
"""Errors that the values of a query may be the cause of."""
QueryError = RetryError | RejectedError | StaleError


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row of a look-up, any JSON, with the time of the call (our clock, seconds)."""

    query: LookupQuery
    row: object
    as_of: float


class Lookup:
    """One look-up: its rows, and the records whose query failed."""

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], float],
        calls: PacedCalls,
        failed_before: FailedLookups,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._calls = calls
        self._failed_before = failed_before
        self._failed = 0
        self._is_answering = False
        self.rows: list[FoundRow] = []
        self.unanswered: list[LookupQuery] = []

    def run(self, queries: Iterable[LookupQuery]) -> None:
        """Run the queries and collect their rows; the values that failed before are the last.

        Raises `RetryError` when too many of the others fail or Salesforce answers no query,
        `UnknownFieldError` when a field is not as described, and `HaltError` as every call;
        `DeadlineError` when no time is left for the others.
        """
        ordinary, apart = self._failed_before.divide(queries)
        try:
            self._run_ordinary(ordinary)
            self._run_apart(apart)
        finally:
            self._failed_before.save()

    def _run_ordinary(self, queries: Iterable[LookupQuery]) -> None:
        waiting = deque(queries)
        halves_of_calls: deque[list[LookupQuery]] = deque()
        while waiting or halves_of_calls:
            if halves_of_calls:
                part = halves_of_calls.popleft()
            else:
                part = [waiting.popleft() for _ in range(min(QUERIES_IN_COMPOSITE, len(waiting)))]
            try:
                failed = self._run_together(part)
            except NOT_OF_A_QUERY:
                raise
            except OF_A_QUERY as error:
                halves_of_calls.extend(self._halves_of_call(part, error))
            else:
                self._is_answering = True
                for query, reason in failed:
                    waiting.extend(self._halves(query, reason))

    def _run_apart(self, queries: Iterable[LookupQuery]) -> None:
        """Run queries for values that failed before, each in its own call, in `APART_SECONDS`.

        What is not asked for in this time, or in that of the invocation, stays unanswered.
        """
        waiting = deque(queries)
        end = self._clock() + APART_SECONDS
        failed = 0
        while waiting and self._clock() < end and failed < MAX_FAILED_QUERIES:
            try:
                if self._is_answered_apart(waiting[0]):
                    waiting.popleft()
                    continue
            except DeadlineError:
                break
            query = waiting.popleft()
            failed += 1
            self._failed_before.report_failed(query)
            if len(query.values) == 1:
                self.unanswered.append(query)
            else:
                waiting.extend(query.halves())
        self.unanswered += [
            replace(query, values=(value,)) for query in waiting for value in query.values
        ]

    def _is_answered_apart(self, query: LookupQuery) -> bool:
        """Run a query alone; raise the error of the smallest query where that fails too."""
        try:
            failed = self._run_together([query], APART_CALL)
        except NOT_OF_A_QUERY:
            raise
        except OF_A_QUERY:
            self._check_answering([query])
            return False
        return not failed

    def _halves_of_call(
        self, part: list[LookupQuery], error: QueryError
    ) -> list[list[LookupQuery]]:
        """Return the calls to be made in place of one that failed as a whole.

        Raises the error of the smallest query where that fails too.
        """
        if not self._is_answering:
            self._check_answering(part)
        self._is_answering = False
        if len(part) > 1:
            self._remember(part)
            half = len(part) // 2
            return [part[:half], part[half:]]
        return [[each] for each in self._halves(part[0], error)]

    def _remember(self, queries: Iterable[LookupQuery]) -> None:
        for query in queries:
            self._failed_before.report_failed(query)

    def _check_answering(self, failed: Sequence[LookupQuery]) -> None:
        """Make the smallest query after a call that failed; raise its error.

        When no time is left for it, the failed queries are remembered nevertheless: they have
        taken the time.
        """
        try:
            self._query(SMALLEST_QUERY.format(failed[0].kind.value), SMALLEST_CALL)
        except DeadlineError:
            self._remember(failed)
            raise

    def _run_together(
        self, queries: Sequence[LookupQuery], call_kind: str = LOOK_UP_CALL
    ) -> list[tuple[LookupQuery, QueryError]]:
        """Run some queries in one call; return those that failed, and why."""
        as_of = self._clock()
        if len(queries) == 1 and len(queries[0].soql) <= LONGEST_QUERY_IN_URL:
            [query] = queries
            page = query_with_access(query.kind, partial(self._query, query.soql, call_kind))
            self._collect(query, page, as_of)
            return []
        failed: list[tuple[LookupQuery, QueryError]] = []
        for query, answer in zip(queries, self._composite(queries, call_kind), strict=True):
            try:
                page = query_with_access(query.kind, partial(_page, answer))
                self._collect(query, page, as_of)
            except NOT_OF_A_QUERY:
                raise
            except OF_A_QUERY as error:
                failed.append((query, error))
        return failed

    def _query(self, soql: str, call_kind: str) -> QueryPage:
        read = self._connection.decode
        return self._calls.make(
            call_kind, lambda: read(read_query_page, "query/", params={"q": soql})
        )

    def _composite(self, queries: Sequence[LookupQuery], call_kind: str) -> list[PartAnswer]:
        base = f"/services/data/v{self._connection.version}/query/?q="
        body = {
            "compositeRequest": [
                {"method": "GET", "url": base + encoded(query.soql), "referenceId": f"query{at}"}
                for at, query in enumerate(queries)
            ]
        }
        decode: Callable[[object], list[PartAnswer]] = partial(read_composite, number=len(queries))
        read = self._connection.decode
        return self._calls.make(
            call_kind, lambda: read(decode, "composite/", method="POST", json=body)
        )

    def _collect(self, query: LookupQuery, page: QueryPage, as_of: float) -> None:
        """Keep the rows of all pages of a query."""
        pages = [page]
        while not pages[-1].is_last:
            address = pages[-1].next_page
            pages.append(
                self._calls.make(LOOK_UP_CALL, partial(self._connection.next_page, address))
            )
        self._failed_before.report_answered(query)
        self.rows += [FoundRow(query, row, as_of) for each in pages for row in each.rows]

    def _halves(self, query: LookupQuery, error: QueryError) -> tuple[LookupQuery, ...]:
        """Return the halves of a failed query; () for one value, which stays unanswered.

        Raises the error when too many queries have failed.
        """
        self._failed_before.report_failed(query)
        self._failed += 1
        if self._failed > MAX_FAILED_QUERIES:
            raise error
        if len(query.values) == 1:
            self.unanswered.append(query)
            return ()
        return query.halves()


def _page(answer: PartAnswer) -> QueryPage:
    """Return the page of a sub-request; raise the error that it answers."""
    if answer.status not in OK_STATUSES:
        raise part_error(answer.status, answer.body)
    return read_query_page(answer.body)


def unanswered_problems(
    queries: Iterable[LookupQuery], emails: Mapping[str, str]
) -> list[RecordProblem]:
    """Return the problems of records whose query failed; `emails` are by the id of a record."""
    problems = []
    for query in queries:
        [value] = query.values
        by_id = query.is_by_id
        email = emails.get(value, "") if by_id else value if query.field == "Email" else ""
        problems.append(
            RecordProblem(
                query.kind, value if by_id else "", email, ProblemCode.UNREADABLE_RECORD, FAILED
            )
        )
    return problems


def unnamed_row_problem(kind: RecordKind, record_id: str, email: str) -> RecordProblem:
    """Return the problem of a record that may be the row without an id of the same answer."""
    detail = "the answer lacks this record, and has a record without an id"
    return RecordProblem(kind, record_id, email, ProblemCode.UNREADABLE_RECORD, detail)
