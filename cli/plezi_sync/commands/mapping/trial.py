"""`mapping validate` and `mapping apply`: what the stack says of a mapping, and its use for all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from plezi_sync.commands.mapping.files import MAPPING_FILE
from plezi_sync.commands.sync import request_run
from plezi_sync.errors import ProblemError
from plezi_sync.files import read_bytes
from plezi_sync.mapping_document import parse_mapping
from plezi_sync.output.run_progress import follow, require_good_end
from plezi_sync.output.texts import count
from plezi_sync.refusals import problem_lines
from plezi_sync.session import Answer, Session

NOBODY: Final = "nobody@example.invalid"
"""An address that no person can have (RFC 2606, `.invalid`): a dry run of it reads nobody, and
validates the mapping as a save does."""


def validate(
    session: Session, file: Annotated[Path, typer.Argument(help="The YAML file.")] = MAPPING_FILE
) -> None:
    """Check a YAML file against the fields of both sides; nothing is saved.

    The exit status is 4 when it has problems.
    """
    text = read_bytes(file).decode("utf-8", errors="replace")
    answer = check_draft(session, parse_mapping(text, str(file)), str(file))
    if session.as_json:
        session.print_json(answer)
    else:
        session.say(f"{file} can be saved. Next: plezi-sync preview --mapping {file}")


def check_draft(session: Session, draft: Mapping[str, Any], name: str) -> Answer:
    """Let the stack validate a mapping, and print its problems; nothing is saved.

    Returns the dry run, which the JSON form prints only if it is refused. Raises `ProblemError` for
    a mapping that cannot be saved.
    """
    request = {"kind": "dry_run", "emails": [NOBODY], "mapping": draft}
    answer = follow(session, session.post("/sync", request).body["run_id"])
    run = answer.body
    is_refused = run["reason"] == "mapping"
    if session.as_json:
        if is_refused:
            session.print_json(answer)
    else:
        for line in problem_lines(run["problems"]):
            session.say(line)
    if is_refused:
        found = count(len(run["problems"]), "problem")
        detail = f": {found}" if run["problems"] else f". {run['message']}"
        raise ProblemError(f"{name} cannot be saved{detail}")
    require_good_end(run)
    return answer


def apply(
    session: Session,
    *,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Show the progress until the end.")
    ] = True,
) -> None:
    """Apply the saved mapping to all people: a full run, which writes only what differs."""
    session.confirm("Apply the saved mapping to all people of both sides?")
    request_run(session, {"kind": "full"}, wait=wait)
