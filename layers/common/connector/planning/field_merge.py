"""The three-way merge of one field pair: pure, and the only module that decides which value wins.

A `FieldValue` is the value of one field in one record. It is changed if it differs from its base,
the value at the last agreement of the sides. Modification times are used by the `newest` policy
only, to resolve a conflict that exists already. With one record on each side the result is the
decision table of `docs/architecture.md`; with several Leads of one e-mail, or a Lead and a Contact,
the same rules apply to all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from connector.mapping import (
    BoundPair,
    ConflictPolicy,
    Direction,
    UnusableValue,
    is_identical,
)
from connector.mapping.values import Canonical
from connector.model import NEW_RECORD, MergeRule, RecordKind, Side, Value


class NoBase(Enum):
    """The base of a field on which the sides never agreed; an agreed blank value is different."""

    NO_BASE = "never"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The value of one field in one record, its base, and the rights of the record.

    `can_send`: the direction of the pair lets its changes travel. `can_receive`: the record may be
    written to. `modified` is the modification time of the record, `created` that of its creation
    ('' if not known). `shown` is the value that was held and shown for review, if one of the values
    shown was edited since: then an edit is what differs from it, and what was shown is lost when it
    is overwritten. `untyped`: nobody typed the value that was shown. `waits`: it is one of the
    values of a conflict that is held, or has reached one system only (`undelivered`, as in the
    link), so it counts as an edit whatever its base is. `rejoins`: the record agreed before the
    others agreed on another value, and still has its own of then, or it was found by the address
    that they agreed on: it takes theirs, also if that is blank. `left`: it takes no part any more
    and sends its last edit; its base is no agreement for other records. `unshown`: nothing tells
    whether the record ever showed its base, which it continues. `typed`: the record has no base,
    but its value is known to be an edit: one of what it agreed on in another pair of the same
    field, or one that gave way and was not written over. `was_shown` is what the hold of the pair
    showed of it while it took part in it before. `never_shared`: a Contact had another value than
    all records that agreed when it did. `cleared`: it is blank, had a value before, and no record
    has agreed on the blank.
    """

    kind: RecordKind
    record_id: str
    value: Value
    base: Value | NoBase
    modified: str
    can_send: bool
    can_receive: bool
    created: str = ""
    shown: Value | NoBase = NoBase.NO_BASE
    untyped: bool = False
    waits: bool = False
    undelivered: bool = False
    unshown: bool = False
    rejoins: bool = False
    left: bool = False
    typed: bool = False
    was_shown: Value | NoBase = NoBase.NO_BASE
    never_shared: bool = False
    cleared: bool = False

    @property
    def side(self) -> Side:
        """The side of the record."""
        return self.kind.side


@dataclass(frozen=True, slots=True)
class Resolution:
    """The decision about one field pair.

    `writes` holds the new values by record id, converted for that record. `new_base` holds, by
    record id, the value of each record once all writes are done: the next base (None: nothing is
    agreed). `overwritten` holds, by record id, the changed values that give way: they are written
    over, or, if their record is not written to, they stay there and do not travel. `unusable`: the
    winning value cannot be converted for a kind of record, so the field stays as it is.
    """

    rule: MergeRule
    writes: Mapping[str, Value] = field(default_factory=dict)
    new_base: Mapping[str, Value] | None = None
    overwritten: Mapping[str, Value] = field(default_factory=dict)
    unusable: Mapping[RecordKind, UnusableValue] = field(default_factory=dict)

    @property
    def is_held(self) -> bool:
        """Whether the field waits for a decision of an admin."""
        return self.rule is MergeRule.HELD


NO_CHANGE: Final = Resolution(MergeRule.NO_CHANGE)


