"""`runs`: the history of the runs, one run, the progress of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.commands.sync import show_end
from plezi_sync.output.run_progress import follow as follow_run
from plezi_sync.output.run_progress import progress_text, result_lines
from plezi_sync.output.tables import print_facts, print_table
from plezi_sync.output.texts import (
    SIDES,
    count,
    duration,
    local_time,
    sentence,
    value_text,
    with_commands,
)
from plezi_sync.refusals import problem_lines
from plezi_sync.session import Session, segment

SHOWN_RUNS: Final = 20
SHOWN_ENTRIES: Final = 50
JOURNAL_COLUMNS: Final = ("Person", "Field", "To", "Before", "After", "What", "Rule")

RunId = Annotated[str, typer.Argument(help="The id of the run (`plezi-sync runs list`).")]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many to show at most.")]
Next = Annotated[str, typer.Option("--next", help="The `next` of the page before.")]


def list_runs(
    session: Session,
    *,
    forms: Annotated[bool, typer.Option("--forms", help="The runs of forms.")] = False,
    limit: Limit = SHOWN_RUNS,
    after: Next = "",
) -> None:
    """List the runs, newest first."""
    answer = session.get("/admin/runs", limit=limit, next=after, forms=forms)
    if session.as_json:
        session.print_json(answer)
        return
    runs = answer.body["runs"]
    if not runs:
        session.say("There are no runs yet. Next: plezi-sync sync --wait")
        return
    columns = ("Run", "Kind", "State", "Requested", "Took", "Changes")
    print_table(session, columns, map(_row, runs))
    if answer.body["next"]:
        session.say(f"More: plezi-sync runs list --next {answer.body['next']}")


def show(
    session: Session, run_id: RunId, *, limit: Limit = SHOWN_ENTRIES, after: Next = ""
) -> None:
    """Show one run: its counts, why it stopped, and what it wrote."""
    answer = session.get(f"/admin/runs/{segment(run_id)}", limit=limit, next=after)
    if session.as_json:
        session.print_json(answer)
        return
    run = answer.body
    print_facts(session, _facts(run))
    for line in problem_lines(run["problems"]):
        session.say(line)
    print_journal(session, run["journal"])
    if run["next"]:
        session.say(f"More: plezi-sync runs show {run_id} --next {run['next']}")


def follow(session: Session, run_id: RunId) -> None:
    """Show the progress of a run, its pace and the time left, until it has ended.

    Ctrl-C ends the command, not the run.
    """
    show_end(session, follow_run(session, run_id))


def print_journal(session: Session, entries: Iterable[Mapping[str, Any]]) -> None:
    """Print entries of a journal or of a plan."""
    rows = list(map(_entry, entries))
    if not rows:
        session.say("No record is changed.")
        return
    print_table(session, JOURNAL_COLUMNS, rows)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "runs",
        panel=Panel.LOOK,
        text="List runs, show one, or follow its progress.",
        default=list_runs,
    )
    add_command(group, list_runs, "list", examples=("runs list --limit 5",))
    add_command(group, show, "show", examples=("runs show RUN_ID",))
    add_command(group, follow, "follow", examples=("runs follow RUN_ID",))


def _row(run: Mapping[str, Any]) -> tuple[str, ...]:
    state = sentence(run["state"]) + (f": {sentence(run['reason'])}" if run["reason"] else "")
    return (
        run["run_id"],
        sentence(run["kind"]),
        state,
        local_time(run["requested_at"]),
        duration(run["duration_seconds"]) if run["finished_at"] else "-",
        _changes(run["counts"], is_preview=run["kind"] == "dry_run"),
    )


def _changes(counts: Mapping[str, Mapping[str, int]], *, is_preview: bool) -> str:
    """Return the records that a run wrote, or would write: Plezi 2, Salesforce 12."""
    written = {
        SIDES.get(side, side): sum(numbers.get(name, 0) for name in ("created", "updated"))
        for side, numbers in sorted(counts.items())
    }
    text = ", ".join(f"{side} {number:,}" for side, number in written.items() if number)
    return f"would be {text}" if text and is_preview else text or "-"


def _facts(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Run", f"{run['run_id']} ({sentence(run['kind'])})"
    yield "State", progress_text(run)
    if run["reason"] or run["message"]:
        yield (
            "Reason",
            ": ".join(filter(None, (sentence(run["reason"]), with_commands(run["message"])))),
        )
    yield "Requested", local_time(run["requested_at"])
    yield "Started", local_time(run["started_at"])
    yield "Ended", local_time(run["finished_at"])
    yield "Mapping", f"version {run['mapping_version']}" if run["mapping_version"] >= 0 else "draft"
    if run["people"]:
        yield "Requested for", count(run["people"], "person", "people")
    for line in result_lines(run):
        yield "Counts", line
    if run["progress"]["last_error"]:
        yield "Last error", run["progress"]["last_error"]


def _entry(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        entry["email"],
        entry["field"],
        SIDES.get(entry["side"], entry["side"]),
        value_text(entry["before"]),
        value_text(entry["after"]),
        entry["kind"],
        sentence(entry["rule"]),
    )
