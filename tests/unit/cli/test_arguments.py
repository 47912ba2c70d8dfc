"""Arguments, files and configuration that a command cannot use: exit status 2, with a remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plezi_sync.__main__ import main
from plezi_sync.errors import UsageError
from plezi_sync.targets import api_on_aws
from tests.unit.cli.conftest import FakeStack

ROOT = Path(__file__).parents[3]
HOST = "a1b2c3d4e5.execute-api.eu-west-3.amazonaws.com"
local = pytest.mark.usefixtures("local_stack")
on_aws = pytest.mark.usefixtures("aws_credentials")


def error_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must end with exit status 2; return what it reports."""
    assert main(arguments) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["call", "GET"],
        ["mapping"],
        ["mapping", "delete"],
        ["rotate"],
        ["invoke"],
        ["invoke", "admin", "--api-url", "https://example.com"],
        ["status", "--unknown"],
    ],
)
def test_wrong_arguments_end_with_the_usage_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: plezi-sync" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["status"],
        ["call"],
        ["mapping"],
        ["mapping", "export"],
        ["mapping", "import"],
        ["rotate"],
        ["invoke"],
    ],
)
def test_every_command_has_a_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert " ".join(["usage: plezi-sync", *command]) in capsys.readouterr().out


def test_the_help_documents_the_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert "exit status:" in text
    for status in ("0  done", "1  the stack refused", "2  the arguments", "3  no response"):
        assert status in text


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


@local
def test_a_region_without_an_api_url_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Give --api-url as well" in error_of(["status", "--region", "eu-west-1"], capsys)


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
