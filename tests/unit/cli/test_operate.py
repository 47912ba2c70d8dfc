"""Logs, dead letters, pages, and the stack that a command works on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.conftest import NOW, Person
from tests.unit.cli.fake_stack import OUTPUTS, QUEUES, FakeStack, queue_message

local = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
GROUP = "/aws/lambda/plezi-salesforce/sync-worker"


def log_event(seconds_ago: float, message: str, **members: Any) -> dict[str, Any]:
    line = {"level": "INFO", "message": message, "service": "plezi-salesforce", **members}
    return {
        "timestamp": int((NOW - seconds_ago) * 1000),
        "eventId": message,
        "message": json.dumps(line),
    }


@local
def test_log_lines_are_shown_by_time_level_and_run(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.events[GROUP] = [
        log_event(30, "run_ended", run_id="r1"),
        log_event(60, "run_started", run_id="r1"),
        log_event(50, "link_quarantined", level="WARNING", run_id="r2"),
        log_event(40, "page_read", level="DEBUG"),
        log_event(9000, "too_old"),
        {"timestamp": int(NOW * 1000), "eventId": "s", "message": "START RequestId: 1\n"},
        {"timestamp": int(NOW * 1000), "eventId": "m", "message": '{"_aws": {}}'},
    ]
    assert person.run("logs") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[5] for line in lines] == ["run_started", "link_quarantined", "run_ended"]
    assert lines[0] == "2026-11-26 15:59:00 CET sync_worker INFO run_started run_id=r1"
    assert person.run("logs", "sync_worker", "--level", "WARNING") == 0
    assert "run_ended" not in capsys.readouterr().out
    assert person.run("logs", "--run", "r1", "--json", "--since", "1h") == 0
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == [
        "run_started",
        "run_ended",
    ]


@local
def test_followed_logs_show_each_line_once(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    def more() -> None:
        if len(person.slept) == 2:
            raise KeyboardInterrupt
        stack.events[GROUP].append(log_event(1, "second"))

    stack.events[GROUP] = [log_event(5, "first")]
    person.on_sleep = more
    assert person.run("logs", "sync_worker", "--follow") == 130
    assert [line.split()[5] for line in capsys.readouterr().out.splitlines()] == ["first", "second"]


@local
def test_no_log_lines_and_a_wrong_time_or_function_are_explained(
    person: Person, capsys: Output
) -> None:
    assert person.run("logs") == 0
    assert "Give a longer time with --since" in capsys.readouterr().err
    assert person.run("logs", "--since", "soon") == 2
    assert "such as 15m" in capsys.readouterr().err
    assert person.run("logs", "unknown") == 2
    assert "rotate_credentials, scheduled_sync, sync_worker" in capsys.readouterr().err


@local
def test_dead_letters_are_counted_and_moved_back_in_their_group(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.messages["runs_dead_letters"] = [queue_message(number) for number in range(12)]
    assert person.run("redrive") == 0
    assert "runs_dead_letters            12" in capsys.readouterr().out
    assert person.run("redrive", "runs") == 2
    assert person.run("redrive", "runs", "--yes") == 0
    assert "Moved 12 messages." in capsys.readouterr().out
    assert stack.messages["runs_dead_letters"] == []
    sent = stack.messages["runs"]
    assert [each["MessageBody"] for each in sent] == [f'{{"n": {number}}}' for number in range(12)]
    assert sent[0]["MessageGroupId"] == "people"
    assert sent[0]["MessageDeduplicationId"] == "redrive-m0"
    assert person.run("redrive", "forms") == 0
    assert "No message of the queue forms waits." in capsys.readouterr().out


@local
def test_a_message_is_sent_back_before_it_is_deleted(stack: FakeStack, person: Person) -> None:
    stack.messages["forms_dead_letters"] = [{**queue_message(1), "Attributes": {}}]
    assert person.run("redrive", "forms", "--yes") == 0
    actions = [each.headers["X-Amz-Target"].partition(".")[2] for each in stack.received]
    assert actions.index("SendMessage") < actions.index("DeleteMessage")
    assert "MessageGroupId" not in stack.messages["forms"][0]


@local
def test_the_page_of_a_person_is_opened(stack: FakeStack, person: Person, capsys: Output) -> None:
    stack.on("GET", "/admin/contacts/ana%40example.com", bodies.contact())
    person.is_interactive = True
    assert person.run("open", "person", bodies.EMAIL) == 0
    assert person.opened == ["https://app.plezi.co/contacts/1"]
    assert person.run("open", "plezi", "--print") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "http://127.0.0.1:4002/"
    assert len(person.opened) == 1


@local
@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)"])
def test_an_address_that_is_not_of_the_web_is_never_opened(
    stack: FakeStack, person: Person, address: str
) -> None:
    record = bodies.record("contact", "1", url=address)
    stack.on("GET", "/admin/contacts/ana%40example.com", bodies.contact(plezi=record))
    person.is_interactive = True
    assert person.run("open", "person", bodies.EMAIL) == 2
    assert person.opened == []


@local
def test_a_page_that_the_local_stack_does_not_have_is_refused(person: Person) -> None:
    assert person.run("open", "stack") == 2
    assert person.run("open", "person") == 2


@pytest.fixture
def stack_on_aws(
    stack: FakeStack, url: str, aws_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> FakeStack:
    assert aws_credentials is None
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    urls = {name: f"{url}/000000000000/{name}" for name in QUEUES}
    stack.outputs = {
        **OUTPUTS,
        "ApiUrl": f"{url}/v1",
        "RunsQueueUrl": urls["runs"],
        "RunsDeadLettersUrl": urls["runs_dead_letters"],
        "FormsQueueUrl": urls["forms"],
        "FormsDeadLettersUrl": urls["forms_dead_letters"],
        "ScheduleDeadLettersUrl": urls["schedule_dead_letters"],
    }
    return stack


def test_a_stack_on_aws_is_found_by_its_name_for_api_and_queues_alike(
    stack_on_aws: FakeStack, person: Person, capsys: Output
) -> None:
    stack_on_aws.on("GET", "/admin/runs", {"runs": [], "next": ""})
    options = ["--stack", "production", "--region", "eu-west-3"]
    assert person.run("runs", *options) == 0
    assert b"StackName=production" in stack_on_aws.received[0].body
    assert "AKIDEXAMPLE" in stack_on_aws.received[-1].headers["Authorization"]
    assert person.run(*options, "redrive") == 0
    assert person.run("open", "logs", "--region", "eu-west-3", "--print") == 0
    assert b"StackName=plezi-salesforce" in stack_on_aws.received[-1].body
    assert "eu-west-3.console.aws.amazon.com" in capsys.readouterr().out


def test_the_stack_can_be_named_by_the_environment(
    stack_on_aws: FakeStack, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLEZI_SYNC_STACK", "from-environment")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    stack_on_aws.on("GET", "/admin/runs", {"runs": [], "next": ""})
    assert person.run("runs") == 0
    assert b"StackName=from-environment" in stack_on_aws.received[0].body


def test_a_stack_of_another_product_is_refused(
    stack_on_aws: FakeStack, person: Person, capsys: Output
) -> None:
    del stack_on_aws.outputs["FormsQueueUrl"]
    assert person.run("status", "--stack", "other", "--region", "eu-west-3") == 2
    assert "has no output 'FormsQueueUrl'" in capsys.readouterr().err


def test_a_command_that_needs_names_is_refused_where_only_the_api_is_known(
    stack: FakeStack, url: str, person: Person, capsys: Output
) -> None:
    assert person.run("logs", "--api-url", f"{url}/v1") == 2
    assert "Give --stack NAME" in capsys.readouterr().err
    assert stack.received == []


PROBE = "/admin/plezi/probe"


@local
def test_a_probe_is_repeated_until_it_has_ended(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", PROBE, bodies.probe(state="running", steps_left=3), bodies.probe())
    assert person.run("probe") == 0
    printed = capsys.readouterr()
    assert "3 steps left" in printed.err
    assert "newest first" in printed.out
    assert "In use: page_size = 50" in printed.out
    assert stack.body_of("POST", PROBE) == {"contact": "", "throwaway": False}


@local
def test_a_probe_writes_to_a_contact_after_a_question_only(
    stack: FakeStack, person: Person
) -> None:
    stack.on("POST", PROBE, bodies.probe(contact="t@x.fr"))
    assert person.run("probe", "--contact", "t@x.fr") == 2
    assert stack.calls == []
    assert person.run("probe", "--contact", "t@x.fr", "--throwaway", "--yes") == 0
    assert stack.body_of("POST", PROBE) == {"contact": "t@x.fr", "throwaway": True}


@local
@pytest.mark.parametrize(
    "report",
    [
        {"refusals": [{"key": "update", "reason": "no update", "by_writing": True}]},
        {"state": "failed", "message": "no update"},
    ],
)
def test_a_tenant_that_cannot_be_served_is_a_problem_with_its_reason(
    stack: FakeStack, person: Person, capsys: Output, report: dict[str, object]
) -> None:
    stack.on("GET", PROBE, bodies.probe(**report))
    assert person.run("probe", "--last") == 4
    assert "no update" in capsys.readouterr().err
