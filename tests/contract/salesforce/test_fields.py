"""Fields: describe, hidden fields, the Tooling API, grants by permission sets."""

from __future__ import annotations

from typing import Any

import pytest

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession

FIELD = "/tooling/sobjects/CustomField"
LEAD = {"LastName": "A", "Company": "C"}


def described(api: PrefixedSession, name: str = "Lead") -> dict[str, Any]:
    fields = api.get(f"/sobjects/{name}/describe").json()["fields"]
    return {field["name"]: field for field in fields}


def test_describe_contains_the_properties_for_a_mapping(api: PrefixedSession) -> None:
    lead = described(api)
    assert (lead["Email"]["type"], lead["Email"]["idLookup"]) == ("email", True)
    assert lead["Company"]["nillable"] is False
    assert lead["Company"]["permissionable"] is False
    assert (lead["Title"]["length"], lead["Title"]["byteLength"]) == (128, 384)
    assert lead["Status"]["defaultedOnCreate"] is True
    assert lead["Status"]["restrictedPicklist"] is False
    assert lead["Name"]["updateable"] is False
    assert lead["Address"]["type"] == "address"
    assert lead["City"]["compoundFieldName"] == "Address"
    assert lead["IsConverted"]["createable"] is True
    assert lead["IsConverted"]["updateable"] is False
    assert lead["Description"]["filterable"] is False
    assert lead["OwnerId"]["referenceTo"] == ["Group", "User"]
    values = [value["value"] for value in lead["segment__c"]["picklistValues"]]
    assert values == ["smb", "mid", "large"]
    contact = described(api, "Contact")
    assert contact["AccountId"]["relationshipName"] == "Account"
    assert contact["sync_to_plezi__c"]["restrictedPicklist"] is True
    basic = api.get("/sobjects/Lead").json()
    assert basic["objectDescribe"]["keyPrefix"] == "00Q"
    assert basic["recentItems"] == []


def test_describe_returns_304_until_a_change(
    api: PrefixedSession, control: PrefixedSession, clock: SimulatedClock
) -> None:
    first = api.get("/sobjects/Lead/describe")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    clock.advance(60)
    unchanged = api.get("/sobjects/Lead/describe", headers=since)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    control.patch("/fields/Lead/Title", json={"length": 40, "label": "Function"})
    changed = api.get("/sobjects/Lead/describe", headers=since)
    assert changed.status_code == 200
    assert described(api)["Title"]["length"] == 40


