"""Several Leads of one person: compared field by field, with a proposed primary Lead by rule."""

from __future__ import annotations

from connector.planning.duplicate_leads import DuplicateLead, PrimaryRule, propose_primary
from tests.component.admin_client import AdminClient, in_path
from tests.component.harness import SALESFORCE, Harness

ANA = "ana@example.com"
PATH = f"/admin/attention/duplicates/{in_path(ANA)}"


def test_leads_are_compared_with_their_owners_and_pages_in_one_call(
    admin_client: AdminClient, harness: Harness
) -> None:
    first = harness.add_lead(Email=ANA, LastName="Lopez")
    harness.control("salesforce", "POST", "clock", {"advance": 60})
    second = harness.add_lead(Email=ANA, LastName="Lopez", Title="Chief", Phone="+33123456789")
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    admin_client.request_ok("PUT", "/admin/mapping", {**mapping, "duplicates": "hold"})
    harness.sync()
    harness.mark()

    found = admin_client.request_ok("GET", PATH)

    assert harness.calls("salesforce")["total"] == 1
    assert {it["rule"]: it["lead"] for it in found["proposals"]} == {
        "oldest": first,
        "most_complete": second,
        "owner": first,
    }
    leads = {lead["id"]: lead for lead in found["leads"]}
    assert leads[first]["created"] < leads[second]["created"]
    assert leads[second]["filled"] == leads[first]["filled"] + 2
    assert leads[first]["owner"]
    assert leads[first]["page"] == f"{SALESFORCE}/{first}"
    fields = {it["field"]: it for it in found["fields"]}
    assert fields["Title"]["values"] == {first: None, second: "Chief"}
    assert fields["Title"]["differs"] is True
    assert fields["LastName"]["differs"] is False


def test_a_person_with_one_lead_has_nothing_to_compare(
    admin_client: AdminClient, harness: Harness
) -> None:
    harness.add_lead(Email=ANA, LastName="Lopez")
    harness.sync()

    assert admin_client.request("GET", PATH).status == 404


def test_a_rule_proposes_the_oldest_of_the_leads_that_meet_it() -> None:
    old = DuplicateLead("1", "2026-01-01", 3, has_user=False)
    new = DuplicateLead("2", "2026-02-01", 5, has_user=True)
    newest = DuplicateLead("3", "2026-03-01", 5, has_user=True)
    unknown = DuplicateLead("0", "", 1, has_user=False)
    leads = [newest, unknown, new, old]

    assert [propose_primary(rule, leads) for rule in PrimaryRule] == ["1", "2", "2"]
    assert propose_primary(PrimaryRule.OWNER, [old]) == ""
