"""Records that a look-up by id does not find: deleted, or only invisible.

A record that sharing hides from the user is absent from every query, but it is not deleted and may
be visible again (Salesforce Help, "Organization-Wide Sharing Defaults"). Only a row of queryAll
proves a deletion: it has the records of the recycle bin too (REST API Developer Guide, "QueryAll").
A record that was removed from the recycle bin looks like an invisible one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from connector.model import Observation, ProblemCode, RecordProblem
from connector.pace import PacedCalls
from connector.salesforce.answers import QueryPage, UnreadableError, read_id, read_query_page
from connector.salesforce.connection import Connection
from connector.salesforce.lookup import LOOK_UP_CALL
from connector.salesforce.lookup_queries import lookup_queries
from connector.salesforce.object_access import query_with_access


def deleted_ids(
    connection: Connection, calls: PacedCalls, missing: Sequence[Observation]
) -> frozenset[str]:
    """Return the ids of the missing records that are in the recycle bin.

    Raises the errors of a query, and `DeadlineError` when too little time is left for it.
    """
    found: set[str] = set()
    for kind in dict.fromkeys(each.kind for each in missing):
        ids = [each.id for each in missing if each.kind is kind]
        for query in lookup_queries(f"SELECT Id FROM {kind.value}", kind, "Id", ids):  # noqa: S608  # nosec B608  # a kind
            read = partial(
                connection.decode, read_query_page, "queryAll/", params={"q": query.soql}
            )
            page = query_with_access(kind, partial(calls.make, LOOK_UP_CALL, read))
            found |= _ids(page)
            while not page.is_last:
                next_page = partial(connection.next_page, page.next_page)
                page = calls.make(LOOK_UP_CALL, next_page)
                found |= _ids(page)
    return frozenset(found)


INVISIBLE: Final = "Salesforce shows the {kind} neither among its records nor in the recycle bin"


def invisible_problem(record: Observation) -> RecordProblem:
    """Return the problem of a record that may be invisible."""
    detail = INVISIBLE.format(kind=record.kind.value)
    return RecordProblem(record.kind, record.id, record.email, ProblemCode.NOT_VISIBLE, detail)


def _ids(page: QueryPage) -> set[str]:
    """Return the ids of the rows; a row without a usable one proves nothing."""
    ids: set[str] = set()
    for row in page.rows:
        if isinstance(row, dict):
            try:
                ids.add(read_id(row, "Id"))
            except UnreadableError:
                continue
    return ids
