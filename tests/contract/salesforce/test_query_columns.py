"""The columns of a query, as the `sf` command line asks for them: `/query?q=...&columns=true`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession


@pytest.fixture
def columns(api: PrefixedSession) -> Callable[[str], Any]:
    """Return a function from a query to the description of its columns."""

    def describe(soql: str) -> Any:
        return api.get("/query", params={"q": soql, "columns": "true"}).json()

    return describe


def test_the_columns_of_plain_fields_are_described_as_recorded(
    columns: Callable[[str], Any],
) -> None:
    described = columns("SELECT Id, Name FROM Account")
    assert {name: value for name, value in described.items() if name != "columnMetadata"} == {
        "entityName": "Account",
        "groupBy": False,
        "idSelected": True,
        "keyPrefix": "001",
    }
    record_id, name = described["columnMetadata"]
    assert record_id == {
        "aggregate": False,
        "apexType": "Id",
        "booleanType": False,
        "columnName": "Id",
        "custom": False,
        "displayName": "Id",
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": [],
        "numberType": False,
        "textType": False,
        "updatable": False,
    }
    assert name == record_id | {
        "apexType": "String",
        "columnName": "Name",
        "displayName": "Name",
        "insertable": True,
        "textType": True,
        "updatable": True,
    }


def test_the_fields_of_a_parent_are_its_join_columns(columns: Callable[[str], Any]) -> None:
    [record_id, owner] = columns("SELECT Id, Owner.Name, Owner.Profile.Name FROM Lead")[
        "columnMetadata"
    ]
    assert (record_id["columnName"], record_id["joinColumns"]) == ("Id", [])
    assert owner["columnName"] == "Owner"
    name, profile = owner["joinColumns"]
    assert (name["columnName"], profile["columnName"]) == ("Name", "Profile")
    assert [column["columnName"] for column in profile["joinColumns"]] == ["Name"]


def test_an_aggregate_is_named_by_its_alias_or_its_position(
    columns: Callable[[str], Any],
) -> None:
    described = columns(
        "SELECT Status, COUNT(Id), MAX(employees__c) most FROM Lead GROUP BY Status"
    )
    assert described["groupBy"]
    assert [
        (each["columnName"], each["displayName"], each["aggregate"])
        for each in described["columnMetadata"]
    ] == [
        ("Status", "Status", False),
        ("expr0", "count(Id)", True),
        ("most", "max(employees__c)", True),
    ]
    assert columns("SELECT COUNT() FROM Lead")["columnMetadata"] == []


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Nothing FROM Lead",
        "SELECT Id FROM Lead WHERE Nothing = 1",
        "SELECT Id FROM Lead ORDER BY Nothing",
        "SELECT Title, COUNT(Id) FROM Lead GROUP BY Status",
        "SELECT Id FROM Lead OFFSET 3000",
    ],
)
def test_a_query_that_is_refused_has_no_columns(
    api: PrefixedSession, columns: Callable[[str], Any], soql: str
) -> None:
    refused = api.get("/query", params={"q": soql})
    assert refused.status_code == 400
    assert columns(soql) == refused.json()


def test_the_description_of_the_columns_opens_no_cursor(
    columns: Callable[[str], Any], org: SalesforceOrg
) -> None:
    org.load(leads=2500)
    columns("SELECT Id FROM Lead")
    assert not org.state.queries._cursors
