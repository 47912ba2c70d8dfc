"""A wrong stamp, shown once: it hides no edit of its record, and no other record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.model import RunKind, RunState, Side
from tests.component.altered_answers import alter_answers, edit_json, is_list, let_hours_pass
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, advance_clocks, lead_of
from tests.component.shown_values import ShownValues
from tests.component.test_plezi_list_answers import answers_without_filter
from tests.component.test_plezi_list_moves import add_people_and_edit_all

IN_SALESFORCE = {"SystemModstamp": "2099-01-01T00:00:00.000+0000"}
IN_PLEZI = {"updated_at": "2099-01-01T00:00:00.000Z"}
LONG_AGO = "2001-01-01T00:00:00.000Z"


def stamp_contact_in_the_future(harness: Harness, ana: str) -> None:
    """Let one run read an edit of Ana's contact with a stamp in the future."""
    let_hours_pass(harness)
    harness.edit_person(ana, company="E")
    plezi = ShownValues(harness, Side.PLEZI, IN_PLEZI)
    harness.sync()
    plezi.fields = {}


def stamp_lead_in_the_future(harness: Harness) -> str:
    """Let one run read an edit of Ana's Lead with a stamp in the future; return its id."""
    let_hours_pass(harness)
    lead = lead_of(harness)["Id"]
    harness.edit_lead(lead, FirstName="E")
    org = ShownValues(harness, Side.SALESFORCE, IN_SALESFORCE, record=lead)
    harness.sync()
    org.fields = {}
    return str(lead)


def let_minutes_pass(harness: Harness) -> None:
    """Advance all clocks by two minutes."""
    advance_clocks(harness, 120)
    harness.let_pass(120)


def is_kept(harness: Harness, shown: object, typed: str) -> bool:
    """Whether a value that was typed is still there, or is in the journal."""
    return shown == typed or json.dumps(typed) in [it["before"] for it in harness.journal(ANA)]


def test_an_edit_after_a_lead_was_stamped_in_the_future_arrives(harness: Harness, ana: str) -> None:
    lead = stamp_lead_in_the_future(harness)
    let_hours_pass(harness)
    harness.edit_lead(lead, FirstName="Typed")
    harness.sync()

    assert harness.people()[ANA]["first_name"] == "Typed"
    assert harness.people()[ANA]["id"] == ana


def test_an_edit_after_a_contact_was_stamped_in_the_future_arrives(
    harness: Harness, ana: str
) -> None:
    stamp_contact_in_the_future(harness, ana)
    let_hours_pass(harness)
    harness.edit_person(ana, company="Typed")
    harness.sync()

    assert lead_of(harness)["Company"] == "Typed"


def test_a_write_to_a_contact_stamped_in_the_future_is_not_undone(
    harness: Harness, ana: str
) -> None:
    stamp_contact_in_the_future(harness, ana)
    harness.edit_lead(lead_of(harness)["Id"], Company="Sales")
    harness.sync()
    let_hours_pass(harness)
    harness.sync(kind=RunKind.FULL)

    assert harness.people()[ANA]["company"] == lead_of(harness)["Company"] == "Sales"


def test_what_sales_type_minutes_after_a_wrong_stamp_is_kept(harness: Harness, ana: str) -> None:
    lead = stamp_lead_in_the_future(harness)
    let_minutes_pass(harness)
    harness.edit_lead(lead, Company="Typed by sales")
    harness.edit_person(ana, company="Typed in Plezi")
    harness.let_pass(40)
    harness.sync()

    assert is_kept(harness, lead_of(harness)["Company"], "Typed by sales")


def test_what_is_typed_in_plezi_minutes_after_a_wrong_stamp_is_kept(
    harness: Harness, ana: str
) -> None:
    stamp_contact_in_the_future(harness, ana)
    let_minutes_pass(harness)
    harness.edit_person(ana, company="Typed in Plezi")
    advance_clocks(harness, 20)
    harness.edit_lead(lead_of(harness)["Id"], Company="Typed by sales")
    harness.let_pass(40)
    harness.sync()
    let_hours_pass(harness)
    harness.sync(kind=RunKind.FULL)

    assert is_kept(harness, harness.people()[ANA]["company"], "Typed in Plezi")


