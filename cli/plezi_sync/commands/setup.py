"""`setup`: the guide from credentials to the start, and the fields that the product needs."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.errors import ProblemError
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import sentence
from plezi_sync.session import Session

GUIDE: Final = "/admin/setup"
FIELDS: Final = "/admin/setup/salesforce-fields"
NO_FIELDS: Final = "Next: plezi-sync setup fields --create"


def status(session: Session) -> None:
    """Show each step of the set-up: its state, the reason, and what to do next.

    It logs in to neither system before `connect check` has accepted the credentials. The exit
    status is 4 while a step is not done.
    """
    answer = session.get(GUIDE)
    steps = answer.body["steps"]
    if session.as_json:
        session.print_json(answer)
    else:
        rows = [
            (step["name"], sentence(step["state"]), _text(step), step.get("command") or "-")
            for step in steps
        ]
        print_table(session, ("Step", "State", "Reason", "Command"), rows)
        for step in steps:
            for note in step.get("notes", ()):
                session.say(f"{step['name']}: {note}")
    following = [step for step in steps if step["name"] == answer.body["next"]]
    if following:
        command = following[0].get("command") or "plezi-sync doctor"
        raise ProblemError("" if session.as_json else f"Next: {command}")
    if not session.as_json:
        session.say("The set-up is complete.")


def _text(step: dict[str, str]) -> str:
    remedy = step.get("remedy")
    return f"{step['reason']} Remedy: {remedy}" if remedy else step["reason"]


def fields(
    session: Session,
    *,
    create: Annotated[
        bool, typer.Option("--create", help="Create what is missing, and make it visible.")
    ] = False,
) -> None:
    """Report the Salesforce fields that the product needs, or create them.

    The exit status is 4 while a field is missing.
    """
    if create:
        session.confirm("Create the missing fields and a permission set in Salesforce?")
    answer = session.post(FIELDS, {"create": create})
    body = answer.body
    if session.as_json:
        session.print_json(answer)
    else:
        rows = [
            (f"{field['object']}.{field['name']}", sentence(field["state"]), field["purpose"])
            for field in body["fields"]
        ]
        print_table(session, ("Field", "State", "Purpose"), rows)
        for field in body["fields"]:
            if field.get("remedy"):
                session.say(f"{field['object']}.{field['name']}: {field['remedy']}")
        for step in body["steps"]:
            remedy = f" ({step.get('code')}). {step['remedy']}" if step.get("remedy") else ""
            session.say(f"{sentence(step['kind'])} {step['subject']}: {step['outcome']}{remedy}")
    if not body["ready"]:
        raise ProblemError("" if create else NO_FIELDS)
    if not session.as_json:
        session.say("Salesforce has every field that the product needs.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "setup",
        panel=Panel.CONFIGURE,
        text="The set-up: its steps, and the Salesforce fields that the product needs.",
        default=status,
    )
    add_command(group, status, "status", examples=("setup status", "setup status --json"))
    add_command(group, fields, "fields", examples=("setup fields", "setup fields --create"))
