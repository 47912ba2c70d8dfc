"""Semi-joins and anti-joins: a field in the results of a sub-query."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession

Create = Callable[..., str]


@pytest.fixture
def owned(org: SalesforceOrg, new_lead: Create) -> dict[str, str]:
    """Create a lead of the integration user and one of the sales user; return their ids."""
    users = {"own": org.integration_user, "other": org.sales_user}
    return {name: new_lead(LastName=name, OwnerId=user.id) for name, user in users.items()}


def test_a_semi_join_finds_the_rows_that_its_sub_query_names(
    api: PrefixedSession, owned: dict[str, str]
) -> None:
    of_sales = "(SELECT Id FROM User WHERE Username = 'sales@acme.example')"
    found = api.soql(f"SELECT Id FROM Lead WHERE OwnerId IN {of_sales} AND LastName = 'other'")
    assert [row["Id"] for row in found] == [owned["other"]]
    others = api.soql(f"SELECT Id FROM Lead WHERE OwnerId NOT IN {of_sales}")
    assert [row["Id"] for row in others] == [owned["own"]]


def test_two_sub_queries_keep_their_values_apart(
    api: PrefixedSession, owned: dict[str, str]
) -> None:
    query = (
        "SELECT Id FROM Lead WHERE CreatedDate > 2020-01-01T00:00:00Z AND"
        " OwnerId IN (SELECT Id FROM User WHERE Username = 'sales@acme.example') AND"
        " CreatedById IN (SELECT Id FROM User WHERE Username = 'integration@acme.example') AND"
        " LastName = 'other'"
    )
    assert [row["Id"] for row in api.soql(query)] == [owned["other"]]


def test_an_anti_join_with_empty_values_finds_rows(
    api: PrefixedSession, new_lead: Create, org: SalesforceOrg
) -> None:
    new_lead()  # its ConvertedContactId is empty
    org.load(contacts=2)
    query = "SELECT Id FROM Contact WHERE Id NOT IN (SELECT ConvertedContactId FROM Lead)"
    assert len(api.soql(query)) == 2


def test_a_sub_query_does_not_see_deleted_rows(api: PrefixedSession, new_lead: Create) -> None:
    lead = new_lead()
    owners = "SELECT Id FROM User WHERE Id IN (SELECT OwnerId FROM Lead)"
    assert len(api.soql(owners)) == 1
    api.delete(f"/sobjects/Lead/{lead}")
    assert api.soql(owners) == []


@pytest.mark.parametrize(
    "condition",
    [
        "Email IN (SELECT Email FROM User)",
        "Id IN (SELECT Id FROM Account)",
        "OwnerId IN (SELECT OwnerId FROM Lead)",
        "Owner.Id IN (SELECT Id FROM User)",
        "OwnerId IN (SELECT Id FROM User) OR Id = null",
        "NOT OwnerId IN (SELECT Id FROM User)",
        "OwnerId IN (SELECT Id FROM User LIMIT 1)",
        "OwnerId IN (SELECT Id FROM User ORDER BY Id)",
        "OwnerId IN (SELECT COUNT() FROM User)",
        "OwnerId IN (SELECT Nothing FROM User)",
        "OwnerId IN (SELECT Id FROM Nothing)",
        "OwnerId = (SELECT Id FROM User)",
        " AND ".join(["OwnerId IN (SELECT Id FROM User)"] * 3),
    ],
)
def test_a_sub_query_that_soql_does_not_allow_is_refused(
    api: PrefixedSession, condition: str
) -> None:
    refused = api.get("/query", params={"q": f"SELECT Id FROM Lead WHERE {condition}"})
    assert refused.status_code == 400
    assert refused.json()[0]["errorCode"] in {"MALFORMED_QUERY", "INVALID_FIELD", "INVALID_TYPE"}
