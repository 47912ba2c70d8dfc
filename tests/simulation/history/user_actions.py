"""What users do on both sides. An action that a side refuses has no effect."""

from __future__ import annotations

from typing import Any, Final

from connector.model import RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.context import HistoryContext, email_of
from tests.simulation.history.events import LEAD_FIELDS, NAMES, TWO_WAY, Event
from tests.simulation.history.values import canonical, field_value

REQUIRED_LEAD_FIELDS: Final = ("LastName", "Company")
"""Fields of a Lead that users cannot clear."""
LATE_COMMIT_SECONDS: Final = 120.0


class UserActions:
    """Handles the events of users, and adds their edits to the oracle."""

    def __init__(self, context: HistoryContext) -> None:
        self._context = context
        self._sides = context.sides
        self._oracle = context.oracle

    def _next_value(self, event: Event, record: StoredRecord) -> str:
        """Return a new value, or for `retype` an earlier value of this person's field."""
        if event.kind == "retype":
            person = self._oracle.group(record.id)
            earlier = [it for it in self._oracle.typed_values.get((person, event.field), {}) if it]
            if earlier:
                return earlier[event.value % len(earlier)]
        return self._new_phone(event)

    def _new_phone(self, event: Event) -> str:
        return f"{event.person + 1}{self._context.next_number():03d}"

    def _type(
        self,
        record: StoredRecord,
        name: str,
        value: object,
        description: str,
        *,
        commits_after: float = 0.0,
    ) -> None:
        """Type a value in a field; others can read it only after so many seconds."""
        is_plezi = record.kind is RecordKind.PLEZI_CONTACT
        wire_name = name if is_plezi else LEAD_FIELDS[name]
        if value is None and wire_name in REQUIRED_LEAD_FIELDS:
            return
        if canonical(value) == field_value(record, name):
            return
        self._sides.edit(record.kind, record.id, {wire_name: value}, late=commits_after)
        if commits_after:
            now = self._sides.clock.now().timestamp()
            self._oracle.observed.visible_from[record.id] = now + commits_after
        self._context.log_event(description)
        stored = self._sides.stored_records()
        if self._equals_unfinished_write(record, wire_name, value):
            self._oracle.allowed_losses["typed exactly the value of an unfinished write"] += 1
            self._oracle.edits.pop((record.id, name), None)
            return
        # An automation of the org may have replaced the value in the same transaction.
        if commits_after or field_value(stored[record.id], name) == canonical(value):
            self._oracle.add_edit(record, name, value, description, stored.values())

    def _equals_unfinished_write(self, record: StoredRecord, wire_name: str, value: object) -> bool:
        """Whether an unfinished write has this value: then it looks like the user's edit.

        An unfinished creation applies to the record that has the e-mail now. This is the documented
        limit of the protocol (docs/architecture.md, rule 3); the oracle allows no other.
        """
        return any(
            (write.record_id == record.id or (write.is_create and link.email == record.email))
            and write.kind is record.kind
            and wire_name in write.values
            and canonical(write.values[wire_name]) == canonical(value)
            for link in self._context.ports.ledger.all_links()
            if link.intent is not None
            for write in link.intent.writes
        )

    # Edits

    def do_edit(self, event: Event, *, commits_after: float = 0.0) -> None:
        """Type a value in a field."""
        record = self._context.find_active(event)
        if record is None:
            return
        value = self._next_value(event, record)
        late = ", in a transaction that commits late" if commits_after else ""
        description = (
            f"{NAMES[event.person]}'s {event.field} is set to {value} "
            f"in {event.side.capitalize()}{late}"
        )
        self._type(record, event.field, value, description, commits_after=commits_after)

    do_retype = do_edit

    def do_late_edit(self, event: Event) -> None:
        """Type a value in a transaction that commits minutes after its timestamp."""
        if event.side == "salesforce":
            self._context.counted["14 long transaction"] += 1
            self.do_edit(event, commits_after=LATE_COMMIT_SECONDS * (1 + event.value))

    def do_clear(self, event: Event) -> None:
        """Clear a field."""
        record = self._context.find_active(event)
        if record is not None:
            name = event.field if event.field in TWO_WAY else "phone"
            side = event.side.capitalize()
            self._type(record, name, None, f"{NAMES[event.person]}'s {name} is cleared in {side}")

    def do_edit_unmapped(self, event: Event) -> None:
        """Edit a field that is not mapped."""
        record = self._context.find_active(event)
        if record is None:
            return
        number = self._context.next_number()
        if event.side == "plezi":
            values = {"segment": "smb" if number % 2 else "mid"}
        else:
            values = {"Description": f"note {number}"}
        self._sides.edit(record.kind, record.id, values)
        side = event.side.capitalize()
        self._context.log_event(f"an unmapped field of {NAMES[event.person]} is edited in {side}")

    def do_change_score(self, event: Event) -> None:
        """Change a contact's score, as Plezi does it."""
        record = self._context.find(event, "plezi")
        if record is not None:
            self._sides.edit(record.kind, record.id, {"behaviour_score": 5 + event.value})
            self._context.log_event(f"Plezi changes the score of {NAMES[event.person]}")

    def do_opt_out(self, event: Event) -> None:
        """Opt out of the newsletter."""
        record = self._context.find_active(event)
        if record is not None:
            description = f"{NAMES[event.person]} opts out in {event.side.capitalize()}"
            self._type(record, "newsletter_optout", True, description)

    # Records are created, deleted, moved

    def do_create(self, event: Event) -> None:
        """Create a person's record on one side."""
        known = self._context.find(event)
        if known is None or known.deleted:
            kind = RecordKind.PLEZI_CONTACT if event.side == "plezi" else RecordKind.LEAD
            self._add_record(event, kind, event.side)

    def do_create_duplicate(self, event: Event) -> None:
        """Create a second Lead with the same e-mail."""
        if (event.person, "salesforce") in self._context.records:
            self._add_record(event, RecordKind.LEAD, "duplicate")

    def do_create_contact(self, event: Event) -> None:
        """Create a Contact with the flag `sync_to_plezi`."""
        if (event.person, "contact") not in self._context.records:
            self._add_record(event, RecordKind.CONTACT, "contact")

    def _add_record(self, event: Event, kind: RecordKind, place: str) -> None:
        email = email_of(event.person)
        number = self._context.next_number()
        phone = f"{event.person + 1}{number:03d}"
        name = f"{NAMES[event.person]}{number:03d}"
        values: dict[str, Any]
        if kind is RecordKind.PLEZI_CONTACT:
            written = email.title() if number % 2 else email
            values = {"email": written, "phone": phone, "last_name": name}
        else:
            values = {"Email": email.upper(), "Phone": phone, "LastName": name}
            is_lead = kind is RecordKind.LEAD
            values |= {"Company": f"{name} SA"} if is_lead else {"sync_to_plezi__c": "yes"}
        record = self._sides.add(kind, values)
        self._context.records[event.person, place] = record
        self._oracle.same_person(record, email)
        where = "Plezi" if kind is RecordKind.PLEZI_CONTACT else f"Salesforce ({kind.value})"
        self._context.log_event(f"{NAMES[event.person]} is created in {where} with phone {phone}")
        stored = self._sides.stored_records()
        for field_name in TWO_WAY:
            value = field_value(stored[record], field_name)
            if value:
                description = (
                    f"{NAMES[event.person]} is created in {where} with {field_name} {value}"
                )
                self._oracle.add_edit(
                    stored[record], field_name, value, description, stored.values()
                )

    def do_submit_form(self, event: Event) -> None:
        """Submit a form of Plezi."""
        email = email_of(event.person)
        phone = self._new_phone(event)
        before = self._sides.stored_records()
        contact = self._sides.submit({"email": email, "phone": phone})
        self._context.records.setdefault((event.person, "plezi"), contact)
        self._oracle.same_person(contact, email)
        stored = self._sides.stored_records()
        description = f"{NAMES[event.person]} submits a form with phone {phone}"
        self._context.log_event(description)
        if contact not in before or before[contact].values != stored[contact].values:
            self._oracle.add_edit(stored[contact], "phone", phone, description, stored.values())

    def do_change_email(self, event: Event) -> None:
        """Change a person's e-mail; it may become the e-mail of another person."""
        record = self._context.find_active(event)
        if record is None:
            return
        other = (event.person + event.value) % len(NAMES)
        email = f"{NAMES[other].lower()}{event.value or ''}@example.com"
        wire_name = "email" if record.kind is RecordKind.PLEZI_CONTACT else "Email"
        self._sides.edit(record.kind, record.id, {wire_name: email})
        self._oracle.same_person(record.id, email)
        self._oracle.changed_identity.add(self._oracle.group(record.id))
        side = event.side.capitalize()
        self._context.log_event(f"{NAMES[event.person]}'s e-mail is set to {email} in {side}")

    def do_delete(self, event: Event) -> None:
        """Delete a record."""
        record = self._context.find_active(event)
        if record is not None:
            self._sides.delete(record.kind, record.id)
            self._oracle.drop_edits_of(record.id)
            self._oracle.forget_agreements_of(record.id)
            side = event.side.capitalize()
            self._context.log_event(f"{NAMES[event.person]} is deleted in {side}")

    def do_undelete(self, event: Event) -> None:
        """Restore a Lead from the recycle bin."""
        record = self._context.find(event, "salesforce")
        if record is not None and record.deleted:
            self._sides.undelete(record.id)
            person = NAMES[event.person]
            self._context.log_event(f"{person}'s Lead is restored from the recycle bin")

    def do_convert(self, event: Event) -> None:
        """Convert a Lead."""
        record = self._context.find_active(event, "salesforce")
        if record is None:
            return
        contact = self._sides.convert(record.id)
        self._oracle.same_person(contact, record.id)
        self._context.records[event.person, "contact"] = contact
        self._oracle.drop_edits_of(record.id)
        self._context.log_event(f"{NAMES[event.person]}'s Lead is converted")

    def do_merge(self, event: Event) -> None:
        """Merge a person's second Lead into the first."""
        record = self._context.find_active(event, "salesforce")
        duplicate = self._context.find(event, "duplicate")
        if record is None or duplicate is None or duplicate.deleted:
            return
        self._sides.merge(record.id, duplicate.id)
        self._oracle.drop_edits_of(record.id)
        self._context.log_event(f"{NAMES[event.person]}'s second Lead is merged into the first")

    def do_toggle_flag(self, event: Event) -> None:
        """Switch `sync_to_plezi` of a Contact."""
        record = self._context.find(event, "contact")
        if record is not None and not record.deleted:
            flag = "no" if record.values.get("sync_to_plezi__c") == "yes" else "yes"
            self._sides.edit(record.kind, record.id, {"sync_to_plezi__c": flag})
            person = NAMES[event.person]
            self._context.log_event(f"sync_to_plezi of {person}'s Contact is set to {flag}")
