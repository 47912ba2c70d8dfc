"""Each alarm is raised by the fault that it is for, and none in ordinary operation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import boto3
import pytest

from connector.model import RunState
from tests.alarm_evaluator import load_template
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.drift_fixtures import edit_lead_silently, let_time_pass
from tests.component.form_harness import event, signed
from tests.component.harness import REGION
from tests.component.operation import HANDLERS, Operation
from tests.component.people_fixtures import ANA

BODY: Final = b'{"email": "ana@example.com"}'
HOURS: Final = 60
DAYS: Final = 24 * HOURS
MESSAGES: Final = {"RotateCredentials": event("rotation_step"), "Console": event("console")}
"""The events of the functions that answer an error to any other one."""
ALARMS: Final = sorted(load_template().of_type("AWS::CloudWatch::Alarm"))


def send_form(operation: Operation, message: str = "msg_1") -> int:
    """Send a signed form, at the time of the harness."""
    return operation.form(BODY, signed(BODY, message=message, at=operation.harness.clock()))


def refuse_people(operation: Operation, number: int) -> None:
    """Let the org refuse some people beside an ordinary one, and make a run."""
    rule = {"object": "Lead", "condition": "LastName LIKE 'Bad%'", "message": "no"}
    operation.harness.control("salesforce", "POST", "validation_rules", rule)
    for each in range(number):
        operation.harness.add_person(email=f"p{each}@example.com", last_name=f"Bad {each}")
    operation.harness.add_person(email="zoe@example.com", last_name="Lopez")
    operation.tick()


# The faults, each with the alarm that it raises


def no_form_key(operation: Operation) -> None:
    operation.harness.put_forms_secret('{"signing_keys": [], "tokens": []}')
    operation.restart()
    assert [send_form(operation), send_form(operation)] == [503, 503]


def sender_with_another_key(operation: Operation) -> None:
    for _ in range(3):
        operation.let_pass(minutes=5)
        assert operation.form(BODY, {"webhook-signature": "v1,AAAA"}) == 401


def form_that_waited(operation: Operation) -> None:
    assert send_form(operation) == 202
    operation.let_pass(minutes=6)
    operation.deliver("forms", "FormWorker")


def form_that_waits(operation: Operation) -> None:
    assert send_form(operation) == 202
    operation.let_pass(minutes=6)


def contact_that_plezi_does_not_return(operation: Operation) -> None:
    hint = {"trace_id": "t", "email": "nobody@example.com", "contact_id": "", "attempt": 3}
    operation.put_message("forms", json.dumps(hint))
    operation.deliver("forms", "FormWorker")


def table_that_is_gone(operation: Operation) -> None:
    boto3.client("dynamodb", region_name=REGION).delete_table(TableName="LedgerTable")
    for _ in range(2):
        assert operation.request("Admin", event("admin_status")) >= 500


def function_without_settings(name: str) -> Callable[[Operation], None]:
    def fail(operation: Operation) -> None:
        operation.break_deployment()
        for _ in range(2):
            assert operation.invoke(name, MESSAGES.get(name, {})) is None

    return fail


def concurrency_used_up(name: str) -> Callable[[Operation], None]:
    return lambda operation: operation.throttle(name)


def run_that_is_not_taken(operation: Operation) -> None:
    operation.put_message("runs.fifo", json.dumps({"run_id": "r", "phase": "read"}))
    for minutes in (61, 5, 5):
        operation.let_pass(minutes=minutes)


def run_message_that_cannot_be_read(operation: Operation) -> None:
    operation.put_message("runs.fifo", "not JSON")
    operation.deliver("runs.fifo", "SyncWorker")
    operation.let_pass(minutes=1)


def form_message_that_cannot_be_read(operation: Operation) -> None:
    operation.put_message("forms", "not JSON")
    operation.deliver("forms", "FormWorker")
    operation.let_pass(minutes=1)


def schedule_that_cannot_invoke(operation: Operation) -> None:
    operation.put_message("schedule-dead-letters", "{}")
    operation.let_pass(minutes=1)


def schedule_that_stopped(operation: Operation) -> None:
    operation.let_pass(minutes=2.6 * HOURS)


def login_that_is_refused(operation: Operation) -> None:
    CredentialFixtures(operation.harness).reset_password()
    operation.restart()
    for _ in range(2):
        operation.let_pass(minutes=2 * HOURS)
        operation.harness.control("salesforce", "POST", "sessions/kill", {})
        operation.tick()


def many_refused_people(operation: Operation) -> None:
    refuse_people(operation, 10)


def person_refused_for_days(operation: Operation) -> None:
    refuse_people(operation, 1)
    operation.let_pass(minutes=8 * DAYS)
    operation.tick()


def api_calls_used_up(operation: Operation) -> None:
    operation.harness.control("salesforce", "POST", "quota", {"max": 20})
    operation.tick()


def password_near_its_end(operation: Operation) -> None:
    operation.let_pass(minutes=84 * DAYS)
    operation.tick()


def old_key(operation: Operation) -> None:
    operation.let_pass(minutes=366 * DAYS)
    operation.tick()


def edit_that_no_list_shows(operation: Operation) -> None:
    harness = operation.harness
    harness.add_person(email=ANA, last_name="Lopez", phone="111")
    operation.tick()
    let_time_pass(harness)
    operation.tick()
    edit_lead_silently(Phone="222")(harness, ANA)
    operation.invoke("ScheduledSync", event("scheduler_weekly"))
    operation.deliver("runs.fifo", "SyncWorker")


def wrong_new_password(operation: Operation) -> None:
    credentials = CredentialFixtures(operation.harness)
    version = credentials.put(credentials.material(password="wrong"), "AWSPENDING")
    assert operation.invoke("RotateCredentials", {"version": version})["outcome"] == "refused"


def topic_that_is_gone(operation: Operation) -> None:
    sns = boto3.client("sns", region_name=REGION)
    sns.delete_topic(TopicArn=operation.harness.resources["alerts_topic"])
    refuse_people(operation, 10)


FAULTS: Final[Mapping[str, Callable[[Operation], None]]] = {
    "FormEndpointErrorsAlarm": no_form_key,
    "FormRefusalsAlarm": sender_with_another_key,
    "FormsLateAlarm": form_that_waited,
    "FormsQueueAgeAlarm": form_that_waits,
    "FormsGivenUpAlarm": contact_that_plezi_does_not_return,
    "ApiErrorsAlarm": table_that_is_gone,
    **{f"{name}ErrorsAlarm": function_without_settings(name) for name in HANDLERS},
    **{f"{name}ThrottlesAlarm": concurrency_used_up(name) for name in HANDLERS},
    "RunsQueueAgeAlarm": run_that_is_not_taken,
    "RunsDeadLettersAlarm": run_message_that_cannot_be_read,
    "FormsDeadLettersAlarm": form_message_that_cannot_be_read,
    "ScheduleDeadLettersAlarm": schedule_that_cannot_invoke,
    "MissedScheduleAlarm": schedule_that_stopped,
    "NoSuccessfulRunAlarm": login_that_is_refused,
    "QuarantineSizeAlarm": many_refused_people,
    "QuarantineAgeAlarm": person_refused_for_days,
    "ApiShareAlarm": api_calls_used_up,
    "PasswordExpiryAlarm": password_near_its_end,
    "CredentialAgeAlarm": old_key,
    "DriftAlarm": edit_that_no_list_shows,
    "RotationRefusedAlarm": wrong_new_password,
    "AlertsFailedAlarm": topic_that_is_gone,
}


def test_every_alarm_has_a_fault_that_raises_it() -> None:
    assert sorted(FAULTS) == ALARMS


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_raises_its_alarm_which_was_silent_before(operation: Operation, name: str) -> None:
    assert operation.alarms.raised(operation.harness.clock()) == set()

    FAULTS[name](operation)

    assert name in operation.alarms.raised(operation.harness.clock())


def test_a_rule_that_refuses_every_person_raises_the_alarm_with_the_second_run(
    operation: Operation,
) -> None:
    """No record is saved, so a few people of each call show the rule, and the others wait."""
    harness = operation.harness
    rule = {"object": "Lead", "condition": "LastName LIKE 'Bad%'", "message": "no"}
    harness.control("salesforce", "POST", "validation_rules", rule)
    for each in range(10):
        harness.add_person(email=f"p{each}@example.com", last_name=f"Bad {each}")

    operation.tick()
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in harness.context.runs.list_runs(1)[0].error
    operation.let_pass(minutes=2 * HOURS)
    operation.tick()

    assert "QuarantineSizeAlarm" in operation.alarms.raised(harness.clock())


def test_no_alarm_is_raised_in_a_day_of_ordinary_operation(operation: Operation) -> None:
    """Edits on both sides, forms, a conflict, a refused person, a refused form, requests."""
    refuse_people(operation, 1)
    for number in range(12):
        operation.let_pass(minutes=2 * HOURS)
        operation.tick()
        operation.harness.add_lead(Email=f"lead{number}@example.com", Phone="2")
        assert send_form(operation, f"msg_{number}") == 202
        operation.deliver("forms", "FormWorker")
        assert operation.request("Admin", event("admin_status")) == 200
        assert operation.request("ManualSync", event("manual_sync")) == 202
        operation.deliver("runs.fifo", "SyncWorker")
        if number == 6:
            assert operation.form(BODY, {}) == 401
        operation.let_pass(minutes=1)
        assert operation.alarms.raised(operation.harness.clock()) == set(), number


def test_a_pause_is_no_failure(operation: Operation) -> None:
    operation.harness.ledger.set_enabled(on=False, now=operation.harness.clock())
    for _ in range(3):
        operation.let_pass(minutes=2 * HOURS)
        operation.tick()
        operation.let_pass(minutes=10)
        assert operation.alarms.raised(operation.harness.clock()) == set()


def test_a_dry_run_does_not_silence_the_alarm_for_runs(operation: Operation) -> None:
    for _ in range(2):
        operation.let_pass(minutes=2 * HOURS)
        operation.invoke("ManualSync", {"kind": "dry_run"})
        operation.deliver("runs.fifo", "SyncWorker")
    assert "NoSuccessfulRunAlarm" in operation.alarms.raised(operation.harness.clock())


def test_a_long_run_that_makes_progress_is_no_failure(operation: Operation) -> None:
    operation.let_pass(minutes=2.4 * HOURS)
    operation.harness.add_lead(Email="lead@example.com")
    operation.invoke("ScheduledSync", event("scheduler"))
    operation.deliver("runs.fifo", "SyncWorker", milliseconds=1, most=1)
    operation.let_pass(minutes=20)

    [run, *_] = operation.harness.ledger.list_runs(1)
    assert run.state is RunState.RUNNING
    assert operation.alarms.raised(operation.harness.clock()) == set()
