"""Tasks of marketing and sales operations in a real browser, to their result on the stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from local.actors import Marketer, Operator, SalesPerson
from local.stack.stack_file import StackFile
from tests.e2e.console_pages import ConsolePages, new_pages

pytestmark = pytest.mark.stack

MANY = ("masse1.console@example.com", "masse2.console@example.com")
TWICE = "double.console@example.com"
SECONDS = 60.0


@pytest.fixture(scope="module")
def operations(stack: StackFile) -> Iterator[Operator]:
    """An operator; the mapping is restored and applied for the tests that come after."""
    ops = Operator(stack)
    ops.admin("POST", "/admin/start")
    before = ops.admin("GET", "/admin/mapping")["version"]
    yield ops
    current = ops.admin("GET", "/admin/mapping")["version"]
    ops.admin("POST", f"/admin/mapping/versions/{before}/restore", {"version": current})
    assert ops.request_run(kind="full")["state"] == "done"


@pytest.fixture(scope="module")
def console(browser: Browser, stack: StackFile, operations: Operator) -> Iterator[ConsolePages]:
    """The console of one user with all roles: what a role may not do is tested elsewhere."""
    assert operations
    pages = new_pages(browser, stack, axe="")
    pages.sign_in("admin")
    yield pages
    pages.page.context.close()


def wait_for(is_reached: Callable[[], bool]) -> None:
    """Wait for the result of a run that the console requested."""
    deadline = time.monotonic() + SECONDS
    while not is_reached():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def policy_of(ops: Operator, salesforce: str) -> str:
    """Return the policy of a pair of the saved mapping."""
    pairs = ops.admin("GET", "/admin/mapping")["pairs"]
    return str(next(it["policy"] for it in pairs if it["salesforce"] == salesforce))


def set_policy(ops: Operator, salesforce: str, policy: str) -> None:
    """Save the mapping with another policy of a pair."""
    mapping = ops.admin("GET", "/admin/mapping")
    for pair in mapping["pairs"]:
        if pair["salesforce"] == salesforce:
            pair["policy"] = policy
    ops.admin("PUT", "/admin/mapping", mapping)


def mobiles(sales: SalesPerson) -> list[Any]:
    return [sales.leads(email)[0]["MobilePhone"] for email in MANY]


def test_many_conflicts_are_decided_at_once_after_their_number_is_said(
    console: ConsolePages, operations: Operator, sales: SalesPerson, marketing: Marketer
) -> None:
    set_policy(operations, "MobilePhone", "hold")
    contacts = [marketing.add(email=email, last_name="Masse") for email in MANY]
    operations.fire_schedule()
    for number, (email, contact) in enumerate(zip(MANY, contacts, strict=True)):
        marketing.edit(contact, mobile=f"+33 6 11 00 00 0{number}")
        sales.edit("Lead", sales.leads(email)[0]["Id"], MobilePhone=f"+33 6 22 00 00 0{number}")
    operations.fire_schedule()

    console.open("/review")
    console.page.get_by_text("Decide many at once").click()
    field = console.page.get_by_role("listitem").filter(has_text="Mobile Phone")
    console.press("All as in Plezi", within=field)
    expect(console.page.get_by_text("2 people get the value of this side.")).to_be_visible()
    expect(console.page.get_by_text("2 typed values are overwritten")).to_be_visible()
    assert mobiles(sales) == ["+33 6 22 00 00 00", "+33 6 22 00 00 01"]
    console.press("Decide: Mobile Phone as in Plezi")

    expect(console.page.get_by_role("status")).to_contain_text("The values are chosen")
    wait_for(lambda: mobiles(sales) == ["+33 6 11 00 00 00", "+33 6 11 00 00 01"])


def test_a_primary_lead_is_picked_of_two(
    console: ConsolePages, operations: Operator, sales: SalesPerson
) -> None:
    picked = [sales.add("Lead", Email=TWICE, LastName="D", Company=it) for it in "AB"][1]
    operations.fire_schedule()
    console.open("/review?kind=duplicate")
    person = console.page.get_by_role("article").filter(has_text=TWICE)
    lead = person.locator(".side").filter(has_text=picked)
    expect(lead.get_by_text("primary", exact=True)).to_have_count(0)
    console.press("Make it the primary Lead", within=lead)
    expect(console.page.get_by_role("status")).to_contain_text("The primary Lead is chosen")

    def is_primary() -> bool:
        console.open("/review?kind=duplicate")
        return lead.get_by_text("primary", exact=True).count() == 1

    wait_for(is_primary)
    expect(person.get_by_text("primary", exact=True)).to_have_count(1)


def test_a_version_of_the_mapping_is_restored(console: ConsolePages, operations: Operator) -> None:
    former = policy_of(operations, "Phone")
    version = operations.admin("GET", "/admin/mapping")["version"]
    set_policy(operations, "Phone", "plezi_wins")
    assert policy_of(operations, "Phone") != former
    console.open("/mapping")
    console.page.get_by_role("link", name="History of the mapping").click()
    console.press(f"Restore version {version}")
    expect(console.page.get_by_role("status")).to_contain_text("saved as the newest one")
    assert policy_of(operations, "Phone") == former
    assert operations.admin("GET", "/admin/mapping")["version"] == version + 2


def test_the_limits_of_a_run_are_chosen_and_given_back(console: ConsolePages) -> None:
    console.open("/settings")
    fields = {"clear a field": "7", "overwrite a field": "8", "part of all people": "2.5"}
    deployed = {label: console.page.get_by_label(label).input_value() for label in fields}
    assert deployed != fields
    for label, value in fields.items():
        console.page.get_by_label(label).fill(value)
    console.press("Save the limits")
    expect(console.page.get_by_role("status")).to_contain_text("new limits within a minute")
    console.open("/settings")
    for label, value in fields.items():
        expect(console.page.get_by_label(label)).to_have_value(value)
    console.press("Use the limits of the deployment")
    expect(console.page.get_by_role("status")).to_contain_text("limits of the deployment")
    for label, value in deployed.items():
        expect(console.page.get_by_label(label)).to_have_value(value)


def test_a_field_that_salesforce_lacks_is_created(
    console: ConsolePages, sales: SalesPerson, stack: StackFile
) -> None:
    sales.simulate("DELETE", "fields/Lead/status__c")
    console.open("/setup")
    field = console.page.get_by_role("row").filter(has_text="Lead.status__c")
    console.press("Check the connection")
    expect(field).to_contain_text("missing")
    console.press("Create the missing fields")
    expect(field).to_contain_text("present")
    expect(console.page.get_by_text("Field Lead.status__c: created")).to_be_visible()
    # Sales sees a new field only with the permission set (docs/salesforce-setup.md, 6).
    assignment = {"username": stack.salesforce.sales_user.username}
    sales.simulate("POST", "permission_sets/Plezi_Fields/assignments", assignment)
    described = sales.request("GET", "sobjects/Lead/describe")["fields"]
    assert "status__c" in {it["name"] for it in described}
