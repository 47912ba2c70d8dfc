"""The final check: user actions and faults stop, runs go on, and every guarantee must hold."""

from __future__ import annotations

from typing import Final

from connector.model import JournalKind, Link, RecordKind, RunKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.context import HistoryContext
from tests.simulation.history.events import LEAD_FIELDS, TWO_WAY
from tests.simulation.history.invocations import Invocations
from tests.simulation.history.oracle import Edit, GuaranteeViolatedError
from tests.simulation.history.values import AUTOMATED, canonical, field_value

MAX_RUNS: Final = 6
"""Runs within which both sides must converge: three that may write, and more for the intents of a
crashed run, which are recovered once they are older than the worker's time-out."""
SECONDS_BETWEEN_RUNS: Final = 8000.0
"""Longer than time-outs, late commits, lags and jumps of the connector's clock (two hours at most,
from an hour ahead to an hour behind)."""


class QuiescenceCheck:
    """Runs until nothing changes, then checks both sides, every edit and the absence of drift."""

    def __init__(self, context: HistoryContext, invocations: Invocations) -> None:
        self._context = context
        self._invocations = invocations
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
        if context.counted["plezi truncated_page"] or context.counted["64 mapping saved"]:
            # The weekly full run: no change feed reports the rows that a page lost. After a change
            # of the mapping, the admin status asks for a full run: no other reads the new pairs.
            context.sides.clock.advance(SECONDS_BETWEEN_RUNS)
            self._invocations.run_without_faults(RunKind.FULL)
        self._run_until_nothing_changes()
        self._check_both_sides()
        self._check_drift()

    def _run_until_nothing_changes(self) -> None:
        """Run at least twice: the first run may still wait for the intent of a crashed run.

        The last run shows quiescence: it changes no record and no link.
        """
        changed = True
        for number in range(MAX_RUNS):
            self._context.sides.clock.advance(SECONDS_BETWEEN_RUNS)
            before = self._state()
            self._invocations.run_without_faults(RunKind.CHANGES)
            changed = self._state() != before
            if not changed and number:
                break
        self._oracle.checked["2 quiescence"] += 1
        if changed:
            raise GuaranteeViolatedError(
                "2 quiescence: runs still change records or links, although no input changes"
            )

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
        self._invocations.run_without_faults(RunKind.FULL)
        if self._context.counted["writes"] != writes:
            raise GuaranteeViolatedError("30 no drift: a full run finds unreported changes")

    def _check_both_sides(self) -> None:
        self._oracle.checked["1 convergence"] += 1
        stored = self._context.sides.stored_records()
        active = [it for it in stored.values() if not it.deleted and not it.converted and it.email]
        links = self._context.ports.ledger.all_links()
        link_of = {record: link for link in links for record in link.record_ids}
        contacts = [it for it in active if it.kind is RecordKind.PLEZI_CONTACT]
        leads = [it for it in active if it.kind is RecordKind.LEAD]
        for contact in contacts:
            same_email = [lead for lead in leads if lead.email == contact.email]
            self._check_person(contact, same_email, link_of.get(contact.id))
        for lead in leads:
            has_contact = any(contact.email == lead.email for contact in contacts)
            excused = self._has_changed_identity(lead) or _is_held(link_of.get(lead.id))
            if not has_contact and not excused:
                raise GuaranteeViolatedError(f"1 convergence: {lead.id} never reached Plezi")
        free = [it for it in active if not _is_held(link_of.get(it.id))]
        for (record, name), edit in self._oracle.edits.items():
            self._check_edit(stored.get(record), name, edit, link_of.get(record), free)

    def _check_person(
        self, contact: StoredRecord, leads: list[StoredRecord], link: Link | None
    ) -> None:
        excused = self._has_changed_identity(contact) or _is_held(link)
        if not leads and not excused and not self._has_salesforce_contact(contact):
            raise GuaranteeViolatedError(f"1 convergence: {contact.id} never reached Salesforce")
        if link is None:
            return
        for lead in [it for it in leads if it.id in link.record_ids]:
            for name in TWO_WAY:
                if name not in self._mapped_fields() or _is_held(link, LEAD_FIELDS[name]):
                    continue
                in_plezi, in_salesforce = field_value(contact, name), field_value(lead, name)
                if in_plezi != in_salesforce:
                    raise GuaranteeViolatedError(
                        f"1 convergence: {name} stays {in_plezi!r} in Plezi "
                        f"and {in_salesforce!r} in Salesforce"
                    )

    def _has_changed_identity(self, record: StoredRecord) -> bool:
        return self._oracle.group(record.id) in self._oracle.changed_identity

    def _mapped_fields(self) -> set[str]:
        return {pair.plezi for pair in self._context.ports.mappings.current().pairs}

    def _has_salesforce_contact(self, contact: StoredRecord) -> bool:
        return any(
            it.kind is RecordKind.CONTACT and it.email == contact.email
            for it in self._context.sides.stored_records().values()
        )

    def _check_edit(
        self,
        record: StoredRecord | None,
        name: str,
        edit: Edit,
        link: Link | None,
        active: list[StoredRecord],
    ) -> None:
        """Check that a pending edit reached the other side, unless a rule excuses it."""
        if record is None or record.deleted or record.converted:
            return
        is_contact = record.kind is RecordKind.CONTACT
        if is_contact and not self._must_reach_plezi(record, name, edit, link):
            return
        self._oracle.checked["7 no lost update"] += 1
        if name not in self._mapped_fields():
            return
        if self._oracle.automated_fields and field_value(record, name) == AUTOMATED:
            return  # a flow of the org replaced the value
        if name == "newsletter_optout" or _is_held(link, LEAD_FIELDS[name]):
            return
        if name == "function" and record.kind is not RecordKind.PLEZI_CONTACT:
            return
        across = [
            it
            for it in active
            if it.kind.side is not record.kind.side
            and it.email == record.email
            and it.kind is not RecordKind.CONTACT
        ]
        if across and all(field_value(it, name) != edit.value for it in across):
            raise GuaranteeViolatedError(
                f"7 no lost update: {edit.description}; it never reached the other side"
            )

    def _must_reach_plezi(
        self, contact: StoredRecord, name: str, edit: Edit, link: Link | None
    ) -> bool:
        """Whether a Contact's edit must be in Plezi: it participates and was not overwritten.

        The connector never writes to a Contact, so that it may keep a different value for ever. In
        this case the journal has an entry for the overwritten value.
        """
        if contact.values.get("sync_to_plezi__c") != "yes" or link is None or link.plezi is None:
            return False
        return not any(
            entry.record_id == contact.id
            and entry.field == LEAD_FIELDS[name]
            and entry.kind is JournalKind.OVERWRITTEN
            and canonical(entry.before) == edit.value
            for entry in self._context.ports.journal.entries()
        )


def _is_held(link: Link | None, key: str = "") -> bool:
    """Whether a link is held for review or in quarantine, or its field pair `key` is held."""
    if link is None:
        return False
    return link.quarantine is not None or "Email" in link.holds or (bool(key) and key in link.holds)
