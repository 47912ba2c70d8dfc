"""The journal's table: by person and time, and by run.

| key | holds |
| --- | --- |
| `contact#<email>` / `<time>#<run>#<what>#<record>#<digest>` | lines of one record and moment |
| `plan#<run>` / `<email>#<run>#<what>#<record>` | the lines of a dry run about one record |
| index `by_run`: `<run>` / the same | everything a run did, or would do |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from connector.errors import RetryError, StopReason
from connector.model import JournalEntry, JournalKind, Side, Value
from connector.page_token import decode_page_token, encode_page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH_SIZE: Final = 25
"""Items in one BatchWriteItem (DynamoDB's limit)."""
TRIES: Final = 8
DAY_SECONDS: Final = 86_400
DIGEST_CHARACTERS: Final = 8
PLAN_DAYS: Final = 30
"""How long the lines of a dry run are kept: what they say is soon out of date."""


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A page of lines, and what to ask for the next one ('': this was the last)."""

    entries: tuple[JournalEntry, ...]
    next: str = ""


@dataclass(frozen=True, slots=True)
class _Position:
    """After which item a page begins ('': the first one), and how many lines of it were told."""

    pk: str = ""
    sk: str = ""
    entries_read: int = 0

    @property
    def token(self) -> str:
        return encode_page_token(json.dumps([self.pk, self.sk, self.entries_read]))

    @classmethod
    def of(cls, token: str) -> _Position:
        """Return the place of a token. Raises `ValueError` when it is none of ours."""
        match json.loads(decode_page_token(token)):
            case [str(pk), str(sk), int(taken)] if bool(pk) == bool(sk) and taken >= 0:
                return cls(pk, sk, taken)
        raise ValueError("not the next of a page")


class DynamoJournal:
    """Keeps and tells lines; `days` is how long a line is kept."""

    def __init__(self, client: DynamoDBClient, table: str, days: int) -> None:
        self._client = client
        self._table = table
        self._days = days

    def write(self, lines: Sequence[JournalEntry]) -> None:
        """Keep lines; writing the same lines twice keeps them once.

        Raises `RetryError` when DynamoDB stays busy: nothing may be done that was not journalled.
        """
        self._keep(
            {
                (f"contact#{email}", f"{_time(at)}#{about}#{_digest(mine)}"): self._item(mine)
                for (email, at, about), mine in _by_item(lines).items()
            },
            self._days,
        )

    def write_dry_run(self, lines: Sequence[JournalEntry]) -> None:
        """Keep lines of a dry run for a month, apart from people's history, in order of people."""
        self._keep(
            {
                (f"plan#{mine[0].run_id}", f"{email}#{about}"): self._item(mine)
                for (email, _, about), mine in _by_item(lines).items()
            },
            PLAN_DAYS,
        )

    def _keep(self, by_key: Mapping[tuple[str, str], dict[str, Any]], days: int) -> None:
        items = [
            item
            | {
                "pk": {"S": pk},
                "sk": {"S": sk},
                "expires_at": {"N": str(int(float(item["at"]["N"])) + days * DAY_SECONDS)},
            }
            for (pk, sk), item in by_key.items()
        ]
        for start in range(0, len(items), BATCH_SIZE):
            self._write_batch(items[start : start + BATCH_SIZE])

    def _write_batch(self, items: Sequence[dict[str, Any]]) -> None:
        request: Any = {self._table: [{"PutRequest": {"Item": item}} for item in items]}
        for _ in range(TRIES):
            answer = self._client.batch_write_item(RequestItems=request)
            request = answer.get("UnprocessedItems")
            if not request:
                return
        raise RetryError("the journal's table is busy", reason=StopReason.AWS_UNAVAILABLE)

    def person_entries(self, email: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the newest lines of one person, newest first, beginning after a page's `next`."""
        key = f"contact#{email}"
        asked: Any = {
            "KeyConditionExpression": "pk = :key",
            "ExpressionAttributeValues": {":key": {"S": key}},
            "ScanIndexForward": False,
        }
        return self._page(asked, limit, after, {"pk": key})

    def run_entries(self, run: str, limit: int = 100, after: str = "") -> JournalPage:
        """Return the lines of a run, in order, beginning after a page's `next`.

        The lines of a dry run are in order of people, those of any other run oldest first.
        """
        asked: Any = {
            "IndexName": "by_run",
            "KeyConditionExpression": "run_id = :key",
            "ExpressionAttributeValues": {":key": {"S": run}},
        }
        return self._page(asked, limit, after, {"run_id": run})

    def _page(
        self, asked: dict[str, Any], limit: int, after: str, partition: Mapping[str, str]
    ) -> JournalPage:
        """Ask for one page. Whatever `after` says, no other partition than this one is read.

        Raises `ValueError` when `after` is not a page's `next`.
        """
        place = _Position.of(after) if after else _Position()
        if place.pk:
            key = {"pk": place.pk, "sk": place.sk, **partition}
            asked["ExclusiveStartKey"] = {name: {"S": value} for name, value in key.items()}
        answer = self._client.query(TableName=self._table, Limit=limit, **asked)
        found: list[JournalEntry] = []
        for item in answer["Items"]:
            lines = parse_entries(item)[place.entries_read :]
            free = limit - len(found)
            found += lines[:free]
            if len(lines) > free:
                return JournalPage(
                    tuple(found), replace(place, entries_read=place.entries_read + free).token
                )
            place = _Position(item["pk"]["S"], item["sk"]["S"])
        return JournalPage(tuple(found), place.token if answer.get("LastEvaluatedKey") else "")

    @staticmethod
    def _item(lines: Sequence[JournalEntry]) -> dict[str, Any]:
        """Return what is kept of the lines of one record of one moment."""
        first = lines[0]
        fields = [[it.field, it.before, it.after, str(it.rule)] for it in lines]
        return {
            "run_id": {"S": first.run_id},
            "email": {"S": first.email},
            "at": {"N": str(first.at)},
            "kind": {"S": first.kind},
            "side": {"S": first.side.value},
            "record": {"S": first.record_id},
            "fields": {"S": json.dumps(fields, ensure_ascii=False)},
        }


def _by_item(
    lines: Sequence[JournalEntry],
) -> dict[tuple[str, float, str], list[JournalEntry]]:
    """Return lines by person, moment and what they are about: one write is one item."""
    together: dict[tuple[str, float, str], list[JournalEntry]] = {}
    for line in lines:
        about = f"{line.run_id}#{line.kind}#{line.record_id}"
        together.setdefault((line.email, line.at, about), []).append(line)
    return together


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def _digest(lines: Sequence[JournalEntry]) -> str:
    """Tell apart what was said of one record at one moment in several calls."""
    names = "\n".join(line.field for line in lines)
    return hashlib.sha256(names.encode()).hexdigest()[:DIGEST_CHARACTERS]


def parse_entries(item: dict[str, Any]) -> list[JournalEntry]:
    """Return the lines that an item of the table holds."""
    return [
        JournalEntry(
            email=item["email"]["S"],
            at=float(item["at"]["N"]),
            run_id=item["run_id"]["S"],
            kind=JournalKind(item["kind"]["S"]),
            side=Side(item["side"]["S"]),
            record_id=item["record"]["S"],
            field=field,
            before=_value(before),
            after=_value(after),
            rule=rule,
        )
        for field, before, after, rule in json.loads(item["fields"]["S"])
    ]


def _value(said: Any) -> Value:  # noqa: ANN401  # whatever JSON holds
    return tuple(said) if isinstance(said, list) else said
