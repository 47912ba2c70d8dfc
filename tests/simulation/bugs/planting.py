"""How a bug is planted: patches, made here and undone here; the connector knows nothing of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final
from unittest.mock import patch

from local.world.both_sides import BothSides

Plant = Callable[[BothSides], AbstractContextManager[object]]
BUGS: Final[dict[str, tuple[str, Plant]]] = {}
"""By name: who has shipped it, or who complained (reference: peers 1E, 2), and how to plant it."""


def bug(name: str, seen_at: str) -> Callable[[Plant], Plant]:
    """Register a planted bug."""

    def register(plant: Plant) -> Plant:
        BUGS[name] = (seen_at, plant)
        return plant

    return register


def swap(owner: object, name: str, new: object) -> AbstractContextManager[object]:
    """Put something else in the place of an attribute."""
    return patch.object(owner, name, new)


@contextmanager
def both(*patches: AbstractContextManager[object]) -> Iterator[None]:
    """Make several patches together."""
    with ExitStack() as stack:
        for each in patches:
            stack.enter_context(each)
        yield
