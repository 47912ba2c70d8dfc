"""The rules of contacts: one contact per e-mail, the effect of a write, changes of `updated_at`."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, TypeAlias

from local.control import SimulatedClock
from local.plezi_tenant.errors import RefusedError
from local.plezi_tenant.sample import IdGenerator, sample_contacts
from local.plezi_tenant.schema import Schema, Value, Values
from local.plezi_tenant.store import Contact, ContactQuery, ContactStore, email_key
from local.plezi_tenant.switches import Switches
from local.plezi_tenant.timestamps import to_millis

Changes: TypeAlias = Mapping[str, Value | None]
"""Attributes to write. None clears an attribute; an absent attribute is kept."""

FORM_POINTS = 5
"""Default score of a form in the discovery phase (Plezi help centre)."""
MAX_SCORE = 50
BEHAVIOUR_ATTRIBUTES = frozenset({"behaviour_score", "state"})


class ContactRepository:
    """All contacts of the tenant. Thread-safe."""

    def __init__(self, clock: SimulatedClock, seed: int) -> None:
        self.switches = Switches()
        self.schema = Schema()
        self._clock = clock
        self._seed = seed
        self._ids = IdGenerator(seed)
        self._store = ContactStore()
        self._odd_rows: dict[str, bytes] = {}
        self._lock = threading.RLock()

    def close(self) -> None:
        """Free the memory of the store."""
        self._store.close()

    def reset(self) -> None:
        """Delete all contacts, restore the default switches and schema, and restart the ids."""
        with self._lock:
            self._store.clear()
            self._odd_rows.clear()
            self._ids = IdGenerator(self._seed)
            self.switches = Switches()
            self.schema = Schema()

    def set_switches(self, changes: Mapping[str, Any]) -> None:
        """Change switches.

        Raises:
            ValueError: when a name or a value is not allowed; the message names it.
        """
        with self._lock:
            switches = self.switches.with_changes(changes)
            names = [attribute.name for attribute in self.schema]
            if unknown := set(switches.attribute_spelling) - set(names):
                raise ValueError(f"attribute_spelling of unknown {sorted(unknown)}")
            wire_names = [switches.attribute_spelling.get(name, name) for name in names]
            if len(set(wire_names)) < len(wire_names):
                raise ValueError("attribute_spelling gives two attributes one name")
            self.switches = switches

    def load(self, count: int, first: int, spread_seconds: float) -> int:
        """Add sample contacts and return how many were added; a known e-mail is skipped."""
        with self._lock:
            spread = int(spread_seconds * 1000)
            contacts = sample_contacts(count, first, self._ids, self._now(), spread)
            return self._store.insert(contacts)

    def read(self, identity: str) -> Contact | None:
        """Return a contact as the API shows it now, with the read lag."""
        with self._lock:
            return self._store.by_id(identity, visible_at=self._now())

    def page(self, query: ContactQuery) -> tuple[list[Contact], int]:
        """Return one page as the API shows it now, and the total number of matching contacts."""
        with self._lock:
            return self._store.page(query, visible_at=self._now())

    def set_odd_row(self, identity: str, row: bytes | None) -> None:
        """Show readers of the API a contact as this JSON, whatever it is; None: as usual again.

        Plezi has no public documentation: a row of any form must be expected.
        """
        with self._lock:
            if self._store.by_id(identity) is None:
                raise RefusedError(404, f"no contact {identity}")
            self._odd_rows.pop(identity, None)
            if row is not None:
                self._odd_rows[identity] = row

    def odd_row(self, identity: str) -> bytes | None:
        """Return the JSON that readers of the API see instead of a contact, if there is one."""
        return self._odd_rows.get(identity)

    def find_current(self, identity: str) -> Contact | None:
        """Return a contact as it is stored, without the read lag."""
        with self._lock:
            return self._store.by_id(identity)

    def current_page(self, query: ContactQuery) -> tuple[list[Contact], int]:
        """Return one page as it is stored, without the read lag, and the total."""
        with self._lock:
            return self._store.page(query)

    def post(self, changes: Changes, *, invisible_seconds: float = 0) -> tuple[Contact, bool]:
        """Create a contact; for a known e-mail, follow the switch `known_email`.

        Readers see this write only after `invisible_seconds`.
        """
        with self._lock:
            known = self._store.by_email(str(changes["email"]))
            if known is None:
                return self._create(
                    changes, source="offline", invisible_seconds=invisible_seconds
                ), True
            match self.switches.known_email:
                case "upsert":
                    changes = self._as_stored(known, changes, "POST")
                    return self._write(known, changes, invisible_seconds=invisible_seconds), False
                case "conflict":
                    raise RefusedError(422, "email is already taken")
                case "conflict_409":
                    raise RefusedError(409, "email is already taken")

    def create_as_user(self, changes: Changes) -> Contact:
        """Create a contact as a user does in Plezi's interface; a known e-mail is refused."""
        with self._lock:
            if not changes.get("email"):
                raise RefusedError(422, "email is mandatory")
            if self._store.by_email(str(changes["email"])) is not None:
                raise RefusedError(422, "email is already taken")
            return self._create(changes, source="offline", invisible_seconds=0)

    def update(
        self,
        identity: str,
        changes: Changes,
        *,
        invisible_seconds: float = 0,
        method: str = "",
    ) -> Contact:
        """Write some attributes of an existing contact.

        `method` is that of the API's call, whose effect depends on the switches ('': a user does).
        """
        with self._lock:
            contact = self._store.by_id(identity)
            if contact is None:
                raise RefusedError(404, f"no contact {identity}")
            changes = self._as_stored(contact, changes, method) if method else changes
            return self._write(contact, changes, invisible_seconds=invisible_seconds)

    def delete(self, identity: str, *, invisible_seconds: float = 0) -> None:
        """Delete a contact permanently."""
        with self._lock:
            if self._store.by_id(identity) is None:
                raise RefusedError(404, f"no contact {identity}")
            self._delay_visibility(identity, invisible_seconds)
            self._store.delete(identity)

    def submit(
        self, changes: Changes, *, keep: frozenset[str], source: str
    ) -> tuple[Contact, bool]:
        """Store a form: create or update the contact and increase its score.

        For the attributes in `keep`, the stored choices are kept and the new ones are added.
        """
        with self._lock:
            known = self._store.by_email(str(changes["email"]))
            if known is None:
                scored = {**changes, "behaviour_score": FORM_POINTS}
                unseen = self.switches.form_invisible_seconds
                return self._create(scored, source=source, invisible_seconds=unseen), True
            score = known.values.get("behaviour_score", 0)
            points = score if isinstance(score, int) else 0
            state = known.values.get("state", "new")
            updates: dict[str, Value | None] = {
                # The stored spelling of the address is kept: the form only identifies the contact.
                **{name: value for name, value in changes.items() if name != "email"},
                **{name: _union(known, name, changes[name]) for name in keep if name in changes},
                "behaviour_score": max(points, min(points + FORM_POINTS, MAX_SCORE)),
                "state": "engaged" if state == "new" else state,
            }
            return self._write(known, updates, invisible_seconds=0), False

    def _create(self, changes: Changes, *, source: str, invisible_seconds: float) -> Contact:
        now = self._now()
        values: Values = {"behaviour_score": 0, "state": "new", "source": source}
        values |= {name: value for name, value in changes.items() if value is not None}
        contact = Contact(self._ids.next_id(), self._with_email_case(values), now, now)
        self._delay_visibility(contact.id, invisible_seconds)
        self._store.insert([contact])
        return contact

    def _as_stored(self, contact: Contact, changes: Changes, method: str) -> Changes:
        """Return the effect of a call of the API: nulls, lists, and what it does not name."""
        adds = self.switches.multi_list_write == "adds"
        ignored = self.switches.null_write == "ignored"
        changes = {
            name: _union(contact, name, value) if adds and isinstance(value, list) else value
            for name, value in changes.items()
            if value is not None or not ignored
        }
        if self.switches.unnamed_attributes == "kept" or method == "PATCH":
            return changes
        writable = {each.name for each in self.schema if not each.read_only and not each.mandatory}
        cleared = dict.fromkeys((contact.values.keys() & writable) - changes.keys())
        return {**cleared, **changes}

    def _write(self, contact: Contact, changes: Changes, *, invisible_seconds: float) -> Contact:
        values = self._with_email_case(_merged(contact.values, changes))
        if email_key(str(values["email"])) != email_key(contact.email):
            holder = self._store.by_email(str(values["email"]))
            if holder is not None:
                raise RefusedError(422, "email is already taken")
        changed = {name for name in changes if values.get(name) != contact.values.get(name)}
        if not changed and self.switches.unchanged_write == "keeps_updated_at":
            return contact
        updated_at = max(self._now(), contact.updated_at + 1)
        if (
            changed
            and changed <= BEHAVIOUR_ATTRIBUTES
            and self.switches.score_change != "moves_updated_at"
        ):
            updated_at = contact.updated_at
        self._delay_visibility(contact.id, invisible_seconds)
        written = Contact(contact.id, values, contact.created_at, updated_at)
        self._store.replace(written)
        return written

    def _delay_visibility(self, identity: str, invisible_seconds: float) -> None:
        """Keep the current version visible to readers; called before a change."""
        seconds = max(invisible_seconds, self.switches.read_lag_seconds)
        if seconds > 0:
            self._store.keep_previous_version(identity, self._now() + int(seconds * 1000))

    def _with_email_case(self, values: Values) -> Values:
        if self.switches.email_case == "lowered":
            return {**values, "email": str(values["email"]).lower()}
        return values

    def _now(self) -> int:
        return to_millis(self._clock.now())


def _merged(values: Values, changes: Changes) -> Values:
    merged: dict[str, Value | None] = {**values, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _union(contact: Contact, name: str, value: Value | None) -> Value | None:
    stored = contact.values.get(name, [])
    if not isinstance(stored, list) or not isinstance(value, list):
        return value
    union: list[str | int] = [*stored, *value]
    return list(dict.fromkeys(union))
