"""The contacts of the tenant, in SQLite in memory, with an optional read lag.

`contacts` holds the current rows. `past` holds the version of a contact that readers still see
while its last write is not visible: the earlier row, or `present` = 0 when the contact did not
exist. `past` is empty unless a switch or a fault requires a lag; then reads use the view `visible`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from local.plezi_tenant.schema import Values

_TABLES = """
CREATE TABLE contacts (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX contacts_by_update ON contacts (updated_at, id);
CREATE INDEX contacts_by_creation ON contacts (created_at, id);
CREATE TABLE past (
    entry INTEGER PRIMARY KEY,
    until INTEGER NOT NULL,
    present INTEGER NOT NULL,
    number INTEGER,
    id TEXT NOT NULL,
    email TEXT,
    created_at INTEGER,
    updated_at INTEGER,
    body TEXT
) STRICT;
CREATE INDEX past_by_contact ON past (id, until, entry);
CREATE VIEW visible AS
    SELECT number, id, email, created_at, updated_at, body
    FROM contacts WHERE id NOT IN (SELECT id FROM past)
    UNION ALL
    SELECT number, id, email, created_at, updated_at, body FROM past AS version
    WHERE present AND entry = (
        SELECT entry FROM past WHERE id = version.id ORDER BY until, entry LIMIT 1
    );
"""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact: its values, and its times of creation and last change (milliseconds)."""

    id: str
    values: Values
    created_at: int
    updated_at: int

    @property
    def email(self) -> str:
        """The e-mail in its stored spelling."""
        return str(self.values["email"])


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """A query for contacts: filters, order and page."""

    sort: Literal["updated_at", "created_at", "email", "number"] = "updated_at"
    descending: bool = False
    changed_since: int | None = None
    email: str | None = None
    text: str = ""
    limit: int = 20
    offset: int = 0


def email_key(email: str) -> str:
    """Return the key of an e-mail: trimmed and in lower case. Equal keys are the same contact."""
    return email.strip().lower()


class ContactStore:
    """The SQLite tables of contacts. Not thread-safe: callers hold a lock."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.executescript(_TABLES)
        self._lagging = False

    def close(self) -> None:
        """Free the memory."""
        self._db.close()

    def clear(self) -> None:
        """Delete all contacts."""
        self._db.executescript("DELETE FROM contacts; DELETE FROM past;")
        self._lagging = False

    def insert(self, contacts: Iterable[Contact]) -> int:
        """Add the contacts whose e-mail is new, and return how many were added."""
        before = self._db.total_changes
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR IGNORE INTO contacts (id, email, created_at, updated_at, body)"
            " VALUES (?, ?, ?, ?, ?)",
            (_row(contact) for contact in contacts),
        )
        self._db.execute("COMMIT")
        return self._db.total_changes - before

    def replace(self, contact: Contact) -> None:
        """Replace an existing contact."""
        identity, *rest = _row(contact)
        self._db.execute(
            "UPDATE contacts SET email = ?, created_at = ?, updated_at = ?, body = ? WHERE id = ?",
            (*rest, identity),
        )

    def delete(self, identity: str) -> None:
        """Delete a contact."""
        self._db.execute("DELETE FROM contacts WHERE id = ?", (identity,))

    def keep_previous_version(self, identity: str, until: int) -> None:
        """Show readers the current version of a contact (or its absence) until a time.

        Call it before the write whose visibility is delayed.
        """
        self._lagging = True
        inserted = self._db.execute(
            "INSERT INTO past (until, present, number, id, email, created_at, updated_at, body)"
            " SELECT ?, 1, number, id, email, created_at, updated_at, body FROM contacts"
            " WHERE id = ?",
            (until, identity),
        )
        if inserted.rowcount == 0:
            self._db.execute(
                "INSERT INTO past (until, present, id) VALUES (?, 0, ?)", (until, identity)
            )

    def by_id(self, identity: str, *, visible_at: int | None = None) -> Contact | None:
        """Return a contact as readers see it at a time, or as stored (`visible_at` None)."""
        return self._one("id", identity, visible_at)

    def by_email(self, email: str, *, visible_at: int | None = None) -> Contact | None:
        """Return the contact with this e-mail, regardless of case and outer spaces."""
        return self._one("email", email_key(email), visible_at)

    def page(
        self, query: ContactQuery, *, visible_at: int | None = None
    ) -> tuple[list[Contact], int]:
        """Return the rows of a query, and the total number of matching rows."""
        table = self._table(visible_at)
        where, values = _conditions(query)
        direction = "DESC" if query.descending else "ASC"
        ordering = f"{query.sort} {direction}, id {direction}"
        # The offset applies to the index only, so that a far page costs as much as the first one.
        rows = self._db.execute(
            f"SELECT id, created_at, updated_at, body FROM {table} WHERE id IN"  # noqa: S608  # constants of this module
            f" (SELECT id FROM {table} {where} ORDER BY {ordering} LIMIT ? OFFSET ?)"
            f" ORDER BY {ordering}",
            (*values, query.limit, query.offset),
        ).fetchall()
        total: int = self._db.execute(
            f"SELECT count(*) FROM {table} {where}",  # noqa: S608  # constants of this module
            values,
        ).fetchone()[0]
        return [_contact(row) for row in rows], total

    def _one(self, column: str, key: str, visible_at: int | None) -> Contact | None:
        row = self._db.execute(
            "SELECT id, created_at, updated_at, body"  # noqa: S608  # constants of this module
            f" FROM {self._table(visible_at)} WHERE {column} = ?",
            (key,),
        ).fetchone()
        return None if row is None else _contact(row)

    def _table(self, visible_at: int | None) -> str:
        """Return the table of current rows, or the view with the lag if writes are hidden."""
        if not self._lagging or visible_at is None:
            return "contacts"
        self._db.execute("DELETE FROM past WHERE until <= ?", (visible_at,))
        self._lagging = bool(self._db.execute("SELECT EXISTS (SELECT 1 FROM past)").fetchone()[0])
        return "visible" if self._lagging else "contacts"


def _row(contact: Contact) -> tuple[str, str, int, int, str]:
    return (
        contact.id,
        email_key(contact.email),
        contact.created_at,
        contact.updated_at,
        json.dumps(contact.values, ensure_ascii=False),
    )


def _contact(row: tuple[str, int, int, str]) -> Contact:
    identity, created_at, updated_at, body = row
    return Contact(identity, json.loads(body), created_at, updated_at)


def _conditions(query: ContactQuery) -> tuple[str, list[str | int]]:
    conditions: list[str] = []
    values: list[str | int] = []
    if query.changed_since is not None:
        conditions.append("updated_at >= ?")
        values.append(query.changed_since)
    if query.email is not None:
        conditions.append("email = ?")
        values.append(email_key(query.email))
    if query.text:
        conditions.append("instr(email, ?)")
        values.append(email_key(query.text))
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), values
