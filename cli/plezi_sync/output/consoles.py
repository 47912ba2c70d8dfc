"""The two consoles of a command: results on standard output, all else on standard error."""

from __future__ import annotations

import os
from typing import Final, NoReturn

from rich.console import Console

from plezi_sync.errors import ClosedOutputError

UNLIMITED_COLUMNS: Final = 1000
"""The width of an output that is no terminal: lines stay whole for `grep`, `cut` and `less -S`."""


class PipedConsole(Console):
    """A console whose closed pipe ends the command with the status that shells expect."""

    def on_broken_pipe(self) -> NoReturn:
        """End the command: its output is not read."""
        raise ClosedOutputError("the reader of the output ended")


def new_console(*, stderr: bool = False) -> Console:
    """Return a console: colours on a terminal only, unless NO_COLOR is set (no-color.org)."""
    console = PipedConsole(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = UNLIMITED_COLUMNS
    return console
