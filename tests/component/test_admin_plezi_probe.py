"""The probe in the admin API: consent, the status, and a tenant that cannot be served."""

from __future__ import annotations

import json

from connector.errors import StopReason
from connector.model import RunState
from tests.component.admin_client import WHO, AdminClient
from tests.component.harness import Harness

PROBE = "/admin/plezi/probe"
THROWAWAY = "throwaway@example.com"


def set_switches(harness: Harness, **switches: object) -> None:
    harness.control("plezi", "POST", "switches", switches)


def test_the_dialect_that_was_found_is_used_and_shown_in_the_status(
    harness: Harness, admin_client: AdminClient
) -> None:
    assert admin_client.request_ok("GET", "/admin/status")["plezi_dialect"] is None
    set_switches(
        harness,
        pager="limit_offset",
        page_size_cap=7,
        attribute_spelling={"phone": "phone_number"},
    )
    harness.control("plezi", "POST", "load", {"contacts": 20})

    report = admin_client.request_ok("POST", PROBE)

    assert report == admin_client.request_ok("GET", PROBE)
    shown = admin_client.request_ok("GET", "/admin/status")["plezi_dialect"]
    assert shown["tenant"] == harness.tenant.tenant_name
    assert shown["keys"]["pager"] == "limit_offset"
    assert shown["keys"]["attributes"] == {"phone": "phone_number"}
    assert shown["refusal"] == ""
    run = harness.sync()  # the worker was started before the probe
    assert run.state is RunState.DONE, run.message
    phones = {contact["email"]: contact["phone"] for contact in harness.people().values()}
    assert {lead["Email"]: lead["Phone"] for lead in harness.leads()} == phones
    fields = admin_client.request_ok("GET", "/admin/fields")
    assert "phone" in {field["name"] for field in fields["plezi"]}


def test_a_tenant_that_cannot_be_served_is_refused_before_the_start_and_in_each_run(
    harness: Harness, admin_client: AdminClient
) -> None:
    set_switches(harness, unnamed_attributes="cleared")
    admin_client.request_ok("POST", "/admin/pause")
    report = admin_client.request_ok("POST", PROBE, {"contact": THROWAWAY})
    assert "keeps the attributes" in report["refusals"][0]["reason"]

    refused = admin_client.request("POST", "/admin/start")

    assert refused.status == 409
    assert "keeps the attributes" in refused.body["message"]
    harness.ledger.set_enabled(on=True, now=0.0)
    harness.add_lead(Email="bob@example.com")
    harness.mark()
    run = harness.sync()
    assert (run.state, run.reason) == (RunState.HALTED, StopReason.PLEZI_NOT_SERVED)
    assert "POST /admin/plezi/probe" in run.message
    assert harness.calls("plezi")["writes"] == 0

    harness.use_settings(plezi_dialect='{"update_method": "put"}')
    assert harness.sync().state is RunState.DONE


def test_a_contact_is_only_written_while_synchronization_is_paused(
    harness: Harness, admin_client: AdminClient
) -> None:
    refused = admin_client.request("POST", PROBE, {"contact": THROWAWAY})

    assert refused.status == 409
    assert "POST /admin/pause" in refused.body["message"]
    assert harness.people() == {}


def test_the_audit_log_names_who_let_the_probe_write(
    harness: Harness, admin_client: AdminClient
) -> None:
    admin_client.request_ok("POST", "/admin/pause")
    admin_client.request_ok("POST", PROBE, {"contact": THROWAWAY})

    entries = admin_client.request_ok("GET", "/admin/audit")["entries"]

    actions = [entry["action"] for entry in entries]
    assert actions == ["probe plezi", "write a throwaway contact in plezi", "pause"]
    assert {entry["actor"] for entry in entries} == {WHO}
    assert THROWAWAY not in json.dumps(entries)
    assert THROWAWAY in harness.people()  # this tenant does not delete it


def test_a_contact_that_is_synchronized_is_never_a_throwaway_contact(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.add_person(email=THROWAWAY, last_name="Lopez")
    harness.sync()
    before = harness.people()
    admin_client.request_ok("POST", "/admin/pause")

    body = {"contact": THROWAWAY.upper(), "throwaway": True}
    refused = admin_client.request("POST", PROBE, body)

    assert refused.status == 409
    assert "synchronized with Salesforce" in refused.body["message"]
    assert harness.people() == before


def test_a_text_that_is_no_email_is_refused(admin_client: AdminClient) -> None:
    refused = admin_client.request("POST", PROBE, {"contact": "nobody"})

    assert (refused.status, refused.body["error"]) == (422, "request")


def test_the_report_has_no_value_of_another_contact(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.control("plezi", "POST", "load", {"contacts": 20})
    values = {
        str(value)
        for contact in harness.people().values()
        for name in ("email", "first_name", "last_name", "phone", "company", "id")
        if (value := contact[name])
    }

    text = json.dumps(admin_client.request_ok("POST", PROBE))
    stored = json.dumps(harness.ledger.load_document("plezi_probe"))

    assert not [value for value in values if value in text or value in stored]
