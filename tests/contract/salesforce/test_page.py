"""The web interface: read, search and edit with the rules of the API, without API calls."""

from __future__ import annotations

from collections.abc import Callable

from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession

Create = Callable[..., str]


def test_an_empty_org_shows_the_next_step(web: PrefixedSession) -> None:
    page = web.get("/")
    assert page.status_code == 200
    assert "No leads yet." in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert web.get("/Nothing").status_code == 404
    assert web.get("/Lead/00Q8d0000000001EAA").status_code == 404


def test_records_are_listed_by_pages_and_searched(
    web: PrefixedSession, org: SalesforceOrg, control: PrefixedSession
) -> None:
    org.load(leads=30, contacts=1)
    first = web.get("/").text
    assert "30 leads" in first
    assert "page=2" in first
    assert first.count("<tr><td>") == 25
    assert web.get("/Lead?page=2").text.count("<tr><td>") == 5
    assert web.get("/Lead?q=PERSON0000007").text.count("<tr><td>") == 1
    assert "None has a name" in web.get("/Lead?q=zz").text
    assert "beyond the last one" in web.get("/Lead?page=99").text
    assert "1 contact," in web.get("/Contact").text
    assert control.get("/calls").json()["total"] == 0


def test_the_short_address_of_a_record_leads_to_its_page(
    web: PrefixedSession, new_lead: Create
) -> None:
    lead = new_lead(LastName="Martin")
    for record in (lead, lead[:15]):
        page = web.get(f"/{record}")
        assert page.status_code == 200
        assert "Martin" in page.text
    assert web.get("/00Q8d0000000001EAA").status_code == 404


def test_values_of_records_are_escaped_in_html(web: PrefixedSession, new_lead: Create) -> None:
    lead = new_lead(Company='<script>"&', interests__c="events")
    for page in (web.get("/"), web.get(f"/Lead/{lead}")):
        assert "<script>" not in page.text
        assert "&lt;script&gt;&#34;&amp;" in page.text


def test_a_save_in_the_browser_changes_only_the_edited_fields(
    web: PrefixedSession, api: PrefixedSession, new_lead: Create, org: SalesforceOrg
) -> None:
    lead = new_lead(Title="CEO", employees__c=5, Description="a\nb", interests__c="events")
    form = {
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
    saved = web.post(f"/Lead/{lead}", data={**form, "interests__c": ["hiring", "events"]})
    assert "Saved." in saved.text
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Title"], row["Status"]) == ("CTO", "Working - Contacted")
    assert (row["Description"], row["DoNotCall"]) == ("a\nb", True)
    assert row["interests__c"] == "events;hiring"
    assert row["LastModifiedById"] == org.sales_user.id
    refused = web.post(f"/Lead/{lead}", data={**form, "Email": "bad"})
    assert refused.status_code == 422
    assert "Email: invalid email address: bad" in refused.text
    assert 'value="bad"' in refused.text
