"""The canonical form of a state: one state for all that differ only in numbers and typed values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from tests.simulation.protocol.interning import LinkInterner
from tests.simulation.protocol.symmetry import has_gaps, in_order_of_appearance, without_gaps
from tests.simulation.protocol.system_states import SystemStateInterner
from tests.simulation.protocol.workers import WorkerInterner

State = tuple[int, int, int]
"""The numbers of a system state, of the stored link and of a worker."""
SIGNATURE_BITS: Final = 24
"""Bits of the number of a signature, so that three signatures make one integer key."""


class Canonicalizer:
    """Brings states into canonical form; each change is computed once per combination."""

    def __init__(
        self,
        systems: SystemStateInterner,
        links: LinkInterner,
        workers: WorkerInterner,
        *,
        symmetric: bool,
    ) -> None:
        """Take the interners of the parts. `symmetric`: rename the typed values as well."""
        self._parts = (systems, links, workers)
        self._symmetric = symmetric
        self._changes: dict[int, Change | None] = {}
        self._equal_changes: dict[tuple[object, ...], Change] = {}

    def state(self, system: int, link: int, worker: int) -> State:
        """Return the canonical form of a state."""
        return self.states((system,), link, worker)[0]

    def states(self, systems: Iterable[int], link: int, worker: int) -> list[State]:
        """Return the canonical forms of states with the same link and worker."""
        of_systems, of_links, of_workers = self._parts
        signatures, changes = of_systems.signatures, self._changes
        rest = (of_links.signatures[link] << SIGNATURE_BITS) | of_workers.signatures[worker]
        states = []
        for system in systems:
            key = (signatures[system] << 2 * SIGNATURE_BITS) | rest
            try:
                change = changes[key]
            except KeyError:
                change = changes[key] = self._change(system, link, worker)
            state = (system, link, worker)
            states.append(state if change is None else change(*state))
        return states

    def _change(self, system: int, link: int, worker: int) -> Change | None:
        """Return the change that closes the gaps of a state and orders its typed values."""
        systems, links, workers = self._parts
        bits = systems.bits[system] | links.bits[link] | workers.bits[worker]
        numbering = without_gaps(bits) if has_gaps(bits) else None
        values = (
            *systems.typed_values(system),
            *links.typed_values(link),
            *workers.typed_values(worker),
        )
        renaming = in_order_of_appearance(values) if self._symmetric else {}
        if numbering is None and not renaming:
            return None
        key = (numbering.key if numbering is not None else None, *renaming.items())
        change = self._equal_changes.get(key)
        if change is None:
            change = self._equal_changes[key] = Change(
                lambda it: systems.changed(it, numbering, renaming),
                lambda it: links.changed(it, numbering, renaming),
                lambda it: workers.changed(it, numbering, renaming),
            )
        return change


class Change:
    """New numbers and values for a whole state, computed once for each of its three parts."""

    def __init__(self, *parts: Callable[[int], int]) -> None:
        self._parts = parts
        self._known: tuple[dict[int, int], ...] = ({}, {}, {})

    def __call__(self, system: int, link: int, worker: int) -> State:
        """Return the changed state."""
        systems, links, workers = self._known
        try:
            return systems[system], links[link], workers[worker]
        except KeyError:
            state = (system, link, worker)
            for known, change, number in zip(self._known, self._parts, state, strict=True):
                if number not in known:
                    known[number] = change(number)
            return systems[system], links[link], workers[worker]
