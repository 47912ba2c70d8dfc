"""`breaker`: why no run starts, and the decision about it."""

from __future__ import annotations

from typing import Annotated

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.errors import UsageError
from plezi_sync.output.texts import ago, local_time, sentence
from plezi_sync.session import Session


def show(session: Session) -> None:
    """Show whether the breaker is open, and why."""
    answer = session.get("/admin/status")
    if session.as_json:
        session.print_json(answer)
        return
    breaker = answer.body["breaker"]
    if breaker is None:
        session.say("The breaker is closed: runs can start.")
        return
    since = ago(breaker["since"], session.machine.clock())
    session.say(f"The breaker is open: {sentence(breaker['reason'])}, since {since}.")
    session.say(breaker["message"])


def release(
    session: Session,
    *,
    intended: Annotated[
        bool, typer.Option("--intended", help="What the run would do is intended: allow it.")
    ] = False,
    corrected: Annotated[
        bool, typer.Option("--corrected", help="The cause is corrected: keep the limits.")
    ] = False,
) -> None:
    """Close the breaker after a mass change, a stage of the first run, or many defects.

    With --intended, runs may go beyond that limit for four hours.
    """
    if intended == corrected:
        raise UsageError("Give one of --intended and --corrected.")
    meaning = "allow what the run would do" if intended else "keep the limits"
    session.confirm(f"Close the breaker, and {meaning}?")
    answer = session.post("/admin/breaker/release", {"intended": intended})
    if session.as_json:
        session.print_json(answer)
        return
    session.say("The breaker is closed.")
    for name, text in (("clearing", "Changes"), ("defects", "Defects")):
        if until := answer.body[f"{name}_allowed_until"]:
            session.say(f"{text} beyond the limit are allowed until {local_time(until)}.")
    session.say("Next: plezi-sync sync --wait")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app, "breaker", panel=Panel.DECIDE, text="Show or close the breaker.", default=show
    )
    add_command(group, show, "show", examples=("breaker",))
    add_command(group, release, "release", examples=("breaker release --corrected",))
