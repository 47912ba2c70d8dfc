"""Ana and Bob, and how to look at what has become of them."""

from __future__ import annotations

from typing import Any

from tests.component.harness import Harness

ANA = "ana@example.com"
BOB = "bob@example.com"


def lead_of(harness: Harness, email: str = ANA) -> dict[str, Any]:
    [lead] = harness.leads(email)
    return lead


def second_run_is_silent(harness: Harness) -> bool:
    """Whether another run writes nothing on either side."""
    harness.mark()
    harness.sync()
    return not harness.calls("plezi")["writes"] and not harness.calls("salesforce")["writes"]


def later(harness: Harness, seconds: int = 60) -> None:
    for side in ("plezi", "salesforce"):
        harness.control(side, "POST", "clock", {"advance": seconds})
