"""Links in the ledger's table: conditional puts, pointers from records, and two indexes.

A pointer leads from a record's id to the link of the record, and from an e-mail that is not the
link's own to a link that waits for it, or whose contact in Plezi still has it. It is stored before
the link, so that no link exists without its pointers; a pointer whose link does not have that name
is ignored by every reader. A link that moves to another e-mail is stored, and the old one deleted,
in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from typing import TYPE_CHECKING, Final

from connector.aws.calls import cancellation_reasons
from connector.aws.dynamodb.item_size import MAX_ITEM_BYTES, item_bytes
from connector.aws.dynamodb.link_codec import pack, unpack
from connector.aws.dynamodb.schema import SCHEMA_ATTRIBUTE, ItemKind, whole_number
from connector.aws.dynamodb.table import Change, Condition, PutResult, Table, partition_key
from connector.aws.dynamodb.work_lists import DIRTY, query_work
from connector.errors import ConnectorError, describe_defect
from connector.model import (
    AttentionKind,
    Link,
    LinkChange,
    ProblemCode,
    Quarantine,
    SaveResult,
    Side,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, ScanInputTypeDef

    from connector.aws.dynamodb.table import Item

LINK_PREFIX: Final = "contact#"
LINK_END: Final = "contact$"
"""Sorts behind every key of a link: `$` is the character after `#`."""
POINTER_PREFIX: Final = "record#"
ATTENTION: Final = tuple(
    "+".join(kinds)
    for number in range(1, len(AttentionKind) + 1)
    for kinds in combinations(
        (
            AttentionKind.DUPLICATE,
            AttentionKind.HOLD,
            AttentionKind.QUARANTINE,
            AttentionKind.NO_EMAIL,
            AttentionKind.SHARED,
        ),
        number,
    )
)
"""The partitions of the index `attention`: every combination of `Link.attention`."""
UNREADABLE_REMEDY: Final = (
    "the stored item of this person cannot be decoded: restore the ledger's table to an earlier "
    "time, or delete the item contact#{email}, and a full run meets the person again"
)
NEW: Final = Condition("attribute_not_exists(pk)")


class LinkStore:
    """The links, the pointers from their records, and the lists of dirty and of held links."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails.

        A stored item that cannot be decoded gives a link that is not `readable`.
        """
        items = self._table.get_all(ItemKind.LINK, (f"{LINK_PREFIX}{email}" for email in emails))
        return {link.email: link for link in map(to_link, items)}

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each name with a pointer, the e-mail that the pointer leads to.

        The link of that e-mail may not have the name: the caller checks it. A damaged pointer
        counts as none.
        """
        keys = (f"{POINTER_PREFIX}{record}" for record in records)
        items = self._table.get_all(ItemKind.RECORD_POINTER, keys)
        return {
            item["pk"]["S"].removeprefix(POINTER_PREFIX): email
            for item in items
            if (email := item.get("email", {}).get("S", ""))
        }

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> SaveResult:
        """Store new states of links, each on the condition that the stored one did not change.

        `listed`: the dirty links are on a work list, and get no entry in the index `work`. Raises
        `HaltError` when a newer version of the connector stored one of these links; all others are
        stored.
        """
        _check_once(changes)
        moves = [it for it in changes if it.moved_from is not None and it.moved_from.revision]
        singles = [it for it in changes if it.moved_from is None or not it.moved_from.revision]
        pointers = [
            (it.link.email, record)
            for it in singles
            for record in sorted(it.link.names - it.link.indexed)
        ]
        defects, displaced = self._put_pointers(pointers)
        items: dict[str, dict[str, AttributeValueTypeDef]] = {}
        for it in changes:
            if it.link.email in defects:
                continue
            try:
                items[it.link.email] = _item(it.link, listed=listed)
            except Exception as error:  # noqa: BLE001  # the caller puts the link in quarantine
                defects[it.link.email] = describe_defect(error)
        puts = {
            it.link.email: (item, _at_revision(it.link.revision))
            for it in singles
            if (item := items.get(it.link.email)) is not None
        }
        results = self._table.put_each(ItemKind.LINK, list(puts.values()))
        by_email = dict(zip(puts, results, strict=True))
        for it in moves:
            if (item := items.get(it.link.email)) is None:
                continue
            try:
                by_email[it.link.email] = self._move(it, item)
            except ConnectorError:
                raise
            except Exception as error:  # noqa: BLE001  # the caller puts the link in quarantine
                defects[it.link.email] = describe_defect(error)
        defects |= dict.fromkeys(_emails(by_email, PutResult.INVALID), PutResult.INVALID.value)
        stored_emails = _emails(by_email, PutResult.STORED)
        self._forget_emails([it for it in changes if it.link.email in stored_emails])
        return SaveResult(
            refused=_emails(by_email, PutResult.REFUSED),
            too_large=_emails(by_email, PutResult.TOO_LARGE),
            defects=defects,
            displaced=displaced,
        )

    def _put_pointers(
        self, pointers: Sequence[tuple[str, str]]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Store the pointers from names to the e-mails of their links, given as (e-mail, name).

        Returns the links whose pointer cannot be stored, and for each record whose pointer led to
        another link, the e-mail of that one.
        """
        results = self._table.replace_each(
            ItemKind.RECORD_POINTER, [_pointer(name, email) for email, name in pointers]
        )
        defects: dict[str, str] = {}
        displaced: dict[str, str] = {}
        for (email, name), (result, former) in zip(pointers, results, strict=True):
            other = former.get("email", {}).get("S", email)
            if result is not PutResult.STORED:
                defects[email] = result.value
            elif other != email and not _is_email(name):
                displaced[name] = other
        return defects, displaced

    def remove_link(self, link: Link) -> bool:
        """Delete a link unless it changed, and the pointers to it; return whether it is gone."""
        try:
            self._table.delete(
                ItemKind.LINK,
                partition_key(f"{LINK_PREFIX}{link.email}"),
                Condition(
                    "attribute_not_exists(pk) OR revision = :revision",
                    values={":revision": {"N": str(link.revision)}},
                ),
            )
        except self._table.condition_failed:
            return False
        for record, email in self.owner_emails(link.names).items():
            if email == link.email:
                key = partition_key(f"{POINTER_PREFIX}{record}")
                self._table.delete(ItemKind.RECORD_POINTER, key)
        return True

    def _forget_emails(self, changes: Sequence[LinkChange]) -> None:
        """Delete the pointers from e-mails that are no names of some stored links any more."""
        for change in changes:
            before = change.link if change.moved_from is None else change.moved_from
            for name in sorted(filter(_is_email, before.indexed - change.link.names)):
                with suppress(self._table.condition_failed):
                    self._table.delete(
                        ItemKind.RECORD_POINTER,
                        partition_key(f"{POINTER_PREFIX}{name}"),
                        Condition("email = :email", values={":email": {"S": before.email}}),
                    )

    def list_unreadable(self, email: str) -> None:
        """Show a stored link that cannot be decoded to the admins, and leave its item as it is."""
        change = Change(sets="attention = :kind", values={":kind": {"S": AttentionKind.QUARANTINE}})
        exists = Condition("attribute_exists(pk)")
        with suppress(self._table.condition_failed):
            key = partition_key(f"{LINK_PREFIX}{email}")
            self._table.update(ItemKind.LINK, key, change, exists)

    def _move(self, change: LinkChange, item: dict[str, AttributeValueTypeDef]) -> PutResult:
        """Store a link under its new e-mail and delete the old one, in one transaction."""
        link, before = change.link, change.moved_from
        if before is None:
            raise TypeError("a link that moves comes from another one")
        if item_bytes(item) > MAX_ITEM_BYTES:
            return PutResult.TOO_LARGE
        old_key = partition_key(f"{LINK_PREFIX}{before.email}")
        actions = [
            self._table.put_action(ItemKind.LINK, item, _at_revision(link.revision)),
            self._table.delete_action(ItemKind.LINK, old_key, _at_revision(before.revision)),
        ]
        records = sorted(link.names - link.indexed)
        actions += [
            self._table.put_action(ItemKind.RECORD_POINTER, _pointer(record, link.email))
            for record in records
        ]
        try:
            self._table.transact(actions)
        except self._table.transaction_canceled as error:
            if "ConditionalCheckFailed" not in cancellation_reasons(error):
                raise
            self._table.get_all(ItemKind.LINK, [item["pk"]["S"], old_key["pk"]["S"]])
            self._table.get_all(
                ItemKind.RECORD_POINTER, [f"{POINTER_PREFIX}{record}" for record in records]
            )
            return PutResult.REFUSED
        return PutResult.STORED

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links on no work list, in order, the first one behind `after`.

        The index may lag behind the table.
        """
        keys = query_work(self._table, ItemKind.LINK, f"{LINK_PREFIX}{after}", LINK_END, limit)
        return [key.removeprefix(LINK_PREFIX) for key in keys]

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
            for email in self._attention(kinds, limit, after)
        ]
        return sorted(found)[:limit]

    def _attention(self, kinds: str, limit: int, after: str) -> list[str]:
        response = self._table.query(
            ItemKind.LINK,
            {
                "TableName": self._table.name,
                "IndexName": "attention",
                "KeyConditionExpression": "attention = :kinds AND pk > :after",
                "ExpressionAttributeValues": {
                    ":kinds": {"S": kinds},
                    ":after": {"S": f"{LINK_PREFIX}{after}"},
                },
                "Limit": limit,
            },
        )
        return [item["pk"]["S"].removeprefix(LINK_PREFIX) for item in response["Items"]]

    def all_emails(self, limit: int, after: str = "") -> list[str]:
        """Return the e-mails of some links, in the order of a scan, those behind `after`.

        A page of a scan may hold items of other kinds only: pages are read until one has a link.
        """
        start = partition_key(f"{LINK_PREFIX}{after}") if after else None
        while True:
            request: ScanInputTypeDef = {
                "TableName": self._table.name,
                "FilterExpression": "begins_with(pk, :prefix)",
                "ProjectionExpression": "pk",
                "ExpressionAttributeValues": {":prefix": {"S": LINK_PREFIX}},
                "Limit": limit,
                "ConsistentRead": True,
            }
            if start is not None:
                request["ExclusiveStartKey"] = start
            response = self._table.scan(request)
            start = response.get("LastEvaluatedKey")
            if response["Items"] or start is None:
                return [item["pk"]["S"].removeprefix(LINK_PREFIX) for item in response["Items"]]


