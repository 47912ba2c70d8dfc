"""Writing Leads: sObject Collections of 200, only the fields that changed, one outcome a record.

Creations are an upsert on the external id that holds the Plezi address, so that repeating one
creates nothing twice. Salesforce offers no precondition on collections: what is written rests on a
reading of a moment ago (docs/architecture.md says what window remains).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import requests

from connector.errors import HaltError, RejectedError, RetryError, StaleError
from connector.http_session import ErrorAction, classify_error
from connector.mapping import Schema
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import Observation, RecordKind, Write
from connector.planning.outcome import WriteOutcome, WriteResult
from connector.salesforce.connection import Connection
from connector.salesforce.diagnosis import stop_reason
from connector.salesforce.remedies import remedy

BATCH_SIZE: Final = 200
"""Records in one call to sObject Collections."""
DUPLICATE_RULES: Final = {
    "Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false; "
    "runAsCurrentUser=true"
}
"""A rule that only alerts lets us save; one that blocks still does (reference: salesforce 2.8)."""


class Writer:
    """Writes to one org. `assign_new_leads`: the org's assignment rules run on creations only."""

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
        """Carry out writes in calls of 200; yield one outcome each, in the order given.

        `names` are the Lead fields that an observation holds.

        Raises `HaltError` when nothing more may be tried; what was yielded has been answered.
        """
        outcomes: dict[int, WriteOutcome] = {}
        place = 0
        creations = [number for number, write in enumerate(writes) if write.is_create]
        updates = [number for number, write in enumerate(writes) if not write.is_create]
        batches = [
            group[start : start + BATCH_SIZE]
            for group in (updates, creations)
            for start in range(0, len(group), BATCH_SIZE)
        ]
        for batch in batches:
            answers = self._send([writes[number] for number in batch], names)
            outcomes |= dict(zip(batch, answers, strict=True))
            while place in outcomes:
                yield outcomes[place]
                place += 1

    def _send(self, writes: Sequence[Write], names: Sequence[str]) -> list[WriteOutcome]:
        """Send one batch; a batch refused as a whole is halved, to find the record that did it."""
        try:
            answer = self._call(writes)
        except requests.RequestException:
            return [WriteOutcome(write, WriteResult.UNKNOWN) for write in writes]
        except RetryError:
            return [WriteOutcome(write, WriteResult.UNKNOWN) for write in writes]
        except StaleError:
            return [WriteOutcome(write, WriteResult.STALE) for write in writes]
        except RejectedError as error:
            if len(writes) == 1:
                return [_rejected(writes[0], error.code, error.fields)]
            half = len(writes) // 2
            return [*self._send(writes[:half], names), *self._send(writes[half:], names)]
        if not isinstance(answer, list) or len(answer) != len(writes):
            return [WriteOutcome(write, WriteResult.UNKNOWN) for write in writes]
        return [
            self._outcome(write, item, names) for write, item in zip(writes, answer, strict=True)
        ]

    def _call(self, writes: Sequence[Write]) -> Any:  # noqa: ANN401  # the JSON of the answer
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
        code = str(error.get("statusCode", "UNKNOWN"))
        match classify_error(None, code):
            case ErrorAction.RETRY:
                return WriteOutcome(write, WriteResult.RETRY, code=code)
            case ErrorAction.STALE:
                return WriteOutcome(write, WriteResult.STALE, code=code)
            case ErrorAction.HALT:
                raise HaltError(stop_reason(code), remedy(code))
            case _:
                return _rejected(write, code, tuple(map(str, error.get("fields", ()))))


def _new_lead(write: Write, record: str, names: Sequence[str], now: float) -> Observation:
    """What a Lead says that we have just created: its answer shows nothing but the id."""
    return Observation(
        kind=write.kind,
        id=record,
        email=write.email,
        version="",
        modified="",
        as_of=now,
        values={name: write.values.get(name) for name in names},
    )


def _rejected(write: Write, code: str, fields: tuple[str, ...]) -> WriteOutcome:
    return WriteOutcome(write, WriteResult.REJECTED, code=code, remedy=remedy(code), fields=fields)
