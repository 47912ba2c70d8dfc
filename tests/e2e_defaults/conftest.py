"""A deployed stack with the template's own defaults. It is not the stack of `make up`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

FOLDER = Path(".build/e2e-defaults")


@pytest.fixture(scope="session")
def stack() -> Iterator[StackFile]:
    """The deployed stack. Synchronization is enabled."""
    commands = StackCommands(FOLDER)
    commands.down()
    yield commands.up(start=True, defaults=True)
    commands.down()
