"""getUpdated and getDeleted: the ids that changed in a window, and the date covered."""

from __future__ import annotations

from datetime import datetime, timedelta

from local.salesforce_org.errors import RefusedError
from local.salesforce_org.exchange import ApiCall, ApiResponse, api_response
from local.salesforce_org.records import object_for
from local.salesforce_org.sharing import NONE
from local.salesforce_org.state import OrgState
from local.salesforce_org.values import parse_datetime, stamp

MAX_AGE_OF_START = timedelta(days=30)
DELETIONS_KEPT = timedelta(days=15)
MAX_IDS = 600_000


def updated(state: OrgState, call: ApiCall, name: str) -> ApiResponse:
    """`GET /sobjects/{object}/updated/?start=&end=`: the ids of records that the caller sees.

    SOAP API Developer Guide, "getUpdated()": only objects to which the user has access.
    """
    kind = object_for(state, call, name)
    start, end = _window(state, call)
    if start < state.now() - MAX_AGE_OF_START:
        raise _bad_date("startDate cannot be more than 30 days ago")
    covered = _covered(state, end)
    visible = state.security.access_of(call.user).visible_rows(kind, f'"{kind.name}"') or "TRUE"
    rows = state.store.run(
        f'SELECT Id FROM "{kind.name}" WHERE SystemModstamp >= ? AND SystemModstamp <= ?'  # noqa: S608  # a name of the schema
        f" AND IsDeleted = 0 AND {visible} ORDER BY SystemModstamp, Id LIMIT {MAX_IDS + 1}",
        (stamp(start), stamp(end)),
    ).fetchall()
    if len(rows) > MAX_IDS:
        raise RefusedError("EXCEEDED_ID_LIMIT", "exceeded id limit", fields=None)
    call.records = len(rows)
    return api_response({"ids": [row[0] for row in rows], "latestDateCovered": stamp(covered)})


def deleted(state: OrgState, call: ApiCall, name: str) -> ApiResponse:
    """`GET /sobjects/{object}/deleted/?start=&end=`: the ids of records that the caller saw."""
    kind = object_for(state, call, name)
    start, end = _window(state, call)
    covered = _covered(state, end)
    earliest = state.now() - DELETIONS_KEPT
    low, high = stamp(max(start, earliest)), stamp(end)
    access = state.security.access_of(call.user)
    rows = [
        {"deletedDate": deleted_date, "id": record_id}
        for entity, record_id, deleted_date in state.deletions
        if entity == kind.name
        and low <= deleted_date <= high
        and access.level(kind, state.store.fetch(kind, record_id) or {"Id": record_id}) != NONE
    ]
    call.records = len(rows)
    return api_response(
        {
            "deletedRecords": rows,
            "earliestDateAvailable": stamp(earliest),
            "latestDateCovered": stamp(covered),
        }
    )


def _window(state: OrgState, call: ApiCall) -> tuple[datetime, datetime]:
    start, end = (_time_argument(state, call, name) for name in ("start", "end"))
    if start >= end:
        raise _bad_date("startDate has to be before endDate")
    return start, end


def _time_argument(state: OrgState, call: ApiCall, name: str) -> datetime:
    text = call.argument(name)
    if not text:
        raise RefusedError("MISSING_ARGUMENT", f"{name} parameter is required", fields=None)
    time = parse_datetime(text)
    if time is None:
        message = f"The value '{text}' of parameter {name} is not a date with a time zone"
        raise _bad_date(message)
    if state.switches.replication_to_the_minute:
        return time.replace(second=0, microsecond=0)
    return time.replace(microsecond=0)


def _covered(state: OrgState, end: datetime) -> datetime:
    """Return the date covered: at most now and the start of the oldest open transaction."""
    now = state.now().replace(microsecond=0)
    if state.switches.replication_to_the_minute:
        now = now.replace(second=0)
    limits = [end, now]
    oldest = state.transactions.oldest_start()
    if oldest is not None:
        limits.append(oldest)
    return min(limits)


def _bad_date(message: str) -> RefusedError:
    return RefusedError("INVALID_REPLICATION_DATE", message, fields=None)
