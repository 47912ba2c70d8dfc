"""A side that is read as it is, and only pretends to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.engine.ports import SideClient
from connector.mapping import Schema, View
from connector.model import Cursor, Kind, Lookup, Observation, Page, Side, Values, Write
from connector.plan import Outcome, Result
from connector.plan.foreseeing import foresee

NEW_RECORD_ID: Final = "new record {number} in {side}"
GIVEN_BY_PLEZI: Final = "(what Plezi gives a new contact)"
"""Stands for the attributes of a new contact that Plezi sets itself: address, score, state."""
CALLS_OF_WRITES: Final = {Side.SALESFORCE: 200, Side.PLEZI: 1}
"""Writes that fit into one call (reference: salesforce 2.1; Plezi has no bulk call)."""
REMEDY: Final = "foreseen from what Salesforce says of its own fields"


class Foresight:
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

    def schemas(self) -> Mapping[Kind, Schema]:
        """Return the fields of each kind of record of this side."""
        return self._real.schemas()

    def forget_schemas(self) -> None:
        """Ask the side again for its fields at the next need."""
        self._real.forget_schemas()

    def read(self, cursor: Cursor, view: View) -> Iterator[Page]:
        """Read what changed since the cursor."""
        return self._real.read(cursor, view)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        view: View,
        addresses: Sequence[str] = (),
    ) -> Lookup:
        """Read records again, with what would have been written to them since."""
        known = [each for each in records if each.id not in self._new]
        unwritten = [
            email for email in emails if email not in {it.email for it in self._new.values()}
        ]
        found = (
            self._real.look_up(known, unwritten, view, addresses)
            if known or unwritten
            else Lookup()
        )
        seen = [
            replace(each, values={**each.values, **self._said.get(each.id, {})})
            for each in found.seen
        ]
        asked = {each.id for each in records}
        seen += [it for it in self._new.values() if it.id in asked or it.email in emails]
        return Lookup(tuple(seen), found.gone)

    def apply(self, writes: Sequence[Write], view: View) -> Iterator[Outcome]:
        """Say what would become of writes, as far as the side's own description tells."""
        per_call = CALLS_OF_WRITES[self._side]
        for creates in (True, False):
            number = sum(write.creates is creates for write in writes)
            self.write_calls += -(-number // per_call)
        for write in writes:
            yield self._outcome(write, view)

    def _outcome(self, write: Write, view: View) -> Outcome:
        schema = self._real.schemas()[write.kind]
        known = {name: it for name, it in write.values.items() if it != GIVEN_BY_PLEZI}
        foreseen = replace(write, values=known)
        refusal = foresee(foreseen, schema) if self._side is Side.SALESFORCE else None
        if refusal is not None:
            return Outcome(
                write, Result.REJECTED, code=refusal.code, remedy=REMEDY, fields=refusal.fields
            )
        now = self._clock()
        if not write.creates:
            self._said[write.record] = {**self._said.get(write.record, {}), **write.values}
            return Outcome(write, Result.DONE, record=write.record, answered=now)
        seen = self._created(write, view, now)
        self._new[seen.id] = seen
        return Outcome(write, Result.DONE, record=seen.id, answered=now, created=True, seen=seen)

    def _created(self, write: Write, view: View, now: float) -> Observation:
        values = {name: write.values.get(name) for name in view.names[write.kind]}
        if self._side is Side.PLEZI:
            schema = self._real.schemas()[write.kind]
            given = [name for name in values if not schema[name].creatable]
            values |= dict.fromkeys(given, GIVEN_BY_PLEZI)
        return Observation(
            kind=write.kind,
            id=NEW_RECORD_ID.format(number=len(self._new) + 1, side=self._side.value),
            email=write.email,
            version="",
            modified="",
            as_of=now,
            values=values,
        )
