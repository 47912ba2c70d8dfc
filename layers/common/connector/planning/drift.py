"""The differences between the records of one person, each with its cause: a verification."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connector.mapping import BoundMapping, BoundPair, ConflictPolicy
from connector.mapping.values import Canonical
from connector.model import (
    DriftCause,
    JournalEntry,
    JournalKind,
    Link,
    MergeRule,
    RecordKind,
    Side,
    SkipReason,
    Value,
)
from connector.planning.excluded_leads import pair_key
from connector.planning.field_merge import FieldValue, has_changed
from connector.planning.field_values import field_values
from connector.planning.participating_records import Match
from connector.planning.plan import Plan, plan_link

PERSON: Final = ""
"""The key of the difference of a person who is missing on one side; it counts as one field."""
NOBODY: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the reading shows about a link, besides its records.

    `waits`: the next run works on the link anyway. `recent` are the records whose edits are newer
    than the last reading of changes, `missed` those with an edit that no reading of changes showed.
    """

    waits: bool = False
    recent: Collection[str] = NOBODY
    missed: Collection[str] = NOBODY

    @property
    def unread(self) -> Collection[str]:
        """The records of which the ledger does not have the present state."""
        return {*self.recent, *self.missed}


@dataclass(frozen=True, slots=True)
class FieldDrift:
    """Two different values of one field pair, and why they differ.

    `pair` is the key of the pair (`PERSON`: a record is missing on one side, and `record_id` is the
    one that exists). Otherwise `record_id` is that of the Salesforce record. `is_planned`: a run
    that resolves the link writes the field, or holds it for review. `undo` is the run that left
    the difference by undoing another one ('': none did).
    """

    pair: str
    side: Side
    record_id: str
    plezi: Value
    salesforce: Value
    cause: DriftCause
    is_planned: bool
    undo: str = ""

    @property
    def is_contradiction(self) -> bool:
        """Whether no run would end the difference, and no rule explains it."""
        return self.cause is DriftCause.UNEXPLAINED and not self.is_planned and self.pair != PERSON


@dataclass(frozen=True, slots=True)
class LinkComparison:
    """The comparison of one link.

    `compared` is the number of fields that were compared, `unknown` that of the fields that were
    not: a value was not read, or may not be written at present. `only_on` is the side with the only
    record (None: both have one, or none takes part), `reason` why no record takes part.
    `needs_run`: a run that resolves the link would write, hold or agree on something.
    """

    drifts: tuple[FieldDrift, ...] = ()
    compared: int = 0
    unknown: int = 0
    only_on: Side | None = None
    reason: SkipReason | None = None
    needs_run: bool = False


def compare_link(
    link: Link, bound: BoundMapping, evidence: Evidence, *, now: float
) -> LinkComparison:
    """Compare every field of the records of a link in canonical form. Pure.

    `link` has the present observations. `now` (seconds) is that of `plan_link`.
    """
    plan = plan_link(link, bound, now=now)
    participants = plan.participants
    if not participants.members:
        return LinkComparison(reason=participants.reason)
    if participants.match is Match.NEW:
        return _missing(link, plan, evidence)
    classifier = _Classifier(link, plan, evidence)
    drifts: list[FieldDrift] = []
    compared = unknown = 0
    for pair in bound.pairs:
        values = field_values(pair, link, participants.members)
        sides = _sides(values)
        if not values:
            unknown += 1
        for plezi, salesforce in sides:
            compared += 1
            if not _are_equal(pair, plezi, salesforce):
                drifts.append(classifier.drift(pair, plezi, salesforce))
    return LinkComparison(
        tuple(drifts), compared=compared, unknown=unknown, needs_run=_needs_run(link, plan)
    )


def with_undone(
    comparison: LinkComparison, link: Link, bound: BoundMapping, entries: Iterable[JournalEntry]
) -> LinkComparison:
    """Return the comparison with the contradictions that an undo left as `undone`. Pure.

    `entries` are those of the journal about this person, oldest first. An undo leaves a difference
    if nothing wrote the field after it, and both records still have what they had then.
    """
    if not any(it.is_contradiction for it in comparison.drifts) or link.plezi is None:
        return comparison
    written: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        if entry.kind is JournalKind.WRITTEN:
            written.setdefault(entry.field, []).append(entry)
    pairs = {pair.key: pair for pair in bound.pairs}
    plezi_id = link.plezi.id
    drifts = tuple(
        _explained(it, plezi_id, pairs[it.pair], written.get(it.pair, ()))
        if it.is_contradiction
        else it
        for it in comparison.drifts
    )
    return replace(comparison, drifts=drifts)


def without_contradicted_bases(
    link: Link, bound: BoundMapping, entries: Iterable[JournalEntry], *, now: float
) -> Link:
    """Return the link without the agreements that its records contradict; the same one if none.

    Both records have the value of the last agreement, and the two values differ: no run finds an
    edit, so none writes. Without the agreement the policy of the pair decides; `newest` holds the
    field, because the records do not show which value is right. A difference that an undo left is
    the decision of an admin: it stays. `entries` are as for `with_undone`.
    """
    comparison = compare_link(link, bound, Evidence(), now=now)
    keys = {
        key
        for it in with_undone(comparison, link, bound, entries).drifts
        if it.is_contradiction
        for pair in bound.pairs
        if pair.key == it.pair
        for key in pair.base_keys.values()
    }
    if not keys:
        return link
    base = {
        record: {key: value for key, value in values.items() if pair_key(key) not in keys}
        for record, values in link.base.items()
    }
    return replace(link, base=base, dirty=True)


