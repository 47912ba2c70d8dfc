"""The commands that decide something: each asks first, and never for one person in place of all."""

from __future__ import annotations

import json
import re

import pytest

from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.conftest import Person
from tests.unit.cli.fake_stack import FakeStack

pytestmark = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
CONTACT = "/admin/contacts/ana%40example.com"
HOLD = "/admin/attention/holds/ana%40example.com/Phone"
QUARANTINE = "/admin/attention/quarantine"


@pytest.fixture
def held(stack: FakeStack) -> None:
    stack.on("GET", CONTACT, bodies.contact())
    stack.on("POST", HOLD, {"run_id": "r1"})


def test_conflicts_are_listed_with_the_value_of_each_record(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    item = bodies.review_item(holds=[bodies.hold()])
    stack.on("GET", "/admin/attention", bodies.page(item, after="n2"))
    assert person.run("conflicts") == 0
    shown = capsys.readouterr().out
    assert "Plezi       98ae20  111" in shown
    assert "Salesforce  00Q8d0  222" in shown
    assert "conflicts list --next n2" in shown
    assert stack.calls == [("GET", "/admin/attention?kind=hold&limit=50")]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("conflicts", "No field waits for a decision."),
        ("errors", "No write is refused."),
        ("duplicates", "No contact has several Leads."),
    ],
)
def test_an_empty_queue_is_said_to_be_empty(
    stack: FakeStack, person: Person, capsys: Output, command: str, text: str
) -> None:
    stack.on("GET", "/admin/attention", bodies.page())
    assert person.run(command) == 0
    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    ("choice", "record"),
    [
        (["--plezi"], bodies.PLEZI_ID),
        (["--salesforce"], bodies.LEAD_ID),
        (["--record", bodies.LEAD_ID], bodies.LEAD_ID),
    ],
)
def test_the_value_of_one_side_or_record_is_chosen_after_a_question(
    stack: FakeStack, person: Person, choice: list[str], record: str
) -> None:
    person.answers = ["y"]
    assert person.run("conflicts", "choose", bodies.EMAIL, "Phone", *choice) == 0
    assert stack.body_of("POST", HOLD) == {"record": record}
    [question] = person.questions
    assert "in place of" in question


@pytest.mark.usefixtures("held")
def test_a_question_that_is_not_answered_with_yes_changes_nothing(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    person.answers = [""]
    assert person.run("conflicts", "choose", bodies.EMAIL, "Phone", "--plezi") == 5
    assert "nothing was changed" in capsys.readouterr().err
    assert [method for method, _ in stack.calls] == ["GET"]


@pytest.mark.usefixtures("held")
def test_where_nobody_can_answer_a_change_needs_yes(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    assert person.run("conflicts", "choose", bodies.EMAIL, "Phone", "--plezi") == 2
    assert "give --yes to confirm" in capsys.readouterr().err
    assert [method for method, _ in stack.calls] == ["GET"]
    assert person.run("conflicts", "choose", bodies.EMAIL, "Phone", "--plezi", "-y") == 0


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["Phone"], "Give one of --plezi, --salesforce and --record"),
        (["Phone", "--plezi", "--salesforce"], "Give one of"),
        (["City", "--plezi"], "Fields that do: Phone."),
        (["Phone", "--record", "none"], "Choose another record: 98ae20, 00Q8d0."),
    ],
)
def test_a_choice_that_is_not_possible_is_refused_with_the_possible_ones(
    stack: FakeStack, person: Person, capsys: Output, arguments: list[str], remedy: str
) -> None:
    assert person.run("conflicts", "choose", bodies.EMAIL, *arguments, "--yes") == 2
    assert remedy in capsys.readouterr().err
    assert all(method == "GET" for method, _ in stack.calls)


