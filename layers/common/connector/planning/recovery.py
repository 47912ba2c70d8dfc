"""Judge the unfinished intent (rule 3): delivered, never delivered, or unknowable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connector.mapping import BoundMapping
from connector.model import Hold, Intent, Link, Observation, RecordKind, Side, Value, Write
from connector.planning.absent_leads import invalidate_base
from connector.planning.plan import IN_DOUBT


@dataclass(frozen=True, slots=True)
class Recovery:
    """The link without its intent, and what was found: record ids delivered, lines held."""

    link: Link
    delivered: tuple[str, ...]
    held: tuple[str, ...]


def recover_intent(link: Link, bound: BoundMapping, *, now: float) -> Recovery:
    """Judge the intent of a dead or deaf run on fresh observations of the link's records.

    Field by field: the target says what was meant: delivered. The target has not moved since and
    says what it said before: never delivered, forgotten. Otherwise somebody typed there and nobody
    can know which came first: the field is held for a person. A creation that left no record was
    never delivered; creations are idempotent, so planning it again is safe. One that left a record
    which carries our proof (the page address that only we write) was delivered whole: what differs
    there now was typed since. Without proof, what differs is held.
    """
    intent = link.intent
    if intent is None:
        return Recovery(link, (), ())
    done: set[tuple[str, str]] = set()
    doubtful: set[str] = set()
    delivered: list[str] = []
    for write in intent.writes:
        target = _target(link, write, bound)
        if target is None:
            continue
        fields = _delivered_fields(write, target, bound)
        if write.is_create and _carries_proof(fields, write, bound):
            fields = set(write.values)
        done |= {(write.record_id, name) for name in fields}
        if len(fields) == len(write.values):
            delivered.append(target.id)
        doubtful |= _doubtful_pairs(write, target, bound, fields)
    link = _apply_base_updates(link, intent, bound, done)
    holds = dict(link.holds)
    for key in doubtful:
        words = _current_values(link, bound, key)
        holds[key] = Hold(IN_DOUBT, now, words)
    return Recovery(
        replace(link, intent=None, holds=holds, dirty=True),
        tuple(delivered),
        tuple(sorted(doubtful)),
    )


def _target(link: Link, write: Write, bound: BoundMapping) -> Observation | None:
    """The record that a write was for; for a creation, the one that now stands there.

    Among several Leads it is the one that carries our proof, if any: somebody may have made another
    one at the same time. It may have been converted since: then its Contact goes on with what was
    agreed.
    """
    if not write.is_create:
        return link.observation(write.record_id)
    if write.side is Side.PLEZI:
        return link.plezi
    leads = [it for it in link.salesforce if it.kind is RecordKind.LEAD]
    alive = [it for it in leads if it.is_active]
    proven = [
        it
        for it in (*alive, *leads)
        if _carries_proof(_delivered_fields(write, it, bound), write, bound)
    ]
    return next(iter(proven or alive), None)


def _delivered_fields(write: Write, target: Observation, bound: BoundMapping) -> set[str]:
    return {
        name
        for name, value in write.values.items()
        if _same(bound, write, name, target.values.get(name), value)
    }


def _carries_proof(delivered: set[str], write: Write, bound: BoundMapping) -> bool:
    """Whether a field that only we write says that this record is the one we created."""
    return any(
        write.values[name] is not None and bound.by_field[write.kind, name].pair.enforced
        for name in delivered
        if (write.kind, name) in bound.by_field
    )


def _doubtful_pairs(
    write: Write, target: Observation, bound: BoundMapping, delivered: set[str]
) -> set[str]:
    """Keys of the lines of a write of which nobody can say whether it arrived."""
    doubtful = set()
    for name in write.values.keys() - delivered:
        # A side that tells no versions cannot show that nobody moved. Nor can a record that is gone
        # and may come back: what is held of it may be older than our own write.
        unmoved = bool(write.version) and target.version == write.version and not target.deleted
        if unmoved and _same(bound, write, name, target.values.get(name), write.before.get(name)):
            continue
        line = bound.by_field.get((write.kind, name))
        if line is not None:
            doubtful.add(line.key)
    return doubtful


def _same(bound: BoundMapping, write: Write, name: str, one: Value, other: Value) -> bool:
    line = bound.by_field.get((write.kind, name))
    if line is None:  # the mapping moved on: the field is nobody's now
        return True
    return line.canonical(write.side, one) == line.canonical(write.side, other)


def _apply_base_updates(
    link: Link, intent: Intent, bound: BoundMapping, done: set[tuple[str, str]]
) -> Link:
    """Make the base of every line of which a write was delivered.

    Where another of its writes was not, that record counts as one that never agreed, as it does
    when the answers were heard (`record_outcomes`): it takes the agreed value later.
    """
    base = {record: dict(words) for record, words in link.base.items()}
    created = {
        write.record_id: target.id
        for write in intent.writes
        if write.is_create and (target := _target(link, write, bound)) is not None
    }
    for settlement in intent.base_updates:
        if not any((r, settlement.values[r][0]) in done for r in settlement.required_writes):
            continue
        for record, (name, value) in settlement.values.items():
            where = created.get(record, record)
            if record in settlement.required_writes and (record, name) not in done:
                base.get(where, {}).pop(name, None)
            elif where in link.record_ids:
                base.setdefault(where, {})[name] = value
        invalidate_base(base, settlement.invalidated)
    return replace(link, base=base)


def _current_values(link: Link, bound: BoundMapping, key: str) -> Mapping[str, Value]:
    line = next(line for line in bound.pairs if line.key == key)
    return {
        seen.id: seen.values.get(line.fields[seen.kind].name)
        for seen in link.observations()
        if seen.kind in line.fields
    }
