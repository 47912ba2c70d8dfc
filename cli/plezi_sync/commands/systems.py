"""`systems`: the connected org and tenant, and the decision about another one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import SIDES
from plezi_sync.session import Session

PATH: Final = "/admin/systems"


class Side(StrEnum):
    """The two systems."""

    PLEZI = "plezi"
    SALESFORCE = "salesforce"


class Decision(StrEnum):
    """What can be decided about another org or tenant."""

    SAME_PEOPLE = "same_people"
    WRONG_CREDENTIALS = "wrong_credentials"


def show(session: Session) -> None:
    """Show the connected org and tenant, and others that the credentials led to."""
    answer = session.get(PATH)
    if session.as_json:
        session.print_json(answer)
        return
    rows = [
        (
            SIDES[system["side"]],
            system["id"] or "none yet",
            system["found"] or "-",
            "forgetting the former system" if system["forgetting"] else "-",
        )
        for system in answer.body["systems"]
    ]
    print_table(session, ("Side", "Connected", "Another one", "In progress"), rows)
    if any(system["found"] for system in answer.body["systems"]):
        session.say("Decide: plezi-sync systems decide SIDE same_people (or wrong_credentials)")


def decide(
    session: Session,
    side: Annotated[Side, typer.Argument(help="The side with another system.")],
    decision: Annotated[Decision, typer.Argument(help="What is true of it.")],
) -> None:
    """Decide about another org or tenant that the credentials led to.

    same_people matches people by e-mail again; wrong_credentials changes nothing.
    """
    if decision is Decision.SAME_PEOPLE:
        session.confirm(
            f"Accept the other system of {SIDES[side.value]}? All links forget the records of the "
            "former one, and people are matched by e-mail again."
        )
    answer = session.post(PATH, {"side": side.value, "decision": decision.value})
    if session.as_json:
        session.print_json(answer)
        return
    session.say(answer.body["next_step"])
    if answer.body["run_id"]:
        session.say(f"Next: plezi-sync runs follow {answer.body['run_id']}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "systems",
        panel=Panel.DECIDE,
        text="Show the connected org and tenant, or decide about another one.",
        default=show,
    )
    add_command(group, show, "show", examples=("systems",))
    add_command(group, decide, "decide", examples=("systems decide salesforce same_people",))