def resolve(pair: BoundPair, values: Sequence[FieldValue]) -> Resolution:
    """Decide the next value of one field in each record of a link.

    Pure: the order of the values does not matter. A blank is a value: clearing a field is an edit.
    Values with the same canonical form are agreed and never written. A value that another record
    cannot hold is written to none, and nothing is agreed.
    """
    canonical = {it.record_id: pair.canonical(it.side, it.value) for it in values}
    if len(set(canonical.values())) == 1:
        return Resolution(MergeRule.AGREED, new_base={it.record_id: it.value for it in values})
    own = {it.record_id for it in values if has_its_own(pair, it, values)}
    values = _rebase(pair, values)
    policy = pair.pair.policy
    if pair.is_opt_out:
        return _apply_most_restrictive(pair, values, canonical)
    if policy is ConflictPolicy.FILL_BLANK:
        return _fill_blanks(pair, values, canonical)
    senders = _senders(pair, values, canonical)
    if not senders:
        return _join_later_records(pair, values, canonical, own)
    rule = MergeRule.ENFORCED if pair.pair.enforced else MergeRule.CHANGED
    is_conflict = len({canonical[sender.record_id] for sender in senders}) > 1
    if policy is ConflictPolicy.HOLD and (
        is_conflict or any(_was_not_shown(pair, one, it) for one in senders for it in values)
    ):
        return Resolution(MergeRule.HELD)
    if is_conflict:
        senders, rule = _without_later_leads(senders)
    if len({canonical[sender.record_id] for sender in senders}) > 1:
        return _propagate(pair, values, _winner(policy, senders), MergeRule(policy.value))
    return _propagate(pair, values, _first(senders), rule)


def apply_choice(pair: BoundPair, values: Sequence[FieldValue], record_id: str) -> Resolution:
    """Return the resolution after an admin chose the value of one record."""
    chosen = next(value for value in values if value.record_id == record_id)
    return _propagate(pair, values, chosen, MergeRule.CHOSEN)


def differs_without_base(pair: BoundPair, values: Sequence[FieldValue]) -> bool:
    """Whether the records have different values and never agreed on this pair."""
    canonical = {pair.canonical(value.side, value.value) for value in values}
    has_no_base = all(isinstance(value.base, NoBase) for value in values)
    return has_no_base and len(canonical - {None, False}) > 1


def _first(values: Sequence[FieldValue]) -> FieldValue:
    """Pick one of several equal values, the same one in every order."""
    return min(values, key=lambda value: value.record_id)


def _rebase(pair: BoundPair, values: Sequence[FieldValue]) -> Sequence[FieldValue]:
    """Drop the bases if one of the sides has only records that never agreed.

    The base is an agreement of both sides. A contact that was deleted and created again, or a new
    Lead in place of a deleted one, meets the other side for the first time. A value that changed
    since the last agreement stays an edit, also if it was cleared. Beside new Leads that have no
    value, what a converted Lead agreed on stays agreed while its last edit travels. So does a blank
    on which a Lead that is back has missed the agreement: it takes it. A value that was typed over
    in another record of its side has no say.
    """
    has_last_edit = any(
        it.left and not isinstance(it.base, NoBase) and has_changed(pair, it) for it in values
    ) and not any(isinstance(it.base, NoBase) and has_changed(pair, it) for it in values)
    rejoined = {it.side for it in values if it.rejoins}
    if _both_sides_have_base(pair, values):
        return values
    typed_over = {
        (it.side, pair.canonical(it.side, it.base))
        for it in values
        if not isinstance(it.base, NoBase) and has_changed(pair, it)
    }
    return [
        value
        if has_changed(pair, value)
        or has_its_own(pair, value, values)
        or has_last_edit
        or (value.side in rejoined and pair.is_blank(value.side, value.value))
        else replace(
            value,
            base=NoBase.NO_BASE,
            rejoins=value.rejoins
            or (value.side, pair.canonical(value.side, value.value)) in typed_over,
        )
        for value in values
    ]


def _both_sides_have_base(pair: BoundPair, values: Sequence[FieldValue]) -> bool:
    """Whether each side has a record with a base, or no record has one.

    For a new Lead, a Contact that has its own value is no agreement with Plezi.
    """
    is_met_by_a_lead = any(
        it.kind is RecordKind.LEAD and isinstance(it.base, NoBase) and not it.rejoins
        for it in values
    )
    agreed = {
        it.side
        for it in values
        if ((it.rejoins and it.can_receive) or it.undelivered or not isinstance(it.base, NoBase))
        and not it.left
        and not (is_met_by_a_lead and has_its_own(pair, it, values))
    }
    return not agreed or agreed == {it.side for it in values if not it.left}


