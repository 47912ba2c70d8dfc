"""Stores that several adapters need, as small protocols; `connector.aws` implements them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class DocumentStore(Protocol):
    """Documents that all invocations share, such as a describe or the last API usage."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return the document of a key; None when there is none."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Store a document under a key. Raises `DocumentTooLargeError`, and stores nothing."""


class Reservation(NamedTuple):
    """Reserved slots: the time of the first, and until when the server accepts no call at all.

    Both are in seconds since 1970, by the clock of the process that asked. `closed_until` is 0, or
    in the past, when the server accepts calls.
    """

    start: float
    closed_until: float


class SlotStore(Protocol):
    """The slots of a rate that all functions share: each slot allows one call."""

    def reserve_slots(self, now: float, number: int, gap: float) -> Reservation:
        """Reserve the next free slots, `gap` seconds apart; no other process gets them.

        Slots that are not used lapse. Raises `RetryError` when the store stays unavailable.
        """

    def postpone_slots(self, until: float) -> None:
        """Hand out no slot before this time: the server accepts no call until then."""
