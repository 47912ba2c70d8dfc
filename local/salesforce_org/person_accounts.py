"""Person accounts: an account that is a person, with its own contact.

An account is a person if it has a last name. Its name consists of first and last name and cannot be
written; its contact has the same values (Salesforce Help, "Person Accounts"; SOAP API Developer
Guide, "Account", "Person Account Record Types").
"""

from __future__ import annotations

from typing import Any

from local.salesforce_org.errors import RefusedError
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

Values = dict[str, Any]
OF_CONTACT = {"FirstName": "FirstName", "LastName": "LastName", "PersonEmail": "Email"}
"""The fields of an account and those of its contact."""
HINT = (
    "Please check the security settings of this field and verify that it is read/write for your"
    " profile or permission set."
)


def completed(state: OrgState, kind: ObjectType, before: Row, values: Values) -> Values:
    """Return the values of a save of an account, with the name of a person account.

    Raises:
        RefusedError: for a name of a person account in the values.
    """
    if kind.name != "Account" or "person_accounts" not in state.features:
        return values
    row = {**before, **values}
    if row.get("LastName") is None:
        return values
    if "Name" in values:
        message = f"Unable to create/update fields: Name. {HINT}"
        raise RefusedError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=["Name"])
    name = " ".join(str(row[part]) for part in ("FirstName", "LastName") if row.get(part))
    return {**values, "Name": name, "IsPersonAccount": 1}


def save_contact(state: OrgState, kind: ObjectType, row: Row) -> None:
    """Create or change the contact of a person account that was saved."""
    if kind.name != "Account" or not row.get("IsPersonAccount"):
        return
    contacts = state.schema.get("Contact")
    values = {to: row.get(name) for name, to in OF_CONTACT.items()}
    stamps = {
        name: row[name] for name in ("SystemModstamp", "LastModifiedDate", "LastModifiedById")
    }
    if row.get("PersonContactId"):
        state.store.update_by_id(contacts, str(row["PersonContactId"]), values | stamps)
        return
    flags = {
        each.name: int(bool(each.default)) for each in contacts.columns() if each.type == "boolean"
    }
    person = state.system_row(contacts, str(row["OwnerId"])) | flags | values | stamps
    person |= {"AccountId": row["Id"], "OwnerId": row["OwnerId"], "IsPersonAccount": 1}
    if contacts.find("CurrencyIsoCode"):
        person["CurrencyIsoCode"] = row["CurrencyIsoCode"]
    state.store.insert(contacts, person)
    state.store.update_by_id(kind, str(row["Id"]), {"PersonContactId": person["Id"]})


def check_contact(kind: ObjectType, row: Row) -> None:
    """Refuse a change of the contact of a person account: the account is changed instead.

    The code is assumed.
    """
    if kind.name == "Contact" and row.get("IsPersonAccount"):
        message = "Cannot update the contact of a person account: update the account"
        raise RefusedError("INSUFFICIENT_ACCESS_OR_READONLY", message)
