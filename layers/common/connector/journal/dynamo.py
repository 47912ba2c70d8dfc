"""The journal's table: by person and time, and by run.

| key | holds |
| --- | --- |
| `contact#<email>` / `<time>#<run>#<what>#<record>#<field>` | one line |
| `plan#<run>` / `<email>#<what>#<record>#<field>` | one line of a dry run |
| index `by_run`: `<run>` / the same | everything a run did, or would do |
"""

from __future__ import annotations

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
PLAN_DAYS: Final = 30
"""How long the lines of a dry run are kept: what they say is soon out of date."""


class DynamoJournal:
    """Keeps and tells lines; `days` is how long a line is kept."""

    def __init__(self, client: DynamoDBClient, table: str, days: int) -> None:
        self._client = client
        self._table = table
        self._days = days

    def write(self, lines: Sequence[JournalLine]) -> None:
        """Keep lines; writing the same line twice keeps one.

        Raises `RetryError` when DynamoDB stays busy: nothing may be done that was not journalled.
        """
        self._keep({_key(line): self._item(line) for line in lines})

    def write_plan(self, lines: Sequence[JournalLine]) -> None:
        """Keep lines of a dry run for a month, apart from people's history, in order of people."""
        items = {}
        for line in lines:
            key = (f"plan#{line.run}", f"{line.email}#{line.what}#{line.record}#{line.field}")
            items[key] = self._item(line) | {
                "pk": {"S": key[0]},
                "sk": {"S": key[1]},
                "expires_at": {"N": str(int(line.at) + PLAN_DAYS * DAY_SECONDS)},
            }
        self._keep(items)

    def _keep(self, by_key: Mapping[tuple[str, str], dict[str, Any]]) -> None:
        items = list(by_key.values())
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
        return [line_of(item) for item in answer["Items"]]

    def of_run(self, run: str, limit: int = 100) -> list[JournalLine]:
        """Return the first lines of a run, oldest first."""
        answer = self._client.query(
            TableName=self._table,
            IndexName="by_run",
            KeyConditionExpression="run_id = :run",
            ExpressionAttributeValues={":run": {"S": run}},
            Limit=limit,
        )
        return [line_of(item) for item in answer["Items"]]

    def _item(self, line: JournalLine) -> dict[str, Any]:
        person, time = _key(line)
        return {
            "pk": {"S": person},
            "sk": {"S": time},
            "run_id": {"S": line.run},
            "email": {"S": line.email},
            "at": {"N": str(line.at)},
            "what": {"S": line.what},
            "side": {"S": line.side.value},
            "record": {"S": line.record},
            "field": {"S": line.field},
            "before": {"S": _text(line.before)},
            "after": {"S": _text(line.after)},
            "rule": {"S": str(line.rule)},
            "expires_at": {"N": str(int(line.at) + self._days * DAY_SECONDS)},
        }


def _key(line: JournalLine) -> tuple[str, str]:
    time = datetime.fromtimestamp(line.at, UTC).isoformat(timespec="microseconds")
    return (
        f"contact#{line.email}",
        f"{time}#{line.run}#{line.what}#{line.record}#{line.field}",
    )


def _text(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value(text: str) -> Value:
    value: Any = json.loads(text)
    return tuple(value) if isinstance(value, list) else value


def line_of(item: dict[str, Any]) -> JournalLine:
    """Return the line that an item of the table holds."""
    return JournalLine(
        email=item["email"]["S"],
        at=float(item["at"]["N"]),
        run=item["run_id"]["S"],
        what=item["what"]["S"],
        side=Side(item["side"]["S"]),
        record=item["record"]["S"],
        field=item["field"]["S"],
        before=_value(item["before"]["S"]),
        after=_value(item["after"]["S"]),
        rule=item["rule"]["S"],
    )
