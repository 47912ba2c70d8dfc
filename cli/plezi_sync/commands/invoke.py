"""`invoke`: one function of a stack, called directly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.files import read_json_object
from plezi_sync.session import Session

EVENTS: Final = Path("events")
DEFAULT_EVENTS: Final[Mapping[str, str]] = {
    "admin": "admin_status",
    "form_worker": "forms_queue",
    "scheduled_sync": "scheduler",
    "sync_worker": "runs_queue",
}
"""The event of a function, where it does not have the function's name."""


def invoke(
    session: Session,
    function: Annotated[str, typer.Argument(help="scheduled_sync, admin, ...")],
    *,
    event: Annotated[
        Path | None, typer.Option(help="A file with the event (default: the sample in events/).")
    ] = None,
) -> None:
    """Invoke a function and print its response."""
    stack = session.deployment
    physical = stack.function(function)
    file = event or EVENTS / f"{DEFAULT_EVENTS.get(function, function)}.json"
    response = stack.account().invoke(physical, read_json_object(file))
    session.raw(json.dumps(response, indent=2, ensure_ascii=False))


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, invoke, "invoke", panel=Panel.OPERATE, examples=("invoke scheduled_sync",))
