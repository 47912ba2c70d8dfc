"""Where a run stands, and what it holds in its hands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from connector.model import Side
from connector.planning.outcome import WriteResult
from tests.simulation.protocol.numbered import Links, Numbered
from tests.simulation.protocol.records import Record
from tests.simulation.protocol.symmetry import Names, Numbers, letters, reworded, spoken_by

IDLE, READ, LOAD, LOOK, APPLY, RECORD = "idle", "read", "load", "look", "apply", "record"
NOBODY: Final = -1
"""No link in hand."""


class Answer(NamedTuple):
    """The record of a write, what became of it, the record that answered, and what it showed."""

    about: str
    result: WriteResult
    told: str
    shown: Record | None = None


class Worker(NamedTuple):
    """Where a run stands: `number` is the kind that it reads next, later its pass.

    `held` is the number of the link in its hands, `side` the one that it writes to, `answers` what
    it has heard of its writes so far.
    """

    stage: str = IDLE
    number: int = 0
    held: int = NOBODY
    side: Side | None = None
    answers: tuple[Answer, ...] = ()

    def shown(self) -> Iterator[Record]:
        """Yield the records that answers showed."""
        return (it.shown for it in self.answers if it.shown is not None)


class Workers(Numbered[Worker]):
    """Workers by number; the link in their hands is one of `links`."""

    def __init__(self, links: Links) -> None:
        super().__init__()
        self._links = links

    def bits_of(self, thing: Worker) -> int:
        held = self._links.bits[thing.held] if thing.held != NOBODY else 0
        return held | spoken_by(thing.shown())

    def spelled(self, thing: Worker) -> tuple[str, ...]:
        held = self._links.said(thing.held) if thing.held != NOBODY else ()
        return letters([*held, *(it.value for it in thing.shown())])

    def renumbered(self, thing: Worker, numbers: Numbers) -> Worker:
        held = self._links.changed(thing.held, numbers, {}) if thing.held != NOBODY else NOBODY
        return thing._replace(
            held=held,
            answers=tuple(
                it._replace(shown=numbers.record(it.shown)) if it.shown is not None else it
                for it in thing.answers
            ),
        )

    def renamed(self, thing: Worker, words: Names) -> Worker:
        held = self._links.changed(thing.held, None, words) if thing.held != NOBODY else NOBODY
        return thing._replace(
            held=held,
            answers=tuple(
                it._replace(shown=it.shown._replace(value=reworded(it.shown.value, words)))
                if it.shown is not None
                else it
                for it in thing.answers
            ),
        )
