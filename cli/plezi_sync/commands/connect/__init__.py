"""`connect`: the credentials of both systems: check them, set them, replace what expired."""

from __future__ import annotations

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.commands.connect import checking, storing


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "connect",
        panel=Panel.CONFIGURE,
        text="Check, set or rotate the credentials of Salesforce, Plezi and the forms.",
    )
    add_command(group, checking.check, "check", examples=("connect check",))
    add_command(
        group,
        storing.set_,
        "set",
        examples=(
            "connect set salesforce",
            "connect set salesforce --private-key plezi-sync.key",
            "connect set plezi < secret.json",
        ),
    )
    add_command(
        group,
        storing.rotate,
        "rotate",
        examples=("connect rotate", "connect rotate plezi --stack plezi-salesforce"),
    )
