"""The commands of `plezi-sync` in the two guides, executed in their order on the deployed stack."""

from __future__ import annotations

import pytest

from local.stack import stack_file
from local.stack.commands import StackCommands
from tests.docs import document_commands
from tests.docs.document_commands import GUIDES
from tests.e2e.test_plezi_sync import CommandLine

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("ops")]

FINDINGS = frozenset({0, 1})
"""Exit statuses of a command that found something to report: `doctor`, `errors`, `verify`."""


@pytest.mark.parametrize("page", GUIDES)
def test_every_command_of_a_guide_runs(commands_of_stack: CommandLine, page: str) -> None:
    for command in document_commands.commands(page):
        if command.words[0] != "plezi-sync" or command.reason:
            continue
        status, text = commands_of_stack.run(*command.words[1:], "--yes")
        assert status in FINDINGS, f"{command.text}: {text} {commands_of_stack.errors}"


@pytest.fixture
def commands_of_stack(commands: StackCommands, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(commands.folder / stack_file.FILE, capsys)
