"""The review queue, decisions, the view of a contact, runs, and the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import boto3
import pytest

from connector.log_events import Event
from connector.model import AttentionKind, Link, LinkChange, RunKind, RunState, SaveResult
from functions.admin.admin_app import ADMIN
from tests.component.admin_client import WHO, AdminClient, in_path
from tests.component.harness import REGION, Harness
from tests.component.people_fixtures import ANA

PLUS = "a+b@x.fr"
LONG = "x" * 81
"""One character more than Lead.LastName allows."""


def hold_phones(admin_client: AdminClient) -> None:
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    for pair in mapping["pairs"]:
        if pair["salesforce"] == "Phone":
            pair["policy"] = "hold"
    admin_client.request_ok("PUT", "/admin/mapping", mapping)


def save_opt_out_pair(admin_client: AdminClient) -> None:
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    name = "newsletter_optout"
    pair = {"plezi": name, "salesforce": f"{name}__c", "direction": "both"}
    pair["policy"] = "most_restrictive"
    others = [each for each in mapping["pairs"] if each["saved"]]
    admin_client.request_ok("PUT", "/admin/mapping", {**mapping, "pairs": [*others, pair]})


def add_conflict(harness: Harness, email: str) -> tuple[str, str]:
    """Add a contact with different phone numbers on both sides; return the ids of both records."""
    person = harness.add_person(email=email, last_name="Lopez", phone="111")
    lead = harness.add_lead(Email=email, LastName="Lopez", Phone="222")
    return person, lead


def apply(harness: Harness, run_id: str) -> None:
    run = harness.ledger.load_run(run_id)
    assert run is not None
    assert run.kind is RunKind.SELECTED
    assert harness.run_phase(run_id).state is RunState.DONE


def review_queue(admin_client: AdminClient, kind: str) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = admin_client.request_ok("GET", "/admin/attention", kind=kind)[
        "people"
    ]
    return people


def test_a_held_field_is_listed_with_each_value_and_resolved_by_a_choice(
    admin_client: AdminClient, harness: Harness
) -> None:
    hold_phones(admin_client)
    person, lead = add_conflict(harness, PLUS)
    harness.sync()
    (item,) = review_queue(admin_client, "hold")
    assert item["email"] == PLUS
    (hold,) = item["holds"]
    assert hold["field"] == "Phone"
    assert {value["record"]: value["value"] for value in hold["values"]} == {
        person: "111",
        lead: "222",
    }

    path = f"/admin/attention/holds/{in_path(PLUS)}/Phone"
    decision = admin_client.request_ok("POST", path, {"record": person})
    apply(harness, decision["run_id"])

    assert harness.leads(PLUS)[0]["Phone"] == "111"
    assert review_queue(admin_client, "hold") == []
    assert admin_client.request_ok("GET", "/admin/status")["attention"]["hold"] == 0


def test_a_choice_that_is_not_possible_any_more_is_refused(
    admin_client: AdminClient, harness: Harness
) -> None:
    hold_phones(admin_client)
    person, _ = add_conflict(harness, PLUS)
    harness.sync()
    path = f"/admin/attention/holds/{in_path(PLUS)}"

    assert admin_client.request("POST", f"{path}/Phone", {"record": "unknown"}).status == 409
    assert admin_client.request("POST", f"{path}/Title", {"record": person}).status == 409
    unknown = admin_client.request(
        "POST", "/admin/attention/holds/no%40x.fr/Phone", {"record": person}
    )
    assert unknown.status == 404


def test_a_choice_for_a_link_that_changes_at_the_same_time_is_refused(
    admin_client: AdminClient, harness: Harness
) -> None:
    hold_phones(admin_client)
    person, _ = add_conflict(harness, PLUS)
    harness.sync()
    context = ADMIN.get()

    class Racing:
        """A ledger in which a run stores a link after it was read."""

        def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
            links = context.review.load_links(emails)
            context.review.save_links([LinkChange(link) for link in links.values()])
            return links

        def save_links(self, changes: Sequence[LinkChange]) -> SaveResult:
            return context.review.save_links(changes)

        def emails_needing_attention(
            self, kind: AttentionKind, limit: int, after: str = ""
        ) -> list[str]:
            return context.review.emails_needing_attention(kind, limit, after)

    ADMIN.use(replace(context, review=Racing()))

    response = admin_client.request(
        "POST", f"/admin/attention/holds/{in_path(PLUS)}/Phone", {"record": person}
    )

    assert response.status == 409
    assert context.review.load_links([PLUS])[PLUS].holds["Phone"].chosen == ""


def test_a_contact_in_quarantine_is_listed_with_code_and_remedy_and_retried(
    admin_client: AdminClient, harness: Harness
) -> None:
    person = harness.add_person(email=PLUS, last_name=LONG)
    harness.sync()
    (item,) = review_queue(admin_client, "quarantine")
    quarantine = item["quarantine"]
    assert (quarantine["side"], quarantine["code"]) == ("salesforce", "STRING_TOO_LONG")
    assert "shorten" in quarantine["remedy"]
    harness.control("salesforce", "PATCH", "fields/Lead/LastName", {"length": 120})

    path = f"/admin/attention/quarantine/{in_path(PLUS)}/retry"
    apply(harness, admin_client.request_ok("POST", path)["run_id"])

    assert review_queue(admin_client, "quarantine") == []
    assert harness.leads(PLUS)[0]["LastName"] == LONG
    assert admin_client.request("POST", path).status == 409
    assert admin_client.request("POST", "/admin/attention/quarantine/no%40x.fr/retry").status == 404
    assert person


def test_several_leads_are_listed_and_one_is_picked(
    admin_client: AdminClient, harness: Harness
) -> None:
    first = harness.add_lead(Email=PLUS, LastName="One")
    second = harness.add_lead(Email=PLUS, LastName="Two")
    harness.sync()
    (item,) = review_queue(admin_client, "duplicate")
    assert {lead["id"] for lead in item["leads"]} == {first, second}
    assert not any(lead["primary"] for lead in item["leads"])
    path = f"/admin/attention/duplicates/{in_path(PLUS)}"

    assert admin_client.request("POST", path, {"lead": "00Qunknown"}).status == 409
    apply(harness, admin_client.request_ok("POST", path, {"lead": second})["run_id"])

    (item,) = review_queue(admin_client, "duplicate")
    assert [lead["id"] for lead in item["leads"] if lead["primary"]] == [second]
    assert (
        admin_client.request("POST", "/admin/attention/duplicates/no%40x.fr", {"lead": "1"}).status
        == 404
    )


def test_a_side_is_chosen_for_all_contacts_with_a_hold_of_a_field(
    admin_client: AdminClient, harness: Harness
) -> None:
    hold_phones(admin_client)
    emails = [f"p{number}@example.com" for number in range(5)]
    for email in emails:
        add_conflict(harness, email)
    harness.sync()
    assert admin_client.request_ok("GET", "/admin/status")["attention"]["hold"] == 5

    no_contact = admin_client.request_ok(
        "POST", "/admin/attention/holds", {"field": "Title", "side": "plezi"}
    )
    assert (no_contact["run_id"], no_contact["decided"]) == (None, 0)
    decision = admin_client.request_ok(
        "POST", "/admin/attention/holds", {"field": "Phone", "side": "salesforce"}
    )
    assert (decision["decided"], decision["conflicts"], decision["next"]) == (5, 0, "")
    apply(harness, decision["run_id"])

    assert review_queue(admin_client, "hold") == []
    people = harness.people()
    assert {people[email]["phone"] for email in emails} == {"222"}


PHONE_POLICY: Final = {"field": "Phone", "side": "salesforce", "version": 1}


class TestAlwaysSo:
    """A choice that becomes the policy of its pair."""

    def test_a_preview_counts_who_waits_and_changes_nothing(
        self, admin_client: AdminClient, harness: Harness
    ) -> None:
        hold_phones(admin_client)
        for number in range(3):
            add_conflict(harness, f"p{number}@example.com")
        harness.sync()

        shown = self.post(admin_client, preview=True)

        assert (shown["policy_before"], shown["policy"]) == ("hold", "salesforce_wins")
        assert shown["waiting"]["decided"] == 3
        assert shown["waiting"]["overwritten"] == 3
        assert shown["waiting"]["run_id"] is None
        assert admin_client.request_ok("GET", "/admin/status")["mapping_version"] == 1
        assert len(review_queue(admin_client, "hold")) == 3

    def test_the_policy_is_a_version_and_decides_waiting_and_later_conflicts(
        self, admin_client: AdminClient, harness: Harness
    ) -> None:
        hold_phones(admin_client)
        first, _ = add_conflict(harness, PLUS)
        harness.sync()

        decided = self.post(admin_client)
        apply(harness, decided["waiting"]["run_id"])

        assert decided["version"] == 2
        assert decided["manual_sync_due"] is True
        assert harness.people()[PLUS]["phone"] == "222"
        assert review_queue(admin_client, "hold") == []
        newest = admin_client.request_ok("GET", "/admin/mapping/versions", limit="1")["versions"][0]
        assert (newest["version"], newest["saved_by"]) == (2, WHO)
        assert [(it["before"], it["after"]) for it in newest["changed"]] == [
            ("hold", "salesforce_wins")
        ]
        harness.sync(kind=RunKind.FULL)
        harness.edit_person(first, phone="333")
        harness.edit_lead(harness.leads(PLUS)[0]["Id"], Phone="444")
        harness.sync()
        assert harness.people()[PLUS]["phone"] == "444"
        assert review_queue(admin_client, "hold") == []

    def test_the_next_full_run_decides_what_the_request_did_not(
        self, admin_client: AdminClient, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connector.admin.bulk_decisions.PAGE", 2)
        hold_phones(admin_client)
        for number in range(3):
            add_conflict(harness, f"p{number}@example.com")
        harness.sync()
        decided = self.post(admin_client)
        assert (decided["waiting"]["decided"], bool(decided["waiting"]["next"])) == (2, True)
        apply(harness, decided["waiting"]["run_id"])

        harness.sync(kind=RunKind.FULL)

        assert review_queue(admin_client, "hold") == []
        assert {person["phone"] for person in harness.people().values()} == {"222"}

    def test_another_version_a_locked_pair_and_a_side_that_sends_nothing_are_refused(
        self, admin_client: AdminClient
    ) -> None:
        assert self.refused(admin_client, version=7) == (409, "stale")
        for changes in (
            {"field": "Fax"},
            {"field": "Email"},
            {"field": "Title"},  # to Salesforce only
        ):
            assert self.refused(admin_client, version=0, **changes) == (422, "request")
        assert admin_client.request_ok("GET", "/admin/status")["mapping_version"] == 0

    def test_an_opt_out_is_never_left_to_one_side(self, admin_client: AdminClient) -> None:
        save_opt_out_pair(admin_client)

        response = admin_client.request(
            "POST",
            "/admin/attention/policies",
            {"field": "newsletter_optout__c", "side": "plezi", "version": 1},
        )

        assert response.status == 422
        assert "most_restrictive" in response.body["message"]

    def post(self, admin_client: AdminClient, **changes: Any) -> Any:
        return admin_client.request_ok(
            "POST", "/admin/attention/policies", {**PHONE_POLICY, **changes}
        )

    def refused(self, admin_client: AdminClient, **changes: Any) -> tuple[int, str]:
        choice = {**PHONE_POLICY, **changes}
        response = admin_client.request("POST", "/admin/attention/policies", choice)
        return response.status, response.body["error"]


def test_all_contacts_in_quarantine_are_retried_page_by_page(
    admin_client: AdminClient, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.admin.bulk_decisions.PAGE", 2)
    for number in range(3):
        harness.add_person(email=f"p{number}@example.com", last_name=LONG)
    harness.sync()
    harness.control("salesforce", "PATCH", "fields/Lead/LastName", {"length": 120})

    first = admin_client.request_ok("POST", "/admin/attention/quarantine")
    second = admin_client.request_ok("POST", "/admin/attention/quarantine", {"next": first["next"]})

    assert (first["decided"], second["decided"], second["next"]) == (2, 1, "")
    for decision in (first, second):
        apply(harness, decision["run_id"])
    assert review_queue(admin_client, "quarantine") == []


def test_the_review_queue_is_paged(admin_client: AdminClient, harness: Harness) -> None:
    hold_phones(admin_client)
    for number in range(5):
        add_conflict(harness, f"p{number}@example.com")
    harness.sync()

    pages, after = [], ""
    for _ in range(3):
        page = admin_client.request_ok(
            "GET", "/admin/attention", kind="hold", limit="2", next=after
        )
        pages.append([person["email"][:2] for person in page["people"]])
        after = page["next"]
    assert pages == [["p0", "p1"], ["p2", "p3"], ["p4"]]
    assert after == ""
    assert admin_client.request("GET", "/admin/attention", kind="hold", next="%%%").status == 422
    assert admin_client.request("GET", "/admin/attention", kind="gone").status == 422
    assert admin_client.request("GET", "/admin/attention").status == 422


def test_a_contact_has_base_observations_and_the_reason_of_each_value(
    admin_client: AdminClient, harness: Harness
) -> None:
    hold_phones(admin_client)
    person, lead = add_conflict(harness, PLUS)
    run = harness.sync()

    contact = admin_client.request_ok("GET", f"/admin/contacts/{in_path('A+B@X.fr')}")

    assert contact["email"] == PLUS
    assert contact["plezi"]["id"] == person
    assert [record["id"] for record in contact["salesforce"]] == [lead]
    assert contact["base"][person]["last_name>LastName"] == "Lopez"
    fields = {field["field"]: field for field in contact["fields"]}
    assert fields["LastName"]["why"] == "both sides were equal at the first comparison"
    assert fields["LastName"]["values"] == {person: "Lopez", lead: "Lopez"}
    assert fields["Phone"]["why"].startswith("held, needs a decision")
    assert fields["plezi_url__c"]["last"]["run_id"] == run.id
    assert f"in run {run.id}" in fields["plezi_url__c"]["why"]
    assert fields["FirstName"]["why"]
    assert {entry["field"] for entry in contact["journal"]["entries"]} >= {"Phone", "plezi_url__c"}
    assert admin_client.request("GET", "/admin/contacts/no%40x.fr").status == 404


def test_the_journal_of_a_contact_is_paged_without_a_gap(
    admin_client: AdminClient, harness: Harness
) -> None:
    add_conflict(harness, PLUS)
    harness.sync()
    path = f"/admin/contacts/{in_path(PLUS)}"
    all_entries = admin_client.request_ok("GET", path)["journal"]["entries"]
    assert len(all_entries) > 2

    entries, after = [], ""
    while True:
        page = admin_client.request_ok("GET", path, limit="2", next=after)["journal"]
        entries += page["entries"]
        after = page["next"]
        if not after:
            break
    assert entries == all_entries
    assert admin_client.request("GET", path, next="nonsense").status == 422


def test_a_page_token_does_not_open_the_journal_of_another_contact(
    admin_client: AdminClient, harness: Harness
) -> None:
    for email in (PLUS, "zoe@example.com"):
        add_conflict(harness, email)
    harness.sync()
    zoe = admin_client.request_ok("GET", f"/admin/contacts/{in_path('zoe@example.com')}", limit="1")

    page = admin_client.request_ok(
        "GET", f"/admin/contacts/{in_path(PLUS)}", limit="200", next=zoe["journal"]["next"]
    )
    assert {entry["email"] for entry in page["journal"]["entries"]} <= {PLUS}


def test_runs_are_listed_and_shown_and_a_dry_run_has_a_plan(
    admin_client: AdminClient, harness: Harness
) -> None:
    for number in range(3):
        harness.add_person(email=f"p{number}@example.com", last_name="Lopez")
    dry = harness.sync(kind=RunKind.DRY_RUN)
    real = harness.sync()

    listed = admin_client.request_ok("GET", "/admin/runs", limit="1")
    assert [run["run_id"] for run in listed["runs"]] == [real.id]
    older = admin_client.request_ok("GET", "/admin/runs", limit="1", next=listed["next"])
    assert [run["run_id"] for run in older["runs"]] == [dry.id]
    assert admin_client.request_ok("GET", "/admin/runs", forms="true")["runs"] == []

    plan = admin_client.request_ok("GET", f"/admin/runs/{dry.id}/plan", limit="2")
    assert len(plan["journal"]) == 2
    rest = admin_client.request_ok("GET", f"/admin/runs/{dry.id}/plan", next=plan["next"])
    emails = {entry["email"] for entry in plan["journal"] + rest["journal"]}
    assert emails == {f"p{number}@example.com" for number in range(3)}
    detail = admin_client.request_ok("GET", f"/admin/runs/{real.id}")
    assert detail["counts"]["salesforce"]["created"] == 3
    assert detail["journal"]
    assert admin_client.request("GET", f"/admin/runs/{real.id}/plan").status == 404
    assert admin_client.request("GET", "/admin/runs/no-such-run").status == 404
    assert admin_client.request("GET", f"/admin/runs/{real.id}", next="x").status == 422
    assert admin_client.request("GET", "/admin/runs", limit="0").status == 422


def test_every_change_by_an_admin_is_in_the_audit_log(
    admin_client: AdminClient, harness: Harness
) -> None:
    hold_phones(admin_client)
    person, lead = add_conflict(harness, PLUS)
    harness.sync()
    choice = f"/admin/attention/holds/{in_path(PLUS)}/Phone"
    admin_client.request_ok("POST", choice, {"record": person}, who="arn:bob")
    admin_client.request_ok("POST", "/admin/pause")
    admin_client.request_ok("POST", "/admin/start")
    admin_client.request("PUT", "/admin/mapping", {"version": 7})

    entries = admin_client.request_ok("GET", "/admin/audit")["entries"]

    assert [(entry["actor"], entry["action"]) for entry in entries] == [
        (WHO, "start"),
        (WHO, "pause"),
        ("arn:bob", "choose Phone"),
        (WHO, "mapping"),
    ]
    assert all(entry["before"] != entry["after"] for entry in entries)
    assert entries[2]["subject"] == ", ".join(sorted((person, lead)))
    assert entries[3]["subject"] == "version 1"
    assert PLUS not in json.dumps(entries)


def test_the_audit_log_is_paged_and_never_overwritten(admin_client: AdminClient) -> None:
    for _ in range(3):
        admin_client.request_ok("POST", "/admin/pause")
    first = admin_client.request_ok("GET", "/admin/audit", limit="2")
    second = admin_client.request_ok("GET", "/admin/audit", limit="2", next=first["next"])
    assert (len(first["entries"]), len(second["entries"]), second["next"]) == (2, 1, "")
    assert admin_client.request("GET", "/admin/audit", next="é").status == 422

    context = replace(ADMIN.get(), clock=lambda: 0.0, new_id=lambda: "same")
    context.audit_change("arn:bob", "start")
    table = boto3.client("dynamodb", region_name=REGION)
    with pytest.raises(table.exceptions.ClientError, match="conditional"):
        context.audit_change("arn:mallory", "start")


def test_a_person_has_the_name_that_the_log_has(
    admin_client: AdminClient, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    harness.edit_person(person, last_name="x" * 90)  # longer than Salesforce takes
    logged: list[dict[str, object]] = []

    def log(event: Event, **fields: object) -> None:
        logged.append({"event": event, **fields})

    monkeypatch.setitem(vars(harness.context), "log", log)

    harness.sync()

    shown = admin_client.request_ok("GET", f"/admin/contacts/{in_path(ANA)}")
    links = [it["link"] for it in logged if it["event"] is Event.link_quarantined]
    assert links == [shown["log_name"]]


def test_a_person_with_whom_nothing_was_ever_agreed_is_shown(
    admin_client: AdminClient, harness: Harness
) -> None:
    """A defect at the first meeting leaves such a link in quarantine."""
    harness.ledger.save_links([LinkChange(Link(ANA, dirty=True))])

    shown = admin_client.request_ok("GET", f"/admin/contacts/{in_path(ANA)}")

    assert (shown["email"], shown["base"]) == (ANA, {})
