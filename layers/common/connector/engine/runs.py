"""Runs: requested at a door, worked on in parts, ended with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.engine.observe import observe
from connector.engine.reconcile import Reconciliation
from connector.engine.world import World
from connector.errors import ConnectorError, HaltError
from connector.mapping import BoundMapping, Schema, bind
from connector.model import Counts, Kind, Part, Run, RunKind, RunState, Side

FINAL_STATES = frozenset({RunState.DONE, RunState.HALTED, RunState.FAILED, RunState.NOT_STARTED})


class Engine:
    """Works on runs, as far as the time allows; the ledger remembers the rest."""

    def __init__(self, world: World) -> None:
        self._world = world

    def work(self, run_id: str, part: Part, out_of_time: Callable[[], bool]) -> RunState:
        """Work on one part of a run; return the run's state afterwards.

        A run that is out of time sends its own continuation. A `HaltError` ends the run for good,
        any other `ConnectorError` ends it until the next one: in both cases nothing is lost, for
        the cursors and the dirty marks are the work list.
        """
        ledger = self._world.ledger
        run = ledger.run(run_id)
        if run is None or run.state in FINAL_STATES:
            return RunState.DONE if run is None else run.state
        if not ledger.started():
            return self._end(run_id, RunState.NOT_STARTED, "not_started", NOT_STARTED_MESSAGE)
        mapping = self._world.configuration.current()
        ledger.start_part(run_id, self._world.clock(), mapping.version)
        calls = {side: client.calls for side, client in self._world.clients.items()}
        try:
            finished = self._strokes(run, part, out_of_time)
        except HaltError as error:
            return self._end(run_id, RunState.HALTED, error.reason, str(error))
        except ConnectorError as error:
            return self._end(run_id, RunState.FAILED, type(error).__name__, str(error))
        finally:
            self._count_calls(run_id, calls)
        if finished:
            return self._end(run_id, RunState.DONE)
        return RunState.RUNNING

    def _strokes(self, run: Run, part: Part, out_of_time: Callable[[], bool]) -> bool:
        """Observe both sides, then reconcile; return whether all of it was done.

        Every invocation gets at least one page or one batch further, however little time it has.
        """
        bound = self._bind()
        if part is Part.OBSERVE:
            if not self._observe(run, bound, out_of_time):
                self._world.inbox.send(run.id, Part.OBSERVE)
                return False
            if out_of_time():
                self._world.inbox.send(run.id, Part.RECONCILE)
                return False
        if not Reconciliation(self._world, bound, run.id).run(out_of_time):
            self._world.inbox.send(run.id, Part.RECONCILE)
            return False
        return True

    def _bind(self) -> BoundMapping:
        schemas: dict[Kind, Schema] = {}
        for client in self._world.clients.values():
            schemas.update(client.schemas())
        return bind(self._world.configuration.current(), schemas)

    def _observe(self, run: Run, bound: BoundMapping, out_of_time: Callable[[], bool]) -> bool:
        ledger = self._world.ledger
        for kind in Kind:
            if ledger.cursor(kind).completed >= run.requested_at:
                continue  # read to its end by an earlier invocation of this run
            client = self._world.clients[kind.side]
            if not observe(kind, client, ledger, bound, run.id, out_of_time):
                return False
        return True

    def _count_calls(self, run_id: str, before: Mapping[Side, int]) -> None:
        counts = Counts()
        for side, client in self._world.clients.items():
            counts.add(side, "calls", client.calls - before[side])
        self._world.ledger.count(run_id, counts)

    def _end(self, run_id: str, state: RunState, reason: str = "", message: str = "") -> RunState:
        self._world.ledger.finish_run(run_id, state, self._world.clock(), reason, message)
        return state


NOT_STARTED_MESSAGE = (
    "Synchronisation is switched off: look at the preview, then press start (POST /admin/start)."
)


def new_run(run_id: str, kind: RunKind, now: float) -> Run:
    """Return the record of a run that was just requested."""
    return Run(run_id, kind, RunState.REQUESTED, requested_at=now)
