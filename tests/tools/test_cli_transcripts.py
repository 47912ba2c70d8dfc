"""docs/cli.md shows commands that exist, and transcripts of real runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from plezi_sync.application import new_application
from plezi_sync.errors import ExitStatus
from tools.cli_transcripts import (
    PAGE,
    TRANSCRIPTS,
    Step,
    commands_of,
    problems,
    with_transcripts,
)

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "cli/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLE = "# Page\n\n<!-- transcript: look -->\nold\n<!-- end -->\n\nMore.\n"
OTHERS = frozenset({"greet"})
"""The command of the example in cli/README.md."""


def quoted_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command that a page shows in code."""
    for line in re.findall(r"^(?:\$ )?plezi-sync (.+)$", text, re.MULTILINE):
        yield shlex.split(line, comments=True)
    for inline in re.findall(r"`plezi-sync ([^`]+)`", text):
        yield inline.split()


def test_the_page_has_the_commands_of_the_list_and_their_output() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert problems(page) == []
    assert page.count("\n$ plezi-sync ") == sum(map(len, TRANSCRIPTS.values()))
    assert not re.search(r"\$ plezi-sync [^\n]+\n\n?(```|\$ )", page), "a command has no output"


def test_a_block_is_filled_and_a_wrong_command_in_it_is_found() -> None:
    expected = {"look": [Step("runs follow {run}"), Step("status")]}
    run = "$ plezi-sync runs follow 20261126T154320000000-0a1b2c3d\ndone"
    filled = with_transcripts(EXAMPLE, {"look": f"{run}\n\n$ plezi-sync status\nenabled"})
    assert "old" not in filled
    assert filled.endswith("<!-- end -->\n\nMore.\n")
    assert problems(filled, expected) == []
    assert commands_of(filled)["look"][1] == "status"
    [problem] = problems(filled.replace("plezi-sync status", "plezi-sync states"), expected)
    assert "the block look is out of date" in problem
    assert len(problems(EXAMPLE.replace("look", "other"), expected)) == 2


def test_the_page_has_a_row_for_every_command() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("| command | effect |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z]+)", table))
    assert set(getattr(get_command(new_application()), "commands", {})) <= named


def test_the_page_lists_every_exit_status() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| exit status |")[2].partition("\n\n")[0]
    assert [int(number) for number in re.findall(r"^\| (\d+) ", table, re.MULTILINE)] == [
        status.value for status in ExitStatus
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_option_in_the_documents_exists(page: Path) -> None:
    for words in quoted_commands(page.read_text(encoding="utf-8")):
        if words[0] in OTHERS or not words[0].islower():
            continue
        command, names = get_command(new_application()), []
        while words and words[0] in (inner := getattr(command, "commands", {})):
            names.append(words[0])
            command = inner[words.pop(0)]
        assert names or words[0].startswith("--"), f"{page.name}: {words}"
        is_group = hasattr(command, "commands")
        assert not is_group or not words or words[0].startswith("--"), f"{page.name}: {words}"
        known = {option for each in command.params for option in each.opts}
        used = {word.partition("=")[0] for word in words if re.fullmatch(r"--[a-z-]+", word)}
        assert used <= known | {"--help"}, f"{page.name}: {names} {used - known}"
