"""The main scenarios in the dialect that a probe found, for tenants of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connector.model import RunState
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

OLD_RAILS: Mapping[str, Any] = {
    "update_method": "put_or_patch",
    "unnamed_attributes": "cleared",
    "pager": "limit_offset",
    "page_size_cap": 7,
    "changed_since": "absent",
    "stamps": "local",
}
SILENT: Mapping[str, Any] = {
    "unknown_parameters": "ignored",
    "changed_since": "ignored",
    "email_filter": "ignored",
    "update_method": "post_upsert",
    "meta": "missing",
    "empty_values": "omitted",
}
RENAMED: Mapping[str, Any] = {
    "attribute_spelling": {
        "email": "mail",
        "phone": "telephone",
        "function": "fonction",
        "updated_at": "modified_at",
        "last_name": "nom",
    },
    "type_names": {"text": "string", "phone": "tel", "multi_list": "multi_select"},
    "changed_since_name": "updated_since",
    "known_email": "conflict",
    "score_type": "text",
}
BLIND: Mapping[str, Any] = {
    "get_by_id": "not_found",
    "sort": "ignored",
    "schema_call": "absent",
    "page_url": "missing",
    "page_size_cap": 3,
    "empty_values": "null",
}
WITHOUT_STAMPS: Mapping[str, Any] = {
    "updated_at": "missing",
    "update_method": "patch",
    "pager": "limit_offset",
    "known_email": "conflict_409",
    "error_format": "html",
    "attribute_spelling": {"company": "societe"},
    "schema_call": "absent",
}
WITHOUT_NULLS: Mapping[str, Any] = {"null_write": "ignored", "multi_list_write": "adds"}
TENANTS = {
    "as_assumed": {},
    "old_rails": OLD_RAILS,
    "silent": SILENT,
    "renamed": RENAMED,
    "blind": BLIND,
    "without_stamps": WITHOUT_STAMPS,
    "without_nulls": WITHOUT_NULLS,
    "renamed_and_old": {**RENAMED, **OLD_RAILS, "null_write": "refused"},
    "blind_and_omitting": {**BLIND, "empty_values": "omitted", "update_method": "patch"},
}
ANA, BOB, CLEO = "ana@example.com", "bob@example.com", "cleo@example.com"


class Users:
    """Users of both systems; what they do in Plezi does not depend on its API."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness

    def add_person(self, **attributes: Any) -> str:
        created = self.harness.control("plezi", "POST", "contacts", attributes)
        return str(created["id"])

    def edit_person(self, person: str, **attributes: Any) -> None:
        self.harness.control("plezi", "PATCH", f"contacts/{person}", attributes)

    def lead(self, email: str) -> dict[str, Any]:
        (lead,) = self.harness.leads(email)
        return lead

    def person(self, email: str) -> dict[str, Any]:
        return self.harness.people()[email]

    def wait(self) -> None:
        for side in ("plezi", "salesforce"):
            self.harness.control(side, "POST", "clock", {"advance": 60})

    def sync(self) -> None:
        run = self.harness.sync()
        assert run.state is RunState.DONE, run.message


@pytest.fixture(params=TENANTS)
def users(harness: Harness, admin_client: AdminClient, request: pytest.FixtureRequest) -> Users:
    """Return the users of a tenant that was probed and is synchronized."""
    harness.control("plezi", "POST", "load", {"contacts": 10, "spread_seconds": 3600})
    harness.control("plezi", "POST", "switches", TENANTS[request.param])
    admin_client.request_ok("POST", "/admin/pause")
    contact = {"contact": "throwaway@example.com", "throwaway": True}
    report = admin_client.request_ok("POST", "/admin/plezi/probe", contact)
    assert (report["state"], report["refusals"]) == ("done", [])
    admin_client.request_ok("POST", "/admin/start")
    return Users(harness)


def test_the_main_scenarios_hold_in_the_dialect_that_was_found(users: Users) -> None:
    harness = users.harness
    ana = users.add_person(email=ANA, last_name="Lopez", phone="111", function="CMO")
    cleo = users.add_person(email=CLEO, last_name="Roi", phone="555", company="Nord")
    harness.add_lead(Email=BOB, LastName="Roi", Company="Roi SA", Phone="444")
    users.sync()
    assert (users.lead(ANA)["Phone"], users.lead(ANA)["Title"]) == ("111", "CMO")
    assert users.lead(ANA)["plezi_url__c"].endswith(f"/contacts/{ana}")
    bob = users.person(BOB)
    assert (bob["company"], bob["phone"]) == ("Roi SA", "444")

    users.edit_person(ana, first_name="Ana")  # both directions, fields that others keep
    harness.edit_lead(users.lead(BOB)["Id"], MobilePhone="+33 6 11 22 33 44")
    users.sync()
    assert (users.lead(ANA)["FirstName"], users.lead(ANA)["Phone"]) == ("Ana", "111")
    bob = users.person(BOB)
    assert (bob["mobile"], bob["company"], bob["phone"]) == (
        "+33 6 11 22 33 44",
        "Roi SA",
        "444",
    )

    users.wait()  # a conflict: the newest wins, Plezi's edit is older or has no time
    users.edit_person(ana, phone="222")
    users.wait()
    harness.edit_lead(users.lead(ANA)["Id"], Phone="333")
    users.sync()
    assert users.lead(ANA)["Phone"] == users.person(ANA)["phone"] == "333"

    users.edit_person(cleo, phone=None)  # clearing, on each side
    harness.edit_lead(users.lead(BOB)["Id"], Phone=None)
    users.sync()
    assert not users.lead(CLEO)["Phone"]
    assert not users.person(BOB)["phone"]
    assert users.person(BOB)["company"] == "Roi SA"
    assert users.person(CLEO)["company"] == "Nord"

    assert len(harness.leads()) == len(harness.people())
    harness.mark()
    users.sync()
    writes = [harness.calls(side)["writes"] for side in ("plezi", "salesforce")]
    assert writes == [0, 0]
