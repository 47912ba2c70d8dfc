"""`logs`: the log lines of the functions, without personal values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.aws_account import AwsAccount, translated_errors
from plezi_sync.errors import UsageError
from plezi_sync.output.texts import clean, local_time
from plezi_sync.session import Session

MILLISECONDS: Final = 1000
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
POLL_SECONDS: Final = 3.0
OVERLAP_SECONDS: Final = 30.0
"""CloudWatch shows a line some seconds after it was written, and not in the order of the times."""
METRICS: Final = "_aws"
"""The member of a line that has metrics for CloudWatch and no event (embedded metric format)."""
HIDDEN: Final = frozenset(
    {
        "level",
        "location",
        "message",
        "timestamp",
        "service",
        "version",
        "cold_start",
        "function_name",
        "function_memory_size",
        "function_arn",
        "function_request_id",
    }
)
"""Members of a line that are the same in most lines; `--json` shows them."""


class Level(StrEnum):
    """The levels of log lines, lowest first."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True)
class LogLine:
    """One line; `at` is in seconds since 1970."""

    id: str
    at: float
    function: str
    text: str


def logs(
    session: Session,
    function: Annotated[
        str, typer.Argument(help="sync_worker, admin, ... (default: all functions).")
    ] = "",
    *,
    since: Annotated[str, typer.Option(help="How far back: 90s, 15m, 2h, 1d.")] = "15m",
    level: Annotated[Level, typer.Option(help="The lowest level to show.")] = Level.INFO,
    run: Annotated[str, typer.Option(help="Only lines of this run.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new lines.")] = False,
) -> None:
    """Show log lines of the functions. They contain no personal values."""
    stack = session.deployment
    groups = {name: stack.log_group(name) for name in ([function] if function else stack.functions)}
    account, printed = stack.account(), set[str]()
    start = session.machine.clock() - _seconds(since)
    while True:
        lines = [line for name in groups for line in _lines(account, name, groups[name], start)]
        for line in sorted(lines, key=lambda each: each.at):
            if line.id not in printed and _is_shown(line, level, run):
                _print_line(session, line)
            printed.add(line.id)
        if not follow:
            break
        start = max(start, session.machine.clock() - OVERLAP_SECONDS)
        session.machine.sleep(POLL_SECONDS)
    if not printed:
        session.note(f"No log lines in the last {since}. Give a longer time with --since.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        logs,
        "logs",
        panel=Panel.OPERATE,
        examples=("logs sync_worker --follow", "logs --since 2h --level WARNING"),
    )


def _seconds(text: str) -> float:
    """Return a time such as 15m in seconds. Raises `UsageError` for any other text."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdecimal():
        raise UsageError(f"--since {text!r}: give a number with s, m, h or d, such as 15m.")
    return float(number) * UNITS[unit]


def _lines(account: AwsAccount, function: str, group: str, start: float) -> Iterator[LogLine]:
    """Yield the lines of a log group since a time."""
    with translated_errors():
        client = account.session.client(
            "logs", endpoint_url=account.endpoint_url, config=account.config()
        )
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int(start * MILLISECONDS)
        )
        for page in pages:
            for event in page["events"]:
                text = event["message"].rstrip("\n")
                at = event["timestamp"] / MILLISECONDS
                yield LogLine(event.get("eventId", f"{at}{text}"), at, function, text)


def _members(line: LogLine) -> dict[str, Any]:
    """Return the members of a line; {} for a line that Lambda itself wrote."""
    try:
        value: object = json.loads(line.text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _is_shown(line: LogLine, level: Level, run: str) -> bool:
    members = _members(line)
    if METRICS in members:
        return False
    if not members:  # START, END and REPORT of Lambda, or the text of a crash
        return not run and level is Level.DEBUG
    levels = list(Level)
    written = members.get("level", Level.ERROR)
    is_low = written in levels and levels.index(Level(written)) < levels.index(level)
    return not is_low and run in ("", members.get("run_id"), members.get("trace_id"))


def _print_line(session: Session, line: LogLine) -> None:
    if session.as_json:
        session.raw(line.text)
        return
    members = _members(line)
    details = " ".join(f"{name}={value}" for name, value in members.items() if name not in HIDDEN)
    level, message = members.get("level", ""), members.get("message", line.text)
    text = f"{local_time(line.at)} {line.function} {level} {message} {details}"
    session.raw(clean(text).rstrip())
