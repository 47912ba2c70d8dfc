"""An e-mail of very many records is shared: listed for review, and nobody else waits (S1)."""

from __future__ import annotations

from connector.model import RunKind, RunState
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

SHARED = "noemail@example.com"


def add_shared_leads(harness: Harness, number: int) -> list[str]:
    return [
        harness.add_lead(Email=SHARED, LastName=f"Name {each}", Phone=f"1{each:03d}")
        for each in range(number)
    ]


def values(harness: Harness) -> dict[str, tuple[str, str]]:
    return {lead["Id"]: (lead["LastName"], lead["Phone"]) for lead in harness.leads(SHARED)}


def test_150_leads_of_one_address_are_shared_and_an_ordinary_lead_arrives(
    harness: Harness, admin_client: AdminClient
) -> None:
    """Field case S1."""
    add_shared_leads(harness, 75)
    harness.add_lead(Email="ana@example.com", LastName="Lopez")
    add_shared_leads(harness, 75)
    typed = values(harness)

    run = harness.sync()

    assert run.state is RunState.DONE
    assert set(harness.people()) == {"ana@example.com"}
    assert len(typed) == 150
    assert values(harness) == typed
    [listed] = admin_client.request_ok("GET", "/admin/attention", kind="shared")["people"]
    assert listed["email"] == SHARED
    assert "shared" in listed["kinds"]
    assert admin_client.request_ok("GET", "/admin/status")["attention"]["shared"] == 1
    assert run.counts["salesforce"]["skipped.shared_email"] > 0
    harness.mark()
    assert harness.sync().state is RunState.DONE
    assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0


def test_a_contact_of_a_shared_address_is_not_overwritten(harness: Harness) -> None:
    harness.add_person(email=SHARED, last_name="Plezi", phone="999")
    add_shared_leads(harness, 60)
    typed = values(harness)

    assert harness.sync().state is RunState.DONE

    assert values(harness) == typed
    contact = harness.people()[SHARED]
    assert (contact["last_name"], contact["phone"]) == ("Plezi", "999")


def test_a_selected_run_ends_the_sharing_when_the_duplicates_are_deleted(
    harness: Harness, admin_client: AdminClient
) -> None:
    leads = add_shared_leads(harness, 60)
    harness.sync()
    for lead in leads[1:]:
        harness.salesforce("DELETE", f"sobjects/Lead/{lead}")

    run = harness.sync(kind=RunKind.SELECTED, emails=[SHARED])

    assert run.state is RunState.DONE
    assert harness.people()[SHARED]["phone"] == "1000"
    assert admin_client.request_ok("GET", "/admin/attention", kind="shared")["people"] == []
