"""Writes of Leads: sObject Collections of 200, only changed fields, one outcome for each record.

A creation is an upsert on the external id that holds the Plezi URL, so a repeated creation creates
no duplicate. Salesforce has no precondition on collections: a write depends on a read shortly
before it (docs/architecture.md describes the remaining window).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import requests

from connector.errors import RejectedError, RetryError, StaleError
from connector.http_session import ErrorAction
from connector.mapping import Schema
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import Observation, RecordKind, Write
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.salesforce.connection import Connection
from connector.salesforce.diagnosis import classify, find_error, halt_error, remedy
from connector.salesforce.error_table import UNKNOWN_ERROR

BATCH_SIZE: Final = 200
"""Records in one call to sObject Collections."""
DUPLICATE_RULES: Final = {
    "Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false; "
    "runAsCurrentUser=true"
}
"""A duplicate rule that only alerts lets the record be saved; a rule that blocks still blocks (REST
API Developer Guide, "Duplicate Rule Header")."""


class Writer:
    """Writes to one org. `assign_new_leads`: the org's assignment rules run for new Leads only."""

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], float],
        lead_schema: Callable[[], Schema],
        *,
        assign_new_leads: bool,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._lead_schema = lead_schema
        self._assign_new_leads = assign_new_leads

    def apply(self, writes: Sequence[Write], names: Sequence[str]) -> Iterator[WriteOutcome]:
        """Apply writes in calls of 200; yield one outcome for each, in the given order.

        `names` are the Lead fields of an observation. Raises `HaltError` when no further write is
        allowed; the outcomes yielded before it are final.
        """
        outcomes: dict[int, WriteOutcome] = {}
        position = 0
        creations = [number for number, write in enumerate(writes) if write.is_create]
        updates = [number for number, write in enumerate(writes) if not write.is_create]
        batches = [
            group[start : start + BATCH_SIZE]
            for group in (updates, creations)
            for start in range(0, len(group), BATCH_SIZE)
        ]
        for batch in batches:
            results = self._send([writes[number] for number in batch], names)
            outcomes |= dict(zip(batch, results, strict=True))
            while position in outcomes:
                yield outcomes[position]
                position += 1

    def _send(self, writes: Sequence[Write], names: Sequence[str]) -> list[WriteOutcome]:
        """Send one batch; split a batch that is refused as a whole, to find the refused record."""
        try:
            response = self._call(writes)
        except (RetryError, requests.RequestException):
            return [WriteOutcome(write, WriteResult.UNKNOWN) for write in writes]
        except StaleError:
            return [WriteOutcome(write, WriteResult.STALE) for write in writes]
        except RejectedError as error:
            if len(writes) == 1:
                return [_rejected(writes[0], error.code, error.fields)]
            half = len(writes) // 2
            return [*self._send(writes[:half], names), *self._send(writes[half:], names)]
        if not isinstance(response, list) or len(response) != len(writes):
            return [WriteOutcome(write, WriteResult.UNKNOWN) for write in writes]
        return [
            self._outcome(write, item, names) for write, item in zip(writes, response, strict=True)
        ]

    def _call(self, writes: Sequence[Write]) -> Any:  # noqa: ANN401  # any JSON
        creates = writes[0].is_create
        assign = "TRUE" if creates and self._assign_new_leads else "FALSE"
        headers = {"Sforce-Auto-Assign": assign, **DUPLICATE_RULES}
        records = [
            {
                "attributes": {"type": write.kind.value},
                **({} if creates else {"id": write.record_id}),
                **write.values,
            }
            for write in writes
        ]
        key = PLEZI_URL_PAIR.salesforce
        field = self._lead_schema().get(key)
        idempotent = field is not None and field.external_id
        path = "composite/sobjects"
        if creates and idempotent and all(write.values.get(key) for write in writes):
            path += f"/{RecordKind.LEAD.value}/{key}"
        method = "POST" if creates and not path.endswith(key) else "PATCH"
        body = {"allOrNone": False, "records": records}
        return self._connection.call(path, method=method, headers=headers, json=body)

    def _outcome(self, write: Write, item: Mapping[str, Any], names: Sequence[str]) -> WriteOutcome:
        if item.get("success"):
            now = self._clock()
            return WriteOutcome(
                write,
                WriteResult.DONE,
                record_id=item["id"],
                answered_at=now,
                created=write.is_create,
                observation=_new_lead(write, item["id"], names, now) if write.is_create else None,
            )
        error: Mapping[str, Any] = next(iter(item.get("errors", ())), {})
        code = str(error.get("statusCode", UNKNOWN_ERROR.code))
        message = str(error.get("message", ""))
        match classify(None, code, message):
            case ErrorAction.RETRY:
                return WriteOutcome(write, WriteResult.RETRY, code=code)
            case ErrorAction.STALE:
                return WriteOutcome(write, WriteResult.STALE, code=code)
            case ErrorAction.HALT:
                raise halt_error(find_error(code, message) or UNKNOWN_ERROR, code)
            case _:
                return _rejected(write, code, tuple(map(str, error.get("fields", ()))))


def _new_lead(write: Write, record_id: str, names: Sequence[str], now: float) -> Observation:
    """Return the observation of a Lead just created; the response only has its id."""
    return Observation(
        kind=write.kind,
        id=record_id,
        email=write.email,
        version="",
        modified="",
        as_of=now,
        values={name: write.values.get(name) for name in names},
    )


def _rejected(write: Write, code: str, fields: tuple[str, ...]) -> WriteOutcome:
    return WriteOutcome(write, WriteResult.REJECTED, code=code, remedy=remedy(code), fields=fields)