def has_its_own(pair: BoundPair, value: FieldValue, values: Sequence[FieldValue]) -> bool:
    """Whether a Contact has a base that is not the one of Plezi: it is never written to."""
    others = [it for it in values if it.side is not value.side]
    return (
        value.kind is RecordKind.CONTACT
        and not isinstance(value.base, NoBase)
        and bool(others)
        and all(_never_shared(pair, value, it) for it in others)
    )


def has_changed(pair: BoundPair, value: FieldValue) -> bool:
    """Whether a value differs from its base; without a base, whether it is not blank."""
    return _differs(pair, value, value.base)


def _is_edited(pair: BoundPair, value: FieldValue) -> bool:
    """Whether a value differs from the one that was shown for review; else as `has_changed`."""
    known = value.base if isinstance(value.shown, NoBase) else value.shown
    return value.waits or _differs(pair, value, known)


def _is_typed(pair: BoundPair, value: FieldValue) -> bool:
    """Whether a user may have typed a value since the last agreement, or it waits for review."""
    was_shown = not isinstance(value.shown, NoBase) and not value.untyped
    return was_shown or value.waits or _is_edit(value) or has_changed(pair, value)


def _is_edit(value: FieldValue) -> bool:
    """Whether a value without a base is known to be an edit."""
    return (value.typed or value.cleared) and isinstance(value.base, NoBase)


def _differs(pair: BoundPair, value: FieldValue, known: Value | NoBase) -> bool:
    if isinstance(known, NoBase):
        return not pair.is_blank(value.side, value.value)
    if is_identical(value.value, known):  # saves two canonical forms
        return False
    return pair.canonical(value.side, value.value) != pair.canonical(value.side, known)


def is_untyped(pair: BoundPair, value: FieldValue) -> bool:
    """Whether nobody ever typed a value: a blank that was never anything else, a placeholder."""
    was_blank = isinstance(value.base, NoBase) or pair.is_blank(value.side, value.base)
    is_typed = value.waits or _is_edit(value)
    return was_blank and not is_typed and pair.is_blank(value.side, value.value)


def _senders(
    pair: BoundPair, values: Sequence[FieldValue], canonical: Mapping[str, Canonical]
) -> list[FieldValue]:
    """Return the values whose change may travel.

    If some records have agreed before, a record that joins them later sends its value only where
    they are blank; otherwise it takes the agreed value.
    """
    if pair.pair.enforced:
        return [
            value
            for value in values
            if value.side is Side.PLEZI and not pair.is_blank(value.side, value.value)
        ]
    agreed = [
        value
        for value in values
        if not isinstance(value.base, NoBase)
        and not value.left
        and not has_its_own(pair, value, values)
    ]
    is_agreed_blank = all(canonical[value.record_id] in (None, False) for value in agreed)
    new_records_send = is_agreed_blank or not _both_sides_have_base(pair, values)
    return [
        value
        for value in values
        if value.can_send
        and _is_edited(pair, value)
        and not _clears_its_own_value(pair, value, values)
        and (
            (new_records_send and not value.rejoins)
            or not isinstance(value.base, NoBase)
            or not isinstance(value.shown, NoBase)
            or value.waits
        )
    ]


def _clears_its_own_value(pair: BoundPair, value: FieldValue, values: Sequence[FieldValue]) -> bool:
    """Whether a Contact was cleared of a value that no other record agreed on.

    A Contact is never written to, and may keep a value that differs from theirs. Who clears it says
    nothing of what they have. A record that never agreed is none of them, nor is another Contact;
    if nobody else agreed, what the others had then counts.
    """
    others = [
        it
        for it in values
        if it is not value and it.kind is not RecordKind.CONTACT and not isinstance(it.base, NoBase)
    ]
    return (
        value.kind is RecordKind.CONTACT
        and not value.can_receive
        and pair.is_blank(value.side, value.value)
        and (all(_never_shared(pair, value, it) for it in others) if others else value.never_shared)
    )


def _never_shared(pair: BoundPair, one: FieldValue, other: FieldValue) -> bool:
    """Whether the value of a record at the last agreement was not that of another record."""
    if isinstance(one.base, NoBase) or isinstance(other.base, NoBase):
        return False
    return pair.canonical(one.side, one.base) != pair.canonical(other.side, other.base)


