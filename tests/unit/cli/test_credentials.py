"""`invoke` and `connect`: new credentials are typed or piped, tested, and never shown or kept."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from plezi_sync.__main__ import main
from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.conftest import Person, write_stack_file
from tests.unit.cli.fake_stack import INVOCATION_PREFIX, OUTPUTS, PENDING_VERSION, FakeStack

local = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
CURRENT = {
    "flow": "password",
    "account_url": "https://acme.my.salesforce.com",
    "consumer_key": "key",
    "consumer_secret": "app-secret",
    "username": "integration@acme.example",
    "password": "old-password",
    "security_token": "old-token",
}
PROMOTED = {"outcome": "promoted", "message": "current now", "causes": [], "run_id": "r1"}
REFUSED = {"outcome": "refused", "message": "invalid_grant", "causes": ["a typing error", "reset"]}


@pytest.fixture
def in_use(stack: FakeStack) -> None:
    stack.secret = json.dumps(CURRENT)
    stack.function_response = PROMOTED


def stored(stack: FakeStack) -> tuple[dict[str, Any], list[str]]:
    """Return the material of the version that was stored, and its stages."""
    [request] = [each for each in stack.received if b"SecretString" in each.body]
    return json.loads(request.json()["SecretString"]), request.json()["VersionStages"]


@local
def test_a_function_is_invoked_with_its_sample_event_or_with_a_given_one(
    stack: FakeStack, capsys: Output
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
    stack: FakeStack, capsys: Output
) -> None:
    assert main(["invoke", "unknown"]) == 2
    assert "Choose one of: rotate_credentials, scheduled_sync" in capsys.readouterr().err
    assert main(["invoke", "scheduled_sync"]) == 2
    assert "Cannot read events/scheduler.json" in capsys.readouterr().err
    assert stack.received == []


@local
def test_a_function_that_fails_ends_with_status_1(stack: FakeStack, capsys: Output) -> None:
    Path("event.json").write_text("{}", encoding="utf-8")
    stack.function_error, stack.function_response = "Unhandled", {"errorMessage": "no such run"}

    assert main(["invoke", "scheduled_sync", "--event", "event.json"]) == 1

    assert "fn-scheduled failed: no such run" in capsys.readouterr().err


def test_a_function_of_a_stack_that_does_not_listen_is_unreachable(capsys: Output) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    write_stack_file(f"http://127.0.0.1:{port}")
    Path("event.json").write_text("{}", encoding="utf-8")

    assert main(["invoke", "scheduled_sync", "--event", "event.json"]) == 3

    assert "make up" in capsys.readouterr().err


@local
def test_the_connection_is_checked_and_the_causes_are_listed_in_order(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    failed = bodies.finding("login", "failed", "the password was reset", "a typing error")
    good = bodies.checked(bodies.finding("login"))
    stack.on("POST", "/admin/connection/check", good, bodies.checked(failed, ok=False))
    assert person.run("connect", "check") == 0
    assert person.run("connect", "check") == 4
    shown = capsys.readouterr().out
    assert "login 1. the password was reset\nlogin 2. a typing error" in shown


@local
@pytest.mark.usefixtures("in_use")
def test_a_rotation_asks_only_for_what_a_reset_changes_and_hides_it(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    person.answers = ["new-password", "new-token"]
    assert person.run("connect", "rotate") == 0
    assert person.hidden == ["Password: ", "Security token: "]
    assert person.questions == []
    material, stages = stored(stack)
    assert material == {**CURRENT, "password": "new-password", "security_token": "new-token"}
    assert stages == ["AWSPENDING"]
    tested = stack.received[-1]
    assert tested.path == f"{INVOCATION_PREFIX}fn-rotate/invocations"
    assert tested.json() == {"version": PENDING_VERSION, "secret": "salesforce"}
    printed = capsys.readouterr()
    assert "runs follow r1" in printed.out
    assert "new-" not in printed.out + printed.err


@local
@pytest.mark.usefixtures("in_use")
def test_a_rotation_is_piped_where_nobody_types(stack: FakeStack, person: Person) -> None:
    person.piped = '{"password": "p", "security_token": ""}'
    assert person.run("connect", "rotate") == 0
    material, _ = stored(stack)
    assert material == {**CURRENT, "password": "p", "security_token": ""}


@local
@pytest.mark.usefixtures("in_use")
@pytest.mark.parametrize("response", [REFUSED, {"error": "another login is in progress"}])
def test_credentials_that_do_not_work_end_with_status_1_and_the_causes(
    stack: FakeStack, person: Person, capsys: Output, response: dict[str, Any]
) -> None:
    stack.function_response = response
    person.answers = ["wrong-password", ""]
    assert person.run("connect", "rotate") == 1
    error = capsys.readouterr().err
    assert "the current ones stay" in error
    assert str(response.get("error", "2. reset")) in error
    assert "wrong-password" not in error


@local
@pytest.mark.usefixtures("in_use")
def test_the_json_form_of_a_rotation_is_the_response_of_the_function(
    person: Person, capsys: Output
) -> None:
    person.piped = '{"password": "p"}'
    assert person.run("connect", "rotate", "--json") == 0
    assert json.loads(capsys.readouterr().out) == PROMOTED


@local
@pytest.mark.parametrize("piped", ["", "{", "[1]", '"s3cret"'])
@pytest.mark.usefixtures("in_use")
def test_an_input_that_is_no_json_object_is_not_stored_and_not_shown(
    stack: FakeStack, person: Person, capsys: Output, piped: str
) -> None:
    person.piped = piped
    assert person.run("connect", "set", "plezi") == 2
    assert "s3cret" not in capsys.readouterr().err
    assert not any(b"SecretString" in each.body for each in stack.received)


@local
@pytest.mark.usefixtures("in_use")
def test_a_new_secret_of_salesforce_is_asked_for_key_by_key(
    stack: FakeStack, person: Person
) -> None:
    person.answers = ["", "https://acme.my.salesforce.com", "key", "app", "user", "pass", ""]
    assert person.run("connect", "set", "salesforce") == 0
    material, _ = stored(stack)
    assert material["flow"] == "password"
    assert (material["username"], material["password"]) == ("user", "pass")
    assert material["security_token"] == ""
    assert person.hidden == ["Consumer secret: ", "Password: ", "Security token: "]


@local
@pytest.mark.usefixtures("in_use")
def test_a_key_of_plezi_is_set_and_rotated(stack: FakeStack, person: Person) -> None:
    person.answers = ["new-key", "ExampleSAS"]
    assert person.run("connect", "set", "plezi") == 0
    assert stored(stack)[0] == {"api_key": "new-key", "tenant": "ExampleSAS"}
    assert stack.received[-1].json()["secret"] == "plezi"
    stack.received.clear()
    stack.secret = '{"api_key": "old", "tenant": "ExampleSAS"}'
    person.answers = ["newer"]
    assert person.run("connect", "rotate", "plezi") == 0
    assert stored(stack)[0] == {"api_key": "newer", "tenant": "ExampleSAS"}


@local
@pytest.mark.usefixtures("in_use")
def test_a_private_key_is_read_from_a_file_and_not_asked_for(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    Path("app.key").write_text("-----BEGIN\nabc\n", encoding="ascii")
    person.answers = ["https://acme.my.salesforce.com", "3MVG9", "integration@acme.example"]
    assert person.run("connect", "set", "salesforce", "--private-key", "app.key") == 0
    assert stored(stack)[0] == {
        "flow": "jwt_bearer",
        "private_key": "-----BEGIN\nabc\n",
        "account_url": "https://acme.my.salesforce.com",
        "consumer_key": "3MVG9",
        "username": "integration@acme.example",
    }
    assert "BEGIN" not in "".join(capsys.readouterr())
    stack.received.clear()
    stack.secret = json.dumps({"flow": "jwt_bearer", "private_key": "old", "username": "u"})
    assert person.run("connect", "rotate", "--private-key", "app.key") == 0
    assert stored(stack)[0]["private_key"] == "-----BEGIN\nabc\n"
    assert stored(stack)[0]["username"] == "u"


@local
@pytest.mark.usefixtures("in_use")
@pytest.mark.parametrize(
    ("command", "answers", "remedy"),
    [
        (["set", "plezi"], ["", "x"], "api_key is missing"),
        (["set", "salesforce"], ["jwt_bearer"], "a private key has several lines"),
        (["set", "salesforce", "--private-key", "none.key"], ["x"], "Cannot read none.key"),
        (["set", "plezi", "--private-key", "none.key"], ["x"], "of Salesforce only"),
    ],
)
def test_an_answer_that_cannot_be_used_stores_nothing(
    stack: FakeStack,
    person: Person,
    capsys: Output,
    command: list[str],
    answers: list[str],
    remedy: str,
) -> None:
    person.answers = answers
    assert person.run("connect", *command) == 2
    assert remedy in capsys.readouterr().err
    assert stack.received == []


@local
@pytest.mark.usefixtures("in_use")
def test_an_input_that_ends_cancels_and_stores_nothing(stack: FakeStack, person: Person) -> None:
    person.is_interactive = True  # and Ctrl-D is all that is typed
    assert person.run("connect", "set", "plezi") == 5
    assert stack.received == []


@local
def test_a_secret_that_was_never_set_cannot_be_rotated(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.secret = '{"flow": "client_credentials", "account_url": "", "consumer_key": ""}'
    assert person.run("connect", "rotate") == 2
    assert "plezi-sync connect set salesforce" in capsys.readouterr().err


@local
def test_a_signing_key_of_forms_is_made_stored_as_current_and_shown_once(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    person.answers = ["", "y"]
    assert person.run("connect", "set", "forms") == 0
    material, stages = stored(stack)
    [key] = material["signing_keys"]
    assert key.startswith("whsec_")
    assert capsys.readouterr().out.count(key) == 1
    assert stages == ["AWSCURRENT"]
    assert len(person.questions) == 1


@pytest.mark.usefixtures("aws_credentials", "in_use")
def test_a_rotation_on_aws_finds_the_secret_and_the_function_by_the_name_of_the_stack(
    stack: FakeStack, url: str, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    queues = ("RunsQueueUrl", "RunsDeadLettersUrl", "FormsQueueUrl")
    more = ("FormsDeadLettersUrl", "ScheduleDeadLettersUrl", "ApiUrl")
    stack.outputs = {**OUTPUTS, **dict.fromkeys((*queues, *more), url)}
    person.answers = ["new-password", "new-token"]

    assert person.run("connect", "rotate", "--stack", "production", "--region", "eu-west-3") == 0

    [request] = [each for each in stack.received if b"SecretString" in each.body]
    assert "/eu-west-3/secretsmanager/" in request.headers["Authorization"]
    assert request.json()["SecretId"] == OUTPUTS["SalesforceSecretArn"]
    assert stack.received[-1].path == f"{INVOCATION_PREFIX}fn-rotate/invocations"
