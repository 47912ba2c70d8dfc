"""The rules a save must pass that look beyond its own values, and what runs after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from local.salesforce_org.coercion import coerce
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.ids import SHORT
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.security import OrgUser, SystemAccess
from local.salesforce_org.soql_ast import Condition, FieldPath, Query, Selected
from local.salesforce_org.soql_conditions import Conditions
from local.salesforce_org.soql_parser import parse_condition
from local.salesforce_org.soql_scope import Scope
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row
from local.salesforce_org.transactions import DeferredChange
from local.salesforce_org.values import stamp

Values = dict[str, Any]


def same_value(field: Field, value: str) -> tuple[str, list[str]]:
    """Return the SQL condition `field equals value`, without case unless the field minds it."""
    if field.is_text and not field.case_sensitive and not value.isascii():
        return f'fold("{field.name}") = ?', [value.casefold()]
    return f'"{field.name}" = ?', [value]


def row_locked(record_id: str) -> RefusedError:
    """Return the refusal of a row that another transaction holds (recorded form, 15 characters)."""
    message = "unable to obtain exclusive access to this record or 1 records: " + record_id[:SHORT]
    return RefusedError("UNABLE_TO_LOCK_ROW", message)


def check_unique(state: OrgState, kind: ObjectType, values: Values, record_id: str) -> None:
    """Refuse a unique value that another record holds: live, converted, or not committed yet."""
    for field in kind.fields.values():
        value = values.get(field.name)
        if not field.unique or value is None:
            continue
        condition, parameters = same_value(field, str(value))
        others = state.store.select(
            kind, f"{condition} AND IsDeleted = 0 AND Id <> ?", [*parameters, record_id]
        )
        if others or state.transactions.has_unique_value(field.name, str(value), record_id):
            holder = others[0]["Id"][:SHORT] if others else "<unknown>"
            message = (
                f"duplicate value found: {field.name} duplicates value on record with id: {holder}"
            )
            raise RefusedError("DUPLICATE_VALUE", message)


def check_assignment(state: OrgState, kind: ObjectType, values: Values) -> None:
    """Refuse a permission set that its user has already (recorded answer)."""
    assignee, granted = values.get("AssigneeId"), values.get("PermissionSetId")
    if state.store.select(kind, "AssigneeId = ? AND PermissionSetId = ?", (assignee, granted)):
        message = (  # two blanks after the full stop, as recorded
            f"Duplicate PermissionSetAssignment.  Assignee: {assignee}; Permission Set: {granted}"
        )
        raise RefusedError("DUPLICATE_VALUE", message, fields=["AssigneeId", "PermissionSetId"])


def check_references(state: OrgState, kind: ObjectType, values: Values) -> None:
    """Refuse a lookup that leads to nothing, to another kind of record, or to a dead owner."""
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
        if row["IsDeleted"]:
            raise RefusedError("ENTITY_IS_DELETED", "entity is deleted")
        if field.name == "OwnerId" and not row.get("IsActive", 1):
            message = (
                f"operation performed with inactive user [{value[:SHORT]}] as owner of"
                f" {kind.name.lower()}"
            )
            raise RefusedError("INACTIVE_OWNER_OR_USER", message)


def check_duplicates(
    state: OrgState,
    kind: ObjectType,
    row: Row,
    allow_duplicates: bool,  # noqa: FBT001  # a header's value
) -> None:
    """Apply the duplicate rule by e-mail: blocks, or alerts unless the caller allows the save."""
    rule = state.automation.duplicates.get(kind.name)
    email = row.get("Email")
    if rule is None or rule.action == "off" or not email:
        return
    if rule.action == "alert" and allow_duplicates:
        return
    unconverted = " AND IsConverted = 0" if kind.name == "Lead" else ""
    found = state.store.select(
        kind, f"Email = ? AND IsDeleted = 0 AND Id <> ?{unconverted}", (email, row["Id"])
    )
    if found:
        details = _duplicate_details(kind, rule.name, [r["Id"] for r in found])
        details["allowSave"] = rule.action == "alert"
        message = details["errorMessage"]
        raise RefusedError("DUPLICATES_DETECTED", message, extra={"duplicateResut": details})


def _duplicate_details(kind: ObjectType, rule: str, ids: list[str]) -> dict[str, Any]:
    """Return the object that a single call carries under a misspelt key (third-party fixtures)."""
    records = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {
                "attributes": {
                    "type": kind.name,
                    "url": f"/services/data/v59.0/sobjects/{kind.name}/{record_id}",
                },
                "Id": record_id,
            },
        }
        for record_id in ids
    ]
    return {
        "allowSave": False,
        "duplicateRule": rule,
        "duplicateRuleEntityType": kind.name,
        "errorMessage": "Use one of these records?",
        "matchResults": [
            {
                "entityType": kind.name,
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": records,
                "rule": f"Standard_{kind.name}_Match_Rule_v1_0",
                "size": len(records),
                "success": True,
            }
        ],
    }


def find_by_foreign_key(state: OrgState, lookup: Field, value: Mapping[str, Any]) -> str:
    """Return the id of the parent named by one of its external ids: `{"Username": "..."}`."""
    given = {k: v for k, v in value.items() if k.lower() != "attributes"}
    name, wanted = next(iter(given.items()), ("", None))
    for target in lookup.reference_to:
        parent = state.schema.find(target)
        field = parent.find(name) if parent else None
        if parent is None or field is None or not field.key:
            continue
        condition, parameters = same_value(field, str(wanted))
        found = state.store.select(parent, f"{condition} AND IsDeleted = 0", parameters)
        if len(found) == 1:
            return str(found[0]["Id"])
    entity = lookup.reference_to[-1]
    message = (
        f"Foreign key external ID: {str(wanted).lower()} not found for field {name}"
        f" in entity {entity}"
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
    """Refuse a condition that cannot be compiled."""
    _compiled(state, kind, text)


def check_validations(state: OrgState, kind: ObjectType, row: Row) -> None:
    """Refuse a saved row that meets the condition of a validation rule (the save is undone)."""
    for rule in state.automation.validations:
        if rule.object == kind.name and _meets(state, kind, rule.condition, row["Id"]):
            raise RefusedError(rule.code, rule.message, fields=[rule.field] if rule.field else [])


def assign(state: OrgState, kind: ObjectType, row: Row, user: OrgUser, *, ran: bool) -> None:
    """Run the active lead assignment rule, unless `Sforce-Auto-Assign: FALSE` said no."""
    owner = state.user(state.switches.assignment_rule_owner or "")
    state.automation.assignments.append({"id": row["Id"], "ran": ran, "by": user.username})
    if ran and owner is not None:
        state.store.update_by_id(kind, row["Id"], {"OwnerId": owner.id})


def run_flows(state: OrgState, kind: ObjectType, record_id: str) -> None:
    """Run the flows of an object on a record that was just saved, or plan them for later."""
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
        moment = stamp(due)

        def edit(values: Values = values, moment: str = moment) -> None:
            row = state.store.fetch(kind, record_id)
            if row is None or row["IsDeleted"]:
                return
            author = state.administrator().id
            moved = max(moment, row["SystemModstamp"])
            stamps = {
                "SystemModstamp": moved, "LastModifiedDate": moved, "LastModifiedById": author,
            }  # fmt: skip
            state.store.update(kind, row["rowid"], values | stamps)

        state.transactions.add(
            DeferredChange(kind.name, record_id, now, due, edit, is_transaction=False)
        )


def setup_changed(state: OrgState) -> None:
    """Note that permissions may have changed."""
    state.security.invalidate()
