"""What people do on both sides. What they cannot do, they are told, and it did not happen."""

from __future__ import annotations

from typing import Any, Final

from connector.model import RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.actor import Actor
from tests.simulation.history.events import LEAD_FIELDS, NAMES, TWO_WAY, Event
from tests.simulation.history.wire import said, value_of

REQUIRED: Final = ("LastName", "Company")
"""Fields of a Lead that nobody can clear."""


class People:
    """Everybody who edits records, and what they did in words."""

    def __init__(self, scene: Actor) -> None:
        self._scene = scene
        self._sides = scene.sides
        self._oracle = scene.oracle

    def _value(self, event: Event, truth: StoredRecord) -> str:
        """A new value, or (`retype`) one that this person's record said before."""
        if event.what == "retype":
            words = self._oracle.said_in.get((self._oracle.group(truth.id), event.field), {})
            known = [word for word in words if word]
            if known:
                return known[event.value % len(known)]
        return f"{event.who + 1}{self._scene.number():03d}"

    def _type(self, truth: StoredRecord, name: str, value: object, told: str, **how: Any) -> None:
        wire = name if truth.kind is RecordKind.PLEZI_CONTACT else LEAD_FIELDS[name]
        if value is None and wire in REQUIRED:
            return
        if said(value) == value_of(truth, name):
            return
        self._sides.edit(truth.kind, truth.id, {wire: value}, **how)
        if how:
            commits = self._sides.clock.now().timestamp() + how["late"]
            self._oracle.hearing.unseen_until[truth.id] = commits
        self._scene.describe(told)
        now = self._sides.stored_records()
        if self._is_what_was_meant(truth, wire, value):
            self._oracle.window["typed exactly what an unfinished write was to say"] += 1
            self._oracle.edits.pop((truth.id, name), None)  # overtaken by its own author
            return
        if value_of(now[truth.id], name) == said(value) or how:  # else the org itself replaced it
            self._oracle.typed_by(
                truth, name, value, self._scene.connected.now(), told, now.values()
            )

    def _is_what_was_meant(self, truth: StoredRecord, wire: str, value: object) -> bool:
        """Whether a dead run's write was to say just this: nobody can tell the person from it.

        A creation was to say it in whatever record has the address now. It is the protocol's stated
        limit (docs/architecture.md, rule 3); the oracle excuses no other.
        """
        return any(
            (write.record_id == truth.id or (write.is_create and link.email == truth.email))
            and write.kind is truth.kind
            and wire in write.values
            and said(write.values[wire]) == said(value)
            for link in self._scene.connected.ledger.all_links()
            if link.intent is not None
            for write in link.intent.writes
        )

    # Typing

    def do_edit(self, event: Event, **how: Any) -> None:
        """Type a value in a field."""
        truth = self._scene.find_alive(event)
        if truth is None:
            return
        name = event.field
        value = self._value(event, truth)
        late = " in a transaction that commits late" if how else ""
        where = event.side.capitalize()
        told = f"{NAMES[event.who]}'s {name} becomes {value} in {where}{late}"
        self._type(truth, name, value, told, **how)

    do_retype = do_edit

    def do_late_edit(self, event: Event) -> None:
        """Type a value in a transaction that others see minutes after its stamp."""
        if event.side == "salesforce":
            self._scene.counted["14 long transaction"] += 1
            self.do_edit(event, late=120.0 * (1 + event.value))

    def do_clear(self, event: Event) -> None:
        """Clear a field."""
        truth = self._scene.find_alive(event)
        if truth is not None:
            name = event.field if event.field in TWO_WAY else "phone"
            where = event.side.capitalize()
            self._type(truth, name, None, f"{NAMES[event.who]}'s {name} is cleared in {where}")

    def do_touch(self, event: Event) -> None:
        """Edit a field that nobody maps."""
        truth = self._scene.find_alive(event)
        if truth is None:
            return
        number = self._scene.number()
        if event.side == "plezi":
            values = {"segment": "smb" if number % 2 else "mid"}
        else:
            values = {"Description": f"note {number}"}
        self._sides.edit(truth.kind, truth.id, values)
        where = event.side.capitalize()
        self._scene.describe(f"another field of {NAMES[event.who]} is edited in {where}")

    def do_score(self, event: Event) -> None:
        """Let Plezi move a contact's score."""
        truth = self._scene.find(event, "plezi")
        if truth is not None:
            self._sides.edit(truth.kind, truth.id, {"behaviour_score": 5 + event.value})
            self._scene.describe(f"Plezi moves the score of {NAMES[event.who]}")

    def do_optout(self, event: Event) -> None:
        """Opt out of the newsletter."""
        truth = self._scene.find_alive(event)
        if truth is not None:
            told = f"{NAMES[event.who]} opts out in {event.side}"
            self._type(truth, "newsletter_optout", True, told)

    # Coming and going

    def do_create(self, event: Event) -> None:
        """Create a person on one side."""
        known = self._scene.find(event)
        if known is None or known.deleted:
            kind = RecordKind.PLEZI_CONTACT if event.side == "plezi" else RecordKind.LEAD
            self._add(event, kind, event.side)

    def do_twin(self, event: Event) -> None:
        """Create a second Lead of one address."""
        if (event.who, "salesforce") in self._scene.people:
            self._add(event, RecordKind.LEAD, "twin")

    def do_contact(self, event: Event) -> None:
        """Create a Contact that is flagged for Plezi."""
        if (event.who, "contact") not in self._scene.people:
            self._add(event, RecordKind.CONTACT, "contact")

    def _add(self, event: Event, kind: RecordKind, slot: str) -> None:
        email = f"{NAMES[event.who].lower()}@example.com"
        number = self._scene.number()
        phone = f"{event.who + 1}{number:03d}"
        name = f"{NAMES[event.who]}{number:03d}"
        if kind is RecordKind.PLEZI_CONTACT:
            written = email.title() if number % 2 else email
            values: dict[str, Any] = {"email": written, "phone": phone, "last_name": name}
        else:
            values = {"Email": email.upper(), "Phone": phone, "LastName": name}
            values |= (
                {"Company": f"{name} SA"}
                if kind is RecordKind.LEAD
                else {"sync_to_plezi__c": "yes"}
            )
        record = self._sides.add(kind, values)
        self._scene.people[event.who, slot] = record
        self._oracle.same_person(record, email)
        where = slot.capitalize()
        self._scene.describe(f"{NAMES[event.who]} is created in {where} with phone {phone}")
        truth = self._sides.stored_records()
        for field_name in TWO_WAY:
            word = value_of(truth[record], field_name)
            if word:
                told = f"{NAMES[event.who]}'s {field_name} {word}, given in {where}"
                when = self._scene.connected.now()
                self._oracle.typed_by(truth[record], field_name, word, when, told, truth.values())

    def do_form(self, event: Event) -> None:
        """Submit a form of Plezi."""
        email = f"{NAMES[event.who].lower()}@example.com"
        phone = f"{event.who + 1}{self._scene.number():03d}"
        before = self._sides.stored_records()
        contact = self._sides.submit({"email": email, "phone": phone})
        self._scene.people.setdefault((event.who, "plezi"), contact)
        self._oracle.same_person(contact, email)
        now = self._sides.stored_records()
        told = f"{NAMES[event.who]} submits a form with phone {phone}"
        self._scene.describe(told)
        if contact not in before or before[contact].values != now[contact].values:
            when = self._scene.connected.now()
            self._oracle.typed_by(now[contact], "phone", phone, when, told, now.values())

    def do_email(self, event: Event) -> None:
        """Give a person another address, perhaps that of somebody else."""
        truth = self._scene.find_alive(event)
        if truth is None:
            return
        who = (event.who + event.value) % len(NAMES)
        address = f"{NAMES[who].lower()}{event.value or ''}@example.com"
        wire = "email" if truth.kind is RecordKind.PLEZI_CONTACT else "Email"
        self._sides.edit(truth.kind, truth.id, {wire: address})
        self._oracle.same_person(truth.id, address)
        self._oracle.changed_identity.add(self._oracle.group(truth.id))
        where = event.side.capitalize()
        self._scene.describe(f"{NAMES[event.who]}'s e-mail becomes {address} in {where}")

    def do_delete(self, event: Event) -> None:
        """Delete a record."""
        truth = self._scene.find_alive(event)
        if truth is not None:
            self._sides.delete(truth.kind, truth.id)
            self._identity_moved(truth)
            self._oracle.nothing_is_agreed_with(truth.id)
            self._scene.describe(f"{NAMES[event.who]} is deleted in {event.side.capitalize()}")

    def do_undelete(self, event: Event) -> None:
        """Take a Lead out of the recycle bin."""
        truth = self._scene.find(event, "salesforce")
        if truth is not None and truth.deleted:
            self._sides.undelete(truth.id)
            self._scene.describe(f"{NAMES[event.who]}'s Lead comes back out of the recycle bin")

    def do_convert(self, event: Event) -> None:
        """Convert a Lead."""
        truth = self._scene.find_alive(event, "salesforce")
        if truth is None:
            return
        contact = self._sides.convert(truth.id)
        self._oracle.same_person(contact, truth.id)
        self._scene.people[event.who, "contact"] = contact
        self._identity_moved(truth)
        self._scene.describe(f"{NAMES[event.who]}'s Lead is converted")

    def do_merge(self, event: Event) -> None:
        """Merge a person's second Lead into the first."""
        truth, twin = self._scene.find_alive(event, "salesforce"), self._scene.find(event, "twin")
        if truth is None or twin is None or twin.deleted:
            return
        self._sides.merge(truth.id, twin.id)
        self._identity_moved(truth)
        self._scene.describe(f"{NAMES[event.who]}'s second Lead is merged into the first")

    def _identity_moved(self, truth: StoredRecord) -> None:
        """What was typed in a record that is no more is not owed to anybody."""
        self._oracle.changed_identity.add(self._oracle.group(truth.id))
        for key in [key for key in self._oracle.edits if key[0] == truth.id]:
            del self._oracle.edits[key]

    def do_flag(self, event: Event) -> None:
        """Switch `sync_to_plezi` of a Contact."""
        truth = self._scene.find(event, "contact")
        if truth is not None and not truth.deleted:
            flag = "no" if truth.values.get("sync_to_plezi__c") == "yes" else "yes"
            self._sides.edit(truth.kind, truth.id, {"sync_to_plezi__c": flag})
            self._scene.describe(f"sync_to_plezi of {NAMES[event.who]}'s Contact becomes {flag}")
