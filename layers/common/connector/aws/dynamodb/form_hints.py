"""Whom the hints of submitted forms are about; a message of the queue has the trace id only.

`form#<trace id>` holds the e-mail or the id of the contact. So nothing of a person is in the forms
queue or its dead letters, and an erasure of the person finds it. It is deleted when the hint was
processed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Table, partition_key
from connector.model import HintedContact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from connector.retry import RetryPolicy

HINT_DAYS: Final = 19
"""A day longer than a message may wait: 4 days in its queue and 14 as a dead letter (template.yaml,
FormsQueue and FormsDeadLetters)."""
SECONDS_A_DAY: Final = 86_400


class DynamoFormHints:
    """Whom hints are about, in the ledger's table."""

    def __init__(self, client: DynamoDBClient, table: str, retry: RetryPolicy) -> None:
        self._table = Table(client, table, retry)

    def save(self, trace: str, contact: HintedContact, now: float) -> None:
        """Store whom a hint is about; `now` is in seconds since 1970. It may be repeated."""
        end = int(now) + HINT_DAYS * SECONDS_A_DAY
        self._table.put(
            ItemKind.FORM_HINT,
            {
                **_key(trace),
                "email": {"S": contact.email},
                "contact_id": {"S": contact.id},
                "expires_at": {"N": str(end)},
            },
        )

    def load(self, trace: str) -> HintedContact | None:
        """Return whom a hint is about; None after it was processed, erased or kept for 19 days."""
        item = self._table.get(ItemKind.FORM_HINT, _key(trace))
        if item is None:
            return None
        return HintedContact(item["email"]["S"], item["contact_id"]["S"])

    def delete(self, trace: str) -> None:
        """Forget whom a hint was about, because it was processed."""
        self._table.delete(ItemKind.FORM_HINT, _key(trace))


def _key(trace: str) -> dict[str, AttributeValueTypeDef]:
    return partition_key(f"form#{trace}")
