"""Data that cannot be used, beside a thousand ordinary people, in one run of the deployed stack.

The inputs are S1 to S5 of the field cases. Nobody stops the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from local.actors import Marketer, Operator, SalesPerson
from local.on_call import OnCall
from local.people import person
from local.stack.stack_file import StackFile
from plezi_sync.admin_api import AdminApi

pytestmark = [pytest.mark.stack, pytest.mark.nightly]

FIRST: Final = 300_000
"""The number of the first ordinary person: not one of another test."""
IN_EACH_SYSTEM: Final = 500
LEADS_OF_ONE_ADDRESS: Final = 150
SHARED: Final = "noemail@example.net"
LONG: Final = "龍" * 31_900
"""Salesforce's Description takes 32,000 characters; these are 96 KB in UTF-8."""
DEPTH: Final = 10_000
PAIRS: Final = (
    {"plezi": "notes", "salesforce": "Description", "direction": "both"},
    {"plezi": "employees", "salesforce": "NumberOfEmployees", "direction": "to_salesforce"},
    {"plezi": "last_visit", "salesforce": "City", "direction": "to_salesforce"},
)
REMEDIES: Final = {
    "unreadable_record": "save the record again",
    "unusable_value": "correct ",
}
PREFIX: Final = "odd-"


@dataclass(frozen=True)
class OddContact:
    """A contact that Plezi's API shows in an unexpected form.

    `row` changes the usual row. `code` is that of the quarantine; '': the person arrives, with the
    values `lead`.
    """

    name: str
    row: Callable[[dict[str, Any]], object]
    code: str = "unreadable_record"
    lead: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """The e-mail with which the contact was met before."""
        return f"{PREFIX}{self.name}@example.com"


def with_values(**values: object) -> Callable[[dict[str, Any]], object]:
    """Return a change of some attributes of a row."""
    return lambda row: {**row, "attributes": {**row["attributes"], **values}}


DATE: Final = "0001-01-01T00:00:00+01:00"
"""An instant of the year 0 in UTC, which Python's datetime does not have."""
ODD_CONTACTS: Final = (
    OddContact("number", with_values(employees=10**29), "unusable_value"),
    OddContact("date", with_values(last_visit=DATE), "", {"City": DATE}),
    OddContact("text", lambda row: {**row, "attributes": "a text"}),
    OddContact("list", lambda row: {**row, "attributes": [1, None]}),
    OddContact("email", with_values(email="a" * 5_000 + "@example.com")),
    OddContact("surrogate", with_values(last_name="Half \ud800"), "unusable_value"),
    OddContact("nul", with_values(last_name="Nul \x00 byte"), "", {"LastName": "Nul  byte"}),
    OddContact("deep", with_values(first_name="{deep}"), "unusable_value", {"Company": "Changed"}),
)


@pytest.fixture
def wide_mapping(marketing: Marketer, admin_api: AdminApi) -> Iterator[None]:
    """A mapping with a long text, a number, and a date that becomes a text."""
    attribute = {"name": "notes", "label": "Notes", "type": "text"}
    marketing.simulate("POST", "attributes", attribute)
    assert admin_api.call("GET", "/admin/fields?refresh=true").ok
    before = admin_api.call("GET", "/admin/mapping").json()
    save_pairs(admin_api, [*before["pairs"], *PAIRS])
    yield
    save_pairs(admin_api, before["pairs"])


@pytest.fixture
def ids(marketing: Marketer) -> Iterator[dict[str, str]]:
    """The ids of the odd contacts by e-mail; they are ordinary ones still."""
    ids = {each.email: marketing.add(email=each.email, last_name="Known") for each in ODD_CONTACTS}
    yield ids
    for record in ids.values():
        marketing.simulate("DELETE", f"contacts/{record}")


def save_pairs(admin_api: AdminApi, pairs: list[Mapping[str, Any]]) -> None:
    current = admin_api.call("GET", "/admin/mapping").json()
    body = json.dumps({**current, "pairs": pairs}).encode()
    response = admin_api.call("PUT", "/admin/mapping", body)
    assert response.ok, response.text


