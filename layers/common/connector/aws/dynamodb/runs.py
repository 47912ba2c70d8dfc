"""Runs in the ledger's table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.dataclass_json import dumps, loads
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Change, Table, partition_key
from connector.errors import StopReason
from connector.model import (
    Counts,
    MappingProblem,
    Phase,
    Progress,
    Run,
    RunKind,
    RunState,
    UndoRequest,
    WorkList,
)

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
MAX_COUNTS: Final = 100
"""Counts that one change adds: about 1.5 KB of its expression."""
NO_PROGRESS: Final = Progress()
PROGRESS: Final = tuple(field.name for field in fields(Progress))
"""The attributes of a run that hold its progress."""
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
            "first": run.first,
            "skip_stages": run.skip_stages,
            "undo": run.undo,
            "repairs": run.repairs,
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

    def start_phase(self, run: str, now: float, mapping_version: int, phase: Phase) -> None:
        """Record that an invocation works on a phase of a run, with this version of the mapping."""
        self._table.update(
            ItemKind.RUN,
            run_key(run),
            Change(
                sets="#state = :running, started_at = if_not_exists(started_at, :now), "
                "mapping_version = :version, phase = :phase, active_at = :now",
                adds="invocations :one",
                names={"#state": "state"},
                values={
                    ":running": {"S": RunState.RUNNING.value},
                    ":now": {"N": str(now)},
                    ":version": {"N": str(mapping_version)},
                    ":phase": {"S": phase.value},
                    ":one": {"N": "1"},
                },
            ),
        )

    def add_counts(self, run: str, counts: Counts, progress: Progress = NO_PROGRESS) -> None:
        """Add to a run's counts and progress."""
        for change in count_changes(counts, progress):
            self._table.update(ItemKind.RUN, run_key(run), change)

    def end_invocation(
        self,
        run: str,
        *,
        idle: int,
        position: WorkList | None = None,
        visited_lists: int = 0,
    ) -> None:
        """Record the last invocations without progress, and the position; forget an error."""
        place = "" if position is None else dumps(position)
        self._table.update(
            ItemKind.RUN,
            run_key(run),
            Change(
                sets="idle = :idle, #error = :error, place = :place, visited_lists = :visited",
                names={"#error": "error"},
                values={
                    ":idle": {"N": str(idle)},
                    ":error": {"S": ""},
                    ":place": {"S": place},
                    ":visited": {"N": str(visited_lists)},
                },
            ),
        )

    def note_error(self, run: str, error: str) -> None:
        """Record the unexpected error of an invocation; the place of the run stays."""
        self._table.update(
            ItemKind.RUN,
            run_key(run),
            Change(
                sets="#error = :error",
                names={"#error": "error"},
                values={":error": {"S": error}},
            ),
        )

    def save_problems(self, run: str, problems: tuple[MappingProblem, ...]) -> None:
        """Record the problems of the mapping of a dry run, in the place of earlier ones."""
        self._table.update(
            ItemKind.RUN,
            run_key(run),
            Change(sets="problems = :problems", values={":problems": {"S": dumps(problems)}}),
        )

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


def count_changes(counts: Counts, progress: Progress = NO_PROGRESS) -> Iterator[Change]:
    """Yield the changes that add counts and progress to a run, each of them small enough.

    Counts by field may be hundreds, and an expression has 4 KB at most (Amazon DynamoDB Developer
    Guide, Quotas).
    """
    numbers = [(key, number) for key, number in counts.numbers.items() if number]
    for start in range(0, len(numbers), MAX_COUNTS):
        part = Counts()
        part.numbers.update(dict(numbers[start : start + MAX_COUNTS]))
        yield count_change(part, NO_PROGRESS if start else progress)
    if not numbers and progress != NO_PROGRESS:
        yield count_change(counts, progress)


def count_change(counts: Counts, progress: Progress = NO_PROGRESS) -> Change:
    """Return the change that adds counts and progress to a run, each in its own attribute."""
    amounts = {
        f"{COUNT_PREFIX}{side}|{name}": amount
        for (side, name), amount in sorted(counts.numbers.items())
    }
    amounts |= {name: amount for name in PROGRESS if (amount := getattr(progress, name))}
    numbered = [(number, name, amount) for number, (name, amount) in enumerate(amounts.items())]
    return Change(
        adds=", ".join(f"#n{number} :n{number}" for number, _, _ in numbered),
        names={f"#n{number}": name for number, name, _ in numbered},
        values={f":n{number}": {"N": str(amount)} for number, _, amount in numbered},
    )


def stored_counts(item: Item) -> dict[str, dict[str, int]]:
    """Return the counts of an item, by side and name."""
    counts: dict[str, dict[str, int]] = {}
    for attribute, value in item.items():
        if attribute.startswith(COUNT_PREFIX):
            _, side, name = attribute.split("|", 2)
            counts.setdefault(side, {})[name] = int(value["N"])
    return counts


def _to_run(item: Item) -> Run:
    counts = stored_counts(item)
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
        first=request.get("first", False),
        skip_stages=request.get("skip_stages", False),
        undo=UndoRequest(**undo) if (undo := request.get("undo")) else None,
        repairs=request.get("repairs", ""),
        mapping_version=int(item.get("mapping_version", {"N": "0"})["N"]),
        phase=Phase(phase) if (phase := item.get("phase", {"S": ""})["S"]) else None,
        active_at=float(item.get("active_at", {"N": "0"})["N"]),
        progress=Progress(**{name: int(item.get(name, {"N": "0"})["N"]) for name in PROGRESS}),
        idle=int(item.get("idle", {"N": "0"})["N"]),
        error=item.get("error", {"S": ""})["S"],
        visited_lists=int(item.get("visited_lists", {"N": "0"})["N"]),
        position=loads(WorkList, place) if (place := item.get("place", {"S": ""})["S"]) else None,
        problems=loads(tuple[MappingProblem, ...], item.get("problems", {"S": "[]"})["S"]),
    )
