"""What a dry run stores, in the ledger's table under keys of its own; it expires.

| key | item |
| --- | --- |
| `preview#<run>#contact#<email>` | a link as it would be; without a body: it would be deleted |
| `preview#<run>#record#<id>` | the e-mail of the link that a record would belong to |
| `preview#<run>#work#<number>` | e-mails of links that the dry run must resolve |
| `preview#<run>#cursor#<kind>` | a cursor |
| `preview#<run>#written#<id>` | the values that would have been written to a record |
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.cursors import cursor_of
from connector.aws.dynamodb.dataclass_json import dumps, loads
from connector.aws.dynamodb.link_codec import SURROGATES, pack
from connector.aws.dynamodb.links import read_link
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Condition, PutResult, Table, partition_key
from connector.errors import UnstorableError, describe_defect
from connector.mapping.values import stored_values
from connector.model import Cursor, Link, RecordKind, SaveResult, Values, WorkList

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEEP_SECONDS: Final = 2 * 86_400
"""How long the data of a dry run is stored: longer than it takes."""
NUMBER_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class _Written:
    """The values that would have been written to one record."""

    values: Values


def _packed(values: Values) -> bytes:
    """Return values as compressed JSON, with a digest in place of each long text."""
    text = dumps(_Written(stored_values(values)))
    return zlib.compress(text.encode(errors=SURROGATES))


class DynamoScratch:
    """The data of one dry run. `clock` returns seconds since 1970."""

    def __init__(self, table: Table, run_id: str, clock: Callable[[], float]) -> None:
        self._table = table
        self._prefix = f"preview#{run_id}#"
        self._clock = clock

    def load_scratch_links(self, emails: Iterable[str]) -> dict[str, Link | None]:
        """Return the links stored here; None for one that would be deleted."""
        prefix = f"{self._prefix}contact#"
        items = self._table.get_all(ItemKind.LINK, (f"{prefix}{email}" for email in emails))
        found: dict[str, Link | None] = {}
        for item in items:
            email = item["pk"]["S"].removeprefix(prefix)
            found[email] = read_link(email, item) if "body" in item else None
        return found

    def scratch_owners(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id stored here, the e-mail of its link."""
        prefix = f"{self._prefix}record#"
        keys = (f"{prefix}{record}" for record in records)
        items = self._table.get_all(ItemKind.RECORD_POINTER, keys)
        return {item["pk"]["S"].removeprefix(prefix): item["email"]["S"] for item in items}

    def save_scratch_links(self, links: Mapping[str, Link | None]) -> SaveResult:
        """Store links by e-mail, without a condition; None: the link would be deleted."""
        pointers = [
            (self._item(f"record#{record}", email={"S": email}), Condition())
            for email, link in links.items()
            if link is not None
            for record in sorted(link.names)
        ]
        self._table.put_each(ItemKind.RECORD_POINTER, pointers)
        puts: dict[str, tuple[dict[str, AttributeValueTypeDef], Condition]] = {}
        defects: dict[str, str] = {}
        for email, link in links.items():
            try:
                puts[email] = (self._link_item(email, link), Condition())
            except Exception as error:  # noqa: BLE001  # the caller reports the link
                defects[email] = describe_defect(error)
        results = self._table.put_each(ItemKind.LINK, list(puts.values()))
        by_email = dict(zip(puts, results, strict=True))
        defects |= {email: it.value for email, it in by_email.items() if it is PutResult.INVALID}
        return SaveResult(
            too_large=frozenset(
                email for email, it in by_email.items() if it is PutResult.TOO_LARGE
            ),
            defects=defects,
        )

    def _link_item(self, email: str, link: Link | None) -> dict[str, AttributeValueTypeDef]:
        revision = 0 if link is None else link.revision
        item = self._item(f"contact#{email}", revision={"N": str(revision)})
        return item if link is None else {**item, "body": {"B": pack(link)}}

    def _item(
        self, key: str, **attributes: AttributeValueTypeDef
    ) -> dict[str, AttributeValueTypeDef]:
        end = int(self._clock()) + KEEP_SECONDS
        return {
            **partition_key(f"{self._prefix}{key}"),
            "expires_at": {"N": str(end)},
            **attributes,
        }

    def load_written(self, records: Sequence[str]) -> dict[str, Values]:
        """Return the values that would have been written to some records, by record id."""
        prefix = f"{self._prefix}written#"
        items = self._table.get_all(ItemKind.DOCUMENT, (f"{prefix}{record}" for record in records))
        return {
            item["pk"]["S"].removeprefix(prefix): loads(
                _Written, zlib.decompress(bytes(item["document"]["B"])).decode(errors=SURROGATES)
            ).values
            for item in items
        }

    def save_written(self, written: Mapping[str, Values]) -> None:
        """Store the values that would have been written, by record id.

        Raises `UnstorableError`, by record id, when some cannot be encoded; all others are stored.
        """
        puts = []
        failed: dict[str, str] = {}
        for record, values in written.items():
            try:
                item = self._item(f"written#{record}", document={"B": _packed(values)})
            except Exception as error:  # noqa: BLE001  # the problem of one record
                failed[record] = describe_defect(error)
            else:
                puts.append((item, Condition()))
        self._table.put_each(ItemKind.DOCUMENT, puts)
        if failed:
            raise UnstorableError(failed)

    def load_scratch_cursor(self, kind: RecordKind) -> Cursor | None:
        """Return the cursor of a kind of record, or None."""
        key = partition_key(f"{self._prefix}cursor#{kind.value}")
        item = self._table.get(ItemKind.CURSOR, key)
        return None if item is None else cursor_of(item)

    def save_scratch_cursor(self, cursor: Cursor) -> None:
        """Store a cursor."""
        item = self._item(f"cursor#{cursor.kind.value}", document={"S": dumps(cursor)})
        self._table.put(ItemKind.CURSOR, item)

    def save_work(self, work: WorkList, emails: Sequence[str]) -> None:
        """Store a list in place of the one with this number; an empty one is deleted."""
        key = self._work_key(work)
        if not emails:
            self._table.delete(ItemKind.WORK_LIST, partition_key(f"{self._prefix}{key}"))
            return
        body = zlib.compress(json.dumps(list(emails), ensure_ascii=False).encode())
        self._table.put(ItemKind.WORK_LIST, self._item(key, emails={"B": body}))

    def load_work(self, lists: Sequence[WorkList]) -> dict[WorkList, tuple[str, ...]]:
        """Return the e-mails of the lists that exist."""
        wanted = {f"{self._prefix}{self._work_key(work)}": work for work in lists}
        items = self._table.get_all(ItemKind.WORK_LIST, wanted)
        return {
            wanted[item["pk"]["S"]]: tuple(json.loads(zlib.decompress(bytes(item["emails"]["B"]))))
            for item in items
        }

    def open_work(self, limit: int, after: WorkList | None = None) -> list[WorkList]:  # noqa: ARG002  # a port
        """Return nothing: no other dry run leaves lists to this one."""
        return []

    @staticmethod
    def _work_key(work: WorkList) -> str:
        return f"work#{work.number:0{NUMBER_DIGITS}d}"
