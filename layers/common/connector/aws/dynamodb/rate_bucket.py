"""The rate that all functions share: one item with the time of the next free slot.

A reservation is one conditional update, `next_at = max(next_at, now) + number * gap`. An update
expression has no maximum, so there are two forms of it, each with the condition under which it is
right. Times are stored in whole microseconds, so that DynamoDB adds them exactly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Change, Condition, Table, partition_key
from connector.stores import Reservation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

RATE: Final = "rate#plezi"
MICROSECONDS: Final = 1_000_000
LONGEST_QUEUE_SECONDS: Final = 900.0
"""A next slot that is further ahead than this was not queued for: a process whose clock is wrong
stored it. The rate starts again from now."""

_IS_AHEAD: Final = "next_at > :now AND next_at <= :limit"
_IS_FREE: Final = "attribute_not_exists(next_at) OR next_at <= :now OR next_at > :limit"


class RateBucket:
    """The slots of the tenant's rate; satisfies `connector.stores.SlotStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def reserve_slots(self, now: float, number: int, gap: float) -> Reservation:
        """Reserve the next free slots, `gap` seconds apart; return the time of the first.

        Costs one write unit while slots are queued for, two when the rate was not used up: the
        refused form is charged too (DynamoDB Developer Guide, "Read and write operations").
        """
        span = math.ceil(number * gap * MICROSECONDS)
        begin = math.ceil(now * MICROSECONDS)
        bounds = {
            ":now": _number(begin),
            ":limit": _number(begin + int(LONGEST_QUEUE_SECONDS * MICROSECONDS)),
        }
        after_others = Change(sets="next_at = next_at + :span", values={":span": _number(span)})
        from_now = Change(
            sets="next_at = :end, closed_until = :never",
            values={":end": _number(begin + span), ":never": _number(0)},
        )
        behind = (after_others, Condition(_IS_AHEAD, values=bounds))
        at_once = (from_now, Condition(_IS_FREE, values=bounds))
        for change, condition in (behind, at_once):
            try:
                return self._reserve(change, condition, span)
            except self._table.condition_failed:
                continue
        return self._reserve(*behind, span)  # another process took the free slot in between

    def _reserve(self, change: Change, condition: Condition, span: int) -> Reservation:
        key = partition_key(RATE)
        item = self._table.update_returning(ItemKind.RATE_BUCKET, key, change, condition)
        return Reservation(
            (int(item["next_at"]["N"]) - span) / MICROSECONDS,
            int(item["closed_until"]["N"]) / MICROSECONDS,
        )

    def postpone_slots(self, until: float) -> None:
        """Hand out no slot before this time, unless the next free one is later anyway."""
        end = _number(math.ceil(until * MICROSECONDS))
        change = Change(sets="next_at = :until, closed_until = :until", values={":until": end})
        condition = Condition("attribute_not_exists(next_at) OR next_at < :until")
        try:
            self._table.update(ItemKind.RATE_BUCKET, partition_key(RATE), change, condition)
        except self._table.condition_failed:
            return


def _number(value: int) -> AttributeValueTypeDef:
    return {"N": str(value)}
