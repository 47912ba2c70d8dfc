"""Independent calls, made one after another or at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Parallel(Protocol):
    """Makes independent calls and returns their results in order.

    Every call is made, also when another one raises an error; the first error is raised then.
    """

    def __call__(self, calls: Sequence[Callable[[], T]], /) -> list[T]:
        """Make the calls."""


def one_after_another(calls: Sequence[Callable[[], T]], /) -> list[T]:
    """Make the calls one after another. Satisfies `Parallel`."""
    results: list[T] = []
    first_error: Exception | None = None
    for call in calls:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001  # raised below, after the other calls
            first_error = first_error or error
    if first_error is not None:
        raise first_error
    return results
