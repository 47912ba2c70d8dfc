"""Runs: requested, followed to their end, previewed, approved; the switch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from functions.admin.times import with_utc_times
from plezi_sync.output.texts import local_time
from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.conftest import NOW, Person
from tests.unit.cli.fake_stack import FakeStack

pytestmark = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
COLOUR = r"\x1b\[[39]\d"
"""A colour of the foreground (ECMA-48, SGR)."""
RUN = f"/admin/runs/{bodies.RUN_ID}"


@pytest.fixture(autouse=True)
def _accepted(stack: FakeStack) -> None:
    stack.on("POST", "/sync", {"run_id": bodies.RUN_ID})


def test_a_run_is_requested_with_its_options(stack: FakeStack, person: Person) -> None:
    assert person.run("sync") == 0
    assert person.run("sync", "--kind", "full", "--first") == 0
    assert person.run("sync", "--skip-stages") == 0
    assert person.run("sync", "--email", "a@x.fr", "--email", "b@x.fr") == 0
    assert [request.json() for request in stack.received] == [
        {"kind": "changes"},
        {"kind": "full", "first": True},
        {"kind": "changes", "skip_stages": True},
        {"kind": "selected", "emails": ["a@x.fr", "b@x.fr"]},
    ]


def test_a_requested_run_is_named_with_the_way_to_follow_it(person: Person, capsys: Output) -> None:
    assert person.run("sync") == 0
    assert f"Next: plezi-sync runs follow {bodies.RUN_ID}" in capsys.readouterr().out


def test_waiting_shows_the_pace_and_the_time_left_until_the_end(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    running = bodies.run_detail("running")
    stack.on("GET", RUN, bodies.run_detail("requested"), running, running, bodies.run_detail())
    assert person.run("sync", "--wait") == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "requested: waiting for a worker",
        "running: resolve, 50 of 200 contacts, 3,600 an hour, 2 min 30 s left",
        "done in 30 s",
    ]
    assert printed.out.splitlines() == [
        f"Run {bodies.RUN_ID}: done in 30 s",
        "  plezi: 2 created, 7 calls",
        "  salesforce: 5 updated",
    ]
    assert person.slept == [2.0, 2.0, 2.0]


def test_a_run_that_does_not_end_well_ends_the_command_with_status_4(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    message = "Salesforce refuses the login."
    halted = bodies.run_detail("halted", reason="login_refused", message=message)
    stack.on("GET", RUN, halted)
    assert person.run("runs", "follow", bodies.RUN_ID) == 4
    assert f"ended halted (login refused). {message}" in capsys.readouterr().err


def test_the_json_form_of_waiting_is_the_body_of_the_last_look(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", RUN, bodies.run_detail("running"), bodies.run_detail())
    assert person.run("sync", "--wait", "--json") == 0
    assert json.loads(capsys.readouterr().out) == with_utc_times(bodies.run_detail())


def test_some_failed_looks_at_a_run_do_not_end_a_long_wait(
    stack: FakeStack, person: Person
) -> None:
    stack.refuse("GET", RUN, 502, {"message": "Internal server error"})
    person.on_sleep = lambda: stack.on("GET", RUN, bodies.run_detail())
    assert person.run("runs", "follow", bodies.RUN_ID) == 0
    assert person.slept == [10.0]


@pytest.mark.parametrize(("status", "looks"), [(404, 1), (503, 6)])
def test_a_wait_ends_when_the_run_is_unknown_or_no_look_succeeds(
    stack: FakeStack, person: Person, status: int, looks: int
) -> None:
    stack.refuse("GET", RUN, status, {"error": "unknown", "message": "no"})
    assert person.run("runs", "follow", bodies.RUN_ID) == 1
    assert len(stack.calls) == looks


def test_interrupting_a_wait_says_that_the_run_goes_on(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    stack.on("GET", RUN, bodies.run_detail("running"))
    person.on_sleep = interrupt
    assert person.run("runs", "follow", bodies.RUN_ID) == 130
    error = capsys.readouterr().err
    assert "The run goes on" in error
    assert "Traceback" not in error


def test_a_preview_is_shown_by_field_and_by_person(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    expected = {"plezi_calls": 8800, "salesforce_calls": 12, "hours": 1.25, "dollars": 0.071}
    plan = [
        bodies.entry(),
        bodies.entry(field="Company,Title", kind="overwritten", rule="plezi_wins", before="A"),
        bodies.entry(email="bob@x.fr", side="plezi", field="Phone"),
    ]
    dry = bodies.run_detail(kind="dry_run", expected=expected)
    stack.on("GET", RUN, dry)
    first = {**dry, "journal": plan[:2], "next": "p2"}
    stack.on("GET", f"{RUN}/plan", first, {**dry, "journal": plan[2:]})
    assert person.run("preview", "--people", "1") == 0
    shown = capsys.readouterr().out
    assert "Salesforce  Company        -            1     -        -          -" in shown
    assert "Plezi       Phone          1            -     -        -          -" in shown
    assert "plezi wins" in shown
    assert "bob@x.fr" not in shown
    assert "1 more person" in shown
    needs = "about 8,800 calls to Plezi and 12 calls to Salesforce, and costs 0.07 US$ at AWS"
    assert f"Such a run takes about 1 h 15 min. It needs {needs}." in shown
    assert f"plezi-sync approve {bodies.RUN_ID}" in shown


def test_a_preview_takes_a_draft_and_people(stack: FakeStack, person: Person) -> None:
    text = "pairs: [{plezi: phone, salesforce: Phone, direction: both}]"
    Path("m.yaml").write_text(text, encoding="utf-8")
    stack.on("GET", RUN, bodies.run_detail(kind="dry_run"))
    stack.on("GET", f"{RUN}/plan", bodies.run_detail(kind="dry_run"))
    assert person.run("preview", "--mapping", "m.yaml", "--email", "a@x.fr") == 0
    request = stack.body_of("POST", "/sync")
    assert request["emails"] == ["a@x.fr"]
    assert request["mapping"]["pairs"][0]["salesforce"] == "Phone"


def test_a_preview_without_changes_says_so_and_an_old_one_can_be_shown_again(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", f"{RUN}/plan", bodies.run_detail(kind="dry_run"))
    assert person.run("preview", "--run", bodies.RUN_ID) == 0
    assert capsys.readouterr().out == "A run would change nothing.\n"
    assert [method for method, _ in stack.calls] == ["GET"]


def test_a_preview_of_a_mapping_with_problems_lists_them(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    problem = {"pair": "P", "field": "", "code": "policy", "message": "no", "remedy": "other"}
    stack.on("GET", RUN, bodies.run_detail("failed", reason="mapping", problems=[problem]))
    assert person.run("preview") == 4
    assert "P: no (policy) Remedy: other" in capsys.readouterr().err


def test_a_preview_is_approved_after_a_question(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    changes = {"salesforce": {"overwritten.Phone": 12}}
    body = {"run_id": bodies.RUN_ID, "until": 1_795_719_600.0, "changes": changes}
    stack.on("POST", f"{RUN}/approve", body)
    assert person.run("approve", bodies.RUN_ID) == 2
    assert person.run("approve", bodies.RUN_ID, "--yes") == 0
    shown = capsys.readouterr().out
    assert "Approved until 2026-11-26 20:00:00 CET." in shown
    assert "Salesforce overwritten.Phone: 12 records" in shown


def test_an_undo_is_shown_before_it_is_made(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    accepted = {"run_id": bodies.RUN_ID, "undoes": "r1", "preview": True}
    stack.on("POST", "/admin/runs/r1/undo", accepted)
    dry = bodies.run_detail(kind="dry_run", undoes="r1")
    stack.on("GET", RUN, dry)
    plan = [
        bodies.entry(rule="undone", before="2", after="1"),
        bodies.entry(email="bob@x.fr", kind="not_undone", rule="changed_since", before="3"),
    ]
    stack.on("GET", f"{RUN}/plan", {**dry, "journal": plan})
    assert person.run("undo", "r1", "--field", "Phone") == 0
    assert stack.body_of("POST", "/admin/runs/r1/undo") == {
        "preview": True,
        "email": "",
        "field": "Phone",
        "opt_outs": False,
        "both_sides": False,
    }
    shown = capsys.readouterr().out
    assert "Not undone" in shown
    assert "changed since" in shown
    assert "Put it back: plezi-sync undo r1 --field Phone --apply" in shown


def test_an_undo_is_made_after_a_question(stack: FakeStack, person: Person, capsys: Output) -> None:
    accepted = {"run_id": bodies.RUN_ID, "undoes": "r1", "preview": False}
    stack.on("POST", "/admin/runs/r1/undo", accepted)
    counts = {"salesforce": {"updated": 1, "not_undone": 2}}
    stack.on("GET", RUN, bodies.run_detail(kind="undo", undoes="r1", counts=counts))
    assert person.run("undo", "r1", "--apply") == 2
    assert stack.calls == []
    assert person.run("undo", "r1", "--apply", "--yes", "--email", "a@x.fr", "--opt-outs") == 0
    body = stack.body_of("POST", "/admin/runs/r1/undo")
    assert (body["preview"], body["email"], body["opt_outs"]) == (False, "a@x.fr", True)
    assert "1 updated, 2 not undone" in capsys.readouterr().out


def verification(**changes: Any) -> dict[str, Any]:
    result = {
        "run_id": bodies.RUN_ID,
        "finished_at": NOW - 60,
        "people": 240,
        "compared_fields": 2000,
        "unexplained_fields": 1,
        "drift_rate": 0.0005,
        **changes,
    }
    counts = {"salesforce": {"people": 240, "drift.unexplained": 1, "drift.unexplained.Phone": 1}}
    drift = bodies.entry(kind="drift", rule="unexplained", field="Phone", before="1", after="2")
    return bodies.run_detail(kind="verify", verification=result, counts=counts, journal=[drift])


def test_a_verification_shows_what_differs_and_why(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", "/sync", {"run_id": bodies.RUN_ID})
    stack.on("GET", RUN, verification())
    assert person.run("verify") == 0
    assert stack.body_of("POST", "/sync") == {"kind": "verify"}
    shown = capsys.readouterr().out
    assert "0.050%" in shown
    assert "unexplained" in shown
    assert f"Next: plezi-sync verify --run {bodies.RUN_ID} --repair" in shown


def test_a_verification_names_the_undo_that_left_a_difference_and_who_requested_it(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    undo = {"run_id": "u1", "undoes": "r1", "requested_at": NOW - 90, "requested_by": "arn:ops"}
    stack.on("GET", RUN, {**verification(unexplained_fields=0), "undos": [undo]})

    assert person.run("verify", "--run", bodies.RUN_ID) == 0

    shown = capsys.readouterr().out
    assert f"Undone: u1 took r1 back, {local_time(NOW - 90)}, by arn:ops." in shown
    assert "plezi-sync undo u1" in shown
    assert "--repair" not in shown


def test_a_repair_is_requested_after_a_question_and_only_for_unexplained_differences(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", RUN, verification())
    repaired = {"run_id": "r2", "repairs": bodies.RUN_ID, "people": 1, "is_complete": False}
    repaired["left_undone"] = 2
    stack.on("POST", f"{RUN}/repair", repaired)
    stack.on("GET", "/admin/runs/r2", bodies.run_detail(kind="selected"))
    assert person.run("verify", "--run", bodies.RUN_ID, "--repair") == 2
    assert stack.calls == []
    assert person.run("verify", "--run", bodies.RUN_ID, "--repair", "--yes") == 0
    shown = capsys.readouterr().out
    assert "There are more: plezi-sync verify --repair" in shown
    assert "2 differences that an undo left: as it was decided." in shown

    stack.on("GET", RUN, verification(unexplained_fields=0, drift_rate=0.0))
    assert person.run("verify", "--run", bodies.RUN_ID, "--repair", "--yes") == 0
    assert stack.calls.count(("POST", f"{RUN}/repair")) == 1


def test_synchronization_is_enabled_after_a_question_and_paused_without(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", "/admin/start", {"started": True})
    stack.on("POST", "/admin/pause", {"started": False})
    assert person.run("start") == 2
    assert person.run("start", "--yes") == 0
    assert person.run("pause") == 0
    assert stack.calls == [("POST", "/admin/start"), ("POST", "/admin/pause")]
    assert "paused" in capsys.readouterr().out


def test_the_set_up_reports_creates_and_ends_with_4_while_a_field_is_missing(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    path = "/admin/setup/salesforce-fields"
    step = {"kind": "field", "subject": "Lead.score__c", "outcome": "done"}
    stack.on("POST", path, bodies.set_up("score__c"), {**bodies.set_up(), "steps": [step]})
    assert person.run("setup", "fields") == 4
    printed = capsys.readouterr()
    assert "Lead.score__c: create it" in printed.out
    assert "setup fields --create" in printed.err
    assert person.run("setup", "fields", "--create", "--yes") == 0
    assert "field Lead.score__c: done" in capsys.readouterr().out
    assert [request.json() for request in stack.received] == [{"create": False}, {"create": True}]


def test_a_terminal_shows_a_bar_and_colours_unless_no_color_is_set(
    stack: FakeStack, person: Person, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich then takes a pipe for a terminal
    monkeypatch.setenv("COLUMNS", "100")
    stack.on("GET", RUN, bodies.run_detail("running"), bodies.run_detail())
    assert person.run("runs", "follow", bodies.RUN_ID) == 0
    shown = capsys.readouterr().err
    assert "50 of 200, 3,600 an hour, 2 min 30 s left" in shown
    assert re.search(COLOUR, shown)
    monkeypatch.setenv("NO_COLOR", "1")
    stack.on("GET", RUN, bodies.run_detail("running"), bodies.run_detail())
    assert person.run("runs", "follow", bodies.RUN_ID) == 0
    assert not re.search(COLOUR, capsys.readouterr().err)