def _check_once(changes: Sequence[LinkChange]) -> None:
    """Raise `ValueError` when two changes store or delete one link: one of them would be lost."""
    emails = [it.link.email for it in changes]
    emails += [before.email for it in changes if (before := it.moved_from) and before.revision]
    if len(emails) != len(set(emails)):
        raise ValueError("a put may not include several operations on one link")


def _is_email(name: str) -> bool:
    """Return whether a name is an e-mail: no record id has this character."""
    return "@" in name


def _pointer(record: str, email: str) -> dict[str, AttributeValueTypeDef]:
    return {**partition_key(f"{POINTER_PREFIX}{record}"), "email": {"S": email}}


def _item(link: Link, *, listed: bool) -> dict[str, AttributeValueTypeDef]:
    """Return the item of a link. Its revision is the next one."""
    if not link.readable:
        raise TypeError("a link that cannot be read must not be stored again")
    item: dict[str, AttributeValueTypeDef] = {
        **partition_key(f"{LINK_PREFIX}{link.email}"),
        "revision": {"N": str(link.next_revision)},
        "body": {"B": pack(link)},
    }
    if link.dirty and not listed:
        item["work"] = {"S": DIRTY}
    if attention := link.attention:
        item["attention"] = {"S": "+".join(attention)}
    return item


