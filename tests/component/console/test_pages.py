"""The pages: what they answer, and what their forms do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from connector.chosen_limits import ChosenLimits, CurrentLimits, load_chosen
from connector.console.pages import ROUTES
from connector.console.roles import UserRole
from connector.console.texts import LANGUAGES
from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction
from connector.model import RunKind, RunState
from connector.planning.announced_changes import ChangeKind
from tests.component.admin_client import AdminClient
from tests.component.console.conftest import OpenBrowser
from tests.component.console.console_browser import Browser, Page
from tests.component.harness import REGION, Harness
from tests.component.people_fixtures import ANA, BOB, lead_of
from tests.component.undo_fixtures import undo


def person_path(browser: Browser, email: str = ANA) -> str:
    return f"/people/{browser.console.seals.person_id(email)}"


def run_of(page: Page) -> str:
    """Return the id of the run that a response opens."""
    return page.location.removeprefix("/runs/").partition("?")[0]


def hold_phones(harness: Harness) -> None:
    """Let a person decide conflicts of phones."""
    pairs = tuple(
        replace(pair, policy=ConflictPolicy.HOLD) if pair.key == "Phone" else pair
        for pair in DEFAULT_MAPPING.pairs
    )
    harness.context.mappings.save(  # type: ignore[attr-defined]  # the store of both
        replace(DEFAULT_MAPPING, version=1, pairs=pairs)
    )


def conflict(harness: Harness, email: str = ANA) -> str:
    """Let both sides change a phone; return the id of the Plezi contact."""
    person = harness.add_person(email=email, last_name="Lopez", phone="111")
    harness.sync()
    harness.edit_person(person, phone="222")
    harness.edit_lead(lead_of(harness, email)["Id"], Phone="333")
    harness.sync()
    return person


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_shown_in_every_language(
    open_browser: OpenBrowser, ana: str, language: str
) -> None:
    assert ana
    browser = open_browser(*UserRole, language=language)
    paths = [route.path for route in ROUTES if route.method == "GET"]
    run = browser.console.admin.runs.list_runs(1)[0].id
    for path in paths:
        filled = path.replace("{person}", browser.console.seals.person_id(ANA))
        answer = browser.get(filled.replace("{run_id}", run))
        assert answer.status == 200, (path, answer.text)
        assert f'<html lang="{language}">' in answer.text


def test_a_new_stack_leads_to_its_set_up(harness: Harness, open_browser: OpenBrowser) -> None:
    harness.ledger.set_enabled(on=False, now=0.0)
    page = open_browser(*UserRole).get("/")
    assert "Not started yet" in page.text
    assert "Go to the set-up" in page.text


def test_a_healthy_stack_is_called_so_and_a_stopped_one_too(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    harness.sync(kind=RunKind.FULL)
    browser = open_browser("viewer")
    assert "Everything is in step" in browser.get("/").text
    harness.ledger.set_enabled(on=False, now=0.0)
    assert "Synchronization is paused" in browser.get("/").text


def test_a_run_is_started_and_followed(harness: Harness, open_browser: OpenBrowser) -> None:
    harness.add_person(email=ANA, last_name="Lopez", phone="111")
    browser = open_browser("operator")
    started = browser.submit(browser.get("/"), "/runs", kind="changes")
    waiting = browser.follow(started)
    assert "data-live" in waiting.text
    harness.run_phase(run_of(started))
    over = browser.follow(started)
    assert "data-live" not in over.text
    assert ANA in over.text


def test_only_kinds_of_run_that_are_requested_by_themselves_are_started(
    open_browser: OpenBrowser,
) -> None:
    browser = open_browser("operator")
    for kind in ("form", "undo", "selected", "", "x"):
        assert browser.post("/runs", kind=kind).status == 422


def test_the_journal_of_a_run_is_filtered(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    harness.edit_person(ana, phone="222", mobile="333")
    run = harness.sync()
    browser = open_browser("viewer")
    assert "333" in browser.get(f"/runs/{run.id}").text
    phones = browser.get(f"/runs/{run.id}?field=Phone&side=salesforce&kind=written").text
    assert "222" in phones
    assert "333" not in phones
    assert "No entry matches" in browser.get(f"/runs/{run.id}?kind=refused").text


def test_a_change_of_one_field_of_one_person_is_undone_after_its_preview(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    harness.edit_person(ana, phone="222", mobile="333")
    run = harness.sync()
    browser = open_browser("operator")
    page = browser.get(person_path(browser))
    assert "edited in Plezi, and copied to Salesforce" in page.text
    requested = browser.submit(page, f"/runs/{run.id}/undo", field="Phone")
    harness.run_phase(run_of(requested))
    preview = browser.follow(requested)
    assert "Preview of the undo" in preview.text
    assert "What this run would use" in preview.text
    assert "put back in both systems" in preview.text
    assert lead_of(harness)["Phone"] == "222"
    undone = browser.submit(preview, f"/runs/{run.id}/undo", confirmed="yes")
    harness.run_phase(run_of(undone))
    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("111", "333")
    assert (harness.people()[ANA]["phone"], harness.people()[ANA]["mobile"]) == ("111", "333")


def test_an_undo_that_would_clear_what_was_typed_says_that_it_is_for_one_system(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    harness.edit_person(ana, mobile="333")
    run = harness.sync()
    browser = open_browser("operator")
    requested = browser.submit(
        browser.get(person_path(browser)), f"/runs/{run.id}/undo", field="MobilePhone"
    )
    harness.run_phase(run_of(requested))

    preview = browser.follow(requested)

    assert "put back in Salesforce only" in preview.text
    assert "written" in preview.text


def test_the_preview_of_an_undo_that_can_put_nothing_back_has_no_button_for_it(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    browser = open_browser("operator")
    page = browser.get(person_path(browser))
    path = next(path for path, form in page.forms() if form.get("field") == "LastName")
    requested = browser.submit(page, path, field="LastName")
    harness.run_phase(run_of(requested))

    preview = browser.follow(requested)

    assert "Nothing can be put back" in preview.text
    assert [it for it, form in preview.forms() if form.get("confirmed")] == []


def test_the_page_of_a_person_says_that_the_systems_differ_after_an_undo_of_the_run(
    harness: Harness, open_browser: OpenBrowser, ana: str, admin_client: AdminClient
) -> None:
    harness.edit_person(ana, phone="222")
    run = harness.sync()
    browser = open_browser("operator")
    before = browser.get(person_path(browser))
    assert "the systems differ" not in before.text
    assert [path for path, form in before.forms() if form.get("field") == "Phone"] == [
        f"/runs/{run.id}/undo"
    ]
    undo(harness, admin_client, run.id)
    after = browser.get(person_path(browser))
    assert "the systems differ" in after.text
    assert "edit it in the other system" in after.text
    lead = lead_of(harness)
    assert lead["Phone"] == "111"


def test_a_run_that_changed_nothing_offers_no_undo(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    page = open_browser("operator").get(f"/runs/{harness.sync().id}")
    assert "It changed no value" in page.text
    assert "Undo this run" not in page.text


@pytest.mark.parametrize(("language", "text"), [("en", "every 2 hours"), ("fr", "toutes les 2 h")])
def test_the_schedule_is_shown_in_words(
    open_browser: OpenBrowser, language: str, text: str
) -> None:
    page = open_browser("viewer", language=language).get("/settings")
    assert text in page.text
    assert "rate(" not in page.text


def test_a_conflict_is_shown_with_both_values_and_decided(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    hold_phones(harness)
    person = conflict(harness)
    browser = open_browser("operator")
    page = browser.get("/review")
    assert "222" in page.text
    assert "333" in page.text
    decided = browser.submit(page, "/review/choose", record=person)
    assert "The value is chosen" in browser.follow(decided).text
    harness.run_phase(harness.ledger.list_runs(1)[0].id)
    assert lead_of(harness)["Phone"] == "222"


def test_a_decision_about_many_states_what_it_overwrites_before_it_is_made(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    hold_phones(harness)
    for email in (ANA, BOB):
        conflict(harness, email)
    browser = open_browser("operator")
    shown = browser.submit(browser.get("/review"), "/review/choose-all", side="salesforce")
    assert "2 people get the value" in shown.text
    assert "2</span> typed values are overwritten" in shown.text
    assert not any(hold.chosen for hold in holds(harness))
    browser.submit(shown, "/review/choose-all", confirmed="yes")
    assert all(hold.chosen for hold in holds(harness))


def holds(harness: Harness) -> list[Any]:
    links = harness.ledger.load_links([ANA, BOB]).values()
    return [link.holds["Phone"] for link in links]


def test_a_lasting_choice_is_previewed_and_becomes_the_policy(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    hold_phones(harness)
    conflict(harness)
    browser = open_browser("mapper")
    shown = browser.submit(browser.get("/review"), "/review/policy", side="plezi")
    assert "From now on Plezi wins" in shown.text
    assert browser.console.admin.mappings.current().version == 1
    browser.submit(shown, "/review/policy", confirmed="yes")
    pairs = {pair.key: pair for pair in browser.console.admin.mappings.current().pairs}
    assert pairs["Phone"].policy is ConflictPolicy.PLEZI_WINS


def test_refused_writes_are_grouped_by_cause_and_retried(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    people = {
        email: harness.add_person(email=email, last_name="Lopez", function="x" * 200)
        for email in (ANA, BOB)
    }
    harness.sync()
    browser = open_browser("operator")
    page = browser.get("/review?kind=quarantine")
    assert page.text.count("STRING_TOO_LONG") == 1
    assert "2 people" in page.text
    for person in people.values():
        harness.edit_person(person, function="CEO")
    group = [fields for path, fields in page.forms() if path == "/review/retry"]
    assert len(group) == 3
    ids = [browser.console.seals.person_id(email) for email in people]
    browser.post("/review/retry", person=ids, kind="quarantine")
    run = harness.ledger.list_runs(1)[0]
    assert sorted(run.emails) == sorted(people)
    harness.run_phase(run.id)
    assert "Nothing waits here" in browser.get("/review?kind=quarantine").text


def test_a_person_is_found_by_email_record_id_and_name(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    browser = open_browser("viewer")
    lead = lead_of(harness)["Id"]
    for text in (ANA.upper(), ana, lead, lead[:15]):
        assert browser.post("/people", text=text).location == person_path(browser), text
    named = browser.post("/people", text="Lopez")
    assert named.status in (200, 303)
    assert browser.post("/people", text="nobody@example.com").status == 404


@pytest.mark.parametrize(("role", "is_shown"), [("operator", True), ("viewer", False)])
def test_an_operator_sees_how_the_log_names_a_person(
    harness: Harness, open_browser: OpenBrowser, ana: str, role: str, *, is_shown: bool
) -> None:
    assert ana
    browser = open_browser(role)
    page = browser.get(person_path(browser)).text
    assert (f"link={harness.context.log_name(ANA)}" in page) is is_shown


def test_a_viewer_sees_a_field_pair_that_cannot_be_edited(open_browser: OpenBrowser) -> None:
    page = open_browser("viewer").get("/mapping/pair?key=Phone").text
    assert '<fieldset class="all" disabled>' in page
    assert '<fieldset class="all">' in open_browser("mapper").get("/mapping/pair?key=Phone").text


def test_a_field_is_mapped_in_a_draft_that_changes_nothing_before_it_is_applied(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    browser = open_browser("mapper")
    assert "Employees" in browser.get("/mapping").text
    new = "/mapping/pair?plezi=employees&salesforce=NumberOfEmployees"
    fields = browser.get(new).form("/mapping/pair")
    assert fields["plezi"] == "employees"
    browser.post("/mapping/pair", **fields, direction="both", policy="newest")
    draft = browser.get("/mapping")
    assert "Draft: not applied yet" in draft.text
    assert browser.console.admin.mappings.current().version == 0
    preview = browser.submit(draft, "/mapping/preview")
    assert harness.run_phase(run_of(preview)).state is RunState.DONE
    applied = browser.submit(browser.follow(preview), "/mapping/apply")
    harness.run_phase(run_of(applied))
    current = browser.console.admin.mappings.current()
    (pair,) = [pair for pair in current.pairs if pair.plezi == "employees"]
    assert (current.version, pair.direction) == (1, Direction.BOTH)
    assert browser.console.admin.control.applied_version() == 1
    assert "Draft: not applied yet" not in browser.get("/mapping").text


def test_a_draft_that_was_changed_after_its_preview_is_not_applied(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    browser = open_browser("mapper")
    change_phone(browser, "plezi_wins")
    preview = browser.submit(browser.get("/mapping"), "/mapping/preview")
    harness.run_phase(run_of(preview))
    shown = browser.follow(preview)
    change_phone(browser, "salesforce_wins")
    assert browser.submit(shown, "/mapping/apply").status == 409
    assert browser.console.admin.mappings.current().version == 0


def test_a_draft_of_an_older_version_is_not_applied(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    browser = open_browser("mapper")
    change_phone(browser, "plezi_wins")
    preview = browser.submit(browser.get("/mapping"), "/mapping/preview")
    harness.run_phase(run_of(preview))
    hold_phones(harness)
    assert browser.submit(browser.follow(preview), "/mapping/apply").status == 409
    assert "Another version was saved since" in browser.get("/mapping").text


def change_phone(browser: Browser, policy: str) -> None:
    """Change the policy of the phone in the draft."""
    fields = browser.get("/mapping/pair?key=Phone").form("/mapping/pair")
    form = {**fields, "direction": "both", "policy": policy, "contact": "Phone"}
    assert browser.post("/mapping/pair", **form).status == 303


def test_a_locked_pair_cannot_be_changed(open_browser: OpenBrowser) -> None:
    browser = open_browser("mapper")
    answer = browser.post(
        "/mapping/pair", plezi="email", salesforce="Email", direction="off", policy="newest"
    )
    assert answer.status == 422
    assert browser.post("/mapping/remove", key="Email").status == 422


def test_an_old_version_is_restored(harness: Harness, open_browser: OpenBrowser) -> None:
    hold_phones(harness)
    browser = open_browser("mapper")
    history = browser.get("/mapping/history")
    browser.submit(history, "/mapping/restore", number="0")
    current = browser.console.admin.mappings.current()
    assert (current.version, replace(current, version=0)) == (2, DEFAULT_MAPPING)


def test_a_person_is_exported_as_a_file(open_browser: OpenBrowser, ana: str) -> None:
    assert ana
    browser = open_browser("privacy")
    path = person_path(browser)
    answer = browser.submit(browser.get(path), f"{path}/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="person.json"'
    assert ANA in json.loads(answer.text)["emails"]


def test_a_person_is_erased_after_it_was_shown_what_that_removes(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    browser = open_browser("privacy")
    path = person_path(browser)
    shown = browser.submit(browser.get(path), f"{path}/erase")
    assert "Erase for good" in shown.text
    assert ANA in harness.ledger.load_links([ANA])
    erased = browser.submit(shown, f"{path}/erase", confirmed="yes")
    assert "The person is erased" in erased.text
    assert ANA not in harness.ledger.load_links([ANA])
    assert browser.get(path).status == 404


def test_the_set_up_checks_the_connection_and_lists_the_fields(
    open_browser: OpenBrowser,
) -> None:
    browser = open_browser("mapper")
    checked = browser.submit(browser.get("/setup"), "/setup/check")
    assert checked.status == 200
    assert "Login to Salesforce" in checked.text
    assert "Lead.plezi_url__c" in checked.text


def test_the_set_up_shows_a_missing_precondition_with_its_remedy(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    harness.control("salesforce", "POST", "objects/Lead/permissions", {"create": False})
    browser = open_browser("mapper")

    checked = browser.submit(browser.get("/setup"), "/setup/check")

    assert checked.status == 200
    assert "Access to Leads" in checked.text
    assert "lacks the permission" in checked.text
    assert "<ol><li>the integration user lacks the permission" in checked.text
    assert "Setup &gt; Permission Sets &gt; Object Settings" in checked.text
    assert "Login to Salesforce" in checked.text


def recipients(harness: Harness) -> list[str]:
    """Return the e-mails that are subscribed to the topic of alerts."""
    sns = boto3.client("sns", region_name=REGION)
    topic = harness.resources["alerts_topic"]
    return [
        it["Endpoint"] for it in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    ]


def test_a_recipient_of_alerts_is_added_and_removed(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    browser = open_browser("mapper")
    for email in ("Ops@Example.com", "night@example.com"):
        added = browser.post("/settings/recipients/add", email=email)
        assert "got an e-mail to confirm" in browser.follow(added).text
    assert sorted(recipients(harness)) == ["night@example.com", "ops@example.com"]
    page = browser.get("/settings")
    browser.submit(page, "/settings/recipients/remove", email="ops@example.com")
    assert recipients(harness) == ["night@example.com"]
    actions = [it.action for it in browser.console.admin.audit.entries(3).entries]
    assert actions == ["remove recipient", "add recipient", "add recipient"]


def test_the_last_recipient_of_alerts_is_not_removed(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    browser = open_browser("mapper")
    browser.post("/settings/recipients/add", email="ops@example.com")
    refused = browser.post("/settings/recipients/remove", email="ops@example.com")
    assert refused.status == 409
    assert "the last recipient" in refused.text
    assert recipients(harness) == ["ops@example.com"]


@pytest.mark.parametrize(
    "email", ["", "ops", "ops@example", "a b@example.com", "x" * 250 + "@e.fr"]
)
def test_what_is_no_email_becomes_no_recipient(
    harness: Harness, open_browser: OpenBrowser, email: str
) -> None:
    assert open_browser("mapper").post("/settings/recipients/add", email=email).status == 422
    assert recipients(harness) == []


def test_a_recipient_is_not_added_twice_and_an_unknown_one_not_removed(
    open_browser: OpenBrowser,
) -> None:
    browser = open_browser("mapper")
    browser.post("/settings/recipients/add", email="ops@example.com")
    assert browser.post("/settings/recipients/add", email="OPS@example.com").status == 409
    assert browser.post("/settings/recipients/remove", email="x@example.com").status == 404


def test_the_limits_of_a_run_are_chosen_used_and_given_back(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    people = [
        harness.add_person(email=f"p{number}@example.com", last_name="Lopez", phone="111")
        for number in range(3)
    ]
    harness.sync()
    browser = open_browser("mapper")
    limits = {"cleared": "2", "overwritten": "2", "share": "0"}
    assert "within a minute" in browser.follow(browser.post("/settings/limits", **limits)).text
    for person in people:
        harness.edit_person(person, phone="")
    harness.let_pass(61)
    stopped = harness.sync()
    assert stopped.state is RunState.HALTED
    assert "limit 2" in stopped.message
    browser.sign_in("mapper", "operator")
    browser.submit(browser.get("/settings"), "/settings/limits", reset="yes")
    browser.post("/breaker", intended="no")
    harness.let_pass(61)
    assert harness.sync().state is RunState.DONE
    actions = [it.action for it in browser.console.admin.audit.entries(3).entries]
    assert actions.count("change limits") == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"cleared": "-1"},
        {"cleared": "1.5"},
        {"overwritten": "100001"},
        {"share": "101"},
        {"share": "x"},
    ],
)
def test_limits_that_are_none_are_refused_and_change_nothing(
    harness: Harness, open_browser: OpenBrowser, wrong: dict[str, str]
) -> None:
    browser = open_browser("mapper")
    form = {"cleared": "5", "overwritten": "5", "share": "2", **wrong}
    assert browser.post("/settings/limits", **form).status == 422
    assert load_chosen(harness.ledger) is None


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"limits": 7},
        {"limits": {"cleared": 1}},
        {"limits": {"cleared": -1, "overwritten": 1, "share": 0}},
    ],
)
def test_damaged_limits_count_as_those_of_the_stack(
    harness: Harness, document: dict[str, Any]
) -> None:
    harness.ledger.save_document("change_limits", document)
    limits = CurrentLimits(100, 90, 0.5, ChosenLimits(harness.ledger, harness.clock))
    assert limits.number(ChangeKind.CLEARED, 0) == 100
    assert limits.number(ChangeKind.OVERWRITTEN, 1000) == 500
