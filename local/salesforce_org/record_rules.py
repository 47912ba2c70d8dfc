"""Rules of a save that depend on other records, and the automation after a save."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from local.salesforce_org.coercion import coerce
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.ids import SHORT
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.security import OrgUser, SystemAccess, UserAccess
from local.salesforce_org.sharing import NONE
from local.salesforce_org.soql_ast import Condition, FieldPath, Query, Selected
from local.salesforce_org.soql_conditions import Conditions
from local.salesforce_org.soql_parser import parse_condition
from local.salesforce_org.soql_scope import Scope
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row
from local.salesforce_org.transactions import DeferredChange
from local.salesforce_org.values import stamp

Values = dict[str, Any]
UNKNOWN = "<unknown>"
"""The place of a name or an id that an error does not disclose."""


def same_value(field: Field, value: str) -> tuple[str, list[str]]:
    """Return the SQL condition `field equals value`, case-insensitive for most text fields."""
    if field.is_text and not field.case_sensitive and not value.isascii():
        return f'fold("{field.name}") = ?', [value.casefold()]
    return f'"{field.name}" = ?', [value]


def row_locked(record_id: str) -> RefusedError:
    """Return the error for a row that another transaction has locked (recorded form)."""
    message = "unable to obtain exclusive access to this record or 1 records: " + record_id[:SHORT]
    return RefusedError("UNABLE_TO_LOCK_ROW", message)


def no_access(record_id: str) -> RefusedError:
    """Return the error for a record that the user may not see (Salesforce Help, same title)."""
    message = f"insufficient access rights on cross-reference id: {record_id[:SHORT]}"
    return RefusedError("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message)


def check_unique(
    state: OrgState,
    kind: ObjectType,
    values: Values,
    record_id: str,
    access: UserAccess | SystemAccess,
) -> None:
    """Refuse a unique value of another record: live, converted, or not committed yet.

    Of a record that the user may not see, the message names neither the field nor the id (public
    reports).
    """
    for field in kind.fields.values():
        value = values.get(field.name)
        if not field.unique or value is None:
            continue
        condition, parameters = same_value(field, str(value))
        others = state.store.select(
            kind, f"{condition} AND IsDeleted = 0 AND Id <> ?", [*parameters, record_id]
        )
        if others or state.transactions.has_unique_value(field.name, str(value), record_id):
            is_hidden = bool(others) and access.level(kind, others[0]) == NONE
            name = UNKNOWN if is_hidden else field.name
            holder = others[0]["Id"][:SHORT] if others and not is_hidden else UNKNOWN
            message = f"duplicate value found: {name} duplicates value on record with id: {holder}"
            raise RefusedError("DUPLICATE_VALUE", message)


def check_assignment(state: OrgState, kind: ObjectType, values: Values) -> None:
    """Refuse a permission set that the user already has (recorded response)."""
    assignee, permission_set = values.get("AssigneeId"), values.get("PermissionSetId")
    if state.store.select(
        kind, "AssigneeId = ? AND PermissionSetId = ?", (assignee, permission_set)
    ):
        message = (  # two spaces after the full stop, as recorded
            f"Duplicate PermissionSetAssignment.  Assignee: {assignee};"
            f" Permission Set: {permission_set}"
        )
        raise RefusedError("DUPLICATE_VALUE", message, fields=["AssigneeId", "PermissionSetId"])


def check_references(
    state: OrgState, kind: ObjectType, values: Values, access: UserAccess | SystemAccess
) -> None:
    """Refuse a lookup to a missing or invisible record, a wrong object, or an inactive owner."""
    for field in kind.fields.values():
        value = values.get(field.name)
        if field.type != "reference" or value is None:
            continue
        target = state.schema.of_id(value)
        if target is None or target.name not in field.reference_to:
            message = f"{field.label}: id value of incorrect type: {value}"
            raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message, fields=[field.name])
        row = state.store.fetch(target, value)
        if row is None:
            raise RefusedError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if access.level(target, row) == NONE:
            raise no_access(value)
        if row["IsDeleted"]:
            raise RefusedError("ENTITY_IS_DELETED", "entity is deleted")
        if field.name == "OwnerId" and not row.get("IsActive", 1):
            message = (
                f"operation performed with inactive user [{value[:SHORT]}] as owner of"
                f" {kind.name.lower()}"
            )
            raise RefusedError("INACTIVE_OWNER_OR_USER", message)


def find_by_foreign_key(state: OrgState, lookup: Field, value: Mapping[str, Any]) -> str:
    """Return the id of the parent with an external id: `{"Username": "..."}`."""
    keys = {k: v for k, v in value.items() if k.lower() != "attributes"}
    name, key = next(iter(keys.items()), ("", None))
    for target in lookup.reference_to:
        parent = state.schema.find(target)
        field = parent.find(name) if parent else None
        if parent is None or field is None or not field.key:
            continue
        condition, parameters = same_value(field, str(key))
        matches = state.store.select(parent, f"{condition} AND IsDeleted = 0", parameters)
        if len(matches) == 1:
            return str(matches[0]["Id"])
    entity = lookup.reference_to[-1]
    message = (
        f"Foreign key external ID: {str(key).lower()} not found for field {name} in entity {entity}"
    )
    raise RefusedError("INVALID_FIELD", message)


def _compiled(state: OrgState, kind: ObjectType, text: str) -> tuple[Conditions, str]:
    condition: Condition = parse_condition(text)
    query = Query(text, kind.name, 0, [Selected(FieldPath(("Id",), 0))])
    conditions = Conditions(Scope(query, state.schema, SystemAccess()), state.now())
    return conditions, conditions.where(condition)


def _meets(state: OrgState, kind: ObjectType, text: str, record_id: str) -> bool:
    conditions, sql = _compiled(state, kind, text)
    return state.queries.matches(kind, conditions, sql, record_id)


def check_condition(state: OrgState, kind: ObjectType, text: str) -> None:
    """Refuse a condition that does not compile."""
    _compiled(state, kind, text)


def check_validations(state: OrgState, kind: ObjectType, row: Row) -> None:
    """Refuse a saved row that meets the condition of a validation rule (rolls back the save)."""
    for rule in state.automation.validations:
        if rule.object == kind.name and _meets(state, kind, rule.condition, row["Id"]):
            raise RefusedError(rule.code, rule.message, fields=[rule.field] if rule.field else [])


def assign(state: OrgState, kind: ObjectType, row: Row, user: OrgUser, *, ran: bool) -> None:
    """Run the active lead assignment rule, unless the call has `Sforce-Auto-Assign: FALSE`."""
    owner = state.user(state.switches.assignment_rule_owner or "")
    state.automation.assignments.append({"id": row["Id"], "ran": ran, "by": user.username})
    if ran and owner is not None:
        state.store.update_by_id(kind, row["Id"], {"OwnerId": owner.id})


def run_flows(state: OrgState, kind: ObjectType, record_id: str) -> None:
    """Run the flows of an object on a saved record, or schedule them."""
    for flow in state.automation.flows:
        if flow.object != kind.name:
            continue
        if flow.condition and not _meets(state, kind, flow.condition, record_id):
            continue
        values = {kind.get(k).name: coerce(kind.get(k), v) for k, v in flow.values.items()}
        if flow.seconds == 0:
            state.store.update_by_id(kind, record_id, values)
            continue
        now = state.now()
        due = now + timedelta(seconds=flow.seconds)
        due_stamp = stamp(due)

        def edit(values: Values = values, due_stamp: str = due_stamp) -> None:
            row = state.store.fetch(kind, record_id)
            if row is None or row["IsDeleted"]:
                return
            author = state.administrator().id
            now_stamp = max(due_stamp, row["SystemModstamp"])
            stamps = {
                "SystemModstamp": now_stamp, "LastModifiedDate": now_stamp,
                "LastModifiedById": author,
            }  # fmt: skip
            state.store.update(kind, row["rowid"], values | stamps)

        state.transactions.add(
            DeferredChange(kind.name, record_id, now, due, edit, is_transaction=False)
        )


def invalidate_access(state: OrgState) -> None:
    """Invalidate the cached access of all users: permissions may have changed."""
    state.security.invalidate()
