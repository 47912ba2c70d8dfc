"""Observations, intents and links.

A *link* joins the records of one person on both sides. It holds three parts: `base` (the value of
each field of each record at the last agreement of the sides), `plezi` and `salesforce` (the last
observations). No clocks are compared to detect a change: a value that differs from its base is a
change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final, NamedTuple

from connector.model.reasons import AttentionKind, HoldReason, MergeRule
from connector.model.sides import RecordKind, Side

REVISION_BYTES: Final = 6
"""The size of the first revision of a link: a number that JavaScript reads exactly (below 2^53)."""


@dataclass(frozen=True, slots=True)
class LongText:
    """A text that is too long to be stored with a link: its length and digest stand for it.

    `length` is in characters, `sha256` is the hexadecimal digest of the UTF-8 text; both are of the
    cleaned text (`clean_text.clean`). The text itself is read again before it is written.
    """

    length: int
    sha256: str


Value = str | bool | int | float | tuple[str, ...] | LongText | None


Values = Mapping[str, Value]


NO_VALUES: Final[Values] = MappingProxyType({})


NEW_RECORD: Final = ""
"""The id of a record that is not created yet."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The state of one record at the last read or write, with its version and time.

    `version` orders the states of one record (text that sorts: a timestamp of its own side).
    `modified` is the modification time that users see, ISO 8601 in UTC; the `newest` policy uses
    it, change detection does not. `as_of` is our clock (seconds) at the start of the read, or at
    the response to the write. `successor` is the id of the record that replaces this one: the
    winner of a merge, the Contact of a converted Lead. `created` is when a record of
    Salesforce was created, ISO 8601 in UTC ('' if not known); it decides between Leads that never
    agreed, and tells a Contact that a conversion created. A field that is missing in `values` was
    not read: its value is unknown, which is not blank. `unreadable` names those of them that the
    response has in a form which is not a value, an object for example. `replaced` holds the values
    that our own write replaced in Plezi, until another state is read: it may show them for a while.
    `uncertain`: it was read while a write of ours was under way, and does not show the values that
    the write rests on. It is read again before anything is decided. `cleared` are the fields that
    are blank, and had a value when they were read, or written, before.
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
    created: str = ""
    unreadable: frozenset[str] = frozenset()
    replaced: Values = field(default_factory=lambda: NO_VALUES)
    uncertain: bool = False
    cleared: frozenset[str] = frozenset()

    @property
    def side(self) -> Side:
        """The side that stores the record."""
        return self.kind.side

    @property
    def is_active(self) -> bool:
        """Whether the record can take part: neither deleted nor converted."""
        return not (self.deleted or self.converted)

    @property
    def participates(self) -> bool:
        """Whether the record is synchronized: active, accepted by the filter, with an e-mail."""
        return self.is_active and self.eligible and bool(self.email)


@dataclass(frozen=True, slots=True)
class Write:
    """One create (`record_id` is NEW_RECORD) or update, and the record state that it is based on.

    `email` is the e-mail of the link, also when it is not among the values to write. `before` holds
    the observed values of the same fields, `version` the observed version.
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
        """Whether the write creates a record."""
        return self.record_id == NEW_RECORD

    @property
    def needs_text(self) -> bool:
        """Whether a value is only the digest of its text: read the records, then plan again."""
        return any(isinstance(value, LongText) for value in self.values.values())


class AgreedValue(NamedTuple):
    """The value of one field of one record that both sides agree on; `key` is its base key."""

    key: str
    field: str
    value: Value


@dataclass(frozen=True, slots=True)
class BaseUpdate:
    """The next base of one field pair, valid once its writes are done.

    `values` holds the agreed value of each record, by record id. `required_writes` are the ids
    of the records whose writes must be done first. `invalidated` holds, by record id, the base
    key of records that take no part now and are not written to: their base value is outdated.
    `after_undo` are the records in which somebody replaced the value that we wrote last. `unseen`
    holds, by record id, the base key of those that take no part now, and have an edit: it is in
    conflict with the agreed value.
    """

    pair: str
    values: Mapping[str, AgreedValue]
    required_writes: frozenset[str]
    rule: MergeRule = MergeRule.CHANGED
    invalidated: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    after_undo: frozenset[str] = frozenset()
    unseen: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_unsent(self) -> bool:
        """Whether a record is created without the field: it has the agreed value unless edited."""
        return self.rule is MergeRule.AGREED

    @property
    def base_keys(self) -> frozenset[str]:
        """The base keys of the pair."""
        return frozenset(agreed.key for agreed in self.values.values())


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A value that a user may have typed and that gives way to `replaced_by`."""

    kind: RecordKind
    record_id: str
    pair: str
    value: Value
    replaced_by: Value
    rule: MergeRule


