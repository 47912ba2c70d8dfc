"""The final check: user actions and faults stop, runs go on, and every guarantee must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connector.mapping import Direction
from connector.model import Link, RunKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.admin_actions import EMAIL, AdminActions
from tests.simulation.history.context import HistoryContext
from tests.simulation.history.fields import FIELDS
from tests.simulation.history.final_state import FinalState
from tests.simulation.history.invocations import Invocations
from tests.simulation.history.oracle import GuaranteeViolatedError

MAX_RUNS: Final = 6
"""Runs within which both sides must converge: three that may write, and more for the intents of a
crashed run, which are recovered once they are older than the worker's time-out."""
MAX_DECISIONS: Final = 3
"""Rounds of decisions after which no field may be held: a decision may show another conflict."""
SECONDS_BETWEEN_RUNS: Final = 8000.0
"""Longer than time-outs, late commits, lags and jumps of the connector's clock (two hours at most,
from an hour ahead to an hour behind)."""


class QuiescenceCheck:
    """Runs until nothing changes, then checks both sides, every typed value and drift.

    The admin then decides each hold and lets each refused write be tried again, and the check is
    repeated: no hold excuses more than the time until it is decided.
    """

    def __init__(
        self, context: HistoryContext, invocations: Invocations, admin: AdminActions
    ) -> None:
        self._context = context
        self._invocations = invocations
        self._admin = admin
        self._oracle = context.oracle

    def run(self, *, password_was_reset: bool) -> None:
        """Stop all faults, run until nothing changes, then check."""
        context = self._context
        context.sides.org.control.faults.clear()
        context.sides.tenant.control.faults.clear()
        context.sides.org.state.automation.validations.clear()
        context.log_event("user actions and faults stop")
        if password_was_reset:
            context.stack.put_secrets()
        if len(context.withdrawn) % 2:  # in half of these histories, the fields stay away
            for side, name in sorted(context.withdrawn):
                spec = next(it for it in FIELDS.values() if name in (it.plezi, it.lead))
                self._admin.restore(side, spec)
        if context.fields_changed:
            self._admin.refresh_fields()
        context.sides.clock.advance(SECONDS_BETWEEN_RUNS)
        context.look("a transaction commits late")
        self._admin.retry_quietly()
        is_short = (
            context.counted["plezi truncated_page"] and "total_results" in context.events.tenant
        )
        if is_short or len(context.versions) > 1 or context.fields_changed:
            # The weekly full run: where totals are wrong, nothing shows that a page lost rows.
            # After a change of the mapping, the admin status asks for a full run: no other reads
            # the new pairs.
            self._run(RunKind.FULL)
        self._run_until_nothing_changes()
        FinalState(context).check(decided=False)
        self._check_drift()
        if self._decide():
            self._run_until_nothing_changes()
            FinalState(context).check(decided=True)
            self._check_drift()

    def _decide(self) -> bool:
        """Decide each hold of a pair that works, try refused people again; return if any was."""
        links = self._context.ports.ledger
        found = any(link.quarantine is not None for link in links.all_links())
        self._admin.retry_quietly()
        active = {
            pair.key
            for pair in self._context.ports.mappings.current().pairs
            if pair.direction is not Direction.OFF
        } - links.suspended_pairs().keys()
        for _ in range(MAX_DECISIONS):
            held = [
                (link, key)
                for link in links.all_links()
                for key in sorted(link.holds)
                if key != EMAIL and key in active and link.holds[key].values
            ]
            for link, key in held:
                found = True
                values, untyped = link.holds[key].values, link.holds[key].untyped
                # The console does not offer a value that nobody typed, and the API refuses it.
                typed = [it for it in sorted(values) if values[it] and it not in untyped]
                typed = typed or sorted(values)
                self._admin.choose(link, key, typed[self._context.events.seed % len(typed)])
            if not held:
                break
        return found

    def _run_until_nothing_changes(self) -> None:
        """Run at least twice: the first run may still wait for the intent of a crashed run.

        The last run shows quiescence: it changes no record and no link.
        """
        changed = True
        for number in range(MAX_RUNS):
            self._context.sides.clock.advance(SECONDS_BETWEEN_RUNS)
            before = self._state()
            self._run(RunKind.CHANGES)
            changed = self._state() != before
            if not changed and number:
                break
        self._oracle.checked["2 quiescence"] += 1
        if changed:
            raise GuaranteeViolatedError(
                "2 quiescence: runs still change records or links, although no input changes"
            )
        records = self._context.sides.stored_records()
        for link in self._context.ports.ledger.all_links():
            if waits_without_reason(link, records):
                raise GuaranteeViolatedError(
                    f"2 quiescence: {link.email} waits for ever, and nothing says why"
                )

    def _run(self, kind: RunKind) -> None:
        self._invocations.run_without_faults(kind, self._admin.allow_announced)

    def _state(self) -> tuple[int, dict[str, StoredRecord], list[tuple[str, int]]]:
        links = self._context.ports.ledger.all_links()
        revisions = [(link.email, link.revision) for link in links]
        return self._context.counted["writes"], self._context.sides.stored_records(), revisions

    def _check_drift(self) -> None:
        """A full run finds no difference that the change feeds did not report."""
        links = self._context.ports.ledger.all_links()
        if any(link.quarantine is not None for link in links):
            return  # a full run tries quarantined links again, which is not drift
        self._oracle.checked["30 no drift"] += 1
        writes = self._context.counted["writes"]
        self._run(RunKind.FULL)
        if self._context.counted["writes"] != writes:
            raise GuaranteeViolatedError("30 no drift: a full run finds unreported changes")


def waits_without_reason(link: Link, records: Mapping[str, StoredRecord]) -> bool:
    """Whether a link waits, and an admin sees no reason.

    A person whose records have all been deleted waits for nothing: a page with them was stored, its
    work list was not, and no page shows them any more.
    """
    exists = any(it in records and not records[it].deleted for it in link.record_ids)
    return exists and link.dirty and link.quarantine is None and not link.holds
