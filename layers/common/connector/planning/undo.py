"""The undo of a run for one link: the records that it wrote get the values from before it again.

Three-way, against the journal: a record that still has the value that the run wrote gets the value
that the run replaced. Everything else is left as it is, with the reason. Only what the connector
wrote is put back: what a user typed, in the record where it was typed, stays, unless the request is
for both sides. The base of each record becomes the value that it then has, so no record differs
from its base and the next run has nothing to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector.mapping import BoundMapping, BoundPair, UnusableValue
from connector.mapping.model import EMAIL_PAIR, FieldPair
from connector.model import (
    NEW_RECORD,
    AgreedValue,
    BaseUpdate,
    JournalEntry,
    JournalKind,
    Link,
    LongText,
    MergeRule,
    Overwritten,
    Side,
    UndoReason,
    UndoRequest,
    Value,
)
from connector.planning.changed_fields import changed_pairs
from connector.planning.field_merge import FieldValue, has_changed, resolve
from connector.planning.field_values import field_values
from connector.planning.participating_records import Participants, select_participants
from connector.planning.plan import NotUndone, Plan, build_write


@dataclass(frozen=True, slots=True)
class UndoScope:
    """What is undone: the request, and the field pairs of the run's mapping by their keys."""

    request: UndoRequest
    former: Mapping[str, FieldPair]


@dataclass(frozen=True, slots=True)
class _Written:
    """What a run wrote to one field of one record: its entries, oldest first.

    `newer_run` is the last run that wrote the same field after them ('': none did).
    """

    side: Side
    record_id: str
    entries: tuple[JournalEntry, ...]
    newer_run: str

    @property
    def after(self) -> Value:
        """The value that the run wrote last."""
        return self.entries[-1].after

    def before(self, pair: BoundPair) -> Value:
        """Return the value that the run replaced.

        If the run wrote several times, it is the one before the first write, unless somebody typed
        another value between two of them: then it is that one.
        """
        before = self.entries[-1].before
        for entry in reversed(self.entries[:-1]):
            if pair.canonical(self.side, entry.after) != pair.canonical(self.side, before):
                break
            before = entry.before
        return before


@dataclass(frozen=True, slots=True)
class _Decision:
    """The decision about one field pair: the values to write by record id, or what is left."""

    values: Mapping[str, Value] = field(default_factory=dict)
    overwritten: tuple[Overwritten, ...] = ()
    not_undone: tuple[NotUndone, ...] = ()


def plan_undo(
    link: Link, bound: BoundMapping, entries: Sequence[JournalEntry], scope: UndoScope
) -> Plan:
    """Return the writes that undo a run for one link, and the values that stay as they are.

    Pure. `entries` are those of the journal about this person since the run began, oldest first. A
    value that is as before the run already is neither written nor named, so that an undo that is
    repeated, or continued after a crash, does the rest. Other changes of the link are not planned:
    it stays dirty if there are any (`Plan.is_partial`).
    """
    participants = select_participants(link, bound.config)
    pairs = {pair.key: pair for pair in bound.pairs}
    created = created_records(entries, scope.request.run_id)
    left = [
        NotUndone(side, record_id, "", UndoReason.CREATED) for record_id, side in created.items()
    ]
    decided: dict[str, _Decision] = {}
    for key, written in _written_fields(entries, scope.request).items():
        of_updates = [it for it in written if it.record_id not in created]
        if of_updates:
            undo = _FieldUndo(link, participants, pairs.get(key), key, scope)
            decided[key] = undo.decide(of_updates)
    undone = frozenset(key for key, decision in decided.items() if decision.values)
    members = participants.members
    rest = changed_pairs(link, bound, members) - undone if members else frozenset[str]()
    recent = {key: it for key, it in link.recent_writes.items() if key not in undone}
    return Plan(
        # The writes of an undo are no automation, and what it takes back was none either.
        replace(link, recent_writes=recent) if undone & link.recent_writes.keys() else link,
        participants,
        tuple(
            build_write(member, link.email, values, bound)
            for member in members
            if (values := _values_of(member.record_id, decided, pairs, participants))
        ),
        tuple(it for key in undone for it in _base_updates(pairs[key], decided[key], participants)),
        tuple(it for decision in decided.values() for it in decision.overwritten),
        is_partial=True,
        # What waits in quarantine is listed again: these writes end it, as any writes do.
        stays_dirty=link.dirty or bool(rest) or link.quarantine is not None,
        not_undone=(*left, *(it for each in decided.values() for it in each.not_undone)),
    )


def created_records(entries: Sequence[JournalEntry], run_id: str) -> dict[str, Side]:
    """Return the records that a run created, with their sides.

    Every creation writes the e-mail, and no update finds it blank: a record without an e-mail takes
    no part.
    """
    return {
        entry.record_id: entry.side
        for entry in entries
        if entry.run_id == run_id
        and entry.kind is JournalKind.WRITTEN
        and entry.field == EMAIL_PAIR.key
        and entry.before is None
    }


