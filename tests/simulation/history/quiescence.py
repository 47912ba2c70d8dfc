"""Peace: people stop, nothing fails any more, and everything that was promised must hold."""

from __future__ import annotations

from typing import Final

from connector.model import Link, RecordKind, RunKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.actor import Actor
from tests.simulation.history.events import LEAD_FIELDS, TWO_WAY
from tests.simulation.history.invocations import Invocations
from tests.simulation.history.oracle import Edit, GuaranteeViolatedError
from tests.simulation.history.wire import AUTOMATED, said, value_of

SETTLING_RUNS: Final = 6
"""Runs after peace within which all must have settled: three that may (invariant 1), and more for
what a dead run had left: intents are judged once they are older than the worker's time-out."""
LONG_ENOUGH: Final = 8000.0
"""Seconds of peace between two runs: beyond time-outs, late commits, lags and jumps of our
clock (two hours at most, from an hour ahead to an hour behind)."""


class Quiescence:
    """Lets everything settle, then judges what is there."""

    def __init__(self, scene: Actor, invocations: Invocations) -> None:
        self._scene = scene
        self._invocations = invocations
        self._oracle = scene.oracle

    def check(self, *, password_due: bool) -> None:
        """Stop all bad fault_injector and all typing; run until nothing moves; then judge."""
        sides = self._scene.sides
        sides.org.control.faults.clear()
        sides.tenant.control.faults.clear()
        sides.org.state.automation.validations.clear()
        self._scene.describe("people stop, and nothing fails any more")
        if password_due:
            self._scene.connected.put_secrets()
        if self._scene.counted["plezi truncated_page"] or self._scene.counted["64 mapping saved"]:
            # The weekly one: no list of changes ever tells what a page lost; and after a change of
            # the mapping, as the status asks for, nobody else has read what is mapped now.
            sides.clock.advance(LONG_ENOUGH)
            self._invocations.calm(RunKind.FULL)
        self._run_until_nothing_moves()
        self._judge_sides()
        self._judge_drift()

    def _run_until_nothing_moves(self) -> None:
        """Run; two runs at least, for the first may still wait for what a dead one had left.

        The last one shows quiescence: a run in peace changes nothing, on no side and in no link.
        """
        moved = True
        for number in range(SETTLING_RUNS):
            self._scene.sides.clock.advance(LONG_ENOUGH)
            before = self._everything()
            self._invocations.calm(RunKind.CHANGES)
            moved = self._everything() != before
            if not moved and number:
                break
        self._oracle.checked["2 quiescence"] += 1
        if moved:
            raise GuaranteeViolatedError(
                "2 quiescence: a run in peace writes although nothing changed"
            )

    def _everything(self) -> tuple[int, dict[str, StoredRecord], list[tuple[str, int]]]:
        links = self._scene.connected.ledger.all_links()
        revisions = [(link.email, link.revision) for link in links]
        return self._scene.counted["writes"], self._scene.sides.stored_records(), revisions

    def _judge_drift(self) -> None:
        """A reading of everybody finds nothing that no change announced."""
        if any(it.quarantine is not None for it in self._scene.connected.ledger.all_links()):
            return  # it waits for a change, or for a full run, which tries it again
        self._oracle.checked["30 self-healing"] += 1
        writes = self._scene.counted["writes"]
        self._invocations.calm(RunKind.FULL)
        if self._scene.counted["writes"] != writes:
            raise GuaranteeViolatedError("30 self-healing: a full run finds drift")

    def _judge_sides(self) -> None:
        self._oracle.checked["1 convergence"] += 1
        truth = self._scene.sides.stored_records()
        alive = [it for it in truth.values() if not it.deleted and not it.converted and it.email]
        everyone = self._scene.connected.ledger.all_links()
        holds = {record: link for link in everyone for record in link.record_ids}
        for contact in [it for it in alive if it.kind is RecordKind.PLEZI_CONTACT]:
            leads = [it for it in alive if it.kind is RecordKind.LEAD and it.email == contact.email]
            self._judge_person(contact, leads, holds.get(contact.id))
        for lead in [it for it in alive if it.kind is RecordKind.LEAD]:
            met = any(
                it.kind is RecordKind.PLEZI_CONTACT and it.email == lead.email for it in alive
            )
            excused = self._oracle.group(lead.id) in self._oracle.changed_identity
            if not met and not excused and not _waits(holds.get(lead.id), ""):
                raise GuaranteeViolatedError(f"1 convergence: {lead.id} never reached Plezi")
        for (record, name), edit in self._oracle.edits.items():
            free = [it for it in alive if not _waits(holds.get(it.id), "")]
            self._judge_edit(truth.get(record), name, edit, holds.get(record), free)

    def _judge_person(
        self, contact: StoredRecord, leads: list[StoredRecord], link: Link | None
    ) -> None:
        excused = self._oracle.group(contact.id) in self._oracle.changed_identity
        if not leads and not excused and not _waits(link, "") and not self._has_contact(contact):
            raise GuaranteeViolatedError(f"1 convergence: {contact.id} never reached Salesforce")
        for lead in leads:
            for name in TWO_WAY:
                if name not in self._mapped() or _waits(link, LEAD_FIELDS[name]):
                    continue
                if link is None or lead.id not in link.record_ids:
                    continue
                here, there = value_of(contact, name), value_of(lead, name)
                if here != there:
                    raise GuaranteeViolatedError(
                        f"1 convergence: {name} rests at {here!r} in Plezi, {there!r} in Salesforce"
                    )

    def _mapped(self) -> set[str]:
        return {it.plezi for it in self._scene.connected.configuration.current().pairs}

    def _has_contact(self, contact: StoredRecord) -> bool:
        return any(
            it.kind is RecordKind.CONTACT and it.email == contact.email
            for it in self._scene.sides.stored_records().values()
        )

    def _judge_edit(
        self,
        record: StoredRecord | None,
        name: str,
        edit: Edit,
        link: Link | None,
        alive: list[StoredRecord],
    ) -> None:
        if record is None or record.deleted or record.converted:
            return
        if record.kind is RecordKind.CONTACT and not self._is_told_of(record, name, edit, link):
            return
        self._oracle.checked["7 no lost uncontested edit"] += 1
        if name not in self._mapped():
            return
        if self._oracle.automated and value_of(record, name) == AUTOMATED:
            return  # the org itself replaced it
        if name == "newsletter_optout" or _waits(link, LEAD_FIELDS[name]):
            return
        if name == "function" and record.kind is not RecordKind.PLEZI_CONTACT:
            return
        across = [
            it
            for it in alive
            if it.kind.side is not record.kind.side
            and it.email == record.email
            and it.kind is not RecordKind.CONTACT
        ]
        if across and all(value_of(it, name) != edit.value for it in across):
            raise GuaranteeViolatedError(f"7 no lost uncontested edit: {edit.told} never arrived")

    def _is_told_of(self, contact: StoredRecord, name: str, edit: Edit, link: Link | None) -> bool:
        """Whether a Contact's edit must be in Plezi: it takes part, and gave way to nobody else's.

        It is never written to, so that it may say another word than the others for ever; then the
        journal names that word as one that gave way.
        """
        if contact.values.get("sync_to_plezi__c") != "yes" or link is None or link.plezi is None:
            return False
        told = self._scene.connected.journal.entries()
        return not any(
            line.record_id == contact.id
            and line.field == LEAD_FIELDS[name]
            and line.kind == "overwritten"
            and said(line.before) == edit.value
            for line in told
        )


def _waits(link: Link | None, key: str) -> bool:
    """Whether a person is asked about a field of a link, or about the whole of it."""
    if link is None:
        return False
    return link.quarantine is not None or "Email" in link.holds or (bool(key) and key in link.holds)
