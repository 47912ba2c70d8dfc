"""Stores that several adapters need, as small protocols; `connector.aws` implements them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class DocumentStore(Protocol):
    """Documents that all invocations share, such as a describe or the last API usage."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return the document of a key; None when there is none."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Store a document under a key."""
