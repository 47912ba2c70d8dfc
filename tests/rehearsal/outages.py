"""Rehearsed outages: a system is down for hours, while people type and forms arrive.

    python -m tests.rehearsal.outages

Every function is the deployed one, on the virtual clock of `local/rehearsal`; the alarms are those
of the template, evaluated on the metrics that the functions and AWS would publish. Forms enter at
the queue. While a system is down, it answers every request with status 503 and a page.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from local.rehearsal import populations
from local.rehearsal.agreement import compare
from local.rehearsal.functions import Outcome
from local.rehearsal.network import System
from local.rehearsal.world import HOUR, Bounds, Conditions, World
from tests.alarm_evaluator import AlarmEvaluator, MetricRecorder, load_template

SERVICE: Final = "AWS::StackName"
"""The name of the stack, as the dimensions of the template refer to it."""
MINUTE: Final = 60.0
ALARM_EVERY: Final = 5 * MINUTE
BEFORE_HOURS: Final = 4.1
"""Ordinary operation before the outage, which ends just after a run of the schedule: the next one
is almost two hours later."""
AFTER_HOURS: Final = 8.0
"""Ordinary operation after everybody agrees: the alarms end."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One system is down for some hours; forms arrive evenly in this time, and people type."""

    name: str
    title: str
    system: str
    hours: float
    forms: int
    edits: int
    people: int


