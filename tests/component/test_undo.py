"""The undo of a run: what it wrote is put back, where nobody changed it since."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.errors import StopReason
from connector.model import RunKind, RunState
from connector.planning.announced_changes import ChangeLimits
from connector.sync.change_limits import FEW_CLEARED
from connector.sync.runs import SyncEngine
from tests.component.admin_client import WHO, AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, lead_of, next_run_writes_nothing
from tests.component.test_faults import COLLECTIONS, inject_fault
from tests.component.undo_fixtures import entries, preview, reasons, request, undo

LARGE = pytest.param(1000, 50, marks=pytest.mark.nightly)
"""A run of 1,000 people takes minutes with the emulated DynamoDB."""


def email_of(number: int) -> str:
    return f"p{number:04d}@example.com"


def phones(harness: Harness) -> dict[str, str]:
    return {lead["Email"]: lead["Phone"] for lead in harness.leads()}


def other_values(harness: Harness) -> list[dict[str, Any]]:
    """Return all Leads and contacts without the phone and the times."""
    ignored = {"Phone", "phone", "updated_at"}
    records = [*harness.leads(), *harness.people().values()]
    return [{name: it[name] for name in it.keys() - ignored} for it in records]


def plezi_phones(harness: Harness) -> dict[str, str]:
    return {email: contact["phone"] for email, contact in harness.people().items()}


def limit(harness: Harness, number: int) -> None:
    """Let the worker clear and overwrite so many records of a field."""
    limits = ChangeLimits(number, number, 0.0)
    harness.context = replace(harness.context, change_limits=limits)
    harness.engine = SyncEngine(harness.context)


@pytest.fixture
def edited(harness: Harness, ana: str) -> str:
    """Return the id of the run that wrote Ana's new phone and her first mobile to her Lead."""
    harness.edit_person(ana, phone="222", mobile="600")
    run = harness.sync()
    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("222", "600")
    return run.id


@pytest.mark.parametrize(("number_of_people", "number_of_changed"), [(60, 3), LARGE])
def test_of_a_run_exactly_the_people_that_nobody_changed_since_are_put_back(
    harness: Harness, admin_client: AdminClient, number_of_people: int, number_of_changed: int
) -> None:
    put_back = number_of_people - number_of_changed
    people = {
        number: harness.add_person(email=email_of(number), last_name="Roi", phone=f"1{number:04d}")
        for number in range(number_of_people)
    }
    harness.sync()
    before = phones(harness)
    for number, person in people.items():
        harness.edit_person(person, phone=f"2{number:04d}")
    run = harness.sync()
    after, typed = phones(harness), plezi_phones(harness)
    for lead in harness.leads()[:number_of_changed]:
        harness.edit_lead(lead["Id"], Phone=f"3{lead['Email'][1:5]}")
    changed = {email: phone for email, phone in phones(harness).items() if phone[0] == "3"}
    others = other_values(harness)
    shown = preview(harness, admin_client, run.id)
    assert phones(harness) == {**after, **changed}
    admin_client.request_ok("POST", f"/admin/runs/{shown.id}/approve")
    harness.mark()

    undone = undo(harness, admin_client, run.id)

    assert phones(harness) == {**before, **changed}
    assert plezi_phones(harness) == typed
    assert other_values(harness) == others
    assert harness.calls("plezi")["writes"] == 0
    assert undone.counts["salesforce"]["undone"] == put_back
    assert undone.counts["salesforce"]["not_undone.changed_since"] == number_of_changed
    left = entries(admin_client, undone.id, "not_undone")
    assert {it["email"]: it["before"] for it in left} == changed
    assert len(left) == number_of_changed
    written = entries(admin_client, undone.id, "written")
    assert {it["rule"] for it in written} == {"undone"}
    assert len(written) == put_back

    redone = preview(harness, admin_client, undone.id)
    admin_client.request_ok("POST", f"/admin/runs/{redone.id}/approve")
    undo(harness, admin_client, undone.id)

    assert phones(harness) == {**after, **changed}
    assert plezi_phones(harness) == typed
    assert other_values(harness) == others