@dataclass(frozen=True, slots=True)
class Intent:
    """The decision about one link, stored before it is carried out.

    `at` is our clock in seconds. `overwritten` are the values that give way to the writes: the
    journal gets those whose write was done. `in_doubt`: a write was sent and its response was lost,
    so that any process may recover the intent at once. Otherwise only an intent older than the
    worker's time-out may be taken over, because its owner may still be at work.
    """

    id: str
    run_id: str
    at: float
    writes: tuple[Write, ...]
    base_updates: tuple[BaseUpdate, ...]
    overwritten: tuple[Overwritten, ...] = ()
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """One field that waits for a decision; `values` are the values by record id at that time.

    What a user types afterwards is an edit of these values, and ends the hold. `since` is our clock
    in seconds. `chosen` is the id of the record whose value an admin chose; it is valid as long as
    the records still have these values. `untyped` are the records whose value nobody typed: a blank
    that was never anything else, or a placeholder. It cannot be chosen. `attribute` is the Plezi
    attribute of the pair ('': the e-mail): the hold of a pair ends when it is pointed elsewhere.
    """

    reason: HoldReason
    since: float
    values: Mapping[str, Value]
    chosen: str = ""
    untyped: frozenset[str] = frozenset()
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class RecentWrite:
    """A value that we wrote in place of an agreed one; `at` is our clock in seconds.

    `after_undo`: the value that we had written there before was replaced by somebody else.
    """

    record_id: str
    value: str
    at: float
    after_undo: bool = False


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A refused write, tried again after a change or on request; or one that is never carried out.

    The latter is tried again by each run.

    `code` is the code of the side that refused it, `remedy` the action for an admin, `since` our
    clock in seconds at the first refusal, `tries` the number of attempts.
    """

    side: Side
    code: str
    remedy: str
    fields: tuple[str, ...]
    since: float
    tries: int = 1


IN_PLEZI: Final = "plezi:"
"""Before an e-mail, the name of a link whose contact in Plezi has that e-mail."""


@dataclass(frozen=True, slots=True)
class Link:
    """All records of one person; `email` is canonical and is the key in the ledger.

    `revision` is the number of the stored state, one more with each (0: not stored yet). `base` is
    by record id, then by base key (`FieldPair.base_key`): the agreement is one of a pair of fields.
    `meeting` are the base keys of the pairs whose first meeting is not over: it was decided, and a
    write is still to be done. `undelivered` are values, by record id and base key, that are the
    same in several records of one system, and have not reached the other one: they are edits,
    whatever their base. `indexed` are the names (`Link.names`) by which the ledger finds the link.
    `primary_lead` is the id of the Lead that an admin picked among several Leads with one e-mail.
    `shared`: more records have this e-mail than the bound allows; the ones beyond it are not
    stored, and no record of the link takes part. `readable`: False for a stored item that cannot be
    decoded; it must not be stored again. `recent_writes` holds, by field pair, the values of the
    last day that we wrote in place of others: they show automations that undo each other.
    `unanswered` counts the attempts in a row of which a write, or the search before a creation, had
    no response, or the response that this record cannot be written now; `unanswered_run` is the run
    of the last one.
    """

    email: str
    plezi: Observation | None = None
    salesforce: tuple[Observation, ...] = ()
    base: Mapping[str, Values] = field(default_factory=lambda: MappingProxyType({}))
    meeting: frozenset[str] = frozenset()
    undelivered: frozenset[tuple[str, str]] = frozenset()
    intent: Intent | None = None
    holds: Mapping[str, Hold] = field(default_factory=lambda: MappingProxyType({}))
    quarantine: Quarantine | None = None
    dirty: bool = False
    revision: int = 0
    indexed: frozenset[str] = frozenset()
    primary_lead: str = ""
    shared: bool = False
    readable: bool = True
    recent_writes: Mapping[str, tuple[RecentWrite, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    unanswered: int = 0
    unanswered_run: str = ""

    def observations(self) -> Iterator[Observation]:
        """Yield Plezi's observation first, then those of Salesforce, in a stable order."""
        if self.plezi is not None:
            yield self.plezi
        yield from self.salesforce

    def observation(self, record_id: str) -> Observation | None:
        """Return the last observation of a record, or None if the link does not have it."""
        return next((it for it in self.observations() if it.id == record_id), None)

    def with_observation(self, observation: Observation) -> Link:
        """Return the link with this observation in place of the former one of the same record."""
        known = self.observation(observation.id)
        if known is not None:
            observation = replace(observation, cleared=_cleared_fields(known, observation))
        if observation.side is Side.PLEZI:
            return replace(self, plezi=observation)
        others = [known for known in self.salesforce if known.id != observation.id]
        ordered = sorted([*others, observation], key=lambda record: record.id)
        return replace(self, salesforce=tuple(ordered))

    def without_record(self, record_id: str) -> Link:
        """Return the link without this record and its base."""
        is_plezi = self.plezi is not None and self.plezi.id == record_id
        return replace(
            self,
            plezi=None if is_plezi else self.plezi,
            salesforce=tuple(known for known in self.salesforce if known.id != record_id),
            base={known: values for known, values in self.base.items() if known != record_id},
            undelivered=frozenset(it for it in self.undelivered if it[0] != record_id),
        )

    def as_shared(self) -> Link:
        """Return the link marked as shared by more records than take part."""
        return self if self.shared else replace(self, shared=True, dirty=True)

    @property
    def next_revision(self) -> int:
        """The revision of the link once it is stored.

        The first one is not 1: where a person has another e-mail, or was erased, another link may
        get the e-mail, and a process that knows the former one must not take it for that. What was
        read, and when, makes the difference.
        """
        if self.revision:
            return self.revision + 1
        read = sorted((it.id, it.version, it.as_of) for it in self.observations())
        digest = sha256(repr((self.email, read)).encode()).digest()
        return 1 + int.from_bytes(digest[:REVISION_BYTES])

    @property
    def attention(self) -> tuple[AttentionKind, ...]:
        """Why an admin should look at the link."""
        leads = sum(
            known.kind is RecordKind.LEAD and known.participates for known in self.salesforce
        )
        present = {
            AttentionKind.DUPLICATE: leads > 1,
            AttentionKind.HOLD: bool(self.holds),
            AttentionKind.QUARANTINE: self.quarantine is not None,
            AttentionKind.NO_EMAIL: self.has_cleared_email,
            AttentionKind.SHARED: self.shared,
        }
        return tuple(kind for kind, is_present in present.items() if is_present)

    @property
    def has_cleared_email(self) -> bool:
        """Whether a Lead of the link has no e-mail any more, and no other Lead takes part."""
        leads = [it for it in self.salesforce if it.kind is RecordKind.LEAD and it.is_active]
        return any(not lead.email for lead in leads) and not any(it.participates for it in leads)

    @property
    def is_uncertain(self) -> bool:
        """Whether a record must be read again before anything is decided (`Observation`)."""
        return any(it.uncertain and it.participates for it in self.observations())

    @property
    def record_ids(self) -> frozenset[str]:
        """The ids of all records of the link."""
        return frozenset(known.id for known in self.observations())

    @property
    def awaited_emails(self) -> frozenset[str]:
        """The e-mails of other people to which records of the link changed: they are held."""
        if all(hold.reason is not HoldReason.EMAIL_TAKEN for hold in self.holds.values()):
            return frozenset()
        emails = {known.email for known in self.observations() if known.is_active}
        return frozenset(emails - {"", self.email})

    @property
    def email_in_plezi(self) -> str:
        """The e-mail that the contact in Plezi has until it gets that of the link ('': none).

        No other contact can have it.
        """
        known = self.plezi
        if known is None or not known.is_active or known.email == self.email:
            return ""
        return known.email

    @property
    def names(self) -> frozenset[str]:
        """The names by which the link must be found.

        They are its record ids, the e-mails that it waits for, and the e-mail that its contact in
        Plezi has until it gets that of the link.
        """
        in_plezi = {IN_PLEZI + self.email_in_plezi} if self.email_in_plezi else set[str]()
        return self.record_ids | self.awaited_emails | in_plezi


def _cleared_fields(known: Observation, observation: Observation) -> frozenset[str]:
    """Return the fields of an observation that had a value in a former one, and have none now."""
    cleared = {
        name
        for name, value in observation.values.items()
        if _is_empty(value) and (name in known.cleared or not _is_empty(known.values.get(name)))
    }
    return frozenset(cleared | (known.cleared - observation.values.keys()))


def _is_empty(value: Value) -> bool:
    """Whether a field has no value; an unticked checkbox has none."""
    return value is None or value is False or value in ("", ())


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A new state of a link for the ledger, which refuses it if the stored link has changed.

    The link carries the revision that it is based on (0: it must not exist yet). `moved_from` is
    the link that this one replaces when the e-mail of a person changed, with its revision.
    """

    link: Link
    moved_from: Link | None = None
