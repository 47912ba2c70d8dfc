"""What users do on both sides. An action that a side refuses has no effect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connector.model import RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history import excuses
from tests.simulation.history.context import HistoryContext, email_of
from tests.simulation.history.events import NAMES, Event, name_of
from tests.simulation.history.fields import (
    FIELDS,
    REQUIRED_LEAD_FIELDS,
    Kind,
    typed_value,
)
from tests.simulation.history.reference import field_of
from tests.simulation.history.values import canonical, cell_value, is_same_value

LATE_COMMIT_SECONDS: Final = 120.0
CONVERSION_TIME: Final = timedelta(seconds=90)
"""A Contact that is older is not taken for one that the conversion created (60 s)."""
NEVER: Final = datetime.min.replace(tzinfo=UTC)


class UserActions:
    """Handles the events of users, and shows their effect to the oracle."""

    def __init__(self, context: HistoryContext) -> None:
        self._context = context
        self._sides = context.sides
        self._oracle = context.oracle
        self._added_at: dict[str, datetime] = {}

    def _next_value(self, event: Event, record: StoredRecord, field: str) -> Any:  # of any type
        """Return a new value, or for `retype` an earlier value of this person's field."""
        if event.kind == "retype":
            person = set(self._oracle.records_of_person(record.id))
            earlier = [
                it.value
                for it in self._oracle.history.typings.values()
                if it.key[0] in person and it.key[1] == field and it.value
            ]
            if earlier and FIELDS[event.field].kind in (Kind.PHONE, Kind.TEXT):
                return earlier[event.value % len(earlier)]
        return self._new_value(event, record.kind)

    def _new_value(self, event: Event, kind: RecordKind) -> Any:  # of any type
        number = self._context.next_number()
        value = typed_value(FIELDS[event.field].kind, number, kind)
        if FIELDS[event.field].kind in (Kind.PHONE, Kind.TEXT):
            return f"{event.person + 1}{value}"
        return value

    def _wire_name(self, event: Event, kind: RecordKind) -> str:
        """Return the field in which a person types: mostly the one that is mapped today.

        '' if the kind of record has no such field.
        """
        spec = FIELDS[event.field]
        if kind is RecordKind.PLEZI_CONTACT:
            return spec.plezi if self._sides.tenant.contacts.schema.find(spec.plezi) else ""
        names = [spec.lead if kind is RecordKind.LEAD else spec.contact]
        names += [
            field_of(pair, kind)
            for pair in self._context.ports.mappings.current().pairs
            if pair.plezi == event.field
        ]
        name = names[-1 if event.value % 4 else 0]
        return name if name and "." not in name and self._sides.has_field(kind, name) else ""

    def _type(
        self,
        record: StoredRecord,
        wire_name: str,
        value: object,
        description: str,
        *,
        commits_after: float = 0.0,
    ) -> None:
        """Type a value in a field; others can read it only after so many seconds."""
        if value is None and wire_name in REQUIRED_LEAD_FIELDS:
            return
        if canonical(value) == cell_value(record, wire_name):
            return
        excuse = self._like_an_unfinished_write(record, wire_name, value)
        self._sides.edit(record.kind, record.id, {wire_name: value}, late=commits_after)
        if commits_after:
            self._context.open_transactions = True
            typed = (canonical(value), self._oracle.now())
            self._oracle.uncommitted[record.id, wire_name] = typed
        self._context.log_event(description)
        self._context.look(description)
        self._excuse(record, wire_name, excuse)

    def _excuse(self, record: StoredRecord, wire_name: str, excuse: str) -> None:
        """Note an excuse of `_like_an_unfinished_write` for what was typed; '': none."""
        if excuse:
            self._oracle.excused[excuse] += 1
            self._oracle.history.weaken((record.id, wire_name))
            if excuse == excuses.OLD_VALUE_BACK:
                self._oracle.history.void_last_agreement((record.id, wire_name))

    def _like_an_unfinished_write(self, record: StoredRecord, wire_name: str, value: object) -> str:
        """Return the excuse if an unfinished write has this value, or replaces it ('': none).

        The intended value then looks like an arrived write, the old value like one that did not
        arrive. An unfinished creation applies to the record that has the e-mail now. These are the
        limits of the protocol (docs/architecture.md, rule 3); the oracle allows no others.
        """
        for link in self._context.ports.ledger.all_links():
            for write in link.intent.writes if link.intent is not None else ():
                is_target = write.record_id == record.id or (
                    write.is_create and link.email == record.email
                )
                if not is_target or write.kind is not record.kind or wire_name not in write.values:
                    continue
                if is_same_value(wire_name, write.values[wire_name], value):
                    return excuses.SAME_AS_WRITE
                before = write.before.get(wire_name)
                if not write.is_create and is_same_value(wire_name, before, value):
                    return excuses.OLD_VALUE_BACK
        return ""

    # Edits

    def do_edit(self, event: Event, *, commits_after: float = 0.0) -> None:
        """Type a value in a field."""
        record = self._context.find_active(event)
        if record is None or not (field := self._wire_name(event, record.kind)):
            return
        value = self._next_value(event, record, field)
        late = ", in a transaction that commits late" if commits_after else ""
        description = (
            f"{name_of(event.person)}'s {event.field} is set to {str(value)[:40]} "
            f"in {event.side.capitalize()} ({field} of {record.id}){late}"
        )
        self._type(record, field, value, description, commits_after=commits_after)

    do_retype = do_edit

    def do_late_edit(self, event: Event) -> None:
        """Type a value in a transaction that commits minutes after its timestamp."""
        if event.side == "salesforce":
            self._context.counted["14 long transaction"] += 1
            self.do_edit(event, commits_after=LATE_COMMIT_SECONDS * (1 + event.value % 4))

    def do_clear(self, event: Event) -> None:
        """Clear a field."""
        record = self._context.find_active(event)
        if record is None or not (field := self._wire_name(event, record.kind)):
            return
        value = False if FIELDS[event.field].kind is Kind.CHECKBOX else None
        side = event.side.capitalize()
        self._type(
            record,
            field,
            value,
            f"{name_of(event.person)}'s {event.field} is cleared in {side} "
            f"({field} of {record.id})",
        )

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
        self._context.log_event(f"an unmapped field of {name_of(event.person)} is edited in {side}")

    def do_change_score(self, event: Event) -> None:
        """Change a contact's score, as Plezi does it."""
        record = self._context.find(event, "plezi")
        if record is not None:
            self._sides.edit(record.kind, record.id, {"behaviour_score": 5 + event.value})
            self._context.log_event(f"Plezi changes the score of {name_of(event.person)}")

    def do_opt_out(self, event: Event) -> None:
        """Opt out of the newsletter."""
        record = self._context.find_active(event)
        if record is not None:
            description = f"{name_of(event.person)} opts out in {event.side.capitalize()}"
            self._type(record, self._opt_out_field(record), True, description)

    def do_opt_in(self, event: Event) -> None:
        """Opt in to the newsletter again."""
        record = self._context.find_active(event)
        if record is not None:
            description = f"{name_of(event.person)} opts in in {event.side.capitalize()}"
            self._type(record, self._opt_out_field(record), False, description)

    def _opt_out_field(self, record: StoredRecord) -> str:
        spec = FIELDS["newsletter_optout"]
        return spec.plezi if record.kind is RecordKind.PLEZI_CONTACT else spec.lead

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

    def do_create_second_contact(self, event: Event) -> None:
        """Create a second Contact with the same e-mail and the flag `sync_to_plezi`."""
        if (event.person, "contact") in self._context.records:
            self._add_record(event, RecordKind.CONTACT, "second contact")

    def _add_record(self, event: Event, kind: RecordKind, place: str) -> None:
        email = email_of(event.person)
        number = self._context.next_number()
        phone = f"{event.person + 1}{number:03d}"
        name = f"{name_of(event.person)}{number:03d}"
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
        self._added_at[record] = self._sides.clock.now()
        self._oracle.same_person(record, email)
        where = "Plezi" if kind is RecordKind.PLEZI_CONTACT else f"Salesforce ({kind.value})"
        description = f"{name_of(event.person)} is created in {where} with phone {phone}"
        self._context.log_event(f"{description} ({record})")
        self._context.look(description)

    def do_submit_form(self, event: Event) -> None:
        """Submit a form of Plezi."""
        email = email_of(event.person)
        phone = f"{event.person + 1}{self._context.next_number():03d}"
        contact = self._sides.submit({"email": email, "phone": phone})
        self._context.records.setdefault((event.person, "plezi"), contact)
        self._oracle.same_person(contact, email)
        description = f"{name_of(event.person)} submits a form with phone {phone}"
        self._context.log_event(description)
        self._context.look(description)

    def do_change_email(self, event: Event) -> None:
        """Change a person's e-mail; it may become the e-mail of another person."""
        self._change_email(event, self._context.find_active(event))

    def do_change_contact_email(self, event: Event) -> None:
        """Change the e-mail of a person's Contact, with or without the flag `sync_to_plezi`."""
        self._change_email(event, self._context.find_active(event, "contact"))

    def _change_email(self, event: Event, record: StoredRecord | None) -> None:
        if record is None:
            return
        other = (event.person + event.value) % len(NAMES)
        if not self._context.sides.stored_records()[record.id].email:
            other = event.person  # a cleared e-mail is typed again
        email = f"{NAMES[other].lower()}{event.value or ''}@example.com"
        wire_name = "email" if record.kind is RecordKind.PLEZI_CONTACT else "Email"
        excuse = self._like_an_unfinished_write(record, wire_name, email)
        self._sides.edit(record.kind, record.id, {wire_name: email})
        self._oracle.same_person(record.id, email)
        self._context.counted["23 e-mail changed"] += 1
        side = event.side.capitalize()
        description = f"{name_of(event.person)}'s e-mail is set to {email} in {side} ({record.id})"
        self._context.log_event(description)
        self._context.look(description)
        self._excuse(record, wire_name, excuse)

    def do_clear_email(self, event: Event) -> None:
        """Clear the e-mail of a Lead, as sales users do for a person who asks for it."""
        record = self._context.find_active(event, "salesforce")
        if record is not None and record.email:
            self._sides.edit(record.kind, record.id, {"Email": None})
            description = f"{name_of(event.person)}'s e-mail is cleared in Salesforce ({record.id})"
            self._context.log_event(description)
            self._context.look(description)

    def do_delete(self, event: Event) -> None:
        """Delete a record."""
        record = self._context.find_active(event)
        if record is not None:
            self._sides.delete(record.kind, record.id)
            self._oracle.forget_agreements_of(record.id)
            self._context.look("a record is deleted")
            side = event.side.capitalize()
            self._context.log_event(f"{name_of(event.person)} is deleted in {side}")

    def do_undelete(self, event: Event) -> None:
        """Restore a Lead or a Contact from the recycle bin."""
        place = "salesforce" if event.side == "plezi" else event.side
        record = self._context.find(event, place)
        if record is not None and record.deleted:
            self._sides.undelete(record.id)
            self._context.look("a record is restored")
            person = name_of(event.person)
            self._context.log_event(f"{person}'s {record.kind} is restored from the recycle bin")

    def do_convert(self, event: Event) -> None:
        """Convert a Lead."""
        record = self._context.find_active(event, "salesforce")
        if record is None:
            return
        contact = self._sides.convert(record.id)
        self._oracle.same_person(contact, record.id)
        self._context.records[event.person, "contact"] = contact
        self._oracle.continue_record(record.id, self._sides.stored_records()[contact])
        self._context.look("a Lead is converted")
        self._context.log_event(f"{name_of(event.person)}'s Lead is converted")

    def do_convert_into_contact(self, event: Event) -> None:
        """Convert a Lead into the person's Contact, which existed before."""
        record = self._context.find_active(event, "salesforce")
        contact = self._context.find(event, "contact")
        if record is None or contact is None or contact.deleted:
            return
        if self._sides.clock.now() - self._added_at.get(contact.id, NEVER) < CONVERSION_TIME:
            return  # it looks as if the conversion had created it
        self._sides.convert(record.id, contact.id)
        self._oracle.same_person(contact.id, record.id)
        self._oracle.continue_record(record.id, self._sides.stored_records()[contact.id])
        self._context.look("a Lead is converted into a Contact that existed")
        self._context.log_event(f"{name_of(event.person)}'s Lead is converted into {contact.id}")

    def do_opt_out_and_leave(self, event: Event) -> None:
        """Opt out of the newsletter in a record that goes at once: deleted, converted or merged."""
        ways = (self.do_delete, self.do_convert, self.do_clear_email, self.do_merge)
        way = ways[event.value % len(ways)]
        place = "duplicate" if way == self.do_merge else event.side
        record = self._context.find_active(event, place)
        if record is None:
            return
        description = f"{name_of(event.person)} opts out in {record.id}, which goes at once"
        self._type(record, self._opt_out_field(record), True, description)
        way(event)

    def do_merge(self, event: Event) -> None:
        """Merge a person's second Lead into the first."""
        record = self._context.find_active(event, "salesforce")
        duplicate = self._context.find(event, "duplicate")
        if record is None or duplicate is None or duplicate.deleted:
            return
        self._sides.merge(record.id, duplicate.id)
        self._oracle.continue_record(duplicate.id, self._sides.stored_records()[record.id])
        self._context.look("two Leads are merged")
        self._context.log_event(f"{name_of(event.person)}'s second Lead is merged into the first")

    def do_toggle_flag(self, event: Event) -> None:
        """Switch `sync_to_plezi` of a Contact."""
        record = self._context.find(event, "contact")
        if record is not None and not record.deleted:
            flag = "no" if record.values.get("sync_to_plezi__c") == "yes" else "yes"
            self._sides.edit(record.kind, record.id, {"sync_to_plezi__c": flag})
            person = name_of(event.person)
            self._context.log_event(f"sync_to_plezi of {person}'s Contact is set to {flag}")
