"""A dry run: the real engine on the real sides, with nothing kept and nothing written.

What is told is what the same code would do: both sides are read, the ledger is a shadow of the real
one, and writes are answered as far as each side's description of its own fields foretells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from connector.engine.foresight import Foresight
from connector.engine.observe import observe
from connector.engine.people import visit
from connector.engine.ports import Journal
from connector.engine.reconcile import Reconciliation
from connector.engine.shadow import ShadowLedger
from connector.engine.world import World
from connector.errors import HaltError
from connector.mapping import BoundMapping
from connector.model import Counts, JournalLine, Kind, Run, Side

TOO_LARGE: Final = (
    "The preview did not fit into one invocation: ask for some people by their e-mails, or raise "
    "WorkerTimeoutSeconds and WorkerBudgetSeconds. Nothing was changed."
)


class PlanJournal:
    """Keeps what would be done under the run, apart from people's history."""

    def __init__(self, real: Journal) -> None:
        self._real = real

    def write(self, lines: Sequence[JournalLine]) -> None:
        """Keep lines of the plan."""
        self._real.write_plan(lines)

    def write_plan(self, lines: Sequence[JournalLine]) -> None:
        """Keep lines of the plan."""
        self._real.write_plan(lines)


def rehearse(world: World, bound: BoundMapping, run: Run, out_of_time: Callable[[], bool]) -> None:
    """Tell what a run would do: lines under the run's id in the journal, counts in its record.

    Everybody is weighed when the run says so, when it brings its own mapping, or when the saved one
    was not applied to everybody yet; else who changed. Raises `HaltError` when it does not fit into
    one invocation.
    """
    ledger = ShadowLedger(world.ledger)
    sides = {side: Foresight(client, side, world.clock) for side, client in world.clients.items()}
    calls = {side: client.calls for side, client in sides.items()}
    stage = replace(
        world,
        ledger=ledger,
        journal=PlanJournal(world.journal),
        clients=sides,
        rehearsing=True,
    )
    if run.emails:
        counts, emails = visit(stage, bound, run.emails)
        ledger.count(run.id, counts)
        Reconciliation(stage, bound, run.id).settle_people(emails, out_of_time)
    else:
        _observe(stage, ledger, bound, run, out_of_time)
        if not Reconciliation(stage, bound, run.id).run(out_of_time):
            raise HaltError("preview_too_large", TOO_LARGE)
    _tell_duplicates(stage, ledger, run)
    predicted = Counts()
    for side, client in sides.items():
        told = client.calls - calls[side] + client.search_calls + client.write_calls
        predicted.add(side, "predicted_calls", told)
        predicted.add(side, "predicted_write_calls", client.write_calls)
    ledger.count(run.id, predicted)
    world.ledger.count(run.id, ledger.counts)


def _tell_duplicates(stage: World, ledger: ShadowLedger, run: Run) -> None:
    """Tell which people have several Leads of one e-mail, among those that were looked at."""
    now = stage.clock()
    several = [link for link in ledger.kept() if "duplicate" in link.attention]
    ledger.counts.add(Side.SALESFORCE, "duplicates", len(several))
    stage.journal.write(
        [
            JournalLine(
                email=link.email,
                at=now,
                run=run.id,
                what="duplicate",
                side=Side.SALESFORCE,
                record=seen.id,
                field="",
                before=None,
                after=None,
                rule=stage.configuration.current().duplicates.value,
            )
            for link in several
            for seen in link.salesforce
            if seen.kind is Kind.LEAD and seen.takes_part
        ]
    )


def _observe(
    stage: World,
    ledger: ShadowLedger,
    bound: BoundMapping,
    run: Run,
    out_of_time: Callable[[], bool],
) -> None:
    version = bound.mapping.version
    everybody = run.everybody or bool(run.draft) or ledger.applied_version() != version
    for kind in Kind:
        cursor = ledger.cursor(kind).beginning(version=version, full=everybody)
        side = stage.clients[kind.side]
        if not observe(cursor, side, ledger, bound, run.id, out_of_time) or out_of_time():
            raise HaltError("preview_too_large", TOO_LARGE)
