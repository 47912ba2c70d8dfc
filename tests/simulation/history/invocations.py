"""Runs and hints: requested, continued, crashed, overlapped by a second process, redelivered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from connector.errors import MASS_CHANGES, StopReason
from connector.model import ChangeHint, Phase, RunKind, RunState
from local.world.fault_injector import Crash
from tests.simulation.history.context import HistoryContext, email_of
from tests.simulation.history.events import Event, name_of
from tests.simulation.history.oracle import GuaranteeViolatedError

ANNOUNCED: Final = MASS_CHANGES | {StopReason.FIRST_SYNC}
"""Reasons of a stop before many changes, which only an admin can allow."""
MAX_STOPS: Final = 5
"""Stops of a run that an admin allows: three stages, and two kinds of changes."""
QUEUE_SECONDS: Final = 10.0
"""Delay of a queue message. A run continues until the intent of a crashed run is old enough."""
MAX_INVOCATIONS: Final = 60
"""Invocations of one run of a few people; a run that needs more never ends."""
INVOCATIONS_OF_A_PERSON: Final = 8
"""What each person may add: an invocation of a few checks of the time does one or two steps of the
person's synchronization (both records read, resolved, written, and read again)."""
MAX_DEADLINE_CHECKS: Final = 10_000
"""Checks of the time in one invocation; one that makes more never ends."""


class TimeLimit:
    """The time of each invocation of a run, as a number of checks; 0: no limit.

    As with a clock, time that is over stays over until the next invocation starts.
    """

    def __init__(self, checks_in_time: int) -> None:
        self._checks_in_time = checks_in_time
        self._checks = 0

    def start_invocation(self) -> None:
        """Start with the whole time again."""
        self._checks = 0

    def is_over(self) -> bool:
        """Return whether the time of this invocation is over. Raises when nobody stops."""
        self._checks += 1
        if self._checks > MAX_DEADLINE_CHECKS:
            raise GuaranteeViolatedError("26 deadline: an invocation never ends")
        return 0 < self._checks_in_time < self._checks


