"""`doctor`: everything that is wrong, with the remedy."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.commands.redrive import waiting_messages
from plezi_sync.diagnosis import Finding, Grade, examine
from plezi_sync.errors import CommandError, ProblemError
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import count
from plezi_sync.session import Session


def doctor(
    session: Session,
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="A warning is a problem too (exit status 4).")
    ] = False,
) -> None:
    """Look for everything that is wrong, and name the remedy.

    It logs in to both systems once. The exit status is 4 when there is a problem. With --json it
    prints its own list of findings, because no single response of the API contains them.
    """
    session.api  # noqa: B018  # a stack that cannot be reached at all is an error, not a finding
    found = [*examine(session), *_dead_letters(session)]
    if session.as_json:
        session.raw(json.dumps([asdict(each) for each in found], ensure_ascii=False))
    else:
        _print(session, found)
    bad = {Grade.PROBLEM, Grade.WARNING} if strict else {Grade.PROBLEM}
    if number := sum(each.grade in bad for each in found):
        raise ProblemError(f"{count(number, 'problem')} found.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, doctor, "doctor", panel=Panel.LOOK, examples=("doctor", "doctor --json"))


def _dead_letters(session: Session) -> list[Finding]:
    """Look at the dead-letter queues, where the names of the stack are known."""
    if session.options.api_url:
        return []
    try:
        account, queues = session.deployment.account(), session.deployment.queues
        names = [name for name in queues if name.endswith("dead_letters")]
        waiting = {name: waiting_messages(account, queues[name]) for name in names}
    except CommandError as error:
        return [Finding("dead letters", Grade.WARNING, str(error), "ask for sqs rights")]
    return [
        Finding(
            "dead letters",
            Grade.PROBLEM,
            f"{count(number, 'message')} in {name}.",
            "plezi-sync logs --level ERROR --since 1d, then plezi-sync redrive",
        )
        for name, number in waiting.items()
        if number
    ] or [Finding("dead letters", Grade.OK, "No message failed five times.")]


def _print(session: Session, found: list[Finding]) -> None:
    order = (Grade.PROBLEM, Grade.WARNING, Grade.OK)
    rows = [
        (each.grade.value, each.name, each.message, each.remedy or "-")
        for each in sorted(found, key=lambda each: order.index(each.grade))
    ]
    print_table(session, ("Result", "Checked", "Finding", "Remedy"), rows)