def test_of_two_leads_with_different_values_one_must_be_named(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    hold = bodies.hold()
    other = {"kind": "Lead", "record": "00Q9", "value": "333", "can_be_chosen": True}
    hold["values"].append(other)
    stack.on("GET", CONTACT, bodies.contact(holds=[hold]))
    assert person.run("conflicts", "choose", bodies.EMAIL, "Phone", "--salesforce", "--yes") == 2
    assert "give --record, one of 00Q8d0 (222), 00Q9 (333)" in capsys.readouterr().err


def test_one_side_is_chosen_for_everybody_page_by_page_after_a_preview(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    path = "/admin/attention/holds"
    preview = bodies.bulk(run_id=None, decided=5, overwritten=4)
    stack.on("POST", path, preview, bodies.bulk(next="p2"), bodies.bulk(left_out=1, conflicts=2))
    person.answers = ["yes"]
    assert person.run("conflicts", "choose-all", "Phone", "plezi") == 0
    assert "5 contacts? 4 values give way" in person.questions[0]
    sent = [request.json() for request in stack.received]
    assert [each.get("preview", False) for each in sent] == [True, False, False]
    assert [each["next"] for each in sent] == ["", "", "p2"]
    shown = capsys.readouterr().out
    assert "Decided for 6 contacts." in shown
    assert "Changed at the same time, so not decided: 2." in shown


def test_a_side_that_can_decide_nobody_changes_nothing(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", "/admin/attention/holds", bodies.bulk(run_id=None, decided=0, overwritten=0))
    assert person.run("conflicts", "choose-all", "Phone", "plezi") == 0
    assert "No contact has a hold of Phone" in capsys.readouterr().out
    assert len(stack.received) == 1


def quarantine(stack: FakeStack) -> None:
    """Three people with an error on two pages: two causes."""
    first = [
        bodies.review_item("a@x.fr", quarantine=bodies.refusal()),
        bodies.review_item("b@x.fr", quarantine=bodies.refusal("INVALID_EMAIL_ADDRESS", "Email")),
    ]
    last = bodies.review_item("c@x.fr", quarantine=bodies.refusal())
    pages = (bodies.page(*first, after="n2"), bodies.page(last))
    stack.on("GET", "/admin/attention", *pages)


def test_errors_are_grouped_by_their_cause_over_all_pages(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    quarantine(stack)
    assert person.run("errors") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == ["STRING_TOO_LONG", "Salesforce", "Title", "2"]
    assert "a@x.fr, c@x.fr" in lines[1]
    assert lines[2].split()[:4] == ["INVALID_EMAIL_ADDRESS", "Salesforce", "Email", "1"]


def test_the_people_of_one_cause_are_listed(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    quarantine(stack)
    assert person.run("errors", "list", "--cause", "INVALID_EMAIL_ADDRESS") == 0
    shown = capsys.readouterr().out
    assert "b@x.fr" in shown
    assert "a@x.fr" not in shown


def test_a_group_of_errors_is_tried_again_and_one_conflict_does_not_stop_the_others(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    quarantine(stack)
    stale = {"error": "stale", "message": "the link changed"}
    stack.refuse("POST", f"{QUARANTINE}/a%40x.fr/retry", 409, stale)
    stack.on("POST", f"{QUARANTINE}/c%40x.fr/retry", {"run_id": "r2"})
    assert person.run("errors", "retry", "--cause", "STRING_TOO_LONG", "--yes") == 4
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-2:] == [
        "1 contact will be tried again.",
        "Next: plezi-sync runs follow r2",
    ]
    assert "a@x.fr: The API refused the request: 409" in printed.err
    assert ("POST", f"{QUARANTINE}/b%40x.fr/retry") not in stack.calls
    assert person.slept == [0.2]


def test_a_terminal_shows_how_many_of_a_group_are_done(
    stack: FakeStack, person: Person, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich then takes a pipe for a terminal
    monkeypatch.setenv("COLUMNS", "100")
    quarantine(stack)
    for name in ("a", "c"):
        stack.on("POST", f"{QUARANTINE}/{name}%40x.fr/retry", {"run_id": "r2"})
    assert person.run("errors", "retry", "--cause", "STRING_TOO_LONG", "--yes") == 0
    assert "2/2" in re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err)


def test_one_error_or_all_are_tried_again(stack: FakeStack, person: Person) -> None:
    stack.on("POST", f"{QUARANTINE}/a%40x.fr/retry", {"run_id": "r2"})
    stack.on("POST", QUARANTINE, bodies.bulk(next="p2"), bodies.bulk())
    assert person.run("errors", "retry", "a@x.fr") == 0
    assert person.run("errors", "retry", "--all", "--yes") == 0
    assert [request.json() for request in stack.received[1:]] == [{"next": ""}, {"next": "p2"}]
    assert person.run("errors", "retry") == 2


def test_duplicates_are_listed_and_a_primary_lead_is_picked(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    lead = {
        "id": bodies.LEAD_ID,
        "modified": "2026-11-26T15:00:00.000+00:00",
        "primary": True,
        "values": {"FirstName": "Ana", "LastName": "Lopez", "Company": None},
    }
    item = bodies.review_item(leads=[lead])
    stack.on("GET", "/admin/attention", bodies.page(item))
    assert person.run("duplicates") == 0
    assert "Ana Lopez  (blank)  2026-11-26 16:00:00 CET" in capsys.readouterr().out
    path = "/admin/attention/duplicates/ana%40example.com"
    stack.on("POST", path, {"run_id": "r3"})
    assert person.run("duplicates", "pick", bodies.EMAIL, bodies.LEAD_ID, "--yes") == 0
    assert stack.body_of("POST", path) == {"lead": bodies.LEAD_ID}


def test_another_system_is_shown_and_decided_about(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", "/admin/systems", bodies.systems(found="00D2"))
    assert person.run("systems") == 0
    assert "systems decide SIDE" in capsys.readouterr().out
    system = bodies.systems()["systems"][0]
    result = {"system": system, "run_id": "r4", "next_step": "A full run is requested."}
    stack.on("POST", "/admin/systems", result)
    assert person.run("systems", "decide", "salesforce", "same_people", "--yes") == 0
    assert stack.body_of("POST", "/admin/systems") == {
        "side": "salesforce",
        "decision": "same_people",
    }
    assert person.run("systems", "decide", "salesforce", "same_people") == 2
    assert person.run("systems", "decide", "plezi", "wrong_credentials") == 0


def test_the_breaker_is_shown_and_closed(stack: FakeStack, person: Person, capsys: Output) -> None:
    breaker = {"reason": "mass_clearing", "message": "120 phones", "since": 1.0}
    stack.on("GET", "/admin/status", bodies.status(), bodies.status(breaker=breaker))
    reset = {"clearing_allowed_until": 1_795_719_600.0, "defects_allowed_until": 0.0}
    stack.on("POST", "/admin/breaker/release", reset)
    assert person.run("breaker") == 0
    assert "closed" in capsys.readouterr().out
    assert person.run("breaker") == 0
    assert "mass clearing" in capsys.readouterr().out
    assert person.run("breaker", "release", "--intended", "--yes") == 0
    assert stack.body_of("POST", "/admin/breaker/release") == {"intended": True}
    assert "until 2026-11-26 20:00:00 CET" in capsys.readouterr().out
    assert person.run("breaker", "release", "--yes") == 2


POLICIES = "/admin/attention/policies"


@pytest.fixture
def always(stack: FakeStack) -> None:
    stack.on("GET", CONTACT, bodies.contact())
    stack.on("GET", "/admin/mapping", bodies.mapping())
    preview = bodies.policy(waiting=bodies.bulk(run_id=None, next="n2"), version=3)
    stack.on("POST", POLICIES, preview, bodies.policy(waiting=bodies.bulk(next="n2")))
    stack.on("POST", "/admin/attention/holds", bodies.bulk(run_id=None), bodies.bulk(run_id="r9"))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "command",
    [
        ("choose", bodies.EMAIL, "Phone", "--salesforce", "--always"),
        ("choose", bodies.EMAIL, "Phone", "--record", bodies.LEAD_ID, "--always"),
        ("choose-all", "Phone", "salesforce", "--always"),
    ],
)
def test_always_saves_the_policy_after_it_has_said_how_many_people_it_decides(
    stack: FakeStack, person: Person, capsys: Output, command: tuple[str, ...]
) -> None:
    person.answers = ["y"]
    assert person.run("conflicts", *command) == 0
    [question] = person.questions
    assert "policy salesforce_wins in place of hold" in question
    assert "6 contacts wait for it now: 4 values give way" in question
    wanted = {"field": "Phone", "side": "salesforce", "version": 3}
    assert stack.body_of("POST", POLICIES) == wanted
    holds = stack.body_of("POST", "/admin/attention/holds")
    assert holds == {"field": "Phone", "side": "salesforce", "next": "n2"}
    shown = capsys.readouterr().out
    assert "Saved as version 4" in shown
    assert "mapping restore 3" in shown
    assert "Decided for 6 contacts." in shown


@pytest.mark.usefixtures("always")
def test_always_saves_nothing_without_a_yes(stack: FakeStack, person: Person) -> None:
    person.answers = ["n"]
    assert person.run("conflicts", "choose-all", "Phone", "salesforce", "--always") == 5
    assert stack.body_of("POST", POLICIES)["preview"] is True


@pytest.mark.usefixtures("always")
def test_always_prints_the_answer_of_the_api_as_json(person: Person, capsys: Output) -> None:
    assert (
        person.run("conflicts", "choose-all", "Phone", "salesforce", "--always", "--json", "-y")
        == 0
    )
    assert json.loads(capsys.readouterr().out)["policy"] == "salesforce_wins"


DUPLICATES = "/admin/attention/duplicates/ana%40example.com"


def test_duplicates_are_compared_field_by_field_with_a_proposal_by_rule(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", DUPLICATES, bodies.duplicates())
    assert person.run("duplicates", "show", bodies.EMAIL) == 0
    shown = capsys.readouterr().out
    assert "Inbound (a queue)" in shown
    assert "https://acme.my.salesforce.com/00Q2" in shown
    assert "Phone  differs  111   222" in shown
    assert "most complete" in shown


def test_the_lead_that_a_rule_proposes_is_picked(stack: FakeStack, person: Person) -> None:
    stack.on("GET", DUPLICATES, bodies.duplicates())
    stack.on("POST", DUPLICATES, {"run_id": "r1"})
    rule = ["duplicates", "pick", bodies.EMAIL, "--yes", "--rule"]
    assert person.run(*rule, "most_complete") == 0
    assert stack.body_of("POST", DUPLICATES) == {"lead": "00Q2"}
    assert person.run(*rule, "owner") == 2
    assert person.run("duplicates", "pick", bodies.EMAIL) == 2
