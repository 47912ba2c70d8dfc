"""Lists with different values on both sides: the value table of the pair translates them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.model import RunKind, RunState
from tests.component.admin_client import AdminClient, in_path
from tests.component.harness import Harness

ANA = "ana@example.com"
FIELD = "Size__c"
PATH = f"/admin/mapping/values/{FIELD}"
ROWS = [
    {"plezi": "SMB", "salesforce": "Small business"},
    {"plezi": "Large", "salesforce": "Enterprise"},
]


@pytest.fixture
def lists(harness: Harness) -> None:
    """The segment of Plezi (smb, mid, large), and a restricted list of Salesforce."""
    values = ["Small business", "Mid", "Enterprise", "Public sector"]
    value_set = {"valueSetDefinition": {"value": [{"fullName": value} for value in values]}}
    metadata = {"type": "Picklist", "label": "Size", "valueSet": {**value_set, "restricted": True}}
    body = {"name": FIELD, "Metadata": metadata}
    harness.control("salesforce", "POST", "fields/Lead", body)


def mapping_with(admin_client: AdminClient, rows: list[dict[str, str]], **changes: Any) -> Any:
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    others = [pair for pair in mapping["pairs"] if pair["saved"] and pair["salesforce"] != FIELD]
    pair = {"plezi": "segment", "salesforce": FIELD, "direction": "both", "values": rows}
    return {**mapping, "pairs": [*others, {**pair, **changes}]}


def save(admin_client: AdminClient, rows: list[dict[str, str]], **changes: Any) -> Any:
    mapping = mapping_with(admin_client, rows, **changes)
    return admin_client.request_ok("PUT", "/admin/mapping", mapping)


def size_of(harness: Harness, email: str = ANA) -> Any:
    query = f"SELECT {FIELD} FROM Lead WHERE Email = '{email}'"
    [lead] = harness.salesforce("GET", "query", q=query)["records"]
    return lead[FIELD]


def holds(admin_client: AdminClient) -> list[dict[str, Any]]:
    people = admin_client.request_ok("GET", "/admin/attention", kind="hold")["people"]
    return [hold for person in people for hold in person["holds"]]


@pytest.mark.usefixtures("lists")
def test_values_travel_in_both_directions_with_the_names_of_each_side(
    admin_client: AdminClient, harness: Harness
) -> None:
    save(admin_client, ROWS)
    person = harness.add_person(email=ANA, last_name="Lopez", segment="smb")
    harness.sync()
    assert size_of(harness) == "Small business"

    harness.edit_lead(harness.leads(ANA)[0]["Id"], **{FIELD: "Enterprise"})
    harness.sync()
    assert harness.people()[ANA]["segment"] == "large"
    harness.edit_person(person, segment="mid")  # the same name on both sides needs no row
    harness.sync()
    assert size_of(harness) == "Mid"

    assert harness.sync().counts["plezi"].get("updated", 0) == 0


@pytest.mark.usefixtures("lists")
def test_people_who_have_the_same_value_under_two_names_agree_at_their_first_meeting(
    admin_client: AdminClient, harness: Harness
) -> None:
    save(admin_client, ROWS)
    harness.add_person(email=ANA, last_name="Doe", company="Doe SA", segment="smb")
    harness.add_lead(Email=ANA, **{FIELD: "Small business"})

    harness.sync()

    journal = [entry for entry in harness.journal(ANA) if entry["field"] == FIELD]
    assert journal == []
    assert holds(admin_client) == []


@pytest.mark.usefixtures("lists")
def test_an_unknown_value_is_held_and_not_refused_and_all_other_fields_travel(
    admin_client: AdminClient, harness: Harness
) -> None:
    save(admin_client, ROWS)
    person = harness.add_person(email=ANA, last_name="Lopez", segment="smb")
    harness.sync()
    lead = harness.leads(ANA)[0]["Id"]
    harness.edit_lead(lead, **{FIELD: "Public sector"}, Phone="+33123456789")

    run = harness.sync()

    assert run.state is RunState.DONE
    assert harness.people()[ANA]["phone"] == "+33123456789"
    assert harness.people()[ANA]["segment"] == "smb"
    assert [(hold["field"], hold["reason"]) for hold in holds(admin_client)] == [
        (FIELD, "unknown_value")
    ]
    assert admin_client.request_ok("GET", "/admin/status")["attention"]["quarantine"] == 0
    before = len(harness.journal(ANA))
    harness.sync()
    assert len(harness.journal(ANA)) == before  # it is reported once
    assert person


@pytest.mark.usefixtures("lists")
def test_a_new_lead_is_created_without_an_unknown_value(
    admin_client: AdminClient, harness: Harness
) -> None:
    save(admin_client, ROWS[:1])  # no row for Large, which Salesforce's list lacks
    harness.add_person(email=ANA, last_name="Lopez", segment="large", phone="+33123456789")

    harness.sync()
    harness.sync()

    assert harness.leads(ANA)[0]["Phone"] == "+33123456789"
    assert size_of(harness) is None
    assert [hold["reason"] for hold in holds(admin_client)] == ["unknown_value"]


@pytest.mark.usefixtures("lists")
def test_a_new_row_ends_the_hold_of_its_value(admin_client: AdminClient, harness: Harness) -> None:
    save(admin_client, ROWS[:1])
    harness.add_person(email=ANA, last_name="Lopez", segment="large")
    harness.sync()
    assert holds(admin_client)

    save(admin_client, ROWS)
    harness.sync(kind=RunKind.FULL)

    assert size_of(harness) == "Enterprise"
    assert holds(admin_client) == []


@pytest.mark.usefixtures("lists")
def test_a_known_value_that_is_typed_ends_the_hold(
    admin_client: AdminClient, harness: Harness
) -> None:
    save(admin_client, ROWS[:1])
    person = harness.add_person(email=ANA, last_name="Lopez", segment="large")
    harness.sync()

    harness.edit_person(person, segment="smb")
    harness.sync()

    assert size_of(harness) == "Small business"
    assert holds(admin_client) == []


@pytest.mark.usefixtures("lists")
def test_the_choice_of_an_unknown_value_keeps_the_hold(
    admin_client: AdminClient, harness: Harness
) -> None:
    save(admin_client, ROWS)
    harness.add_person(email=ANA, last_name="Lopez", segment="smb")
    harness.sync()
    lead = harness.leads(ANA)[0]["Id"]
    harness.edit_lead(lead, **{FIELD: "Public sector"})
    harness.sync()

    path = f"/admin/attention/holds/{in_path(ANA)}/{FIELD}"
    run_id = admin_client.request_ok("POST", path, {"record": lead})["run_id"]
    assert harness.run_phase(run_id).state is RunState.DONE

    (hold,) = holds(admin_client)
    assert (hold["reason"], hold["chosen"]) == ("unknown_value", "")
    assert harness.people()[ANA]["segment"] == "smb"


@pytest.mark.usefixtures("lists")
def test_rows_are_proposed_for_values_that_have_no_counterpart(
    admin_client: AdminClient, harness: Harness
) -> None:
    options = ["Small businesses", "Mid", "Enterprises"]
    harness.control(
        "plezi", "POST", "attributes", {"name": "size", "type": "list", "options": options}
    )
    save(admin_client, [], plezi="size")

    table = admin_client.request_ok("GET", PATH)

    assert table["rows"] == []
    assert table["suggestions"] == [
        {"plezi": "Small businesses", "salesforce": "Small business"},
        {"plezi": "Enterprises", "salesforce": "Enterprise"},
    ]
    assert table["unmatched_salesforce"] == ["Small business", "Enterprise", "Public sector"]
    save(admin_client, table["suggestions"], plezi="size")
    saved = admin_client.request_ok("GET", PATH)
    assert saved["rows"] == table["suggestions"]
    assert (saved["suggestions"], saved["unmatched_plezi"]) == ([], [])


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([{"plezi": "SMB", "salesforce": "Smal business"}], "lacks smal business"),
        ([{"plezi": "SMB", "salesforce": ""}], "a row has a blank value"),
        ([*ROWS, {"plezi": "Mid", "salesforce": "Enterprise"}], "enterprise of Salesforce stands"),
        ([*ROWS, {"plezi": "smb", "salesforce": "Mid"}], "smb of Plezi stands for several"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_a_save_an_import_and_a_dry_run(
    admin_client: AdminClient, harness: Harness, rows: list[dict[str, str]], text: str
) -> None:
    mapping = mapping_with(admin_client, rows)

    refused = admin_client.request("PUT", "/admin/mapping", mapping)
    imported = admin_client.request(
        "PUT", "/admin/mapping.yaml", raw=json.dumps(mapping)
    )  # JSON is YAML
    run, _ = harness.dry_run(draft=json.dumps(mapping))

    for response in (refused, imported):
        assert response.status == 422
        (problem,) = response.body["problems"]
        assert (problem["code"], problem["pair"], problem["field"]) == (
            "value_table",
            FIELD,
            "values",
        )
        assert text in problem["message"].casefold() or text in problem["message"]
        assert problem["remedy"]
    assert [problem.code for problem in run.problems] == ["value_table"]


@pytest.mark.usefixtures("lists")
def test_a_preview_shows_the_value_that_would_be_written(
    admin_client: AdminClient, harness: Harness
) -> None:
    harness.add_person(email=ANA, last_name="Lopez", segment="smb")
    draft = json.dumps(mapping_with(admin_client, ROWS))

    _, plan = harness.dry_run(draft=draft)

    (entry,) = [it for it in plan if it.field == FIELD]
    assert (entry.kind, entry.after) == ("written", "Small business")


@pytest.mark.usefixtures("lists")
def test_several_values_may_stand_for_one_in_a_pair_with_one_direction(
    admin_client: AdminClient, harness: Harness
) -> None:
    rows = [{"plezi": it, "salesforce": "Small business"} for it in ("SMB", "Large")]
    save(admin_client, rows, direction="to_salesforce")
    person = harness.add_person(email=ANA, last_name="Lopez", segment="large")
    harness.sync()
    assert size_of(harness) == "Small business"

    harness.edit_person(person, segment="smb")
    harness.mark()
    harness.sync()

    assert size_of(harness) == "Small business"
    assert holds(admin_client) == []


def test_a_table_is_for_lists_only(admin_client: AdminClient) -> None:
    assert admin_client.request("GET", "/admin/mapping/values/Phone").status == 422
    assert admin_client.request("GET", "/admin/mapping/values/Fax").status == 404


@pytest.mark.usefixtures("lists")
def test_the_history_names_the_rows_that_changed(admin_client: AdminClient) -> None:
    save(admin_client, ROWS[:1])

    saved = save(admin_client, ROWS)

    assert [(it["field"], it["before"], it["after"]) for it in saved["changed"]] == [
        ("values", "SMB = Small business", "SMB = Small business; Large = Enterprise")
    ]
