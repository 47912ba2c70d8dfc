"""Both simulated sides as people see them: what they type, and what is truly there."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.mapping import canonical_email
from connector.model import RecordKind
from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.plezi_tenant.errors import RefusedError as PleziRefusedError
from local.plezi_tenant.store import Contact, ContactQuery
from local.plezi_tenant.timestamps import format_millis
from local.salesforce_org import SalesforceOrg, lifecycle
from local.salesforce_org.automation import Automation
from local.salesforce_org.dml import SaveOptions, Writer
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.quota import Quota
from local.salesforce_org.sessions import Sessions
from local.salesforce_org.switches import Switches
from local.salesforce_org.transactions import Transactions

BUSINESS: Final = ("Lead", "Contact", "Account", "Opportunity", "LoginHistory")
MOST: Final = 1000
REFUSED_ACTION_ERRORS: Final = (RefusedError, PleziRefusedError)
"""The errors of an action that a system refuses; a history continues without the action."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as it really is: not what anybody was told.

    `stamp` is Plezi's `updated_at`, as its API spells it; two records are the same without it.
    """

    kind: RecordKind
    id: str
    email: str
    values: Mapping[str, Any]
    converted: bool = False
    deleted: bool = False
    stamp: str = field(default="", compare=False)


class BothSides:
    """One org and one tenant, emptied between histories (founding an org takes 30 ms)."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.org = SalesforceOrg(self.clock, seed=1)
        self.tenant = PleziTenant(self.clock, seed=1)
        self._mint = copy.deepcopy(self.org.state.ids)
        self._chance = self.org.state.rng.getstate()
        self._users = copy.deepcopy(self.org.state.users)

    def reset(self) -> None:
        """Go back to the first day, with the same ids to come."""
        state = self.org.state
        for name in BUSINESS:
            state.store.run(f'DELETE FROM "{name}"')  # noqa: S608  # names of this module
        state.ids = copy.deepcopy(self._mint)
        state.queries._ids = state.ids  # noqa: SLF001  # the org shares one mint
        state.rng.setstate(self._chance)
        state.sessions = Sessions(state.rng)
        state.quota = Quota()
        state.transactions = Transactions()
        state.automation = Automation()
        for name, user in copy.deepcopy(self._users).items():
            vars_of = {key: getattr(user, key) for key in user.__dataclass_fields__}
            for key, value in vars_of.items():
                setattr(state.users[name], key, value)
        state.switches.change(Switches().listing())
        state.deletions.clear()
        self.org.control.faults.clear()
        self.org.calls.mark()
        self.tenant.reset()

    # Salesforce, as a sales person

    def _writer(self, *, late: float = 0.0) -> Writer:
        self.org.state.transactions.apply_due(self.org.state.now())
        saving = SaveOptions(allow_duplicates=True, late_seconds=late)
        return Writer(self.org.state, self.org.sales_user, saving)

    def add(self, kind: RecordKind, values: Mapping[str, Any], *, late: float = 0.0) -> str:
        """Create a record; `late`: others see it only so many seconds later."""
        if kind is RecordKind.PLEZI_CONTACT:
            return self.tenant.contacts.create_as_user(dict(values)).id
        with self.org.state.store.savepoint():
            return self._writer(late=late).create(self.org.state.schema.get(kind.value), values)

    def edit(
        self, kind: RecordKind, record: str, values: Mapping[str, Any], *, late: float = 0.0
    ) -> None:
        """Change some fields of a record."""
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
        """Take a Lead out of the recycle bin."""
        kind = self.org.state.schema.get("Lead")
        lifecycle.undelete(self.org.state, self.org.sales_user, kind, record)

    def convert(self, record: str) -> str:
        """Convert a Lead; return the Contact that takes its place."""
        answer = lifecycle.convert(self.org.state, self.org.sales_user, record, {})
        return str(answer["contactId"])

    def merge(self, winner: str, loser: str) -> None:
        """Merge a Lead into another one."""
        kind = self.org.state.schema.get("Lead")
        lifecycle.merge(self.org.state, self.org.sales_user, kind, winner, {"loser": loser})

    def submit(self, values: Mapping[str, Any]) -> str:
        """Fill in a form in Plezi; return the contact."""
        contact, _ = self.tenant.contacts.submit(dict(values), keep=frozenset(), source="direct")
        return contact.id

    # The truth

    def stored_records(self) -> dict[str, StoredRecord]:
        """Return every record of both sides as it is, deleted ones of Salesforce included."""
        self.org.state.transactions.apply_due(self.org.state.now())
        found = [
            _contact(it) for it in self.tenant.contacts.current_page(ContactQuery(limit=MOST))[0]
        ]
        for kind in (RecordKind.LEAD, RecordKind.CONTACT):
            rows = self.org.state.store.select(self.org.state.schema.get(kind.value), "1 = 1", ())
            found += [_row(kind, row) for row in rows]
        return {it.id: it for it in found}


def _contact(it: Contact) -> StoredRecord:
    values = {**it.values, "url": f"https://app.plezi.co/contacts/{it.id}"}
    stamp = format_millis(it.updated_at)
    return StoredRecord(
        RecordKind.PLEZI_CONTACT, it.id, canonical_email(it.email), values, stamp=stamp
    )


def _row(kind: RecordKind, row: Mapping[str, Any]) -> StoredRecord:
    return StoredRecord(
        kind,
        row["Id"],
        canonical_email(row["Email"]),
        row,
        converted=bool(row.get("IsConverted")),
        deleted=bool(row["IsDeleted"]),
    )
