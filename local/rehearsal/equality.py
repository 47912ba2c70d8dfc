"""A verification of many people among whom differences are planted, and the repair after it.

    make rehearse-equality [PEOPLE=20000]

The verification must find each difference with its cause and nothing else, write nothing, and stay
within the share of API calls; the repair must correct what can be corrected, and only that.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connector.model import DriftCause, Run, RunKind, RunState
from local.rehearsal import drift, populations
from local.rehearsal.drift import DIFFERENCES, Difference, Somebody
from local.rehearsal.populations import ESTABLISHING, WAIT_SECONDS
from local.rehearsal.world import HOUR, Bounds, Conditions, World
from local.template_settings import template_value

BOUNDS: Final = Bounds(hours=48.0)
ENTRIES: Final = 1000
"""More entries than the planted differences, so that a false one is seen too."""
JOURNAL_DAYS: Final = 400
"""How long entries are kept: nothing is written with it here."""
AFTER_REPAIR: Final = {DriftCause.UNEXPLAINED: DriftCause.HELD}
"""The cause of a difference that a repair leaves: a contradiction is held for a decision."""

RATE: Final = float(template_value("PleziCallsPerSecond"))
WINDOW_SECONDS: Final = 60.0

Found = set[tuple[str, str, str]]
"""The e-mail, field and cause of differences."""


@dataclass(frozen=True, slots=True)
class EqualityReport:
    """What the verification and the repair did. Hours are virtual, `wall_seconds` is ours.

    `plezi_rate` are the most calls a second in a minute, `share` the calls to Salesforce that the
    template allows a day. `missed` are planted differences that were not found, `false` those that
    were found and not planted. `written` is the number of calls of the verification that wrote.
    `changed` are people whose records the repair changed, `to_correct` those whose records it had
    to change. `left` are the differences that a verification finds after the repair.
    """

    people: int
    planted: int
    missed: Found
    false: Found
    compared: int
    unexplained: int
    hours: float
    plezi_calls: int
    plezi_rate: float
    salesforce_calls: int
    share: int
    written: int
    changed: frozenset[str]
    to_correct: frozenset[str]
    left: Found
    expected_left: Found
    kills: int
    dead_letters: int
    wall_seconds: float

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not hold, one sentence each; () if everything does."""
        wrong = {
            f"not found: {sorted(self.missed)}": bool(self.missed),
            f"false: {sorted(self.false)}": bool(self.false),
            f"the verification wrote {self.written} times": bool(self.written),
            "more calls than the share of a day": self.salesforce_calls > self.share,
            f"{self.plezi_rate} calls/s to Plezi": self.plezi_rate > RATE + 1 / WINDOW_SECONDS,
            f"repaired: {sorted(self.changed ^ self.to_correct)}": self.changed != self.to_correct,
            f"left: {sorted(self.left ^ self.expected_left)}": self.left != self.expected_left,
            f"{self.kills} killed, {self.dead_letters} dead letters": bool(
                self.kills or self.dead_letters
            ),
        }
        return tuple(text for text, is_wrong in wrong.items() if is_wrong)


def rehearse_equality(
    people: int, progress: Callable[[str], None] = lambda _line: None
) -> EqualityReport:
    """Rehearse a verification of a number of people, its repair, and another verification."""
    began = time.monotonic()
    world = World()
    try:
        populations.establish(world, people)
        progress(f"{people} people are established")
        planted = _plant(world)
        progress(f"{len(planted)} differences are planted")
        before = drift.records(world)
        world.restart(Conditions())
        run = run_now(world, RunKind.VERIFY)
        calls = _calls(world)
        written = calls["written"] + (drift.records(world) != before)
        progress(f"verified: {dict(run.counts['salesforce'])}")
        found = _found(world, run.id)
        repaired = world.ask_admin("POST", f"/admin/runs/{run.id}/repair")
        _until_idle(world)
        progress(f"repaired: {repaired}")
        after = drift.records(world)
        left = _differences_after_runs(world)
        counts = run.counts["salesforce"]
        expected = {(who.email, it.field, it.cause.value) for who, it in planted.items()}
        return EqualityReport(
            people=counts["people"],
            planted=len(planted),
            missed=expected - found,
            false=found - expected,
            compared=counts["compared"],
            unexplained=counts[f"drift.{DriftCause.UNEXPLAINED}"],
            hours=(run.finished_at - run.started_at) / HOUR,
            plezi_calls=calls["plezi"],
            plezi_rate=calls["plezi_in_a_minute"] / WINDOW_SECONDS,
            salesforce_calls=calls["salesforce"],
            share=int(world.org.state.quota.maximum * float(template_value("ApiShare"))),
            written=written,
            changed=frozenset(it for it in after if after[it] != before.get(it)),
            to_correct=frozenset(who.email for who, it in planted.items() if it.is_corrected),
            left=left,
            expected_left=_expected_left(planted),
            kills=sum(function.kills for function in world.functions),
            dead_letters=len(world.runs_queue.dead_letters),
            wall_seconds=time.monotonic() - began,
        )
    finally:
        world.close()


