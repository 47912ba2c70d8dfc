"""`mapping edit`: the mapping in the editor of the user."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from plezi_sync.commands.mapping.files import YAML_PATH, differences, send_file
from plezi_sync.commands.mapping.saving import print_changes, print_saved
from plezi_sync.errors import CommandError, UsageError
from plezi_sync.files import read_bytes, write_text
from plezi_sync.refusals import accepted_text
from plezi_sync.session import Session

DRAFT: Final = "mapping-draft.yaml"


def edit(session: Session) -> None:
    """Change the mapping in an editor (VISUAL, EDITOR), see the changes, and save them.

    A draft that is refused or not confirmed stays in a file, which is named.
    """
    if not session.machine.is_interactive:
        raise UsageError(
            "An editor needs a terminal. Use `plezi-sync mapping export` and `mapping import`."
        )
    file = Path(tempfile.mkdtemp(prefix="plezi-sync-")) / DRAFT
    write_text(file, accepted_text(session.api.call("GET", YAML_PATH)))
    try:
        _edit_and_save(session, file)
    except CommandError:
        session.note(f"The draft is in {file}; save it with: plezi-sync mapping import {file}")
        raise
    file.unlink()
    file.parent.rmdir()


def _edit_and_save(session: Session, file: Path) -> None:
    session.machine.edit(file)
    text = read_bytes(file)
    found = differences(session, text.decode("utf-8", errors="replace"), str(file))
    print_changes(session, found)
    if not found:
        return
    session.confirm("Save this as the new version of the mapping?")
    print_saved(session, send_file(session, text))
