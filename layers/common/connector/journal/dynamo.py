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

from connector.errors import RetryError
from connector.journal.pages import place_of, token_of
from connector.model import JournalLine, Side, Value

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH: Final = 25
"""Items in one BatchWriteItem (DynamoDB's limit)."""
TRIES: Final = 8
DAY_SECONDS: Final = 86_400
DIGEST_CHARACTERS: Final = 8
PLAN_DAYS: Final = 30
"""How long the lines of a dry run are kept: what they say is soon out of date."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of lines, and what to ask for the next one ('': this was the last)."""

    lines: tuple[JournalLine, ...]
    next: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """After which item a page begins ('': the first one), and how many lines of it were told."""

    pk: str = ""
    sk: str = ""
    taken: int = 0

    @property
    def token(self) -> str:
        return token_of(json.dumps([self.pk, self.sk, self.taken]))

    @classmethod
    def of(cls, token: str) -> _Place:
        """Return the place of a token. Raises `ValueError` when it is none of ours."""
        match json.loads(place_of(token)):
            case [str(pk), str(sk), int(taken)] if bool(pk) == bool(sk) and taken >= 0:
                return cls(pk, sk, taken)
        raise ValueError("not the next of a page")


class DynamoJournal:
    """Keeps and tells lines; `days` is how long a line is kept."""

    def __init__(self, client: DynamoDBClient, table: str, days: int) -> None:
        self._client = client
        self._table = table
        self._days = days

    def write(self, lines: Sequence[JournalLine]) -> None:
        """Keep lines; writing the same lines twice keeps them once.

        Raises `RetryError` when DynamoDB stays busy: nothing may be done that was not journalled.
        """
        self._keep(
            {
                (f"contact#{email}", f"{_time(at)}#{about}#{_digest(mine)}"): self._item(mine)
                for (email, at, about), mine in _together(lines).items()
            },
            self._days,
        )

    def write_plan(self, lines: Sequence[JournalLine]) -> None:
        """Keep lines of a dry run for a month, apart from people's history, in order of people."""
        self._keep(
            {
                (f"plan#{mine[0].run}", f"{email}#{about}"): self._item(mine)
                for (email, _, about), mine in _together(lines).items()
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
        for start in range(0, len(items), BATCH):
            self._write_batch(items[start : start + BATCH])

    def _write_batch(self, items: Sequence[dict[str, Any]]) -> None:
        request: Any = {self._table: [{"PutRequest": {"Item": item}} for item in items]}
        for _ in range(TRIES):
            answer = self._client.batch_write_item(RequestItems=request)
            request = answer.get("UnprocessedItems")
            if not request:
                return
        raise RetryError("the journal's table is busy")

    def of_person(self, email: str, limit: int = 100, after: str = "") -> Lines:
        """Return the newest lines of one person, newest first, beginning after a page's `next`."""
        key = f"contact#{email}"
        asked: Any = {
            "KeyConditionExpression": "pk = :key",
            "ExpressionAttributeValues": {":key": {"S": key}},
            "ScanIndexForward": False,
        }
        return self._page(asked, limit, after, {"pk": key})

    def of_run(self, run: str, limit: int = 100, after: str = "") -> Lines:
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
    ) -> Lines:
        """Ask for one page. Whatever `after` says, no other partition than this one is read.

        Raises `ValueError` when `after` is not a page's `next`.
        """
        place = _Place.of(after) if after else _Place()
        if place.pk:
            key = {"pk": place.pk, "sk": place.sk, **partition}
            asked["ExclusiveStartKey"] = {name: {"S": value} for name, value in key.items()}
        answer = self._client.query(TableName=self._table, Limit=limit, **asked)
        found: list[JournalLine] = []
        for item in answer["Items"]:
            lines = lines_of(item)[place.taken :]
            free = limit - len(found)
            found += lines[:free]
            if len(lines) > free:
                return Lines(tuple(found), replace(place, taken=place.taken + free).token)
            place = _Place(item["pk"]["S"], item["sk"]["S"])
        return Lines(tuple(found), place.token if answer.get("LastEvaluatedKey") else "")

    @staticmethod
    def _item(lines: Sequence[JournalLine]) -> dict[str, Any]:
        """Return what is kept of the lines of one record of one moment."""
        first = lines[0]
        fields = [[it.field, it.before, it.after, str(it.rule)] for it in lines]
        return {
            "run_id": {"S": first.run},
            "email": {"S": first.email},
            "at": {"N": str(first.at)},
            "what": {"S": first.what},
            "side": {"S": first.side.value},
            "record": {"S": first.record},
            "fields": {"S": json.dumps(fields, ensure_ascii=False)},
        }


def _together(
    lines: Sequence[JournalLine],
) -> dict[tuple[str, float, str], list[JournalLine]]:
    """Return lines by person, moment and what they are about: one write is one item."""
    together: dict[tuple[str, float, str], list[JournalLine]] = {}
    for line in lines:
        about = f"{line.run}#{line.what}#{line.record}"
        together.setdefault((line.email, line.at, about), []).append(line)
    return together


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def _digest(lines: Sequence[JournalLine]) -> str:
    """Tell apart what was said of one record at one moment in several calls."""
    names = "\n".join(line.field for line in lines)
    return hashlib.sha256(names.encode()).hexdigest()[:DIGEST_CHARACTERS]


def lines_of(item: dict[str, Any]) -> list[JournalLine]:
    """Return the lines that an item of the table holds."""
    return [
        JournalLine(
            email=item["email"]["S"],
            at=float(item["at"]["N"]),
            run=item["run_id"]["S"],
            what=item["what"]["S"],
            side=Side(item["side"]["S"]),
            record=item["record"]["S"],
            field=field,
            before=_value(before),
            after=_value(after),
            rule=rule,
        )
        for field, before, after, rule in json.loads(item["fields"]["S"])
    ]


def _value(said: Any) -> Value:  # noqa: ANN401  # whatever JSON holds
    return tuple(said) if isinstance(said, list) else said
