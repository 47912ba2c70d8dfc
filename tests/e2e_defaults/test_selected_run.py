"""A run of selected people on a stack with the template's own pace and times.

`make selected-at-defaults` runs it: 200 contacts at 2 calls per second take about two minutes.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from local.actors import API, LEAD_FIELDS, Marketer, Operator, SalesPerson
from local.people import person
from local.stack.stack_file import StackFile
from local.template_settings import template_value

pytestmark = pytest.mark.stack

LOG = logging.getLogger(__name__)
PEOPLE = 200
"""As many records as one call of Salesforce's collections takes."""
WAIT_SECONDS = 900.0
"""Longer than three invocations of a worker, on a slow machine."""
MAX_CALLS_PER_PERSON = 1.05
"""Plezi's list shows what changed, so a contact takes one call: the one that writes it."""
BURST = 2
"""Calls that may be made at once after a pause: those of one second."""
LIST = "SELECT {fields} FROM Lead WHERE Email LIKE 'person%' ORDER BY Email"


@pytest.fixture
def sales(stack: StackFile) -> SalesPerson:
    return SalesPerson(stack)


@pytest.fixture
def marketing(stack: StackFile) -> Marketer:
    return Marketer(stack)


def leads(sales: SalesPerson) -> list[dict[str, Any]]:
    rows = sales.request("GET", "query", q=LIST.format(fields=LEAD_FIELDS))
    assert rows["done"], f"more than one page of Leads: see {API}/query"
    return list(rows["records"])


def call_by_phone(sales: SalesPerson) -> dict[str, str]:
    """Give every Lead a new phone, and return the phones by e-mail."""
    phones = {
        lead["Email"]: f"+33 4 00 00 {number:04d}" for number, lead in enumerate(leads(sales))
    }
    rows = [
        {"attributes": {"type": "Lead"}, "Id": lead["Id"], "Phone": phones[lead["Email"]]}
        for lead in leads(sales)
    ]
    results = sales.request("PATCH", "composite/sobjects", {"records": rows})
    assert all(result["success"] for result in results), results
    return phones


def test_a_selected_run_of_200_people_changed_in_salesforce_ends_done_at_the_template_s_defaults(
    stack: StackFile, sales: SalesPerson, marketing: Marketer
) -> None:
    ops = Operator(stack)
    assert stack.defaults
    marketing.simulate("POST", "load", {"contacts": PEOPLE})
    assert ops.fire_schedule()["state"] == "done"
    phones = call_by_phone(sales)
    assert len(phones) == PEOPLE
    marketing.simulate("POST", "mark")
    started = time.monotonic()

    run = ops.request_run(
        wait_seconds=WAIT_SECONDS,
        kind="selected",
        emails=[person(number).email for number in range(PEOPLE)],
    )

    seconds = time.monotonic() - started
    assert run["state"] == "done", run["message"]
    contacts = marketing.contacts()
    assert {email: contacts[email]["phone"] for email in phones} == phones
    calls = run["counts"]["plezi"]["calls"]
    LOG.info("%s calls to Plezi, %s invocations, %.0f s", calls, run["invocations"], seconds)
    assert calls <= MAX_CALLS_PER_PERSON * PEOPLE
    assert calls <= BURST + seconds * template_value("PleziCallsPerSecond")
    assert ops.dead_letters() == 0
