"""User actions on records outside the API: convert, merge, undelete, empty the recycle bin."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import BadRequest

from local.salesforce_org.dml import SaveOptions, Writer
from local.salesforce_org.errors import not_found
from local.salesforce_org.ids import full_id
from local.salesforce_org.record_rules import check_unique
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.security import OrgUser, SystemAccess
from local.salesforce_org.standard_objects import CONVERTED_STATUS, LEAD_STATUSES
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

SYSTEM_SAVE = SaveOptions(as_system=True, assignment=False, allow_duplicates=True)
COPIED_FIELDS = (
    "FirstName", "LastName", "Salutation", "Title", "Email", "Phone", "MobilePhone", "Fax",
    "Description", "LeadSource",
)  # fmt: skip
MAX_MERGED_RECORDS = 2  # a merge takes up to three records


def convert(
    state: OrgState, user: OrgUser, lead_id: str, options: dict[str, Any]
) -> dict[str, Any]:
    """Convert a lead to an account, a contact and, on request, an opportunity."""
    kind = state.schema.get("Lead")
    writer = Writer(state, user, SYSTEM_SAVE)
    lead = writer.find(kind, lead_id)
    if lead["IsConverted"]:
        raise BadRequest("the lead is already converted")
    status = options.get("convertedStatus", CONVERTED_STATUS)
    if status not in LEAD_STATUSES:
        raise BadRequest(f"convertedStatus {status!r} is not a lead status")
    with state.store.savepoint():
        account = options.get("accountId") or writer.create(
            state.schema.get("Account"), {"Name": lead["Company"]}
        )
        if contact := options.get("contactId"):
            _fill_blanks(writer, state.schema.get("Contact"), str(contact), lead)
        else:
            contact = _contact_of(state, writer, lead, str(account))
        opportunity = (
            _opportunity_of(state, writer, lead, account)
            if options.get("createOpportunity")
            else None
        )
        writer.update(
            kind,
            lead["Id"],
            {
                "Status": status,
                "IsConverted": True,
                "ConvertedDate": state.now().date().isoformat(),
                "ConvertedAccountId": account,
                "ConvertedContactId": contact,
                "ConvertedOpportunityId": opportunity,
                "IsUnreadByOwner": False,
            },
        )
    return {
        "accountId": account,
        "contactId": contact,
        "leadId": lead["Id"],
        "opportunityId": opportunity,
        "success": True,
    }


def merge(
    state: OrgState, user: OrgUser, kind: ObjectType, winner_id: str, options: dict[str, Any]
) -> dict[str, Any]:
    """Merge one or two records into a winner: they are deleted and refer to the winner."""
    loser = options.get("loser")
    losers = loser if isinstance(loser, list) else [loser]
    ids = [record_id for record_id in losers if isinstance(record_id, str)]
    if len(ids) < len(losers) or not 1 <= len(ids) <= MAX_MERGED_RECORDS:
        raise BadRequest("give 'loser': an id, or a list of two")
    writer = Writer(state, user, SYSTEM_SAVE)
    winner = writer.find(kind, winner_id)
    rows = [writer.find(kind, record_id) for record_id in ids]
    if any(row["Id"] == winner["Id"] for row in rows):
        raise BadRequest("a record cannot be merged into itself")
    with state.store.savepoint():
        for row in rows:
            _delete_merged(state, writer, kind, row, winner["Id"])
        writer.update(kind, winner["Id"], dict(options.get("values", {})))
    return {"id": winner["Id"], "mergedRecordIds": [row["Id"] for row in rows], "success": True}


def undelete(state: OrgState, user: OrgUser, kind: ObjectType, record_id: str) -> dict[str, Any]:
    """Restore a record from the recycle bin."""
    row = _deleted_row(state, kind, record_id)
    check_unique(state, kind, row, row["Id"], SystemAccess())
    now = max(state.stamp(), str(row["SystemModstamp"]))
    changes: dict[str, Any] = {
        "IsDeleted": 0,
        "SystemModstamp": now,
        "LastModifiedDate": now,
        "LastModifiedById": user.id,
    }
    if kind.find("MasterRecordId"):
        changes["MasterRecordId"] = None
    state.store.update(kind, row["rowid"], changes)
    state.deletions[:] = [d for d in state.deletions if d[1] != row["Id"]]
    return {"id": row["Id"], "success": True}


def erase(state: OrgState, kind: ObjectType, record_id: str) -> dict[str, Any]:
    """Remove one record from the recycle bin; `queryAll` does not return it any more."""
    row = _deleted_row(state, kind, record_id)
    state.store.erase(kind, row["rowid"])
    return {"id": row["Id"], "success": True}


def _delete_merged(
    state: OrgState, writer: Writer, kind: ObjectType, row: Row, winner_id: str
) -> None:
    if kind.name == "Account":
        contacts = state.schema.get("Contact")
        for child in state.store.select(contacts, "AccountId = ? AND IsDeleted = 0", (row["Id"],)):
            writer.update(contacts, child["Id"], {"AccountId": winner_id})
    writer.delete(kind, row["Id"])
    state.store.update(kind, row["rowid"], {"MasterRecordId": winner_id})


def _contact_of(state: OrgState, writer: Writer, lead: Row, account: str) -> str:
    values = {name: lead[name] for name in COPIED_FIELDS if lead.get(name) is not None}
    for part in ("Street", "City", "State", "PostalCode", "Country"):
        if lead.get(part) is not None:
            values["Mailing" + part] = lead[part]
    return writer.create(state.schema.get("Contact"), {**values, "AccountId": account})


def _fill_blanks(writer: Writer, contacts: ObjectType, contact_id: str, lead: Row) -> None:
    """Fill the blank fields of a contact that exists with those of a lead that becomes it.

    A checkbox is never blank: it stays as it is in the contact (Salesforce Help, "Considerations
    for Converting Leads": data of the lead is inserted into blank fields only).
    """
    contact = writer.find(contacts, contact_id)
    values = {
        name: lead[name]
        for name in COPIED_FIELDS
        if lead.get(name) is not None and contact.get(name) is None
    }
    if values:
        writer.update(contacts, contact["Id"], values)


def _opportunity_of(state: OrgState, writer: Writer, lead: Row, account: object) -> str:
    return writer.create(
        state.schema.get("Opportunity"),
        {
            "Name": f"{lead['Company']}-",
            "StageName": "Prospecting",
            "CloseDate": state.now().date().isoformat(),
            "AccountId": account,
        },
    )


def _deleted_row(state: OrgState, kind: ObjectType, record_id: str) -> Row:
    row = state.store.fetch(kind, full_id(record_id) or "")
    if row is None or not row["IsDeleted"]:
        raise not_found()
    return row