def test_a_hidden_field_does_not_exist_for_the_user(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    control.post("/fields/Lead/score__c/visibility", json={"read": False})
    assert "score__c" not in described(api)
    query = api.get("/query", params={"q": "SELECT score__c FROM Lead"}).json()[0]
    assert query["errorCode"] == "INVALID_FIELD"
    write = api.post("/sobjects/Lead", json={**LEAD, "score__c": "4"}).json()[0]
    assert write["message"] == "No such column 'score__c' on sobject of type Lead"


def test_a_field_can_be_read_only_for_one_user(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    only = {"read": True, "edit": False, "username": "integration@acme.example"}
    control.post("/fields/Lead/Title/visibility", json=only)
    assert described(api)["Title"]["updateable"] is False
    write = api.post("/sobjects/Lead", json={**LEAD, "Title": "CEO"}).json()[0]
    assert write["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert write["fields"] == ["Title"]
    assert control.post("/records/Lead", json={**LEAD, "Title": "CEO"}).status_code == 201
    refused = control.post("/fields/Lead/Company/visibility", json={"read": False})
    assert refused.status_code == 400


def create(api: PrefixedSession, name: str, **metadata: Any) -> Any:
    return api.post(FIELD, json={"FullName": f"Lead.{name}", "Metadata": metadata})


def test_a_field_created_by_api_is_invisible_until_it_is_granted(
    api: PrefixedSession, org: SalesforceOrg
) -> None:
    created = create(api, "plezi_note__c", type="Text", label="Note", length=20, externalId=True)
    assert (created.status_code, created.json()["success"]) == (201, True)
    assert created.json()["id"].startswith("00N")
    assert "plezi_note__c" not in described(api)
    grant = api.post("/sobjects/PermissionSet", json={"Name": "Plezi", "Label": "Plezi"}).json()
    permission = {
        "ParentId": grant["id"],
        "SobjectType": "Lead",
        "Field": "Lead.plezi_note__c",
        "PermissionsRead": True,
        "PermissionsEdit": True,
    }
    assert api.post("/sobjects/FieldPermissions", json=permission).status_code == 201
    assert "plezi_note__c" not in described(api)
    assignment = {"AssigneeId": org.integration_user.id, "PermissionSetId": grant["id"]}
    assert api.post("/sobjects/PermissionSetAssignment", json=assignment).status_code == 201
    assert described(api)["plezi_note__c"]["externalId"] is True
    assert api.patch("/sobjects/Lead/plezi_note__c/a1", json=LEAD).status_code == 201
    refused = api.post("/sobjects/PermissionSetAssignment", json=assignment).json()[0]
    assert refused == {
        "errorCode": "DUPLICATE_VALUE",
        "message": "Duplicate PermissionSetAssignment.  Assignee:"
        f" {assignment['AssigneeId']}; Permission Set: {assignment['PermissionSetId']}",
        "fields": ["AssigneeId", "PermissionSetId"],
    }
    rows = api.soql("SELECT Field, PermissionsEdit FROM FieldPermissions WHERE Parent.Name='Plezi'")
    assert rows[0]["Field"] == "Lead.plezi_note__c"
    parent = api.soql(
        f"SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '{org.integration_user.id}'"
        f" AND PermissionSetId = '{grant['id']}'"
    )
    assert api.delete(f"/sobjects/PermissionSetAssignment/{parent[0]['Id']}").status_code == 204
    assert "plezi_note__c" not in described(api)


def test_the_tooling_api_reads_changes_and_deletes_a_field(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    field_id = create(api, "note__c", type="Text", label="Note", length=20).json()["id"]
    soql = "SELECT Id, FullName FROM CustomField WHERE DeveloperName = 'note'"
    [row] = api.get("/tooling/query", params={"q": soql}).json()["records"]
    assert (row["Id"], row["FullName"]) == (field_id, "Lead.note__c")
    soql = (
        "SELECT QualifiedApiName FROM FieldDefinition"
        " WHERE EntityDefinition.QualifiedApiName = 'Lead' AND QualifiedApiName = 'note__c'"
    )
    assert api.get("/tooling/query", params={"q": soql}).json()["totalSize"] == 1
    assert api.get(f"{FIELD}/{field_id}").json()["Metadata"]["length"] == 20
    wider = {"Metadata": {"type": "Text", "label": "Note", "length": 30}}
    assert api.patch(f"{FIELD}/{field_id}", json=wider).status_code == 204
    new_type = {"Metadata": {"type": "Date", "label": "Note"}}
    assert api.patch(f"{FIELD}/{field_id}", json=new_type).status_code == 400
    control.post("/fields/Lead/note__c/visibility", json={"read": True})
    assert described(api)["note__c"]["length"] == 30
    assert api.delete(f"{FIELD}/{field_id}").status_code == 204
    assert api.get(f"{FIELD}/{field_id}").status_code == 404
    assert "note__c" not in described(api)


@pytest.mark.parametrize(
    ("name", "metadata", "code"),
    [
        ("score__c", {"type": "Text", "label": "S", "length": 5}, "DUPLICATE_DEVELOPER_NAME"),
        ("a__c", {"type": "Text", "label": "A", "length": 256}, "FIELD_INTEGRITY_EXCEPTION"),
        ("a__c", {"type": "Text", "label": "A"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("a__c", {"type": "Url", "label": "A", "length": 9}, "FIELD_INTEGRITY_EXCEPTION"),
        ("a__c", {"type": "Checkbox", "label": "A"}, "FIELD_INTEGRITY_EXCEPTION"),
        (
            "a__c",
            {"type": "Checkbox", "label": "A", "defaultValue": False, "required": False},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        ("a__c", {"type": "Number", "label": "A"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("a__c", {"type": "Magic", "label": "A"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("a__c", {"type": ["Text"], "label": "A"}, "FIELD_INTEGRITY_EXCEPTION"),
        (
            "a__c",
            {"type": "Checkbox", "label": "A", "defaultValue": []},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            "a__c",
            {"type": "Picklist", "label": "A", "valueSet": {"restricted": True}},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        ("a__c", {"type": "Date"}, "REQUIRED_FIELD_MISSING"),
        ("plain", {"type": "Date", "label": "A"}, "FIELD_INTEGRITY_EXCEPTION"),
    ],
)
def test_an_invalid_field_is_refused(
    api: PrefixedSession, name: str, metadata: dict[str, Any], code: str
) -> None:
    response = create(api, name, **metadata)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, code)


def test_a_custom_field_requires_customize_application(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    control.post("/users/integration@acme.example", json={"customize_application": False})
    response = create(api, "a__c", type="Date", label="A")
    assert (response.status_code, response.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")


@pytest.mark.parametrize(
    ("metadata", "value", "stored"),
    [
        ({"type": "Url"}, "https://x", "https://x"),
        ({"type": "Email"}, "A@X.fr", "a@x.fr"),
        ({"type": "Phone"}, "+33 1", "+33 1"),
        ({"type": "TextArea"}, "a\nb", "a\nb"),
        ({"type": "Date"}, "2026-01-02", "2026-01-02"),
        ({"type": "DateTime"}, "2026-01-02T00:00:00Z", "2026-01-02T00:00:00.000+0000"),
        ({"type": "Number", "precision": 5, "scale": 2}, "1.239", 1.239),
        ({"type": "Checkbox", "defaultValue": True}, False, False),
        ({"type": "Time"}, "10:30:00.000Z", "10:30:00.000Z"),
        ({"type": "Html", "length": 1000}, "<p>a</p>", "<p>a</p>"),
        (
            {"type": "EncryptedText", "length": 9, "maskType": "all", "maskChar": "X"},
            "secret",
            "XXXXXX",  # the mask, one character for each of the value
        ),
        (
            {
                "type": "MultiselectPicklist",
                "valueSet": {
                    "restricted": True,
                    "valueSetDefinition": {"value": [{"fullName": "a"}, {"fullName": "b"}]},
                },
            },
            "b;a",
            "a;b",
        ),
    ],
)
def test_an_administrator_adds_a_field_of_any_type(
    api: PrefixedSession,
    control: PrefixedSession,
    metadata: dict[str, Any],
    value: object,
    stored: object,
) -> None:
    body = {"name": "new__c", "Metadata": {"label": "New", **metadata}}
    assert control.post("/fields/Lead", json=body).status_code == 201
    assert "new__c" in described(api)
    lead = api.post("/sobjects/Lead", json={**LEAD, "new__c": value}).json()["id"]
    assert api.get(f"/sobjects/Lead/{lead}").json()["new__c"] == stored
    assert control.delete("/fields/Lead/new__c").json()["deleted"] is True
    assert "new__c" not in api.get(f"/sobjects/Lead/{lead}").json()


def test_a_formula_is_read_only_and_moves_no_stamp(
    api: PrefixedSession, control: PrefixedSession, clock: SimulatedClock
) -> None:
    metadata = {"type": "Text", "label": "Region", "length": 10, "formula": "LEFT(City, 3)"}
    control.post("/fields/Lead", json={"name": "region__c", "Metadata": metadata})
    field = described(api)["region__c"]
    assert (field["calculated"], field["updateable"]) == (True, False)
    lead = api.post("/sobjects/Lead", json=LEAD).json()["id"]
    clock.advance(60)
    control.patch(f"/records/Lead/{lead}", json={"region__c": "Lyo", "touch": "none"})
    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert row["region__c"] == "Lyo"
    assert row["SystemModstamp"] == "2026-11-23T10:00:00.000+0000"
    write = api.patch(f"/sobjects/Lead/{lead}", json={"region__c": "x"}).json()[0]
    assert write["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def add_to_lead(control: PrefixedSession, **metadata: Any) -> None:
    body = {"name": "new__c", "Metadata": {"label": "New", **metadata}}
    response = control.post("/fields/Lead", json=body)
    assert response.status_code == 201, response.text


def test_a_geolocation_is_a_compound_of_two_numbers_and_is_not_written(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    add_to_lead(control, type="Location", scale=6, displayLocationInDecimal=True)
    fields = described(api)
    assert (fields["new__c"]["type"], fields["new__c"]["updateable"]) == ("location", False)
    assert fields["new__Latitude__s"]["compoundFieldName"] == "new__c"
    values = {"new__Latitude__s": 48.85, "new__Longitude__s": 2.35}

    lead = api.post("/sobjects/Lead", json={**LEAD, **values}).json()["id"]

    row = api.get(f"/sobjects/Lead/{lead}").json()
    assert row["new__c"] == {"latitude": 48.85, "longitude": 2.35}
    refused = api.patch(f"/sobjects/Lead/{lead}", json={"new__c": row["new__c"]}).json()[0]
    assert refused["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert control.delete("/fields/Lead/new__c").json()["deleted"] is True
    assert not {"new__c", "new__Latitude__s"} & set(described(api))


def test_an_auto_number_counts_the_records_and_is_not_written(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    add_to_lead(control, type="AutoNumber", displayFormat="L-{0000}")
    ids = [api.post("/sobjects/Lead", json=LEAD).json()["id"] for _ in range(2)]

    rows = [api.get(f"/sobjects/Lead/{each}").json() for each in ids]

    assert [row["new__c"] for row in rows] == ["L-0001", "L-0002"]
    field = described(api)["new__c"]
    assert (field["type"], field["autoNumber"], field["createable"]) == ("string", True, False)
    refused = api.post("/sobjects/Lead", json={**LEAD, "new__c": "L-1"}).json()[0]
    assert refused["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_lookup_has_a_relationship(api: PrefixedSession, control: PrefixedSession) -> None:
    add_to_lead(control, type="Lookup", referenceTo="Account")
    account = api.post("/sobjects/Account", json={"Name": "Acme"}).json()["id"]
    api.post("/sobjects/Lead", json={**LEAD, "new__c": account})

    [row] = api.soql("SELECT new__r.Name FROM Lead")

    assert row["new__r"]["Name"] == "Acme"
    assert described(api)["new__c"]["referenceTo"] == ["Account"]


def test_a_formula_that_shows_a_link_is_html(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    add_to_lead(control, type="Text", formula='HYPERLINK(Website, "page")')

    field = described(api)["new__c"]

    assert (field["htmlFormatted"], field["length"]) == (True, 1300)


@pytest.mark.parametrize("value", ["10:30", "10:30:00", "25:00:00.000Z", "10:30:00+01:00", 5])
def test_a_text_that_is_no_time_of_day_is_refused(
    api: PrefixedSession, control: PrefixedSession, value: object
) -> None:
    add_to_lead(control, type="Time")

    refused = api.post("/sobjects/Lead", json={**LEAD, "new__c": value}).json()[0]

    assert refused["errorCode"] == "JSON_PARSER_ERROR"


@pytest.mark.parametrize(
    "metadata",
    [
        {"type": "EncryptedText", "length": 9},
        {"type": "EncryptedText", "length": 176, "maskType": "all", "maskChar": "X"},
        {"type": "Location", "scale": 6},
        {"type": "AutoNumber", "displayFormat": "L"},
        {"type": "Lookup"},
        {"type": "Html"},
        {"type": "Picklist", "formula": "City"},
    ],
)
def test_a_type_without_its_properties_is_refused(
    control: PrefixedSession, metadata: dict[str, Any]
) -> None:
    body = {"name": "new__c", "Metadata": {"label": "New", **metadata}}

    assert control.post("/fields/Lead", json=body).status_code == 400


def test_a_hidden_object_is_not_supported(api: PrefixedSession, control: PrefixedSession) -> None:
    control.post("/switches", json={"hidden_objects": ["Organization"]})
    response = api.get("/query", params={"q": "SELECT Id FROM Organization"}).json()[0]
    assert response["errorCode"] == "INVALID_TYPE"
    assert "sObject type 'Organization' is not supported." in response["message"]


def test_a_field_that_cannot_be_changed_is_refused(control: PrefixedSession) -> None:
    for method, path, body in (
        ("DELETE", "/fields/Lead/Title", {}),
        ("PATCH", "/fields/Lead/Title", {"nonsense": 1}),
        ("PATCH", "/fields/Lead/Nope", {"length": 1}),
        ("POST", "/fields/Lead", {"name": "no_suffix", "Metadata": {}}),
    ):
        assert control.request(method, path, json=body).status_code == 400, path


def test_a_unique_field_and_then_another_field_can_be_deleted(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    for name in ("plezi_url__c", "score__c"):
        assert control.delete(f"/fields/Lead/{name}").ok
    assert not {"plezi_url__c", "score__c"} & set(described(api))


def test_a_field_can_change_its_type_and_loses_the_values_that_do_not_fit(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    field = {"name": "staff__c", "Metadata": {"label": "Staff", "type": "Text", "length": 20}}
    control.post("/fields/Lead", json=field)
    for text in ("12", "many"):
        lead = {"LastName": "A", "Company": "C", "staff__c": text}
        api.post("/sobjects/Lead", json=lead)

    response = control.patch("/fields/Lead/staff__c", json={"type": "double"})

    assert response.status_code == 200
    rows = api.soql("SELECT staff__c FROM Lead ORDER BY Id")
    assert [row["staff__c"] for row in rows] == [12.0, None]
    fields = api.get("/sobjects/Lead/describe").json()["fields"]
    assert [each["type"] for each in fields if each["name"] == "staff__c"] == ["double"]
    assert control.patch("/fields/Lead/staff__c", json={"type": "guess"}).status_code == 400
    assert control.patch("/fields/Lead/Phone", json={"type": "double"}).status_code == 400
