"""`mapping export`, `mapping import` and `mapping diff`: the mapping as a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from plezi_sync.commands.mapping.saving import print_changes, print_saved
from plezi_sync.commands.mapping.show import PATH
from plezi_sync.errors import ProblemError
from plezi_sync.files import read_bytes, write_text
from plezi_sync.mapping_document import Change, changes, parse_mapping
from plezi_sync.output.texts import count
from plezi_sync.refusals import accepted_text
from plezi_sync.session import Answer, Session

YAML_PATH: Final = "/admin/mapping.yaml"
MAPPING_FILE: Final = Path("mapping.yaml")

MappingFile = Annotated[Path, typer.Argument(help="The YAML file.")]


def export(session: Session, file: MappingFile = MAPPING_FILE) -> None:
    """Write the current mapping to a YAML file."""
    text = accepted_text(session.api.call("GET", YAML_PATH))
    if session.as_json:
        session.print_json(session.get(PATH))
        return
    if file.exists() and file.read_bytes() != text.encode():
        session.confirm(f"Overwrite {file}?")
    write_text(file, text)
    session.say(f"{file}: {count(len(text.splitlines()), 'line')}")


def import_(session: Session, file: MappingFile = MAPPING_FILE) -> None:
    """Save the mapping in a YAML file, after it has shown the changes. An old file is refused."""
    text = read_bytes(file)
    found = differences(session, text.decode("utf-8", errors="replace"), str(file))
    print_changes(session, found)
    if found:
        session.confirm("Save this as the new version of the mapping?")
    print_saved(session, send_file(session, text))


def diff(session: Session, file: MappingFile = MAPPING_FILE) -> None:
    """Show how a YAML file differs from the current mapping. The exit status is 4 if it does."""
    text = read_bytes(file).decode("utf-8", errors="replace")
    found = differences(session, text, str(file))
    if session.as_json:
        session.print_json(session.get(PATH))
    print_changes(session, found)
    if found:
        raise ProblemError("")


def differences(session: Session, text: str, name: str) -> list[Change]:
    """Return how a YAML text differs from the current mapping. Raises `UsageError`."""
    return changes(session.get(PATH).body, parse_mapping(text, name))


def send_file(session: Session, text: bytes) -> Answer:
    """Save a YAML text as the mapping. Raises `RefusedError` when it is old or not valid."""
    response = session.api.call("PUT", YAML_PATH, text)
    accepted = accepted_text(response)
    return Answer(accepted, response.json())
