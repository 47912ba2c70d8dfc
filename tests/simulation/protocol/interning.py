"""Interning: equal objects share a number, so that a state is three small integers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from connector.model import AgreedValue, Hold, Intent, Link, Observation, Value, Values
from tests.simulation.protocol.symmetry import (
    Numbering,
    Renaming,
    rename,
    stamp_bit,
    typed_values_in,
    version_bit,
)

T = TypeVar("T")


class Interner(ABC, Generic[T]):
    """Objects by number.

    `signatures` holds, for each object, the number of its signature: the bits of its versions and
    timestamps, and its typed values. Objects with one signature are canonicalized in the same way.
    """

    def __init__(self) -> None:
        self.objects: list[T] = []
        self.bits: list[int] = []
        self.signatures: list[int] = []
        self._distinct_signatures: list[tuple[int, tuple[str, ...]]] = []
        self._numbers: dict[Hashable, int] = {}
        self._changed: dict[tuple[int, Hashable], int] = {}
        self._signature_numbers: dict[tuple[int, tuple[str, ...]], int] = {}

    def number(self, thing: T) -> int:
        """Return the number of an object; equal objects have the same number."""
        key = self._key(thing)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.objects)
            bits = self._bits_of(thing)
            self.objects.append(thing)
            self.bits.append(bits)
            self.signatures.append(self._signature((bits, self._values_of(thing))))
        return number

    def _signature(self, signature: tuple[int, tuple[str, ...]]) -> int:
        number = self._signature_numbers.get(signature)
        if number is None:
            number = self._signature_numbers[signature] = len(self._distinct_signatures)
            self._distinct_signatures.append(signature)
        return number

    def typed_values(self, number: int) -> tuple[str, ...]:
        """Return the typed values of an object, each at its first place."""
        return self._distinct_signatures[self.signatures[number]][1]

    def changed(self, number: int, numbering: Numbering | None, renaming: Renaming) -> int:
        """Return the same object with new numbers and renamed values."""
        if numbering is not None:
            number = self._change(
                number, numbering.key, lambda thing: self._renumbered(thing, numbering)
            )
        if renaming:
            key = tuple(renaming.items())
            number = self._change(number, key, lambda thing: self._renamed(thing, renaming))
        return number

    def _change(self, number: int, key: Hashable, change: Callable[[T], T]) -> int:
        after = self._changed.get((number, key))
        if after is None:
            after = self._changed[number, key] = self.number(change(self.objects[number]))
        return after

    def _key(self, thing: T) -> Hashable:
        return thing

    @abstractmethod
    def _values_of(self, thing: T) -> tuple[str, ...]:
        """Return the typed values of an object, each at its first place."""

    @abstractmethod
    def _bits_of(self, thing: T) -> int:
        """Return the bits of an object's versions and timestamps."""

    @abstractmethod
    def _renumbered(self, thing: T, numbering: Numbering) -> T:
        """Return an object with new numbers for its versions and timestamps."""

    @abstractmethod
    def _renamed(self, thing: T, renaming: Renaming) -> T:
        """Return an object with renamed values."""


