"""`mapping history` and `mapping restore`: the versions of the mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from plezi_sync.commands.mapping.saving import print_saved
from plezi_sync.commands.mapping.show import PATH
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import local_time
from plezi_sync.session import Session

SHOWN = 20


def history(
    session: Session,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to show.")] = SHOWN,
    after: Annotated[str, typer.Option("--next", help="The `next` of the page before.")] = "",
) -> None:
    """List the versions, newest first: who saved each, when, and what changed."""
    answer = session.get(f"{PATH}/versions", limit=limit, next=after)
    if session.as_json:
        session.print_json(answer)
        return
    rows = [
        (
            str(version["version"]),
            local_time(version["saved_at"]),
            version["saved_by"] or "as shipped",
            "; ".join(map(change_text, version["changed"])) or "-",
        )
        for version in answer.body["versions"]
    ]
    columns = ("Version", "Saved", "By", "Changes")
    print_table(session, columns, rows, numbers=frozenset({"Version"}))
    if answer.body["next"]:
        session.say(f"More: plezi-sync mapping history --next {answer.body['next']}")


def restore(
    session: Session, number: Annotated[int, typer.Argument(min=0, help="The old version.")]
) -> None:
    """Save an old version as the newest one; it is validated like any other."""
    current = session.get(PATH).body["version"]
    session.confirm(f"Replace version {current} of the mapping by version {number}?")
    answer = session.post(f"{PATH}/versions/{number}/restore", {"version": current})
    print_saved(session, answer)


def change_text(change: Mapping[str, Any]) -> str:
    """Return one change of a version: Phone direction: off -> both."""
    name = " ".join(filter(None, (change["pair"], change["field"])))
    return f"{name}: {change['before'] or '(none)'} -> {change['after'] or '(none)'}"
