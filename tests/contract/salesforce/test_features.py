"""Features of an org: state and country picklists, person accounts, currencies, record types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.contract.salesforce.conftest import PrefixedSession

NO_COUNTRY = (
    "There's a problem with this country, even though it may appear correct. Please select a"
    " country/territory from the list of valid countries.: Country"
)
NO_COUNTRY_OF_STATE = (
    "A country/territory must be specified before specifying a state value for field: State"
)
NO_STATE = (
    "There's a problem with this state, even though it may appear correct. Please select a state"
    " from the list of valid states.: State"
)


def switch_on(control: PrefixedSession, feature: str) -> None:
    assert control.post("/features", json={"feature": feature}).status_code == 200


def error(response: requests.Response) -> tuple[str, str, list[str]]:
    [body] = response.json()
    return body["errorCode"], body["message"], body["fields"]


def described(api: PrefixedSession, kind: str) -> dict[str, Any]:
    return {each["name"]: each for each in api.get(f"/sobjects/{kind}/describe").json()["fields"]}


def stored(api: PrefixedSession, kind: str, record: str) -> dict[str, Any]:
    return dict(api.get(f"/sobjects/{kind}/{record}").json())


# State and country picklists


@pytest.mark.parametrize(
    "written",
    [
        {"Country": "united states", "State": "california"},
        {"CountryCode": "US", "StateCode": "CA"},
        {"Country": "US", "State": "CA"},
    ],
)
def test_names_and_codes_of_an_address_complete_each_other(
    api: PrefixedSession,
    control: PrefixedSession,
    new_lead: Callable[..., str],
    written: dict[str, str],
) -> None:
    switch_on(control, "state_and_country_picklists")

    lead = stored(api, "Lead", new_lead(**written))

    assert [lead[name] for name in ("Country", "CountryCode", "State", "StateCode")] == [
        "United States",
        "US",
        "California",
        "CA",
    ]


@pytest.mark.parametrize(
    ("written", "message", "field"),
    [
        ({"Country": "Utopia"}, NO_COUNTRY, "Country"),
        (
            {"State": "California"},
            NO_COUNTRY_OF_STATE,
            "State",
        ),
        (
            {"Country": "France", "State": "California"},
            NO_STATE,
            "State",
        ),
    ],
)
def test_an_address_that_the_picklists_do_not_have_is_refused(
    api: PrefixedSession,
    control: PrefixedSession,
    written: dict[str, str],
    message: str,
    field: str,
) -> None:
    body = {"LastName": "B", "Company": "C", **written}
    assert api.post("/sobjects/Lead", json=body).status_code == 201

    switch_on(control, "state_and_country_picklists")

    refused = error(api.post("/sobjects/Lead", json=body))
    assert refused == ("FIELD_INTEGRITY_EXCEPTION", message, [field])


def test_a_country_that_is_cleared_clears_its_code(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    switch_on(control, "state_and_country_picklists")
    lead = new_lead(Country="France")

    api.patch(f"/sobjects/Lead/{lead}", json={"Country": None})

    assert stored(api, "Lead", lead)["CountryCode"] is None
    assert described(api, "Contact")["MailingCountryCode"]["type"] == "picklist"


# Person accounts


def test_a_person_account_has_a_computed_name_and_its_own_contact(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    switch_on(control, "person_accounts")
    body = {"FirstName": "Ana", "LastName": "Lopez", "PersonEmail": "ana@example.com"}
    account = api.post("/sobjects/Account", json=body).json()["id"]

    row = stored(api, "Account", account)
    [contact] = api.soql("SELECT Id, Email, IsPersonAccount, Account.Name FROM Contact")

    assert (row["Name"], row["IsPersonAccount"]) == ("Ana Lopez", True)
    assert contact["Id"] == row["PersonContactId"]
    assert (contact["Email"], contact["IsPersonAccount"]) == ("ana@example.com", True)
    assert contact["Account"]["Name"] == "Ana Lopez"


def test_an_edit_of_a_person_account_changes_its_contact(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    switch_on(control, "person_accounts")
    account = api.post("/sobjects/Account", json={"LastName": "Lopez"}).json()["id"]
    [contact] = api.soql("SELECT Id FROM Contact")

    api.patch(f"/sobjects/Account/{account}", json={"LastName": "Ruiz"})

    assert stored(api, "Contact", contact["Id"])["LastName"] == "Ruiz"
    path = f"/sobjects/Contact/{contact['Id']}"
    assert api.patch(path, json={"LastName": "X"}).status_code == 400
    refused = error(api.patch(f"/sobjects/Account/{account}", json={"Name": "X"}))
    assert (refused[0], refused[2]) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["Name"])


def test_a_lead_needs_no_company_in_an_org_with_person_accounts(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    assert api.post("/sobjects/Lead", json={"LastName": "B"}).status_code == 400
    switch_on(control, "person_accounts")
    assert api.post("/sobjects/Lead", json={"LastName": "B"}).status_code == 201
    assert described(api, "Lead")["Company"]["nillable"] is True
    business = api.post("/sobjects/Account", json={"Name": "Acme"}).json()["id"]
    assert stored(api, "Account", business)["IsPersonAccount"] is False


# Currencies


def test_every_record_has_a_currency_in_an_org_with_several(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    old = new_lead()
    switch_on(control, "multi_currency")
    new, other = new_lead(), new_lead(CurrencyIsoCode="USD")

    codes = {row["Id"]: row["CurrencyIsoCode"] for row in api.soql(
        "SELECT Id, CurrencyIsoCode FROM Lead"
    )}  # fmt: skip

    assert codes == {old: "EUR", new: "EUR", other: "USD"}
    field = described(api, "Lead")["CurrencyIsoCode"]
    assert (field["restrictedPicklist"], field["defaultedOnCreate"]) == (True, True)
    body = {"LastName": "B", "Company": "C", "CurrencyIsoCode": "CHF"}  # not active in this org
    refused = error(api.post("/sobjects/Lead", json=body))
    assert refused[0] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


# Record types


def add_record_type(control: PrefixedSession, **options: Any) -> str:
    response = control.post("/record_types/Lead", json=options)
    assert response.status_code == 200, response.text
    return str(response.json()["id"])


def test_a_record_type_has_its_own_values_of_a_restricted_picklist(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    lead = new_lead(segment__c="large")
    partner = add_record_type(control, name="Partner", values={"segment__c": ["smb", "mid"]})
    of_type = new_lead(RecordTypeId=partner, segment__c="smb")

    refused = error(api.patch(f"/sobjects/Lead/{of_type}", json={"segment__c": "large"}))

    assert refused == (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Segment: bad value for restricted picklist field: large",
        ["segment__c"],
    )
    assert api.patch(f"/sobjects/Lead/{lead}", json={"segment__c": "large"}).status_code == 204
    values = [each["value"] for each in described(api, "Lead")["segment__c"]["picklistValues"]]
    assert values == ["smb", "mid", "large"]  # of all record types


def test_a_new_record_has_the_default_record_type(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    partner = add_record_type(control, name="Partner", default=True, values={"segment__c": ["smb"]})

    lead = new_lead()

    [row] = api.soql(f"SELECT RecordTypeId, RecordType.Name FROM Lead WHERE Id = '{lead}'")
    assert (row["RecordTypeId"], row["RecordType"]["Name"]) == (partner, "Partner")
    infos = api.get("/sobjects/Lead/describe").json()["recordTypeInfos"]
    assert {each["name"]: each["defaultRecordTypeMapping"] for each in infos} == {
        "Partner": True,
        "Master": False,
    }
    body = {"LastName": "B", "Company": "C", "segment__c": "mid"}
    assert error(api.post("/sobjects/Lead", json=body))[2] == ["segment__c"]


def test_invalid_features_are_refused(control: PrefixedSession) -> None:
    for route, body in (
        ("/features", {"feature": "flying"}),
        ("/record_types/Lead", {}),
        ("/record_types/User", {"name": "X"}),
        ("/record_types/Lead", {"name": "X", "values": {"Phone": ["1"]}}),
        ("/record_types/Lead", {"name": "X", "values": {"segment__c": ["huge"]}}),
    ):
        assert control.post(route, json=body).status_code == 400, body


def test_the_picklist_values_of_a_record_type_are_readable(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    partner = add_record_type(control, name="Partner", values={"segment__c": ["smb", "mid"]})
    values_of = "/ui-api/object-info/Lead/picklist-values/{}"

    fields = api.get(values_of.format(partner)).json()["picklistFieldValues"]
    of_all = api.get(values_of.format("012000000000000AAA")).json()["picklistFieldValues"]

    assert [each["value"] for each in fields["segment__c"]["values"]] == ["smb", "mid"]
    assert len(fields["Industry"]["values"]) == len(of_all["Industry"]["values"]) > 1
    assert len(of_all["segment__c"]["values"]) == 3
    assert "Email" not in fields
    for path in (values_of.format("012000000000001AAA"), values_of.format("x")):
        assert api.get(path).status_code == 404, path
    control.post("/objects/Lead/permissions", json={"read": False})
    assert api.get(values_of.format(partner)).status_code == 404
