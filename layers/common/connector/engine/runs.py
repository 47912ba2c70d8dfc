"""Runs: requested at a door, worked on in parts, ended with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from connector.engine.observe import observe
from connector.engine.people import visit
from connector.engine.reconcile import Reconciliation
from connector.engine.rehearsal import rehearse
from connector.engine.world import World
from connector.errors import ConnectorError, HaltError, RejectedError
from connector.mapping import BoundMapping, FieldMapping, Schema, bind
from connector.model import (
    MASS_EMPTYING,
    Counts,
    Heard,
    Hint,
    Kind,
    Part,
    Run,
    RunKind,
    RunState,
    Side,
)

FINAL_STATES = frozenset(
    {RunState.DONE, RunState.HALTED, RunState.FAILED, RunState.NOT_STARTED, RunState.PAUSED}
)
UNKNOWN_FIELD = "INVALID_FIELD"
"""Salesforce's code for a field that is not (any more) as it was described."""
NOT_STARTED_MESSAGE = (
    "Synchronisation is switched off: look at the preview, then press start (POST /admin/start)."
)
PAUSED_MESSAGE = "{why}. Nothing is lost: the next run goes on from here once calls are free again."
NOT_READABLE_MESSAGE = "Plezi does not show the contact of this form yet."

Answer = TypeVar("Answer")


