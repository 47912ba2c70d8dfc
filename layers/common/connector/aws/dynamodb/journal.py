"""The journal's table: entries by person and time, and by run.

| key | item |
| --- | --- |
| `contact#<email>` / `<time>#<run>#<kind>#<record>#<digest>` | entries of one record and moment |
| `plan#<run>` / `<email>#<run>#<kind>#<record>#<schema>` | entries of a dry run about one record |
| index `by_run`: `<run>` / the same | everything that a run did, or would do |

The digest covers the names of the fields and the schema number. Entries are written in batches,
which cannot check the stored item; with the number in the key, no version overwrites an item of
another one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from connector.aws.dynamodb.dataclass_json import decode, dumps, encode
from connector.aws.dynamodb.schema import SCHEMAS, ItemKind
from connector.aws.dynamodb.table import Table
from connector.model import JournalEntry, JournalPage
from connector.page_token import decode_page_token, encode_page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    from connector.aws.dynamodb.table import Item
    from connector.retry import RetryPolicy

DAY_SECONDS: Final = 86_400
DIGEST_CHARACTERS: Final = 8
"""32 bits of SHA-256: one record and moment has a few items at most."""
DRY_RUN_DAYS: Final = 30
"""How long the entries of a dry run are stored: they are soon out of date."""
OWN_ATTRIBUTES: Final = frozenset({"run_id", "at"})
"""Members of an entry that are attributes of the item: for the index, and for its expiry."""
FIELD_MEMBERS: Final = frozenset({"field", "before", "after", "rule"})
"""Members of an entry that differ between the entries of one item; all other members are equal."""


@dataclass(frozen=True, slots=True)
class _Position:
    """The item that a page starts from ('': the first), and how many entries of it were read."""

    pk: str = ""
    sk: str = ""
    entries_read: int = 0

    @property
    def token(self) -> str:
        return encode_page_token(json.dumps(asdict(self)))

    @classmethod
    def of(cls, token: str) -> _Position:
        """Return the position of a token. Raises `ValueError` when it is not one of ours."""
        match json.loads(decode_page_token(token)):
            case {"pk": str(pk), "sk": str(sk), "entries_read": int(entries_read)} if (
                bool(pk) == bool(sk) and entries_read >= 0
            ):
                return cls(pk, sk, entries_read)
        raise ValueError("not the token of a page")


class DynamoJournal:
    """Stores and lists journal entries; `days` is how long an entry is stored."""

    def __init__(self, client: DynamoDBClient, table: str, days: int, retry: RetryPolicy) -> None:
        self._table = Table(client, table, retry)
        self._days = days

    def write(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries; storing the same entries twice keeps one of each.

        Raises `RetryError` when DynamoDB stays unavailable: no change may be made that is not in
        the journal.
        """
        self._store(
            {
                (f"contact#{email}", f"{_time(at)}#{subject}#{_digest(group)}"): group
                for (email, at, subject), group in _by_item(entries).items()
            },
            self._days,
        )

    def write_dry_run(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries of a dry run for a month, separate from people's history, by e-mail."""
        self._store(
            {
                (f"plan#{group[0].run_id}", f"{email}#{subject}#{_schema()}"): group
                for (email, _, subject), group in _by_item(entries).items()
            },
            DRY_RUN_DAYS,
        )

    def _store(self, groups: Mapping[tuple[str, str], Sequence[JournalEntry]], days: int) -> None:
        self._table.put_new(
            ItemKind.JOURNAL_ENTRY,
            [
                {
                    "pk": {"S": pk},
                    "sk": {"S": sk},
                    "expires_at": {"N": str(int(group[0].at) + days * DAY_SECONDS)},
                    **_to_attributes(group),
                }
                for (pk, sk), group in groups.items()
            ],
        )

    def person_entries(self, email: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the newest entries of one person, newest first, from a page's token on."""
        key = f"contact#{email}"
        request: QueryInputTypeDef = {
            "TableName": self._table.name,
            "KeyConditionExpression": "pk = :key",
            "ExpressionAttributeValues": {":key": {"S": key}},
            "ScanIndexForward": False,
        }
        return self._page(request, limit, after, {"pk": key})

    def run_entries(self, run: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the entries of a run, in order, from a page's token on.

        The entries of a dry run are in order of e-mails, those of any other run oldest first.
        """
        request: QueryInputTypeDef = {
            "TableName": self._table.name,
            "IndexName": "by_run",
            "KeyConditionExpression": "run_id = :key",
            "ExpressionAttributeValues": {":key": {"S": run}},
        }
        return self._page(request, limit, after, {"run_id": run})

    def _page(
        self, request: QueryInputTypeDef, limit: int, after: str, partition: Mapping[str, str]
    ) -> JournalPage:
        """Read one page. Only this partition is read, whatever token `after` is.

        Raises `ValueError` when `after` is not the token of a page.
        """
        position = _Position.of(after) if after else _Position()
        request["Limit"] = limit
        if position.pk:
            key = {"pk": position.pk, "sk": position.sk, **partition}
            request["ExclusiveStartKey"] = {name: {"S": value} for name, value in key.items()}
        response = self._table.query(ItemKind.JOURNAL_ENTRY, request)
        found: list[JournalEntry] = []
        for item in response["Items"]:
            entries = parse_entries(item)[position.entries_read :]
            free = limit - len(found)
            found += entries[:free]
            if len(entries) > free:
                rest = replace(position, entries_read=position.entries_read + free)
                return JournalPage(tuple(found), rest.token)
            position = _Position(item["pk"]["S"], item["sk"]["S"])
        more = bool(response.get("LastEvaluatedKey"))
        return JournalPage(tuple(found), position.token if more else "")


def _by_item(
    entries: Sequence[JournalEntry],
) -> dict[tuple[str, float, str], list[JournalEntry]]:
    """Return entries by person, moment and subject: one write to a record is one item."""
    groups: dict[tuple[str, float, str], list[JournalEntry]] = {}
    for entry in entries:
        subject = f"{entry.run_id}#{entry.kind}#{entry.record_id}"
        groups.setdefault((entry.email, entry.at, subject), []).append(entry)
    return groups


def _schema() -> str:
    return str(SCHEMAS[ItemKind.JOURNAL_ENTRY])


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def _digest(entries: Sequence[JournalEntry]) -> str:
    """Return the part of a key that separates items about one record and moment."""
    names = [_schema(), *(entry.field for entry in entries)]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:DIGEST_CHARACTERS]


def _to_attributes(entries: Sequence[JournalEntry]) -> dict[str, AttributeValueTypeDef]:
    """Return the attributes that contain the entries of one record and moment."""
    trees = [encode(entry) for entry in entries]
    shared = trees[0].keys() - FIELD_MEMBERS - OWN_ATTRIBUTES
    return {
        "run_id": {"S": entries[0].run_id},
        "at": {"N": str(entries[0].at)},
        "entry": {"S": dumps({name: trees[0][name] for name in sorted(shared)})},
        "fields": {
            "S": dumps(
                [{name: tree[name] for name in tree if name in FIELD_MEMBERS} for tree in trees]
            )
        },
    }


def parse_entries(item: Item) -> list[JournalEntry]:
    """Return the entries that an item of the table contains."""
    shared: dict[str, Any] = {
        "run_id": item["run_id"]["S"],
        "at": float(item["at"]["N"]),
        **json.loads(item["entry"]["S"]),
    }
    return [decode(JournalEntry, shared | members) for members in json.loads(item["fields"]["S"])]
