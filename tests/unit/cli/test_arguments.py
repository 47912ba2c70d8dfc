"""Arguments, files and configuration that a command cannot use: exit status 2, with a remedy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from plezi_sync import commands
from plezi_sync.__main__ import main
from plezi_sync.application import new_application
from plezi_sync.errors import ExitStatus, UsageError
from plezi_sync.targets import api_on_aws
from tests.unit.cli.fake_stack import FakeStack

ROOT = Path(__file__).parents[3]
HOST = "a1b2c3d4e5.execute-api.eu-west-3.amazonaws.com"
NEW_COMMAND = """\
from plezi_sync.application import Panel, add_command

def greet(session, name: str):
    session.say(f"Hello {name}, {session.options.stack_file}")

def register(app):
    add_command(app, greet, "greet", panel=Panel.LOOK)
"""
local = pytest.mark.usefixtures("local_stack")
on_aws = pytest.mark.usefixtures("aws_credentials")


def error_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must end with exit status 2; return what it reports."""
    assert main(arguments) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["call", "GET"],
        ["mapping", "delete"],
        ["mapping", "restore", "first"],
        ["connect", "set"],
        ["invoke"],
        ["status", "--unknown"],
        ["sync", "--kind", "other"],
    ],
)
def test_wrong_arguments_end_with_the_usage_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Usage: plezi-sync" in error_of(arguments, capsys)


@pytest.mark.parametrize("arguments", [[], ["connect"]])
def test_a_group_that_does_nothing_alone_shows_its_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert "Usage: plezi-sync" in printed.out + printed.err


def leaves(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the names of every command, such as ("runs", "list")."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path
        return
    for name, each in inner.items():
        yield from leaves(each, (*path, name))


@pytest.mark.parametrize("path", [*leaves(get_command(new_application()))], ids=" ".join)
def test_every_command_has_a_help_with_an_example_and_the_common_options(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert " ".join(["Usage: plezi-sync", *path]) in text
    assert "Example:" in text
    assert "--stack-file" in text
    assert "--json" in text


def test_the_help_documents_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    statuses = text.partition("Exit status:")[2].partition("Example")[0]
    for status in set(ExitStatus) - {ExitStatus.CLOSED_OUTPUT}:
        assert f" {status.value} " in statuses, status


@local
def test_a_command_is_added_by_one_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "greet.py").write_text(NEW_COMMAND, encoding="utf-8")
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    try:
        assert main(["greet", "Ana", "--stack-file", "other.json"]) == 0
    finally:
        sys.modules.pop("plezi_sync.commands.greet", None)
    assert capsys.readouterr().out == "Hello Ana, other.json\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completion_is_printed_and_completes_commands(shell: str) -> None:
    variables = {
        "PYTHONPATH": str(ROOT / "cli"),
        "_PLEZI_SYNC_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "plezi-sync map",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "plezi-sync map",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    completed = subprocess.run(  # our own interpreter
        [sys.executable, "-m", "plezi_sync"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "mapping" in completed.stdout
    assert "Traceback" not in completed.stderr


@local
def test_an_unexpected_error_is_reported_as_a_defect_without_a_traceback(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.answer(200, "{}")  # not a status: the API would not answer so
    assert main(["status"]) == 70
    error = capsys.readouterr().err
    assert "this is a defect of plezi-sync (KeyError" in error
    assert "Traceback" not in error


@local
def test_a_path_must_start_with_a_slash(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "must start with a slash" in error_of(["call", "GET", "admin/status"], capsys)
    assert stack.received == []


@local
def test_a_missing_body_is_named_and_nothing_is_sent(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["call", "PUT", "/admin/mapping", "--body", "none.json"]
    assert "Cannot read none.json: No such file" in error_of(arguments, capsys)
    assert "Cannot read mapping.yaml" in error_of(["mapping", "import"], capsys)
    assert stack.received == []


@local
def test_an_output_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["mapping", "export", "no-folder/mapping.yaml"]
    assert "Cannot write no-folder/mapping.yaml" in error_of(arguments, capsys)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"api_url": "http://localhost"}'])
def test_a_file_that_describes_no_stack_is_named(
    content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("stack.json").write_text(content, encoding="utf-8")
    assert "stack.json" in error_of(["status", "--stack-file", "stack.json"], capsys)


def test_an_api_on_aws_needs_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(["status", "--api-url", f"https://{HOST}/v1"], capsys)
    assert "No AWS credentials" in error


@on_aws
def test_an_api_on_aws_needs_a_region(capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(["status", "--api-url", "https://api.example.com"], capsys)
    assert "Give --region or set AWS_REGION" in error


@on_aws
@pytest.mark.parametrize("url", ["http://api.example.com", "api.example.com/v1", "https://"])
def test_an_api_on_aws_is_only_called_over_https(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "must start with https://" in error_of(["status", "--api-url", url], capsys)


def test_an_unknown_aws_profile_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "none")
    error = error_of(["status", "--api-url", f"https://{HOST}/v1"], capsys)
    assert "The config profile (none) could not be found" in error


@on_aws
def test_the_region_is_the_given_one_else_that_of_the_url_else_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert api_on_aws(f"https://{HOST}/v1", "eu-north-1").region == "eu-north-1"
    assert api_on_aws(f"https://{HOST}/v1").region == "eu-west-3"
    assert api_on_aws("https://api.example.com").region == "us-east-1"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(UsageError, match="No AWS region"):
        api_on_aws("https://execute-api")


def test_the_command_imports_neither_the_connector_nor_the_local_stack(tmp_path: Path) -> None:
    listed = subprocess.run(  # our own interpreter
        [sys.executable, "-c", "import sys, plezi_sync.__main__; print(*sys.modules)"],
        env={"PYTHONPATH": str(ROOT / "cli")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    packages = {name.partition(".")[0] for name in listed.stdout.split()}
    assert "plezi_sync" in packages
    assert not packages & {"connector", "local", "functions", "tests"}
