"""The rows: one SQLite table per object, in memory, indexed for incremental reads.

Text comparison is case-insensitive (as in SOQL), comparison of ids and dates is bytewise. Dates are
stored in the format of the responses, so that reads need no conversion.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from local.salesforce_org.schema import NUMBERS, Field, ObjectType, Schema

Row = dict[str, Any]
WriteListener = Callable[[ObjectType, Sequence[int]], None]

INDEXED = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
BUSINESS_INDEXES = ("Email", "MasterRecordId", "AccountId", "ConvertedContactId")


def fold(text: str | None) -> str | None:
    """Return the form of a text for case-insensitive comparison; accents are kept."""
    return text.casefold() if isinstance(text, str) else None


def column_type(field: Field) -> str:
    """Return the SQLite type of a stored field."""
    if field.type in {"boolean", "int"}:
        return "INTEGER"
    if field.type in NUMBERS:
        return "REAL"
    if field.is_text and not field.case_sensitive:
        return "TEXT COLLATE NOCASE"
    return "TEXT"


class Store:
    """The tables of one org; callers must hold `lock`."""

    def __init__(self, schema: Schema) -> None:
        self.lock = threading.RLock()
        self.listeners: list[WriteListener] = []
        self._connection = sqlite3.connect(
            ":memory:", check_same_thread=False, isolation_level=None, cached_statements=512
        )
        self._connection.create_function("fold", 1, fold, deterministic=True)
        self._connection.create_function("folded_like", 2, _matches_like, deterministic=True)
        for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "temp_store=MEMORY"):
            self._connection.execute(f"PRAGMA {pragma}")
        for kind in schema:
            self._create(kind)

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()

    def run(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement and return its cursor."""
        return self._connection.execute(sql, parameters)

    def first(self, sql: str, parameters: Sequence[object] = ()) -> Any:  # noqa: ANN401  # any value
        """Return the first column of the first row, or None."""
        row = self._connection.execute(sql, parameters).fetchone()
        return row[0] if row else None

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Roll back the writes of the block when it raises."""
        self._connection.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO step")
            self._connection.execute("RELEASE step")
            raise
        self._connection.execute("RELEASE step")

    def fetch(self, kind: ObjectType, record_id: str) -> Row | None:
        """Return the row with an 18-character id, also if deleted, with its `rowid`; or None."""
        rows = self.select(kind, "Id = ?", (record_id,))
        return rows[0] if rows else None

    def select(
        self, kind: ObjectType, condition: str, parameters: Sequence[object] = ()
    ) -> list[Row]:
        """Return the rows that meet an SQL condition; the condition must come from this package."""
        sql = f'SELECT rowid AS rowid, * FROM "{kind.name}" WHERE {condition}'  # noqa: S608  # SQL of this package
        cursor = self._connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def insert(self, kind: ObjectType, values: Mapping[str, object]) -> int:
        """Add one row and return its rowid."""
        sql = self._insertion(kind, list(values))
        rowid = self._connection.execute(sql, list(values.values())).lastrowid
        return rowid or 0

    def insert_many(
        self, kind: ObjectType, names: list[str], rows: Iterator[Sequence[object]]
    ) -> None:
        """Add many rows fast; if the table is empty, its indexes are created after the insert."""
        empty = self.first(f'SELECT 1 FROM "{kind.name}" LIMIT 1') is None  # noqa: S608  # SQL of this package
        with self.savepoint():
            if empty:
                self._drop_indexes(kind)
            self._connection.executemany(self._insertion(kind, names), rows)
            if empty:
                self.index(kind)

    def update(self, kind: ObjectType, rowid: int, changes: Mapping[str, object]) -> None:
        """Change some columns of one row."""
        for listener in self.listeners:
            listener(kind, (rowid,))
        columns = ", ".join(f'"{name}" = ?' for name in changes)
        self._connection.execute(
            f'UPDATE "{kind.name}" SET {columns} WHERE rowid = ?',  # noqa: S608  # names of the schema
            [*changes.values(), rowid],
        )

    def update_by_id(self, kind: ObjectType, record_id: str, changes: Mapping[str, object]) -> None:
        """Change some columns of the row with an id."""
        rowid = self.first(f'SELECT rowid FROM "{kind.name}" WHERE Id = ?', (record_id,))  # noqa: S608  # same
        if rowid is not None:
            self.update(kind, int(rowid), changes)

    def erase(self, kind: ObjectType, rowid: int) -> None:
        """Delete one row permanently."""
        for listener in self.listeners:
            listener(kind, (rowid,))
        self._connection.execute(f'DELETE FROM "{kind.name}" WHERE rowid = ?', (rowid,))  # noqa: S608  # same

    def count(
        self,
        kind: ObjectType,
        condition: str = "IsDeleted = 0",
        parameters: Sequence[object] = (),
    ) -> int:
        """Return how many rows meet a condition; by default all rows that are not deleted."""
        sql = f'SELECT count(*) FROM "{kind.name}" WHERE {condition}'  # noqa: S608  # SQL of this package
        return int(self.first(sql, parameters))

    def add_column(self, kind: ObjectType, field: Field) -> None:
        """Add the column of a new field, with the default value in all rows."""
        default = f" DEFAULT {int(bool(field.default))}" if field.type == "boolean" else ""
        if isinstance(field.default, str) and not field.nillable:
            default = f" DEFAULT '{field.default}'"
        self._connection.execute(
            f'ALTER TABLE "{kind.name}" ADD COLUMN "{field.name}" {column_type(field)}{default}'
        )
        self.index(kind)

    def drop_column(self, kind: ObjectType, field: Field) -> None:
        """Drop the column of a deleted field, and all indexes: the caller must call `index`."""
        self._drop_indexes(kind)
        self._connection.execute(f'ALTER TABLE "{kind.name}" DROP COLUMN "{field.name}"')

    def index(self, kind: ObjectType) -> None:
        """Create the missing indexes: Id, stamps, e-mail, lookups, external ids."""
        for name, columns in self._indexes(kind):
            unique = "UNIQUE" if columns == '"Id"' else ""
            self._connection.execute(
                f'CREATE {unique} INDEX IF NOT EXISTS "{name}" ON "{kind.name}" ({columns})'
            )

    def _create(self, kind: ObjectType) -> None:
        columns = [f'"{f.name}" {column_type(f)}' for f in kind.columns()]
        columns += [
            f'"{f.name}" TEXT COLLATE NOCASE GENERATED ALWAYS AS ({f.sql}) VIRTUAL'
            for f in kind.fields.values()
            if f.sql
        ]
        self._connection.execute(f'CREATE TABLE "{kind.name}" ({", ".join(columns)})')
        self.index(kind)

    def _indexes(self, kind: ObjectType) -> Iterator[tuple[str, str]]:
        yield f"{kind.name}_Id", '"Id"'
        if not kind.business:
            return
        for name in INDEXED:
            yield f"{kind.name}_{name}", f'"{name}", "Id"'
        for field in kind.columns():
            if field.name in BUSINESS_INDEXES or field.external_id or field.unique:
                yield f"{kind.name}_{field.name}", f'"{field.name}"'

    def _drop_indexes(self, kind: ObjectType) -> None:
        for name, _ in self._indexes(kind):
            self._connection.execute(f'DROP INDEX IF EXISTS "{name}"')

    @staticmethod
    def _insertion(kind: ObjectType, names: Sequence[str]) -> str:
        columns = ", ".join(f'"{name}"' for name in names)
        placeholders = ", ".join("?" * len(names))
        return f'INSERT INTO "{kind.name}" ({columns}) VALUES ({placeholders})'  # noqa: S608  # names of the schema


def _matches_like(pattern: str, text: str | None) -> bool:
    """Match LIKE on folded text: `%` any text, `_` one character, a backslash escapes."""
    if text is None:
        return False
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            parts.append(re.escape(next(characters, "")))
        else:
            parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
    return re.fullmatch("".join(parts), text.casefold(), re.DOTALL) is not None
