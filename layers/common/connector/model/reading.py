"""How records are read: cursors, pages and look-ups."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connector.model.links import Observation
from connector.model.reasons import ProblemCode
from connector.model.sides import RecordKind


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position from which the next read of one kind of record continues.

    `watermark`: every change up to it is in the ledger ('': nothing was ever read). During a read,
    `position` is the place that it has reached, and `next_watermark` is the watermark after it; the
    format of all three belongs to the adapter. `started_at` and `completed_at` are our clock
    (seconds) at the start of the current read, and at the start of the last complete one. `full`:
    the current read takes all records, changed or not, and plans each link again.
    `mapping_version` is the version of the mapping at the start of the read, `applied_version` the
    one that the last full read applied (-1: none yet).

    `look` is the position from which a look reads the most recent changes, in the adapter's format;
    it is newer than the watermark, which allows for changes that lists show late. `next_look` is
    the position after the present read. `looked_at` is
    our clock at the start of the last look (0: none since the last complete read).
    """

    kind: RecordKind
    watermark: str = ""
    position: str = ""
    next_watermark: str = ""
    started_at: float = 0.0
    completed_at: float = 0.0
    full: bool = False
    mapping_version: int = 0
    applied_version: int = -1
    look: str = ""
    next_look: str = ""
    looked_at: float = 0.0

    @property
    def is_full_read(self) -> bool:
        """Whether the current read takes all records: on request, or because it is the first."""
        return self.full or not self.watermark

    def finished(self) -> Cursor:
        """Return the cursor after a complete read."""
        return Cursor(
            self.kind,
            watermark=self.next_watermark,
            completed_at=self.started_at,
            applied_version=self.mapping_version if self.is_full_read else self.applied_version,
            look=self.next_look or self.look,
        )

    def started(self, *, version: int, full: bool) -> Cursor:
        """Return the cursor from which a read starts or continues.

        A full read starts again when the mapping has another version: the pages already read lack
        the fields of that version.
        """
        in_progress = self.started_at > 0
        if full or (in_progress and self.is_full_read and self.mapping_version != version):
            return Cursor(
                self.kind,
                full=True,
                mapping_version=version,
                applied_version=self.applied_version,
                look=self.look,
                looked_at=self.looked_at,
            )
        return self if in_progress else replace(self, mapping_version=version)


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """One record of a response that cannot be used; the other records of the response can.

    `record_id` and `email` (canonical) are '' where the response does not show them. `detail` names
    the member and what is wrong with it, without any value.
    """

    kind: RecordKind
    record_id: str
    email: str
    code: ProblemCode
    detail: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some observations, and the cursor to store once they are durable.

    Records without an e-mail are among them: one that is known has lost its e-mail. `problems` are
    the records that cannot be used. `last`: the read is complete.
    """

    observations: tuple[Observation, ...]
    cursor: Cursor
    last: bool = False
    problems: tuple[RecordProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The result of a look-up: the records found, the ids of records that are deleted, problems."""

    observations: tuple[Observation, ...] = ()
    deleted: frozenset[str] = frozenset()
    problems: tuple[RecordProblem, ...] = ()
