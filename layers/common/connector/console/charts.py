"""Charts as SVG, made on the server: no script and no style attribute, which the policy forbids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HEIGHT: Final = 100.0
"""The height of the drawing; the stylesheet scales it."""
STEP: Final = 20.0
BAR: Final = 14.0
"""Units from one bar to the next, and the width of one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, in units of the drawing; `label` and `value` are its text."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: int


@dataclass(frozen=True, slots=True)
class BarChart:
    """A chart of numbers; `highest` is the number of the highest bar."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    highest: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return self.highest == 0


def bar_chart(numbers: Sequence[tuple[str, int]]) -> BarChart:
    """Return the chart of labelled numbers, in their order."""
    highest = max((number for _, number in numbers), default=0)
    bars = []
    for place, (label, number) in enumerate(numbers):
        height = round(HEIGHT * number / highest, 1) if highest else 0.0
        bars.append(Bar(place * STEP, round(HEIGHT - height, 1), BAR, height, label, number))
    return BarChart(max(len(numbers), 1) * STEP, HEIGHT, tuple(bars), highest)
