"""The journal's table: entries by person and time, and lists of them by run.

| key | item |
| --- | --- |
| `contact#<email>` / `<time>#<run>#<digest>` | entries of one person and moment |
| `plan#<run>` / `<email>#<run>#<digest>` | entries of a dry run about one person |
| `run#<run>` / `<time>#<digest>` | the keys of the entries that a run stored at one moment |

The digest covers the records and fields of the entries and the schema number. Entries are written
in batches, which cannot check the stored item; with the number in the key, no version overwrites an
item of another one. One item lists the keys of up to a thousand items of a run: an index by run
would cost one more write for each person.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connector.aws.dynamodb.dataclass_json import decode, dumps, encode
from connector.aws.dynamodb.link_codec import SURROGATES
from connector.aws.dynamodb.schema import SCHEMAS, ItemKind
from connector.aws.dynamodb.table import BATCH_GET, Table
from connector.errors import UnstorableError, describe_defect
from connector.mapping.values import stored_value
from connector.model import JournalEntry, JournalPage
from connector.page_token import decode_page_token, encode_page_token
from connector.parallel import Parallel, one_after_another

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    from connector.aws.dynamodb.table import Item
    from connector.retry import RetryPolicy

DAY_SECONDS: Final = 86_400
DIGEST_CHARACTERS: Final = 8
"""32 bits of SHA-256: one person and moment has a few items at most."""
DRY_RUN_DAYS: Final = 30
"""How long the entries of a dry run are stored: they are soon out of date."""
MAX_KEYS: Final = 1000
"""Keys in one list of a run: 350 bytes each at most, so a list fits into an item."""
MAX_ENTRIES_BYTES: Final = 300_000
"""Bytes of the JSON of the entries in one item. More entries, which only very long texts need, are
stored in several items."""
LISTS_OF_A_PAGE: Final = 100
"""Lists of a run in one page of a query: 3 MB at most, of which DynamoDB returns one at a time."""
CONTACT_PREFIX: Final = "contact#"
"""What the key of a person's entries begins with."""
OWN_ATTRIBUTES: Final = frozenset({"run_id", "at"})
"""Members of an entry that are attributes of the item: for its expiry, and for its reader."""


@dataclass(frozen=True, slots=True)
class _Position:
    """The item that a page starts from ('': the first), and how many entries of it were read."""

    sk: str = ""
    entries_read: int = 0

    @property
    def token(self) -> str:
        return encode_page_token(json.dumps(asdict(self)))

    @classmethod
    def of(cls, token: str) -> _Position:
        """Return the position of a token. Raises `ValueError` when it is not one of ours."""
        try:
            tree = json.loads(decode_page_token(token))
        except RecursionError:
            tree = None
        match tree:
            case {"sk": str(sk), "entries_read": int(entries_read)} if entries_read >= 0:
                return cls(sk, entries_read)
        raise ValueError("not the token of a page")


@dataclass(frozen=True, slots=True)
class _Group:
    """The entries of one item: one person, one moment, one run."""

    email: str
    at: float
    run_id: str
    entries: tuple[JournalEntry, ...]

    @property
    def digest(self) -> str:
        """The part of a key that separates items about one person and moment."""
        names = [
            str(SCHEMAS[ItemKind.JOURNAL_ENTRY]),
            *(f"{it.kind}#{it.record_id}#{it.field}" for it in self.entries),
        ]
        return hashlib.sha256("\n".join(names).encode(errors=SURROGATES)).hexdigest()[
            :DIGEST_CHARACTERS
        ]


class _EncodedGroup(NamedTuple):
    """The entries of one item, and the attributes that contain them."""

    group: _Group
    attributes: dict[str, AttributeValueTypeDef]


