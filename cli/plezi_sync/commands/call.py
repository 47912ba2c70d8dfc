"""`call`: one signed request to the API, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.files import read_bytes, write_text
from plezi_sync.refusals import accepted_text, indented
from plezi_sync.session import Session

STANDARD_INPUT: Final = Path("-")


def call(
    session: Session,
    method: Annotated[str, typer.Argument(help="GET, POST or PUT.")],
    path: Annotated[str, typer.Argument(help="A route, such as /admin/status.")],
    *,
    body: Annotated[
        Path | None, typer.Option(help="A file with the body; - is the standard input.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="A file for the response.")] = None,
) -> None:
    """Send one signed request to the API and print the response."""
    content = None if body is None else _content(session, body)
    text = accepted_text(session.api.call(method.upper(), path, content))
    if not session.as_json:
        text = indented(text)
    if output is None:
        session.raw(text)
        return
    write_text(output, text)
    session.say(f"{output}: {len(text.splitlines())} lines")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        call,
        "call",
        panel=Panel.OPERATE,
        examples=("call GET '/admin/attention?kind=hold'", "call POST /sync --body request.json"),
    )


def _content(session: Session, body: Path) -> bytes:
    return session.machine.stdin().read().encode() if body == STANDARD_INPUT else read_bytes(body)
