"""Duplicate rules by e-mail: they block a save, or alert unless the caller allows it."""

from __future__ import annotations

from typing import Any

from local.salesforce_org.errors import RefusedError
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.security import SystemAccess, UserAccess
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

COMPARED = {"Lead": ("Lead", "Contact"), "Contact": ("Contact",)}
"""The objects that the standard rule of an object compares with: the rule of leads finds contacts
too (Salesforce Help, "Standard Duplicate Rules")."""


def check(  # the options of a save, each by its name
    state: OrgState,
    kind: ObjectType,
    row: Row,
    *,
    access: UserAccess | SystemAccess,
    allow: bool,
    version: str,
) -> None:
    """Refuse a row with the e-mail of other records, if the object's rule is on.

    The standard rules enforce sharing: records that the user does not see are not compared. Nor is
    an e-mail with probabilistic encryption. The error has no `fields` member beside the details,
    and the addresses have the version that was called (recorded from a real org).
    """
    rule = state.automation.duplicates.get(kind.name)
    email = row.get("Email")
    if rule is None or rule.action == "off" or not email or (rule.action == "alert" and allow):
        return
    results = []
    for name in COMPARED[kind.name]:
        found = _duplicates(state, state.schema.get(name), row, access)
        if found:
            results.append(_match_result(name, found, version))
    if not results:
        return
    message = "Use one of these records?"
    details = {
        "allowSave": rule.action == "alert",
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": kind.name,
        "errorMessage": message,
        "matchResults": results,
    }
    raise RefusedError(
        "DUPLICATES_DETECTED", message, fields=None, extra={"duplicateResut": details}
    )


def _duplicates(
    state: OrgState, kind: ObjectType, row: Row, access: UserAccess | SystemAccess
) -> list[str]:
    """Return the ids of the visible records with the e-mail of a row."""
    if not kind.get("Email").filterable or not access.can_see(kind):
        return []
    condition = "Email = ? AND IsDeleted = 0 AND Id <> ?"
    condition += " AND IsConverted = 0" if kind.name == "Lead" else ""
    if visible := access.visible_rows(kind, f'"{kind.name}"'):
        condition += f" AND {visible}"
    found = state.store.select(kind, condition, (row["Email"], row["Id"]))
    return [str(each["Id"]) for each in found]


def _match_result(name: str, ids: list[str], version: str) -> dict[str, Any]:
    """Return the matches in one object, under the misspelt key of a single call (recorded)."""
    base = f"/services/data/v{version}/sobjects/{name}/"
    return {
        "entityType": name,
        "errors": [],
        "matchEngine": "ExactMatchEngine",
        "matchRecords": [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": name, "url": base + each}, "Id": each},
            }
            for each in ids
        ],
        "rule": f"Standard_{name}_Match_Rule_v1_0",
        "size": len(ids),
        "success": True,
    }
