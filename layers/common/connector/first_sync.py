"""How far the first synchronization is: its stage, kept in the ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from connector.planning.first_sync_stages import STAGES, stage_name
from connector.stores import DocumentStore

FIRST_SYNC_KEY: Final = "first_sync"
ALL_PEOPLE: Final = len(STAGES)
"""The number of the last stage."""


@dataclass(frozen=True, slots=True)
class FirstSync:
    """The stage that comes next, from 0 on, and whether the first synchronization is complete.

    `run_id` is the run that was requested with `first` and began the stages again ('': none did).
    """

    stage: int = 0
    done: bool = False
    run_id: str = ""

    @property
    def is_staged(self) -> bool:
        """Whether a stage of some people comes next."""
        return not self.done and self.stage < ALL_PEOPLE

    @property
    def name(self) -> str:
        """The stage: its number of people, or `all`."""
        return stage_name(self.stage)


def load_first_sync(store: DocumentStore) -> FirstSync | None:
    """Return how far the first synchronization is; None before the first run."""
    document = store.load_document(FIRST_SYNC_KEY)
    return FirstSync(**document) if document else None


def save_first_sync(store: DocumentStore, state: FirstSync) -> None:
    """Store how far the first synchronization is."""
    store.save_document(FIRST_SYNC_KEY, asdict(state))
