"""`preview`: what a run would do, by field and by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.errors import ProblemError
from plezi_sync.files import read_bytes
from plezi_sync.mapping_document import parse_mapping
from plezi_sync.output.run_progress import follow, require_good_end
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import (
    HOUR_SECONDS,
    MINUTE_SECONDS,
    SIDES,
    count,
    duration,
    sentence,
    value_text,
)
from plezi_sync.refusals import problem_lines
from plezi_sync.session import Answer, Session, segment

PAGE: Final = 200
MAX_ENTRIES: Final = 20_000
"""Entries of a plan that are counted by field: 100 calls. A larger plan says that it is cut."""
SHOWN_PEOPLE: Final = 20
KINDS: Final = ("written", "overwritten", "held", "refused", "duplicate", "not_undone")
RARE: Final = frozenset({"not_undone"})
"""Kinds of entries that have a column only where there are some."""
CENT: Final = 0.005
"""US dollars that are shown as one cent at least."""

Entry = Mapping[str, Any]


def preview(
    session: Session,
    *,
    mapping: Annotated[
        Path | None, typer.Option(help="A YAML file: the mapping to try, which is not saved.")
    ] = None,
    email: Annotated[
        list[str] | None, typer.Option(help="Only this person; can be repeated.")
    ] = None,
    run: Annotated[str, typer.Option(help="Show this dry run again.")] = "",
    people: Annotated[int, typer.Option(min=0, help="How many people to show.")] = SHOWN_PEOPLE,
) -> None:
    """Show what a run would do, by field and by person. Nothing is written."""
    run_id = run or _request(session, mapping, email)
    if show_plan(session, run_id, people):
        session.say(f"Allow exactly this: plezi-sync approve {run_id}")


def show_plan(session: Session, run_id: str, people: int) -> bool:
    """Print what a dry run would do, by field and by some people; return whether it is anything.

    With `--json`, the first page of the plan is printed, and nothing else should be.
    """
    path = f"/admin/runs/{segment(run_id)}/plan"
    first = session.get(path, limit=PAGE)
    if session.as_json:
        session.print_json(first)
        return False
    entries, is_cut = _entries(session, path, first)
    if not entries:
        session.say("A run would change nothing.")
        return False
    _print_by_field(session, entries)
    session.say()
    _print_by_person(session, entries, people)
    _print_needs(session, first.body.get("expected"))
    if is_cut:
        session.say(f"Only the first {len(entries):,} changes are counted here.")
    return True


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        preview,
        "preview",
        panel=Panel.RUN,
        examples=(
            "preview",
            "preview --mapping mapping.yaml",
            "preview --email ana@example.com",
        ),
    )


def _request(session: Session, mapping: Path | None, emails: list[str] | None) -> str:
    """Make a dry run and return its id. Raises `ProblemError` when it does not end as done."""
    request: dict[str, object] = {"kind": "dry_run"}
    if mapping is not None:
        text = read_bytes(mapping).decode("utf-8", errors="replace")
        request["mapping"] = parse_mapping(text, str(mapping))
    if emails:
        request["emails"] = emails
    run = follow(session, session.post("/sync", request).body["run_id"]).body
    if run["problems"] and run["state"] != "done":
        lines = "\n".join(problem_lines(run["problems"]))
        raise ProblemError(f"The mapping cannot be used:\n{lines}")
    require_good_end(run)
    return str(run["run_id"])


def _entries(session: Session, path: str, first: Answer) -> tuple[list[Entry], bool]:
    entries, after = list(first.body["journal"]), first.body["next"]
    while after and len(entries) < MAX_ENTRIES:
        page = session.get(path, limit=PAGE, next=after).body
        entries += page["journal"]
        after = page["next"]
    return entries, bool(after)


def _print_by_field(session: Session, entries: list[Entry]) -> None:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for entry in entries:
        for field in entry["field"].split(","):
            counts.setdefault((entry["side"], field), Counter())[entry["kind"]] += 1
    present = {entry["kind"] for entry in entries}
    kinds = [kind for kind in KINDS if kind not in RARE or kind in present]
    rows = [
        (SIDES.get(side, side), field or "(record)", *(_number(found[kind]) for kind in kinds))
        for (side, field), found in sorted(counts.items())
    ]
    columns = ("To", "Field", *(sentence(kind).capitalize() for kind in kinds))
    print_table(session, columns, rows, title="By field", numbers=frozenset(columns[2:]))


def _print_by_person(session: Session, entries: list[Entry], shown: int) -> None:
    emails = list(dict.fromkeys(entry["email"] for entry in entries))
    chosen = frozenset(emails[:shown])
    rows = list(_person_rows(entry for entry in entries if entry["email"] in chosen))
    if rows:
        columns = ("Person", "To", "Field", "Before", "After", "What", "Rule")
        print_table(session, columns, rows, title="By person")
    if hidden := len(emails) - len(chosen):
        session.say(f"{count(hidden, 'more person', 'more people')}: preview --run ... --people N")


def _person_rows(entries: Iterator[Entry]) -> Iterator[tuple[str, ...]]:
    previous = ""
    for entry in entries:
        yield (
            entry["email"] if entry["email"] != previous else "",
            SIDES.get(entry["side"], entry["side"]),
            entry["field"],
            value_text(entry["before"]),
            value_text(entry["after"]),
            entry["kind"],
            sentence(entry["rule"]),
        )
        previous = entry["email"]


def _print_needs(session: Session, expected: Mapping[str, float | None] | None) -> None:
    """Print what such a run takes; a stack of an older version does not say it."""
    if expected is None:
        return
    calls = [
        f"{count(int(expected[f'{side}_calls'] or 0), 'call')} to {name}"
        for side, name in SIDES.items()
    ]
    session.say(
        f"Such a run takes {_time(expected['hours'])}. It needs about {' and '.join(calls)}, and "
        f"costs {_dollars(expected['dollars'])} at AWS."
    )


def _time(hours: float | None) -> str:
    if hours is None:
        return "as long as Plezi needs to answer: this stack has no limit on the pace"
    seconds = hours * HOUR_SECONDS
    return f"about {duration(seconds)}" if seconds >= MINUTE_SECONDS else "less than a minute"


def _dollars(amount: float | None) -> str:
    return f"{amount:.2f} US$" if amount and amount >= CENT else "less than 0.01 US$"


def _number(number: int) -> str:
    return f"{number:,}" if number else "-"