OUTAGES: Final = (
    Outage("plezi-down", "Plezi is down for 6 hours", "plezi", 6.0, 2_000, 0, 500),
    Outage("salesforce-down", "Salesforce is down for a day", "salesforce", 24.0, 500, 500, 1_000),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """An alarm or an alert: its name, and when it was sent and was over, in hours."""

    name: str
    begin: float
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an outage did. Hours count from its begin.

    `agreed_after` are the hours from its end until all people agreed; None: they never did.
    """

    outage: Outage
    disagreeing: int
    agreed_after: float | None
    dead_letters: int
    kills: int
    runs: Mapping[str, int]
    forms: Mapping[str, int]
    alarms: tuple[Notice, ...]
    alerts: tuple[Notice, ...]
    before: tuple[str, ...] = field(default=())
    """Alarms that were raised before the outage: none should be."""


class Watched:
    """A world whose metrics are recorded, and whose alarms can be evaluated."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.recorder = MetricRecorder()
        self.alarms = AlarmEvaluator(load_template(), self.recorder)
        os.environ["POWERTOOLS_SERVICE_NAME"] = SERVICE
        world.services.publishes_metrics = True
        world.on_output = lambda text: self.recorder.add_printed(text, world.kernel.time)
        self._measure()

    def _measure(self) -> None:
        """Record what SQS publishes every minute."""
        world, now = self.world, self.world.kernel.time
        for queue, dead in ((world.runs_queue, "Runs"), (world.forms_queue, "Forms")):
            oldest = min((it.sent_at for it in queue.messages), default=now)
            self._queue(queue.name, "ApproximateAgeOfOldestMessage", now - oldest)
            visible = float(len(queue.dead_letters))
            self._queue(f"{dead}DeadLetters", "ApproximateNumberOfMessagesVisible", visible)
        world.kernel.at(now + MINUTE, self._measure)

    def _queue(self, name: str, metric: str, value: float) -> None:
        self.recorder.add("AWS/SQS", metric, {"QueueName": name}, value, self.world.kernel.time)

    def raised(self, begin: float, end: float) -> dict[str, list[float]]:
        """Return the times, every five minutes, at which each alarm was in the state ALARM."""
        self._record_invocations()
        found: dict[str, list[float]] = {}
        at = begin
        while at <= end:
            for name in self.alarms.raised(at):
                found.setdefault(name, []).append(at)
            at += ALARM_EVERY
        return found

    def _record_invocations(self) -> None:
        """Record what Lambda publishes about each invocation."""
        for function in self.world.functions:
            dimensions = {"FunctionName": function.name}
            for it in function.invocations:
                failed = float(it.outcome is not Outcome.DONE)
                self.recorder.add("AWS/Lambda", "Invocations", dimensions, 1, it.started_at)
                self.recorder.add("AWS/Lambda", "Errors", dimensions, failed, it.ended_at)
                self.recorder.add("AWS/Lambda", "Throttles", dimensions, 0, it.started_at)


def pass_hours(world: World, hours: float) -> None:
    """Let the world go on for some hours."""
    end = world.kernel.time + hours * HOUR
    why = world.run_until(lambda: world.kernel.time >= end, Bounds(hours + 1, 1_000_000))
    assert not why, why


def rehearse_outage(outage: Outage) -> Report:
    """Rehearse one outage: hours before it, the outage, the time until all agree, hours after."""
    world = World()
    try:
        populations.establish(world, outage.people)
        world.restart(Conditions())
        watched = Watched(world)
        world.start_schedule()
        started = world.kernel.time
        pass_hours(world, BEFORE_HOURS)
        begin = world.kernel.time
        end = begin + outage.hours * HOUR
        system: System = getattr(world, outage.system)
        system.outages.append((begin, end))
        for number in range(outage.forms):
            world.later(
                (number + 1) * outage.hours * HOUR / outage.forms,
                partial(world.submit_form, number),
            )
        if outage.system == "salesforce":
            populations.edit_contacts(world, 0, outage.edits)
        pass_hours(world, outage.hours)
        agreed_at = _agreed(world, end)
        pass_hours(world, AFTER_HOURS)
        return _report(watched, outage, (started, begin, end), agreed_at)
    finally:
        world.close()


def _agreed(world: World, end: float) -> float | None:
    """Let the world go on until all people agree; return the time of the last write."""
    next_at = [end]

    def is_over() -> bool:
        if world.kernel.time < next_at[0]:
            return False
        next_at[0] = world.kernel.time + MINUTE
        return compare(world.tenant, world.org).is_complete

    why = world.run_until(is_over, Bounds(48, 1_000_000))
    return (
        None if why else max(world.plezi.meter.last_write_at, world.salesforce.meter.last_write_at)
    )


def _report(
    watched: Watched, outage: Outage, times: tuple[float, float, float], agreed_at: float | None
) -> Report:
    world = watched.world
    started, begin, end = times

    def hours(at: float) -> float:
        return round((at - begin) / HOUR, 1)

    raised = watched.raised(started + ALARM_EVERY, world.kernel.time)
    alarms = []
    for name, all_times in raised.items():
        during = [at for at in all_times if at > begin]
        if during:
            is_over = during[-1] < world.kernel.time - ALARM_EVERY
            alarms.append(Notice(name, hours(during[0]), hours(during[-1]) if is_over else None))
    runs: dict[str, int] = {}
    for run in world.runs():
        if run.kind.value != "form":
            state = run.state.value + (f" ({run.reason.value})" if run.reason else "")
            runs[state] = runs.get(state, 0) + 1
    forms = {
        "given up": world.services.events["form_given_up"],
        "failed": world.services.events["form_hint_failed"],
        "processed": world.services.events["form_processed"],
    }
    return Report(
        outage=outage,
        disagreeing=compare(world.tenant, world.org).disagreeing,
        agreed_after=None if agreed_at is None else round(max(0.0, agreed_at - end) / HOUR, 2),
        dead_letters=len(world.forms_queue.dead_letters) + len(world.runs_queue.dead_letters),
        kills=sum(function.kills for function in world.functions),
        runs=runs,
        forms=forms,
        alarms=tuple(sorted(alarms, key=lambda notice: notice.begin)),
        alerts=tuple(Notice(text, hours(at)) for at, text in world.services.alerts if at > begin),
        before=tuple(sorted(name for name, at in raised.items() if at[0] <= begin)),
    )


def main() -> int:
    """Rehearse the outages, and print a report of each."""
    names = sys.argv[1:]
    failed = False
    for outage in OUTAGES:
        if names and outage.name not in names:
            continue
        it = rehearse_outage(outage)
        failed |= bool(it.disagreeing or it.kills or it.before)
        print(f"{outage.title}: {outage.forms} forms, {outage.edits} edits, {outage.people} people")
        print(
            f"  people who disagree: {it.disagreeing}; all agree {it.agreed_after} h after the end"
        )
        print(f"  dead letters: {it.dead_letters}; killed: {it.kills}; raised before: {it.before}")
        print(f"  runs: {dict(it.runs)}; forms: {dict(it.forms)}")
        for kind, notices in (("alarm", it.alarms), ("alert", it.alerts)):
            for each in notices:
                print(f"  {kind} {each.name}: {each.begin} h to {each.end} h")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
