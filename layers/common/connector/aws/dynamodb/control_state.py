"""What decides whether a run may start: start switch, breaker, suspended pairs, API calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connector.aws.dynamodb.dataclass_json import decode, encode
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.shared_documents import DocumentStore
from connector.aws.dynamodb.table import Change, Table, partition_key
from connector.errors import StopReason
from connector.model import Breaker

CALLS: Final = "calls#"
BREAKER: Final = "breaker"
SWITCH: Final = "sync_switch"
SUSPENDED_PAIRS: Final = "suspended_pairs"
CLEARING: Final = "clearing_allowed"
HOURS_OF_DAY: Final = 24
SECONDS_OF_HOUR: Final = 3600


class ControlState:
    """The start switch, the breaker, the permission to clear fields, and the suspended pairs."""

    def __init__(self, table: Table) -> None:
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
        """Return the open breaker, or None."""
        document = self._documents.load_document(BREAKER)
        return decode(Breaker, document) if document else None

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""
        self._documents.save_document(BREAKER, encode(breaker))

    def close_breaker(self) -> None:
        """Close the breaker."""
        self._documents.delete_document(BREAKER)

    def clearing_allowed_until(self) -> float:
        """Return until when (seconds since 1970) runs may clear many fields; 0: they may not."""
        return float((self._documents.load_document(CLEARING) or {}).get("until", 0.0))

    def allow_clearing(self, until: float) -> None:
        """Allow runs to clear many fields until a time; close the breaker that prevented it."""
        self._documents.save_document(CLEARING, {"until": until})
        breaker = self.breaker()
        if breaker is not None and breaker.reason == StopReason.MASS_CLEARING:
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