def _without_later_leads(senders: Sequence[FieldValue]) -> tuple[list[FieldValue], MergeRule]:
    """Leave out all Leads that never agreed but the one created first; also return the rule.

    Several Leads of one e-mail that meet for the first time are no conflict: as in Plezi's own
    connector, the others take the information of the first one. Ids increase with the time of the
    creation in most orgs; they decide where the time is not known. A converted Lead is none of
    them: it gives no information any more. Where only the pair is new, a Lead in which the field
    was edited since the Leads agreed on it in another pair is later than all that were not.
    """
    new = [
        it
        for it in senders
        if it.kind is RecordKind.LEAD and isinstance(it.base, NoBase) and not it.left
    ]
    if len(new) <= 1:
        return list(senders), MergeRule.OLDEST_LEAD
    typed = [it for it in new if it.typed]
    rule = MergeRule.CHANGED if len(typed) == 1 else MergeRule.OLDEST_LEAD
    first = min(typed or new, key=lambda it: (not it.created, it.created, it.record_id))
    return [it for it in senders if it is first or it not in new], rule


def _join_later_records(
    pair: BoundPair,
    values: Sequence[FieldValue],
    canonical: Mapping[str, Canonical],
    own: Collection[str],
) -> Resolution:
    """Write the agreed value, if there is one, to the records that never agreed.

    Called when no value that may travel has changed. `own` are the Contacts that have a value of
    their own, which no other record agreed on. A new record that has the agreed value agrees on it.
    """
    agreed = [v for v in values if not isinstance(v.base, NoBase) and v.can_send]
    read_only = [v for v in values if isinstance(v.base, NoBase) and not v.can_receive]
    joined = (
        _join_read_only(pair, read_only, agreed, canonical) if agreed and read_only else NO_CHANGE
    )
    # A record that may not be written to cannot be changed to agree: it does not block the others.
    agreed = [it for it in agreed if it.can_receive] or [
        it for it in agreed if it.record_id not in own
    ]
    if len({canonical[value.record_id] for value in agreed}) != 1:
        return joined
    source = _first(agreed)
    joined = _with_equal(joined, values, canonical, source)
    is_blank = canonical[source.record_id] in (None, False)
    new_ids = {  # nobody cleared what a record has that never agreed
        value.record_id
        for value in values
        if isinstance(value.base, NoBase) and value.can_receive and (value.rejoins or not is_blank)
    }
    if not new_ids:  # an agreed value without a receiver has no problem either
        return joined
    resolution = _propagate(pair, values, source, MergeRule.JOINED)
    if resolution.unusable:
        return resolution
    writes = {record: value for record, value in resolution.writes.items() if record in new_ids}
    if not writes:
        return joined
    joined_ids = new_ids | {it.record_id for it in agreed}
    new_base = {r: v for r, v in (resolution.new_base or {}).items() if r in joined_ids}
    overwritten = {r: v for r, v in resolution.overwritten.items() if r in new_ids}
    return Resolution(
        MergeRule.JOINED,
        writes,
        {**new_base, **(joined.new_base or {})},
        {**overwritten, **joined.overwritten},
    )


def _with_equal(
    joined: Resolution,
    values: Sequence[FieldValue],
    canonical: Mapping[str, Canonical],
    source: FieldValue,
) -> Resolution:
    """Return a resolution in which the new records with the value of a source agree on it too."""
    equal = {
        it.record_id: it.value
        for it in values
        if isinstance(it.base, NoBase)
        and it.can_receive
        and it.record_id != NEW_RECORD
        and canonical[it.record_id] == canonical[source.record_id]
    }
    if not equal:
        return joined
    return replace(joined, rule=MergeRule.JOINED, new_base={**(joined.new_base or {}), **equal})


def _join_read_only(
    pair: BoundPair,
    read_only: Sequence[FieldValue],
    agreed: Sequence[FieldValue],
    canonical: Mapping[str, Canonical],
) -> Resolution:
    """Take the values of new records that are never written to as their base.

    From then on their edits travel.
    """
    agreed_values = {canonical[value.record_id] for value in agreed}
    return Resolution(
        MergeRule.JOINED,
        new_base={value.record_id: value.value for value in read_only},
        overwritten={
            value.record_id: value.value
            for value in read_only
            if value.can_send
            and (_is_edit(value) or has_changed(pair, value))
            and canonical[value.record_id] not in agreed_values
        },
    )


