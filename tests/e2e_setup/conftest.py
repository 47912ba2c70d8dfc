"""Two deployed stacks, each with an org and a tenant of its own: a sandbox and production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

FOLDER = Path(".build/e2e-setup")


@pytest.fixture(scope="session")
def stacks() -> Iterator[dict[str, StackFile]]:
    """The deployed stacks by the name of their AWS profile. Synchronization is not enabled."""
    commands = {name: StackCommands(FOLDER / name) for name in ("sandbox", "production")}
    for each in commands.values():
        each.down()
    try:
        yield {name: each.up(start=False) for name, each in commands.items()}
    finally:
        for each in commands.values():
            each.down()
