"""One system in a dry run: it is read for real, and its writes are only predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.mapping import ReadScope, Schema
from connector.model import (
    Cursor,
    LookupResult,
    Observation,
    Page,
    RecordKind,
    Side,
    Values,
    Write,
)
from connector.planning.preflight import expected_refusal
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.ports import SideClient

NEW_RECORD_ID: Final = "new record {number} in {side}"
SET_BY_PLEZI: Final = "(what Plezi gives a new contact)"
"""Stands for the attributes of a new contact that Plezi sets itself: page address, score, state."""
WRITES_PER_CALL: Final = {Side.SALESFORCE: 200, Side.PLEZI: 1}
"""Salesforce REST API Developer Guide, sObject Collections: 200 records. Plezi has no bulk call
(assumed)."""
REMEDY: Final = "predicted from Salesforce's description of its own fields"


class DryRunClient:
    """Reads one system; `write_calls` is the number of calls that its writes would have taken."""

    def __init__(self, client: SideClient, side: Side, clock: Callable[[], float]) -> None:
        self._client = client
        self._side = side
        self._clock = clock
        self._written: dict[str, Values] = {}
        self._created: dict[str, Observation] = {}
        self.write_calls = 0

    @property
    def calls(self) -> int:
        """Return the number of requests sent so far: reads only."""
        return self._client.calls

    @property
    def search_calls(self) -> int:
        """Return the calls that a real run makes before it creates, and a dry run does not."""
        return len(self._created) if self._side is Side.PLEZI else 0

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record of this system."""
        return self._client.schemas()

    def invalidate_schemas(self) -> None:
        """Read the description again when it is next needed."""
        self._client.invalidate_schemas()

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read what changed since the cursor."""
        return self._client.read(cursor, scope)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records again, with the values that would have been written to them."""
        known = [each for each in records if each.id not in self._created]
        created_emails = {each.email for each in self._created.values()}
        unwritten = [email for email in emails if email not in created_emails]
        found = (
            self._client.look_up(known, unwritten, scope, page_urls)
            if known or unwritten
            else LookupResult()
        )
        observations = [
            replace(each, values={**each.values, **self._written.get(each.id, {})})
            for each in found.observations
        ]
        ids = {each.id for each in records}
        observations += [
            each for each in self._created.values() if each.id in ids or each.email in emails
        ]
        return LookupResult(tuple(observations), found.deleted)

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Predict the outcome of writes, as far as the system's own description allows."""
        per_call = WRITES_PER_CALL[self._side]
        for is_create in (True, False):
            number = sum(write.is_create is is_create for write in writes)
            self.write_calls += -(-number // per_call)
        for write in writes:
            yield self._predict(write, scope)

    def _predict(self, write: Write, scope: ReadScope) -> WriteOutcome:
        schema = self._client.schemas()[write.kind]
        known = {name: value for name, value in write.values.items() if value != SET_BY_PLEZI}
        checked = replace(write, values=known)
        refusal = expected_refusal(checked, schema) if self._side is Side.SALESFORCE else None
        if refusal is not None:
            return WriteOutcome(
                write,
                WriteResult.REJECTED,
                code=refusal.code,
                remedy=REMEDY,
                fields=refusal.fields,
            )
        now = self._clock()
        if not write.is_create:
            written = self._written.get(write.record_id, {})
            self._written[write.record_id] = {**written, **write.values}
            return WriteOutcome(write, WriteResult.DONE, record_id=write.record_id, answered_at=now)
        created = self._create(write, scope, now)
        self._created[created.id] = created
        return WriteOutcome(
            write,
            WriteResult.DONE,
            record_id=created.id,
            answered_at=now,
            created=True,
            observation=created,
        )

    def _create(self, write: Write, scope: ReadScope, now: float) -> Observation:
        values = {name: write.values.get(name) for name in scope.field_names[write.kind]}
        if self._side is Side.PLEZI:
            schema = self._client.schemas()[write.kind]
            set_by_plezi = [name for name in values if not schema[name].creatable]
            values |= dict.fromkeys(set_by_plezi, SET_BY_PLEZI)
        return Observation(
            kind=write.kind,
            id=NEW_RECORD_ID.format(number=len(self._created) + 1, side=self._side.value),
            email=write.email,
            version="",
            modified="",
            as_of=now,
            values=values,
        )
