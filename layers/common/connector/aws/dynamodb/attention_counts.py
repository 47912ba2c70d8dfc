"""How many people wait for a decision, counted by the index `attention`."""

from __future__ import annotations

from functools import partial

from connector.aws.dynamodb.links import ATTENTION, LINK_PREFIX
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Table
from connector.model import AttentionKind
from connector.parallel import Parallel, one_after_another


class AttentionCounts:
    """Counts the links of each partition of the index once, and all partitions at the same time.

    A link with several reasons is in the partition of their combination. To list the e-mails of
    each kind instead reads every combination as often as it has kinds: 80 queries for 31.
    """

    def __init__(self, table: Table, parallel: Parallel = one_after_another) -> None:
        self._table = table
        self._parallel = parallel

    def count(self, limit: int) -> dict[AttentionKind, int]:
        """Return how many links need each kind of decision, at most `limit`."""
        numbers = self._parallel([partial(self._count, kinds, limit) for kinds in ATTENTION])
        totals = dict.fromkeys(AttentionKind, 0)
        for kinds, number in zip(ATTENTION, numbers, strict=True):
            for kind in kinds.split("+"):
                totals[AttentionKind(kind)] += number
        return {kind: min(total, limit) for kind, total in totals.items()}

    def _count(self, kinds: str, limit: int) -> int:
        """Return how many links one combination has; one page holds more than any limit asks for.

        A key has about 100 bytes, and a page one megabyte.
        """
        response = self._table.query(
            ItemKind.LINK,
            {
                "TableName": self._table.name,
                "IndexName": "attention",
                "KeyConditionExpression": "attention = :kinds AND begins_with(pk, :link)",
                "ExpressionAttributeValues": {
                    ":kinds": {"S": kinds},
                    ":link": {"S": LINK_PREFIX},
                },
                "Limit": limit,
            },
        )
        return len(response["Items"])
