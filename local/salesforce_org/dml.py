"""Saves of records: all checks between the caller's values and the row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.salesforce_org import (
    addresses,
    duplicate_rules,
    person_accounts,
    record_rules,
    record_types,
)
from local.salesforce_org.coercion import coerce
from local.salesforce_org.errors import NOT_FOUND, RefusedError, not_found
from local.salesforce_org.ids import full_id
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.security import OrgUser, SystemAccess, UserAccess
from local.salesforce_org.sharing import EDIT, NONE
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row
from local.salesforce_org.transactions import DeferredChange

Values = dict[str, Any]
READ_ONLY_HINT = (
    "Please check the security settings of this field and verify that it is read/write for your"
    " profile or permission set."
)


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """The options of a save, from the headers of a call or from a control call."""

    allow_duplicates: bool = False
    assignment: bool = True
    version: str = "64.0"  # of the API that was called: addresses in errors contain it
    late_seconds: float = 0  # delay of the commit
    touch: str = "both"  # stamps to update: both, system (only SystemModstamp), none
    as_system: bool = False  # write as the org: no field-level security, read-only fields too


class Writer:
    """Saves records in the name of one user."""

    def __init__(self, state: OrgState, user: OrgUser, options: SaveOptions) -> None:
        self.state = state
        self.user = user
        self.options = options
        self._access: UserAccess | SystemAccess = (
            SystemAccess() if options.as_system else state.security.access_of(user)
        )

    def create(self, kind: ObjectType, body: Mapping[str, Any]) -> str:
        """Save a new record and return its id.

        Raises:
            RefusedError: when a rule of the org refuses the record.
        """
        if not kind.createable and not self.options.as_system:
            raise _insufficient_access()
        if not self._access.can_create(kind):
            raise _forbidden_operation(kind, "inserted")
        values = self._completed(kind, {}, self._read(kind, body, new=True))
        defaults = _defaults(kind, self.user)
        values = _with_default_choices(kind, values, defaults)
        row = self.state.system_row(kind, self.user.id) | defaults
        row |= record_types.default_of(self.state, kind)
        row |= values | self._numbers(kind)
        missing = [f.name for f in kind.fields.values() if f.required and row.get(f.name) is None]
        missing += [
            f.name
            for f in kind.fields.values()
            if f.name in values and values[f.name] is None and not f.nillable and f.defaulted
        ]
        if missing:
            raise _required_fields_missing(missing)
        record_types.check(self.state, kind, row, values)
        record_rules.check_references(self.state, kind, values, self._access)
        record_rules.check_unique(self.state, kind, values, str(row["Id"]), self._access)
        if kind.name == "PermissionSetAssignment":
            record_rules.check_assignment(self.state, kind, values)
        self._check_duplicates(kind, row)
        if self.options.late_seconds > 0:
            self._defer(kind, row, values, lambda: self._insert(kind, row))
            return str(row["Id"])
        with self.state.store.savepoint():
            self._insert(kind, row)
            record_rules.check_validations(self.state, kind, row)
        return str(row["Id"])

    def _completed(self, kind: ObjectType, before: Row, values: Values) -> Values:
        """Return the values of a save with those that features of the org derive from them."""
        values = addresses.completed(self.state, kind, before, values)
        return person_accounts.completed(self.state, kind, before, values)

    def _numbers(self, kind: ObjectType) -> Values:
        """Return the next auto-numbers: as many as there were records, deleted ones included."""
        formats = {f.name: f.auto_number for f in kind.fields.values() if f.auto_number}
        number = self.state.store.count(kind, "TRUE") + 1 if formats else 0
        return {name: display_number(text, number) for name, text in formats.items()}

    def update(self, kind: ObjectType, record_id: str, body: Mapping[str, Any]) -> None:
        """Update a record.

        Raises:
            RefusedError: when a rule of the org refuses the change.
        """
        row = self.find(kind, record_id)
        if not kind.updateable and not self.options.as_system:
            raise _insufficient_access()
        if not self._access.can_update(kind):
            raise _forbidden_operation(kind, "updated")
        self._check_editable(kind, row)
        if not self.options.as_system:
            person_accounts.check_contact(kind, row)
        values = self._completed(kind, row, self._read(kind, body, new=False))
        record_types.check(self.state, kind, row | values, values)
        self._check_lock(row)
        if row.get("IsConverted") and not (
            self.options.as_system or self.user.edit_converted_leads
        ):
            raise RefusedError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        cleared = [
            f.name
            for f in kind.fields.values()
            if f.name in values and values[f.name] is None and not f.nillable
        ]
        if cleared:
            raise _required_fields_missing(cleared)
        record_rules.check_references(self.state, kind, values, self._access)
        record_rules.check_unique(self.state, kind, values, str(row["Id"]), self._access)
        if "Email" in values and values["Email"] != row.get("Email"):
            self._check_duplicates(kind, row | values)
        changes = values | self._stamps(row)
        if self.options.late_seconds > 0:
            self._defer(kind, row, values, lambda: self._change(kind, row, changes))
            return
        with self.state.store.savepoint():
            self._change(kind, row, changes)
            record_rules.check_validations(self.state, kind, row | changes)

    def delete(self, kind: ObjectType, record_id: str) -> None:
        """Move a business record to the recycle bin; delete a setup record immediately."""
        row = self.find(kind, record_id)
        if not kind.createable and not self.options.as_system:
            raise _insufficient_access()
        if not self._access.can_delete(kind):
            raise _insufficient_access()
        self._check_editable(kind, row)
        self._check_lock(row)
        if not kind.business:
            self.state.store.erase(kind, row["rowid"])
            record_rules.invalidate_access(self.state)
            return
        changes: Values = {"IsDeleted": 1} | self._stamps(row)
        self.state.store.update(kind, row["rowid"], changes)
        self.state.deletions.append((kind.name, row["Id"], changes["SystemModstamp"]))

    def find(self, kind: ObjectType, record_id: str) -> Row:
        """Return the row with an id of 15 or 18 characters; a deleted row is refused.

        So is a row that the user may not see, whatever its state (Salesforce Help,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY").
        """
        full = full_id(record_id)
        if full is None or full[:3] != kind.prefix:
            message = f"{kind.label} ID: id value of incorrect type: {record_id}"
            raise RefusedError("MALFORMED_ID", message, fields=["Id"])
        row = self.state.store.fetch(kind, full)
        if row is None:
            raise not_found()
        if self._access.level(kind, row) == NONE:
            raise record_rules.no_access(row["Id"])
        if row["IsDeleted"]:
            raise RefusedError("ENTITY_IS_DELETED", "entity is deleted", status=NOT_FOUND)
        return row

    def _check_editable(self, kind: ObjectType, row: Row) -> None:
        if self._access.level(kind, row) != EDIT:
            raise _insufficient_access()

    def _check_duplicates(self, kind: ObjectType, row: Row) -> None:
        """Apply the duplicate rule of the object, to the records that the user sees."""
        duplicate_rules.check(
            self.state,
            kind,
            row,
            access=self._access,
            allow=self.options.allow_duplicates,
            version=self.options.version,
        )

    def _read(self, kind: ObjectType, body: Mapping[str, Any], *, new: bool) -> Values:
        """Return the coerced values of a body by API name; refuse fields that cannot be written."""
        values: Values = {}
        forbidden: list[str] = []
        for name, value in body.items():
            if name.lower() == "attributes":
                continue
            field = kind.find(name)
            if field is None or not self._access.can_read(kind, field):
                if isinstance(value, dict) and (lookup := kind.relation(name)):
                    values[lookup.name] = record_rules.find_by_foreign_key(
                        self.state, lookup, value
                    )
                    continue
                raise no_such_column(kind, name)
            if not self._writable(kind, field, new=new):
                forbidden.append(field.name)
                continue
            values[field.name] = coerce(field, value)
        if forbidden:
            names = ", ".join(forbidden)
            message = f"Unable to create/update fields: {names}. {READ_ONLY_HINT}"
            raise RefusedError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=forbidden)
        return values

    def _writable(self, kind: ObjectType, field: Field, *, new: bool) -> bool:
        if self.options.as_system:
            return not field.is_compound and not field.sql and field.name != "Id"
        allowed = field.createable if new else field.updateable
        return allowed and self._access.can_edit(kind, field)

    def _stamps(self, row: Row) -> Values:
        """Return the stamps of a change: whole seconds, never earlier than the row's last stamp."""
        if self.options.touch == "none":
            return {}
        now = max(self.state.stamp(), str(row["SystemModstamp"]))
        if self.options.touch == "system":
            return {"SystemModstamp": now}
        return {
            "LastModifiedDate": now,
            "LastModifiedById": self.user.id,
            "SystemModstamp": now,
        }

    def _check_lock(self, row: Row) -> None:
        if self.state.transactions.is_locked(row["Id"]):
            raise record_rules.row_locked(row["Id"])

    def _defer(self, kind: ObjectType, row: Row, values: Values, apply: Any) -> None:  # noqa: ANN401  # a function
        now = self.state.now()
        unique = {f.name for f in kind.fields.values() if f.unique}
        unique_values = {
            (name, str(value).casefold())
            for name, value in values.items()
            if name in unique and value is not None
        }
        due = now + timedelta(seconds=self.options.late_seconds)
        self.state.transactions.add(
            DeferredChange(
                kind.name,
                row["Id"],
                now,
                due,
                apply,
                is_transaction=True,
                unique_values=frozenset(unique_values),
            )
        )

    def _insert(self, kind: ObjectType, row: Values) -> None:
        self.state.store.insert(kind, row)
        self._after(kind, row)

    def _change(self, kind: ObjectType, row: Row, changes: Values) -> None:
        if changes:
            self.state.store.update(kind, row["rowid"], changes)
        self._after(kind, row | changes)

    def _after(self, kind: ObjectType, row: Values) -> None:
        if not kind.business:
            record_rules.invalidate_access(self.state)
            return
        if self.options.as_system and self.options.touch != "both":
            return
        person_accounts.save_contact(self.state, kind, row)
        if kind.name == "Lead":
            record_rules.assign(self.state, kind, row, self.user, ran=self.options.assignment)
        record_rules.run_flows(self.state, kind, str(row["Id"]))


def display_number(display_format: str, number: int) -> str:
    """Return a number in a display format: the zeros in braces are its least digits."""
    before, _, rest = display_format.partition("{")
    zeros, _, after = rest.partition("}")
    return f"{before}{number:0{len(zeros)}}{after}"


def no_such_column(kind: ObjectType, name: str) -> RefusedError:
    """Return the error for an unknown or invisible field in a body (recorded response)."""
    message = f"No such column '{name}' on sobject of type {kind.name}"
    return RefusedError("INVALID_FIELD", message, fields=None)


def _required_fields_missing(names: list[str]) -> RefusedError:
    message = f"Required fields are missing: [{', '.join(names)}]"
    return RefusedError("REQUIRED_FIELD_MISSING", message, fields=names)


def _forbidden_operation(kind: ObjectType, operation: str) -> RefusedError:
    """Return the error of a user without the object permission (asserted by a client's tests)."""
    message = f"entity type cannot be {operation}: {kind.label}"
    return RefusedError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)


def _insufficient_access() -> RefusedError:
    return RefusedError(
        "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"
    )


def _with_default_choices(kind: ObjectType, values: Values, defaults: Values) -> Values:
    """Return the values of a new record, with the default of an empty required picklist.

    Asserted by a client's live tests for Lead.Status.
    """
    return {
        name: defaults[name]
        if value is None and kind.get(name).type == "picklist" and not kind.get(name).nillable
        else value
        for name, value in values.items()
    }


def _defaults(kind: ObjectType, user: OrgUser) -> Values:
    row: Values = {}
    for field in kind.fields.values():
        if field.type == "boolean" and field.name != "IsDeleted":
            row[field.name] = int(bool(field.default))
        elif field.name == "OwnerId":
            row["OwnerId"] = user.id
        elif field.default is not None:
            row[field.name] = field.default
    if kind.name == "Lead":
        row["IsUnreadByOwner"] = 1
    return row