class DynamoJournal:
    """Stores and lists journal entries; `days` is how long an entry is stored."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        days: int,
        retry: RetryPolicy,
        parallel: Parallel = one_after_another,
    ) -> None:
        self._table = Table(client, table, retry, parallel)
        self._parallel = parallel
        self._days = days

    def write(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries; storing the same entries twice keeps one of each.

        Raises `RetryError` when DynamoDB stays unavailable, and `UnstorableError` when the entries
        of some people cannot be encoded: no change may be made that is not in the journal.
        """
        groups, failed = _encoded(
            entries,
            lambda it: (f"{CONTACT_PREFIX}{it.email}", f"{_time(it.at)}#{it.run_id}#{it.digest}"),
        )
        self._store(groups, self._days)
        self._list_by_run(groups)
        if failed:
            raise UnstorableError(failed)

    def write_dry_run(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries of a dry run for a month, separate from people's history, by e-mail."""
        groups, failed = _encoded(
            entries, lambda it: (f"plan#{it.run_id}", f"{it.email}#{it.run_id}#{it.digest}")
        )
        self._store(groups, DRY_RUN_DAYS)
        if failed:
            raise UnstorableError(failed)

    def _store(self, groups: Mapping[tuple[str, str], _EncodedGroup], days: int) -> None:
        self._table.put_new(
            ItemKind.JOURNAL_ENTRY,
            [
                {
                    "pk": {"S": pk},
                    "sk": {"S": sk},
                    "expires_at": {"N": str(int(encoded.group.at) + days * DAY_SECONDS)},
                    **encoded.attributes,
                }
                for (pk, sk), encoded in groups.items()
            ],
        )

    def _list_by_run(self, encoded: Mapping[tuple[str, str], _EncodedGroup]) -> None:
        """Store which items a run stored, in the order of their moments."""
        groups = {key: it.group for key, it in encoded.items()}
        by_run: dict[tuple[str, float], list[tuple[str, str]]] = {}
        for key, group in sorted(groups.items(), key=lambda it: (it[1].at, it[0])):
            by_run.setdefault((group.run_id, group.at), []).append(key)
        self._table.put_new(
            ItemKind.JOURNAL_ENTRY,
            [
                _run_item(run_id, keys[start : start + MAX_KEYS], groups, self._days)
                for (run_id, _), keys in by_run.items()
                for start in range(0, len(keys), MAX_KEYS)
            ],
        )

    def person_entries(self, email: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the newest entries of one person, newest first, from a page's token on.

        Raises `ValueError` when `after` is not the token of a page.
        """
        return self._page(f"{CONTACT_PREFIX}{email}", limit, after, newest_first=True)

    def run_entries(self, run: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the entries of a run, in order, from a page's token on.

        The entries of a dry run are in order of e-mails, those of any other run oldest first.
        Raises as `person_entries`.
        """
        plan = self._page(f"plan#{run}", limit, after)
        if plan.entries:
            return plan
        return self._run_page(run, limit, after)

    def people_of_run(self, run: str) -> Iterator[str]:
        """Yield the e-mail of each person with an entry of a run once, in the order of the lists.

        A list names the keys of up to a thousand items, so that no entry is read.
        """
        seen: set[str] = set()
        for item in self._items(f"run#{run}", "", LISTS_OF_A_PAGE):
            for key, _ in _unpack(item["keys"]["B"]):
                email = str(key).removeprefix(CONTACT_PREFIX)
                if email not in seen:
                    seen.add(email)
                    yield email

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> dict[str, tuple[JournalEntry, ...]]:
        """Return the entries of some people since a time, oldest first: a query for each person."""
        found = self._parallel([partial(self._entries_of_person, email, since) for email in emails])
        return dict(zip(emails, found, strict=True))

    def _entries_of_person(self, email: str, since: float) -> tuple[JournalEntry, ...]:
        items = self._items_of(
            {
                "TableName": self._table.name,
                "KeyConditionExpression": "pk = :key AND sk >= :since",
                "ExpressionAttributeValues": {
                    ":key": {"S": f"{CONTACT_PREFIX}{email}"},
                    ":since": {"S": _time(since)},
                },
                "ConsistentRead": True,
            }
        )
        return tuple(entry for item in items for entry in parse_entries(item))

    def _page(self, key: str, limit: int, after: str, *, newest_first: bool = False) -> JournalPage:
        """Read one page of a partition whose items contain entries."""
        return _to_page(
            self._items(key, after, limit, newest_first=newest_first), parse_entries, limit, after
        )

    def _run_page(self, run: str, limit: int, after: str) -> JournalPage:
        """Read one page of the entries that the lists of a run name."""
        return _to_page(self._items(f"run#{run}", after, limit), self._listed_entries, limit, after)

    def _listed_entries(self, item: Item) -> Iterator[JournalEntry]:
        """Yield the entries of the items that a list of a run names, in the order of the list."""
        keys = [(str(pk), str(sk)) for pk, sk in _unpack(item["keys"]["B"])]
        for start in range(0, len(keys), BATCH_GET):
            part = keys[start : start + BATCH_GET]
            stored = self._table.get_sorted(ItemKind.JOURNAL_ENTRY, part)
            for key in part:
                if key in stored:
                    yield from parse_entries(stored[key])

    def _items(
        self, key: str, after: str, limit: int, *, newest_first: bool = False
    ) -> Iterator[Item]:
        """Yield the items of a partition, from the one on in which a page's token lies."""
        request: QueryInputTypeDef = {
            "TableName": self._table.name,
            "KeyConditionExpression": "pk = :key",
            "ExpressionAttributeValues": {":key": {"S": key}},
            "ScanIndexForward": not newest_first,
            "Limit": limit + 1,
        }
        if after:
            order = "<=" if newest_first else ">="
            request["KeyConditionExpression"] = f"pk = :key AND sk {order} :start"
            request["ExpressionAttributeValues"] = {
                ":key": {"S": key},
                ":start": {"S": _Position.of(after).sk},
            }
        yield from self._items_of(request)

    def _items_of(self, request: QueryInputTypeDef) -> Iterator[Item]:
        """Yield the items of a query, page by page."""
        while True:
            response = self._table.query(ItemKind.JOURNAL_ENTRY, request)
            yield from response["Items"]
            if not (last := response.get("LastEvaluatedKey")):
                return
            request["ExclusiveStartKey"] = last


def _to_page(
    items: Iterator[Item],
    entries_of: Callable[[Item], Iterable[JournalEntry]],
    limit: int,
    after: str,
) -> JournalPage:
    """Return a page of the entries of some items, and its token if there is another entry."""
    position = _Position.of(after) if after else _Position()
    found: list[JournalEntry] = []
    for item in items:
        sort_key = item["sk"]["S"]
        read = position.entries_read if sort_key == position.sk else 0
        for number, entry in enumerate(entries_of(item)):
            if number < read:
                continue
            if len(found) == limit:
                return JournalPage(tuple(found), _Position(sort_key, number).token)
            found.append(entry)
    return JournalPage(tuple(found))


def _encoded(
    entries: Sequence[JournalEntry], key: Callable[[_Group], tuple[str, str]]
) -> tuple[dict[tuple[str, str], _EncodedGroup], dict[str, str]]:
    """Return the items to store by their keys, and the people whose entries cannot be encoded."""
    by_email: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        by_email.setdefault(entry.email, []).append(entry)
    groups: dict[tuple[str, str], _EncodedGroup] = {}
    failed: dict[str, str] = {}
    for email, members in by_email.items():
        try:
            groups |= {key(it): _EncodedGroup(it, _to_attributes(it)) for it in _by_item(members)}
        except Exception as error:  # noqa: BLE001  # the entries of all others are stored
            failed[email] = describe_defect(error)
    return groups, failed


def _by_item(entries: Sequence[JournalEntry]) -> Iterator[_Group]:
    """Yield entries by person, moment and run, in parts that fit into an item."""
    groups: dict[tuple[str, float, str], list[JournalEntry]] = {}
    for entry in entries:
        groups.setdefault((entry.email, entry.at, entry.run_id), []).append(entry)
    for (email, at, run_id), members in groups.items():
        part: list[JournalEntry] = []
        size = 0
        for member in dict.fromkeys(members):
            entry = member
            length = len(dumps(entry).encode(errors=SURROGATES))
            if length > MAX_ENTRIES_BYTES:
                entry = _with_digests(entry)
                length = len(dumps(entry).encode(errors=SURROGATES))
            if part and size + length > MAX_ENTRIES_BYTES:
                yield _Group(email, at, run_id, tuple(part))
                part, size = [], 0
            part.append(entry)
            size += length
        yield _Group(email, at, run_id, tuple(part))


def _with_digests(entry: JournalEntry) -> JournalEntry:
    """Return an entry with digests in place of texts that do not fit into an item."""
    return replace(entry, before=stored_value(entry.before), after=stored_value(entry.after))


def _run_item(
    run_id: str,
    keys: Sequence[tuple[str, str]],
    groups: Mapping[tuple[str, str], _Group],
    days: int,
) -> dict[str, AttributeValueTypeDef]:
    """Return the item that lists the keys of some items of a run."""
    at = groups[keys[0]].at
    text = json.dumps(keys, ensure_ascii=False)
    digest = hashlib.sha256(f"{SCHEMAS[ItemKind.JOURNAL_ENTRY]}{text}".encode()).hexdigest()
    return {
        "pk": {"S": f"run#{run_id}"},
        "sk": {"S": f"{_time(at)}#{digest[:DIGEST_CHARACTERS]}"},
        "expires_at": {"N": str(int(at) + days * DAY_SECONDS)},
        "keys": {"B": zlib.compress(text.encode())},
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def _to_attributes(group: _Group) -> dict[str, AttributeValueTypeDef]:
    """Return the attributes that contain the entries of one person and moment."""
    trees = [
        {name: member for name, member in encode(entry).items() if name not in OWN_ATTRIBUTES}
        for entry in group.entries
    ]
    return {
        "run_id": {"S": group.run_id},
        "at": {"N": str(group.at)},
        "entries": {"B": zlib.compress(dumps(trees).encode(errors=SURROGATES))},
    }


def _unpack(packed: Any) -> Any:  # noqa: ANN401  # any JSON
    return json.loads(zlib.decompress(bytes(packed)).decode(errors=SURROGATES))


def parse_entries(item: Item) -> list[JournalEntry]:
    """Return the entries that an item of the table contains."""
    shared = {"run_id": item["run_id"]["S"], "at": float(item["at"]["N"])}
    return [decode(JournalEntry, shared | tree) for tree in _unpack(item["entries"]["B"])]
