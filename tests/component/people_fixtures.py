"""Two contacts, Ana and Bob, and helpers that read their state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, MappingConfig
from tests.component.harness import Harness

ANA = "ana@example.com"
BOB = "bob@example.com"


def lead_of(harness: Harness, email: str = ANA) -> dict[str, Any]:
    [lead] = harness.leads(email)
    return lead


def save_policy(harness: Harness, key: str, policy: ConflictPolicy) -> None:
    """Save the default mapping with another policy for one pair."""
    pairs = tuple(
        replace(pair, policy=policy) if pair.key == key else pair for pair in DEFAULT_MAPPING.pairs
    )
    mapping = MappingConfig(1, pairs, DEFAULT_MAPPING.contact_filter)
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def next_run_writes_nothing(harness: Harness) -> bool:
    """Return whether another run writes nothing to either side."""
    harness.mark()
    harness.sync()
    return not harness.calls("plezi")["writes"] and not harness.calls("salesforce")["writes"]


def advance_clocks(harness: Harness, seconds: float = 60) -> None:
    """Advance the clocks of both systems."""
    for side in ("plezi", "salesforce"):
        harness.control(side, "POST", "clock", {"advance": seconds})


def merge_leads(harness: Harness, winner: str, merged: str) -> None:
    """Merge a Lead into another one, as Salesforce's API does: blanks of the winner stay."""
    harness.control("salesforce", "POST", f"leads/{winner}/merge", {"loser": merged})
