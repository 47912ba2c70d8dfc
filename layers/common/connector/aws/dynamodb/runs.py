"""Runs in the ledger's table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.dataclass_json import dumps
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Change, Table, partition_key
from connector.errors import StopReason
from connector.model import Counts, Run, RunKind, RunState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from connector.aws.dynamodb.table import Item

RUN_PREFIX: Final = "run#"
RUNS: Final = "run"
FORM_RUNS: Final = "form-run"
"""The partitions of the index `attention` that list runs."""
FORM_RUN_SECONDS: Final = 30 * 86_400
"""How long the run of a form is stored: there may be thousands a day."""
COUNT_PREFIX: Final = "n|"
LAST_KEY: Final = "~"
"""Sorts behind the id of every run."""


class RunStore:
    """The records of runs."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create_run(self, run: Run) -> None:
        """Store the record of a run that was requested."""
        request = {
            "emails": run.emails,
            "draft": run.draft,
            "include_unchanged": run.include_unchanged,
        }
        item: dict[str, AttributeValueTypeDef] = {
            **run_key(run.id),
            "attention": {"S": FORM_RUNS if run.kind is RunKind.FORM else RUNS},
            "kind": {"S": run.kind.value},
            "state": {"S": run.state.value},
            "requested_at": {"N": str(run.requested_at)},
            "invocations": {"N": "0"},
        }
        if any(request.values()):
            item["request"] = {"S": dumps(request)}
        if run.kind is RunKind.FORM:
            item["expires_at"] = {"N": str(int(run.requested_at) + FORM_RUN_SECONDS)}
        self._table.put(ItemKind.RUN, item)

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run, or None."""
        item = self._table.get(ItemKind.RUN, run_key(run))
        return None if item is None else _to_run(item)

    def list_runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        """Return the newest runs, newest first, older than the run `before`.

        The runs of forms are a separate list (`forms`), because there may be thousands a day.
        """
        response = self._table.query(
            ItemKind.RUN,
            {
                "TableName": self._table.name,
                "IndexName": "attention",
                "KeyConditionExpression": "attention = :runs AND pk < :before",
                "ExpressionAttributeValues": {
                    ":runs": {"S": FORM_RUNS if forms else RUNS},
                    ":before": {"S": f"{RUN_PREFIX}{before or LAST_KEY}"},
                },
                "Limit": limit,
                "ScanIndexForward": False,
            },
        )
        keys = [item["pk"]["S"] for item in response["Items"]]
        found = {item["pk"]["S"]: item for item in self._table.get_all(ItemKind.RUN, keys)}
        return [_to_run(found[key]) for key in sorted(found, reverse=True)]

    def start_phase(self, run: str, now: float, mapping_version: int) -> None:
        """Record that an invocation works on a run, with this version of the mapping."""
        self._table.update(
            ItemKind.RUN,
            run_key(run),
            Change(
                sets="#state = :running, started_at = if_not_exists(started_at, :now), "
                "mapping_version = :version",
                adds="invocations :one",
                names={"#state": "state"},
                values={
                    ":running": {"S": RunState.RUNNING.value},
                    ":now": {"N": str(now)},
                    ":version": {"N": str(mapping_version)},
                    ":one": {"N": "1"},
                },
            ),
        )

    def add_counts(self, run: str, counts: Counts) -> None:
        """Add to a run's counts."""
        if counts:
            self._table.update(ItemKind.RUN, run_key(run), count_change(counts))

    def finish_run(
        self,
        run: str,
        state: RunState,
        now: float,
        reason: StopReason | None = None,
        message: str = "",
    ) -> None:
        """Record how a run ended."""
        self._table.update(
            ItemKind.RUN,
            run_key(run),
            Change(
                sets="#state = :state, finished_at = :now, #reason = :reason, #message = :message",
                names={"#state": "state", "#reason": "reason", "#message": "message"},
                values={
                    ":state": {"S": state.value},
                    ":now": {"N": str(now)},
                    ":reason": {"S": reason.value if reason else ""},
                    ":message": {"S": message},
                },
            ),
        )


def run_key(run: str) -> dict[str, AttributeValueTypeDef]:
    """Return the key of a run's record."""
    return partition_key(f"{RUN_PREFIX}{run}")


def count_change(counts: Counts) -> Change:
    """Return the change that adds counts to those of a run, each in an attribute of its own."""
    numbered = [
        (number, f"{COUNT_PREFIX}{side}|{name}", amount)
        for number, ((side, name), amount) in enumerate(sorted(counts.numbers.items()))
    ]
    return Change(
        adds=", ".join(f"#n{number} :n{number}" for number, _, _ in numbered),
        names={f"#n{number}": name for number, name, _ in numbered},
        values={f":n{number}": {"N": str(amount)} for number, _, amount in numbered},
    )


def _to_run(item: Item) -> Run:
    counts: dict[str, dict[str, int]] = {}
    for attribute, value in item.items():
        if attribute.startswith(COUNT_PREFIX):
            _, side, name = attribute.split("|")
            counts.setdefault(side, {})[name] = int(value["N"])
    request = json.loads(item.get("request", {"S": "{}"})["S"])
    reason = item.get("reason", {"S": ""})["S"]
    return Run(
        id=item["pk"]["S"].removeprefix(RUN_PREFIX),
        kind=RunKind(item["kind"]["S"]),
        state=RunState(item["state"]["S"]),
        requested_at=float(item["requested_at"]["N"]),
        started_at=float(item.get("started_at", {"N": "0"})["N"]),
        finished_at=float(item.get("finished_at", {"N": "0"})["N"]),
        counts=counts,
        reason=StopReason(reason) if reason else None,
        message=item.get("message", {"S": ""})["S"],
        invocations=int(item["invocations"]["N"]),
        emails=tuple(request.get("emails", ())),
        draft=request.get("draft", ""),
        include_unchanged=request.get("include_unchanged", False),
        mapping_version=int(item.get("mapping_version", {"N": "0"})["N"]),
    )
