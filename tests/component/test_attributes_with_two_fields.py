"""One attribute of Plezi that is mapped to two fields of Salesforce: one of them writes it."""

from __future__ import annotations

from typing import Any

import pytest

from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, lead_of, next_run_writes_nothing
from tests.component.test_typed_values import save_mapping
from tests.component.undo_fixtures import entries, undo

FIRST = next(pair for pair in DEFAULT_MAPPING.pairs if pair.plezi == "phone")
SECOND = FieldPair("phone", "Fax", Direction.TO_SALESFORCE)


@pytest.fixture
def ana_with_fax(harness: Harness) -> str:
    save_mapping(harness, FIRST, SECOND)
    person: str = harness.add_person(email=ANA, last_name="Lopez", phone="111")
    harness.sync()
    assert phone_and_fax(harness) == ("111", "111")
    return person


def phone_and_fax(harness: Harness) -> tuple[Any, Any]:
    query = f"SELECT Phone, Fax FROM Lead WHERE Email = '{ANA}'"
    [lead] = harness.salesforce("GET", "query", q=query)["records"]
    return lead["Phone"], lead["Fax"]


def edit_phone(harness: Harness) -> str:
    """Edit the first field; return the id of the run that carried it to Plezi."""
    harness.edit_lead(lead_of(harness)["Id"], Phone="222")
    run = harness.sync()
    assert harness.people()[ANA]["phone"] == "222"
    return run.id


@pytest.mark.usefixtures("ana_with_fax")
def test_an_edit_of_the_first_field_reaches_the_second_by_way_of_plezi(harness: Harness) -> None:
    edit_phone(harness)
    harness.sync()

    assert phone_and_fax(harness) == ("222", "222")
    assert next_run_writes_nothing(harness)


@pytest.mark.usefixtures("ana_with_fax")
def test_the_journal_names_the_field_that_the_value_came_from(
    harness: Harness, admin_client: AdminClient
) -> None:
    run_id = edit_phone(harness)

    written = entries(admin_client, run_id, "written")

    assert [(it["side"], it["field"], it["rule"]) for it in written] == [
        ("plezi", "Phone", "changed"),
        ("salesforce", "Fax", "changed"),
    ]


@pytest.mark.usefixtures("ana_with_fax")
def test_what_the_first_field_wrote_to_plezi_can_be_undone(
    harness: Harness, admin_client: AdminClient
) -> None:
    run_id = edit_phone(harness)

    undo(harness, admin_client, run_id)

    assert harness.people()[ANA]["phone"] == "111"
