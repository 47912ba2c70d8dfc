"""`setup`: the Salesforce fields that the product needs."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.errors import ProblemError
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import sentence
from plezi_sync.session import Session

PATH: Final = "/admin/setup/salesforce-fields"


def setup(
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
    answer = session.post(PATH, {"create": create})
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
        raise ProblemError("" if create else "Next: plezi-sync setup --create")
    if not session.as_json:
        session.say("Salesforce has every field that the product needs.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, setup, "setup", panel=Panel.CONFIGURE, examples=("setup", "setup --create"))
