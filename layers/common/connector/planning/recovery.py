"""The recovery of an unfinished intent: its writes arrived, did not arrive, or are in doubt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from connector.mapping import BoundMapping, BoundPair
from connector.model import (
    NO_VALUES,
    Hold,
    HoldReason,
    Intent,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    RecordKind,
    Side,
    Value,
    Write,
)
from connector.planning.excluded_leads import (
    agree_base,
    invalidate_base,
    note_reached,
    note_unseen,
    outdate_base,
    outdate_value,
)
from connector.planning.observation import EMAIL_FIELDS
from connector.planning.write_outcome import (
    decided_values,
    done_overwrites,
    is_agreement,
    undelivered_values,
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The link without its intent, and what the journal must say about it.

    `delivered` are the ids of the records of which all fields were written. `held` are keys of
    field pairs. `written` are the parts of the writes that arrived, by the id of the record that
    has them, and `overwritten` the values that gave way to them. `repeated` are the fields (by
    record id) that have the value from before a write in a record that has changed: a user may have
    typed it again.
    """

    link: Link
    delivered: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    written: Mapping[str, Write] = field(default_factory=dict)
    overwritten: tuple[Overwritten, ...] = ()
    repeated: frozenset[tuple[str, str]] = frozenset()


def recover_intent(link: Link, bound: BoundMapping, *, now: float) -> Recovery:
    """Recover the intent of a run that crashed or lost a response; the observations are fresh.

    Each field is checked by itself. If the target has the intended value, the write arrived. If the
    target has the value from before the write, it did not arrive, and is planned again: a user may
    have edited other fields of the record. Only a field with any other value is held, because the
    order of the two writes is unknown. A create that left no record did not arrive; creates are
    idempotent, so it is safe to plan it again. A create that left a record with our proof (the page
    URL that only we write) arrived completely: other values there were typed later. A Lead without
    the page URL that we would have written is another one: the records meet for the first time. In
    Plezi there is no proof: a contact that has none of our values but the e-mail is another one, a
    form created it; in a contact that has some of them, fields that differ are held.
    """
    intent = link.intent
    if intent is None:
        return Recovery(link)
    found = [
        _examine(write, target, bound)
        for write in intent.writes
        if (target := _target(link, write, bound)) is not None
    ]
    done = {(each.write.record_id, name) for each in found for name in each.arrived}
    done |= {
        (record, it.field)
        for update in intent.base_updates
        if update.is_unsent
        for record, it in update.values.items()
        if any(each.is_complete and each.write.record_id == record for each in found)
    }
    # A field that the mapping has in another pair since then meets the records of that pair.
    doubtful = {key for each in found for key in each.doubtful}
    doubtful &= {update.pair for update in intent.base_updates}
    delivered = [each.target for each in found if each.is_complete]
    link = _apply_base_updates(link, intent, bound, done)
    # Where a field or record was not read, what the write would replace may be gone, and no run
    # looks again. The record was deleted, for example, and somebody created another one.
    in_doubt = {
        (each.write.record_id, name) for each in found for name in each.in_doubt | each.unread
    }
    in_doubt |= {
        (write.record_id, name)
        for write in intent.writes
        if not write.is_create and link.observation(write.record_id) is None
        for name in write.values
    }
    if len(delivered) == len(intent.writes):  # as good as a response
        link = replace(link, unanswered=0, unanswered_run="")
    decided = _decided(link, intent, done)
    holds = {
        key: _with_edits_seen(hold, key, link, intent, bound)
        for key, hold in link.holds.items()
        if key not in decided
    }
    targets = {each.target for each in found if each.in_doubt}
    for key in doubtful:
        holds[key] = _hold_in_doubt(link, bound, key, _known_before(intent, key, targets), now)
    return Recovery(
        replace(link, intent=None, holds=holds, dirty=True),
        tuple(delivered),
        tuple(sorted(doubtful)),
        {each.target: each.part for each in found if each.arrived},
        (
            *done_overwrites(intent, lambda record, name: (record, name) in done),
            # It is gone, whether the write replaced it or a user.
            *(
                replace(it, rule=MergeRule.IN_DOUBT)
                for it in done_overwrites(intent, lambda record, name: (record, name) in in_doubt)
            ),
        ),
        frozenset(known for each in found for known in each.repeated),
    )


