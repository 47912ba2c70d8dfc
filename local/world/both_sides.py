"""Both simulated systems as their users see them: the actions of users, and the stored records."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connector.clean_text import canonical_email
from connector.model import RecordKind
from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.plezi_tenant.errors import RefusedError as PleziRefusedError
from local.plezi_tenant.store import Contact, ContactQuery
from local.plezi_tenant.timestamps import format_millis
from local.salesforce_org import (
    SalesforceOrg,
    control_fields,
    lifecycle,
    seed_data,
    tooling,
)
from local.salesforce_org.automation import Automation
from local.salesforce_org.dml import SaveOptions, Writer
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.quota import Quota
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.sessions import Sessions
from local.salesforce_org.switches import Switches
from local.salesforce_org.transactions import Transactions

BUSINESS_OBJECTS: Final = ("Lead", "Contact", "Account", "Opportunity", "LoginHistory")
MAX_CONTACTS: Final = 1000
"""More contacts than a history has: one page holds all of them."""
REFUSED_ACTION_ERRORS: Final = (RefusedError, PleziRefusedError)
"""The errors of an action that a system refuses; a history continues without the action."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as its system stores it, which may differ from what its API returns.

    `stamp` is `updated_at` in the format of Plezi's API; comparisons ignore it.
    """

    kind: RecordKind
    id: str
    email: str
    values: Mapping[str, Any]
    converted: bool = False
    deleted: bool = False
    stamp: str = field(default="", compare=False)


class BothSides:
    """One org and one tenant, emptied between histories, because creating an org takes 30 ms."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.org = SalesforceOrg(self.clock, seed=1)
        self.tenant = PleziTenant(self.clock, seed=1)
        self._first_ids = copy.deepcopy(self.org.state.ids)
        self._random_state = self.org.state.rng.getstate()
        self._first_users = copy.deepcopy(self.org.state.users)
        self._fields_changed = False

    def reset(self) -> None:
        """Restore the initial state; the next ids and random numbers are the same again."""
        if self._fields_changed:
            self.org.reset()
            self._fields_changed = False
        state = self.org.state
        for name in BUSINESS_OBJECTS:
            state.store.run(f'DELETE FROM "{name}"')  # noqa: S608  # constants of this module
        state.ids = copy.deepcopy(self._first_ids)
        state.queries._ids = state.ids  # noqa: SLF001  # the org shares one source of ids
        state.rng.setstate(self._random_state)
        state.sessions = Sessions(state.rng)
        state.quota = Quota()
        state.transactions = Transactions()
        state.automation = Automation()
        for name, user in copy.deepcopy(self._first_users).items():
            attributes = {key: getattr(user, key) for key in user.__dataclass_fields__}
            for key, value in attributes.items():
                setattr(state.users[name], key, value)
        state.switches.change(Switches().listing())
        state.deletions.clear()
        state.queries.expire()
        self.org.control.faults.clear()
        self.org.calls.mark()
        self.tenant.reset()

    # Actions of users

    def _writer(self, *, late: float = 0.0) -> Writer:
        self.org.state.transactions.apply_due(self.org.state.now())
        saving = SaveOptions(allow_duplicates=True, late_seconds=late)
        return Writer(self.org.state, self.org.sales_user, saving)

    def add(self, kind: RecordKind, values: Mapping[str, Any], *, late: float = 0.0) -> str:
        """Create a record; others see it after `late` seconds."""
        if kind is RecordKind.PLEZI_CONTACT:
            return self.tenant.contacts.create_as_user(dict(values)).id
        with self.org.state.store.savepoint():
            return self._writer(late=late).create(self.org.state.schema.get(kind.value), values)

    def edit(
        self, kind: RecordKind, record: str, values: Mapping[str, Any], *, late: float = 0.0
    ) -> None:
        """Change some fields of a record; others see the change after `late` seconds."""
        if kind is RecordKind.PLEZI_CONTACT:
            self.tenant.contacts.update(record, dict(values))
            return
        with self.org.state.store.savepoint():
            self._writer(late=late).update(self.org.state.schema.get(kind.value), record, values)

    def delete(self, kind: RecordKind, record: str) -> None:
        """Delete a record; a Lead goes to the recycle bin."""
        if kind is RecordKind.PLEZI_CONTACT:
            self.tenant.contacts.delete(record)
        else:
            self._writer().delete(self.org.state.schema.get(kind.value), record)

    def undelete(self, record: str) -> None:
        """Restore a Lead from the recycle bin."""
        kind = self.org.state.schema.get("Lead")
        lifecycle.undelete(self.org.state, self.org.sales_user, kind, record)

    def convert(self, record: str, contact: str = "") -> str:
        """Convert a Lead, into a Contact that exists or a new one; return the id of the Contact."""
        options = {"contactId": contact} if contact else {}
        result = lifecycle.convert(self.org.state, self.org.sales_user, record, options)
        return str(result["contactId"])

    def merge(self, winner: str, merged: str) -> None:
        """Merge a Lead into another one, the winner."""
        kind = self.org.state.schema.get("Lead")
        lifecycle.merge(self.org.state, self.org.sales_user, kind, winner, {"loser": merged})

    def submit(self, values: Mapping[str, Any]) -> str:
        """Submit a form in Plezi; return the id of the contact."""
        contact, _ = self.tenant.contacts.submit(dict(values), keep=frozenset(), source="direct")
        return contact.id

    # Actions of an administrator of Salesforce on fields

    def show_field(self, kind: RecordKind, name: str, *, visible: bool) -> None:
        """Show a field to the integration user, or hide it from that user."""
        self._fields_changed = True
        options = {"read": visible, "username": self.org.integration_user.username}
        control_fields.set_visibility(self.org.state, self._object(kind), name, options)

    def add_field(self, kind: RecordKind, name: str, metadata: Mapping[str, Any]) -> None:
        """Add a custom field that every user can see; `metadata` is as for the Tooling API."""
        self._fields_changed = True
        options = {"name": name, "Metadata": metadata}
        control_fields.add(self.org.state, self._object(kind), options)

    def retype_field(self, kind: RecordKind, name: str, **options: Any) -> None:  # noqa: ANN401  # as the control route
        """Change the type of a custom field; a value that the new type does not accept is lost."""
        self._fields_changed = True
        control_fields.change(self.org.state, self._object(kind), name, options)

    def rename_field(self, kind: RecordKind, name: str, new_name: str) -> None:
        """Change the API name of a custom field; its values and its visibility are kept."""
        self._fields_changed = True
        state, described = self.org.state, self._object(kind)
        field = replace(described.get(name), name=new_name)
        rows = state.store.select(described, f'"{name}" IS NOT NULL')
        control_fields.delete(state, described, name)
        tooling.add_field(state, described, field)
        seed_data.grant_to_profiles(state, described, field)
        for row in rows:
            state.store.update(described, row["rowid"], {new_name: row[name]})

    def has_field(self, kind: RecordKind, name: str) -> bool:
        """Return whether a kind of record has a field."""
        return self._object(kind).find(name) is not None

    def _object(self, kind: RecordKind) -> ObjectType:
        return self.org.state.schema.get(kind.value)

    # Stored records

    def stored_records(self) -> dict[str, StoredRecord]:
        """Return all stored records of both systems by id, with the deleted ones of Salesforce."""
        self.org.state.transactions.apply_due(self.org.state.now())
        contacts = self.tenant.contacts.current_page(ContactQuery(limit=MAX_CONTACTS))[0]
        records = [_contact_record(contact) for contact in contacts]
        for kind in (RecordKind.LEAD, RecordKind.CONTACT):
            rows = self.org.state.store.select(self.org.state.schema.get(kind.value), "1 = 1", ())
            records += [_salesforce_record(kind, row) for row in rows]
        return {record.id: record for record in records}

    def account_names(self) -> dict[str, str]:
        """Return the name of every account in Salesforce by its id."""
        account = self.org.state.schema.get("Account")
        rows = self.org.state.store.select(account, "1 = 1", ())
        return {row["Id"]: row["Name"] for row in rows}


def _contact_record(contact: Contact) -> StoredRecord:
    values = {**contact.values, "url": f"https://app.plezi.co/contacts/{contact.id}"}
    email, stamp = canonical_email(contact.email), format_millis(contact.updated_at)
    return StoredRecord(RecordKind.PLEZI_CONTACT, contact.id, email, values, stamp=stamp)


def _salesforce_record(kind: RecordKind, row: Mapping[str, Any]) -> StoredRecord:
    return StoredRecord(
        kind,
        row["Id"],
        canonical_email(row["Email"]),
        row,
        converted=bool(row.get("IsConverted")),
        deleted=bool(row["IsDeleted"]),
    )
