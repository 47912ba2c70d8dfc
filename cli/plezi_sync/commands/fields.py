"""`fields`: the fields of both sides, and what each can do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import count, local_time
from plezi_sync.session import Session

TITLES: Final[Mapping[str, str]] = {
    "plezi": "Plezi",
    "lead": "Salesforce Lead",
    "contact": "Salesforce Contact",
}


class Group(StrEnum):
    """Where a field is."""

    PLEZI = "plezi"
    LEAD = "lead"
    CONTACT = "contact"


def fields(
    session: Session,
    group: Annotated[Group | None, typer.Argument(help="Only these fields.")] = None,
    *,
    new: Annotated[
        bool, typer.Option("--new", help="Only fields that are new since the last view.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Let both sides describe their fields again.")
    ] = False,
) -> None:
    """Show the fields of both sides: what each can do, and why not."""
    answer = session.get("/admin/fields", refresh=refresh)
    if session.as_json:
        session.print_json(answer)
        return
    shown = [name for name in TITLES if group in (None, name)]
    found = {name: [row for row in answer.body[name] if row["is_new"] or not new] for name in shown}
    if new and not any(found.values()):
        since = answer.body["previous_view"]
        session.say(f"No field is new since {local_time(since)}." if since else "No field is new.")
        return
    for name, rows in found.items():
        if rows:
            _print_group(session, TITLES[name], rows)
    session.say("Map one: plezi-sync mapping add PLEZI SALESFORCE --both")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app, fields, "fields", panel=Panel.LOOK, examples=("fields --new", "fields lead --refresh")
    )


def _print_group(session: Session, title: str, rows: list[Mapping[str, Any]]) -> None:
    columns = ("Name", "Label", "Type", "Can", "Mapped", "Why not")
    print_table(session, columns, map(_row, rows), title=f"{title}: {count(len(rows), 'field')}")


def _row(field: Mapping[str, Any]) -> tuple[str, ...]:
    can = [text for name, text in (("sends", "send"), ("receives", "receive")) if field[name]]
    return (
        field["name"] + (" (new)" if field["is_new"] else ""),
        field["label"],
        field["type"],
        " and ".join(can) or "-",
        "yes" if field["mapped"] else "-",
        field["reason"] or "-",
    )
