"""Sharing: which records of an object a user may see and edit.

The organization-wide default of an object opens its records to everybody, to be read or edited, or
to their owners only. The owner of a record may always edit it, and "View All" shows every record
(Salesforce Help, "Organization-Wide Sharing Defaults" and "View All and Modify All"). Roles and
sharing rules are not computed: a control call sets the access of one user to one record, which
counts before the default.
"""

from __future__ import annotations

from local.salesforce_org.schema import ObjectType
from local.salesforce_org.store import Row, Store

NONE, READ, EDIT = "none", "read", "edit"
LEVELS = (NONE, READ, EDIT)
DEFAULTS = {"private": NONE, "read_only": READ, "public": EDIT}
"""The organization-wide defaults, and the access of a user who does not own the record."""

API_NAMES = {"private": "None", "read_only": "Read", "public": "Edit"}
"""The defaults, and their names in the object Organization (SOAP API Developer Guide)."""
LEAD_PUBLIC = "ReadEditTransfer"
"""The name of the default "Public Read/Write/Transfer", which only Leads and Cases have."""


def api_name(kind: str, default: str) -> str:
    """Return the name of an organization-wide default in the object Organization."""
    return LEAD_PUBLIC if (kind, default) == ("Lead", "public") else API_NAMES[default]


class Sharing:
    """The defaults of the objects, and the access of single users to single records."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._default_of: dict[str, str] = {}
        store.run(
            'CREATE TABLE "RecordShare"'
            " (UserId TEXT, RecordId TEXT, Level TEXT, PRIMARY KEY (UserId, RecordId))"
        )

    def set_default(self, kind: ObjectType, default: str) -> None:
        """Set the organization-wide default of an object: a key of `DEFAULTS`."""
        self._default_of[kind.name] = default

    def set_level(self, user_id: str, record_id: str, level: str | None) -> None:
        """Set the access of a user to a record, one of `LEVELS`; None: the default counts again."""
        self._store.run(
            'DELETE FROM "RecordShare" WHERE UserId = ? AND RecordId = ?', (user_id, record_id)
        )
        if level is not None:
            self._store.run(
                'INSERT INTO "RecordShare" VALUES (?, ?, ?)', (user_id, record_id, level)
            )

    def level(self, user_id: str, kind: ObjectType, row: Row) -> str:
        """Return the access of a user to a row."""
        level = self._store.first(
            'SELECT Level FROM "RecordShare" WHERE UserId = ? AND RecordId = ?',
            (user_id, row["Id"]),
        )
        if level is not None:
            return str(level)
        return EDIT if row.get("OwnerId") == user_id else DEFAULTS[self.default(kind)]

    def default(self, kind: ObjectType) -> str:
        """Return the organization-wide default of an object."""
        return self._default_of.get(kind.name, "public")

    def visible_rows(self, user_id: str, kind: ObjectType, alias: str) -> str:
        """Return the SQL condition of the rows that a user sees; "" for all rows."""
        others = DEFAULTS[self.default(kind)]
        if others != NONE and not self._has_shares(user_id):
            return ""
        share = (
            f"SELECT Level FROM \"RecordShare\" WHERE UserId = '{user_id}'"  # noqa: S608  # ids of this org
            f' AND RecordId = {alias}."Id"'
        )
        own = f"iif({alias}.\"OwnerId\" = '{user_id}', '{EDIT}', '{others}')"
        return f"coalesce(({share}), {own}) <> '{NONE}'"

    def listing(self) -> dict[str, object]:
        """Return the defaults that were set and the accesses to single records, as JSON."""
        rows = self._store.run('SELECT UserId, RecordId, Level FROM "RecordShare"').fetchall()
        return {
            "defaults": dict(self._default_of),
            "records": [{"user": row[0], "id": row[1], "access": row[2]} for row in rows],
        }

    def _has_shares(self, user_id: str) -> bool:
        found = self._store.first('SELECT 1 FROM "RecordShare" WHERE UserId = ?', (user_id,))
        return found is not None