def _written_fields(
    entries: Sequence[JournalEntry], request: UndoRequest
) -> dict[str, list[_Written]]:
    """Return what a run wrote, by field pair, with the later writes of other runs."""
    grouped: dict[tuple[str, str], list[JournalEntry]] = {}
    for entry in entries:
        if entry.kind is JournalKind.WRITTEN and request.field in ("", entry.field):
            grouped.setdefault((entry.field, entry.record_id), []).append(entry)
    found: dict[str, list[_Written]] = {}
    for (key, record_id), members in grouped.items():
        own = tuple(it for it in members if it.run_id == request.run_id)
        if own:
            newer = [it.run_id for it in members if it.at > own[-1].at]
            written = _Written(own[-1].side, record_id, own, newer[-1] if newer else "")
            found.setdefault(key, []).append(written)
    return found


class _FieldUndo:
    """Decides one field pair of one link."""

    def __init__(
        self,
        link: Link,
        participants: Participants,
        pair: BoundPair | None,
        key: str,
        scope: UndoScope,
    ) -> None:
        self._link = link
        self._members = participants.members
        self._pair = pair
        self._key = key
        self._scope = scope
        values = field_values(pair, link, self._members) if pair is not None else []
        self._values = {value.record_id: value for value in values}

    def decide(self, written: Sequence[_Written]) -> _Decision:
        """Return the values to write, or the reason why the field, or a record of it, is left."""
        pair = self._pair
        if (reason := self._obstacle()) is not None or pair is None:
            return self._left(written, reason or UndoReason.NO_PAIR)
        present = [it for it in written if it.record_id in {m.record_id for m in self._members}]
        gone = [self._gone(it) for it in written if it not in present]
        if any(it.record_id not in self._values for it in present):
            return self._left(present, UndoReason.NOT_WRITABLE, gone)
        todo = [it for it in present if not self._has(it, it.before(pair))]
        refusal = self._refusal(pair, todo)
        if refusal is not None:
            return self._left(todo, refusal, gone)
        unknown = [it for it in todo if isinstance(it.before(pair), LongText)]
        gone += [self._not_undone(it, UndoReason.TEXT_NOT_KEPT) for it in unknown]
        values = {it.record_id: it.before(pair) for it in todo if it not in unknown}
        if _takes_back_opt_out(pair, values, self._values):
            if not self._scope.request.opt_outs:
                return self._left(todo, UndoReason.OPT_OUT, gone)
            values = self._values_without_opt_out(pair, values)
        elif self._scope.request.both_sides:
            values = self._values_on_both_sides(pair, values, todo)
        if values and self._is_written_again(pair, values):
            return self._left(todo, UndoReason.WRITTEN_AGAIN, gone)
        return _Decision(values, self._overwritten(values, written), tuple(gone))

    def _obstacle(self) -> UndoReason | None:
        """Return why no record of the field is undone, whatever its value is."""
        pair, former = self._pair, self._scope.former.get(self._key)
        if self._key == EMAIL_PAIR.key:
            return UndoReason.EMAIL
        # The journal names a pair by its Salesforce field: the other field may be another one now.
        if pair is None or former is None or pair.pair.plezi != former.plezi:
            return UndoReason.NO_PAIR
        return UndoReason.HELD if self._key in self._link.holds else None

    def _refusal(self, pair: BoundPair, todo: Sequence[_Written]) -> UndoReason | None:
        """Return why the values stay as they are: a later decision, or a missing right to write."""
        if any(it.newer_run for it in todo):
            return UndoReason.NEWER_RUN
        records = {it.record_id for it in todo}
        others = [value for value in self._values.values() if value.record_id not in records]
        is_changed = any(has_changed(pair, it) for it in others)
        if todo and (is_changed or not all(self._has(it, it.after) for it in todo)):
            return UndoReason.CHANGED_SINCE
        if not all(self._values[it.record_id].can_receive for it in todo):
            return UndoReason.NOT_WRITABLE
        return None

    def _has(self, written: _Written, value: Value) -> bool:
        """Return whether a record has a value at present."""
        pair, current = self._pair, self._values[written.record_id].value
        if pair is None:
            return False
        return pair.canonical(written.side, current) == pair.canonical(written.side, value)

    def _values_without_opt_out(
        self, pair: BoundPair, values: Mapping[str, Value]
    ) -> dict[str, Value]:
        """Return the values that take an opt-out back in every record: else it would come back."""
        unticked = dict(values)
        for record_id, value in self._values.items():
            converted = pair.convert(value.kind, False, value.side)  # noqa: FBT003  # of a checkbox
            is_possible = value.can_receive and not isinstance(converted, UnusableValue)
            if is_possible and not pair.is_blank(value.side, value.value):
                unticked.setdefault(record_id, converted)  # type: ignore[arg-type]
        return unticked

    def _values_on_both_sides(
        self, pair: BoundPair, values: Mapping[str, Value], written: Sequence[_Written]
    ) -> dict[str, Value]:
        """Return the values with those of the records that have what the run spread.

        The value before is the one that was agreed: it was there too. Nothing is added if it is
        blank, because a record whose value filled blanks would lose it, or if records had
        different ones.
        """
        befores = {pair.canonical(it.side, it.before(pair)) for it in written}
        sources = [it for it in written if it.record_id in values]
        if len(befores) != 1 or not sources:
            return dict(values)
        source = sources[0]
        before, after = source.before(pair), pair.canonical(source.side, source.after)
        everywhere = dict(values)
        if pair.is_blank(source.side, before):
            return everywhere
        for record_id, value in self._values.items():
            converted = pair.convert(value.kind, before, source.side)
            if (
                record_id not in {*values, NEW_RECORD}  # an undo creates no record
                and value.can_receive
                and not isinstance(converted, UnusableValue)
                and pair.canonical(value.side, value.value) == after
            ):
                everywhere[record_id] = converted
        return everywhere

    def _is_written_again(self, pair: BoundPair, values: Mapping[str, Value]) -> bool:
        """Return whether a run would write, or hold, the field once these values are written."""
        after = [
            replace(it, value=values[it.record_id], base=values[it.record_id])
            if it.record_id in values
            else it
            for it in self._values.values()
        ]
        resolution = resolve(pair, after)
        return bool(resolution.writes or resolution.unusable) or resolution.is_held

    def _overwritten(
        self, values: Mapping[str, Value], written: Sequence[_Written]
    ) -> tuple[Overwritten, ...]:
        """Return the values of records that the run did not write: a user typed them there.

        It is an opt-out that is taken back, or an undo in both systems.
        """
        own = {it.record_id for it in written}
        return tuple(
            Overwritten(it.kind, it.record_id, self._key, it.value, values[it.record_id], _RULE)
            for it in self._values.values()
            if it.record_id in values and it.record_id not in own
        )

    def _left(
        self, written: Sequence[_Written], reason: UndoReason, gone: Sequence[NotUndone] = ()
    ) -> _Decision:
        return _Decision(
            not_undone=(*gone, *(self._not_undone(it, reason) for it in written)),
        )

    def _gone(self, written: _Written) -> NotUndone:
        is_here = written.record_id in self._link.record_ids
        reason = UndoReason.NO_RECORD if is_here else UndoReason.NO_CONTACT
        return self._not_undone(written, reason)

    def _not_undone(self, written: _Written, reason: UndoReason) -> NotUndone:
        value = self._values.get(written.record_id)
        return NotUndone(
            written.side,
            written.record_id,
            self._key,
            reason,
            None if value is None else value.value,
            written.entries[-1].before if self._pair is None else written.before(self._pair),
            written.newer_run if reason is UndoReason.NEWER_RUN else "",
        )


