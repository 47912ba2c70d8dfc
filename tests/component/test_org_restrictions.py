"""Missing object permissions, an encrypted e-mail: the run says which, and nothing is lost."""

from __future__ import annotations

import pytest

from connector.model import AttentionKind, RunState
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, advance_clocks, lead_of

INTEGRATION = "integration@acme.example"


def set_permissions(harness: Harness, kind: str, **rights: bool) -> None:
    body = {"username": INTEGRATION, **rights}
    harness.control("salesforce", "POST", f"objects/{kind}/permissions", body)


def describe_again(harness: Harness) -> None:
    for client in harness.context.clients.values():
        client.invalidate_schemas()


@pytest.mark.parametrize(("right", "permission"), [("create", "Create"), ("edit", "Edit")])
@pytest.mark.parametrize("is_described", [True, False])
def test_a_missing_permission_on_leads_halts_with_its_name_and_the_edits_wait(
    harness: Harness, ana: str, right: str, permission: str, *, is_described: bool
) -> None:
    """The describe shows it; between two describes the refusal of the write does."""
    set_permissions(harness, "Lead", **{right: False})
    if is_described:
        describe_again(harness)
    harness.edit_person(ana, phone="222")
    harness.add_person(email=BOB, last_name="Bob")

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, "salesforce_refused")
    assert f"lacks the permission '{permission}' on Lead" in run.message
    assert "Setup > Permission Sets > Object Settings" in run.message
    assert harness.ledger.emails_needing_attention(AttentionKind.QUARANTINE, 10) == []

    set_permissions(harness, "Lead")
    describe_again(harness)
    harness.sync()

    assert lead_of(harness)["Phone"] == "222"
    assert len(harness.leads(BOB)) == 1


def test_a_missing_permission_on_leads_costs_few_calls(harness: Harness) -> None:
    """It is a fault of the user, not of the batch: it is never looked for in halves."""
    for at in range(15):
        harness.add_person(email=f"p{at:03}@example.com", last_name="P")
    harness.sync(skip_stages=True)
    for at in range(15, 30):
        harness.add_person(email=f"p{at:03}@example.com", last_name="P")
    set_permissions(harness, "Lead", create=False)
    harness.mark()

    harness.sync()

    assert harness.calls("salesforce")["calls"]["collections_create"] == 1


@pytest.mark.parametrize("is_described", [True, False])
def test_without_read_on_accounts_only_the_company_of_contacts_is_left_out(
    harness: Harness, *, is_described: bool
) -> None:
    account = harness.salesforce("POST", "sobjects/Account", {"Name": "Acme"})["id"]
    contact = harness.add_contact(
        LastName="Lopez", Email=ANA, AccountId=account, sync_to_plezi__c="yes"
    )
    harness.sync()
    assert harness.people()[ANA]["company"] == "Acme"
    set_permissions(harness, "Account", read=False)
    if is_described:
        describe_again(harness)
    advance_clocks(harness)
    harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"Phone": "9"})

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    person = harness.people()[ANA]
    assert (person["phone"], person["company"]) == ("9", "Acme")

    set_permissions(harness, "Account")
    describe_again(harness)
    harness.salesforce("PATCH", f"sobjects/Account/{account}", {"Name": "Acme 2"})
    harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"Phone": "10"})
    advance_clocks(harness)
    harness.sync()

    assert harness.people()[ANA]["company"] == "Acme 2"


def test_a_lost_answer_about_accounts_is_asked_for_again(harness: Harness) -> None:
    describe_again(harness)
    fault = {"kind": "truncated_body", "path": "/sobjects/Account/", "count": 1}
    harness.control("salesforce", "POST", "faults", fault)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message


def test_an_email_with_deterministic_encryption_changes_nothing(harness: Harness, ana: str) -> None:
    harness.control("salesforce", "PATCH", "fields/Lead/Email", {"encryption": "deterministic"})
    describe_again(harness)
    harness.edit_person(ana, phone="222")
    harness.add_person(email=BOB, last_name="Bob")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert lead_of(harness)["Phone"] == "222"
    assert len(harness.leads(BOB)) == 1


@pytest.mark.parametrize("kind", ["Lead", "Contact"])
@pytest.mark.parametrize("is_described", [True, False])
def test_an_email_that_cannot_be_filtered_halts_with_the_scheme_to_choose(
    harness: Harness, ana: str, kind: str, *, is_described: bool
) -> None:
    scheme = {"encryption": "probabilistic"}
    harness.control("salesforce", "PATCH", f"fields/{kind}/Email", scheme)
    if is_described:
        describe_again(harness)
    harness.edit_person(ana, phone="222")
    harness.add_person(email=BOB, last_name="Bob")

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, "salesforce_refused")
    assert f"{kind}.Email cannot be filtered" in run.message
    assert "choose deterministic encryption" in run.message

    harness.control("salesforce", "PATCH", f"fields/{kind}/Email", {"encryption": "deterministic"})
    harness.sync()

    assert harness.leads(ANA)[0]["Phone"] == "222"
    assert len(harness.leads(BOB)) == 1
