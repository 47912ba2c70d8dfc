"""`start` and `pause`: the switch that enables synchronization."""

from __future__ import annotations

from typing import Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.session import Session

PAUSED: Final = (
    "Synchronization is paused; what is at work now ends within minutes (plezi-sync runs). "
    "Continue with: plezi-sync start"
)


def start(session: Session) -> None:
    """Enable synchronization: the schedule, forms and requests start runs."""
    session.confirm("Enable synchronization? Runs then write to Plezi and to Salesforce.")
    _switch(session, "start", "Synchronization is enabled. Next: plezi-sync sync --wait")


def pause(session: Session) -> None:
    """Pause synchronization: no run and no form begins, and a run in progress does not continue.

    What is at work now goes on until its time is over (WorkerBudgetSeconds, 240 by default).
    Nothing is lost: later runs find what changed.
    """
    _switch(session, "pause", PAUSED)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add_command(app, start, "start", panel=Panel.RUN, examples=("start --yes",))
    add_command(app, pause, "pause", panel=Panel.RUN, examples=("pause",))


def _switch(session: Session, action: str, text: str) -> None:
    answer = session.post(f"/admin/{action}")
    if session.as_json:
        session.print_json(answer)
        return
    session.say(text)
