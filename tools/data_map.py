"""The map of the data: what each kind of stored item has of people, how long, and what erases it.

The kinds are those of the code: `tests/docs` fails for a kind that is not in the map, and for one
that the erasure reads and the map calls free of personal data, or the reverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.aws.dynamodb.schema import ItemKind


@dataclass(frozen=True, slots=True)
class DataRow:
    """One kind of item or message: its place, what it has of people ('': nothing), and its end."""

    place: str
    personal: str
    ends: str
    erased: bool


UNTIL_REPLACED: Final = "replaced by the next one"
WITH_THE_LINK: Final = "with the link"
DATA_MAP: Final[dict[str, DataRow]] = {
    ItemKind.LINK: DataRow("Ledger", "e-mail, record ids, all values", "no end", erased=True),
    ItemKind.RECORD_POINTER: DataRow(
        "Ledger", "record id or e-mail, e-mail", WITH_THE_LINK, erased=True
    ),
    ItemKind.WORK_LIST: DataRow("Ledger", "e-mails", "when its run ends", erased=True),
    ItemKind.CURSOR: DataRow("Ledger", "", UNTIL_REPLACED, erased=False),
    ItemKind.RUN: DataRow(
        "Ledger", "e-mails that a run selected", "30 days for a form, else no end", erased=True
    ),
    ItemKind.DOCUMENT: DataRow(
        "Ledger", "record ids and hashes in lists of failures", UNTIL_REPLACED, erased=True
    ),
    ItemKind.SESSION: DataRow("Ledger", "", "at the next login; sealed", erased=False),
    ItemKind.LOGIN_LOCK: DataRow("Ledger", "", "after 60 s", erased=False),
    ItemKind.CALL_COUNTER: DataRow("Ledger", "", "after 2 days", erased=False),
    ItemKind.CHANGE_COUNTER: DataRow("Ledger", "", "after 2 days", erased=False),
    ItemKind.RATE_BUCKET: DataRow("Ledger", "", UNTIL_REPLACED, erased=False),
    ItemKind.IDEMPOTENCY_RECORD: DataRow(
        "Ledger", "", "after a day; it has the hash of a message id", erased=False
    ),
    ItemKind.FORM_HINT: DataRow(
        "Ledger",
        "e-mail or id of one contact",
        "when the form was processed, else after 19 days",
        erased=True,
    ),
    ItemKind.TOMBSTONE: DataRow(
        "Ledger", "keyed hash of an erased name", "no end, until it is lifted", erased=False
    ),
    ItemKind.JOURNAL_ENTRY: DataRow(
        "Journal", "e-mail, record id, old and new values", "`JournalDays`", erased=True
    ),
    ItemKind.AUDIT_ENTRY: DataRow("Journal", "record ids, hashes of values", "no end", erased=True),
    ItemKind.MAPPING_VERSION: DataRow("Mappings", "", "no end", erased=False),
    "message of the forms queue": DataRow(
        "forms queue",
        "",
        "after 4 days; as a dead letter after 14",
        erased=False,
    ),
    "message of the runs queue": DataRow(
        "runs queue", "", "after 4 days; as a dead letter after 14", erased=False
    ),
    "log line": DataRow("CloudWatch Logs", "hash of an e-mail", "`LogRetentionDays`", erased=False),
    "point-in-time recovery": DataRow(
        "DynamoDB", "all that the tables had", "after 35 days", erased=False
    ),
}
"""The rows, by the kind of item or message."""


def data_map_rows() -> list[list[str]]:
    """Return the rows of the table: kind, place, what it has of people, its end, its erasure."""
    return [
        [
            str(kind),
            row.place,
            row.personal or "nothing",
            row.ends,
            ("yes" if row.erased else "no") if row.personal else "-",
        ]
        for kind, row in DATA_MAP.items()
    ]
