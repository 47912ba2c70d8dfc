"""The ledger's table: conditional puts in transactions of 100, reads in batches of 100.

| key | holds |
| --- | --- |
| `contact#<email>` | a link; in the index `work` while dirty, in `attention` while it waits |
| `record#<id>` | the e-mail of the link that a record belongs to |
| `cursor#<kind>`, `run#<id>`, `state#<name>` | cursors, runs, switch, breaker, session, describes |
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from connector.errors import RetryError
from connector.ledger.codec import SCHEMA, from_attributes, to_attributes
from connector.model import (
    MASS_EMPTYING,
    Breaker,
    Change,
    Counts,
    Cursor,
    Kind,
    Link,
    Run,
    RunKind,
    RunState,
    Token,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

BATCH_GET: Final = 100
TRANSACTION: Final = 100
"""Items in one BatchGetItem, actions in one TransactWriteItems (DynamoDB's limits)."""
TRIES: Final = 8
DIRTY: Final = "dirty"
RUNS: Final = "run"
FORM_RUNS: Final = "form-run"
FORM_RUN_SECONDS: Final = 30 * 86_400
"""How long the record of a form's run is kept: there may be thousands a day."""
TREES: Final = (
    "base", "plezi", "salesforce", "intent", "holds", "quarantine", "survivor", "told",
)  # fmt: skip
COUNT_PREFIX: Final = "n|"
CALLS: Final = "calls#"
HOURS_OF_DAY: Final = 24
SECONDS_OF_HOUR: Final = 3600
LOGIN_CLAIM: Final = "claim#login"
ATTENTION: Final = tuple(
    "+".join(waits)
    for number in (1, 2, 3)
    for waits in combinations(("duplicate", "hold", "quarantine"), number)
)
"""What the index `attention` may hold for a link: every combination of `Link.attention`."""

Item = dict[str, Any]


class DynamoLedger:
    """The engine's ledger, the Salesforce gate and the store of documents, in one table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links known under these canonical e-mails."""
        items = self._get_all(f"contact#{email}" for email in emails)
        return {link.email: link for link in map(to_link, items)}

    def owners(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id that is known, the e-mail of its link."""
        items = self._get_all(f"record#{record}" for record in records)
        return {item["pk"]["S"].removeprefix("record#"): item["email"]["S"] for item in items}

    def put(self, changes: Sequence[Change]) -> frozenset[str]:
        """Store new states of links, each with its pointers in one piece.

        Returns the e-mails refused because the line had moved since it was read; all others are
        stored. Raises `RetryError` when DynamoDB stays busy.
        """
        refused: set[str] = set()
        group: list[tuple[str, list[TransactWriteItemTypeDef]]] = []
        size = 0
        for change in changes:
            actions = self._actions(change)
            if size + len(actions) > TRANSACTION:
                refused |= self._transact(group)
                group, size = [], 0
            group.append((change.link.email, actions))
            size += len(actions)
        refused |= self._transact(group)
        return frozenset(refused)

    def _actions(self, change: Change) -> list[TransactWriteItemTypeDef]:
        link, before = change.link, change.moved_from
        actions: list[TransactWriteItemTypeDef] = [self._put_link(link)]
        if before is not None and before.revision:
            actions.append(
                {
                    "Delete": {
                        "TableName": self._table,
                        "Key": {"pk": {"S": f"contact#{before.email}"}},
                        "ConditionExpression": "revision = :revision",
                        "ExpressionAttributeValues": {":revision": {"N": str(before.revision)}},
                    }
                }
            )
        for record in sorted(link.records - link.pointed):
            pointer: dict[str, AttributeValueTypeDef] = {
                "pk": {"S": f"record#{record}"},
                "email": {"S": link.email},
            }
            actions.append({"Put": {"TableName": self._table, "Item": pointer}})
        return actions

    def _put_link(self, link: Link) -> TransactWriteItemTypeDef:
        item: dict[str, AttributeValueTypeDef] = {
            "pk": {"S": f"contact#{link.email}"},
            "schema": {"N": str(SCHEMA)},
            "revision": {"N": str(link.revision + 1)},
            **{name: {"S": text} for name, text in to_attributes(link).items()},
        }
        if link.dirty:
            item["work"] = {"S": DIRTY}
        if waits := link.attention:
            item["attention"] = {"S": "+".join(waits)}
        if not link.revision:
            return {
                "Put": {
                    "TableName": self._table,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": {":revision": {"N": str(link.revision)}},
            }
        }

    def _transact(self, group: list[tuple[str, list[TransactWriteItemTypeDef]]]) -> set[str]:
        """Write groups of actions together; drop the groups refused and write the others again."""
        refused: set[str] = set()
        for _ in range(TRIES):
            if not group:
                return refused
            actions = [action for _, mine in group for action in mine]
            try:
                self._client.transact_write_items(TransactItems=actions)
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = [it.get("Code", "") for it in error.response["CancellationReasons"]]
                failed = _failed_groups(group, reasons)
                refused |= failed
                group = [(email, mine) for email, mine in group if email not in failed]
            else:
                return refused
        raise RetryError("the ledger's table is busy")

    def dirty(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links, in order, beginning after one."""
        return self._index("work", DIRTY, limit, after)

    def waiting(self, reason: str, limit: int, after: str = "") -> list[str]:
        """Return e-mails of links that wait for a person, in order.

        `reason` is `hold`, `quarantine` or `duplicate`. A link that waits for several stands in the
        index under all of them together, so each combination is asked.
        """
        found = [
            email
            for waits in ATTENTION
            if reason in waits.split("+")
            for email in self._index("attention", waits, limit, after)
        ]
        return sorted(found)[:limit]

    def _index(self, index: str, value: str, limit: int, after: str) -> list[str]:
        answer = self._client.query(
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression="#index = :value AND pk > :after",
            ExpressionAttributeNames={"#index": index},
            ExpressionAttributeValues={
                ":value": {"S": value},
                ":after": {"S": f"contact#{after}"},
            },
            Limit=limit,
        )
        return [item["pk"]["S"].removeprefix("contact#") for item in answer["Items"]]

    def cursor(self, kind: Kind) -> Cursor:
        """Return the cursor of a kind of record; an empty one at first."""
        item = self._get(f"cursor#{kind.value}")
        if item is None:
            return Cursor(kind)
        return Cursor(kind, *json.loads(item["document"]["S"]))

    def checkpoint(self, cursor: Cursor, run: str, counts: Counts) -> None:
        """Keep a cursor and add to the run's counts, in one transaction."""
        document = [
            cursor.watermark,
            cursor.place,
            cursor.cover,
            cursor.begun,
            cursor.completed,
            cursor.full,
            cursor.version,
            cursor.applied,
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
            actions.append({"Update": _counting(self._table, run, counts)})
        self._client.transact_write_items(TransactItems=actions)

    def add_run(self, run: Run) -> None:
        """Write down the record of a run that was requested."""
        asked = {"emails": run.emails, "draft": run.draft, "everybody": run.everybody}
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

    def run(self, run: str) -> Run | None:
        """Return the record of a run."""
        item = self._get(f"run#{run}")
        return None if item is None else _to_run(item)

    def runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
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

    def start_part(self, run: str, now: float, mapping_version: int) -> None:
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

    def count(self, run: str, counts: Counts) -> None:
        """Add to a run's counts."""
        if counts:
            self._client.update_item(**_counting(self._table, run, counts))

    def finish_run(
        self, run: str, state: RunState, now: float, reason: str = "", message: str = ""
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
                ":reason": {"S": reason},
                ":message": {"S": message},
            },
        )

    def started(self) -> bool:
        """Whether the start switch is on."""
        return bool((self.document("switch") or {}).get("on", False))

    def switch(self, *, on: bool, now: float) -> None:
        """Turn the start switch."""
        self.keep_document("switch", {"on": on, "since": now})

    def applied_version(self) -> int | None:
        """Return the version of the mapping that was last applied to everybody; None: never."""
        applied = {self.cursor(kind).applied for kind in Kind}
        return applied.pop() if len(applied) == 1 and applied != {-1} else None

    def parked(self) -> dict[str, str]:
        """Return the lines that could not work at the last run, with the reasons."""
        return dict(self.document("parked") or {})

    def keep_parked(self, parked: Mapping[str, str]) -> None:
        """Keep which lines cannot work, and why."""
        self.keep_document("parked", parked)

    def add_calls(self, hour: int, number: int) -> None:
        """Count calls to Salesforce in an hour (hours since 1970)."""
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"{CALLS}{hour}"}},
            UpdateExpression="ADD calls :number SET expires_at = :end",
            ExpressionAttributeValues={
                ":number": {"N": str(number)},
                ":end": {"N": str((hour + 2 * HOURS_OF_DAY) * SECONDS_OF_HOUR)},
            },
        )

    def calls_since(self, hour: int) -> int:
        """Return the calls to Salesforce in an hour and the 23 after it."""
        items = self._get_all(f"{CALLS}{each}" for each in range(hour, hour + HOURS_OF_DAY))
        return sum(int(item["calls"]["N"]) for item in items)

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""
        document = self.document("breaker")
        return Breaker(**document) if document else None

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""
        self.keep_document(
            "breaker",
            {
                "reason": breaker.reason,
                "message": breaker.message,
                "since": breaker.since,
                "secret_version": breaker.secret_version,
            },
        )

    def emptying_allowed_until(self) -> float:
        """Return until when (our clock, seconds) a person lets runs empty many fields; 0: never."""
        return float((self.document("emptying") or {}).get("until", 0.0))

    def allow_emptying(self, until: float) -> None:
        """Let runs empty many fields until then, and close the breaker that this had opened."""
        self.keep_document("emptying", {"until": until})
        breaker = self.breaker()
        if breaker is not None and breaker.reason == MASS_EMPTYING:
            self.close_breaker()

    def close_breaker(self) -> None:
        """Close the breaker."""
        self._client.delete_item(TableName=self._table, Key={"pk": {"S": "state#breaker"}})

    def token(self) -> Token | None:
        """Return the session kept, if any."""
        document = self.document("session")
        return Token(**document) if document else None

    def keep_token(self, token: Token) -> None:
        """Keep a session for all invocations."""
        self.keep_document(
            "session",
            {
                "access_token": token.access_token,
                "instance_url": token.instance_url,
                "secret_version": token.secret_version,
            },
        )

    def claim_login(self, now: float, seconds: float) -> bool:
        """Keep others from logging in for some seconds; False while somebody else does.

        A password that was reset is then refused once, however many invocations run at that time.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item={"pk": {"S": LOGIN_CLAIM}, "until": {"N": str(now + seconds)}},
                ConditionExpression="attribute_not_exists(pk) OR #until < :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":now": {"N": str(now)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def release_login(self) -> None:
        """Let others log in."""
        self._client.delete_item(TableName=self._table, Key={"pk": {"S": LOGIN_CLAIM}})

    def document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""
        item = self._get(f"state#{key}")
        if item is None:
            return None
        packed = base64.b64decode(item["document"]["S"])
        document: dict[str, Any] = json.loads(zlib.decompress(packed))
        return document

    def keep_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key, compressed: a describe is large, an item 400 KB at most."""
        packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode())
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"state#{key}"},
                "document": {"S": base64.b64encode(packed).decode("ascii")},
            },
        )

    def _get(self, key: str) -> Item | None:
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": key}}, ConsistentRead=True
        )
        return answer.get("Item")

    def _get_all(self, keys: Iterable[str]) -> list[Item]:
        wanted = sorted(set(keys))
        items: list[Item] = []
        for start in range(0, len(wanted), BATCH_GET):
            items += self._batch_get(wanted[start : start + BATCH_GET])
        return items

    def _batch_get(self, keys: Sequence[str]) -> list[Item]:
        request: Mapping[str, Any] = {
            self._table: {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}
        }
        items: list[Item] = []
        for _ in range(TRIES):
            answer = self._client.batch_get_item(RequestItems=request)
            items += answer["Responses"].get(self._table, [])
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                return items
        raise RetryError("the ledger's table is busy")


def _failed_groups(
    group: Sequence[tuple[str, Sequence[object]]], reasons: Sequence[str]
) -> set[str]:
    failed = set()
    place = 0
    for email, mine in group:
        if "ConditionalCheckFailed" in reasons[place : place + len(mine)]:
            failed.add(email)
        place += len(mine)
    return failed


def to_link(item: Item) -> Link:
    """Return the link that an item of the table holds."""
    return from_attributes(
        item["pk"]["S"].removeprefix("contact#"),
        {name: item[name]["S"] for name in TREES if name in item},
        dirty="work" in item,
        revision=int(item["revision"]["N"]),
    )


def _counting(table: str, run: str, counts: Counts) -> Any:  # noqa: ANN401  # fits two requests
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
        reason=item.get("reason", {"S": ""})["S"],
        message=item.get("message", {"S": ""})["S"],
        invocations=int(item["invocations"]["N"]),
        emails=tuple(asked.get("emails", ())),
        draft=asked.get("draft", ""),
        everybody=asked.get("everybody", False),
        mapping_version=int(item.get("mapping_version", {"N": "0"})["N"]),
    )
