"""The undo of a run of 1,000 people, in several invocations and with a process that crashes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.approved_changes import ApprovedChanges, save_approved
from connector.model import JournalKind, Phase, RecordKind, Run, RunKind, RunState, UndoRequest
from connector.planning.announced_changes import counted_changes
from connector.plezi.api_dialect import PleziDialect
from local.world.both_sides import BothSides
from local.world.fault_injector import FaultInjector, Trace
from local.world.memory import MemoryJournal, MemoryLedger, MemoryMappings, MemoryRunQueue
from local.world.simulated_stack import SimulatedStack

PEOPLE = 1000
CHANGED = 50
HOUR_SECONDS = 3600.0
MAX_INVOCATIONS = 200


class TwoSystems:
    """Both systems with 1,000 people, and a connector whose stores are in memory."""

    def __init__(self) -> None:
        self.sides = BothSides()
        self.journal = MemoryJournal()
        self.stack = SimulatedStack(
            self.sides,
            FaultInjector(Trace()),
            lambda _request, send: send(),
            ledger=MemoryLedger(),
            journal=self.journal,
            run_queue=MemoryRunQueue(),
            mappings=MemoryMappings(),
            dialect=PleziDialect(),
        )
        self.people = [
            self.sides.add(
                RecordKind.PLEZI_CONTACT,
                {"email": f"p{number:04d}@x.fr", "last_name": "Roi", "phone": f"1{number:04d}"},
            )
            for number in range(PEOPLE)
        ]
        self.run(RunKind.CHANGES)

    def run(
        self,
        kind: RunKind,
        *,
        out_of_time: Callable[[], bool] = lambda: False,
        **options: Any,
    ) -> Run:
        """Work on a run until it ends, as the queue does."""
        self.sides.clock.advance(60)
        run_id = self.stack.request_run(kind, **options)
        phase = Phase.READ
        for _ in range(MAX_INVOCATIONS):
            if self.stack.run_phase(run_id, phase, out_of_time) is not RunState.RUNNING:
                break
            _, phase = self.stack.run_queue.messages[-1]
        run: Run | None = self.stack.ledger.load_run(run_id)
        assert run is not None
        assert run.state is RunState.DONE, run.message
        return run

    def undo(self, run: Run, **options: Any) -> Run:
        """Undo a run after its preview was approved."""
        request = UndoRequest(run.id)
        shown = self.run(RunKind.DRY_RUN, undo=request)
        changes: dict[str, dict[str, int]] = {}
        for change, number in counted_changes(shown.counts).items():
            changes.setdefault(change.side.value, {})[change.counter] = number
        until = self.stack.now() + HOUR_SECONDS
        save_approved(self.stack.ledger, ApprovedChanges(shown.id, until, changes))
        return self.run(RunKind.UNDO, undo=request, **options)

    def phones(self, kind: RecordKind) -> dict[str, str]:
        """Return the phone of each record of a kind, by its id."""
        name = "phone" if kind is RecordKind.PLEZI_CONTACT else "Phone"
        return {
            record: str(stored.values.get(name))
            for record, stored in self.sides.stored_records().items()
            if stored.kind is kind
        }

    def edit_phones(self) -> Run:
        """Let a user of Plezi edit the phone of everybody, and a run write it to the Leads."""
        for number, person in enumerate(self.people):
            self.sides.edit(RecordKind.PLEZI_CONTACT, person, {"phone": f"2{number:04d}"})
        return self.run(RunKind.CHANGES)

    def left(self, run: Run) -> list[str]:
        """Return who is named as left by an undo."""
        entries = self.journal.entries()
        return [
            it.record_id
            for it in entries
            if it.run_id == run.id and it.kind is JournalKind.NOT_UNDONE
        ]


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_of_1000_people_exactly_the_950_that_nobody_changed_since_are_put_back() -> None:
    world = TwoSystems()
    before = world.phones(RecordKind.LEAD)
    run = world.edit_phones()
    after, typed = world.phones(RecordKind.LEAD), world.phones(RecordKind.PLEZI_CONTACT)
    assert len(after) == PEOPLE
    assert not set(after.values()) & set(before.values())
    changed = {lead: f"3{number:04d}" for number, lead in enumerate(sorted(after)[:CHANGED])}
    for lead, phone in changed.items():
        world.sides.edit(RecordKind.LEAD, lead, {"Phone": phone})

    undone = world.undo(run, out_of_time=lambda: True)

    assert world.phones(RecordKind.LEAD) == {**before, **changed}
    assert world.phones(RecordKind.PLEZI_CONTACT) == typed
    assert sorted(world.left(undone)) == sorted(changed)
    assert undone.counts["salesforce"]["undone"] == PEOPLE - CHANGED
    assert undone.counts["salesforce"]["not_undone"] == CHANGED
    assert undone.invocations > 1
    assert undone.progress.resolved == undone.progress.listed == PEOPLE

    world.undo(undone)

    assert world.phones(RecordKind.LEAD) == {**after, **changed}
    assert world.phones(RecordKind.PLEZI_CONTACT) == typed
