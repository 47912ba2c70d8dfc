"""How a bug is planted: patches that are undone afterwards; the connector has no code for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol
from unittest.mock import patch

from local.world.both_sides import BothSides
from tests.simulation.history.events import draw
from tests.simulation.history.history import HistoryResult, run_history

Plant = Callable[[BothSides], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug that can be planted.

    `shipped_by` is the product that shipped it, or the public report about it. `raises`: the bug is
    about exceptions, so that an unexpected exception counts as finding it.
    """

    name: str
    shipped_by: str
    plant: Plant
    raises: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """The result of a search for a planted bug.

    `result` is that of the history that found the bug, `histories` the number of histories run, and
    `exceptions` the number of those that ended in an unexpected exception: they prove nothing.
    """

    result: HistoryResult | None
    histories: int
    exceptions: int


class Named(Protocol):
    """A function or method: its name is the name of the attribute that holds it."""

    __name__: str


BUGS: Final[dict[str, Bug]] = {}
"""All planted bugs by name."""


def bug(name: str, shipped_by: str, *, raises: bool = False) -> Callable[[Plant], Plant]:
    """Register a planted bug."""

    def register(plant: Plant) -> Plant:
        BUGS[name] = Bug(name, shipped_by, plant, raises)
        return plant

    return register


def search(bug: Bug, sides: BothSides, max_histories: int) -> Search:
    """Plant a bug, and run histories until one of them finds it.

    A history finds it if a guarantee is violated. An unexpected exception is not enough: it may
    only show that the planted code does not fit the connector any more.
    """
    exceptions = 0
    with bug.plant(sides):
        for seed in range(max_histories):
            result = run_history(sides, draw(seed))
            if result.is_unexpected_exception and not bug.raises:
                exceptions += 1
            elif result.violation:
                return Search(result, seed + 1, exceptions)
    return Search(None, max_histories, exceptions)


def replace_function(
    owner: object, original: Callable[..., object], new: Callable[..., object]
) -> AbstractContextManager[object]:
    """Replace a function of a module, or a method of a class or an object, by another one.

    The type checker sees whether `original` exists, as it is not given by name.
    """
    return patch.object(owner, original.__name__, new)


@contextmanager
def together(*patches: AbstractContextManager[object]) -> Iterator[None]:
    """Make several patches together."""
    with ExitStack() as stack:
        for each in patches:
            stack.enter_context(each)
        yield
