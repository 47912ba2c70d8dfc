"""`approve`: allow the next run what a preview shows."""

from __future__ import annotations

from typing import Annotated

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.output.texts import SIDES, count, local_time
from plezi_sync.session import Session, segment


def approve(
    session: Session, run_id: Annotated[str, typer.Argument(help="The id of the dry run.")]
) -> None:
    """Approve the preview of a dry run.

    The next run may clear and overwrite as many records of each field as the preview shows, and no
    more. It must begin within four hours.
    """
    session.confirm(f"Allow the next run what the preview {run_id} shows?")
    answer = session.post(f"/admin/runs/{segment(run_id)}/approve")
    if session.as_json:
        session.print_json(answer)
        return
    session.say(f"Approved until {local_time(answer.body['until'])}.")
    for side, fields in sorted(answer.body["changes"].items()):
        for name, number in sorted(fields.items()):
            session.say(f"  {SIDES.get(side, side)} {name}: {count(number, 'record')}")
    session.say("Next: plezi-sync sync --wait")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, approve, "approve", panel=Panel.RUN, examples=("approve RUN_ID",))
