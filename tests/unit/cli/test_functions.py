"""`invoke` and `rotate`: the calls to AWS, their responses and the exit status."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from plezi_sync.__main__ import main
from tests.unit.cli.conftest import (
    INVOCATION_PREFIX,
    PENDING_VERSION,
    FakeStack,
    write_stack_file,
)

local = pytest.mark.usefixtures("local_stack")
MATERIAL = {"flow": "password", "password": "new"}


@pytest.fixture
def material() -> str:
    Path("new.json").write_text(json.dumps(MATERIAL), encoding="utf-8")
    return "new.json"


@local
def test_a_function_is_invoked_with_its_sample_event_or_with_a_given_one(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("events").mkdir()
    Path("events/scheduler.json").write_text('{"kind": "changes"}', encoding="utf-8")
    Path("mine.json").write_text('{"kind": "full"}', encoding="utf-8")
    stack.function_response = {"run_id": "r1"}

    assert main(["invoke", "scheduled_sync"]) == 0
    assert main(["invoke", "scheduled_sync", "--event", "mine.json"]) == 0

    assert [request.path for request in stack.received] == [
        f"{INVOCATION_PREFIX}fn-scheduled/invocations"
    ] * 2
    assert [request.json() for request in stack.received] == [{"kind": "changes"}, {"kind": "full"}]
    assert json.loads(capsys.readouterr().out.partition("}\n")[0] + "}") == {"run_id": "r1"}


@local
def test_an_unknown_function_or_a_missing_event_is_a_wrong_argument(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["invoke", "unknown"]) == 2
    assert "Choose one of: rotate_credentials, scheduled_sync." in capsys.readouterr().err
    assert main(["invoke", "scheduled_sync"]) == 2
    assert "Cannot read events/scheduler.json" in capsys.readouterr().err
    assert stack.received == []


@local
def test_a_function_that_fails_ends_with_status_1(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("event.json").write_text("{}", encoding="utf-8")
    stack.function_error, stack.function_response = "Unhandled", {"errorMessage": "no such run"}

    assert main(["invoke", "scheduled_sync", "--event", "event.json"]) == 1

    assert "fn-scheduled failed: no such run" in capsys.readouterr().err


def test_a_function_of_a_stack_that_does_not_listen_is_unreachable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    write_stack_file(f"http://127.0.0.1:{port}")
    Path("event.json").write_text("{}", encoding="utf-8")

    assert main(["invoke", "scheduled_sync", "--event", "event.json"]) == 3

    assert "make up" in capsys.readouterr().err


@local
@pytest.mark.parametrize("outcome", ["promoted", "already_current"])
def test_new_credentials_are_stored_as_pending_and_tested(
    stack: FakeStack, material: str, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.function_response = {"outcome": outcome, "run_id": "r1"}

    assert main(["rotate", material]) == 0

    stored, tested = stack.received
    value = stored.json()
    assert isinstance(value, dict)
    assert json.loads(value["SecretString"]) == MATERIAL
    assert value["VersionStages"] == ["AWSPENDING"]
    assert value["SecretId"].endswith("secret:sf")
    assert tested.path == f"{INVOCATION_PREFIX}fn-rotate/invocations"
    assert tested.json() == {"version": PENDING_VERSION}
    assert json.loads(capsys.readouterr().out)["outcome"] == outcome


@local
@pytest.mark.parametrize(
    "response", [{"outcome": "refused", "causes": ["a typing error"]}, {"error": "busy"}]
)
def test_credentials_that_are_refused_end_with_status_1_and_the_causes(
    stack: FakeStack,
    material: str,
    response: dict[str, object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack.function_response = response

    assert main(["rotate", material]) == 1

    printed = capsys.readouterr()
    assert json.loads(printed.out) == response
    assert "The new credentials are not in use" in printed.err


@local
@pytest.mark.parametrize("content", ["{", "[1]"])
def test_credentials_that_are_no_json_object_are_not_stored(
    stack: FakeStack, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("new.json").write_text(content, encoding="utf-8")
    assert main(["rotate", "new.json"]) == 2
    assert "new.json" in capsys.readouterr().err
    assert stack.received == []


@pytest.mark.parametrize(
    "arguments", [["--secret-id", "arn"], ["--function", "name"], ["--region", "eu-west-1"]]
)
def test_a_rotation_on_aws_needs_the_secret_and_the_function(
    material: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rotate", material, *arguments]) == 2
    assert "give both --secret-id and --function" in capsys.readouterr().err


def test_a_rotation_on_aws_needs_a_region_and_credentials(
    material: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["rotate", material, "--secret-id", "arn", "--function", "name"]
    assert main(arguments) == 2
    assert "Give --region or set AWS_REGION" in capsys.readouterr().err
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert main(arguments) == 2
    assert "No AWS credentials" in capsys.readouterr().err


@pytest.mark.usefixtures("aws_credentials")
def test_a_rotation_on_aws_uses_the_account_of_the_environment(
    stack: FakeStack, url: str, material: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    stack.function_response = {"outcome": "promoted"}

    arguments = ["--secret-id", "arn:of:it", "--function", "fn-on-aws", "--region", "eu-west-3"]
    assert main(["rotate", material, *arguments]) == 0

    stored, tested = stack.received
    assert "AKIDEXAMPLE" in stored.headers["Authorization"]
    assert "/eu-west-3/secretsmanager/" in stored.headers["Authorization"]
    assert tested.path == f"{INVOCATION_PREFIX}fn-on-aws/invocations"
