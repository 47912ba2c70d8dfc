"""What the connector read in responses: the oracle's own record of it, not the ledger's."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from connector.model import RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.fields import FIELDS
from tests.simulation.history.values import EMAIL_FIELDS, canonical, cell_value, records_in

PLEZI_NAMES = ("email", *FIELDS)
STAMPS = ("SystemModstamp", "LastModifiedDate", "updated_at", "IsConverted", "IsDeleted", "Id")
FieldValues = dict[str, str]
"""Canonical values by the field's name on its side."""


@dataclass
class ObservedValues:
    """Field values by record id.

    `latest`: what any process read last, or what the connector wrote. `current`: what the working
    process read. `observed_at`: the number of the last user action before a record was read in its
    current state. `modified`: the modification time that was read last ('': none).
    `modified_before`: those that a process knew when it was paused, while it works on.
    `modified_first`: those of the first response that showed the present values. `in_run`: the
    records that the present run read. `leads_listed_at`: the number of the last user action before
    the list of Leads was read to its end.
    """

    latest: dict[str, FieldValues] = field(default_factory=dict)
    current: dict[str, FieldValues] = field(default_factory=dict)
    observed_at: dict[str, int] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)
    modified_before: dict[str, str] = field(default_factory=dict)
    modified_first: dict[str, str] = field(default_factory=dict)
    in_run: set[str] = field(default_factory=set)
    leads_listed_at: int = 0

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
        modified = dict(self.modified)
        self.current.clear()
        yield
        self.observed_at = observed_at
        self.modified_before = modified
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
        self,
        content: bytes,
        stored: Mapping[str, StoredRecord],
        order: int,
        mapped: Mapping[RecordKind, Collection[str]],
    ) -> Iterator[str]:
        """Add a response that arrives after the user action number `order`.

        `mapped` are the fields of each kind of record in which the connector sees an edit: a record
        in which another field changed looks unchanged.

        `stored` is empty unless a side may return stale records; with it, a stale record does not
        count as observed. Yields the id of every record in the response.
        """
        if b'"attributes"' not in content:  # every record of either side has them
            return
        try:
            body = json.loads(content)
        except ValueError:
            return
        for record, kind, values in records_in(body):
            latest = self.latest_of(record)
            known = dict(latest)
            is_plezi = kind is RecordKind.PLEZI_CONTACT
            names = PLEZI_NAMES if is_plezi else [it for it in values if it not in STAMPS]
            for name in names:
                value = values.get(name)
                if not isinstance(value, dict):
                    text = canonical(value)
                    latest[name] = text.lower() if name in EMAIL_FIELDS else text
            actual = stored.get(record)
            is_stale = (
                actual is not None and actual.stamp and actual.stamp != values.get("updated_at")
            )
            is_exact = actual is None or all(
                cell_value(actual, name) == latest.get(name) for name in names
            )
            stamp = values.get("updated_at" if is_plezi else "LastModifiedDate")
            if isinstance(stamp, str):
                self.modified[record] = canonical_stamp(stamp)
                is_edited = any(latest.get(name) != known.get(name) for name in mapped[kind])
                if is_edited or record not in self.modified_first:
                    self.modified_first[record] = self.modified[record]
            if is_exact and not is_stale:
                self.observed_at[record] = order
            if not is_stale:
                self.current[record] = dict(latest)
                self.in_run.add(record)
            yield record


def canonical_stamp(stamp: str) -> str:
    """Return a modification time in one form for both sides: to the millisecond, without zone."""
    return stamp.replace("+0000", "").replace("+00:00", "").removesuffix("Z")
