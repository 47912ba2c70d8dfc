"""How far the readings came, and the records of runs, in the ledger's table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from connector.aws.dynamodb.table import Item, Table
from connector.errors import StopReason
from connector.model import Counts, Cursor, RecordKind, Run, RunKind, RunState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

RUNS: Final = "run"
FORM_RUNS: Final = "form-run"
FORM_RUN_SECONDS: Final = 30 * 86_400
"""How long the record of a form's run is kept: there may be thousands a day."""
COUNT_PREFIX: Final = "n|"


class RunAndCursorTable(Table):
    """Cursors and runs."""

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record; an empty one at first."""
        item = self._get(f"cursor#{kind.value}")
        if item is None:
            return Cursor(kind)
        return Cursor(kind, *json.loads(item["document"]["S"]))

    def checkpoint(self, cursor: Cursor, run: str, counts: Counts) -> None:
        """Keep a cursor and add to the run's counts, in one transaction."""
        document = [
            cursor.watermark,
            cursor.position,
            cursor.next_watermark,
            cursor.started_at,
            cursor.completed_at,
            cursor.full,
            cursor.mapping_version,
            cursor.applied_version,
        ]
        put: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._table,
                "Item": {
                    "pk": {"S": f"cursor#{cursor.kind.value}"},
                    "document": {"S": json.dumps(document)},
                },
            }
        }
        actions = [put]
        if counts:
            actions.append({"Update": _count_update(self._table, run, counts)})
        self._client.transact_write_items(TransactItems=actions)

    def applied_version(self) -> int | None:
        """Return the version of the mapping that was last applied to everybody; None: never."""
        applied = {self.load_cursor(kind).applied_version for kind in RecordKind}
        return applied.pop() if len(applied) == 1 and applied != {-1} else None

    def create_run(self, run: Run) -> None:
        """Write down the record of a run that was requested."""
        asked = {
            "emails": run.emails,
            "draft": run.draft,
            "include_unchanged": run.include_unchanged,
        }
        item: dict[str, AttributeValueTypeDef] = {
            "pk": {"S": f"run#{run.id}"},
            "attention": {"S": FORM_RUNS if run.kind is RunKind.FORM else RUNS},
            "kind": {"S": run.kind.value},
            "state": {"S": run.state.value},
            "requested_at": {"N": str(run.requested_at)},
            "invocations": {"N": "0"},
        }
        if any(asked.values()):
            item["asked"] = {"S": json.dumps(asked, ensure_ascii=False)}
        if run.kind is RunKind.FORM:
            item["expires_at"] = {"N": str(int(run.requested_at) + FORM_RUN_SECONDS)}
        self._client.put_item(TableName=self._table, Item=item)

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run."""
        item = self._get(f"run#{run}")
        return None if item is None else _to_run(item)

    def list_runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        """Return the records of the newest runs, newest first, beginning before one.

        The runs of forms are a list of their own (`forms`), for there may be thousands a day.
        """
        answer = self._client.query(
            TableName=self._table,
            IndexName="attention",
            KeyConditionExpression="attention = :runs AND pk < :before",
            ExpressionAttributeValues={
                ":runs": {"S": FORM_RUNS if forms else RUNS},
                ":before": {"S": f"run#{before or '~'}"},
            },
            Limit=limit,
            ScanIndexForward=False,
        )
        found = {
            item["pk"]["S"]: item
            for item in self._get_all(item["pk"]["S"] for item in answer["Items"])
        }
        return [_to_run(found[key]) for key in sorted(found, reverse=True)]

    def start_phase(self, run: str, now: float, mapping_version: int) -> None:
        """Note that an invocation works on a run, and with which version of the mapping."""
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"run#{run}"}},
            UpdateExpression=(
                "SET #state = :running, started_at = if_not_exists(started_at, :now), "
                "mapping_version = :version "
                "ADD invocations :one"
            ),
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={
                ":running": {"S": RunState.RUNNING.value},
                ":now": {"N": str(now)},
                ":version": {"N": str(mapping_version)},
                ":one": {"N": "1"},
            },
        )

    def add_counts(self, run: str, counts: Counts) -> None:
        """Add to a run's counts."""
        if counts:
            self._client.update_item(**_count_update(self._table, run, counts))

    def finish_run(
        self,
        run: str,
        state: RunState,
        now: float,
        reason: StopReason | None = None,
        message: str = "",
    ) -> None:
        """Note how a run ended."""
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"run#{run}"}},
            UpdateExpression="SET #state = :state, finished_at = :now, #reason = :reason, "
            "#message = :message",
            ExpressionAttributeNames={
                "#state": "state",
                "#reason": "reason",
                "#message": "message",
            },
            ExpressionAttributeValues={
                ":state": {"S": state.value},
                ":now": {"N": str(now)},
                ":reason": {"S": reason.value if reason else ""},
                ":message": {"S": message},
            },
        )


def _count_update(table: str, run: str, counts: Counts) -> Any:  # noqa: ANN401  # fits two requests
    names = {}
    values = {}
    parts = []
    for number, ((side, what), amount) in enumerate(sorted(counts.numbers.items())):
        names[f"#n{number}"] = f"{COUNT_PREFIX}{side}|{what}"
        values[f":n{number}"] = {"N": str(amount)}
        parts.append(f"#n{number} :n{number}")
    return {
        "TableName": table,
        "Key": {"pk": {"S": f"run#{run}"}},
        "UpdateExpression": f"ADD {', '.join(parts)}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _to_run(item: Item) -> Run:
    counts: dict[str, dict[str, int]] = {}
    for name, value in item.items():
        if name.startswith(COUNT_PREFIX):
            _, side, what = name.split("|")
            counts.setdefault(side, {})[what] = int(value["N"])
    asked = json.loads(item.get("asked", {"S": "{}"})["S"])
    return Run(
        id=item["pk"]["S"].removeprefix("run#"),
        kind=RunKind(item["kind"]["S"]),
        state=RunState(item["state"]["S"]),
        requested_at=float(item["requested_at"]["N"]),
        started_at=float(item.get("started_at", {"N": "0"})["N"]),
        finished_at=float(item.get("finished_at", {"N": "0"})["N"]),
        counts=counts,
        reason=StopReason(said) if (said := item.get("reason", {"S": ""})["S"]) else None,
        message=item.get("message", {"S": ""})["S"],
        invocations=int(item["invocations"]["N"]),
        emails=tuple(asked.get("emails", ())),
        draft=asked.get("draft", ""),
        include_unchanged=asked.get("include_unchanged", False),
        mapping_version=int(item.get("mapping_version", {"N": "0"})["N"]),
    )