_RULE = MergeRule.UNDONE


def _takes_back_opt_out(
    pair: BoundPair, values: Mapping[str, Value], current: Mapping[str, FieldValue]
) -> bool:
    """Return whether a checkbox of the policy for opt-outs would be unticked."""
    return pair.is_opt_out and any(
        pair.is_blank(current[record].side, it) for record, it in values.items()
    )


def _values_of(
    record_id: str,
    decided: Mapping[str, _Decision],
    pairs: Mapping[str, BoundPair],
    participants: Participants,
) -> dict[str, Value]:
    """Return the values to write to one record, by the name of the field."""
    kinds = {member.record_id: member.kind for member in participants.members}
    return {
        pairs[key].fields[kinds[record_id]].name: decision.values[record_id]
        for key, decision in decided.items()
        if record_id in decision.values
    }


def _base_updates(
    pair: BoundPair, decision: _Decision, participants: Participants
) -> list[BaseUpdate]:
    """Return the next base of each record that is written, valid once its own write is done.

    The records do not depend on each other: each gets the value that it had. An opt-out is taken
    back in all records or counts as none.
    """
    agreed = {
        member.record_id: AgreedValue(
            pair.base_keys[member.kind],
            pair.fields[member.kind].name,
            decision.values[member.record_id],
        )
        for member in participants.members
        if member.record_id in decision.values
    }
    if decision.overwritten:
        return [BaseUpdate(pair.key, agreed, frozenset(agreed), _RULE)]
    return [BaseUpdate(pair.key, {it: agreed[it]}, frozenset({it}), _RULE) for it in agreed]
