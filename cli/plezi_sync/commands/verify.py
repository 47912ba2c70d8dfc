"""`verify`: compare both systems completely, and repair what differs without a known cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.commands.sync import show_end
from plezi_sync.output.run_progress import follow, require_good_end
from plezi_sync.output.tables import print_facts, print_table
from plezi_sync.output.texts import count, local_time, sentence, value_text
from plezi_sync.session import Answer, Session, segment

SHOWN_DIFFERENCES: Final = 20
PREFIX: Final = "drift."
"""Begins the names of the counts of differences."""


def verify(
    session: Session,
    *,
    run: Annotated[str, typer.Option(help="Show this verification again.")] = "",
    repair: Annotated[
        bool, typer.Option("--repair", help="Resolve what differs without a known cause.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=200, help="How many differences to show.")
    ] = SHOWN_DIFFERENCES,
) -> None:
    """Compare every field of every person in both systems. Nothing is written to either.

    With --repair, the people with differences without a known cause are synchronized at once, with
    the limits of every run. What an undo left stays as it was decided.
    """
    if repair:
        session.confirm("Resolve what differs without a known cause?")
    run_id = run or str(session.post("/sync", {"kind": "verify"}).body["run_id"])
    require_good_end(follow(session, run_id).body)
    path = f"/admin/runs/{segment(run_id)}"
    answer = session.get(path, limit=limit)
    unexplained = (answer.body["verification"] or {}).get("unexplained_fields", 0)
    if not repair or not unexplained:
        _show(session, answer)
        return
    repaired = session.post(f"{path}/repair").body
    show_end(session, follow(session, repaired["run_id"]))
    if session.as_json:
        return
    if left := repaired["left_undone"]:
        session.say(f"{count(left, 'difference')} that an undo left: as it was decided.")
    if not repaired["is_complete"]:
        session.say("There are more: plezi-sync verify --repair")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        verify,
        "verify",
        panel=Panel.RUN,
        examples=("verify", "verify --repair", "verify --run RUN_ID"),
    )


def _show(session: Session, answer: Answer) -> None:
    if session.as_json:
        session.print_json(answer)
        return
    run = answer.body
    found = run["verification"]
    if found is None:
        session.say(f"The run {run['run_id']} is not a verification.")
        return
    print_facts(session, _facts(found))
    if rows := list(_by_field(run["counts"])):
        print_table(
            session, ("Field", "Cause", "Differences"), rows, numbers=frozenset({"Differences"})
        )
        print_table(
            session, ("Person", "Field", "Plezi", "Salesforce", "Cause"), map(_row, run["journal"])
        )
    for undo in run["undos"]:
        session.say(_origin(undo))
    if found["unexplained_fields"]:
        session.say(f"Next: plezi-sync verify --run {run['run_id']} --repair")


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "People", f"{found['people']:,}"
    yield "Compared", count(found["compared_fields"], "field")
    yield "Unexplained", count(found["unexplained_fields"], "field")
    yield "Drift rate", f"{found['drift_rate']:.3%}"


def _origin(undo: Mapping[str, Any]) -> str:
    """Return which undo left a difference, who requested it, and how to end the difference."""
    who = f", by {undo['requested_by']}" if undo["requested_by"] else ""
    return (
        f"Undone: {undo['run_id']} took {undo['undoes']} back, {local_time(undo['requested_at'])}"
        f"{who}.\nTo make both sides equal again: edit one of the values, or "
        f"plezi-sync undo {undo['run_id']}"
    )


def _by_field(counts: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, str, str]]:
    """Yield each field and cause with the number of its differences."""
    for name, number in sorted(counts.get("salesforce", {}).items()):
        cause, _, field = name.removeprefix(PREFIX).partition(".")
        if name.startswith(PREFIX) and field:
            yield field, sentence(cause), f"{number:,}"


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        entry["email"],
        entry["field"] or "(record)",
        value_text(entry["before"]),
        value_text(entry["after"]),
        sentence(entry["rule"]),
    )
