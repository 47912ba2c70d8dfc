"""People who wait, the decisions about them, why a field has its value, and who did what."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest

from connector import wiring
from connector.administration.office import Ledger
from connector.model import Change, Link, RunKind, RunState
from tests.component.clerk import WHO, Clerk, in_path
from tests.component.stage import REGION, Stage

PLUS = "a+b@x.fr"
LONG = "x" * 81
"""One character more than Lead.LastName holds."""


def hold_phones(clerk: Clerk) -> None:
    mapping = clerk.good("GET", "/admin/mapping")
    for line in mapping["lines"]:
        if line["salesforce"] == "Phone":
            line["policy"] = "hold"
    clerk.good("PUT", "/admin/mapping", mapping)


def disagree(stage: Stage, email: str) -> tuple[str, str]:
    """One person whose sides say different phones; the ids of both records."""
    person = stage.add_person(email=email, last_name="Lopez", phone="111")
    lead = stage.add_lead(Email=email, LastName="Lopez", Phone="222")
    return person, lead


def carry_out(stage: Stage, run_id: str) -> None:
    run = stage.world.ledger.run(run_id)
    assert run is not None
    assert run.kind is RunKind.SELECTED
    assert stage.work(run_id).state is RunState.DONE


def waiting(clerk: Clerk, kind: str) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = clerk.good("GET", "/admin/attention", kind=kind)["people"]
    return people


def test_a_held_field_is_listed_with_each_word_and_settled_by_choosing_one(
    clerk: Clerk, stage: Stage
) -> None:
    hold_phones(clerk)
    person, lead = disagree(stage, PLUS)
    stage.sync()
    (waits,) = waiting(clerk, "hold")
    assert waits["email"] == PLUS
    (held,) = waits["holds"]
    assert held["field"] == "Phone"
    assert {it["record"]: it["value"] for it in held["words"]} == {person: "111", lead: "222"}

    path = f"/admin/attention/holds/{in_path(PLUS)}/Phone"
    asked = clerk.good("POST", path, {"record": person})
    carry_out(stage, asked["run_id"])

    assert stage.leads(PLUS)[0]["Phone"] == "111"
    assert waiting(clerk, "hold") == []
    assert clerk.good("GET", "/admin/status")["attention"]["hold"] == 0


def test_a_choice_that_is_no_longer_open_is_refused(clerk: Clerk, stage: Stage) -> None:
    hold_phones(clerk)
    person, _ = disagree(stage, PLUS)
    stage.sync()
    path = f"/admin/attention/holds/{in_path(PLUS)}"

    assert clerk.ask("POST", f"{path}/Phone", {"record": "nobody"}).status == 409
    assert clerk.ask("POST", f"{path}/Title", {"record": person}).status == 409
    unknown = clerk.ask("POST", "/admin/attention/holds/no%40x.fr/Phone", {"record": person})
    assert unknown.status == 404


def test_a_choice_on_a_line_that_moves_at_the_same_moment_is_refused(
    clerk: Clerk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_phones(clerk)
    person, _ = disagree(stage, PLUS)
    stage.sync()
    office = wiring.office()

    class Racing:
        """The ledger of an office in which a run stores a link after it was read."""

        def links(self, emails: Iterable[str]) -> dict[str, Link]:
            links = office.ledger.links(emails)
            office.ledger.put([Change(link) for link in links.values()])
            return links

        def __getattr__(self, name: str) -> Any:
            return getattr(office.ledger, name)

    racing = replace(office, ledger=cast("Ledger", Racing()))
    monkeypatch.setattr(wiring, "office", lambda: racing)

    answer = clerk.ask("POST", f"/admin/attention/holds/{in_path(PLUS)}/Phone", {"record": person})

    assert answer.status == 409
    assert office.ledger.links([PLUS])[PLUS].holds["Phone"].chosen == ""


def test_a_refused_person_is_listed_with_code_and_remedy_and_tried_again(
    clerk: Clerk, stage: Stage
) -> None:
    person = stage.add_person(email=PLUS, last_name=LONG)
    stage.sync()
    (waits,) = waiting(clerk, "quarantine")
    refused = waits["quarantine"]
    assert (refused["side"], refused["code"]) == ("salesforce", "STRING_TOO_LONG")
    assert "shorten" in refused["remedy"]
    stage.control("salesforce", "PATCH", "fields/Lead/LastName", {"length": 120})

    path = f"/admin/attention/quarantine/{in_path(PLUS)}/retry"
    carry_out(stage, clerk.good("POST", path)["run_id"])

    assert waiting(clerk, "quarantine") == []
    assert stage.leads(PLUS)[0]["LastName"] == LONG
    assert clerk.ask("POST", path).status == 409
    assert clerk.ask("POST", "/admin/attention/quarantine/no%40x.fr/retry").status == 404
    assert person


def test_several_leads_are_listed_and_one_is_picked(clerk: Clerk, stage: Stage) -> None:
    first = stage.add_lead(Email=PLUS, LastName="One")
    second = stage.add_lead(Email=PLUS, LastName="Two")
    stage.sync()
    (waits,) = waiting(clerk, "duplicate")
    assert {lead["id"] for lead in waits["leads"]} == {first, second}
    assert not any(lead["survivor"] for lead in waits["leads"])
    path = f"/admin/attention/duplicates/{in_path(PLUS)}"

    assert clerk.ask("POST", path, {"lead": "00Qnobody"}).status == 409
    carry_out(stage, clerk.good("POST", path, {"lead": second})["run_id"])

    (waits,) = waiting(clerk, "duplicate")
    assert [lead["id"] for lead in waits["leads"] if lead["survivor"]] == [second]
    assert clerk.ask("POST", "/admin/attention/duplicates/no%40x.fr", {"lead": "1"}).status == 404


def test_a_side_is_chosen_for_everybody_who_waits_with_a_field(clerk: Clerk, stage: Stage) -> None:
    hold_phones(clerk)
    emails = [f"p{number}@example.com" for number in range(5)]
    for email in emails:
        disagree(stage, email)
    stage.sync()
    assert clerk.good("GET", "/admin/status")["attention"]["hold"] == 5

    nobody = clerk.good("POST", "/admin/attention/holds", {"field": "Title", "side": "plezi"})
    assert (nobody["run_id"], nobody["decided"]) == (None, 0)
    asked = clerk.good("POST", "/admin/attention/holds", {"field": "Phone", "side": "salesforce"})
    assert (asked["decided"], asked["moved"], asked["next"]) == (5, 0, "")
    carry_out(stage, asked["run_id"])

    assert waiting(clerk, "hold") == []
    people = stage.people()
    assert {people[email]["phone"] for email in emails} == {"222"}


def test_everybody_in_quarantine_is_tried_again_page_by_page(
    clerk: Clerk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.administration.bulk.PAGE", 2)
    for number in range(3):
        stage.add_person(email=f"p{number}@example.com", last_name=LONG)
    stage.sync()
    stage.control("salesforce", "PATCH", "fields/Lead/LastName", {"length": 120})

    first = clerk.good("POST", "/admin/attention/quarantine")
    second = clerk.good("POST", "/admin/attention/quarantine", {"next": first["next"]})

    assert (first["decided"], second["decided"], second["next"]) == (2, 1, "")
    for asked in (first, second):
        carry_out(stage, asked["run_id"])
    assert waiting(clerk, "quarantine") == []


def test_people_who_wait_are_paged(clerk: Clerk, stage: Stage) -> None:
    hold_phones(clerk)
    for number in range(5):
        disagree(stage, f"p{number}@example.com")
    stage.sync()

    seen, after = [], ""
    for _ in range(3):
        page = clerk.good("GET", "/admin/attention", kind="hold", limit="2", next=after)
        seen.append([it["email"][:2] for it in page["people"]])
        after = page["next"]
    assert seen == [["p0", "p1"], ["p2", "p3"], ["p4"]]
    assert after == ""
    assert clerk.ask("GET", "/admin/attention", kind="hold", next="%%%").status == 422
    assert clerk.ask("GET", "/admin/attention", kind="gone").status == 422
    assert clerk.ask("GET", "/admin/attention").status == 422


def test_a_person_is_told_with_three_trees_and_why_each_field_has_its_value(
    clerk: Clerk, stage: Stage
) -> None:
    hold_phones(clerk)
    person, lead = disagree(stage, PLUS)
    run = stage.sync()

    told = clerk.good("GET", f"/admin/contacts/{in_path('A+B@X.fr')}")

    assert told["email"] == PLUS
    assert told["plezi"]["id"] == person
    assert [it["id"] for it in told["salesforce"]] == [lead]
    assert told["base"][person]["last_name"] == "Lopez"
    fields = {it["field"]: it for it in told["fields"]}
    assert fields["LastName"]["why"] == "agreed since first meeting"
    assert fields["LastName"]["values"] == {person: "Lopez", lead: "Lopez"}
    assert fields["Phone"]["why"].startswith("waits for a person")
    assert fields["plezi_url__c"]["last"]["run_id"] == run.id
    assert f"in run {run.id}" in fields["plezi_url__c"]["why"]
    assert fields["FirstName"]["why"]
    assert {it["field"] for it in told["journal"]["lines"]} >= {"Phone", "plezi_url__c"}
    assert clerk.ask("GET", "/admin/contacts/no%40x.fr").status == 404


def test_the_journal_of_a_person_is_paged_without_a_gap(clerk: Clerk, stage: Stage) -> None:
    disagree(stage, PLUS)
    stage.sync()
    path = f"/admin/contacts/{in_path(PLUS)}"
    everything = clerk.good("GET", path)["journal"]["lines"]
    assert len(everything) > 2

    seen, after = [], ""
    while True:
        page = clerk.good("GET", path, limit="2", next=after)["journal"]
        seen += page["lines"]
        after = page["next"]
        if not after:
            break
    assert seen == everything
    assert clerk.ask("GET", path, next="nonsense").status == 422


def test_no_page_leads_to_the_journal_of_somebody_else(clerk: Clerk, stage: Stage) -> None:
    for email in (PLUS, "zoe@example.com"):
        disagree(stage, email)
    stage.sync()
    zoe = clerk.good("GET", f"/admin/contacts/{in_path('zoe@example.com')}", limit="1")

    page = clerk.good(
        "GET", f"/admin/contacts/{in_path(PLUS)}", limit="200", next=zoe["journal"]["next"]
    )
    assert {line["email"] for line in page["journal"]["lines"]} <= {PLUS}


def test_the_runs_are_listed_told_and_a_dry_run_has_a_plan(clerk: Clerk, stage: Stage) -> None:
    for number in range(3):
        stage.add_person(email=f"p{number}@example.com", last_name="Lopez")
    dry = stage.sync(kind=RunKind.DRY_RUN)
    real = stage.sync()

    listed = clerk.good("GET", "/admin/runs", limit="1")
    assert [it["run_id"] for it in listed["runs"]] == [real.id]
    older = clerk.good("GET", "/admin/runs", limit="1", next=listed["next"])
    assert [it["run_id"] for it in older["runs"]] == [dry.id]
    assert clerk.good("GET", "/admin/runs", forms="true")["runs"] == []

    plan = clerk.good("GET", f"/admin/runs/{dry.id}/plan", limit="2")
    assert len(plan["journal"]) == 2
    rest = clerk.good("GET", f"/admin/runs/{dry.id}/plan", next=plan["next"])
    emails = {line["email"] for line in plan["journal"] + rest["journal"]}
    assert emails == {f"p{number}@example.com" for number in range(3)}
    told = clerk.good("GET", f"/admin/runs/{real.id}")
    assert told["counts"]["salesforce"]["created"] == 3
    assert told["journal"]
    assert clerk.ask("GET", f"/admin/runs/{real.id}/plan").status == 404
    assert clerk.ask("GET", "/admin/runs/no-such-run").status == 404
    assert clerk.ask("GET", f"/admin/runs/{real.id}", next="x").status == 422
    assert clerk.ask("GET", "/admin/runs", limit="0").status == 422


def test_every_change_of_an_administrator_is_in_the_audit(clerk: Clerk, stage: Stage) -> None:
    hold_phones(clerk)
    person, lead = disagree(stage, PLUS)
    stage.sync()
    choice = f"/admin/attention/holds/{in_path(PLUS)}/Phone"
    clerk.good("POST", choice, {"record": person}, who="arn:bob")
    clerk.good("POST", "/admin/pause")
    clerk.good("POST", "/admin/start")
    clerk.ask("PUT", "/admin/mapping", {"version": 7})

    entries = clerk.good("GET", "/admin/audit")["entries"]

    told = [(it["who"], it["what"]) for it in entries]
    assert told == [
        (WHO, "start"),
        (WHO, "pause"),
        ("arn:bob", "choose Phone"),
        (WHO, "mapping"),
    ]
    assert all(it["before"] != it["after"] for it in entries)
    assert entries[2]["subject"] == ", ".join(sorted((person, lead)))
    assert entries[3]["subject"] == "version 1"
    assert PLUS not in json.dumps(entries)


def test_the_audit_is_paged_and_never_overwritten(clerk: Clerk) -> None:
    for _ in range(3):
        clerk.good("POST", "/admin/pause")
    first = clerk.good("GET", "/admin/audit", limit="2")
    second = clerk.good("GET", "/admin/audit", limit="2", next=first["next"])
    assert (len(first["entries"]), len(second["entries"]), second["next"]) == (2, 1, "")
    assert clerk.ask("GET", "/admin/audit", next="é").status == 422

    office = replace(wiring.office(), clock=lambda: 0.0, new_id=lambda: "same")
    office.note("arn:bob", "start")
    table = boto3.client("dynamodb", region_name=REGION)
    with pytest.raises(table.exceptions.ClientError, match="conditional"):
        office.note("arn:mallory", "start")
