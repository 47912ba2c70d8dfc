"""Whatever accepts a mapping validates it in the same way (field case M6)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from connector.errors import MappingError
from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.mapping.document import mapping_document
from connector.mapping.model import ConflictPolicy
from connector.model import RunKind, RunState
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA

Document = dict[str, Any]
BOTH = Direction.BOTH
INVALID_PAIRS = {
    "unknown_name": FieldPair("shoe_size", "shoe_size__c", BOTH),
    "unsupported_type": FieldPair("source", "Address", BOTH),
    "lossy_types": FieldPair("birthdate", "NumberOfEmployees", BOTH),
    "not_writable": FieldPair("source", "Owner.Name", BOTH),
    "one_way_special": FieldPair("state", "Rating", BOTH),
    "duplicate": FieldPair("first_name", "Website", BOTH),
    "policy": FieldPair("source", "City", BOTH, policy=ConflictPolicy.MOST_RESTRICTIVE),
    "enforced": FieldPair("employees", "NumberOfEmployees", BOTH, enforced=True),
    "locked": FieldPair("employees", "NumberOfEmployees", BOTH, locked=True),
    "placeholder": FieldPair("employees", "NumberOfEmployees", BOTH, placeholder="[unknown]"),
}
PAGES = ("query", "queryAll", "list")


def with_pairs(*pairs: FieldPair, version: int = 0) -> Document:
    mapping = replace(DEFAULT_MAPPING, pairs=(*DEFAULT_MAPPING.pairs, *pairs))
    return {**mapping_document(mapping), "version": version}


def dry_run(harness: Harness, admin_client: AdminClient, draft: Document) -> dict[str, Any]:
    run, _ = harness.dry_run(draft=json.dumps(draft))
    shown: dict[str, Any] = admin_client.request_ok("GET", f"/admin/runs/{run.id}")
    return shown


@pytest.mark.parametrize("code", INVALID_PAIRS)
def test_m6_a_dry_run_of_an_invalid_mapping_reports_the_problems_of_a_save_and_reads_nobody(
    harness: Harness, admin_client: AdminClient, code: str
) -> None:
    harness.add_lead(Email=ANA, LastName="Lopez")
    document = with_pairs(INVALID_PAIRS[code])
    saved = admin_client.request("PUT", "/admin/mapping", document)
    assert saved.status == 422
    assert code in {problem["code"] for problem in saved.body["problems"]}
    imported = admin_client.request("PUT", "/admin/mapping.yaml", raw=json.dumps(document))
    assert imported.body["problems"] == saved.body["problems"]
    harness.mark()

    run = dry_run(harness, admin_client, document)

    assert (run["state"], run["reason"]) == ("failed", "mapping")
    assert run["problems"] == saved.body["problems"]
    assert run["problems"][0]["message"] in run["message"]
    assert run["journal"] == []
    for side in ("plezi", "salesforce"):
        assert not any(harness.calls(side)["calls"].get(kind) for kind in PAGES)


def test_m6_a_dry_run_validates_against_the_fields_of_both_sides_as_they_are_now(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.sync()  # describes both systems
    harness.control("plezi", "POST", "attributes", {"name": "shoe_size", "label": "Shoe size"})
    metadata = {"type": "Text", "label": "Shoe size", "length": 40}
    body = {"name": "shoe_size__c", "Metadata": metadata}
    harness.control("salesforce", "POST", "fields/Lead", body)
    harness.add_lead(Email=ANA, LastName="Lopez", shoe_size__c="42")

    run = dry_run(harness, admin_client, with_pairs(INVALID_PAIRS["unknown_name"]))

    assert (run["state"], run["problems"]) == ("done", [])
    written = {entry["field"]: entry["after"] for entry in run["journal"]}
    assert written["shoe_size__c"] == "42"


def test_m6_a_dry_run_uses_the_mapping_as_a_save_would_store_it(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.control("plezi", "POST", "attributes", {"name": "owner", "label": "Owner"})
    harness.add_lead(Email=ANA, LastName="Lopez")

    run = dry_run(harness, admin_client, with_pairs(FieldPair("owner", "Owner.Name", BOTH)))

    assert (run["state"], run["problems"]) == ("done", [])
    assert "Sam Sales" in {entry["after"] for entry in run["journal"]}


def test_m6_a_dry_run_of_a_saved_mapping_that_no_longer_fits_reports_its_problems_too(
    harness: Harness, admin_client: AdminClient
) -> None:
    segment = FieldPair("segment", "segment__c", BOTH)
    admin_client.request_ok("PUT", "/admin/mapping", with_pairs(segment))
    harness.control("salesforce", "DELETE", "fields/Lead/segment__c")
    harness.add_person(email=ANA, last_name="Lopez", segment="smb")

    run, entries = harness.dry_run()

    assert run.state is RunState.DONE, run.message
    [problem] = run.problems
    assert (problem.code, problem.pair) == ("unknown_name", "segment__c")
    assert "Lopez" in {entry.after for entry in entries}
    refused = admin_client.request("PUT", "/admin/mapping", with_pairs(segment, version=1))
    assert [each["message"] for each in refused.body["problems"]] == [problem.message]


def test_m6_a_version_that_no_longer_fits_is_not_restored(
    harness: Harness, admin_client: AdminClient
) -> None:
    segment = FieldPair("segment", "segment__c", BOTH)
    admin_client.request_ok("PUT", "/admin/mapping", with_pairs(segment))
    admin_client.request_ok("PUT", "/admin/mapping", with_pairs(version=1))
    harness.control("salesforce", "DELETE", "fields/Lead/segment__c")
    admin_client.request_ok("GET", "/admin/fields", refresh="true")

    path = "/admin/mapping/versions/1/restore"
    response = admin_client.request("POST", path, {"version": 2})

    assert response.status == 422
    assert [problem["code"] for problem in response.body["problems"]] == ["unknown_name"]


def test_m6_the_mapping_as_it_is_shown_can_be_tested_in_a_dry_run(
    harness: Harness, admin_client: AdminClient
) -> None:
    shown = admin_client.request_ok("GET", "/admin/mapping")

    run = dry_run(harness, admin_client, shown)

    assert (run["state"], run["problems"]) == ("done", [])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"contact_filters": None}, "contact_filters"),
        ({"pairs": [{"plezi": "a", "salesforce": "B", "direction": "both", "polcy": ""}]}, "polcy"),
        ({"pairs": ["phone"]}, "pairs"),
    ],
)
def test_m6_a_draft_of_another_shape_is_refused_when_the_run_is_requested(
    harness: Harness, change: Document, named: str
) -> None:
    draft = json.dumps({**with_pairs(), **change})

    with pytest.raises(MappingError, match=named):
        harness.run_requester.request_run(RunKind.DRY_RUN, draft=draft)


def test_m6_a_draft_must_name_its_contact_filter(harness: Harness) -> None:
    draft = {name: value for name, value in with_pairs().items() if name != "contact_filter"}

    with pytest.raises(MappingError, match="contact_filter"):
        harness.run_requester.request_run(RunKind.DRY_RUN, draft=json.dumps(draft))
