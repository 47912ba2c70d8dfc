"""The main job on the deployed stack, over HTTP only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile
from tests.e2e.deployed_worker import changed_worker

SHORT_BUDGET_SECONDS: Final = 3

pytestmark = pytest.mark.stack


@pytest.fixture
def worker_with_short_budget(stack: StackFile, aws: EmbeddedAws) -> Iterator[None]:
    """A worker that must store its progress every few seconds.

    The budget is shorter than the template allows: a fast machine needs several invocations too.
    """
    with changed_worker(stack, aws, {"WORKER_BUDGET_SECONDS": str(SHORT_BUDGET_SECONDS)}):
        yield


def mark(sales: SalesPerson, marketing: Marketer) -> None:
    sales.simulate("POST", "mark")
    marketing.simulate("POST", "mark")


def test_people_of_both_sides_are_matched_and_a_second_run_writes_nothing(
    sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    marketing.add(email="Ana@Example.com", last_name="Lopez", phone="111")
    sales.add("Lead", Email="bob@example.com", LastName="Roi", Company="Roi SA")
    flagged = sales.add("Contact", Email="cleo@example.com", LastName="N", sync_to_plezi__c="yes")
    sales.add("Contact", Email="eve@example.com", LastName="V", sync_to_plezi__c="no")

    run = ops.fire_schedule()

    assert run["state"] == "done", run["message"]
    [ana] = sales.leads("ana@example.com")
    assert ana["plezi_url__c"]
    people = marketing.contacts()
    assert {"ana@example.com", "bob@example.com", "cleo@example.com"} <= people.keys()
    assert "eve@example.com" not in people
    stamp = sales.record("Contact", flagged)["SystemModstamp"]
    mark(sales, marketing)

    ops.fire_schedule()

    assert sales.record("Contact", flagged)["SystemModstamp"] == stamp
    assert sales.simulate("GET", "calls")["writes"] == 0
    assert marketing.simulate("GET", "calls")["writes"] == 0
    assert sales.simulate("GET", "calls")["total"] <= 6  # the read of the Contact is one of them


def test_a_thousand_changes_in_plezi_need_five_write_calls(
    sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    marketing.simulate("POST", "load", {"contacts": 1000, "first": 10_000})
    ops.fire_schedule()
    ops.fire_schedule()
    mark(sales, marketing)
    ops.fire_schedule()
    idle = sales.simulate("GET", "calls")["reads"]
    for email, person in marketing.contacts().items():
        if email.startswith("person001"):
            marketing.simulate("PATCH", f"contacts/{person['id']}", {"company": "Renamed"})
    mark(sales, marketing)

    run = ops.fire_schedule()

    assert run["counts"]["salesforce"]["updated"] == 1000
    calls = sales.simulate("GET", "calls")
    assert calls["writes"] <= 5
    assert calls["reads"] <= idle + 5


@pytest.mark.nightly
@pytest.mark.usefixtures("worker_with_short_budget")
def test_a_run_that_stops_every_few_seconds_ends_with_the_same_data_as_an_uninterrupted_one(
    sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    marketing.simulate("POST", "load", {"contacts": 1500, "first": 20_000})
    sales.simulate("POST", "load", {"leads": 1500, "first": 21_000})

    run = ops.fire_schedule()

    assert run["state"] == "done", run["message"]
    assert run["invocations"] > 2
    people = {email for email in marketing.contacts() if email.startswith("person002")}
    leads = sales.request(
        "GET", "query", q="SELECT COUNT() FROM Lead WHERE Email LIKE 'person002%'"
    )
    assert (len(people), leads["totalSize"]) == (2500, 2500)
    mark(sales, marketing)
    ops.fire_schedule()
    assert sales.simulate("GET", "calls")["writes"] == 0
    assert marketing.simulate("GET", "calls")["writes"] == 0


def test_clearing_is_copied_an_edit_on_the_target_side_stays_and_upper_case_makes_no_duplicate(
    sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    person = marketing.add(email="A@B.FR", last_name="Roi", phone="111", function="CMO")
    sales.add("Lead", Email="a@b.fr", LastName="Roi", Company="B", MobilePhone="555")
    ops.fire_schedule()
    [lead] = sales.leads("a@b.fr")
    assert [email for email in marketing.contacts() if email == "a@b.fr"] == ["a@b.fr"]

    marketing.edit(person, phone=None)
    sales.edit("Lead", lead["Id"], MobilePhone=None, Title="Chief Magic Officer")
    ops.fire_schedule()

    [lead] = sales.leads("a@b.fr")
    assert (lead["Phone"], lead["MobilePhone"]) == (None, None)
    assert lead["Title"] == "Chief Magic Officer"
    plezi = marketing.contacts()["a@b.fr"]
    assert not plezi.get("mobile")
    assert plezi["function"] == "CMO"
