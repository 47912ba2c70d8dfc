"""`start` and `pause`: the switch that enables synchronization."""

from __future__ import annotations

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.session import Session


def start(session: Session) -> None:
    """Enable synchronization: the schedule, forms and requests start runs."""
    session.confirm("Enable synchronization? Runs then write to Plezi and to Salesforce.")
    _switch(session, "start", "Synchronization is enabled. Next: plezi-sync sync --wait")


def pause(session: Session) -> None:
    """Pause synchronization. Nothing is lost: later runs find what changed."""
    _switch(session, "pause", "Synchronization is paused. Continue with: plezi-sync start")


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
