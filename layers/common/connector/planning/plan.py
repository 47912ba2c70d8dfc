"""The plan of one link: agreements to store, values that give way, writes, and fields to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    have_same_values,
)
from connector.model import (
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Link,
    MergeRule,
    RecordKind,
    Side,
    Value,
    Values,
    Write,
)
from connector.planning.changed_fields import changed_pairs
from connector.planning.excluded_leads import find_excluded_leads, invalidate_base
from connector.planning.field_merge import (
    FieldValue,
    NoBase,
    Resolution,
    apply_choice,
    differs_without_base,
    resolve,
)
from connector.planning.field_problem import FieldProblem, describe_problem
from connector.planning.participating_records import (
    Match,
    Participant,
    Participants,
    select_participants,
)
from connector.planning.write_loop import is_write_loop

PERSISTENT_HOLDS: Final = frozenset(
    {HoldReason.IN_DOUBT, HoldReason.EMAIL_TAKEN, HoldReason.WRITE_LOOP}
)
"""Reasons of a hold that no policy may resolve: only agreement of the records, or an admin."""


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
class Plan:
    """The decision about one link, before anything is done.

    `link` has the new agreements and holds. `writes` is empty if the sides agree, if no record
    takes part, or if all differences are held. `held` holds the keys of the pairs that are held now
    and whose values have no journal entry yet. `problems` are the pairs that stay as they are,
    because a value cannot be converted; the same link has the same problems each time.
    """

    link: Link
    participants: Participants
    writes: tuple[Write, ...] = ()
    base_updates: tuple[BaseUpdate, ...] = ()
    overwritten: tuple[Overwritten, ...] = ()
    held: tuple[str, ...] = ()
    problems: tuple[FieldProblem, ...] = ()


def plan_link(link: Link, bound: BoundMapping, *, now: float) -> Plan:
    """Merge each field pair of a link and list the necessary writes.

    Pure; `now` (seconds) is used for the time of holds and for write loops. The same arguments give
    the same plan. Planning the link again after the writes of the plan gives no writes, except for
    a record that had to be created first.
    """
    participants = select_participants(link, bound.config)
    if not participants.members:
        return Plan(link, participants)
    builder = _PlanBuilder(link, now)
    is_linked = participants.match is Match.LINKED
    keys = changed_pairs(link, bound, participants.members)
    for pair in bound.pairs:
        if pair.key not in keys:
            continue
        values = _field_values(pair, link, participants.members)
        if len(values) > 1:
            resolution = resolve(pair, values)
            is_new_pair = is_linked and differs_without_base(pair, values)
            # A first meeting leaves out a value that cannot be converted: the pair is not new.
            if is_new_pair and _needs_decision(pair) and not resolution.unusable:
                builder.add_hold(pair, values, HoldReason.NEVER_AGREED)
            else:
                builder.add_resolution(pair, values, resolution)
    return builder.build(participants, bound)


def _needs_decision(pair: BoundPair) -> bool:
    """Whether only an admin may resolve a pair on which a known link never agreed.

    The records are known, but the field is newly mapped: the modification time of a record does not
    tell when this field changed, so `newest` would overwrite at random. The other policies name a
    winner.
    """
    return pair.pair.direction is Direction.BOTH and pair.pair.policy is ConflictPolicy.NEWEST


def _field_values(
    pair: BoundPair, link: Link, participants: Sequence[Participant]
) -> list[FieldValue]:
    """Return the value of one pair in each participant; none if the pair must be left unchanged.

    It is left unchanged while a value is unknown (the field was not read: it is new in the mapping,
    or was hidden for some time), and while a record that should be written to is not writable. A
    decision now would record an agreement on a value that was never written.
    """
    direction = pair.pair.direction
    values = []
    for participant in _without_unique_conflicts(pair, participants):
        field = pair.fields.get(participant.kind)
        if field is None:
            continue
        record = participant.observation
        can_receive = participant.can_receive and pair.can_receive(participant.kind)
        if record is not None and field.name not in record.values:
            return []
        if can_receive and not pair.is_writable(participant.kind, create=record is None):
            if record is None:
                continue  # the field is written after the record is created
            return []
        values.append(
            FieldValue(
                kind=participant.kind,
                record_id=participant.record_id,
                value=None if record is None else record.values[field.name],
                base=_base_value(pair, link, participant),
                modified="" if record is None else record.modified,
                can_send=participant.can_send and direction.can_send(participant.kind.side),
                can_receive=can_receive,
            )
        )
    return values


def _base_value(pair: BoundPair, link: Link, participant: Participant) -> Value | NoBase:
    """Return the base of a record, or the base of a former record that it replaces.

    The Contact of a converted Lead, and the winner of a merge, continue with the base of the record
    that they replace.
    """
    name = pair.fields[participant.kind].name
    base = link.base.get(participant.record_id, {})
    if name in base:
        return base[name]
    for former in link.salesforce:
        if (
            former.successor == participant.record_id
            and not former.is_active
            and former.kind in pair.fields
        ):
            inherited = link.base.get(former.id, {})
            if (former_name := pair.fields[former.kind].name) in inherited:
                return inherited[former_name]
    return NoBase.NO_BASE


def _without_unique_conflicts(
    pair: BoundPair, participants: Sequence[Participant]
) -> list[Participant]:
    """Leave out the Leads that may not have the same value, because the field is unique in the org.

    The Lead that has a value keeps it; if no Lead has one, the lowest id gets it.
    """
    field = pair.fields[RecordKind.LEAD]
    leads = [it for it in participants if it.kind is RecordKind.LEAD and it.observation is not None]
    if not field.unique or len(leads) < 2:  # noqa: PLR2004  # a conflict needs two Leads
        return list(participants)

    def rank(lead: Participant) -> tuple[bool, str]:
        is_blank = lead.observation is None or not lead.observation.values.get(field.name)
        return is_blank, lead.record_id

    keeper = min(leads, key=rank)
    return [it for it in participants if it.kind is not RecordKind.LEAD or it is keeper]


def _is_chosen(hold: Hold, values: Sequence[FieldValue]) -> bool:
    """Whether an admin chose a value, and all records still have the values shown to the admin.

    No value can be chosen of a record that must be created first: its id is '' as well.
    """
    if not hold.chosen:
        return False
    current = {value.record_id: value.value for value in values}
    return hold.chosen in current and have_same_values(hold.values, current)


def _have_same_base(one: Mapping[str, Values], other: Mapping[str, Values]) -> bool:
    return one.keys() == other.keys() and all(
        have_same_values(values, other[record_id]) for record_id, values in one.items()
    )


class _PlanBuilder:
    """Collects the resolutions of the field pairs of one link."""

    def __init__(self, link: Link, now: float) -> None:
        self._link = link
        self._records = link.record_ids
        self._now = now
        self._base: dict[str, dict[str, Value]] = {r: dict(w) for r, w in link.base.items()}
        self._holds: dict[str, Hold] = dict(link.holds)
        self._writes: dict[str, dict[str, Value]] = {}
        self._base_updates: list[BaseUpdate] = []
        self._overwritten: list[Overwritten] = []
        self._held: list[str] = []
        self._problems: list[FieldProblem] = []

    def add_resolution(
        self, pair: BoundPair, values: Sequence[FieldValue], resolution: Resolution
    ) -> None:
        """Add the resolution of one pair; a hold of the pair may replace it."""
        hold = self._holds.get(pair.key)
        if resolution.rule is MergeRule.AGREED:
            self._holds.pop(pair.key, None)
            in_doubt = hold is not None and hold.reason is HoldReason.IN_DOUBT
            self._update_base(pair, values, resolution.new_base or {}, in_doubt=in_doubt)
        elif hold is not None and _is_chosen(hold, values):
            self._add_writes(pair, values, apply_choice(pair, values, hold.chosen))
        elif hold is not None and hold.reason in PERSISTENT_HOLDS:
            self.add_hold(pair, values, hold.reason)
        elif resolution.is_held:
            self.add_hold(pair, values, HoldReason.CONFLICT)
        elif resolution.unusable:
            self._add_problems(pair, resolution)
        elif resolution.rule is MergeRule.NO_CHANGE:
            return
        elif is_write_loop(self._link, pair.key, resolution.writes, now=self._now):
            self.add_hold(pair, values, HoldReason.WRITE_LOOP)
        else:
            self._holds.pop(pair.key, None)
            self._add_writes(pair, values, resolution)

    def _update_base(
        self,
        pair: BoundPair,
        values: Sequence[FieldValue],
        agreed_values: Mapping[str, Value],
        *,
        in_doubt: bool = False,
    ) -> None:
        for value in values:
            if value.record_id in agreed_values and value.record_id in self._records:
                name = pair.fields[value.kind].name
                self._base.setdefault(value.record_id, {})[name] = agreed_values[value.record_id]
        excluded = find_excluded_leads(pair, self._link, values, agreed_values, in_doubt=in_doubt)
        for record_id, agreed in excluded.edited.items():
            self._base[record_id][pair.fields[RecordKind.LEAD].name] = agreed
        invalidate_base(self._base, excluded.invalidated)

    def add_hold(self, pair: BoundPair, values: Sequence[FieldValue], reason: HoldReason) -> None:
        """Hold a pair; it gets one journal entry for each set of values, not one for each run."""
        current = {value.record_id: value.value for value in values}
        hold = self._holds.get(pair.key)
        if hold is not None and _is_chosen(hold, values):
            self._add_writes(pair, values, apply_choice(pair, values, hold.chosen))
            return
        if hold is None or not have_same_values(hold.values, current):
            since = self._now if hold is None else hold.since
            self._holds[pair.key] = Hold(reason, since, current)
            self._held.append(pair.key)

    def _add_problems(self, pair: BoundPair, resolution: Resolution) -> None:
        self._problems += [
            describe_problem(pair, kind, unusable) for kind, unusable in resolution.unusable.items()
        ]

    def _add_writes(
        self, pair: BoundPair, values: Sequence[FieldValue], resolution: Resolution
    ) -> None:
        if resolution.unusable:
            self._add_problems(pair, resolution)
            return
        kinds = {value.record_id: value.kind for value in values}
        for record_id, value in resolution.writes.items():
            self._writes.setdefault(record_id, {})[pair.fields[kinds[record_id]].name] = value
        new_base = resolution.new_base or {}
        self._add_overwritten(pair, values, resolution)
        if not resolution.writes:
            self._update_base(pair, values, new_base)
            return
        excluded = find_excluded_leads(pair, self._link, values, new_base)
        base_values = {r: AgreedValue(pair.fields[kinds[r]].name, v) for r, v in new_base.items()}
        lead_field = pair.fields[RecordKind.LEAD].name
        self._base_updates.append(
            BaseUpdate(
                pair=pair.key,
                values=base_values
                | {r: AgreedValue(lead_field, v) for r, v in excluded.edited.items()},
                required_writes=frozenset(resolution.writes),
                rule=resolution.rule,
                invalidated=excluded.invalidated,
            )
        )

    def _add_overwritten(
        self, pair: BoundPair, values: Sequence[FieldValue], resolution: Resolution
    ) -> None:
        """Add each value that gives way, and the value that wins: the one written, or Plezi's.

        Plezi has no value while its contact is created without the field, because the field cannot
        be written in a creation.
        """
        agreed = next(iter(resolution.writes.values()), None)
        plezi = next((value for value in values if value.side is Side.PLEZI), None)
        if plezi is not None:
            agreed = (resolution.new_base or {}).get(plezi.record_id, plezi.value)
        for value in values:
            if value.record_id not in resolution.overwritten:
                continue
            self._overwritten.append(
                Overwritten(
                    kind=value.kind,
                    record_id=value.record_id,
                    pair=pair.key,
                    value=resolution.overwritten[value.record_id],
                    replaced_by=resolution.writes.get(
                        value.record_id, pair.convert_or_keep(value.kind, agreed)
                    ),
                    rule=resolution.rule,
                )
            )

    def build(self, participants: Participants, bound: BoundMapping) -> Plan:
        """Return the plan of the whole link."""
        base = {record_id: values for record_id, values in self._base.items() if values}
        link = self._link
        if self._holds != link.holds or not _have_same_base(base, link.base):
            link = replace(link, base=base, holds=dict(self._holds))
        writes = tuple(
            _build_write(participant, link.email, self._writes[participant.record_id], bound)
            for participant in participants.members
            if participant.record_id in self._writes
        )
        return Plan(
            link,
            participants,
            writes,
            tuple(self._base_updates),
            tuple(self._overwritten),
            tuple(self._held),
            tuple(self._problems),
        )


def _build_write(
    participant: Participant, email: str, values: Values, bound: BoundMapping
) -> Write:
    """Return one write with the observed values and version that it is based on."""
    record = participant.observation
    if record is not None:
        before = {name: record.values.get(name) for name in values}
        return Write(participant.kind, participant.record_id, email, values, before, record.version)
    placeholders = {
        pair.fields[participant.kind].name: pair.pair.placeholder
        for pair in bound.pairs
        if participant.kind is RecordKind.LEAD and pair.pair.placeholder
    }
    return Write(participant.kind, participant.record_id, email, {**placeholders, **values})