class Engine:
    """Works on runs, as far as the time allows; the ledger remembers the rest."""

    def __init__(self, world: World) -> None:
        self._world = world

    def work(self, run_id: str, part: Part, out_of_time: Callable[[], bool]) -> RunState:
        """Work on one part of a run; return the run's state afterwards.

        A run that is out of time sends its own continuation; one that has spent its share of API
        calls is paused. A `HaltError` ends the run for good, any other `ConnectorError` ends it
        until the next one: in all cases nothing is lost, for the cursors and the dirty marks are
        the work list.
        """
        ledger = self._world.ledger
        run = ledger.run(run_id)
        if run is None or run.state in FINAL_STATES:
            return RunState.DONE if run is None else run.state
        if run.kind is not RunKind.DRY_RUN and (refusal := self._refusal(run)) is not None:
            return self._end(run_id, *refusal)
        if why := self._world.budget.spent():
            return self._pause(run_id, why)
        calls = {side: client.calls for side, client in self._world.clients.items()}
        try:
            mapping = self._mapping(run)
            ledger.start_part(run_id, self._world.clock(), mapping.version)
            left = self._looking_again(
                mapping, lambda bound: self._strokes(run, bound, part, out_of_time)
            )
            spent = self._world.budget.spent()  # before the calls of this part are filed away
        except HaltError as error:
            return self._end(run_id, RunState.HALTED, error.reason, str(error))
        except ConnectorError as error:
            return self._end(run_id, RunState.FAILED, type(error).__name__, str(error))
        finally:
            self._count_calls(run_id, calls)
        if left is None:
            return self._end(run_id, RunState.DONE)
        if spent:
            return self._pause(run_id, spent)
        self._world.inbox.send(run_id, left)
        return RunState.RUNNING

    def _refusal(self, run: Run) -> tuple[RunState, str, str] | None:
        """Say why a run may not begin: how it ends, the reason, and what people are told."""
        if not self._world.ledger.started():
            return RunState.NOT_STARTED, "not_started", NOT_STARTED_MESSAGE
        breaker = self._world.ledger.breaker()
        if breaker is not None and breaker.reason == MASS_EMPTYING and not run.emails:
            return RunState.HALTED, breaker.reason, breaker.message
        return None

    def hear(self, hint: Hint) -> Heard:
        """Read the one person of a hint again in Plezi, and settle that link at once.

        The hint's trace id is the run's id, so one id leads from the form to the Lead. A side that
        cannot be asked now leaves the hint `busy`; a halt leaves it to the schedule.
        """
        ledger = self._world.ledger
        if not ledger.started():
            return Heard.NOT_STARTED
        if self._world.budget.spent(forms=True):
            return Heard.PAUSED
        emails = (hint.email,) if hint.email else ()
        ledger.add_run(
            replace(new_run(hint.trace, RunKind.FORM, self._world.clock()), emails=emails)
        )
        mapping = self._world.configuration.current()
        ledger.start_part(hint.trace, self._world.clock(), mapping.version)
        calls = {side: client.calls for side, client in self._world.clients.items()}
        try:
            heard = self._looking_again(mapping, lambda bound: self._hear(hint, bound))
        except HaltError as error:
            self._end(hint.trace, RunState.HALTED, error.reason, str(error))
            return Heard.PAUSED
        except ConnectorError as error:
            self._end(hint.trace, RunState.FAILED, type(error).__name__, str(error))
            return Heard.BUSY
        finally:
            self._count_calls(hint.trace, calls)
        unread = heard is Heard.NOT_READABLE
        self._end(
            hint.trace,
            RunState.DONE if heard is Heard.SETTLED else RunState.FAILED,
            "" if heard is Heard.SETTLED else heard.value,
            NOT_READABLE_MESSAGE if unread else "",
        )
        return heard

    def _hear(self, hint: Hint, bound: BoundMapping) -> Heard:
        emails = self._read_again(hint, bound)
        if emails is None:
            return Heard.NOT_READABLE
        settled = Reconciliation(self._world, bound, hint.trace).settle_people(
            emails, lambda: False
        )
        return Heard.SETTLED if settled else Heard.BUSY

    def _read_again(self, hint: Hint, bound: BoundMapping) -> list[str] | None:
        """Read the contact of a hint, by its id if that is known and works, else by its e-mail.

        Returns the e-mails of the links concerned; None while Plezi does not show the contact.
        """
        contacts = (hint.contact,) if hint.contact else ()
        emails = (hint.email,) if hint.email else ()
        for ids, addresses in ((contacts, ()), ((), emails)):
            if not ids and not addresses:
                continue
            counts, found = visit(self._world, bound, addresses, (Side.PLEZI,), ids)
            self._world.ledger.count(hint.trace, counts)
            if counts.get(Side.PLEZI, "seen"):
                return found
        return None

    def _mapping(self, run: Run) -> FieldMapping:
        """Return the mapping of a run: it keeps its version, whatever is saved meanwhile."""
        configuration = self._world.configuration
        if run.draft:
            return configuration.draft(run.draft)
        begun_with = configuration.version(run.mapping_version) if run.invocations else None
        return begun_with or configuration.current()

    def _looking_again(
        self, mapping: FieldMapping, stroke: Callable[[BoundMapping], Answer]
    ) -> Answer:
        """Work with the fields as described; where one is no more as described, look again, once.

        What cannot work without it is parked then: all the others go on.
        """
        try:
            return stroke(self._bind(mapping))
        except RejectedError as error:
            if error.code != UNKNOWN_FIELD:
                raise
        for client in self._world.clients.values():
            client.forget_schemas()
        return stroke(self._bind(mapping))

    def _strokes(
        self, run: Run, bound: BoundMapping, part: Part, out_of_time: Callable[[], bool]
    ) -> Part | None:
        """Observe both sides, then reconcile; return the part that is left to do.

        Every invocation gets at least one page or one batch further, however little time it has.
        """

        def must_stop() -> bool:
            return out_of_time() or bool(self._world.budget.spent())

        if run.kind is RunKind.DRY_RUN:
            rehearse(self._world, bound, run, out_of_time)
            return None
        self._note_parked(bound)
        if run.kind is RunKind.SELECTED:
            emails = self._select(run, bound) if part is Part.OBSERVE else list(run.emails)
            done = Reconciliation(self._world, bound, run.id).settle_people(emails, must_stop)
            return Part.RECONCILE if must_stop() and not done else None
        if part is Part.OBSERVE:
            if run.kind is RunKind.FULL:
                self._begin_anew(bound, since=run.requested_at)
            if not self._observe(run, bound, must_stop):
                return Part.OBSERVE
            if must_stop():
                return Part.RECONCILE
        # Only now: what was read a moment ago need not be read again.
        emptied = run.counts.get(Side.SALESFORCE, {}).get("emptied", 0)
        reconciliation = Reconciliation(self._world, bound, run.id, emptied=emptied)
        done = reconciliation.run(must_stop)
        return None if done else Part.RECONCILE

    def _select(self, run: Run, bound: BoundMapping) -> list[str]:
        """Read the people named on both sides; return the e-mails of their links."""
        counts, emails = visit(self._world, bound, run.emails)
        self._world.ledger.count(run.id, counts)
        return emails

    def _bind(self, mapping: FieldMapping) -> BoundMapping:
        schemas: dict[Kind, Schema] = {}
        for client in self._world.clients.values():
            schemas.update(client.schemas())
        return bind(mapping, schemas)

    def _note_parked(self, bound: BoundMapping) -> None:
        """Keep which lines cannot work today.

        When one is back that could not, everybody is read again: what people typed in its field
        meanwhile was not read.
        """
        parked = {line.key: line.reason for line in bound.parked}
        before = self._world.ledger.parked()
        if parked == before:
            return
        if before.keys() - parked.keys():
            self._begin_anew(bound, since=self._world.clock())
        self._world.ledger.keep_parked(parked)

    def _begin_anew(self, bound: BoundMapping, *, since: float) -> None:
        """Let the reading of each kind begin anew, with everybody, unless it did since then."""
        for kind in Kind:
            cursor = self._world.ledger.cursor(kind)
            begun = cursor.full and (not cursor.begun or cursor.begun >= since)
            if not begun and not self._is_since(cursor.completed, since):
                anew = cursor.beginning(version=bound.mapping.version, full=True)
                self._world.ledger.checkpoint(anew, "", Counts())

    def _is_since(self, at: float, since: float) -> bool:
        """Whether something happened since an instant; not what our clock, set back, puts ahead."""
        return since <= at <= self._world.clock()

    def _observe(self, run: Run, bound: BoundMapping, must_stop: Callable[[], bool]) -> bool:
        """Read what there is to read of each kind; return whether all came to their end."""
        ledger = self._world.ledger
        for kind in Kind:
            cursor = ledger.cursor(kind)
            if self._is_since(cursor.completed, run.requested_at):
                continue  # read to its end by an earlier invocation of this run
            cursor = cursor.beginning(version=bound.mapping.version, full=False)
            client = self._world.clients[kind.side]
            if not observe(cursor, client, ledger, bound, run.id, must_stop):
                return False
        return True

    def _count_calls(self, run_id: str, before: Mapping[Side, int]) -> None:
        counts = Counts()
        for side, client in self._world.clients.items():
            counts.add(side, "calls", client.calls - before[side])
        self._world.ledger.count(run_id, counts)
        self._world.budget.keep()

    def _pause(self, run_id: str, why: str) -> RunState:
        message = PAUSED_MESSAGE.format(why=why[:1].upper() + why[1:])
        return self._end(run_id, RunState.PAUSED, "api_budget", message)

    def _end(self, run_id: str, state: RunState, reason: str = "", message: str = "") -> RunState:
        self._world.ledger.finish_run(run_id, state, self._world.clock(), reason, message)
        return state


def new_run(run_id: str, kind: RunKind, now: float) -> Run:
    """Return the record of a run that was just requested."""
    return Run(run_id, kind, RunState.REQUESTED, requested_at=now)
