"""The page in a browser: read, search and edit by the rules of the API, without any API call."""

from __future__ import annotations

from collections.abc import Callable

from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession

Create = Callable[..., str]


def test_an_empty_org_says_what_to_do(wire: PrefixedSession) -> None:
    page = wire.get("/")
    assert page.status_code == 200
    assert "No leads yet." in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert wire.get("/Nothing").status_code == 404
    assert wire.get("/Lead/00Q8d0000000001EAA").status_code == 404


def test_records_are_listed_by_pages_and_found(
    wire: PrefixedSession, org: SalesforceOrg, desk: PrefixedSession
) -> None:
    org.load(leads=30, contacts=1)
    first = wire.get("/").text
    assert "30 leads" in first
    assert "page=2" in first
    assert first.count("<tr><td>") == 25
    assert wire.get("/Lead?page=2").text.count("<tr><td>") == 5
    assert wire.get("/Lead?q=PERSON0000007").text.count("<tr><td>") == 1
    assert "None has a name" in wire.get("/Lead?q=zz").text
    assert "beyond the last one" in wire.get("/Lead?page=99").text
    assert "1 contact," in wire.get("/Contact").text
    assert desk.get("/calls").json()["total"] == 0


def test_what_records_hold_is_text_and_never_markup(
    wire: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(Company='<script>"&', interests__c="events")
    for page in (wire.get("/"), wire.get(f"/Lead/{lead}")):
        assert "<script>" not in page.text
        assert "&lt;script&gt;&#34;&amp;" in page.text


def test_a_person_edits_and_only_what_was_edited_changes(
    wire: PrefixedSession, api: PrefixedSession, new_lead: Create, org: SalesforceOrg
) -> None:
    lead = new_lead(Title="CEO", employees__c=5, Description="a\nb", interests__c="events")
    given = {
        "LastName": "Martin",
        "Company": "Acme",
        "Title": "CTO",
        "Status": "Working - Contacted",
        "Description": "a\r\nb",
        "employees__c": "5",
        "HasOptedOutOfEmail": "false",
        "DoNotCall": "true",
        "newsletter_optout__c": "false",
        "IsUnreadByOwner": "true",
    }
    saved = wire.post(f"/Lead/{lead}", data={**given, "interests__c": ["hiring", "events"]})
    assert "Saved." in saved.text
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Title"], row["Status"]) == ("CTO", "Working - Contacted")
    assert (row["Description"], row["DoNotCall"]) == ("a\nb", True)
    assert row["interests__c"] == "events;hiring"
    assert row["LastModifiedById"] == org.sales_user.id
    refused = wire.post(f"/Lead/{lead}", data={**given, "Email": "bad"})
    assert refused.status_code == 422
    assert "Email: invalid email address: bad" in refused.text
    assert 'value="bad"' in refused.text
