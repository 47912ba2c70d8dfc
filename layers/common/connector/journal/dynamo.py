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
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from connector.errors import RetryError
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

    def of_person(self, email: str, limit: int = 100) -> list[JournalLine]:
        """Return the newest lines of one person, newest first."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :person",
            ExpressionAttributeValues={":person": {"S": f"contact#{email}"}},
            Limit=limit,
            ScanIndexForward=False,
        )
        return [line for item in answer["Items"] for line in lines_of(item)]

    def of_run(self, run: str, limit: int = 100) -> list[JournalLine]:
        """Return the first lines of a run, oldest first."""
        answer = self._client.query(
            TableName=self._table,
            IndexName="by_run",
            KeyConditionExpression="run_id = :run",
            ExpressionAttributeValues={":run": {"S": run}},
            Limit=limit,
        )
        return [line for item in answer["Items"] for line in lines_of(item)]

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
