"""The contacts of the tenant, in SQLite in memory, with the reads that lag behind the writes.

`contacts` is the truth. `past` holds what readers still see of a contact whose last write is not
visible yet: the contact as it was, or (`present` = 0) that there was none. It is empty unless a
switch or a fault asks for lag, and then reads go through the view `visible`.
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
    """One contact: what it holds, and when it was created and last changed (milliseconds)."""

    id: str
    values: Values
    created_at: int
    updated_at: int

    @property
    def email(self) -> str:
        """The address as it was written."""
        return str(self.values["email"])


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """Which contacts a reader asks for, in which order."""

    sort: Literal["updated_at", "created_at", "email", "number"] = "updated_at"
    descending: bool = False
    changed_since: int | None = None
    email: str | None = None
    text: str = ""
    limit: int = 20
    offset: int = 0


def email_key(email: str) -> str:
    """Return the form in which two addresses are one contact: trimmed, in lower case."""
    return email.strip().lower()


class ContactStore:
    """Rows in, rows out; callers hold one lock around it."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.executescript(_TABLES)
        self._lagging = False

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()

    def clear(self) -> None:
        """Forget every contact."""
        self._db.executescript("DELETE FROM contacts; DELETE FROM past;")
        self._lagging = False

    def insert(self, contacts: Iterable[Contact]) -> int:
        """Add contacts whose e-mails are not known yet, and say how many were added."""
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
        """Write a known contact."""
        identity, *rest = _row(contact)
        self._db.execute(
            "UPDATE contacts SET email = ?, created_at = ?, updated_at = ?, body = ? WHERE id = ?",
            (*rest, identity),
        )

    def delete(self, identity: str) -> None:
        """Remove a contact."""
        self._db.execute("DELETE FROM contacts WHERE id = ?", (identity,))

    def keep_previous_version(self, identity: str, until: int) -> None:
        """Let readers see a contact as it is now (or its absence) until an instant.

        Call it before the write that is to stay unseen.
        """
        self._lagging = True
        kept = self._db.execute(
            "INSERT INTO past (until, present, number, id, email, created_at, updated_at, body)"
            " SELECT ?, 1, number, id, email, created_at, updated_at, body FROM contacts"
            " WHERE id = ?",
            (until, identity),
        )
        if kept.rowcount == 0:
            self._db.execute(
                "INSERT INTO past (until, present, id) VALUES (?, 0, ?)", (until, identity)
            )

    def by_id(self, identity: str, *, visible_at: int | None = None) -> Contact | None:
        """Return a contact; as readers see it at an instant, or the truth (None)."""
        return self._one("id", identity, visible_at)

    def by_email(self, email: str, *, visible_at: int | None = None) -> Contact | None:
        """Return the one contact with this e-mail, whatever its case and outer spaces."""
        return self._one("email", email_key(email), visible_at)

    def page(
        self, query: ContactQuery, *, visible_at: int | None = None
    ) -> tuple[list[Contact], int]:
        """Return the rows asked for, and how many there are in all."""
        table = self._table(visible_at)
        where, values = _conditions(query)
        order = "DESC" if query.descending else "ASC"
        by = f"{query.sort} {order}, id {order}"
        # Skipping rows in the index alone keeps a far page as cheap as the first ones.
        rows = self._db.execute(
            f"SELECT id, created_at, updated_at, body FROM {table} WHERE id IN"  # noqa: S608  # constants of this module
            f" (SELECT id FROM {table} {where} ORDER BY {by} LIMIT ? OFFSET ?) ORDER BY {by}",
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
        """Choose the truth, or what readers see at an instant where some of it lags."""
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