def test_what_sales_type_during_the_run_that_reads_a_wrong_stamp_is_kept(
    harness: Harness, ana: str
) -> None:
    let_hours_pass(harness)
    lead = lead_of(harness)["Id"]
    harness.edit_lead(lead, FirstName="E")
    harness.edit_person(ana, company="Typed in Plezi")
    steps: list[str] = []

    def before(request: Request) -> None:
        if steps == ["shown"] and "Id IN" in request.args.get("q", ""):
            steps.append("typed")
            advance_clocks(harness, 2)
            harness.edit_lead(lead, Company="Typed by sales")

    def after(request: Request, response: Response) -> None:
        if steps or "SystemModstamp >" not in request.args.get("q", ""):
            return
        document = json.loads(response.get_data())
        for row in document["records"]:
            if row["Id"] == lead:
                steps.append("shown")
                row.update(IN_SALESFORCE)
        response.set_data(json.dumps(document))

    alter_answers(harness, Side.SALESFORCE, before, after)
    harness.sync()
    assert steps == ["shown", "typed"]
    let_hours_pass(harness)
    harness.sync(kind=RunKind.FULL)

    assert is_kept(harness, lead_of(harness)["Company"], "Typed by sales")


@pytest.mark.parametrize("has_filter", [True, False])
@pytest.mark.parametrize("place", [0, 50, -1])
@pytest.mark.parametrize("stamp", [IN_PLEZI["updated_at"], LONG_AGO, "", None])
def test_a_wrong_stamp_of_one_contact_hides_no_other_one(
    harness: Harness, stamp: str | None, place: int, *, has_filter: bool
) -> None:
    add_people_and_edit_all(harness, 130, seconds_apart=1)
    shown: list[int] = []

    def after(request: Request, response: Response) -> None:
        def edit(document: dict[str, Any]) -> None:
            rows = document["data"]
            if len(rows) > 50 and not shown:
                shown.append(place)
                rows[place]["attributes"]["updated_at"] = stamp

        if is_list(request) and response.status_code == 200:
            edit_json(response, edit)

    alter_answers(harness, Side.PLEZI, None if has_filter else answers_without_filter, after)
    run = harness.sync()

    assert run.state is RunState.DONE
    assert shown == [place]
    assert [lead["Email"] for lead in harness.leads() if lead["Phone"] != "2"] == []


def test_a_wrong_stamp_of_the_last_lead_of_a_smaller_page_hides_no_other_one(
    harness: Harness,
) -> None:
    add_people_and_edit_all(harness, 30, seconds_apart=1)
    harness.sync()
    let_hours_pass(harness)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="3")
        advance_clocks(harness, 2)
        harness.let_pass(2)
    let_hours_pass(harness, 1800)
    shown: list[int] = []

    def before(request: Request) -> Response | None:
        soql = request.args.get("q", "")
        is_large = "LIMIT" not in soql or "LIMIT 200" in soql
        if "FROM Lead" in soql and "Phone" in soql and "SystemModstamp >" in soql and is_large:
            return Response(b'[{"errorCode": "UNKNOWN_EXCEPTION", "message": "x"}]', 500)
        return None

    def after(request: Request, response: Response) -> None:
        if "Phone" not in request.args.get("q", "") or shown:
            return
        document = json.loads(response.get_data())
        if len(document["records"]) == 20:
            shown.append(20)
            document["records"][-1].update(IN_SALESFORCE)
            response.set_data(json.dumps(document))

    alter_answers(harness, Side.SALESFORCE, before, after)
    harness.sync()
    alter_answers(harness, Side.SALESFORCE)
    let_hours_pass(harness)
    harness.sync()

    assert shown == [20]
    people = harness.people().items()
    assert [email for email, person in people if person["phone"] != "3"] == []
