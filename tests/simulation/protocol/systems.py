"""How both systems carry out a write, and whether the write loses a value that a user typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connector.model import Intent, Side, Value, Write
from connector.planning.write_outcome import WriteResult
from tests.simulation.protocol.agreement import agreed_by_write, lacks_field
from tests.simulation.protocol.records import (
    LEAD_FIELD,
    SIDE_NAMES,
    URL_FIELD,
    Record,
    value_field,
    value_in,
)
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.system_states import DELIVERED, PENDING, EditMark, SystemState
from tests.simulation.protocol.variants import Protocol
from tests.simulation.protocol.workers import Response

NO_EMAIL_WRITE: Final = "a record whose e-mail was cleared is written to"
NO_EMAIL_CREATION: Final = "a Lead is created in place of one whose e-mail was cleared"
Sent = tuple[SystemState, tuple[Response, ...], str]
"""The system state after some writes, their responses, and the violation ('' if there is none)."""
Written = tuple[SystemState, Response, str]
"""The same for one write."""


class Systems:
    """Salesforce and Plezi, as far as a run writes to them."""

    def __init__(self, scenario: Scenario, protocol: Protocol) -> None:
        self._scenario = scenario
        self._protocol = protocol

    def send(self, system: SystemState, intent: Intent, writes: Iterable[Write]) -> Sent:
        """Carry out the writes to one side, one after the other."""
        responses: list[Response] = []
        violation = ""
        for write in writes:
            system, response, violation_of_write = self._written(system, intent, write)
            responses.append(response)
            if response.result is WriteResult.DONE:
                values = agreed_by_write(intent, write)
                system = system.with_delivered(values).with_agreed(values)
            violation = violation or violation_of_write
        return system.with_equal_values_delivered(), tuple(responses), violation

    def _written(self, system: SystemState, intent: Intent, write: Write) -> Written:
        value = value_in(write.kind, write.values)
        rejected = self._scenario.rejected
        if rejected and value == rejected and write.side is Side.SALESFORCE:
            refused = (LEAD_FIELD,) if self._scenario.names_rejected else ()
            response = Response(
                write.record_id, WriteResult.REJECTED, write.record_id, refused=refused
            )
            return system, response, ""
        if write.is_create:
            return self._created(system, write, value, is_agreed=not lacks_field(intent, write))
        place = system.place(write.record_id)
        assert place is not None
        target = system.records[place]
        changed = f"{target.version:02d}" != write.version
        is_writable = target.exists and target.eligible
        if not is_writable or (changed and self._protocol.precondition):
            return system, Response(write.record_id, WriteResult.STALE, write.record_id), ""
        allowed = changed and self._protocol.allows_overwrite
        return self._updated(system, place, write, may_overwrite=allowed)

    def _updated(
        self, system: SystemState, place: int, write: Write, *, may_overwrite: bool
    ) -> Written:
        """Update a record. `may_overwrite`: an edit since our last read may be lost."""
        name = value_field(write.kind, write.values)
        target = system.records[place]
        after = target._replace(
            value=write.values.get(name, target.value),
            url=target.url or URL_FIELD in write.values,
            version=target.version + 1,
            stamp=self._stamp(system),
        )
        mark = system.marks[place]
        violation = "" if target.has_email or may_overwrite else NO_EMAIL_WRITE
        if after.value != target.value and mark.status == PENDING and not may_overwrite:
            violation = (
                f"{target.value!r}, typed in {SIDE_NAMES[target.side]} ({target.id}), is lost"
            )
        if name in write.values:
            mark = mark._replace(
                status=DELIVERED, agreed=after.value
            )  # it is overwritten, or equal
        # A response of Salesforce contains the id only.
        shown = after if write.side is Side.PLEZI else None
        response = Response(write.record_id, WriteResult.DONE, target.id, shown)
        return system.with_record(place, after, mark), response, violation

    def _created(
        self, system: SystemState, write: Write, value: Value, *, is_agreed: bool
    ) -> Written:
        """Create a record; a Lead is refused if another one has the URL, which is unique."""
        if write.side is Side.PLEZI:
            if any(it.side is Side.PLEZI and not it.deleted for it in system.records):
                return system, Response(write.record_id, WriteResult.STALE, ""), ""
            new = Record(write.kind, "p", value, stamp=self._stamp(system))
        else:
            if URL_FIELD in write.values and any(
                it.url and not it.deleted for it in system.records
            ):
                return system, Response(write.record_id, WriteResult.REJECTED, ""), ""
            has_url = write.values.get(URL_FIELD) is not None
            free = (name for name in ("l1", "l2", "l3") if system.place(name) is None)
            new = Record(write.kind, next(free), value, stamp=self._stamp(system), url=has_url)
        mark = EditMark(DELIVERED, value) if is_agreed else EditMark(DELIVERED)
        after = system.with_new(new, mark)
        duplicated = new.side is Side.SALESFORCE and sum(it.url for it in after.records) > 1
        violation = "a duplicate record is created" if duplicated else ""
        if new.side is Side.SALESFORCE and not all(it.has_email for it in system.records):
            violation = NO_EMAIL_CREATION
        return after, Response(write.record_id, WriteResult.DONE, new.id, new), violation

    def _stamp(self, system: SystemState) -> int:
        return system.next_stamp() if self._scenario.compares_stamps else 0
