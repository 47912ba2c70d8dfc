"""A side that is read as it is, and only pretends to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.mapping import ReadScope, Schema
from connector.model import Cursor, LookupResult, Observation, Page, RecordKind, Side, Values, Write
from connector.planning.outcome import WriteOutcome, WriteResult
from connector.planning.preflight import expected_refusal
from connector.sync.ports import SideClient

NEW_RECORD_ID: Final = "new record {number} in {side}"
SET_BY_PLEZI: Final = "(what Plezi gives a new contact)"
"""Stands for the attributes of a new contact that Plezi sets itself: address, score, state."""
WRITES_PER_CALL: Final = {Side.SALESFORCE: 200, Side.PLEZI: 1}
"""Writes that fit into one call (reference: salesforce 2.1; Plezi has no bulk call)."""
REMEDY: Final = "foreseen from what Salesforce says of its own fields"


class DryRunClient:
    """One side in a dry run; `write_calls` are the calls that its writes would have taken."""

    def __init__(self, real: SideClient, side: Side, clock: Callable[[], float]) -> None:
        self._real = real
        self._side = side
        self._clock = clock
        self._said: dict[str, Values] = {}
        self._new: dict[str, Observation] = {}
        self.write_calls = 0

    @property
    def calls(self) -> int:
        """Return the number of requests sent so far: reads only."""
        return self._real.calls

    @property
    def search_calls(self) -> int:
        """Return the calls that a run makes before it creates, and a dry run does not."""
        return len(self._new) if self._side is Side.PLEZI else 0

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record of this side."""
        return self._real.schemas()

    def invalidate_schemas(self) -> None:
        """Ask the side again for its fields at the next need."""
        self._real.invalidate_schemas()

    def read(self, cursor: Cursor, view: ReadScope) -> Iterator[Page]:
        """Read what changed since the cursor."""
        return self._real.read(cursor, view)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        view: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records again, with what would have been written to them since."""
        known = [each for each in records if each.id not in self._new]
        unwritten = [
            email for email in emails if email not in {it.email for it in self._new.values()}
        ]
        found = (
            self._real.look_up(known, unwritten, view, page_urls)
            if known or unwritten
            else LookupResult()
        )
        seen = [
            replace(each, values={**each.values, **self._said.get(each.id, {})})
            for each in found.observations
        ]
        asked = {each.id for each in records}
        seen += [it for it in self._new.values() if it.id in asked or it.email in emails]
        return LookupResult(tuple(seen), found.deleted)

    def apply(self, writes: Sequence[Write], view: ReadScope) -> Iterator[WriteOutcome]:
        """Say what would become of writes, as far as the side's own description tells."""
        per_call = WRITES_PER_CALL[self._side]
        for creates in (True, False):
            number = sum(write.is_create is creates for write in writes)
            self.write_calls += -(-number // per_call)
        for write in writes:
            yield self._outcome(write, view)

    def _outcome(self, write: Write, view: ReadScope) -> WriteOutcome:
        schema = self._real.schemas()[write.kind]
        known = {name: it for name, it in write.values.items() if it != SET_BY_PLEZI}
        foreseen = replace(write, values=known)
        refusal = expected_refusal(foreseen, schema) if self._side is Side.SALESFORCE else None
        if refusal is not None:
            return WriteOutcome(
                write, WriteResult.REJECTED, code=refusal.code, remedy=REMEDY, fields=refusal.fields
            )
        now = self._clock()
        if not write.is_create:
            self._said[write.record_id] = {**self._said.get(write.record_id, {}), **write.values}
            return WriteOutcome(write, WriteResult.DONE, record_id=write.record_id, answered_at=now)
        seen = self._created(write, view, now)
        self._new[seen.id] = seen
        return WriteOutcome(
            write,
            WriteResult.DONE,
            record_id=seen.id,
            answered_at=now,
            created=True,
            observation=seen,
        )

    def _created(self, write: Write, view: ReadScope, now: float) -> Observation:
        values = {name: write.values.get(name) for name in view.field_names[write.kind]}
        if self._side is Side.PLEZI:
            schema = self._real.schemas()[write.kind]
            given = [name for name in values if not schema[name].creatable]
            values |= dict.fromkeys(given, SET_BY_PLEZI)
        return Observation(
            kind=write.kind,
            id=NEW_RECORD_ID.format(number=len(self._new) + 1, side=self._side.value),
            email=write.email,
            version="",
            modified="",
            as_of=now,
            values=values,
        )
