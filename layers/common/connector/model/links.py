"""The nouns of the connector: sides, observations, links, intents. Immutable, and nothing else.

A *link* is the belief that records on both sides are one person. It holds three trees: `base` (what
each record said, in its own words, when the sides last agreed), `plezi` and `salesforce` (what each
side was last seen to say). Nobody compares clocks to find a change: an observation either equals
its base or it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

Value = str | bool | int | float | tuple[str, ...] | None
Values = Mapping[str, Value]

NO_VALUES: Final[Values] = MappingProxyType({})
NEW_RECORD: Final = ""
"""The id of a record that is still to be created."""


class Side(StrEnum):
    """One of the two systems; never 'source' and 'target', for each is both."""

    PLEZI = "plezi"
    SALESFORCE = "salesforce"

    @property
    def other(self) -> Side:
        """The side across."""
        return Side.SALESFORCE if self is Side.PLEZI else Side.PLEZI


class RecordKind(StrEnum):
    """What a record is on its side, spelled as that side spells it."""

    PLEZI_CONTACT = "contact"
    LEAD = "Lead"
    CONTACT = "Contact"

    @property
    def side(self) -> Side:
        """The side on which records of this kind live."""
        return Side.PLEZI if self is RecordKind.PLEZI_CONTACT else Side.SALESFORCE


@dataclass(frozen=True, slots=True)
class Observation:
    """What one record was last seen to say, in its own words, and how fresh that is.

    `version` orders the states of one record (text that sorts: a stamp of its own side). `modified`
    is the stamp that people see, ISO 8601 in UTC; the `newest` policy uses it, change detection
    never does. `as_of` is our own clock (seconds) when the read began or the write was answered.
    `successor` is the record in which this one goes on: the winner of a merge, the Contact of a
    converted Lead. A field that is not among `values` was not read: unknown, which is not blank.
    """

    kind: RecordKind
    id: str
    email: str
    version: str
    modified: str
    as_of: float
    values: Values
    eligible: bool = True
    converted: bool = False
    deleted: bool = False
    successor: str = ""

    @property
    def side(self) -> Side:
        """The side that said it."""
        return self.kind.side

    @property
    def is_active(self) -> bool:
        """Whether the record can still take part: neither deleted nor converted."""
        return not (self.deleted or self.converted)

    @property
    def participates(self) -> bool:
        """Whether the record is synchronised: alive, let through by the filter, with an e-mail."""
        return self.is_active and self.eligible and bool(self.email)


@dataclass(frozen=True, slots=True)
class Write:
    """One create (`record_outcomes` is NEW_RECORD) or update, and the state of the record it rests on.

    `email` is the link's: the identity, also where it is not among the values written.
    """

    kind: RecordKind
    record_id: str
    email: str
    values: Values
    before: Values = field(default_factory=lambda: NO_VALUES)
    version: str = ""

    @property
    def side(self) -> Side:
        """The side that is written to."""
        return self.kind.side

    @property
    def is_create(self) -> bool:
        """Whether the write makes a new record."""
        return self.record_id == NEW_RECORD


@dataclass(frozen=True, slots=True)
class BaseUpdate:
    """What becomes the base of one mapping line once its writes are done.

    `values` holds, for each record, its field and what it will then have said. `needs` names the
    records whose writes must be done first. `left` holds, for each record that takes no part now
    and is not told, its field: what it once agreed to is no agreement from then on.
    """

    pair: str
    values: Mapping[str, tuple[str, Value]]
    required_writes: frozenset[str]
    rule: str = ""
    invalidated: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Intent:
    """The decision about one link, written down before it is carried out (rule 4).

    `at` is our clock in seconds. `in_doubt` says that a write was sent and its answer never heard,
    so that anybody may judge it at once; otherwise only an intent older than the worker's time-out
    may be taken over, for its owner may still be at work.
    """

    id: str
    run_id: str
    at: float
    writes: tuple[Write, ...]
    base_updates: tuple[BaseUpdate, ...]
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """One field that waits for a person; `values` is what each record said when it was held.

    `chosen` is the record whose word the person chose; it counts as long as the words are these.
    """

    reason: str
    since: float
    values: Mapping[str, Value]
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class RecentWrite:
    """A word that we wrote over another one that had been agreed; `at` is our clock in seconds."""

    record_id: str
    value: str
    at: float


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A refusal that waits for a change or for `retry`; `code` is the far side's own word."""

    side: Side
    code: str
    remedy: str
    fields: tuple[str, ...]
    since: float
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Link:
    """All that is known of one person; `email` is canonical and is the key in the ledger.

    `revision` counts the states of this line in the ledger (0: not stored yet). `base` is by record
    id, then by that record's field. `indexed_records` are the records by whose id the ledger can find this
    line. `primary_lead` is the Lead that a person picked among several of one e-mail. `recent_writes` are, by
    line, the words of the last day that we wrote over others: automations that undo each other are
    known by them.
    """

    email: str
    plezi: Observation | None = None
    salesforce: tuple[Observation, ...] = ()
    base: Mapping[str, Values] = field(default_factory=lambda: MappingProxyType({}))
    intent: Intent | None = None
    holds: Mapping[str, Hold] = field(default_factory=lambda: MappingProxyType({}))
    quarantine: Quarantine | None = None
    dirty: bool = False
    revision: int = 0
    indexed_records: frozenset[str] = frozenset()
    primary_lead: str = ""
    recent_writes: Mapping[str, tuple[RecentWrite, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def observations(self) -> Iterator[Observation]:
        """Yield Plezi's observation first, then those of Salesforce, in a stable order."""
        if self.plezi is not None:
            yield self.plezi
        yield from self.salesforce

    def observation(self, record: str) -> Observation | None:
        """Return what this record was last seen to say, if it belongs to the link."""
        return next((seen for seen in self.observations() if seen.id == record), None)

    def with_observation(self, seen: Observation) -> Link:
        """Return the link with this observation in place of the one held for the same record."""
        if seen.side is Side.PLEZI:
            return replace(self, plezi=seen)
        others = [held for held in self.salesforce if held.id != seen.id]
        return replace(self, salesforce=tuple(sorted([*others, seen], key=lambda it: it.id)))

    def without_record(self, record: str) -> Link:
        """Return the link without this record, its base included."""
        return replace(
            self,
            plezi=None if self.plezi is not None and self.plezi.id == record else self.plezi,
            salesforce=tuple(held for held in self.salesforce if held.id != record),
            base={kept: words for kept, words in self.base.items() if kept != record},
        )

    @property
    def attention(self) -> tuple[str, ...]:
        """What a person should look at: `duplicate`, `hold`, `quarantine`, in this order."""
        leads = sum(seen.kind is RecordKind.LEAD and seen.participates for seen in self.salesforce)
        waits = {
            "duplicate": leads > 1,
            "hold": bool(self.holds),
            "quarantine": self.quarantine is not None,
        }
        return tuple(kind for kind, present in waits.items() if present)

    @property
    def record_ids(self) -> frozenset[str]:
        """The ids of every record of this link."""
        return frozenset(seen.id for seen in self.observations())
