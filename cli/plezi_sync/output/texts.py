"""Times, durations, values and counts as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 86_400
BLANK: Final = "(blank)"
NONE: Final = "-"
WRITES: Final = frozenset({"created", "updated", "overwritten", "held", "quarantined"})
"""The counts of a run that are shown first."""
HIDDEN: Final = "people."
"""Counts of all people who take part, which bound a run: `--json` has them."""
SIDES: Final[Mapping[str, str]] = {"plezi": "Plezi", "salesforce": "Salesforce"}

COMMANDS: Final = tuple(
    (re.compile(pattern), command)
    for pattern, command in (
        (r"POST /sync (?:with )?\{+\"kind\": \"full\"\}+", "plezi-sync sync --kind full"),
        (r"POST /sync (?:with )?\{+\"kind\": \"dry_run\"\}+", "plezi-sync preview"),
        (r"POST /sync (?:with )?\{+\"kind\": \"verify\"\}+", "plezi-sync verify"),
        (r"POST /admin/start\b", "plezi-sync start"),
        (r"POST /admin/pause\b", "plezi-sync pause"),
        (r"POST /admin/breaker/release\b", "plezi-sync breaker release"),
        (r"POST /admin/plezi/probe\b", "plezi-sync probe"),
        (r"POST /admin/runs/([\w-]+)/approve\b", r"plezi-sync approve \1"),
        (r"POST /admin/runs/([\w-]+)/repair\b", r"plezi-sync verify --repair"),
        (r"POST /admin/runs/([\w-]+)/undo\b", r"plezi-sync undo \1"),
        (r"GET /admin/runs/([\w-]+)/plan\b", r"plezi-sync preview --run \1"),
        (r"GET /admin/runs\b(?!/)", "plezi-sync runs"),
        (r"GET /admin/mapping\b(?!/)", "plezi-sync mapping show"),
    )
)
"""The routes that messages of the API name, and the command for each."""


def with_commands(text: str) -> str:
    """Return a message of the API with the commands that do what the routes in it do."""
    for route, command in COMMANDS:
        text = route.sub(command, text)
    return text


def clean(text: str) -> str:
    """Return a text of a record without control characters, which a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text)


def local_time(seconds: float) -> str:
    """Return a time in the zone of this machine, with the zone; '-' for 0 (not yet)."""
    if not seconds:
        return NONE
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def local_time_of(text: str) -> str:
    """Return a time of a record (ISO 8601) in the zone of this machine; other texts as they are."""
    try:
        return local_time(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return clean(text)


def duration(seconds: float) -> str:
    """Return a duration: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min, 3 d 4 h."""
    if seconds < MINUTE_SECONDS:
        return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004  # one digit
    whole = round(seconds)
    for unit, name, part, part_name in (
        (DAY_SECONDS, "d", HOUR_SECONDS, "h"),
        (HOUR_SECONDS, "h", MINUTE_SECONDS, "min"),
        (MINUTE_SECONDS, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // part
            return f"{whole // unit} {name}" + (f" {rest} {part_name}" if rest else "")
    return f"{whole} s"


def ago(seconds: float, now: float) -> str:
    """Return a local time, and how long ago it was."""
    return f"{local_time(seconds)} ({duration(max(0.0, now - seconds))} ago)" if seconds else NONE


def value_text(value: object) -> str:
    """Return the value of a field: a blank, a flag, a list, a long text by its length."""
    match value:
        case None | "" | []:
            return BLANK
        case bool():
            return "yes" if value else "no"
        case list():
            return "; ".join(map(str, value))
        case dict():  # LongText: the ledger stores a digest of it
            return f"(text of {value.get('length', '?')} characters)"
        case _:
            return clean(str(value))


def count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: 1 contact, 2 contacts."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def sentence(reason: str) -> str:
    """Return a code such as `login_refused` as words: login refused."""
    return reason.replace("_", " ")


def counts_text(counts: Mapping[str, int]) -> str:
    """Return the counts of one side of a run: what was written first, then the largest."""
    shown = {name: number for name, number in counts.items() if number and HIDDEN not in name}
    ordered = sorted(shown, key=lambda name: (name not in WRITES, -shown[name], name))
    return ", ".join(f"{shown[name]:,} {_counted(name)}" for name in ordered) or "nothing"


def _counted(name: str) -> str:
    """Return the name of a count; that of one field, `cleared.Phone`, as `cleared in Phone`."""
    what, _, field = name.partition(".")
    return f"{sentence(what)} in {field}" if field else sentence(what)
