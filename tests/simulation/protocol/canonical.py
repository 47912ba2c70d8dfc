"""One state for all that differ in the numbers of versions and the names of words alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from tests.simulation.protocol.numbered import Links
from tests.simulation.protocol.symmetry import has_gaps, names, numbers
from tests.simulation.protocol.system_states import SystemStates
from tests.simulation.protocol.workers import Workers

State = tuple[int, int, int]
"""The numbers of a world, of the link as stored, and of a worker."""
FEW: Final = 24
"""Bits of an aspect's number, so that three of them are one key."""


class Canonical:
    """Numbers and names anew whatever state comes; each change is worked out once."""

    def __init__(
        self, worlds: SystemStates, links: Links, workers: Workers, *, symmetric: bool
    ) -> None:
        """Take the parts of states; `symmetric` names the words anew too, not only the numbers."""
        self._parts = (worlds, links, workers)
        self._symmetric = symmetric
        self._changes: dict[int, Change | None] = {}
        self._alike: dict[tuple[object, ...], Change] = {}

    def state(self, world: int, link: int, worker: int) -> State:
        """Return the state that stands for this one."""
        return self.states((world,), link, worker)[0]

    def states(self, worlds: Iterable[int], link: int, worker: int) -> list[State]:
        """Return the states that stand for some worlds with the same link and worker."""
        of_worlds, of_links, of_workers = self._parts
        aspects, changes = of_worlds.aspects, self._changes
        rest = (of_links.aspects[link] << FEW) | of_workers.aspects[worker]
        found = []
        for world in worlds:
            key = (aspects[world] << 2 * FEW) | rest
            try:
                change = changes[key]
            except KeyError:
                change = changes[key] = self._change(world, link, worker)
            found.append((world, link, worker) if change is None else change(world, link, worker))
        return found

    def _change(self, world: int, link: int, worker: int) -> Change | None:
        """Return what closes the gaps of a state, and names its words in order."""
        worlds, links, workers = self._parts
        bits = worlds.bits[world] | links.bits[link] | workers.bits[worker]
        new = numbers(bits) if has_gaps(bits) else None
        said = [*worlds.said(world), *links.said(link), *workers.said(worker)]
        words = names(said) if self._symmetric else {}
        if new is None and not words:
            return None
        key = (new.key if new is not None else None, *words.items())
        known = self._alike.get(key)
        if known is None:
            known = self._alike[key] = Change(
                lambda it: worlds.changed(it, new, words),
                lambda it: links.changed(it, new, words),
                lambda it: workers.changed(it, new, words),
            )
        return known


class Change:
    """New numbers and names for a whole state, worked out once for each of its three parts."""

    def __init__(self, *parts: Callable[[int], int]) -> None:
        self._parts = parts
        self._known: tuple[dict[int, int], ...] = ({}, {}, {})

    def __call__(self, world: int, link: int, worker: int) -> State:
        """Return the state with its new numbers and names."""
        worlds, links, workers = self._known
        try:
            return worlds[world], links[link], workers[worker]
        except KeyError:
            state = (world, link, worker)
            for known, change, it in zip(self._known, self._parts, state, strict=True):
                if it not in known:
                    known[it] = change(it)
            return worlds[world], links[link], workers[worker]
