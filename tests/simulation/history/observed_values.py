"""What the connector read in responses: the oracle's own record of it, not the ledger's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from connector.model import RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.events import LEAD_FIELDS, TWO_WAY
from tests.simulation.history.values import canonical, field_value, records_in

OBSERVED_FIELDS = (*TWO_WAY, "function", "newsletter_optout")
FieldValues = dict[str, str]
"""Canonical values by field name (as in Plezi)."""


@dataclass
class ObservedValues:
    """Field values by record id.

    `latest`: what any process read last, or what the connector wrote. `current`: what the working
    process read. `observed_at`: the number of the last user action before a record was read in its
    current state. `visible_from`: when a transaction about a record commits (seconds); it cannot
    be read before.
    """

    latest: dict[str, FieldValues] = field(default_factory=dict)
    current: dict[str, FieldValues] = field(default_factory=dict)
    observed_at: dict[str, int] = field(default_factory=dict)
    visible_from: dict[str, float] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget every observation of values."""
        self.latest.clear()
        self.current.clear()

    @contextmanager
    def second_process(self) -> Iterator[None]:
        """Separate the observations of a second process from those of the first process.

        Afterwards the first process keeps only the values that the second process did not change.
        """
        current, observed_at = dict(self.current), dict(self.observed_at)
        self.current.clear()
        yield
        self.observed_at = observed_at
        self.current = {
            record: {
                name: value
                for name, value in values.items()
                if self.latest_of(record).get(name) == value
            }
            for record, values in current.items()
        }

    def latest_of(self, record: str) -> FieldValues:
        """Return the last observed values of a record; the caller may change them."""
        return self.latest.setdefault(record, {})

    def add_response(
        self, content: bytes, stored: Mapping[str, StoredRecord], now: float, order: int
    ) -> Iterator[tuple[str, FieldValues]]:
        """Add a response that arrives at `now` (seconds), after the user action number `order`.

        `stored` is empty unless a side may return stale records; with it, a stale record does not
        count as observed. Yields the id and the values of every record in the response.
        """
        try:
            body = json.loads(content)
        except ValueError:
            return
        for record, kind, values in records_in(body):
            latest = self.latest_of(record)
            for name in OBSERVED_FIELDS:
                wire_name = name if kind is RecordKind.PLEZI_CONTACT else LEAD_FIELDS[name]
                if kind is RecordKind.PLEZI_CONTACT or wire_name in values:
                    latest[name] = canonical(values.get(wire_name))
            actual = stored.get(record)
            is_stale = (
                actual is not None and actual.stamp and actual.stamp != values.get("updated_at")
            )
            is_exact = actual is None or all(
                field_value(actual, name) == latest.get(name) for name in TWO_WAY
            )
            if is_exact and not is_stale and now >= self.visible_from.get(record, 0.0):
                self.observed_at[record] = order
            if not is_stale:
                self.current[record] = dict(latest)
            yield record, latest
