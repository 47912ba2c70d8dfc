"""`why` with a name or an id, and the pages of the records."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.conftest import Person
from tests.unit.cli.fake_stack import FakeStack

pytestmark = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
SEARCH = "/admin/people/search"
RECORDS = "/admin/people/records"
CONTACT = "/admin/contacts/ana%40example.com"


def test_the_only_person_of_a_name_is_explained(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", SEARCH, bodies.found(bodies.EMAIL))
    stack.on("GET", CONTACT, bodies.contact())

    assert person.run("why", "Ana Lopez") == 0

    assert stack.body_of("POST", SEARCH) == {"text": "Ana Lopez"}
    assert bodies.EMAIL in capsys.readouterr().out


def test_several_people_of_a_name_are_listed(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", SEARCH, bodies.found(bodies.EMAIL, "ana2@example.com", complete=False))

    assert person.run("why", "Lopez") == 0

    shown = capsys.readouterr().out
    assert "ana2@example.com" in shown
    assert "There may be more" in shown
    assert stack.calls == [("POST", SEARCH)]


def test_a_person_who_is_not_synchronized_is_listed_and_not_explained(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", SEARCH, bodies.found(bodies.EMAIL, known=False))

    assert person.run("why", "Lopez") == 0
    assert "not synchronized" in capsys.readouterr().out


def test_a_name_that_leads_to_no_person_is_an_error(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", SEARCH, bodies.found())

    assert person.run("why", "Lopez") == 2
    assert "No person is found for 'Lopez'." in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [("why", bodies.EMAIL, "--records"), ("conflicts", "list", "--records")]
)
def test_records_have_their_pages_and_who_changed_them_last(
    stack: FakeStack, person: Person, capsys: Output, command: tuple[str, ...]
) -> None:
    stack.on("GET", CONTACT, bodies.contact())
    stack.on("GET", "/admin/attention", bodies.page(bodies.review_item(holds=[bodies.hold()])))
    stack.on("POST", RECORDS, bodies.record_pages())

    assert person.run(*command) == 0

    shown = capsys.readouterr().out
    assert "https://app.plezi.co/contacts/1" in shown
    assert f"https://acme.my.salesforce.com/{bodies.LEAD_ID}" in shown
    assert "2026-11-26 15:00:00 CET" in shown
    assert "Sam Sales" in shown
    assert ("link=3f1c9a2b7d04" in shown) is (command[0] == "why")
    assert stack.body_of("POST", RECORDS) == {"emails": [bodies.EMAIL]}


def test_the_opt_outs_of_a_person_have_their_source_time_and_proof(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    first_meeting: dict[str, Any] = {"source": None, "at": 0.0, "run_id": "", "proofs": []}
    consents = [bodies.consent(), bodies.consent(field="other__c", **first_meeting)]
    stack.on("GET", CONTACT, bodies.contact(consents=consents))

    assert person.run("why", bodies.EMAIL) == 0

    lines = capsys.readouterr().out.splitlines()
    [shown] = [line for line in lines if line.startswith("newsletter_optout__c")]
    assert shown.split()[1:7] == ["opted", "out", "yes", "yes", "Plezi", "2026-11-26"]
    assert shown.endswith(bodies.RUN_ID)
    [other] = [line for line in lines if line.startswith("other__c")]
    assert other.split()[-3:] == ["-", "-", "-"]