class LinkInterner(Interner[Link]):
    """Links, as the ledger stores them or as a run holds them in memory."""

    def __init__(self, *, keeps_meeting: bool) -> None:
        """Take whether a rule depends on `Link.meeting`; otherwise it makes no other state."""
        super().__init__()
        self._keeps_meeting = keeps_meeting

    def number(self, thing: Link) -> int:
        """Return the number of a link, without what no rule of the model depends on.

        The model has no write loop, and lists no link for a number of attempts without a response.
        """
        if thing.recent_writes or thing.unanswered:
            thing = replace(thing, recent_writes={}, unanswered=0, unanswered_run="")
        if thing.meeting and not self._keeps_meeting:
            thing = replace(thing, meeting=frozenset())
        return super().number(thing)

    def _key(self, thing: Link) -> Hashable:
        return (
            _observation_key(thing.plezi) if thing.plezi is not None else None,
            tuple(map(_observation_key, thing.salesforce)),
            _frozen({record: _frozen(values) for record, values in thing.base.items()}),
            _intent_key(thing.intent) if thing.intent is not None else None,
            _frozen({key: _hold_key(hold) for key, hold in thing.holds.items()}),
            thing.meeting,
            thing.undelivered,
            thing.quarantine,
            thing.dirty,
        )

    def _bits_of(self, thing: Link) -> int:
        bits = 0
        for it in thing.observations():
            bits |= version_bit(it.id, int(it.version)) if it.version else 0
            bits |= stamp_bit(int(it.modified)) if it.modified else 0
        for write in thing.intent.writes if thing.intent is not None else ():
            bits |= version_bit(write.record_id, int(write.version)) if write.version else 0
        return bits

    def _values_of(self, thing: Link) -> tuple[str, ...]:
        """Return the typed values in an order that does not depend on the values."""
        values: list[Value] = []
        for it in thing.observations():
            values += _by_name(it.values)
        for record in sorted(thing.base):
            values += _by_name(thing.base[record])
        if thing.intent is not None:
            for write in sorted(thing.intent.writes, key=lambda write: write.record_id):
                values += [*_by_name(write.values), *_by_name(write.before)]
            for update in thing.intent.base_updates:
                values += [update.values[record].value for record in sorted(update.values)]
        for key in sorted(thing.holds):
            values += _by_name(thing.holds[key].values)
        return typed_values_in(values)

    def _renumbered(self, thing: Link, numbering: Numbering) -> Link:
        def new_version(record: str, old: str) -> str:
            new = numbering.versions.get((record, int(old))) if old else None
            return old if new is None else f"{new:02d}"

        def renumbered(it: Observation) -> Observation:
            new = numbering.stamps.get(int(it.modified)) if it.modified else None
            modified = it.modified if new is None else f"{new:02d}"
            return replace(it, version=new_version(it.id, it.version), modified=modified)

        intent = thing.intent
        if intent is not None:
            writes = tuple(
                replace(it, version=new_version(it.record_id, it.version)) for it in intent.writes
            )
            intent = replace(intent, writes=writes)
        return replace(
            thing,
            plezi=renumbered(thing.plezi) if thing.plezi is not None else None,
            salesforce=tuple(map(renumbered, thing.salesforce)),
            intent=intent,
        )

    def _renamed(self, thing: Link, renaming: Renaming) -> Link:
        def renamed(it: Observation) -> Observation:
            return replace(it, values=_renamed_values(it.values, renaming))

        base = {record: _renamed_values(it, renaming) for record, it in thing.base.items()}
        holds = {
            key: replace(it, values=_renamed_values(it.values, renaming))
            for key, it in thing.holds.items()
        }
        return replace(
            thing,
            plezi=renamed(thing.plezi) if thing.plezi is not None else None,
            salesforce=tuple(map(renamed, thing.salesforce)),
            base=base,
            holds=holds,
            intent=_renamed_intent(thing.intent, renaming) if thing.intent is not None else None,
        )


def _frozen(values: Mapping[str, object]) -> Hashable:
    return tuple(sorted(values.items()))  # the names are unique, so that no values are compared


def _observation_key(it: Observation) -> Hashable:
    return (
        *(it.kind, it.id, it.email, it.version, it.modified),
        *(it.eligible, it.converted, it.deleted, it.successor, it.created),
        _frozen(it.values),
    )


def _hold_key(hold: Hold) -> Hashable:
    return hold.reason, _frozen(hold.values), hold.chosen, hold.untyped, hold.attribute


def _intent_key(intent: Intent) -> Hashable:
    return (
        tuple(
            (it.kind, it.record_id, it.version, _frozen(it.values), _frozen(it.before))
            for it in intent.writes
        ),
        tuple(
            (it.pair, _frozen(it.values), it.required_writes, it.rule) for it in intent.base_updates
        ),
    )


def _by_name(values: Values) -> list[Value]:
    return [values[name] for name in sorted(values)]


def _renamed_values(values: Values, renaming: Renaming) -> dict[str, Value]:
    return {name: rename(value, renaming) for name, value in values.items()}


def _renamed_intent(intent: Intent, renaming: Renaming) -> Intent:
    return replace(
        intent,
        writes=tuple(
            replace(
                it,
                values=_renamed_values(it.values, renaming),
                before=_renamed_values(it.before, renaming),
            )
            for it in intent.writes
        ),
        base_updates=tuple(
            replace(
                it,
                values={
                    record: AgreedValue(key, name, rename(value, renaming))
                    for record, (key, name, value) in it.values.items()
                },
            )
            for it in intent.base_updates
        ),
    )
