"""Object permissions of Lead, Contact and Account: what a user without them gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession

INTEGRATION = "integration@acme.example"
VALUES = {
    "Lead": {"LastName": "B", "Company": "C"},
    "Contact": {"LastName": "B"},
    "Account": {"Name": "B"},
}


def error(response: Any) -> tuple[int, str, str]:
    [body] = response.json()
    return response.status_code, body["errorCode"], body["message"]


def set_permissions(control: PrefixedSession, kind: str, **rights: bool) -> None:
    body = {"username": INTEGRATION, **rights}
    response = control.post(f"/objects/{kind}/permissions", json=body)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("kind", ["Lead", "Contact", "Account"])
def test_an_object_without_read_does_not_exist(
    api: PrefixedSession, control: PrefixedSession, kind: str
) -> None:
    set_permissions(control, kind, read=False)

    for path in (f"/sobjects/{kind}/describe", f"/sobjects/{kind}", f"/sobjects/{kind}/updated"):
        assert error(api.get(path))[:2] == (404, "NOT_FOUND"), path
    query = api.get("/query", params={"q": f"SELECT Id FROM {kind}"})
    assert error(query)[:2] == (400, "INVALID_TYPE")
    assert kind not in {each["name"] for each in api.get("/sobjects").json()["sobjects"]}
    record = {"attributes": {"type": kind}, **VALUES[kind]}
    [item] = api.post("/composite/sobjects", json={"records": [record]}).json()
    assert item["errors"][0]["statusCode"] == "INVALID_TYPE"


@pytest.mark.parametrize("kind", ["Lead", "Contact", "Account"])
def test_an_object_without_create_refuses_new_records(
    api: PrefixedSession, control: PrefixedSession, kind: str
) -> None:
    set_permissions(control, kind, create=False)

    refused = error(api.post(f"/sobjects/{kind}", json=VALUES[kind]))

    assert refused == (
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        f"entity type cannot be inserted: {kind}",
    )
    described = api.get(f"/sobjects/{kind}/describe").json()
    assert (described["createable"], described["updateable"]) == (False, True)
    assert not any(field["createable"] for field in described["fields"])


@pytest.mark.parametrize("kind", ["Lead", "Contact", "Account"])
def test_an_object_without_edit_refuses_changes(
    api: PrefixedSession, control: PrefixedSession, kind: str
) -> None:
    record = api.post(f"/sobjects/{kind}", json=VALUES[kind]).json()["id"]
    set_permissions(control, kind, edit=False)

    refused = error(api.patch(f"/sobjects/{kind}/{record}", json={"Phone": "1"}))

    assert refused == (
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        f"entity type cannot be updated: {kind}",
    )
    described = api.get(f"/sobjects/{kind}/describe").json()
    assert not any(field["updateable"] for field in described["fields"])


def test_an_object_without_delete_refuses_deletions(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    lead = new_lead()
    set_permissions(control, "Lead", delete=False)

    refused = error(api.delete(f"/sobjects/Lead/{lead}"))

    assert refused == (
        400,
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
    )
    assert api.get("/sobjects/Lead/describe").json()["deletable"] is False


def test_the_name_of_an_account_that_the_user_may_not_read_is_hidden(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    account = api.post("/sobjects/Account", json={"Name": "Acme"}).json()["id"]
    api.post("/sobjects/Contact", json={"LastName": "B", "AccountId": account})
    soql = "SELECT AccountId, Account.Name FROM Contact"
    assert api.soql(soql)[0]["Account"]["Name"] == "Acme"

    set_permissions(control, "Account", read=False)

    status, code, message = error(api.get("/query", params={"q": soql}))
    assert (status, code) == (400, "INVALID_FIELD")
    assert "Didn't understand relationship 'Account'" in message
    assert api.soql("SELECT AccountId FROM Contact")[0]["AccountId"] == account


def test_the_permissions_are_rows_that_a_permission_set_can_add(
    api: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    set_permissions(control, "Lead", read=False)
    permission_set = api.post("/sobjects/PermissionSet", json={"Name": "P", "Label": "P"}).json()
    api.post(
        "/sobjects/ObjectPermissions",
        json={
            "ParentId": permission_set["id"],
            "SobjectType": "Lead",
            "PermissionsRead": True,
            "PermissionsCreate": True,
        },
    )
    assignment = {"PermissionSetId": permission_set["id"], "AssigneeId": org.integration_user.id}
    api.post("/sobjects/PermissionSetAssignment", json=assignment)

    described = api.get("/sobjects/Lead/describe").json()

    assert (described["createable"], described["updateable"]) == (True, False)
    rows = api.soql("SELECT PermissionsEdit FROM ObjectPermissions WHERE Parent.Name = 'P'")
    assert [row["PermissionsEdit"] for row in rows] == [False]


def test_invalid_permissions_are_refused(control: PrefixedSession) -> None:
    for route, body in (
        ("/objects/Lead/permissions", {"fly": True}),
        ("/objects/Lead/permissions", {"read": "yes"}),
        ("/objects/User/permissions", {"read": True}),
        ("/objects/Lead/permissions", {"username": "nobody"}),
    ):
        assert control.post(route, json=body).status_code == 400, body
    assert control.post("/objects/Lead", json={}).status_code == 404
