"""What a command uses of this machine besides the network: clock, keyboard, editor, browser."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from plezi_sync.errors import UsageError

DEFAULT_EDITOR: Final = "vi"
"""The editor that POSIX requires of every system (POSIX.1-2017, `vi`)."""


def run_editor(file: Path) -> None:
    """Open a file in the editor of the user and wait until it is closed.

    Raises `UsageError` when there is no such editor, or it reports an error.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or DEFAULT_EDITOR
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=True)  # noqa: S603  # the user's own
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise UsageError(
            f"The editor {editor!r} failed: {error}. Set EDITOR to the editor to use."
        ) from error


@dataclass(frozen=True)
class Machine:
    """The parts of a machine that tests replace.

    `clock` returns seconds since 1970. `ask` shows a question and returns a line, `ask_secret` does
    not show what is typed. `edit` lets a person change a file, `open_page` shows a web page and
    returns whether a browser was found.
    """

    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    stdin: Callable[[], TextIO] = lambda: sys.stdin
    ask: Callable[[str], str] = input
    ask_secret: Callable[[str], str] = getpass.getpass
    edit: Callable[[Path], None] = run_editor
    open_page: Callable[[str], bool] = webbrowser.open

    @property
    def is_interactive(self) -> bool:
        """Return whether a person can answer questions."""
        return self.stdin().isatty()
