"""`undo`: put back what a run replaced."""

from __future__ import annotations

from typing import Annotated

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.commands.preview import SHOWN_PEOPLE, show_plan
from plezi_sync.commands.sync import show_end
from plezi_sync.output.run_progress import follow, require_good_end
from plezi_sync.session import Session, segment


def undo(
    session: Session,
    run_id: Annotated[str, typer.Argument(help="The id of the run (`plezi-sync runs list`).")],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Undo it. Default: show it only.")] = False,
    email: Annotated[str, typer.Option(help="Only this person.")] = "",
    field: Annotated[str, typer.Option(help="Only this field, by its Salesforce name.")] = "",
    opt_outs: Annotated[
        bool, typer.Option("--opt-outs", help="Take opt-outs back too, on both sides.")
    ] = False,
    both_sides: Annotated[
        bool,
        typer.Option("--both-sides", help="Put values back where somebody typed the new ones too."),
    ] = False,
    people: Annotated[int, typer.Option(min=0, help="How many people to show.")] = SHOWN_PEOPLE,
) -> None:
    """Show what an undo of a run would put back; with --apply, put it back.

    An undo restores the values that the run replaced, where nobody changed them since. Every other
    value stays, and is named with the reason: also the one that somebody typed and the run spread,
    unless --both-sides is given. An undo is a run: it can be undone too.
    """
    if apply:
        session.confirm(f"Put back what the run {run_id} replaced?")
    body = {
        "preview": not apply,
        "email": email,
        "field": field,
        "opt_outs": opt_outs,
        "both_sides": both_sides,
    }
    requested = session.post(f"/admin/runs/{segment(run_id)}/undo", body).body["run_id"]
    ended = follow(session, requested)
    if apply:
        show_end(session, ended)
        return
    require_good_end(ended.body)
    if show_plan(session, requested, people):
        given = [f"--email {email}"] if email else []
        given += [f"--field {field}"] if field else []
        given += ["--opt-outs"] if opt_outs else []
        given += ["--both-sides"] if both_sides else []
        session.say(f"Put it back: plezi-sync undo {' '.join([run_id, *given, '--apply'])}")
        session.say(f"If it stops at a limit of the run, allow it: plezi-sync approve {requested}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        undo,
        "undo",
        panel=Panel.RUN,
        examples=("undo RUN_ID", "undo RUN_ID --email ana@example.com --field Phone --apply"),
    )