def test_a_run_after_an_undo_writes_nothing_and_a_full_run_neither(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    undo(harness, admin_client, edited)

    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("111", None)
    assert next_run_writes_nothing(harness)
    harness.mark()
    harness.sync(kind=RunKind.FULL)
    assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0
    assert (lead_of(harness)["Phone"], harness.people()[ANA]["phone"]) == ("111", "222")


def test_after_an_undo_the_next_edit_of_either_side_travels(
    harness: Harness, admin_client: AdminClient, ana: str, edited: str
) -> None:
    undo(harness, admin_client, edited)

    harness.edit_person(ana, phone="333")
    harness.edit_lead(lead_of(harness)["Id"], MobilePhone="601")
    harness.sync()

    assert lead_of(harness)["Phone"] == "333"
    assert harness.people()[ANA]["mobile"] == "601"


def test_an_undo_is_undone(harness: Harness, admin_client: AdminClient, edited: str) -> None:
    undone = undo(harness, admin_client, edited)

    undo(harness, admin_client, undone.id)

    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("222", "600")
    assert next_run_writes_nothing(harness)


def test_a_preview_writes_nothing_and_its_plan_shows_each_value(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    harness.edit_lead(lead_of(harness)["Id"], MobilePhone="999")
    harness.mark()

    shown = preview(harness, admin_client, edited)

    assert harness.calls("salesforce")["writes"] == harness.calls("plezi")["writes"] == 0
    plan = admin_client.request_ok("GET", f"/admin/runs/{shown.id}/plan")
    assert plan["undoes"] == edited
    names = ("kind", "field", "before", "after", "rule")
    assert sorted(tuple(it[name] for name in names) for it in plan["journal"]) == [
        ("not_undone", "MobilePhone", "999", None, "changed_since"),
        ("written", "Phone", "222", "111", "undone"),
    ]


def test_the_record_of_an_undo_names_the_run_that_it_undoes(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    run = undo(harness, admin_client, edited, field="Phone")

    shown = admin_client.request_ok("GET", f"/admin/runs/{run.id}")

    assert (shown["kind"], shown["undoes"], shown["undo_field"]) == ("undo", edited, "Phone")
    [audited] = [
        it
        for it in admin_client.request_ok("GET", "/admin/audit")["entries"]
        if it["action"] == "undo run"
    ]
    assert (audited["actor"], audited["subject"]) == (WHO, edited)


def test_only_one_field_or_one_contact_is_undone_on_request(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    bob = harness.add_person(email=BOB, last_name="Roi", phone="777")
    harness.sync()
    for person in (ana, bob):
        harness.edit_person(person, phone="222", mobile="600")
    run = harness.sync()

    undo(harness, admin_client, run.id, field="MobilePhone", email=BOB.upper())

    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("222", "600")
    lead = lead_of(harness, BOB)
    assert (lead["Phone"], lead["MobilePhone"]) == ("222", None)


def test_an_edit_of_another_field_that_waits_is_left_to_the_next_run(
    harness: Harness, admin_client: AdminClient, ana: str, edited: str
) -> None:
    harness.edit_lead(lead_of(harness)["Id"], FirstName="Ana", Phone="222")

    undo(harness, admin_client, edited)
    assert not harness.people()[ANA].get("first_name")
    harness.sync()

    assert harness.people()[ANA]["first_name"] == "Ana"
    assert lead_of(harness)["Phone"] == "111"
    assert ana


def test_a_record_that_the_run_created_stays_and_is_named(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.add_person(email=ANA, last_name="Lopez", phone="111")
    run = harness.sync()

    undone = undo(harness, admin_client, run.id)

    [left] = entries(admin_client, undone.id, "not_undone")
    assert (left["record"], left["field"], left["rule"]) == (
        lead_of(harness)["Id"],
        "",
        "created",
    )
    assert lead_of(harness)["Phone"] == "111"


def test_each_of_several_leads_gets_the_value_that_it_had(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    second = harness.add_lead(Email=ANA, LastName="Lopez", Phone="555")
    run = harness.sync()
    assert {lead["Phone"] for lead in harness.leads(ANA)} == {"111"}

    undo(harness, admin_client, run.id)

    assert {lead["Id"]: lead["Phone"] for lead in harness.leads(ANA)}[second] == "555"
    assert sorted(lead["Phone"] for lead in harness.leads(ANA)) == ["111", "555"]
    assert ana


def test_a_value_that_a_user_typed_stays_in_the_record_where_it_was_typed(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    harness.edit_lead(lead_of(harness)["Id"], Phone="444")
    run = harness.sync()
    assert harness.people()[ANA]["phone"] == "444"

    undo(harness, admin_client, run.id)

    assert harness.people()[ANA]["phone"] == "111"
    assert lead_of(harness)["Phone"] == "444"
    assert next_run_writes_nothing(harness)
    assert ana


def test_an_undo_over_the_limit_stops_until_its_own_preview_is_approved(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    limit(harness, 0)
    other = preview(harness, admin_client, edited, opt_outs=True)
    admin_client.request_ok("POST", f"/admin/runs/{other.id}/approve")

    refused = harness.run_phase(request(admin_client, edited, preview=False)["run_id"])
    assert (refused.state, refused.reason) == (RunState.HALTED, StopReason.MASS_CLEARING)
    assert f"/admin/runs/{edited}/undo" in refused.message
    assert lead_of(harness)["Phone"] == "222"
    assert admin_client.request_ok("GET", "/admin/status")["breaker"] is None

    shown = preview(harness, admin_client, edited)
    counts: dict[str, Any] = admin_client.request_ok("POST", f"/admin/runs/{shown.id}/approve")
    assert counts["changes"] == {
        "salesforce": {"cleared.MobilePhone": 1, "overwritten.Phone": 1},
    }
    undo(harness, admin_client, edited)
    assert lead_of(harness)["Phone"] == "111"


def test_an_undo_that_is_repeated_finds_nothing_more_to_do(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    undo(harness, admin_client, edited)
    harness.mark()

    again = undo(harness, admin_client, edited)

    assert harness.calls("salesforce")["writes"] == 0
    assert reasons(admin_client, again.id) == {}


def test_an_approved_preview_allows_exactly_what_it_shows(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    limit(harness, 0)
    lead = lead_of(harness)["Id"]
    harness.edit_lead(lead, MobilePhone="601")
    shown = preview(harness, admin_client, edited)
    approved = admin_client.request_ok("POST", f"/admin/runs/{shown.id}/approve")
    assert approved["changes"] == {"salesforce": {"overwritten.Phone": 1}}
    harness.edit_lead(lead, MobilePhone="600")

    run = harness.run_phase(request(admin_client, edited, preview=False)["run_id"])

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.MASS_CLEARING)
    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("222", "600")


def test_values_that_were_blank_are_blanked_for_many_people_after_a_new_description(
    harness: Harness, admin_client: AdminClient
) -> None:
    people = [
        harness.add_person(email=email_of(number), last_name="Roi")
        for number in range(FEW_CLEARED + 2)
    ]
    harness.sync()
    for person in people:
        harness.edit_person(person, phone="222")
    run = harness.sync()

    undone = undo(harness, admin_client, run.id)

    assert set(phones(harness).values()) == {None}
    assert undone.counts["salesforce"]["cleared.Phone"] == len(people)
    assert undone.progress.listed == undone.progress.resolved == len(people)


@pytest.mark.parametrize("invocations", ["one", "several"])
def test_an_undo_names_and_writes_everything_once(
    harness: Harness, admin_client: AdminClient, invocations: str
) -> None:
    people = [harness.add_person(email=email_of(it), last_name="Roi", phone="1") for it in range(3)]
    harness.sync()
    for person in people:
        harness.edit_person(person, phone="2", mobile="6")
    run = harness.sync()
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], MobilePhone="7")
    undo_id = request(admin_client, run.id, preview=False)["run_id"]

    undone = harness.run_phase(undo_id, lambda: invocations == "several")

    assert undone.state is RunState.DONE, undone.message
    assert (undone.invocations > 1) is (invocations == "several")
    assert set(phones(harness).values()) == {"1"}
    assert len(entries(admin_client, undo_id, "written")) == len(people)
    assert len(entries(admin_client, undo_id, "not_undone")) == len(people)
    assert undone.counts["salesforce"]["not_undone"] == len(people)


def test_a_write_of_an_undo_whose_response_was_lost_is_recognized_as_our_own(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    inject_fault(harness, "salesforce", "timeout_after_commit", path=COLLECTIONS)

    undone = undo(harness, admin_client, edited)

    assert set(reasons(admin_client, undone.id).values()) == {"unfinished"}
    harness.sync()
    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("111", None)
    written = {it["field"] for it in entries(admin_client, undone.id, "written")}
    assert written == {"Phone", "MobilePhone"}
    assert next_run_writes_nothing(harness)
    assert harness.people()[ANA]["phone"] == "222"


def test_a_write_of_an_undo_that_did_not_arrive_is_named_and_done_when_it_is_requested_again(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    inject_fault(harness, "salesforce", "connection_reset", path=COLLECTIONS)
    undone = undo(harness, admin_client, edited)
    assert set(reasons(admin_client, undone.id).values()) == {"unfinished"}
    harness.sync()
    assert lead_of(harness)["Phone"] == "222"

    again = undo(harness, admin_client, edited)

    assert (lead_of(harness)["Phone"], lead_of(harness)["MobilePhone"]) == ("111", None)
    assert reasons(admin_client, again.id) == {}


# In both systems


@pytest.fixture
def typed_in_salesforce(harness: Harness, ana: str) -> str:
    """Return the id of the run that carried the phone of Ana's Lead to Plezi."""
    assert harness.people()[ANA]["id"] == ana
    harness.edit_lead(lead_of(harness)["Id"], Phone="222", MobilePhone="600")
    run = harness.sync()
    assert (harness.people()[ANA]["phone"], harness.people()[ANA]["mobile"]) == ("222", "600")
    return run.id


def test_a_value_is_put_back_where_it_was_typed_too_and_both_systems_agree(
    harness: Harness, admin_client: AdminClient, typed_in_salesforce: str
) -> None:
    shown = preview(harness, admin_client, typed_in_salesforce, field="Phone", both_sides=True)
    planned = {(it["side"], it["after"]) for it in entries(admin_client, shown.id, "written")}
    assert planned == {("plezi", "111"), ("salesforce", "111")}

    undone = undo(harness, admin_client, typed_in_salesforce, field="Phone", both_sides=True)

    assert (harness.people()[ANA]["phone"], lead_of(harness)["Phone"]) == ("111", "111")
    [lost] = entries(admin_client, undone.id, "overwritten")
    assert (lost["side"], lost["before"], lost["after"]) == ("salesforce", "222", "111")
    assert next_run_writes_nothing(harness)


def test_an_undo_in_both_systems_can_be_undone(
    harness: Harness, admin_client: AdminClient, typed_in_salesforce: str
) -> None:
    undone = undo(harness, admin_client, typed_in_salesforce, field="Phone", both_sides=True)

    undo(harness, admin_client, undone.id)

    assert (harness.people()[ANA]["phone"], lead_of(harness)["Phone"]) == ("222", "222")
    assert next_run_writes_nothing(harness)


def test_an_undo_in_both_systems_clears_nothing_that_somebody_typed(
    harness: Harness, admin_client: AdminClient, typed_in_salesforce: str
) -> None:
    undo(harness, admin_client, typed_in_salesforce, both_sides=True)

    assert not harness.people()[ANA]["mobile"]
    assert lead_of(harness)["MobilePhone"] == "600"


def test_an_undo_in_both_systems_leaves_what_was_typed_since(
    harness: Harness, admin_client: AdminClient, typed_in_salesforce: str
) -> None:
    harness.edit_lead(lead_of(harness)["Id"], Phone="333")

    undone = undo(harness, admin_client, typed_in_salesforce, field="Phone", both_sides=True)

    assert reasons(admin_client, undone.id) == {"Phone": "changed_since"}
    assert (harness.people()[ANA]["phone"], lead_of(harness)["Phone"]) == ("222", "333")
