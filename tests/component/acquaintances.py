"""Ana and Bob, and how to look at what has become of them."""

from __future__ import annotations

from typing import Any

from tests.component.stage import Stage

ANA = "ana@example.com"
BOB = "bob@example.com"


def lead_of(stage: Stage, email: str = ANA) -> dict[str, Any]:
    [lead] = stage.leads(email)
    return lead


def quiet(stage: Stage) -> bool:
    """Whether another run writes nothing on either side."""
    stage.mark()
    stage.sync()
    return not stage.calls("plezi")["writes"] and not stage.calls("salesforce")["writes"]


def later(stage: Stage, seconds: int = 60) -> None:
    for side in ("plezi", "salesforce"):
        stage.control(side, "POST", "clock", {"advance": seconds})