def _missing(link: Link, plan: Plan, evidence: Evidence) -> LinkComparison:
    """Return the comparison of a person whom one side does not have, although it should."""
    present = next(it.observation for it in plan.participants.members if it.observation is not None)
    if evidence.waits or present.id in evidence.recent:
        cause = DriftCause.WAITS
    elif present.id in evidence.missed:
        cause = DriftCause.UNEXPLAINED
    elif link.quarantine is not None or plan.problems:
        cause = DriftCause.QUARANTINED
    else:
        cause = DriftCause.HELD if link.holds else DriftCause.UNEXPLAINED
    drift = FieldDrift(
        PERSON, present.side, present.id, None, None, cause, is_planned=bool(plan.writes)
    )
    return LinkComparison(
        (drift,), compared=1, only_on=present.side, needs_run=_needs_run(link, plan)
    )


def _needs_run(link: Link, plan: Plan) -> bool:
    return bool(plan.writes) or plan.link is not link


def _sides(values: Sequence[FieldValue]) -> Iterator[tuple[FieldValue, FieldValue]]:
    """Yield Plezi's value with that of each Salesforce record."""
    for plezi in values:
        if plezi.side is Side.PLEZI:
            yield from ((plezi, it) for it in values if it.side is Side.SALESFORCE)


def _are_equal(pair: BoundPair, one: FieldValue, other: FieldValue) -> bool:
    return pair.canonical(one.side, one.value) == pair.canonical(other.side, other.value)


class _Classifier:
    """Finds the cause of each difference of one link."""

    def __init__(self, link: Link, plan: Plan, evidence: Evidence) -> None:
        self._link = link
        self._plan = plan
        self._evidence = evidence
        self._written = {it.pair for it in plan.base_updates}
        self._held = {key for key in plan.link.holds if key not in link.holds}

    def drift(self, pair: BoundPair, plezi: FieldValue, salesforce: FieldValue) -> FieldDrift:
        """Return the difference of two values with its cause."""
        is_planned = pair.key in self._written | self._held
        if is_planned:
            cause = self._cause_of_planned(pair, plezi, salesforce)
        elif pair.key in self._link.holds:
            cause = DriftCause.HELD
        elif any(it.pair == pair.key for it in self._plan.problems):
            cause = DriftCause.QUARANTINED
        else:
            cause = _cause_of_left(pair, plezi, salesforce)
        return FieldDrift(
            pair.key,
            Side.SALESFORCE,
            salesforce.record_id,
            plezi.value,
            salesforce.value,
            cause,
            is_planned=is_planned,
        )

    def _cause_of_planned(
        self, pair: BoundPair, plezi: FieldValue, salesforce: FieldValue
    ) -> DriftCause:
        """Return why a difference exists that a run would resolve."""
        evidence = self._evidence
        records = {plezi.record_id, salesforce.record_id}
        if evidence.waits or records & set(evidence.recent):
            return DriftCause.WAITS
        if records & set(evidence.missed):
            is_computed = bool(pair.fields[salesforce.kind].read_only)
            if is_computed and salesforce.record_id in evidence.missed:
                return DriftCause.UNSTAMPED
            return DriftCause.UNEXPLAINED
        if self._is_quarantined(pair):
            return DriftCause.QUARANTINED
        return DriftCause.UNEXPLAINED

    def _is_quarantined(self, pair: BoundPair) -> bool:
        """Whether the quarantine of the link is about a pair, or about no field in particular."""
        quarantine = self._link.quarantine
        if quarantine is None:
            return False
        names = {field.name for field in pair.fields.values()}
        return not quarantine.fields or bool(names & set(quarantine.fields))


def _cause_of_left(pair: BoundPair, plezi: FieldValue, salesforce: FieldValue) -> DriftCause:
    """Return why the rules leave a difference as it is; unexplained where they should not."""
    if pair.pair.policy is ConflictPolicy.FILL_BLANK:
        return DriftCause.POLICY
    if pair.pair.enforced and pair.is_blank(Side.PLEZI, plezi.value):
        return DriftCause.POLICY
    is_kept_by_contact = salesforce.kind is RecordKind.CONTACT
    stays_in_salesforce = not plezi.can_receive and has_changed(pair, salesforce)
    stays_in_plezi = not salesforce.can_receive and has_changed(pair, plezi)
    if is_kept_by_contact or stays_in_salesforce or stays_in_plezi:
        return DriftCause.ONE_WAY
    return DriftCause.UNEXPLAINED


def _explained(
    drift: FieldDrift, plezi_id: str, pair: BoundPair, written: Sequence[JournalEntry]
) -> FieldDrift:
    """Return a contradiction as `undone` if the last write of its records was that of an undo."""
    records = {plezi_id: Side.PLEZI, drift.record_id: Side.SALESFORCE}
    own = [entry for entry in written if entry.record_id in records]
    if not own or own[-1].rule != MergeRule.UNDONE:
        return drift
    undo = own[-1].run_id
    undone = {entry.record_id: entry for entry in own if entry.run_id == undo}
    values = {plezi_id: drift.plezi, drift.record_id: drift.salesforce}
    if any(
        pair.canonical(records[it], value) not in _left_by(it, undone, pair)
        for it, value in values.items()
    ):
        return drift
    return replace(drift, cause=DriftCause.UNDONE, undo=undo)


def _left_by(
    record_id: str, undone: Mapping[str, JournalEntry], pair: BoundPair
) -> list[Canonical]:
    """Return the values that a record may have since an undo, in canonical form.

    It has the value that was put back in it. One that was not written has still the value that was
    replaced in the other: the run that is undone had written the same value to both.
    """
    own = undone.get(record_id)
    if own is not None:
        return [pair.canonical(own.side, own.after)]
    return [pair.canonical(it.side, it.before) for it in undone.values()]
