"""Queries about single records for an admin: by name, and who changed them last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connector.errors import RetryError, StopReason
from connector.model import LastChange, LeadOwner, NamedRecord, RecordKind
from connector.salesforce.answers import is_record_id, read_query_page
from connector.salesforce.connection import Connection
from connector.salesforce.library import format_soql
from connector.salesforce.lookup_queries import lookup_queries

KINDS: Final = (RecordKind.LEAD, RecordKind.CONTACT)
BY_NAME: Final = "SELECT Id, Name, Email FROM {} WHERE Name LIKE '%{:like}%' ORDER BY Name LIMIT {}"
LAST_CHANGE: Final = "SELECT Id, LastModifiedDate, LastModifiedBy.Name FROM {}"

OWNER: Final = "SELECT Id, CreatedDate, OwnerId, Owner.Name FROM Lead"
USER_PREFIX: Final = "005"
"""The first characters of the id of a user; a queue has others (Salesforce Help, "Standard Field
Record ID Prefix Decoder")."""


class RecordQueries:
    """Finds records in one org, with one call for each kind of record and each long list of ids."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def named(self, text: str, limit: int) -> tuple[NamedRecord, ...]:
        """Return records whose name contains a text, at most `limit` of each kind: two calls."""
        found = []
        for kind in KINDS:
            soql = format_soql(BY_NAME.replace("{}", kind.value, 1), text, limit)
            found += [
                NamedRecord(kind, row["Id"], _text(row.get("Name")), _text(row.get("Email")))
                for row in self._rows(soql)
            ]
        return tuple(found)

    def last_changes(self, records: Mapping[RecordKind, Iterable[str]]) -> dict[str, LastChange]:
        """Return who changed each record last; a record that is not found is left out."""
        found = {}
        for kind in KINDS:
            select = LAST_CHANGE.format(kind.value)
            for query in lookup_queries(select, kind, "Id", records.get(kind, ())):
                for row in self._rows(query.soql):
                    found[row["Id"]] = LastChange(
                        _text(row.get("LastModifiedDate")), _name(row.get("LastModifiedBy"))
                    )
        return found

    def owners(self, leads: Iterable[str]) -> dict[str, LeadOwner]:
        """Return the owner of each Lead, and when it was created; one not found is left out."""
        found = {}
        for query in lookup_queries(OWNER, RecordKind.LEAD, "Id", leads):
            for row in self._rows(query.soql):
                is_user = _text(row.get("OwnerId")).startswith(USER_PREFIX)
                found[row["Id"]] = LeadOwner(
                    _text(row.get("CreatedDate")), _name(row.get("Owner")), is_user
                )
        return found

    def page_of(self, record: str) -> str:
        """Return the address of a record's page; the org redirects it to its own page."""
        return f"{self._connection.instance_url}/{record}"

    def _rows(self, soql: str) -> Sequence[Mapping[str, Any]]:
        rows = self._connection.decode(_read_rows, "query/", params={"q": soql})
        return [row for row in rows if is_record_id(_text(row.get("Id")))]


def _read_rows(body: object) -> list[Mapping[str, Any]]:
    rows = read_query_page(body).rows
    if all(isinstance(row, dict) for row in rows):
        return [row for row in rows if isinstance(row, dict)]
    raise RetryError(
        "Salesforce's answer has a record that is none", reason=StopReason.SALESFORCE_UNAVAILABLE
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _name(user: object) -> str:
    return _text(user.get("Name")) if isinstance(user, dict) else ""
