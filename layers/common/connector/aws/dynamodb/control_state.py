"""What decides whether a run may start: start switch, breaker, suspended pairs, API calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connector.aws.dynamodb.dataclass_json import decode, encode
from connector.aws.dynamodb.runs import count_changes, stored_counts
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.shared_documents import UNREADABLE, DocumentStore
from connector.aws.dynamodb.table import Change, Table, partition_key
from connector.errors import MASS_CHANGES, StopReason
from connector.model import Breaker, Counts

CALLS: Final = "calls#"
FORM_CHANGES: Final = "form_changes#"
BREAKER: Final = "breaker"
SWITCH: Final = "sync_switch"
SUSPENDED_PAIRS: Final = "suspended_pairs"
CLEARING: Final = "clearing_allowed"
DEFECTS: Final = "defects_allowed"
UNREADABLE_BREAKER: Final = (
    "The stored reason why runs were stopped cannot be read. Look for it in the log, correct the "
    "cause, and close the breaker (docs/operations.md)."
)
HOURS_OF_DAY: Final = 24
SECONDS_OF_HOUR: Final = 3600


class ControlState:
    """The start switch, the breaker, what an admin allowed, and the suspended pairs."""

    def __init__(self, table: Table) -> None:
        self._control_table = table
        self._documents = DocumentStore(table)

    def is_enabled(self) -> bool:
        """Return whether the start switch is on."""
        return bool((self._documents.load_document(SWITCH) or {}).get("on", False))

    def set_enabled(self, *, on: bool, now: float) -> None:
        """Turn the start switch on or off; `now` is in seconds since 1970."""
        self._documents.save_document(SWITCH, {"on": on, "since": now})

    def suspended_pairs(self) -> dict[str, str]:
        """Return the field pairs that could not be used in the last run, with the reasons."""
        return dict(self._documents.load_document(SUSPENDED_PAIRS) or {})

    def save_suspended_pairs(self, suspended: Mapping[str, str]) -> None:
        """Store which field pairs cannot be used, with the reasons."""
        self._documents.save_document(SUSPENDED_PAIRS, suspended)

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None; one that cannot be decoded is open for that reason."""
        try:
            document = self._documents.load_decision(BREAKER)
            return decode(Breaker, document) if document else None
        except UNREADABLE:
            return Breaker(StopReason.DEFECT, UNREADABLE_BREAKER, since=0.0)

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""
        self._documents.save_document(BREAKER, encode(breaker))

    def close_breaker(self) -> None:
        """Close the breaker."""
        self._documents.delete_document(BREAKER)

    def clearing_allowed_until(self) -> float:
        """Return until when (seconds since 1970) runs may change without a limit; 0: never."""
        return float((self._documents.load_document(CLEARING) or {}).get("until", 0.0))

    def defects_allowed_until(self) -> float:
        """Return until when runs go on in spite of many unexpected errors; 0: they do not."""
        return float((self._documents.load_document(DEFECTS) or {}).get("until", 0.0))

    def allow_defects(self, until: float) -> None:
        """Let runs go on in spite of many unexpected errors, until a time."""
        self._documents.save_document(DEFECTS, {"until": until})

    def add_form_changes(self, day: int, counts: Counts) -> dict[str, dict[str, int]]:
        """Add what a form changes to a day (days since 1970); return the sums, by side and counter.

        The addition is atomic: forms that are worked on at the same time see each other.
        """
        end = (day + 2) * HOURS_OF_DAY * SECONDS_OF_HOUR
        sums: dict[str, dict[str, int]] = {}
        for change in count_changes(counts):
            item = self._control_table.update_returning(
                ItemKind.CHANGE_COUNTER,
                partition_key(f"{FORM_CHANGES}{day}"),
                replace(
                    change,
                    sets="expires_at = :end",
                    values={**change.values, ":end": {"N": str(end)}},
                ),
            )
            sums = stored_counts(item)
        return sums

    def allow_clearing(self, until: float) -> None:
        """Let runs clear and overwrite without a limit until a time; close the breaker for it."""
        self._documents.save_document(CLEARING, {"until": until})
        breaker = self.breaker()
        if breaker is not None and breaker.reason in MASS_CHANGES:
            self.close_breaker()


class CallCounter:
    """The calls to Salesforce, by hour."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add_calls(self, hour: int, number: int) -> None:
        """Add calls to Salesforce to an hour (hours since 1970)."""
        end = (hour + 2 * HOURS_OF_DAY) * SECONDS_OF_HOUR
        self._table.update(
            ItemKind.CALL_COUNTER,
            partition_key(f"{CALLS}{hour}"),
            Change(
                sets="expires_at = :end",
                adds="calls :number",
                values={":number": {"N": str(number)}, ":end": {"N": str(end)}},
            ),
        )

    def calls_since(self, hour: int) -> int:
        """Return the calls to Salesforce in an hour and in the 23 hours after it."""
        hours = range(hour, hour + HOURS_OF_DAY)
        items = self._table.get_all(ItemKind.CALL_COUNTER, (f"{CALLS}{number}" for number in hours))
        return sum(int(item["calls"]["N"]) for item in items)