@dataclass(frozen=True, slots=True)
class _Finding:
    """What a record shows of a write: the fields that arrived, the pairs and fields in doubt.

    `unread` are the fields that the record does not show. They are not held: where a field is still
    mapped, the last agreement tells who typed when it is read; else the records meet once more.
    """

    write: Write
    target: str
    arrived: frozenset[str]
    doubtful: frozenset[str] = frozenset()
    in_doubt: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    repeated: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether all fields of the write arrived."""
        return len(self.arrived) == len(self.write.values)

    @property
    def part(self) -> Write:
        """The part of the write that arrived."""
        values = {name: it for name, it in self.write.values.items() if name in self.arrived}
        return replace(self.write, values=values)


def _examine(write: Write, target: Observation, bound: BoundMapping) -> _Finding:
    """Compare a record with a write to it."""
    fields = _delivered_fields(write, target, bound)
    unread = frozenset(
        name
        for name in write.values
        if (write.kind, name) not in bound.by_field or name not in target.values
    )
    if write.is_create and _proves_creation(fields, write, bound):
        return _Finding(write, target.id, frozenset(write.values))
    if write.is_create and _proves_creation(set(write.values), write, bound):
        return _Finding(write, target.id, frozenset())  # somebody else created this record
    if write.is_create and not _shows_creation(fields, write, bound):
        return _Finding(write, target.id, frozenset())
    has_moved = not write.version or target.version != write.version
    in_doubt = _fields_in_doubt(write, target, bound, fields)
    others = write.values.keys() - fields - in_doubt.keys() - unread if has_moved else ()
    return _Finding(
        write,
        target.id,
        frozenset(fields),
        frozenset(in_doubt.values()),
        frozenset(in_doubt),
        unread,
        frozenset((target.id, name) for name in others),
    )


def _target(link: Link, write: Write, bound: BoundMapping) -> Observation | None:
    """Return the record of a write; for a create, the record that exists now.

    Among several Leads it is the one with our proof, if any: a user may have created another one at
    the same time. It may have been converted later: then its Contact continues with the base.
    """
    if not write.is_create:
        return link.observation(write.record_id)
    if write.side is Side.PLEZI:
        return link.plezi
    leads = [record for record in link.salesforce if record.kind is RecordKind.LEAD]
    active = [lead for lead in leads if lead.is_active]
    proven = [
        lead
        for lead in (*active, *leads)
        if _proves_creation(_delivered_fields(write, lead, bound), write, bound)
    ]
    return next(iter(proven or active), None)


def _delivered_fields(write: Write, target: Observation, bound: BoundMapping) -> set[str]:
    return {
        name
        for name, value in write.values.items()
        if name in target.values and _is_same(bound, write, name, target.values[name], value)
    }


def _proves_creation(delivered: set[str], write: Write, bound: BoundMapping) -> bool:
    """Whether a field that only we write proves that we created this record."""
    return any(
        write.values[name] is not None and bound.by_field[write.kind, name].pair.enforced
        for name in delivered
        if (write.kind, name) in bound.by_field
    )


def _shows_creation(delivered: set[str], write: Write, bound: BoundMapping) -> bool:
    """Whether a record has a value that we would have created it with, apart from its e-mail.

    Blanks and unticked checkboxes are what any new record has.
    """
    names = delivered - {EMAIL_FIELDS[write.side]}
    return any(
        (pair := bound.by_field.get((write.kind, name))) is not None
        and pair.canonical(write.side, write.values[name]) not in (None, False)
        for name in names
    )


def _decided(link: Link, intent: Intent, done: set[tuple[str, str]]) -> set[str]:
    """Return the pairs whose value arrived in both systems: what was held is decided."""
    return {
        update.pair
        for update in intent.base_updates
        if update.required_writes <= update.values.keys()
        and (written := {r for r in update.required_writes if (r, update.values[r].field) in done})
        and is_agreement(link, update, written)
    }


def _with_edits_seen(hold: Hold, key: str, link: Link, intent: Intent, bound: BoundMapping) -> Hold:
    """Return a hold that was to end with the intent, with the edits that had ended it.

    A record that had another value when the intent was decided, and has the value of the hold now,
    was edited since: somebody typed that value again. Where the intent writes the field, it has
    the value from before the write here, or the pair is in doubt. A choice that an admin made since
    then stays: it is valid as long as the records have these values.
    """
    pair = next((it for it in bound.pairs if it.key == key), None)
    if pair is None or hold.chosen:
        return hold
    written = {(write.record_id, name) for write in intent.writes for name in write.values}
    seen = {
        record: agreed.value
        for update in intent.base_updates
        if update.pair == key
        for record, agreed in update.values.items()
        if (record, agreed.field) not in written
    }
    sides = {record.id: record.side for record in link.observations()}
    current = _current_values(link, pair)
    typed_again = {}
    for record in hold.values.keys() & seen.keys() & current.keys():
        shown, before, now = (
            pair.canonical(sides[record], value)
            for value in (hold.values[record], seen[record], current[record])
        )
        if now == shown != before:
            typed_again[record] = seen[record]
    return replace(hold, values={**hold.values, **typed_again})


def _hold_in_doubt(
    link: Link, bound: BoundMapping, key: str, filled: Collection[str], now: float
) -> Hold:
    """Hold a pair of which a write is in doubt; `filled` are the ids of `_known_before`.

    A blank in any other record, where nothing else was ever agreed or shown for review, is one that
    nobody typed.
    """
    former = link.holds.get(key)
    typed = former.values.keys() - former.untyped if former is not None else set()
    pair = next(pair for pair in bound.pairs if pair.key == key)
    values = _current_values(link, pair)
    untyped = frozenset(
        record.id
        for record in link.observations()
        if record.id in values.keys() - filled - typed
        and pair.is_blank(record.side, values[record.id])
        and pair.is_blank(
            record.side, link.base.get(record.id, NO_VALUES).get(pair.base_keys[record.kind])
        )
    )
    return Hold(HoldReason.IN_DOUBT, now, values, untyped=untyped, attribute=pair.pair.plezi)


def _known_before(intent: Intent, key: str, targets: Collection[str]) -> set[str]:
    """Return the records of a pair that had a value when its write was decided, or may have it.

    A blank in one of them was typed since. `targets` are the ids of the records in doubt.
    """
    sources = {
        record_id
        for update in intent.base_updates
        if update.pair == key
        for record_id, agreed in update.values.items()
        if agreed.value not in (None, "")
    }
    return sources | set(targets)


def _fields_in_doubt(
    write: Write, target: Observation, bound: BoundMapping, delivered: set[str]
) -> dict[str, str]:
    """Return the fields of a write of which it is unknown if they arrived, with their pairs."""
    doubtful = {}
    for name in (write.values.keys() - delivered) & target.values.keys():
        current, before = target.values[name], write.before.get(name)
        # The observation of a deleted record, which may come back, may be older than our own write.
        # A record that we may have created has no value from before.
        is_update = not (target.deleted or write.is_create)
        if is_update and _is_same(bound, write, name, current, before):
            continue
        pair = bound.by_field.get((write.kind, name))
        if pair is not None:
            doubtful[name] = pair.key
    return doubtful


def _is_same(bound: BoundMapping, write: Write, name: str, one: Value, other: Value) -> bool:
    pair = bound.by_field.get((write.kind, name))
    if pair is None:  # the field is not mapped any more, or suspended: it was not read
        return False
    return pair.canonical(write.side, one) == pair.canonical(write.side, other)


def _apply_base_updates(
    link: Link, intent: Intent, bound: BoundMapping, done: set[tuple[str, str]]
) -> Link:
    """Update the base of each pair of which at least one write arrived.

    What a record agreed on whose write did not arrive is outdated, as it is after a received
    response (`record_outcomes`): it takes the agreed value later. What has reached one side only is
    no agreement (`is_agreement`). If nothing tells whether it
    arrived, because the field is not mapped any more, no agreement of the pair is known: its
    records meet for the first time when it is mapped again.
    """
    base = {record_id: dict(values) for record_id, values in link.base.items()}
    met: set[str] = set()
    undelivered = set(link.undelivered)
    writes = {write.record_id: write for write in intent.writes}
    kinds = {record_id: write.kind for record_id, write in writes.items()}
    created = {
        write.record_id: target.id
        for write in intent.writes
        if write.is_create and (target := _target(link, write, bound)) is not None
    }
    for update in intent.base_updates:
        required = update.required_writes & update.values.keys()
        if not any((r, update.values[r].field) in done for r in required):
            if any(
                (kinds[r], update.values[r].field) not in bound.by_field
                for r in required & kinds.keys()  # the others were recorded
            ):
                invalidate_base(base, {r: it.key for r, it in update.values.items()})
            continue
        written = {r for r in required if (r, update.values[r].field) in done}
        if not is_agreement(link, update, written):
            reached = undelivered_values(link, update, update.required_writes - written)
            note_reached(base, update.values, {it for it, _ in reached} & link.record_ids)
            undelivered |= reached
            continue
        met |= update.base_keys
        undelivered -= decided_values(update)
        for planned_id, (key, name, value) in update.values.items():
            record_id = created.get(planned_id, planned_id)
            if planned_id in update.required_writes and (planned_id, name) not in done:
                before = writes[planned_id].before if planned_id in writes else {}
                outdate_value(base, record_id, key, before, name)
            elif record_id in link.record_ids:
                agree_base(base, record_id, key, value)
        note_unseen(base, update.unseen)
        outdate_base(base, update.invalidated)
    return replace(link, base=base, meeting=link.meeting - met, undelivered=frozenset(undelivered))


def _current_values(link: Link, pair: BoundPair) -> Mapping[str, Value]:
    """Return the values of a pair that are known; that of a deleted record is not."""
    return {
        record.id: record.values[pair.fields[record.kind].name]
        for record in link.observations()
        if record.kind in pair.fields
        and not record.deleted
        and pair.fields[record.kind].name in record.values
    }
