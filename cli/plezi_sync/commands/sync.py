"""`sync`: a run of all people, or of some."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.output.run_progress import follow as follow_run
from plezi_sync.output.run_progress import require_good_end, result_lines
from plezi_sync.output.texts import duration
from plezi_sync.session import Answer, Session


class Kind(StrEnum):
    """The runs that can be requested here."""

    CHANGES = "changes"
    FULL = "full"
    DRY_RUN = "dry_run"


def sync(
    session: Session,
    *,
    kind: Annotated[Kind, typer.Option(help="What to synchronize.")] = Kind.CHANGES,
    email: Annotated[
        list[str] | None, typer.Option(help="Only this person; can be repeated (at most 200).")
    ] = None,
    first: Annotated[
        bool, typer.Option("--first", help="Begin the stages of a first synchronization again.")
    ] = False,
    skip_stages: Annotated[
        bool, typer.Option("--skip-stages", help="Leave out the stages that are left.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show the progress until the run has ended.")
    ] = False,
) -> None:
    """Request a run.

    A first synchronization runs in stages of 10, 100 and 1,000 people, and stops after a stage with
    too many errors, duplicates or overwritten values.
    """
    chosen = {"kind": kind.value, "emails": email, "first": first, "skip_stages": skip_stages}
    if email and kind is Kind.CHANGES:
        chosen["kind"] = "selected"
    request_run(session, {name: value for name, value in chosen.items() if value}, wait=wait)


def request_run(session: Session, request: dict[str, object], *, wait: bool) -> None:
    """Request a run; with `wait`, follow it. Raises `ProblemError` when it does not end as done."""
    answer = session.post("/sync", request)
    if wait:
        show_end(session, follow_run(session, answer.body["run_id"]))
        return
    if session.as_json:
        session.print_json(answer)
        return
    session.say(f"Run {answer.body['run_id']} is requested.")
    session.say(f"Next: plezi-sync runs follow {answer.body['run_id']}")


def show_end(session: Session, answer: Answer) -> None:
    """Print how a run ended. Raises `ProblemError` when it did not end as done."""
    run = answer.body
    if session.as_json:
        session.print_json(answer)
    else:
        session.say(f"Run {run['run_id']}: {run['state']} in {duration(run['duration_seconds'])}")
        for line in result_lines(run):
            session.say(f"  {line}")
        if not run["counts"]:
            session.say("  nothing changed")
        elif run["people"] and not any(it.get("seen") for it in run["counts"].values()):
            session.say("  No record of either system has the e-mail: is the address right?")
    require_good_end(run)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        sync,
        "sync",
        panel=Panel.RUN,
        examples=("sync --wait", "sync --email ana@example.com --wait", "sync --kind full"),
    )
