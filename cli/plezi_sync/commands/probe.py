"""`probe`: what the API of the Plezi tenant is like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.errors import ProblemError
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import sentence
from plezi_sync.session import Answer, Session

PATH: Final = "/admin/plezi/probe"
MAX_CALLS: Final = 60
"""Calls of one probe at most: a step that never fits into a call is left open after two."""


def probe(
    session: Session,
    *,
    contact: Annotated[
        str, typer.Option(help="Write to this throwaway contact, too; it is deleted afterwards.")
    ] = "",
    throwaway: Annotated[
        bool, typer.Option("--throwaway", help="The contact may exist, and may be overwritten.")
    ] = False,
    last: Annotated[bool, typer.Option("--last", help="Show the last probe; ask nothing.")] = False,
) -> None:
    """Find out what the API of the Plezi tenant is like, and use what is found.

    Without --contact nothing is written, and what only a write can show stays assumed. The exit
    status is 4 when the tenant cannot be asked or cannot be served.
    """
    if contact:
        session.confirm(f"Create the contact {contact} in Plezi, write to it, and delete it?")
    answer = session.get(PATH) if last else _probe(session, contact, throwaway=throwaway)
    if session.as_json:
        session.print_json(answer)
    else:
        _print(session, answer.body)
    _require_served(answer.body)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        probe,
        "probe",
        panel=Panel.CONFIGURE,
        examples=("probe", "probe --contact throwaway@example.com", "probe --last"),
    )


def _probe(session: Session, contact: str, *, throwaway: bool) -> Answer:
    """Repeat the call until the probe is over: each call asks what its time allows."""
    request = {"contact": contact, "throwaway": throwaway}
    answer = session.post(PATH, request)
    for _ in range(MAX_CALLS):
        if answer.body["state"] != "running":
            break
        session.note(f"{answer.body['steps_left']} steps left")
        answer = session.post(PATH, request)
    return answer


def _print(session: Session, report: Mapping[str, Any]) -> None:
    rows = [(it["name"], sentence(it["certainty"]), it["message"]) for it in report["findings"]]
    if rows:
        print_table(session, ("Question", "Answer is", "Answer"), rows)
    for name, value in sorted(report["dialect"].items()):
        session.say(f"In use: {name} = {value}")
    for name in report["changed"]:
        session.say(f"Changed since the last probe: {name}")
    for text in report["left_behind"]:
        session.say(f"Left in Plezi: {text}")
    session.say(f"{report['calls']} calls to {report['tenant']}.")


def _require_served(report: Mapping[str, Any]) -> None:
    """Raise `ProblemError` for a probe that did not end, or a tenant that cannot be served."""
    if report["state"] != "done":
        raise ProblemError(report["message"] or "The probe did not end. Next: plezi-sync probe")
    if report["refusals"]:
        raise ProblemError("\n".join(it["reason"] for it in report["refusals"]))