def _at_revision(revision: int) -> Condition:
    """Return the condition that an item has this revision; 0: that there is no item."""
    if not revision:
        return NEW
    return Condition("revision = :revision", values={":revision": {"N": str(revision)}})


def _emails(results: Mapping[str, PutResult], wanted: PutResult) -> frozenset[str]:
    return frozenset(email for email, result in results.items() if result is wanted)


def to_link(item: Item) -> Link:
    """Return the link that an item of the table contains."""
    email = item["pk"]["S"].removeprefix(LINK_PREFIX)
    return read_link(email, item)


def read_link(email: str, item: Item) -> Link:
    """Return the link in an item; one that is not `readable` where the body cannot be decoded."""
    revision = whole_number(item, "revision")
    try:
        if revision is not None and whole_number(item, SCHEMA_ATTRIBUTE) is not None:
            return unpack(email, bytes(item["body"]["B"]), revision=revision)
    except Exception:  # noqa: BLE001, S110  # the caller reports it, and all other links continue
        pass
    quarantine = Quarantine(
        Side.SALESFORCE,
        ProblemCode.DEFECT.value,
        UNREADABLE_REMEDY.format(email=email),
        (),
        0.0,
    )
    return Link(email, revision=revision or 0, readable=False, quarantine=quarantine)
