"""Links in the ledger's table: conditional puts in transactions, found by work and attention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.link_codec import SCHEMA, from_attributes, to_attributes
from connector.aws.dynamodb.table import TRIES, Item, Table
from connector.errors import RetryError, StopReason
from connector.model import Link, LinkChange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

MAX_ACTIONS: Final = 100
"""Actions in one TransactWriteItems (DynamoDB's limit)."""
DIRTY: Final = "dirty"
LINK_PARTS: Final = (
    "base", "plezi", "salesforce", "intent", "holds", "quarantine", "primary_lead", "recent_writes",
)  # fmt: skip
ATTENTION: Final = tuple(
    "+".join(waits)
    for number in (1, 2, 3)
    for waits in combinations(("duplicate", "hold", "quarantine"), number)
)
"""What the index `attention` may hold for a link: every combination of `Link.attention`."""


class LinkTable(Table):
    """The links, and the pointers that lead to them from their records."""

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links known under these canonical e-mails."""
        items = self._get_all(f"contact#{email}" for email in emails)
        return {link.email: link for link in map(to_link, items)}

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id that is known, the e-mail of its link."""
        items = self._get_all(f"record#{record}" for record in records)
        return {item["pk"]["S"].removeprefix("record#"): item["email"]["S"] for item in items}

    def save_links(self, changes: Sequence[LinkChange]) -> frozenset[str]:
        """Store new states of links, each with its pointers in one piece.

        Returns the e-mails refused because the line had moved since it was read; all others are
        stored. Raises `RetryError` when DynamoDB stays busy.
        """
        refused: set[str] = set()
        group: list[tuple[str, list[TransactWriteItemTypeDef]]] = []
        size = 0
        for change in changes:
            actions = self._actions(change)
            if size + len(actions) > MAX_ACTIONS:
                refused |= self._transact(group)
                group, size = [], 0
            group.append((change.link.email, actions))
            size += len(actions)
        refused |= self._transact(group)
        return frozenset(refused)

    def _actions(self, change: LinkChange) -> list[TransactWriteItemTypeDef]:
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
        for record in sorted(link.record_ids - link.indexed_records):
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
        raise RetryError("the ledger's table is busy", reason=StopReason.AWS_UNAVAILABLE)

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links, in order, beginning after one."""
        return self._index("work", DIRTY, limit, after)

    def emails_needing_attention(self, reason: str, limit: int, after: str = "") -> list[str]:
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
        {name: item[name]["S"] for name in LINK_PARTS if name in item},
        dirty="work" in item,
        revision=int(item["revision"]["N"]),
    )
