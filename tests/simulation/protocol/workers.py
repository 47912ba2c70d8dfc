"""The position of a run in the protocol, and what the worker holds in memory."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from connector.model import Side
from connector.planning.write_outcome import WriteResult
from tests.simulation.protocol.interning import Interner, LinkInterner
from tests.simulation.protocol.records import Record
from tests.simulation.protocol.symmetry import (
    Numbering,
    Renaming,
    bits_of_records,
    rename_record,
    typed_values_in,
)


class Stage(StrEnum):
    """The next step of a run."""

    IDLE = "idle"
    READ = "read"
    LOAD = "load"
    REFRESH = "refresh"
    APPLY = "apply"
    REST = "rest"
    RECORD = "record"


NO_LINK: Final = -1
"""The worker holds no link."""


class Response(NamedTuple):
    """The response to a write: the target, the result, the written record's id and its state.

    `refused` are the fields that a refusal named. If they were not all, the result is that of the
    rest, which is sent at once.
    """

    target: str
    result: WriteResult
    record_id: str
    record: Record | None = None
    refused: tuple[str, ...] = ()


class Worker(NamedTuple):
    """The position of a run.

    `number` is the place of the kind that it reads next, or the number of its pass. `held` is the
    number of the link in memory, `side` the side that it writes to next, `responses` are those to
    its writes so far. `is_outdated`: the stored link changed since it was loaded.
    """

    stage: Stage = Stage.IDLE
    number: int = 0
    held: int = NO_LINK
    side: Side | None = None
    responses: tuple[Response, ...] = ()
    is_outdated: bool = False

    def records(self) -> Iterator[Record]:
        """Yield the records in the responses."""
        return (it.record for it in self.responses if it.record is not None)


class WorkerInterner(Interner[Worker]):
    """Workers by number; the link that a worker holds is one of `links`."""

    def __init__(self, links: LinkInterner) -> None:
        super().__init__()
        self._links = links

    def _bits_of(self, thing: Worker) -> int:
        held = self._links.bits[thing.held] if thing.held != NO_LINK else 0
        return held | bits_of_records(thing.records())

    def _values_of(self, thing: Worker) -> tuple[str, ...]:
        held = self._links.typed_values(thing.held) if thing.held != NO_LINK else ()
        values = [value for it in thing.records() for value in (it.value, it.other)]
        return typed_values_in([*held, *values])

    def _renumbered(self, thing: Worker, numbering: Numbering) -> Worker:
        held = thing.held
        return thing._replace(
            held=self._links.changed(held, numbering, {}) if held != NO_LINK else held,
            responses=tuple(
                it._replace(record=numbering.renumber(it.record)) if it.record is not None else it
                for it in thing.responses
            ),
        )

    def _renamed(self, thing: Worker, renaming: Renaming) -> Worker:
        held = thing.held
        return thing._replace(
            held=self._links.changed(held, None, renaming) if held != NO_LINK else held,
            responses=tuple(
                it._replace(record=rename_record(it.record, renaming))
                if it.record is not None
                else it
                for it in thing.responses
            ),
        )
