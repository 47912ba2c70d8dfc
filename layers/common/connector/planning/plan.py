"""The plan of one link: agreements to store, values that give way, writes, and fields to hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    have_same_values,
)
from connector.mapping.model import EMAIL_PAIR
from connector.model import (
    NEW_RECORD,
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Link,
    MergeRule,
    Overwritten,
    ProblemCode,
    RecordKind,
    Side,
    UndoReason,
    Value,
    Values,
    Write,
)
from connector.planning.changed_fields import changed_pairs
from connector.planning.excluded_leads import (
    agree_base,
    find_excluded_leads,
    invalidate_base,
    note_found,
    note_hidden,
    note_shown,
    note_unseen,
    outdate_base,
)
from connector.planning.field_merge import (
    FieldValue,
    NoBase,
    Resolution,
    apply_choice,
    differs_without_base,
    is_untyped,
    resolve,
)
from connector.planning.field_problem import FieldProblem, describe_problem, find_unreadable
from connector.planning.field_values import continues, field_values
from connector.planning.last_edits import find_unread_opt_outs, with_last_edits
from connector.planning.participating_records import (
    Match,
    Participant,
    Participants,
    leaving_records,
    select_participants,
)
from connector.planning.write_loop import is_write_loop, undone_writes

PERSISTENT_HOLDS: Final = frozenset(
    {HoldReason.IN_DOUBT, HoldReason.EMAIL_TAKEN, HoldReason.WRITE_LOOP}
)
"""Reasons of a hold that no policy may resolve: only agreement of the records, a new edit, or an
admin."""
IDENTITY_HOLDS: Final = frozenset({HoldReason.EMAIL_TAKEN, HoldReason.EMAIL_IN_USE})
"""Reasons of a hold of the identity: it depends on another link, and no edit of this one ends it
where the e-mail is still in use."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision about one link, before anything is done.

    `link` has the new agreements and holds. `writes` is empty if the sides agree, if no record
    takes part, or if all differences are held. `held` holds the keys of the pairs that are held now
    and whose values have no journal entry yet. `problems` are the pairs that stay as they are,
    because a value cannot be converted; the same link has the same problems each time. An undo
    plans some field pairs only (`is_partial`): what else there is to do stays with the link, which
    is dirty afterwards if `stays_dirty`. `not_undone` are the values that it leaves as they are.
    """

    link: Link
    participants: Participants
    writes: tuple[Write, ...] = ()
    base_updates: tuple[BaseUpdate, ...] = ()
    overwritten: tuple[Overwritten, ...] = ()
    held: tuple[str, ...] = ()
    problems: tuple[FieldProblem, ...] = ()
    is_partial: bool = False
    stays_dirty: bool = False
    not_undone: tuple[NotUndone, ...] = ()


@dataclass(frozen=True, slots=True)
class NotUndone:
    """One value that an undo leaves as it is, and why.

    `value` is the present value as far as it is known, `before` the one that is not put back.
    `newer_run` is the run that wrote the field later ('': no run did).
    """

    side: Side
    record_id: str
    pair: str
    reason: UndoReason
    value: Value = None
    before: Value = None
    newer_run: str = ""


def plan_link(
    link: Link,
    bound: BoundMapping,
    *,
    now: float,
    repeated: Collection[tuple[str, str]] = (),
) -> Plan:
    """Merge each field pair of a link and list the necessary writes.

    Pure; `now` (seconds) is used for the time of holds and for write loops. `repeated` are those of
    the recovery before (`Recovery.repeated`): a value that is written over there is journaled.
    The same arguments give the same plan. Planning the link again after the writes of the plan
    gives no writes, except for a record that had to be created first.
    """
    participants = with_last_edits(select_participants(link, bound.config), link, bound)
    unread = find_unread_opt_outs(participants, link, bound)
    if not participants.members:
        return Plan(_without_moot_holds(link, bound), participants, problems=tuple(unread))
    is_first_meeting = participants.match is not Match.LINKED
    builder = _PlanBuilder(link, now, is_first_meeting=is_first_meeting, problems=unread)
    keys = changed_pairs(link, bound, participants.members)
    unreadable = [it for it in participants.members if it.observation and it.observation.unreadable]
    for pair in bound.pairs:
        builder.add_unreadable(pair, unreadable)
        if pair.key not in keys:
            continue
        values = field_values(pair, link, participants.members)
        if len(values) > 1:
            if builder.note_shown(pair, values):
                values = field_values(pair, builder.link, participants.members)
            values = _with_shown(pair, values, builder.hold_of(pair))
            resolution = resolve(pair, values)
            if not is_first_meeting and _needs_decision(pair, values, link):
                builder.add_hold(pair, values, HoldReason.NEVER_AGREED)
            else:
                builder.add_resolution(pair, values, resolution)
    return builder.build(participants, bound, repeated)


def _needs_decision(pair: BoundPair, values: Sequence[FieldValue], link: Link) -> bool:
    """Whether only an admin may resolve a pair on which a known link never agreed.

    The records are known, but the field is newly mapped: the modification time of a record does not
    tell when this field changed, so `newest` would overwrite at random. The other policies name a
    winner. A pair whose first meeting was interrupted is not new.
    """
    return (
        pair.pair.direction is Direction.BOTH
        and pair.pair.policy is ConflictPolicy.NEWEST
        and pair.base_keys[RecordKind.LEAD] not in link.meeting
        and not _is_edited_since_shown(values)
        and differs_without_base(pair, values)
    )


def _with_shown(pair: BoundPair, values: list[FieldValue], hold: Hold | None) -> list[FieldValue]:
    """Return the values with what was shown for review, if one that may travel was edited since.

    What a user types after it was shown ends the hold: it is an edit of all that was shown. An edit
    that may not travel ends nothing; the record to receive it left the person, for example. While a
    write is in doubt, nothing tells whether the value of a record that was not shown is an edit: it
    does not travel, and it is journaled when it gives way. The values of a conflict without such an
    edit stay one, whatever their bases are.
    """
    if hold is None or hold.reason in IDENTITY_HOLDS:
        return values
    has_ended = any(  # a hold showed records that are back, and ended with an agreement
        not isinstance(it.base, NoBase) for it in values if it.record_id in hold.values
    )
    shown = [_as_shown(pair, it, hold, has_ended=has_ended) for it in values]
    if any(
        it.can_send
        and not isinstance(it.shown, NoBase)
        and pair.canonical(it.side, it.value) != pair.canonical(it.side, it.shown)
        for it in shown
    ):
        return [it if isinstance(it.shown, NoBase) else replace(it, waits=False) for it in shown]
    if hold.reason is not HoldReason.CONFLICT:
        return values
    return [
        replace(
            it,
            waits=it.waits or (it.record_id in hold.values and it.record_id not in hold.untyped),
        )
        for it in values
    ]


def _as_shown(pair: BoundPair, value: FieldValue, hold: Hold, *, has_ended: bool) -> FieldValue:
    """Return a value with what the hold shows of it, or has shown while it took part before.

    `has_ended`: that was another hold, and the others have agreed since.
    """
    if value.record_id in hold.values:
        shown = hold.values[value.record_id]
        return replace(value, shown=shown, untyped=value.record_id in hold.untyped)
    if hold.reason is HoldReason.IN_DOUBT:
        return replace(value, shown=value.value)
    if has_ended or isinstance(value.was_shown, NoBase):
        return value
    is_blank = pair.is_blank(value.side, value.was_shown)
    return replace(value, shown=value.was_shown, untyped=is_blank)


def _is_edited_since_shown(values: Sequence[FieldValue]) -> bool:
    """Whether a held value was edited since it was shown."""
    return any(not isinstance(value.shown, NoBase) for value in values)


def _is_chosen(hold: Hold, values: Sequence[FieldValue]) -> bool:
    """Whether an admin chose a value, and all records still have the values shown to the admin.

    No value can be chosen of a record that must be created first: its id is '' as well.
    """
    if not hold.chosen:
        return False
    current = {value.record_id: value.value for value in values}
    return hold.chosen in current and have_same_values(hold.values, current)


def _is_moot(hold: Hold, values: Sequence[FieldValue]) -> bool:
    """Whether a record of a conflict takes no part any more; called where no conflict is left.

    Its Lead was converted, for example: then no decision could have an effect.
    """
    is_identity = hold.reason in IDENTITY_HOLDS
    return not is_identity and bool(hold.values.keys() - {it.record_id for it in values})


def _without_moot_holds(link: Link, bound: BoundMapping) -> Link:
    """Return a link of which nobody takes part without the holds that no decision can end.

    A contact that was deleted in Plezi never comes back. Any other record may: then its hold waits.
    What the holds have shown is kept.
    """
    if link.plezi is None or not link.plezi.deleted or link.holds.keys() <= {EMAIL_PAIR.key}:
        return link
    base = {record_id: dict(values) for record_id, values in link.base.items()}
    for pair in bound.pairs:
        note_shown(base, pair, link, ())
    holds = {key: hold for key, hold in link.holds.items() if key == EMAIL_PAIR.key}
    return replace(link, base=base, holds=holds)


def _agreed(pair: BoundPair, kind: RecordKind, value: Value) -> AgreedValue:
    return AgreedValue(pair.base_keys[kind], pair.fields[kind].name, value)


def _have_same_base(one: Mapping[str, Values], other: Mapping[str, Values]) -> bool:
    return one.keys() == other.keys() and all(
        have_same_values(values, other[record_id]) for record_id, values in one.items()
    )


class _PlanBuilder:
    """Collects the resolutions of the field pairs of one link."""

    def __init__(
        self,
        link: Link,
        now: float,
        *,
        is_first_meeting: bool,
        problems: Sequence[FieldProblem],
    ) -> None:
        self._link = link
        self._is_first_meeting = is_first_meeting
        self._meeting = set(link.meeting)
        self._undelivered = set(link.undelivered)
        self._records = link.record_ids
        self._now = now
        self._base: dict[str, dict[str, Value]] = {r: dict(w) for r, w in link.base.items()}
        self._holds: dict[str, Hold] = dict(link.holds)
        self._writes: dict[str, dict[str, Value]] = {}
        self._base_updates: list[BaseUpdate] = []
        self._unsent_opt_outs: list[BaseUpdate] = []
        self._overwritten: list[Overwritten] = []
        self._held: list[str] = []
        self._problems = list(problems)

    def hold_of(self, pair: BoundPair) -> Hold | None:
        """Return the hold of a pair; that of another attribute for the same field is dropped."""
        hold = self._holds.get(pair.key)
        if hold is None or hold.attribute in ("", pair.pair.plezi):
            return hold
        del self._holds[pair.key]
        return None

    def add_resolution(
        self, pair: BoundPair, values: Sequence[FieldValue], resolution: Resolution
    ) -> None:
        """Add the resolution of one pair; a hold of the pair may replace it."""
        hold = self._holds.get(pair.key)
        if resolution.rule is MergeRule.AGREED:
            if pair.key != EMAIL_PAIR.key or not leaving_records(self._link):
                self._holds.pop(pair.key, None)
            in_doubt = hold is not None and hold.reason is HoldReason.IN_DOUBT
            self._update_base(pair, values, resolution.new_base or {}, in_doubt=in_doubt)
            self._note_unsent_opt_out(pair, values)
        elif hold is not None and _is_chosen(hold, values):
            self._add_choice(pair, values, hold)
        elif (
            hold is not None
            and hold.reason in PERSISTENT_HOLDS
            and not _is_edited_since_shown(values)
        ):
            self.add_hold(pair, values, hold.reason)
        elif resolution.is_held:
            self.add_hold(pair, values, HoldReason.CONFLICT)
        elif resolution.unusable:
            self._add_unusable(pair, values, resolution)
        elif resolution.rule is MergeRule.NO_CHANGE:
            self._keep_hold(pair, values, hold)
        elif self._is_write_loop(pair, values, resolution):
            self.add_hold(pair, values, HoldReason.WRITE_LOOP)
        else:
            self._add_writes(pair, values, resolution)  # its hold ends when they are done

    @property
    def link(self) -> Link:
        """The link with what is known of its records so far."""
        return replace(self._link, base=self._base)

    def note_shown(self, pair: BoundPair, values: Sequence[FieldValue]) -> bool:
        """Note what the hold of a pair has shown of the records that take no part in it any more.

        Returns whether something was noted: a record may continue one of them.
        """
        return note_shown(self._base, pair, self._link, values)

    def _add_choice(self, pair: BoundPair, values: Sequence[FieldValue], hold: Hold) -> None:
        """Add the writes of a choice: each other value that was shown gives way to it."""
        shown = [replace(it, shown=it.value, untyped=it.record_id in hold.untyped) for it in values]
        self._add_writes(pair, shown, apply_choice(pair, shown, hold.chosen))

    def _keep_hold(self, pair: BoundPair, values: Sequence[FieldValue], hold: Hold | None) -> None:
        """Keep the hold of a pair that needs no write, with the values that are there now."""
        if hold is None:
            return
        if _is_edited_since_shown(values):
            self.add_hold(pair, values, hold.reason)
        elif _is_moot(hold, values):
            del self._holds[pair.key]
        elif hold.reason not in IDENTITY_HOLDS:
            self.add_hold(pair, values, hold.reason)

    def _is_write_loop(
        self, pair: BoundPair, values: Sequence[FieldValue], resolution: Resolution
    ) -> bool:
        """Whether a value is undone again and again.

        A pair in one direction has no loop: what is typed on the receiving side never travels.
        """
        if pair.pair.direction is not Direction.BOTH and not pair.pair.enforced:
            return False
        undone = self._undone(pair, values)
        return is_write_loop(self._link, pair.key, resolution.writes, undone, now=self._now)

    def _undone(self, pair: BoundPair, values: Sequence[FieldValue]) -> frozenset[str]:
        """Return the records in which somebody replaced the value that we wrote last."""
        if pair.key not in self._link.recent_writes:
            return frozenset()
        return frozenset().union(
            *(
                undone_writes(
                    self._link,
                    pair,
                    side,
                    {it.record_id: it.value for it in values if it.side is side},
                    now=self._now,
                )
                for side in Side
            )
        )

    def _update_base(
        self,
        pair: BoundPair,
        values: Sequence[FieldValue],
        agreed_values: Mapping[str, Value],
        *,
        in_doubt: bool = False,
    ) -> None:
        self._meeting.discard(pair.base_keys[RecordKind.LEAD])
        kinds = {it.record_id: it.kind for it in values if it.record_id in self._records}
        agreed = {
            it: _agreed(pair, kinds[it], agreed_values[it]) for it in kinds if it in agreed_values
        }
        agreed |= self._continued(pair, agreed)
        for record_id, (key, _, value) in agreed.items():
            agree_base(self._base, record_id, key, value)
            self._undelivered.discard((record_id, key))
        excluded = find_excluded_leads(pair, self._link, values, agreed_values, in_doubt=in_doubt)
        note_found(self._base, pair, self._link, values, agreed_values)
        for record_id, edited in excluded.edited.items():
            agree_base(self._base, record_id, pair.base_keys[RecordKind.LEAD], edited)
            self._undelivered.discard((record_id, pair.base_keys[RecordKind.LEAD]))
        invalidate_base(self._base, excluded.forgotten)
        note_unseen(self._base, excluded.unseen)
        (invalidate_base if in_doubt else outdate_base)(self._base, excluded.invalidated)
        self._undelivered -= set(excluded.invalidated.items())

    def _continued(
        self, pair: BoundPair, agreed: Mapping[str, AgreedValue]
    ) -> dict[str, AgreedValue]:
        """Return the values of records that others replaced which agree now, by record id.

        The last edit of a converted Lead is sent by its Contact, once: it is none any more when the
        Contact takes no part later.
        """
        values = {}
        for former in self._link.salesforce:
            key = pair.base_keys.get(former.kind, "")
            name = pair.fields[former.kind].name if former.kind in pair.fields else ""
            successor = self._link.observation(former.successor)
            if (
                former.successor in agreed
                and successor is not None
                and not former.is_active
                and key in self._link.base.get(former.id, {})
                and name in former.values
                and continues(pair, former, successor.kind, successor)
            ):
                values[former.id] = AgreedValue(key, name, former.values[name])
        return values

    def _note_unsent_opt_out(self, pair: BoundPair, values: Sequence[FieldValue]) -> None:
        """Agree on an opt-out that a new Lead is created without, because nobody ticked it.

        A Lead that is deleted before any run reads it sends nothing but the opt-out that was ticked
        in it since the last agreement: without this one, the opt-out would be lost.
        """
        if not pair.is_opt_out:
            return
        self._unsent_opt_outs += [
            BaseUpdate(
                pair.key,
                {NEW_RECORD: _agreed(pair, it.kind, it.value)},
                required_writes=frozenset({NEW_RECORD}),
                rule=MergeRule.AGREED,
            )
            for it in values
            if it.record_id == NEW_RECORD and it.kind is RecordKind.LEAD
        ]

    def add_hold(self, pair: BoundPair, values: Sequence[FieldValue], reason: HoldReason) -> None:
        """Hold a pair; it gets one journal entry for each set of values, not one for each run."""
        current = {value.record_id: value.value for value in values}
        hold = self._holds.get(pair.key)
        if hold is not None and _is_chosen(hold, values):
            self._add_choice(pair, values, hold)
            return
        if hold is None or not have_same_values(hold.values, current):
            since = self._now if hold is None else hold.since
            shown, untyped = ({}, frozenset()) if hold is None else (hold.values, hold.untyped)
            untyped = frozenset(
                it.record_id
                for it in values
                if is_untyped(pair, it) and (it.record_id not in shown or it.record_id in untyped)
            )
            if any(it not in shown or value != shown[it] for it, value in current.items()):
                note_hidden(self._base, pair, self._link, current)
            self._holds[pair.key] = Hold(
                reason, since, current, untyped=untyped, attribute=pair.pair.plezi
            )
            self._held.append(pair.key)

    def _note_meeting(self, pair: BoundPair) -> None:
        """Remember that the pair meets for the first time until its writes are done."""
        if self._is_first_meeting:
            self._meeting.add(pair.base_keys[RecordKind.LEAD])

    def _add_unusable(
        self, pair: BoundPair, values: Sequence[FieldValue], resolution: Resolution
    ) -> None:
        """Hold a pair whose value table lacks the value; any other value is a problem.

        The choice of such a value, and an earlier reason, end: the value can travel only when the
        table has it.
        """
        codes = {it.code for it in resolution.unusable.values()}
        if codes != {ProblemCode.UNKNOWN_VALUE}:
            self._add_problems(pair, resolution)
            return
        self._note_meeting(pair)
        if (hold := self._holds.get(pair.key)) is not None:
            is_persistent = hold.reason in PERSISTENT_HOLDS
            reason = hold.reason if is_persistent else HoldReason.UNKNOWN_VALUE
            self._holds[pair.key] = replace(hold, reason=reason, chosen="")
        known = [value for value in values if value.record_id != NEW_RECORD]
        self.add_hold(pair, known, HoldReason.UNKNOWN_VALUE)

    def add_unreadable(self, pair: BoundPair, participants: Sequence[Participant]) -> None:
        """Report the values of a pair that cannot be read; the pair waits, and no other does."""
        records = [
            it.observation for it in participants if it.observation and it.takes_part_in(pair.key)
        ]
        if problems := find_unreadable(pair, records):
            self._note_meeting(pair)
            self._problems += problems

    def _add_problems(self, pair: BoundPair, resolution: Resolution) -> None:
        self._note_meeting(pair)
        self._problems += [
            describe_problem(pair, kind, unusable) for kind, unusable in resolution.unusable.items()
        ]

    def _add_writes(
        self, pair: BoundPair, values: Sequence[FieldValue], resolution: Resolution
    ) -> None:
        if resolution.unusable:
            self._add_unusable(pair, values, resolution)
            return
        kinds = {value.record_id: value.kind for value in values}
        for record_id, value in resolution.writes.items():
            self._writes.setdefault(record_id, {})[pair.fields[kinds[record_id]].name] = value
        new_base = resolution.new_base or {}
        self._add_overwritten(pair, values, resolution)
        if not resolution.writes:
            self._holds.pop(pair.key, None)
            self._update_base(pair, values, new_base)
            return
        self._note_meeting(pair)
        excluded = find_excluded_leads(pair, self._link, values, new_base)
        note_found(self._base, pair, self._link, values, new_base)
        invalidate_base(self._base, excluded.forgotten)
        agreed_values = {r: _agreed(pair, kinds[r], value) for r, value in new_base.items()}
        self._base_updates.append(
            BaseUpdate(
                pair=pair.key,
                values=agreed_values
                | self._continued(pair, agreed_values)
                | {r: _agreed(pair, RecordKind.LEAD, v) for r, v in excluded.edited.items()},
                required_writes=frozenset(resolution.writes),
                rule=resolution.rule,
                invalidated=excluded.invalidated,
                after_undo=self._undone(pair, values).intersection(resolution.writes),
                unseen=excluded.unseen,
            )
        )

    def _add_overwritten(
        self, pair: BoundPair, values: Sequence[FieldValue], resolution: Resolution
    ) -> None:
        """Add each value that gives way, and the value that wins: the one written, or Plezi's.

        Plezi has no value while its contact is created without the field, because the field cannot
        be written in a creation.
        """
        agreed, side = next(iter(resolution.writes.values()), None), Side.SALESFORCE
        plezi = next((value for value in values if value.side is Side.PLEZI), None)
        if plezi is not None:
            agreed = (resolution.new_base or {}).get(plezi.record_id, plezi.value)
            side = Side.PLEZI
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
                        value.record_id, pair.convert_or_keep(value.kind, agreed, side)
                    ),
                    rule=resolution.rule,
                )
            )

    def build(
        self,
        participants: Participants,
        bound: BoundMapping,
        repeated: Collection[tuple[str, str]],
    ) -> Plan:
        """Return the plan of the whole link."""
        base = {record_id: values for record_id, values in self._base.items() if values}
        link = self._link
        if self._meeting:
            self._meeting &= {pair.base_keys[RecordKind.LEAD] for pair in bound.pairs}
        meeting = frozenset(self._meeting)
        undelivered = frozenset(self._undelivered)
        known = (link.holds, link.meeting, link.undelivered)
        if (self._holds, meeting, undelivered) != known or not _have_same_base(base, link.base):
            link = replace(
                link,
                base=base,
                meeting=meeting,
                undelivered=undelivered,
                holds=dict(self._holds),
            )
        writes = tuple(
            build_write(participant, link.email, self._writes[participant.record_id], bound)
            for participant in participants.members
            if participant.record_id in self._writes
        )
        overwritten = (*self._overwritten, *self._written_again(writes, bound, repeated))
        unsent = self._unsent_opt_outs if NEW_RECORD in self._writes else []
        return Plan(
            link,
            participants,
            writes,
            (*self._base_updates, *unsent),
            overwritten,
            tuple(self._held),
            tuple(self._problems),
        )

    def _written_again(
        self,
        writes: Sequence[Write],
        bound: BoundMapping,
        repeated: Collection[tuple[str, str]],
    ) -> list[Overwritten]:
        """Return the values that a user may have typed again after a write that is repeated."""
        known = {(it.record_id, it.pair) for it in self._overwritten}
        return [
            Overwritten(
                kind=write.kind,
                record_id=write.record_id,
                pair=pair.key,
                value=write.before.get(name),
                replaced_by=value,
                rule=MergeRule.REPEATED,
            )
            for write in writes
            for name, value in write.values.items()
            if (write.record_id, name) in repeated
            and (pair := bound.by_field[write.kind, name])
            and (write.record_id, pair.key) not in known
        ]


def build_write(participant: Participant, email: str, values: Values, bound: BoundMapping) -> Write:
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
