"""Links in the ledger's table: conditional puts in transactions, and two indexes.

A link and the pointers from its records are stored in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from connector.aws.calls import cancellation_reasons
from connector.aws.dynamodb.link_codec import LINK_PARTS, from_attributes, to_attributes
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Condition, Table, partition_key
from connector.model import AttentionKind, Link, LinkChange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from connector.aws.dynamodb.table import Item

MAX_ACTIONS: Final = 100
"""Actions in one TransactWriteItems (DynamoDB's limit)."""
LINK_PREFIX: Final = "contact#"
POINTER_PREFIX: Final = "record#"
DIRTY: Final = "dirty"
"""The partition of the index `work`."""
ATTENTION: Final = tuple(
    "+".join(kinds)
    for number in (1, 2, 3)
    for kinds in combinations(
        (AttentionKind.DUPLICATE, AttentionKind.HOLD, AttentionKind.QUARANTINE), number
    )
)
"""The partitions of the index `attention`: every combination of `Link.attention`."""
NEW: Final = Condition("attribute_not_exists(pk)")


@dataclass(frozen=True, slots=True)
class _LinkActions:
    """The actions that store one link, and the partition keys that they write."""

    email: str
    actions: tuple[TransactWriteItemTypeDef, ...]
    link_keys: tuple[str, ...]
    pointer_keys: tuple[str, ...]


class LinkStore:
    """The links, the pointers from their records, and the lists of dirty and of held links."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails."""
        items = self._table.get_all(ItemKind.LINK, (f"{LINK_PREFIX}{email}" for email in emails))
        return {link.email: link for link in map(to_link, items)}

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id that belongs to a link, the e-mail of that link."""
        keys = (f"{POINTER_PREFIX}{record}" for record in records)
        items = self._table.get_all(ItemKind.RECORD_POINTER, keys)
        return {item["pk"]["S"].removeprefix(POINTER_PREFIX): item["email"]["S"] for item in items}

    def save_links(self, changes: Sequence[LinkChange]) -> frozenset[str]:
        """Store new states of links; return the e-mails whose link had changed in between.

        Each link is stored together with its pointers, or not at all. Raises `HaltError` when a
        newer version of the connector stored one of these links; all others are stored.
        """
        refused: list[_LinkActions] = []
        group: list[_LinkActions] = []
        for change in changes:
            link_actions = self._actions(change)
            if sum(len(it.actions) for it in (*group, link_actions)) > MAX_ACTIONS:
                refused += self._transact(group)
                group = []
            group.append(link_actions)
        refused += self._transact(group)
        self._check_schemas(refused)
        return frozenset(it.email for it in refused)

    def _actions(self, change: LinkChange) -> _LinkActions:
        link, before = change.link, change.moved_from
        keys = [f"{LINK_PREFIX}{link.email}"]
        actions = [self._put_link(link)]
        if before is not None and before.revision:
            keys.append(f"{LINK_PREFIX}{before.email}")
            actions.append(
                self._table.delete_action(
                    ItemKind.LINK, partition_key(keys[-1]), _at_revision(before.revision)
                )
            )
        pointers = tuple(
            f"{POINTER_PREFIX}{record}" for record in sorted(link.record_ids - link.indexed_records)
        )
        for key in pointers:
            pointer: dict[str, AttributeValueTypeDef] = {
                **partition_key(key),
                "email": {"S": link.email},
            }
            actions.append(self._table.put_action(ItemKind.RECORD_POINTER, pointer))
        return _LinkActions(link.email, tuple(actions), tuple(keys), pointers)

    def _put_link(self, link: Link) -> TransactWriteItemTypeDef:
        item: dict[str, AttributeValueTypeDef] = {
            **partition_key(f"{LINK_PREFIX}{link.email}"),
            "revision": {"N": str(link.revision + 1)},
            **{name: {"S": text} for name, text in to_attributes(link).items()},
        }
        if link.dirty:
            item["work"] = {"S": DIRTY}
        if attention := link.attention:
            item["attention"] = {"S": "+".join(attention)}
        condition = _at_revision(link.revision) if link.revision else NEW
        return self._table.put_action(ItemKind.LINK, item, condition)

    def _transact(self, group: Sequence[_LinkActions]) -> list[_LinkActions]:
        """Store links in one transaction, without those that are refused; return the refused.

        Every repetition has fewer links, because it leaves out those that were refused.
        """
        refused: list[_LinkActions] = []
        while group:
            try:
                self._table.transact([action for it in group for action in it.actions])
            except self._table.transaction_canceled as error:
                failed = _failed(group, cancellation_reasons(error))
                if not failed:
                    raise
                refused += failed
                group = [it for it in group if it not in failed]
            else:
                break
        return refused

    def _check_schemas(self, refused: Sequence[_LinkActions]) -> None:
        """Raise `HaltError` when a link was refused because its items have a newer schema."""
        self._table.get_all(ItemKind.LINK, (key for it in refused for key in it.link_keys))
        self._table.get_all(
            ItemKind.RECORD_POINTER, (key for it in refused for key in it.pointer_keys)
        )

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links, in order, the first one behind `after`."""
        return self._index("work", DIRTY, limit, after)

    def emails_needing_attention(
        self, reason: AttentionKind, limit: int, after: str = ""
    ) -> list[str]:
        """Return e-mails of links that need attention for this reason, in order.

        A link with several reasons is in the index under their combination, so each combination is
        queried.
        """
        found = [
            email
            for kinds in ATTENTION
            if reason in kinds.split("+")
            for email in self._index("attention", kinds, limit, after)
        ]
        return sorted(found)[:limit]

    def _index(self, index: str, value: str, limit: int, after: str) -> list[str]:
        response = self._table.query(
            ItemKind.LINK,
            {
                "TableName": self._table.name,
                "IndexName": index,
                "KeyConditionExpression": "#index = :value AND pk > :after",
                "ExpressionAttributeNames": {"#index": index},
                "ExpressionAttributeValues": {
                    ":value": {"S": value},
                    ":after": {"S": f"{LINK_PREFIX}{after}"},
                },
                "Limit": limit,
            },
        )
        return [item["pk"]["S"].removeprefix(LINK_PREFIX) for item in response["Items"]]


def _at_revision(revision: int) -> Condition:
    return Condition("revision = :revision", values={":revision": {"N": str(revision)}})


def _failed(group: Sequence[_LinkActions], reasons: Sequence[str]) -> list[_LinkActions]:
    """Return the links of which an action was refused; `reasons` are in the order of actions."""
    failed = []
    start = 0
    for link_actions in group:
        end = start + len(link_actions.actions)
        if "ConditionalCheckFailed" in reasons[start:end]:
            failed.append(link_actions)
        start = end
    return failed


def to_link(item: Item) -> Link:
    """Return the link that an item of the table contains."""
    return from_attributes(
        item["pk"]["S"].removeprefix(LINK_PREFIX),
        {name: item[name]["S"] for name in LINK_PARTS if name in item},
        dirty="work" in item,
        revision=int(item["revision"]["N"]),
    )