def make_odd(marketing: Marketer, ids: Mapping[str, str]) -> None:
    """Let Plezi's API show the contacts in their odd form, as changed now."""
    for each in ODD_CONTACTS:
        record = ids[each.email]
        marketing.edit(record, company="Changed")
        row = json.dumps(each.row(marketing.request("GET", f"contacts/{record}")["data"]))
        nested = "[" * DEPTH + "]" * DEPTH
        marketing.put_row(record, row.replace('"{deep}"', nested))


def add_ordinary_people(sales: SalesPerson, marketing: Marketer) -> None:
    marketing.simulate("POST", "load", {"contacts": IN_EACH_SYSTEM, "first": FIRST})
    sales.simulate("POST", "load", {"leads": IN_EACH_SYSTEM, "first": FIRST + IN_EACH_SYSTEM})


def add_leads_of_one_address(sales: SalesPerson) -> None:
    lead = {"attributes": {"type": "Lead"}, "Email": SHARED, "Company": "Call centre"}
    leads = [{**lead, "LastName": f"Caller {n}"} for n in range(LEADS_OF_ONE_ADDRESS)]
    results = sales.request("POST", "composite/sobjects", {"records": leads})
    assert all(result["success"] for result in results), results


def emails(first: int, number: int) -> set[str]:
    return {person(first + n).email for n in range(number)}


def queue(admin_api: AdminApi, kind: str) -> dict[str, dict[str, Any]]:
    """Return the people of the review queue by e-mail."""
    page = admin_api.call("GET", f"/admin/attention?kind={kind}&limit=100").json()
    return {item["email"]: item for item in page["people"]}


@pytest.mark.usefixtures("wide_mapping")
def test_data_that_cannot_be_used_stops_nobody_else(
    stack: StackFile,
    sales: SalesPerson,
    marketing: Marketer,
    ops: Operator,
    admin_api: AdminApi,
    ids: dict[str, str],
) -> None:
    run = ops.fire_schedule()
    assert run["state"] == "done", run["message"]
    on_call = OnCall(stack)
    on_call.new_alerts()
    dead_before = ops.dead_letters()
    make_odd(marketing, ids)
    add_ordinary_people(sales, marketing)
    add_leads_of_one_address(sales)
    reader = sales.add(
        "Lead", Email=f"{PREFIX}long@example.com", LastName="Long", Company="SA", Description=LONG
    )

    run = ops.fire_schedule()

    assert run["state"] == "done", run["message"]
    assert ops.dead_letters() == dead_before
    # Everybody else arrives.
    contacts = marketing.stored_contacts()
    assert emails(FIRST + IN_EACH_SYSTEM, IN_EACH_SYSTEM) <= contacts.keys()
    assert contacts[f"{PREFIX}long@example.com"]["notes"] == LONG
    assert sales.record("Lead", reader)["Description"] == LONG
    leads = sales.emails_of_leads("person0300%")
    assert emails(FIRST, IN_EACH_SYSTEM) <= leads
    # The others are in the review queue, with a code and a remedy.
    assert SHARED in queue(admin_api, "shared")
    assert SHARED not in contacts
    quarantine = queue(admin_api, "quarantine")
    for each in ODD_CONTACTS:
        [lead] = sales.leads(each.email)
        shown = sales.record("Lead", lead["Id"])
        assert {name: shown[name] for name in each.lead} == each.lead, each.name
        found = quarantine[each.email]["quarantine"] if each.code else None
        assert (each.email in quarantine) == (found is not None), each.name
        if found is not None:
            assert found["code"] == each.code, each.name
            assert REMEDIES[each.code] in found["remedy"], each.name
    # A few people in quarantine are no failed run.
    assert not [alert.subject for alert in on_call.new_alerts() if "failed" in alert.subject]
    assert ops.admin("GET", "/admin/status")["breaker"] is None
