"""Every command of the two guides is executed by a test, or has a listed reason why not."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.session
import pytest

from plezi_sync.application import new_application
from tests.docs.document_commands import GUIDES, NEEDS_AN_ACCOUNT, ROOT, Command, commands

ALL = [command for page in GUIDES for command in commands(page)]
OF_AWS = sorted(
    {it.text: it for it in ALL if it.words[0] == "aws"}.values(), key=lambda it: it.text
)
OF_THE_CLI = [it for it in ALL if it.words[0] == "plezi-sync"]
OPTIONS_OF_ALL = {"query", "output"}
CLI_ONLY = {"logs tail": {"since", "filter-pattern"}}
"""Commands that the AWS CLI makes of several operations, with the options that they have."""


def test_the_guides_have_commands() -> None:
    assert len(ALL) > 30
    assert len(OF_AWS) > 10
    assert len(OF_THE_CLI) > 15


@pytest.mark.parametrize("command", ALL, ids=lambda it: it.text[:60])
def test_a_command_is_executed_or_has_a_reason(command: Command) -> None:
    """The e2e test executes those of `plezi-sync`."""
    executed = command.words[0] == "plezi-sync" and not command.reason
    assert executed or command.reason, f"{command.page}: {command.text}"


def test_every_reason_is_used() -> None:
    used = {
        begin for begin in NEEDS_AN_ACCOUNT for it in ALL if " ".join(it.words).startswith(begin)
    }
    assert used == set(NEEDS_AN_ACCOUNT)


def test_the_runbooks_list_the_commands_that_no_test_executes() -> None:
    text = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z -]+)` \| (.*) \|$", text, re.MULTILINE))
    assert rows == NEEDS_AN_ACCOUNT


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@pytest.mark.parametrize("command", OF_AWS, ids=lambda it: it.text[:60])
def test_a_command_of_the_aws_cli_has_an_operation_and_options_that_exist(command: Command) -> None:
    _, service, operation, *rest = command.words
    options = {word.removeprefix("--") for word in rest if word.startswith("--")} - OPTIONS_OF_ALL
    if known := CLI_ONLY.get(f"{service} {operation}"):
        assert options <= known
        return
    name = "".join(word.capitalize() for word in operation.split("-"))
    members = model(service).operation_model(name).input_shape.members
    given = {re.sub(r"(?<!^)(?=[A-Z])", "-", member).lower() for member in members}
    assert options <= given


@pytest.mark.parametrize("command", OF_THE_CLI, ids=lambda it: it.text)
def test_a_command_of_plezi_sync_exists(command: Command) -> None:
    import typer.main  # noqa: PLC0415  # only here

    place: Any = typer.main.get_command(new_application())
    for word in command.words[1:]:
        if word.startswith("-") or not hasattr(place, "commands"):
            break
        assert word in place.commands, command.text
        place = place.commands[word]


def test_the_queues_and_log_groups_of_the_runbooks_are_those_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    text = " ".join(it.text for it in ALL)
    for path in set(re.findall(r'"(/aws/[a-z]+/\$STACK[a-z/-]*)"', text)):
        assert path.replace("$STACK", "${AWS::StackName}") in template, path
    for queue in set(re.findall(r'--queue-name "\$STACK-([a-z.-]+)"', text)):
        assert f"${{AWS::StackName}}-{queue}" in template, queue
