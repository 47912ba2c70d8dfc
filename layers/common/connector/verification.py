"""The result of a verification: how many fields of both systems differ, and for which causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from connector.model import DriftCause, Run, RunKind, RunState, Side
from connector.stores import DocumentStore

VERIFICATION_KEY: Final = "verification"
DRIFT: Final = "drift.{}"
"""The counter of the differences of a cause, or of a cause and a field."""
COUNTED_ON: Final = Side.SALESFORCE
"""The side of a run's counts that holds those of a verification: they concern both sides."""


@dataclass(frozen=True, slots=True)
class Verification:
    """One complete verification.

    `finished_at` is our clock (seconds). `people` were compared, in `compared` fields;
    `unexplained` of these differ without a known cause.
    """

    run_id: str
    finished_at: float
    people: int
    compared: int
    unexplained: int

    @property
    def drift_rate(self) -> float:
        """The fraction of the compared fields that differ without a known cause."""
        return self.unexplained / self.compared if self.compared else 0.0


def verification_of(run: Run) -> Verification | None:
    """Return the result of a run; None for one that is no complete verification."""
    if run.kind is not RunKind.VERIFY or run.state is not RunState.DONE:
        return None
    return _verification(run, run.finished_at)


def save_verification(store: DocumentStore, run: Run, now: float) -> None:
    """Store the result of a verification that has compared everybody."""
    store.save_document(VERIFICATION_KEY, asdict(_verification(run, now)))


def load_verification(store: DocumentStore) -> Verification | None:
    """Return the last complete verification, or None."""
    document = store.load_document(VERIFICATION_KEY)
    return Verification(**document) if document else None


def verification_counts(run: Run) -> Mapping[str, int]:
    """Return the counters of a verification, of both sides."""
    return run.counts.get(COUNTED_ON.value, {})


def _verification(run: Run, finished_at: float) -> Verification:
    counts = verification_counts(run)
    return Verification(
        run.id,
        finished_at,
        people=counts.get("people", 0),
        compared=counts.get("compared", 0),
        unexplained=counts.get(DRIFT.format(DriftCause.UNEXPLAINED.value), 0),
    )