class Invocations:
    """Handles the events that invoke the connector."""

    def __init__(self, context: HistoryContext, apply: Callable[[Event], None]) -> None:
        """Take the context, and the function that applies an event during an invocation."""
        self._context = context
        self._apply = apply

    def do_run(self, event: Event) -> None:
        """Run as scheduled."""
        self._run(event, self._context.stack.request_run)

    def do_full_run(self, event: Event) -> None:
        """Run over all records."""
        self._run(event, lambda: self._context.stack.request_run(RunKind.FULL))

    def do_selected_run(self, event: Event) -> None:
        """Run over one person's records."""
        emails = (email_of(event.person),)
        self._run(event, lambda: self._context.stack.request_run(RunKind.SELECTED, emails=emails))

    def do_hint(self, event: Event) -> None:
        """Process a change hint about one person."""
        self._context.log_event(f"a change hint about {name_of(event.person)} is processed")
        self._context.counted["hint"] += 1
        self._start_invocation(event)
        stack = self._context.stack
        hint = ChangeHint(stack.new_id(), email=email_of(event.person))
        self._context.oracle.runs.add(hint.trace_id)
        self._until_crash(lambda: stack.sync_contact(hint))

    def do_redeliver(self, _event: Event) -> None:
        """Deliver an old message of the queue a second time, late."""
        runs = [run.id for run in self._context.ports.ledger.list_runs(10)]
        if runs:
            self._context.counted["42 duplicate message"] += 1
            self._context.log_event("an old message is delivered again")
            self._until_crash(lambda: self.run_to_end(runs[-1]))

    def do_dry_run(self, event: Event) -> None:
        """Make a dry run: it writes nothing, and its plan is no part of the journal of people."""
        stack = self._context.stack
        self._context.counted["dry run"] += 1
        writes = self._context.counted["writes"]
        journal = len(self._context.ports.journal.entries())
        nested = event.nested
        self._run(event, lambda: stack.request_run(RunKind.DRY_RUN, include_unchanged=True))
        if nested:
            return  # a second process may have written in between
        if (
            self._context.counted["writes"] != writes
            or len(self._context.ports.journal.entries()) != journal
        ):
            raise GuaranteeViolatedError("34 dry run: it wrote to a side or to the journal")

    def do_overlap(self, event: Event) -> None:
        """Pause the first process; a user acts and a second process synchronizes the change.

        The first process is like a Lambda environment that is frozen and continues later. A third
        process may work while the second one is paused.
        """
        context = self._context
        context.counted["41 overlapping processes"] += 1
        context.counted["three processes"] += context.working > 1
        self._apply(event.nested[0])
        context.log_event("a second process starts")
        nested = tuple(Event("at", value=5, nested=(it,)) for it in event.nested[1:])
        runs = set(context.oracle.runs)
        with context.stack.second_process(), context.oracle.observed.second_process():
            work = Event("run", event.person, nested=nested)
            (self.do_hint if event.value % 2 else self.do_run)(work)
        context.oracle.runs |= runs
        context.log_event("the first process continues")

    def _start_invocation(self, event: Event) -> None:
        self._context.oracle.runs.clear()
        during = {it.value: partial(self._apply, it.nested[0]) for it in event.nested}
        self._context.fault_injector.invocation(
            crash_at=event.value, crash_after=event.crash_after, user_actions=during
        )

    def _run(self, event: Event, request: Callable[[], str]) -> None:
        run = request()
        crash = f"; it crashes at step {event.value}" if event.value else ""
        kind = "" if event.kind == "run" else f" ({event.kind})"
        self._context.log_event(f"a run{kind} starts{crash}")
        self._start_invocation(event)
        time_limit = TimeLimit(event.checks_in_time)
        if event.checks_in_time:
            self._context.counted["26 stopped in time"] += 1
        self._until_crash(lambda: self.run_to_end(run, time_limit))

    def work_on(self, run: str) -> None:
        """Work on a run that somebody requested, without faults of its own."""
        self._start_invocation(Event("run"))
        self._until_crash(lambda: self.run_to_end(run))

    def _until_crash(self, work: Callable[[], object]) -> None:
        """Work; after a crash, start a new process with an empty queue."""
        context = self._context
        context.working += 1
        try:
            work()
        except Crash:
            context.counted["43 process crash"] += 1
            context.note_uncertainty()
            context.oracle.note_unanswered(context.unfinished_cells())
            context.oracle.note_holds(context.held_fields())
            context.log.append(f"{context.sides.clock.now():%H:%M:%S} {context.trace.lines[-1]}")
            context.fault_injector.invocation()
            context.stack.start_process()
            context.ports.run_queue.messages.clear()
        finally:
            context.working -= 1
            context.fault_injector.invocation()

    def run_to_end(self, run: str, time_limit: TimeLimit | None = None) -> None:
        """Work on a run and on all of its continuations."""
        time_limit = time_limit or TimeLimit(0)
        stack, queue = self._context.stack, self._context.ports.run_queue
        phase = Phase.READ
        queue.messages.clear()
        self._context.oracle.runs.add(run)
        people = len({person for person, _ in self._context.records})
        for _ in range(MAX_INVOCATIONS + INVOCATIONS_OF_A_PERSON * people):
            self._context.sides.clock.advance(QUEUE_SECONDS)
            time_limit.start_invocation()
            state = stack.run_phase(run, phase, time_limit.is_over)
            self._context.trace.add(f"run {state.value}")
            if state is not RunState.RUNNING or not queue.messages:
                if state is RunState.DONE:
                    self._context.finish_run()
                return
            run, phase = queue.messages.pop(0)
        raise GuaranteeViolatedError("26 deadline: a run never ends")

    def run_without_faults(self, kind: RunKind, allow_announced: Callable[[], None]) -> None:
        """Run without a fault. Raises `GuaranteeViolatedError` if the run is not done.

        A run that stops before many changes, or after a stage of the first synchronization with
        many of them, goes on when an admin allows it.
        """
        for _ in range(MAX_STOPS):
            reason = self._end_of_run(kind)
            if reason is None:
                return
            allow_announced()
        raise GuaranteeViolatedError(f"1 convergence: a run stops again and again: {reason}")

    def _end_of_run(self, kind: RunKind) -> StopReason | None:
        """Run; return why an admin must allow it to go on (None: it is done)."""
        run = self._context.stack.request_run(kind)
        self._context.fault_injector.invocation()
        self.run_to_end(run)
        ended = self._context.ports.ledger.load_run(run)
        if ended is not None and ended.reason in ANNOUNCED:
            return StopReason(ended.reason)
        if ended is None or ended.state is not RunState.DONE:
            end = f"{ended.state.value} {ended.reason} {ended.message}" if ended else "unknown"
            raise GuaranteeViolatedError(f"1 convergence: a run without faults ends {end}")
        return None
