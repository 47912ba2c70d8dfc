"""Calls to the admin API: what is sent, what is printed, and the exit status."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from plezi_sync.__main__ import main
from plezi_sync.commands import MAX_PROBE_CALLS
from tests.unit.cli.conftest import FakeStack, write_stack_file

CLI = Path(__file__).parents[3] / "cli"
local = pytest.mark.usefixtures("local_stack")
on_aws = pytest.mark.usefixtures("aws_credentials")


@local
def test_a_call_is_signed_and_its_response_is_printed_as_indented_json(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.answer(200, '{"company":"Société"}')

    assert main(["call", "get", "/admin/runs?limit=2"]) == 0

    [request] = stack.received
    assert (request.method, request.path) == ("GET", "/v1/admin/runs?limit=2")
    assert request.headers["Content-Type"] == "application/json"
    assert "Credential=embedded/" in request.headers["Authorization"]
    assert "/eu-west-1/execute-api/aws4_request" in request.headers["Authorization"]
    assert capsys.readouterr().out == '{\n  "company": "Société"\n}\n'


@local
def test_status_reads_the_admin_status(stack: FakeStack) -> None:
    assert main(["status"]) == 0
    assert [request.path for request in stack.received] == ["/v1/admin/status"]


@local
def test_a_run_is_requested_with_its_options(stack: FakeStack) -> None:
    assert main(["sync"]) == 0
    assert main(["sync", "--kind", "full", "--first"]) == 0
    assert main(["sync", "--skip-stages"]) == 0

    assert {request.path for request in stack.received} == {"/v1/sync"}
    assert [request.json() for request in stack.received] == [
        {"kind": "changes"},
        {"kind": "full", "first": True},
        {"kind": "changes", "skip_stages": True},
    ]


@local
def test_the_preview_of_a_dry_run_is_approved(stack: FakeStack) -> None:
    assert main(["approve", "r1"]) == 0

    [request] = stack.received
    assert (request.method, request.path) == ("POST", "/v1/admin/runs/r1/approve")


@local
def test_a_probe_names_the_throwaway_contact_and_prints_the_findings(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.answer(200, '{"state": "done", "steps_left": 0, "message": ""}')

    assert main(["probe", "--contact", "ana@example.com", "--throwaway"]) == 0

    [request] = stack.received
    assert (request.method, request.path) == ("POST", "/v1/admin/plezi/probe")
    assert request.json() == {"contact": "ana@example.com", "throwaway": True}
    assert '"state": "done"' in capsys.readouterr().out


@local
def test_a_probe_is_repeated_while_it_runs(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.answer(200, '{"state": "running", "steps_left": 3, "message": ""}')

    assert main(["probe"]) == 1

    assert len(stack.received) == MAX_PROBE_CALLS
    assert "3 steps left" in capsys.readouterr().err


@local
def test_a_probe_of_a_tenant_that_refuses_is_an_error_with_the_remedy(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.answer(200, '{"state": "failed", "steps_left": 9, "message": "check the API key"}')

    assert main(["probe"]) == 1

    assert "check the API key" in capsys.readouterr().err


@local
def test_a_body_is_sent_and_the_response_is_written_to_a_file(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("body.json").write_text('{"meant": true}', encoding="utf-8")
    stack.answer(202, '{"run_id": "r1"}')

    arguments = ["call", "POST", "/admin/breaker/release", "--body", "body.json"]
    assert main([*arguments, "--output", "out.json"]) == 0

    assert stack.received[0].json() == {"meant": True}
    assert json.loads(Path("out.json").read_text("utf-8")) == {"run_id": "r1"}
    assert capsys.readouterr().out == "out.json: 3 lines\n"


@local
def test_the_mapping_is_exported_to_a_file_and_imported_from_it(stack: FakeStack) -> None:
    stack.answer(200, "version: 7\npairs: []\n", content_type="application/yaml")
    assert main(["mapping", "export"]) == 0
    assert Path("mapping.yaml").read_text("utf-8") == "version: 7\npairs: []\n"

    stack.answer(200, '{"version": 8}')
    assert main(["mapping", "import"]) == 0

    exported, imported = stack.received
    assert (exported.method, imported.method) == ("GET", "PUT")
    assert exported.path == imported.path == "/v1/admin/mapping.yaml"
    assert imported.headers["Content-Type"] == "application/yaml"
    assert imported.body == b"version: 7\npairs: []\n"


@pytest.mark.parametrize(
    ("status", "headers", "remedy"),
    [
        (400, {}, "Correct the request"),
        (403, {}, "execute-api:Invoke"),
        (404, {}, "GET /admin/openapi.json"),
        (409, {}, "Read the current version"),
        (422, {}, "lists each problem"),
        (429, {}, "Wait a few seconds"),
        (500, {}, "log of the function `admin`"),
        (502, {}, "read its log"),
        (503, {"Retry_After": "7"}, "Try again after 7 s."),
    ],
)
@local
def test_a_refusal_is_reported_with_its_response_and_a_remedy(
    stack: FakeStack,
    status: int,
    headers: dict[str, str],
    remedy: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack.answer(status, '{"error": "code", "message": "the reason"}', **headers)

    assert main(["call", "POST", "/admin/start", "--output", "out.json"]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"refused the request: {status}" in printed.err
    assert "the reason" in printed.err
    assert remedy in printed.err
    assert not Path("out.json").exists()


@local
def test_a_refusal_that_is_no_json_is_reported_as_it_is(
    stack: FakeStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.answer(502, "<html>bad gateway</html>", content_type="application/json")
    assert main(["status"]) == 1
    assert "<html>bad gateway</html>" in capsys.readouterr().err


@local
def test_a_reader_that_closes_the_output_causes_no_traceback(stack: FakeStack) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "plezi_sync", "status"],
        env={**os.environ, "PYTHONPATH": str(CLI)},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")
    assert len(stack.received) == 1


def test_without_a_stack_file_the_stack_is_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 3
    error = capsys.readouterr().err
    assert ".local/stack.json does not exist" in error
    assert "make up" in error
    assert "--api-url" in error


def test_a_stack_that_does_not_listen_is_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    write_stack_file(f"http://127.0.0.1:{port}")

    assert main(["status"]) == 3

    error = capsys.readouterr().err
    assert f"No response from http://127.0.0.1:{port}/v1 (ConnectionError)" in error
    assert "make up" in error


@on_aws
def test_an_api_on_aws_that_does_not_listen_is_unreachable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    arguments = ["status", "--api-url", f"http://127.0.0.1:{port}/v1", "--region", "eu-west-3"]

    assert main(arguments) == 3

    assert "Check the URL (the output ApiUrl of the stack)" in capsys.readouterr().err


@on_aws
def test_an_api_on_aws_is_called_with_the_credentials_of_the_environment(
    stack: FakeStack, url: str
) -> None:
    arguments = ["--api-url", f"{url}/v1/", "--region", "eu-west-3"]

    assert main(["call", "GET", "/admin/status", *arguments]) == 0

    [request] = stack.received
    assert request.path == "/v1/admin/status"
    assert "Credential=AKIDEXAMPLE/" in request.headers["Authorization"]
    assert "/eu-west-3/execute-api/" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "temporary"


@local
def test_m7_the_fields_of_both_sides_are_shown(stack: FakeStack) -> None:
    assert main(["fields"]) == 0
    assert main(["fields", "--refresh"]) == 0

    paths = [(request.method, request.path) for request in stack.received]
    assert paths == [("GET", "/v1/admin/fields"), ("GET", "/v1/admin/fields?refresh=true")]


@local
def test_the_connected_systems_are_shown_and_decided_about(stack: FakeStack) -> None:
    assert main(["systems", "show"]) == 0
    assert main(["systems", "decide", "salesforce", "same_people"]) == 0

    shown, decided = stack.received
    assert (shown.method, decided.method) == ("GET", "POST")
    assert shown.path == decided.path == "/v1/admin/systems"
    assert decided.json() == {"side": "salesforce", "decision": "same_people"}
