"""One deployed stack for the whole session, apart from the one of `make up`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.embedded_aws import EmbeddedAws
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

FOLDER = Path(".build/e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests that bring many people come last: all others then read few pages.

    The killed worker changes the mapping; a full run follows it, among the forms. Until then a dry
    run would look at everybody, which the run of changes that it is compared with does not.
    """
    filling = ("test_killed_worker", "test_submitted_forms", "test_main_job", "test_dry_run")

    def rank(item: pytest.Item) -> int:
        name = item.path.stem
        return filling.index(name) + 1 if name in filling else 0

    items.sort(key=rank)


@pytest.fixture(scope="session")
def commands() -> StackCommands:
    return StackCommands(FOLDER)


@pytest.fixture(scope="session")
def stack(commands: StackCommands) -> Iterator[StackFile]:
    """The stack, deployed and waiting: no test has pressed start yet."""
    commands.down()
    running = commands.up(start=False)
    yield running
    commands.down()


@pytest.fixture(scope="session")
def aws(stack: StackFile) -> EmbeddedAws:
    """Its clients."""
    return EmbeddedAws(stack.aws_endpoint)