def _fill_blanks(
    pair: BoundPair, values: Sequence[FieldValue], canonical: Mapping[str, Canonical]
) -> Resolution:
    """Fill blank values; two different values are left as they are."""
    filled = [value for value in values if canonical[value.record_id] not in (None, False)]
    if len({canonical[value.record_id] for value in filled}) != 1:
        return NO_CHANGE
    senders = [value for value in filled if value.can_send]
    if not senders:
        return NO_CHANGE
    return _propagate(pair, values, _first(senders), MergeRule.FILL_BLANK)


def _apply_most_restrictive(
    pair: BoundPair, values: Sequence[FieldValue], canonical: Mapping[str, Canonical]
) -> Resolution:
    """Propagate a ticked checkbox; hold the field if the values mean neither true nor false."""
    ticked = [value for value in values if canonical[value.record_id] is True]
    if not ticked:
        return Resolution(MergeRule.HELD)
    return _propagate(pair, values, _first(ticked), MergeRule.MOST_RESTRICTIVE)


def _winner(policy: ConflictPolicy, senders: Sequence[FieldValue]) -> FieldValue:
    """Pick the value that wins; the same one in every order of the values.

    Within one side the newest record wins. If the times are equal, Salesforce wins: sales users
    type there.
    """
    if policy is ConflictPolicy.PLEZI_WINS:
        senders = [v for v in senders if v.side is Side.PLEZI] or senders
    if policy is ConflictPolicy.SALESFORCE_WINS:
        senders = [v for v in senders if v.side is Side.SALESFORCE] or senders
    return max(senders, key=lambda v: (v.modified, v.side is Side.SALESFORCE, v.record_id))


def _rule_of_change(pair: BoundPair, values: Sequence[FieldValue], winner: FieldValue) -> MergeRule:
    """Return by which rule a change overwrites another typed value, although it has no conflict."""
    if pair.pair.direction is not Direction.BOTH:
        return MergeRule.ONE_WAY
    if any(not isinstance(value.shown, NoBase) for value in values):
        return MergeRule.EDITED
    return MergeRule.CONTACT_WINS if winner.kind is RecordKind.CONTACT else MergeRule.CHANGED


def _was_not_shown(pair: BoundPair, winner: FieldValue, value: FieldValue) -> bool:
    """Whether an edit replaces a value that its record never had: its author saw another one.

    A Contact is never written to, nor is the sending side of a one-way pair. What gives way is
    journaled then, although it did not change: a blank too, where the two agreed on different
    values. A Lead that left was written to before.
    """
    could_receive = winner.can_receive or (winner.left and pair.can_receive(winner.kind))
    if could_receive:
        return False
    is_blank = pair.is_blank(value.side, value.value)
    return (winner.unshown and not is_blank) or _never_shared(pair, winner, value)


def _propagate(
    pair: BoundPair, values: Sequence[FieldValue], winner: FieldValue, rule: MergeRule
) -> Resolution:
    """Write the winning value to each record that may be written to and has another value."""
    wanted = pair.canonical(winner.side, winner.value)
    writes: dict[str, Value] = {}
    unusable: dict[RecordKind, UnusableValue] = {}
    for value in values:
        if not value.can_receive or pair.canonical(value.side, value.value) == wanted:
            continue
        converted = pair.convert(value.kind, winner.value, winner.side)
        if isinstance(converted, UnusableValue):
            unusable[value.kind] = converted
        else:
            writes[value.record_id] = converted
    if unusable:
        return Resolution(MergeRule.NO_CHANGE, unusable=unusable)
    overwritten = {
        value.record_id: value.value
        for value in values
        if (_is_typed(pair, value) or _was_not_shown(pair, winner, value))
        and (
            value.record_id in writes
            or (value.can_send and pair.canonical(value.side, value.value) != wanted)
        )
    }
    if overwritten.keys() & writes.keys() and rule is MergeRule.CHANGED:
        rule = _rule_of_change(pair, values, winner)
    new_base = {value.record_id: writes.get(value.record_id, value.value) for value in values}
    return Resolution(rule, writes, new_base, overwritten)
