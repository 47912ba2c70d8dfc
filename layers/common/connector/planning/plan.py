"""Intend (rule 4): adopt what is agreed, name the losers, state the writes and their ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connector.mapping import BoundMapping, BoundPair, ConflictPolicy, Direction
from connector.model import BaseUpdate, Hold, Link, RecordKind, Side, Value, Values, Write
from connector.planning.absent_leads import find_absent_leads, invalidate_base
from connector.planning.changed_fields import changed_pairs
from connector.planning.field_merge import (
    FieldValue,
    MergeRule,
    NoBase,
    Resolution,
    apply_choice,
    differs_without_base,
    resolve,
)
from connector.planning.participants import Match, Participant, Participants, select_participants
from connector.planning.write_loop import is_write_loop

IN_DOUBT = "in_doubt"
CONFLICT = "conflict"
EMAIL_TAKEN = "email_taken"
EMAIL_IN_USE = "email_in_use"
NEVER_AGREED = "never_agreed"
WRITE_LOOP = "write_loop"
PERSISTENT_HOLDS = frozenset({IN_DOUBT, EMAIL_TAKEN, WRITE_LOOP})
"""Reasons of a hold that no policy may settle: only agreement, or a person."""


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A value that a person may have typed and that gives way to another one, which `replaced_by`."""

    kind: RecordKind
    record_id: str
    pair: str
    value: Value
    replaced_by: Value
    rule: MergeRule


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision about one link, before anything is done.

    `link` has the agreements already adopted and the holds brought up to date; `writes` is empty
    when the sides agree, when nobody takes part, or when all that differs is held. `held` names the
    lines held now whose words have not been journalled yet.
    """

    link: Link
    participants: Participants
    writes: tuple[Write, ...] = ()
    base_updates: tuple[BaseUpdate, ...] = ()
    overwritten: tuple[Overwritten, ...] = ()
    held: tuple[str, ...] = ()


def plan_link(link: Link, bound: BoundMapping, *, now: float) -> Plan:
    """Merge every line of a link and state what must be written. Pure; `now` only stamps holds.

    The same link, mapping and instant give the same plan; planning the link that the plan's writes
    lead to gives no writes, but for a record that had to be created first.
    """
    company = select_participants(link, bound.config)
    if not company.members:
        return Plan(link, company)
    draft = _PlanBuilder(link, now)
    linked = company.match is Match.LINKED
    keys = changed_pairs(link, bound, company.members)
    for line in bound.pairs:
        if line.key not in keys:
            continue
        voices = _field_values(line, link, company.members)
        if len(voices) > 1:
            if linked and _is_new(line) and differs_without_base(line, voices):
                draft.add_hold(line, voices, NEVER_AGREED)
            else:
                draft.add_resolution(line, voices, resolve(line, voices))
    return draft.build(company, bound)


def _is_new(line: BoundPair) -> bool:
    """Whether a line that was never agreed on may only be settled by a person.

    The people are known, the field is newly compared: the stamp of a record says nothing of a field
    that it did not stamp, so `newest` would overwrite at random. The other policies say who wins.
    """
    return line.pair.direction is Direction.BOTH and line.pair.policy is ConflictPolicy.NEWEST


def _field_values(line: BoundPair, link: Link, roles: Sequence[Participant]) -> list[FieldValue]:
    """What each record that takes part says of one line; nothing while the line must rest.

    It rests while a record's value is unknown (the field was not read: it is new in the mapping, or
    was hidden for a while), and while one that should be written may not be: settling it now would
    take a value that nobody was told for an agreement.
    """
    direction = line.pair.direction
    voices = []
    for role in _without_unique_conflicts(line, roles):
        field = line.fields.get(role.kind)
        if field is None:
            continue
        seen = role.observation
        listens = role.can_receive and line.can_receive(role.kind)
        if seen is not None and field.name not in seen.values:
            return []
        if listens and not line.is_writable(role.kind, create=seen is None):
            if seen is None:
                continue  # it is told once it exists
            return []
        voices.append(
            FieldValue(
                kind=role.kind,
                record_id=role.record_id,
                value=None if seen is None else seen.values[field.name],
                base=_base_value(line, link, role),
                modified="" if seen is None else seen.modified,
                can_send=role.can_send and direction.can_send(role.kind.side),
                can_receive=listens,
            )
        )
    return voices


def _base_value(line: BoundPair, link: Link, role: Participant) -> Value | NoBase:
    """What a record said at the last agreement; it inherits from the records that it goes on for.

    The Contact of a converted Lead, and the winner of a merge, continue what had been agreed with
    the record before them.
    """
    name = line.fields[role.kind].name
    own = link.base.get(role.record_id, {})
    if name in own:
        return own[name]
    for before in link.salesforce:
        if (
            before.successor == role.record_id
            and not before.is_active
            and before.kind in line.fields
        ):
            inherited = link.base.get(before.id, {})
            if (theirs := line.fields[before.kind].name) in inherited:
                return inherited[theirs]
    return NoBase.NO_BASE


def _without_unique_conflicts(line: BoundPair, roles: Sequence[Participant]) -> list[Participant]:
    """Leave out the Leads that may not say what another one says: the field is unique in the org.

    The Lead that holds a value keeps it; among those without one, the oldest id gets it.
    """
    field = line.fields[RecordKind.LEAD]
    leads = [
        role for role in roles if role.kind is RecordKind.LEAD and role.observation is not None
    ]
    if not field.unique or len(leads) < 2:  # noqa: PLR2004  # twins are two
        return list(roles)

    def rank(role: Participant) -> tuple[bool, str]:
        return (
            role.observation is None or not role.observation.values.get(field.name),
            role.record_id,
        )

    keeper = min(leads, key=rank)
    return [role for role in roles if role.kind is not RecordKind.LEAD or role is keeper]


def _is_chosen(hold: Hold, voices: Sequence[FieldValue]) -> bool:
    """Whether a person has chosen, and everybody still says what that person was shown."""
    shown = {voice.record_id: voice.value for voice in voices}
    return hold.chosen in shown and dict(hold.values) == shown


class _PlanBuilder:
    """Collects the verdicts of one link's lines."""

    def __init__(self, link: Link, now: float) -> None:
        self._link = link
        self._records = link.record_ids
        self._now = now
        self._base: dict[str, dict[str, Value]] = {r: dict(w) for r, w in link.base.items()}
        self._holds: dict[str, Hold] = dict(link.holds)
        self._writes: dict[str, dict[str, Value]] = {}
        self._settlements: list[BaseUpdate] = []
        self._lost: list[Overwritten] = []
        self._held: list[str] = []

    def add_resolution(
        self, line: BoundPair, voices: Sequence[FieldValue], verdict: Resolution
    ) -> None:
        """Note one line's verdict."""
        hold = self._holds.get(line.key)
        if verdict.rule is MergeRule.AGREED:
            self._holds.pop(line.key, None)
            in_doubt = hold is not None and hold.reason == IN_DOUBT
            self._update_base(line, voices, verdict.new_base or {}, in_doubt=in_doubt)
        elif hold is not None and _is_chosen(hold, voices):
            self._add_writes(line, voices, apply_choice(line, voices, hold.chosen))
        elif hold is not None and hold.reason in PERSISTENT_HOLDS:
            self.add_hold(line, voices, hold.reason)
        elif verdict.is_held:
            self.add_hold(line, voices, CONFLICT)
        elif verdict.rule is MergeRule.NO_CHANGE:
            return
        elif is_write_loop(self._link, line.key, verdict.writes, now=self._now):
            self.add_hold(line, voices, WRITE_LOOP)
        else:
            self._holds.pop(line.key, None)
            self._add_writes(line, voices, verdict)

    def _update_base(
        self,
        line: BoundPair,
        voices: Sequence[FieldValue],
        words: Mapping[str, Value],
        *,
        in_doubt: bool = False,
    ) -> None:
        for voice in voices:
            if voice.record_id in words and voice.record_id in self._records:
                field = line.fields[voice.kind].name
                self._base.setdefault(voice.record_id, {})[field] = words[voice.record_id]
        away = find_absent_leads(line, self._link, voices, words, in_doubt=in_doubt)
        for record, word in away.edited.items():
            self._base[record][line.fields[RecordKind.LEAD].name] = word
        invalidate_base(self._base, away.invalidated)

    def add_hold(self, line: BoundPair, voices: Sequence[FieldValue], reason: str) -> None:
        """Hold a line; it is journalled once for each set of words, not once for each run."""
        words = {voice.record_id: voice.value for voice in voices}
        known = self._holds.get(line.key)
        if known is not None and _is_chosen(known, voices):
            self._add_writes(line, voices, apply_choice(line, voices, known.chosen))
            return
        if known is None or dict(known.values) != words:
            since = self._now if known is None else known.since
            self._holds[line.key] = Hold(reason, since, words)
            self._held.append(line.key)

    def _add_writes(
        self, line: BoundPair, voices: Sequence[FieldValue], verdict: Resolution
    ) -> None:
        kinds = {voice.record_id: voice.kind for voice in voices}
        for record, value in verdict.writes.items():
            self._writes.setdefault(record, {})[line.fields[kinds[record]].name] = value
        settles = verdict.new_base or {}
        self._add_overwritten(line, voices, verdict)
        if not verdict.writes:
            self._update_base(line, voices, settles)
            return
        away = find_absent_leads(line, self._link, voices, settles)
        words = {r: (line.fields[kinds[r]].name, value) for r, value in settles.items()}
        lead = line.fields[RecordKind.LEAD].name
        self._settlements.append(
            BaseUpdate(
                pair=line.key,
                values=words | {r: (lead, value) for r, value in away.edited.items()},
                required_writes=frozenset(verdict.writes),
                rule=verdict.rule,
                invalidated=away.invalidated,
            )
        )

    def _add_overwritten(
        self, line: BoundPair, voices: Sequence[FieldValue], verdict: Resolution
    ) -> None:
        """Name the losers, and the word that stands: what is written to them, or Plezi's."""
        plezi = next(voice for voice in voices if voice.side is Side.PLEZI)
        word = (verdict.new_base or {}).get(plezi.record_id, plezi.value)
        for voice in voices:
            if voice.record_id not in verdict.overwritten:
                continue
            stands = verdict.writes.get(voice.record_id, line.convert(voice.kind, word))
            value = verdict.overwritten[voice.record_id]
            lost = Overwritten(voice.kind, voice.record_id, line.key, value, stands, verdict.rule)
            self._lost.append(lost)

    def build(self, company: Participants, bound: BoundMapping) -> Plan:
        """Return the plan of the whole link."""
        base = {record: words for record, words in self._base.items() if words}
        link = self._link
        if base != link.base or self._holds != link.holds:
            link = replace(link, base=base, holds=dict(self._holds))
        writes = tuple(
            _build_write(role, link.email, self._writes[role.record_id], bound)
            for role in company.members
            if role.record_id in self._writes
        )
        return Plan(
            link,
            company,
            writes,
            tuple(self._settlements),
            tuple(self._lost),
            tuple(self._held),
        )


def _build_write(role: Participant, email: str, values: Values, bound: BoundMapping) -> Write:
    """State one write, with the record's words and version that it rests on."""
    if role.observation is not None:
        before = {name: role.observation.values.get(name) for name in values}
        return Write(role.kind, role.record_id, email, values, before, role.observation.version)
    fillers = {
        line.fields[role.kind].name: line.pair.placeholder
        for line in bound.pairs
        if role.kind is RecordKind.LEAD and line.pair.placeholder
    }
    return Write(role.kind, role.record_id, email, {**fillers, **values})