def _plant(world: World) -> dict[Somebody, Difference]:
    """Plant every difference on a person of its own; return them by person.

    The last readings of changes end an hour before what happens behind their back.
    """
    known = drift.people(world)
    planted: dict[Somebody, Difference] = {}
    for number, difference in enumerate(DIFFERENCES):
        position = number * len(known) // len(DIFFERENCES)
        new = Somebody(drift.NEW.format(number=number))
        planted[new if difference.is_new else known[position]] = difference
    world.restart(ESTABLISHING)
    for who, difference in planted.items():
        if difference.before is not None:
            difference.before(world, who)
    run = run_now(world, RunKind.CHANGES)
    for who, difference in planted.items():
        if difference.cause is DriftCause.UNDONE:
            body = {"preview": False, "email": who.email}
            world.ask_admin("POST", f"/admin/runs/{run.id}/undo", body)
            _until_idle(world)
    for _ in range(2):  # the second reading begins after everything that happened before
        world.kernel.sleep(WAIT_SECONDS)
        run_now(world, RunKind.CHANGES)
    world.kernel.sleep(WAIT_SECONDS)
    for who, difference in planted.items():
        difference.act(world, who)
    return planted


def _differences_after_runs(world: World) -> Found:
    """Let two runs of the schedule pass, verify again, and return what is found."""
    for _ in range(2):
        world.kernel.sleep(WAIT_SECONDS)
        run_now(world, RunKind.CHANGES)
    world.kernel.sleep(WAIT_SECONDS)
    return _found(world, run_now(world, RunKind.VERIFY).id)


def _expected_left(planted: Mapping[Somebody, Difference]) -> Found:
    """Return what is left once the repair and the runs of the schedule are over."""
    return {
        (who.email, it.field, AFTER_REPAIR.get(it.cause, it.cause).value)
        for who, it in planted.items()
        if not it.is_corrected and it.cause is not DriftCause.WAITS
    }


def run_now(world: World, kind: RunKind) -> Run:
    """Let a run of a kind happen; return it. Raises `RuntimeError` when it is not done."""
    world.request_run(kind)
    _until_idle(world)
    run = max((it for it in world.runs() if it.kind is kind), key=lambda it: it.id)
    if run.state is not RunState.DONE:
        raise RuntimeError(f"the run {run.id} is {run.state}: {run.message} {run.error}")
    return run


def _until_idle(world: World) -> None:
    if why := world.run_until(lambda: world.is_idle, BOUNDS):
        raise RuntimeError(why)


def _calls(world: World) -> dict[str, int]:
    """Return the calls that reached both systems since the world was restarted."""
    plezi, salesforce = world.plezi, world.salesforce
    return {
        "plezi": plezi.meter.calls.total(),
        "plezi_in_a_minute": plezi.meter.most_in(WINDOW_SECONDS),
        "salesforce": salesforce.meter.calls.total(),
        "written": sum(
            number
            for system in (plezi, salesforce)
            for kind, number in system.meter.calls.items()
            if system.is_write(kind)
        ),
    }


def _found(world: World, run_id: str) -> Found:
    """Return the differences that a verification has stored."""
    with world.aside() as adapters:
        page = adapters.journal("JournalTable", JOURNAL_DAYS).run_entries(run_id, ENTRIES)
    return {(it.email, it.field, str(it.rule)) for it in page.entries}


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse, print what was measured; return 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m local.rehearsal.equality", description=__doc__)
    parser.add_argument("--people", type=int, default=20_000, help="people (%(default)s)")
    people = parser.parse_args(arguments).people
    report = rehearse_equality(people, lambda line: print(line, file=sys.stderr, flush=True))
    print(
        f"{report.people:,} people, {report.compared:,} fields, {report.planted} differences "
        f"planted, {report.unexplained} of them unexplained\n"
        f"{report.hours:.2f} h, {report.plezi_calls} calls to Plezi ({report.plezi_rate:.2f} a "
        f"second in a minute), {report.salesforce_calls} to Salesforce (share of a day: "
        f"{report.share:,})\n{len(report.changed)} people repaired, "
        f"{len(report.left)} differences left as they are; {report.wall_seconds:.0f} s of ours"
    )
    print("\n".join(report.problems) or "Everything holds.")
    return int(bool(report.problems))


if __name__ == "__main__":
    sys.exit(main())
