"""The commands that show something: tables for people, the API's own body for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.errors import NEEDS_DECISION, StopReason
from plezi_sync.diagnosis import BREAKER_COMMANDS
from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.conftest import NOW, Person
from tests.unit.cli.fake_stack import FakeStack, queue_message

pytestmark = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]


def healthy(stack: FakeStack, **status: Any) -> None:
    """Set the responses of a stack on which nothing is wrong."""
    stack.on("GET", "/admin/status", bodies.status(**status))
    stack.on("POST", "/admin/connection/check", bodies.checked(bodies.finding("login")))
    stack.on("POST", "/admin/setup/salesforce-fields", bodies.set_up())
    stack.on("GET", "/admin/systems", bodies.systems())


def test_the_status_shows_times_of_this_place_with_the_zone(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    healthy(stack)
    assert person.run("status") == 0
    shown = capsys.readouterr().out
    assert "2026-11-26 15:59:00 CET (1 min ago)" in shown
    assert "salesforce: 5 updated" in shown
    assert "ops@example.com" in shown
    assert "expires in 12 days" in shown
    assert shown.endswith("Nothing to do.\n")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"started": False, "last_run": None}, "Next: plezi-sync preview, then plezi-sync start"),
        ({"manual_sync": {"due": True, "why": "changed"}}, "Next: plezi-sync mapping apply"),
        ({"attention": {"quarantine": 2}}, "Next: plezi-sync errors list"),
        ({"attention": {"hold": 1000}}, "1,000 or more with a conflict"),
        ({"breaker": {"reason": "login_refused", "message": "m", "since": NOW}}, "login refused"),
        ({"alert_recipients": []}, "nobody"),
        ({"suspended_pairs": [{"pair": "City", "reason": "is missing"}]}, "City: is missing"),
        ({"first_sync": {"stage": "100", "done": False}}, "next stage: 100"),
        ({"plezi_dialect": None}, "assumed: not probed yet"),
        ({}, "1 difference"),
    ],
)
def test_the_status_names_what_is_special_and_the_next_step(
    stack: FakeStack, person: Person, capsys: Output, changes: dict[str, Any], text: str
) -> None:
    healthy(stack, **changes)
    assert person.run("status") == 0
    assert text in capsys.readouterr().out


def test_json_is_exactly_the_body_of_the_api(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    body = '{ "company":  "Société [b]" }'
    stack.answer(200, body)
    assert person.run("status", "--json") == 0
    assert capsys.readouterr().out == body + "\n"


def test_a_refusal_in_the_json_form_has_its_body_on_the_standard_output(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    body = {"error": "unknown", "message": "there is no run 'r9'"}
    stack.refuse("GET", "/admin/runs/r9", 404, body)
    assert person.run("runs", "show", "r9", "--json") == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == body
    assert "there is no run 'r9'" in printed.err


def test_doctor_is_content_with_a_healthy_stack(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    healthy(stack)
    assert person.run("doctor") == 0
    assert "problem" not in capsys.readouterr().out


def test_doctor_names_everything_that_is_wrong_with_its_remedy(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    broken = bodies.run("failed", reason="login_unavailable", message="no answer")
    healthy(
        stack,
        breaker={"reason": "other_org", "message": "decide", "since": NOW - 7200},
        last_run=broken,
        attention={"hold": 1, "shared": 2},
        suspended_pairs=[{"pair": "City", "reason": "is missing"}],
        alert_recipients=[],
        plezi_dialect=None,
        api_budget={"org_used": 9, "org_allowed": 10, "ours": 2, "our_share": 2},
        manual_sync={"due": True, "why": "the mapping changed"},
    )
    failed = bodies.finding("login", "failed", "the password was reset", "a typing error")
    stack.on("POST", "/admin/connection/check", bodies.checked(failed, ok=False))
    stack.on("POST", "/admin/setup/salesforce-fields", bodies.set_up("score__c"))
    stack.on("GET", "/admin/systems", bodies.systems(found="00D2"))
    stack.messages["runs_dead_letters"] = [queue_message(1)]

    assert person.run("doctor", "--json") == 4

    found = json.loads(capsys.readouterr().out)
    problems = {each["name"] for each in found if each["grade"] == "problem"}
    assert problems == {
        "breaker",
        "last run",
        "field",
        "API calls",
        "login",
        "set-up",
        "systems",
        "dead letters",
    }
    warnings = {each["name"] for each in found if each["grade"] == "warning"}
    assert warnings == {"mapping", "conflicts", "shared e-mails", "alerts", "Plezi API"}
    assert all(each["remedy"] for each in found if each["grade"] != "ok")


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("login_refused", "plezi-sync connect rotate"),
        ("mass_overwriting", "plezi-sync breaker release"),
        ("other_tenant", "plezi-sync systems decide plezi"),
        ("secret", "correct the cause"),
    ],
)
def test_doctor_names_the_command_that_ends_a_stop(
    stack: FakeStack, person: Person, capsys: Output, reason: str, remedy: str
) -> None:
    healthy(stack, breaker={"reason": reason, "message": "m", "since": NOW})
    assert person.run("doctor", "--json") == 4
    [problem] = [each for each in json.loads(capsys.readouterr().out) if each["grade"] == "problem"]
    assert problem["name"] == "breaker"
    assert problem["remedy"].startswith(remedy)


def test_the_stops_with_a_command_are_reasons_of_the_connector() -> None:
    assert BREAKER_COMMANDS.keys() <= {reason.value for reason in StopReason}
    assert {reason.value for reason in NEEDS_DECISION} <= BREAKER_COMMANDS.keys()


def test_doctor_reports_a_schedule_that_starts_no_run(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    healthy(stack, last_run=bodies.run(finished_at=NOW - 4 * 3600))
    assert person.run("doctor") == 4
    assert "the schedule starts no run" in capsys.readouterr().out


def test_doctor_goes_on_after_a_check_that_is_refused(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    healthy(stack)
    stack.refuse("POST", "/admin/connection/check", 502, {"error": "secret", "message": "no flow"})
    stack.on("POST", "/admin/setup/salesforce-fields", bodies.set_up("score__c"))
    assert person.run("doctor") == 4
    shown = capsys.readouterr()
    assert "no flow" in shown.out
    assert "Lead.score__c is missing" in shown.out
    assert "2 problems found." in shown.err


def test_a_warning_is_a_problem_for_a_strict_doctor(stack: FakeStack, person: Person) -> None:
    healthy(stack, alert_recipients=[])
    assert person.run("doctor") == 0
    assert person.run("doctor", "--strict") == 4


def test_m7_the_fields_of_both_sides_are_shown(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    read_only = bodies.field("Formula__c", receives=False, reason="Salesforce computes it")
    body = {
        "plezi": [bodies.field("city")],
        "lead": [read_only],
        "contact": [],
        "previous_view": NOW - 3600,
    }
    stack.on("GET", "/admin/fields", body)
    assert person.run("fields") == 0
    shown = capsys.readouterr().out
    assert "city" in shown
    assert "Salesforce computes it" in shown
    assert person.run("fields", "plezi", "--refresh") == 0
    assert "Formula__c" not in capsys.readouterr().out
    assert stack.calls[-1] == ("GET", "/admin/fields?refresh=true")


def test_only_new_fields_are_shown_on_request(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    body = {"plezi": [bodies.field("city")], "lead": [], "contact": [], "previous_view": NOW}
    more = {**body, "lead": [bodies.field("Region__c", is_new=True)]}
    stack.on("GET", "/admin/fields", body, more)
    assert person.run("fields", "--new") == 0
    assert "No field is new since 2026-11-26 16:00:00 CET" in capsys.readouterr().out
    assert person.run("fields", "--new") == 0
    shown = capsys.readouterr().out
    assert "Region__c (new)" in shown
    assert "city" not in shown


def test_runs_are_listed_with_their_page(stack: FakeStack, person: Person, capsys: Output) -> None:
    failed = bodies.run("failed", reason="api_budget")
    stack.on("GET", "/admin/runs", {"runs": [bodies.run(), failed], "next": "r5"})
    assert person.run("runs", "list", "--limit", "2", "--forms") == 0
    shown = capsys.readouterr().out
    assert "Plezi 2, Salesforce 5" in shown
    assert "failed: api budget" in shown
    assert "runs list --next r5" in shown
    assert stack.calls == [("GET", "/admin/runs?limit=2&forms=true")]


def test_without_runs_the_next_step_is_named(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", "/admin/runs", {"runs": [], "next": ""})
    assert person.run("runs") == 0
    assert capsys.readouterr().out == "There are no runs yet. Next: plezi-sync sync --wait\n"


def test_one_run_is_shown_with_its_journal_and_the_problems_of_its_mapping(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    problem = {
        "pair": "City",
        "field": "direction",
        "code": "not_writable",
        "message": "is read-only",
        "remedy": "choose to_plezi",
    }
    detail = bodies.run_detail(journal=[bodies.entry()], problems=[problem], next="page2")
    stack.on("GET", f"/admin/runs/{bodies.RUN_ID}", detail)
    assert person.run("runs", "show", bodies.RUN_ID) == 0
    shown = capsys.readouterr().out
    assert "City direction: is read-only (not_writable) Remedy: choose to_plezi" in shown
    assert "(blank)  +33123456789  written  changed" in shown
    assert "--next page2" in shown


def test_why_shows_the_records_the_reason_of_each_value_and_the_timeline(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", "/admin/contacts/ana%2Bnews%40example.com", bodies.contact())
    assert person.run("why", "ana+news@example.com") == 0
    shown = capsys.readouterr().out
    assert "Phone: conflict, since 2026-11-26 15:50:00 CET" in shown
    assert "written on salesforce by the rule changed" in shown
    assert "2026-11-26 15:58:50 CET" in shown
    assert bodies.RUN_ID in shown


def test_why_can_be_asked_about_one_field_and_shows_a_refusal(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    body = bodies.contact(quarantine=bodies.refusal(), dirty=True, unfinished_run="r7", plezi=None)
    stack.on("GET", "/admin/contacts/ana%40example.com", body)
    assert person.run("why", bodies.EMAIL, "--field", "Phone") == 0
    shown = capsys.readouterr().out
    assert "STRING_TOO_LONG in Title, shorten the value" in shown
    assert "a write of run r7" in shown


@pytest.mark.parametrize("name", ["Phone", "phone", "PHONE"])
def test_a_field_can_be_named_as_either_system_does(
    stack: FakeStack, person: Person, capsys: Output, name: str
) -> None:
    entries = [bodies.entry(field="Phone", after="444"), bodies.entry(field="Title", after="CMO")]
    body = bodies.contact(journal={"entries": entries, "next": ""})
    stack.on("GET", "/admin/contacts/ana%40example.com", body)
    assert person.run("why", bodies.EMAIL, "--field", name) == 0
    shown = capsys.readouterr().out
    assert "444" in shown
    assert "CMO" not in shown


def test_a_field_of_no_pair_is_refused_with_the_nearest_one(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", "/admin/contacts/ana%40example.com", bodies.contact())
    assert person.run("why", bodies.EMAIL, "--field", "Phon") == 2
    assert "Did you mean Phone?" in capsys.readouterr().err


def test_a_value_that_gave_way_to_a_choice_is_one_line_of_the_timeline(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    change = {"field": "Phone", "before": "111", "after": "777", "rule": "chosen"}
    entries = [bodies.entry(kind=kind, **change) for kind in ("overwritten", "written")]
    body = bodies.contact(journal={"entries": entries, "next": ""})
    stack.on("GET", "/admin/contacts/ana%40example.com", body)
    assert person.run("why", bodies.EMAIL) == 0
    shown = capsys.readouterr().out
    assert shown.count("777") == 1
    assert "written by chosen" in shown


def test_control_characters_of_a_value_do_not_reach_the_terminal(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    entry = bodies.entry(after="\x1b]0;owned\x07[red]x")
    body = bodies.contact(journal={"entries": [entry], "next": ""})
    stack.on("GET", "/admin/contacts/ana%40example.com", body)
    assert person.run("why", bodies.EMAIL) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]x" in shown


def test_a_narrow_terminal_folds_the_columns_and_loses_nothing(
    stack: FakeStack, person: Person, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stack.on("GET", "/admin/runs", {"runs": [bodies.run()], "next": ""})
    assert person.run("runs") == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 60
    first_column = "".join(line.split()[0] for line in shown.splitlines()[1:] if line[:1] != " ")
    assert bodies.RUN_ID.startswith(first_column)
