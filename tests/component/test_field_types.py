"""Every row of the table of Salesforce's types, through both systems (field cases M4 and M7)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.mapping.document import mapping_document
from connector.model import RunState
from connector.salesforce.field_types import ROWS
from functions.admin.admin_app import ADMIN
from tests.component.admin_client import AdminClient, AdminResponse, build_admin_context
from tests.component.altered_salesforce import put_before_org
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, advance_clocks, next_run_writes_nothing

CUSTOM = "field__c"
ATTRIBUTE = "value"
Metadata = dict[str, Any]


@dataclass(frozen=True)
class RoundTrip:
    """A row that works in both directions: what each side types, and what the other side shows.

    `standard` is a field of every Lead; without it a custom field is made from `metadata`.
    `described_as` is the type in the describe, where no field of a Lead has the type today.
    """

    row: str
    plezi_type: str
    from_plezi: tuple[Any, Any]
    from_salesforce: tuple[Any, Any]
    standard: str = ""
    metadata: Metadata = field(default_factory=dict)
    options: tuple[str, ...] = ()
    described_as: str = ""

    @property
    def name(self) -> str:
        return self.standard or CUSTOM


SIZES = {"valueSetDefinition": {"value": [{"fullName": "S"}, {"fullName": "M"}, {"fullName": "L"}]}}
BOTH_WAYS = (
    RoundTrip(
        "string",
        "text",
        ("Ünï & <co>", "Ünï & <co>"),
        ("plain", "plain"),
        metadata={"type": "Text", "length": 40},
    ),
    RoundTrip(
        "textarea", "text", ("one\ntwo", "one\ntwo"), ("x" * 3000, "x" * 3000), "Description"
    ),
    RoundTrip(
        "url",
        "text",
        ("https://acme.fr/a?b=c", "https://acme.fr/a?b=c"),
        ("acme.fr", "acme.fr"),
        "Website",
    ),
    RoundTrip(
        "email",
        "email",
        ("Bis@Acme.fr", "bis@acme.fr"),
        ("ter@acme.fr", "ter@acme.fr"),
        metadata={"type": "Email"},
    ),
    RoundTrip("phone", "phone", ("01 02", "01 02"), ("+33 1", "+33 1"), "Fax"),
    RoundTrip(
        "picklist",
        "list",
        ("Banking", "Banking"),
        ("Media", "Media"),
        "Industry",
        options=("Banking", "Media"),
    ),
    RoundTrip(
        "multipicklist",
        "multi_list",
        (["L", "S"], "S;L"),
        ("M", ["M"]),
        metadata={"type": "MultiselectPicklist", "valueSet": SIZES},
        options=("S", "M", "L"),
    ),
    RoundTrip("boolean", "checkbox", (True, True), (False, False), "HasOptedOutOfEmail"),
    RoundTrip("int", "number", (250, 250), (300, 300), "NumberOfEmployees"),
    RoundTrip(
        "double",
        "number",
        (1.25, 1.25),
        (3, 3),
        metadata={"type": "Number", "precision": 10, "scale": 2},
    ),
    RoundTrip("currency", "number", (1_000_000, 1_000_000), (5, 5), "AnnualRevenue"),
    RoundTrip(
        "percent",
        "number",
        (12.5, 12.5),
        (99.99, 99.99),
        metadata={"type": "Percent", "precision": 5, "scale": 2},
    ),
    RoundTrip(
        "date",
        "date",
        ("2026-02-28", "2026-02-28"),
        ("1999-12-31", "1999-12-31"),
        metadata={"type": "Date"},
    ),
    RoundTrip(
        "datetime",
        "datetime",
        ("2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00.000+0000"),
        ("2026-07-01T08:00:00Z", "2026-07-01T08:00:00.000Z"),
        metadata={"type": "DateTime"},
    ),
    RoundTrip(
        "combobox",
        "text",
        ("anything", "anything"),
        ("else", "else"),
        metadata={"type": "Text", "length": 40},
        described_as="combobox",
    ),
)


@dataclass(frozen=True)
class OneWay:
    """A row that Salesforce sends only: the value there, and in Plezi."""

    row: str
    name: str
    value: Any
    in_plezi: Any
    metadata: Metadata = field(default_factory=dict)


NUMBERED = {"type": "AutoNumber", "displayFormat": "L-{0000}"}
TO_PLEZI = (
    OneWay("time", CUSTOM, "10:30:00.000Z", "10:30:00.000Z", {"type": "Time"}),
    OneWay("calculated", CUSTOM, "A-1", "A-1", {"type": "Text", "formula": "City & '-1'"}),
    OneWay("autoNumber", CUSTOM, None, "L-0001", NUMBERED),
    OneWay("reference.Name", "Owner.Name", None, "Sam Sales"),
)


@dataclass(frozen=True)
class Refused:
    """A row that is refused: the reason and the remedy contain these texts."""

    row: str
    name: str
    reason: str
    remedy: str
    metadata: Metadata = field(default_factory=dict)
    described_as: str = ""
    components: tuple[str, ...] = ()


TEXT = {"type": "Text", "length": 40}
ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
HOME = ("field__Latitude__s", "field__Longitude__s")
ENCRYPTED = {"type": "EncryptedText", "length": 20, "maskType": "all", "maskChar": "asterisk"}
LOCATION = {"type": "Location", "scale": 6, "displayLocationInDecimal": True}
REFUSED = (
    Refused("reference", "OwnerId", "the id of another record", "Owner.Name"),
    Refused("id", "Id", "the id of one record", "plezi_url__c"),
    Refused("address", "Address", "a compound", "Street, City", components=ADDRESS),
    Refused("location", CUSTOM, "a compound", ", ".join(HOME), LOCATION, components=HOME),
    Refused(
        "compoundFieldName",
        "Name",
        "a compound",
        "LastName, FirstName",
        components=("LastName", "FirstName", "Salutation"),
    ),
    Refused("htmlFormatted", CUSTOM, "HTML", "plain text area", {"type": "Html", "length": 1000}),
    Refused("encryptedstring", CUSTOM, "masked", "text field", ENCRYPTED),
    Refused("base64", CUSTOM, "a file", "url field", TEXT, described_as="base64"),
    Refused("anyType", CUSTOM, "different types", "formula", TEXT, described_as="anyType"),
    Refused("any other type", CUSTOM, "type hologram", "formula", TEXT, described_as="hologram"),
)


def row_name(case: RoundTrip | OneWay | Refused) -> str:
    return case.row


def describe_as(harness: Harness, name: str, type_name: str) -> None:
    """Let the describe of Lead show a field with a type that no field of a Lead has today."""

    def alter(request: Request, response: Response) -> None:
        if request.path.endswith("/Lead/describe/"):
            document = json.loads(response.get_data())
            for each in document["fields"]:
                if each["name"] == name:
                    each["type"] = type_name
            response.set_data(json.dumps(document))

    put_before_org(harness, alter=alter)
    ADMIN.use(build_admin_context(harness))


def add_fields(
    harness: Harness,
    metadata: Metadata,
    *,
    described_as: str = "",
    plezi_type: str = "text",
    options: tuple[str, ...] = (),
) -> None:
    """Add an attribute, and a field of Lead if it is a custom one."""
    attribute = {"name": ATTRIBUTE, "type": plezi_type, "options": list(options)}
    harness.control("plezi", "POST", "attributes", attribute)
    if metadata:
        body = {"name": CUSTOM, "Metadata": {"label": "Field", **metadata}}
        harness.control("salesforce", "POST", "fields/Lead", body)
    if described_as:
        describe_as(harness, CUSTOM, described_as)


def save(admin_client: AdminClient, name: str, direction: str = "both") -> AdminResponse:
    """Map the attribute to a field of Lead, as a newcomer does."""
    admin_client.request_ok("GET", "/admin/fields", refresh="true")
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    pairs = [pair for pair in mapping["pairs"] if pair["saved"]]
    pairs.append({"plezi": ATTRIBUTE, "salesforce": name, "direction": direction})
    return admin_client.request("PUT", "/admin/mapping", {**mapping, "pairs": pairs})


def lead_value(harness: Harness, name: str) -> Any:
    [row] = harness.salesforce("GET", "query", q=f"SELECT {name} FROM Lead")[
        "records"
    ]  # a field of the test
    return row[name]


def plezi_value(harness: Harness) -> Any:
    return harness.people()[ANA].get(ATTRIBUTE)


def sync(harness: Harness) -> None:
    advance_clocks(harness)
    run = harness.sync()
    assert run.state is RunState.DONE, run.message


def test_m4_every_row_of_the_table_is_tested() -> None:
    cases = [case.row for case in (*BOTH_WAYS, *TO_PLEZI, *REFUSED)]

    assert sorted(cases) == sorted(row.name for row in ROWS)
    by_name = {row.name: row.direction for row in ROWS}
    assert {by_name[case.row] for case in BOTH_WAYS} == {Direction.BOTH}
    assert {by_name[case.row] for case in TO_PLEZI} == {Direction.TO_PLEZI}
    assert {by_name[case.row] for case in REFUSED} == {Direction.OFF}


@pytest.mark.parametrize("case", BOTH_WAYS, ids=row_name)
def test_m4_a_value_of_each_type_arrives_comes_back_and_is_written_once(
    harness: Harness, admin_client: AdminClient, case: RoundTrip
) -> None:
    add_fields(
        harness,
        case.metadata,
        described_as=case.described_as,
        plezi_type=case.plezi_type,
        options=case.options,
    )
    assert save(admin_client, case.name).status == 200
    typed, arrived = case.from_plezi
    person = harness.add_person(email=ANA, last_name="Lopez", **{ATTRIBUTE: typed})
    sync(harness)
    assert lead_value(harness, case.name) == arrived
    assert next_run_writes_nothing(harness)

    typed, arrived = case.from_salesforce
    [lead] = harness.leads(ANA)
    advance_clocks(harness)
    harness.edit_lead(lead["Id"], **{case.name: typed})
    sync(harness)
    assert plezi_value(harness) == arrived
    assert next_run_writes_nothing(harness)

    typed, arrived = case.from_plezi
    advance_clocks(harness)
    harness.edit_person(person, **{ATTRIBUTE: typed})
    sync(harness)
    assert lead_value(harness, case.name) == arrived
    assert next_run_writes_nothing(harness)
    assert harness.ledger.suspended_pairs() == {}


@pytest.mark.parametrize("case", TO_PLEZI, ids=row_name)
def test_m4_a_value_that_only_salesforce_types_arrives_and_nothing_is_written_back(
    harness: Harness, admin_client: AdminClient, case: OneWay
) -> None:
    add_fields(harness, case.metadata)
    refused = save(admin_client, case.name, "to_salesforce")
    assert refused.status == 422
    assert {problem["pair"] for problem in refused.body["problems"]} == {case.name}
    saved = save(admin_client, case.name, "both")
    assert [issue["code"] for issue in saved.body["warnings"]] == ["made_one_way"]
    lead = harness.add_lead(Email=ANA, LastName="Lopez")
    if case.value is not None:
        body = {"values": {case.name: case.value}, "as_system": True}
        harness.control("salesforce", "PATCH", f"records/Lead/{lead}", body)

    sync(harness)

    assert plezi_value(harness) == case.in_plezi
    assert next_run_writes_nothing(harness)
    person = harness.people()[ANA]["id"]
    harness.edit_person(person, **{ATTRIBUTE: "typed in Plezi"})
    before = harness.salesforce("GET", f"sobjects/Lead/{lead}")
    sync(harness)
    assert harness.salesforce("GET", f"sobjects/Lead/{lead}") == before
    assert harness.ledger.suspended_pairs() == {}


@pytest.mark.parametrize("case", REFUSED, ids=row_name)
def test_m4_a_field_of_a_refused_type_is_refused_with_the_reason_and_the_remedy(
    harness: Harness, admin_client: AdminClient, case: Refused
) -> None:
    add_fields(harness, case.metadata, described_as=case.described_as)

    response = save(admin_client, case.name)

    assert response.status == 422
    [problem] = response.body["problems"]
    assert (problem["code"], problem["pair"]) == ("unsupported_type", case.name)
    assert problem["field"] == "salesforce"
    assert case.reason in problem["message"]
    assert case.remedy in problem["remedy"]
    [shown] = [
        each
        for each in admin_client.request_ok("GET", "/admin/fields")["lead"]
        if each["name"] == case.name
    ]
    assert (shown["type"], shown["sends"], shown["receives"]) == ("unsupported", False, False)
    assert case.reason in shown["reason"]
    assert shown["components"] == list(case.components)


@pytest.mark.parametrize("case", REFUSED, ids=row_name)
def test_m4_a_pair_of_an_earlier_mapping_is_suspended_with_the_reason(
    harness: Harness, case: Refused
) -> None:
    add_fields(harness, case.metadata, described_as=case.described_as)
    pair = FieldPair(ATTRIBUTE, case.name, Direction.BOTH)
    save_unchecked(harness, pair)
    harness.add_lead(Email=ANA, LastName="Lopez", Phone="111")

    sync(harness)

    assert harness.people()[ANA]["phone"] == "111"
    assert plezi_value(harness) is None
    suspended = harness.ledger.suspended_pairs()
    assert set(suspended) == {case.name}
    assert case.reason in suspended[case.name]


def save_unchecked(harness: Harness, *pairs: FieldPair) -> None:
    """Save a mapping as a version that knew fewer types did."""
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, *pairs))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def test_m4_the_parts_of_addresses_arrive_from_leads_and_contacts(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.control("plezi", "POST", "attributes", {"name": "city", "label": "City"})
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    [city] = [pair for pair in mapping["pairs"] if pair["salesforce"] == "City"]
    city.update(plezi="city", direction="both")
    admin_client.request_ok("GET", "/admin/fields", refresh="true")
    admin_client.request_ok("PUT", "/admin/mapping", mapping)
    harness.add_lead(Email=ANA, LastName="Lopez", City="Lyon")
    harness.add_contact(Email="bob@example.com", MailingCity="Brest", sync_to_plezi__c="yes")

    sync(harness)

    people = harness.people()
    assert (people[ANA]["city"], people["bob@example.com"]["city"]) == ("Lyon", "Brest")
    assert next_run_writes_nothing(harness)


def test_m4_a_refused_type_of_a_contact_is_refused_and_suspends_contacts_only(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.control("plezi", "POST", "attributes", {"name": "city", "label": "City"})
    pair = FieldPair("city", "City", Direction.BOTH, contact="MailingAddress")
    document = mapping_document(DEFAULT_MAPPING)
    document["pairs"].append({"plezi": "city", "salesforce": "City", "direction": "both"})
    document["pairs"][-1]["contact"] = "MailingAddress"
    response = admin_client.request("PUT", "/admin/mapping", document)
    assert response.status == 422
    [problem] = response.body["problems"]
    assert (problem["code"], problem["field"]) == ("unsupported_type", "contact")
    assert "MailingStreet, MailingCity" in problem["remedy"]
    save_unchecked(harness, pair)
    harness.add_lead(Email=ANA, LastName="Lopez", City="Lyon")

    sync(harness)

    assert harness.people()[ANA]["city"] == "Lyon"
    [(key, reason)] = harness.ledger.suspended_pairs().items()
    assert key == "City of Contact"
    assert "MailingCity" in reason


@pytest.mark.parametrize(
    ("name", "status"), [("MailingAddress", 422), ("OwnerId", 200), ("Name", 200)]
)
def test_m4_a_filter_compares_ids_and_names_and_no_compound(
    admin_client: AdminClient, name: str, status: int
) -> None:
    document = mapping_document(DEFAULT_MAPPING)
    document["contact_filter"] = {"field": name, "operator": "equals", "value": "x"}

    response = admin_client.request("PUT", "/admin/mapping", document)

    assert response.status == status
    codes = [problem["code"] for problem in response.body.get("problems", [])]
    assert codes == ["unsupported_type"] * (status != 200)


STANDARD_FIELDS = {
    "Industry": ["both", "to_plezi", "to_salesforce"],
    "Street": ["both", "to_plezi", "to_salesforce"],
    "City": ["both", "to_plezi", "to_salesforce"],
    "LeadSource": ["both", "to_plezi", "to_salesforce"],
    "Website": ["both", "to_plezi", "to_salesforce"],
    "Rating": ["both", "to_plezi", "to_salesforce"],
    "NumberOfEmployees": ["both", "to_plezi", "to_salesforce"],
    "AnnualRevenue": ["both", "to_plezi", "to_salesforce"],
    "Description": ["both", "to_plezi", "to_salesforce"],
    "HasOptedOutOfEmail": ["both", "to_plezi", "to_salesforce"],
    "Owner.Name": ["to_plezi"],
    "CreatedDate": ["to_plezi"],
}


def suggestions(admin_client: AdminClient) -> list[dict[str, Any]]:
    mapping = admin_client.request_ok("GET", "/admin/mapping")
    return [pair for pair in mapping["pairs"] if not pair["saved"]]


def test_m7_every_field_and_attribute_is_offered_switched_off_with_its_directions(
    admin_client: AdminClient,
) -> None:
    offered = suggestions(admin_client)

    by_field = {pair["salesforce"]: pair for pair in offered if pair["salesforce"]}
    assert {name: by_field[name]["directions"] for name in STANDARD_FIELDS} == STANDARD_FIELDS
    assert "read-only" in by_field["CreatedDate"]["reason"]
    assert {pair["direction"] for pair in offered} == {"off"}
    saved = {pair.plezi for pair in DEFAULT_MAPPING.pairs}
    listed = admin_client.request_ok("GET", "/admin/fields")
    attributes = {each["name"] for each in listed["plezi"]}
    assert attributes - saved == {pair["plezi"] for pair in offered if pair["plezi"]}
    fields = listed["lead"]
    unsupported = {each["name"] for each in fields if each["type"] == "unsupported"}
    assert {"Address", "Name", "OwnerId", "Id"} <= unsupported
    mapped = {pair.salesforce for pair in DEFAULT_MAPPING.pairs}
    assert set(by_field) == {each["name"] for each in fields} - mapped - unsupported


def test_m7_the_parts_of_an_address_are_offered_with_the_fields_of_contacts(
    admin_client: AdminClient,
) -> None:
    contacts = {pair["salesforce"]: pair["contact"] for pair in suggestions(admin_client)}

    assert contacts["Street"] == "MailingStreet"
    assert contacts["PostalCode"] == "MailingPostalCode"
    assert contacts["LeadSource"] == "LeadSource"
    assert contacts["Industry"] == ""


def test_m7_the_mapping_as_it_was_shown_can_be_saved(admin_client: AdminClient) -> None:
    mapping = admin_client.request_ok("GET", "/admin/mapping")

    assert admin_client.request_ok("PUT", "/admin/mapping", mapping)["changed"] == []


def test_m7_an_attribute_that_plezi_sets_is_offered_towards_salesforce_only(
    admin_client: AdminClient,
) -> None:
    [source] = [pair for pair in suggestions(admin_client) if pair["plezi"] == "source"]

    assert source["directions"] == ["to_salesforce"]
    assert "Plezi sets it" in source["reason"]
