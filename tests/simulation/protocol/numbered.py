"""Equal things share a number, so that a state is three small numbers, quick to compare."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from connector.model import Intent, Link, Observation, Value, Values
from tests.simulation.protocol.symmetry import (
    Names,
    Numbers,
    letters,
    reworded,
    spoken,
    stamped,
)

Thing = TypeVar("Thing")


class Numbered(ABC, Generic[Thing]):
    """Things by number.

    An *aspect* is all of a thing that matters for how it is renumbered and renamed: the bits of its
    versions and stamps, and its words. Aspects are numbered too.
    """

    def __init__(self) -> None:
        self.things: list[Thing] = []
        self.bits: list[int] = []
        self.aspects: list[int] = []
        self.aspect: list[tuple[int, tuple[str, ...]]] = []
        self._numbers: dict[Hashable, int] = {}
        self._changed: dict[tuple[int, Hashable], int] = {}
        self._aspects: dict[tuple[int, tuple[str, ...]], int] = {}

    def number(self, thing: Thing) -> int:
        """Return the number of a thing; equal ones have the same."""
        key = self._key(thing)
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self.things)
            bits = self.bits_of(thing)
            self.things.append(thing)
            self.bits.append(bits)
            self.aspects.append(self._aspect((bits, self.spelled(thing))))
        return known

    def _aspect(self, aspect: tuple[int, tuple[str, ...]]) -> int:
        known = self._aspects.get(aspect)
        if known is None:
            known = self._aspects[aspect] = len(self.aspect)
            self.aspect.append(aspect)
        return known

    def said(self, number: int) -> tuple[str, ...]:
        """Return the typed words that a thing speaks of."""
        return self.aspect[self.aspects[number]][1]

    def changed(self, number: int, numbers: Numbers | None, words: Names) -> int:
        """Return the same thing with other numbers, and other words in place of those typed."""
        if numbers is not None:
            number = self._anew(number, numbers.key, lambda it: self.renumbered(it, numbers))
        if words:
            number = self._anew(number, tuple(words.items()), lambda it: self.renamed(it, words))
        return number

    def _anew(self, number: int, key: Hashable, change: Callable[[Thing], Thing]) -> int:
        known = self._changed.get((number, key))
        if known is None:
            known = self._changed[number, key] = self.number(change(self.things[number]))
        return known

    @abstractmethod
    def spelled(self, thing: Thing) -> tuple[str, ...]:
        """Return the typed words of a thing, each where it first stands."""

    def _key(self, thing: Thing) -> Hashable:
        return thing

    @abstractmethod
    def bits_of(self, thing: Thing) -> int:
        """Return the bits of a thing's versions and stamps."""

    @abstractmethod
    def renumbered(self, thing: Thing, numbers: Numbers) -> Thing:
        """Return a thing with other numbers for its versions and stamps."""

    @abstractmethod
    def renamed(self, thing: Thing, words: Names) -> Thing:
        """Return a thing with other words in place of those typed."""


class Links(Numbered[Link]):
    """The ledger's line as it is stored, or as a run holds it in its hands."""

    def number(self, thing: Link) -> int:
        """Return the number of a link. What was told is left out: the model has no ping-pong."""
        return super().number(replace(thing, recent_writes={}) if thing.recent_writes else thing)

    def _key(self, thing: Link) -> Hashable:
        return (
            _seen(thing.plezi) if thing.plezi is not None else None,
            tuple(map(_seen, thing.salesforce)),
            _frozen({record: _frozen(words) for record, words in thing.base.items()}),
            _intent(thing.intent) if thing.intent is not None else None,
            _frozen({k: (it.reason, _frozen(it.values)) for k, it in thing.holds.items()}),
            thing.quarantine,
            thing.dirty,
        )

    def bits_of(self, thing: Link) -> int:
        bits = 0
        for seen in thing.observations():
            bits |= spoken(seen.id, int(seen.version)) if seen.version else 0
            bits |= stamped(int(seen.modified)) if seen.modified else 0
        for write in thing.intent.writes if thing.intent is not None else ():
            bits |= spoken(write.record_id, int(write.version)) if write.version else 0
        return bits

    def spelled(self, thing: Link) -> tuple[str, ...]:
        """Return the typed words in an order that does not depend on what the words are."""
        said: list[Value] = []
        for seen in thing.observations():
            said += _sorted(seen.values)
        for record in sorted(thing.base):
            said += _sorted(thing.base[record])
        if thing.intent is not None:
            for write in sorted(thing.intent.writes, key=lambda it: it.record_id):
                said += [*_sorted(write.values), *_sorted(write.before)]
            for settlement in thing.intent.base_updates:
                said += [settlement.values[record][1] for record in sorted(settlement.values)]
        for key in sorted(thing.holds):
            said += _sorted(thing.holds[key].values)
        return letters(said)

    def renumbered(self, thing: Link, numbers: Numbers) -> Link:
        def version(record: str, old: str) -> str:
            new = numbers.versions.get((record, int(old))) if old else None
            return old if new is None else f"{new:02d}"

        def seen(it: Observation) -> Observation:
            new = numbers.stamps.get(int(it.modified)) if it.modified else None
            modified = it.modified if new is None else f"{new:02d}"
            return replace(it, version=version(it.id, it.version), modified=modified)

        intent = thing.intent
        if intent is not None:
            writes = tuple(
                replace(it, version=version(it.record_id, it.version)) for it in intent.writes
            )
            intent = replace(intent, writes=writes)
        return replace(
            thing,
            plezi=seen(thing.plezi) if thing.plezi is not None else None,
            salesforce=tuple(map(seen, thing.salesforce)),
            intent=intent,
        )

    def renamed(self, thing: Link, words: Names) -> Link:
        def said(values: Values) -> dict[str, Value]:
            return {name: reworded(value, words) for name, value in values.items()}

        def seen(it: Observation) -> Observation:
            return replace(it, values=said(it.values))

        return replace(
            thing,
            plezi=seen(thing.plezi) if thing.plezi is not None else None,
            salesforce=tuple(map(seen, thing.salesforce)),
            base={record: said(spoken) for record, spoken in thing.base.items()},
            holds={key: replace(it, values=said(it.values)) for key, it in thing.holds.items()},
            intent=_renamed(thing.intent, words) if thing.intent is not None else None,
        )


def _frozen(values: Mapping[str, object]) -> Hashable:
    return tuple(sorted(values.items()))  # names are unique, so that values are never compared


def _seen(it: Observation) -> Hashable:
    return (
        *(it.kind, it.id, it.version, it.modified),
        *(it.eligible, it.converted, it.deleted, it.successor),
        _frozen(it.values),
    )


def _intent(it: Intent) -> Hashable:
    return (
        tuple(
            (each.kind, each.record_id, each.version, _frozen(each.values), _frozen(each.before))
            for each in it.writes
        ),
        tuple(
            (each.pair, _frozen(each.values), each.required_writes, each.rule)
            for each in it.base_updates
        ),
    )


def _sorted(values: Values) -> list[Value]:
    return [values[name] for name in sorted(values)]


def _renamed(intent: Intent, words: Names) -> Intent:
    def said(values: Values) -> dict[str, Value]:
        return {name: reworded(value, words) for name, value in values.items()}

    return replace(
        intent,
        writes=tuple(
            replace(it, values=said(it.values), before=said(it.before)) for it in intent.writes
        ),
        base_updates=tuple(
            replace(
                it, values={r: (name, reworded(w, words)) for r, (name, w) in it.values.items()}
            )
            for it in intent.base_updates
        ),
    )
