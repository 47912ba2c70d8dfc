"""SOQL over HTTP: results, pages and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import HOST, PrefixedSession

Create = Callable[..., str]
LEADS = 20_000


@pytest.fixture
def names(api: PrefixedSession, new_lead: Create) -> Callable[[str], list[str]]:
    """Create three leads; return a function from a condition to the matching last names."""
    new_lead(
        LastName="Élodie",
        Email="e@x.fr",
        Title="CEO",
        employees__c=10,
        interests__c="events;product",
        birthdate__c="1990-05-01",
    )
    new_lead(LastName="Bob", Title="ceo", employees__c=20, interests__c="hiring")
    new_lead(LastName="O'Neil_50%", newsletter_optout__c=True, Website="http://a\\b")

    def matching_names(condition: str) -> list[str]:
        rows = api.soql(f"SELECT LastName FROM Lead WHERE {condition} ORDER BY CreatedDate, Id")
        return [row["LastName"] for row in rows]

    return matching_names


E, B, O = "Élodie", "Bob", "O'Neil_50%"  # noqa: E741  # three initials


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("LastName = 'BOB'", [B]),
        ("lastname = 'éLODIE'", [E]),
        ("LastName IN ('bob', 'ÉLODIE')", [E, B]),
        ("LastName LIKE 'B%'", [B]),
        ("LastName LIKE 'éL%'", [E]),
        (r"LastName = 'O\'Neil_50%'", [O]),
        (r"LastName LIKE '%\_50\%'", [O]),
        ("LastName LIKE '_ob'", [B]),
        ("Title = null", [O]),
        ("Title = ''", [O]),
        ("Title <> NULL", [E, B]),
        ("Title != 'ceo'", [O]),
        ("Title NOT IN ('cto')", [E, B, O]),
        ("(NOT Title = 'CEO')", [O]),
        ("employees__c > 10", [B]),
        ("employees__c >= 10 AND employees__c < 20.5", [E, B]),
        ("newsletter_optout__c = TRUE", [O]),
        ("newsletter_optout__c != true", [E, B]),
        ("interests__c INCLUDES ('product', 'hiring')", [E, B]),
        ("interests__c INCLUDES ('events;hiring')", []),
        ("interests__c EXCLUDES ('hiring')", [E, O]),
        ("birthdate__c = 1990-05-01", [E]),
        ("birthdate__c < TODAY", [E]),
        ("CreatedDate = TODAY", [E, B, O]),
        ("CreatedDate = LAST_N_DAYS:1 AND CreatedDate != YESTERDAY", [E, B, O]),
        ("CreatedDate >= TOMORROW", []),
        ("SystemModstamp >= 2026-11-23T10:00:00Z", [E, B, O]),
        ("SystemModstamp > 2026-11-23T11:00:00.000+01:00", []),
        ("Owner.Name LIKE 'Plezi%' AND Lead.LastName = 'bob'", [B]),
        ("(Title = 'CEO' OR Email = null) AND (NOT LastName = 'Bob')", [E, O]),
        ("Name = 'bob'", [B]),
    ],
)
def test_a_condition_and_its_negation_find_disjoint_rows(
    names: Callable[[str], list[str]], condition: str, expected: list[str]
) -> None:
    assert names(condition) == expected
    others = names(f"NOT ({condition})")
    assert sorted(others + expected) == sorted([E, B, O])


def test_ids_are_compared_in_both_lengths_and_by_order(
    api: PrefixedSession, new_lead: Create
) -> None:
    first, second = new_lead(), new_lead()
    assert [r["Id"] for r in api.soql(f"SELECT Id FROM Lead WHERE Id = '{first[:15]}'")] == [first]
    assert [r["Id"] for r in api.soql(f"SELECT Id FROM Lead WHERE Id > '{first}'")] == [second]


def test_parents_are_nested_or_null(
    api: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    account = api.post("/sobjects/Account", json={"Name": 'Acme "1"'}).json()["id"]
    api.post("/sobjects/Contact", json={"LastName": "A", "AccountId": account})
    api.post("/sobjects/Contact", json={"LastName": "B"})
    first, second = api.soql(
        "SELECT c.LastName, c.Account.Name, Account.Owner.Username FROM Contact c"
        " ORDER BY Account.Name DESC NULLS LAST"
    )
    assert first["Account"] == {
        "attributes": {
            "type": "Account",
            "url": f"/services/data/v64.0/sobjects/Account/{account}",
        },
        "Name": 'Acme "1"',
        "Owner": {
            "attributes": {
                "type": "User",
                "url": f"/services/data/v64.0/sobjects/User/{org.integration_user.id}",
            },
            "Username": "integration@acme.example",
        },
    }
    assert second["Account"] is None
    assert control.get("/calls").json()["calls"]["query"] == 1


def test_empty_values_come_first_in_both_directions_by_default(
    api: PrefixedSession, new_lead: Create
) -> None:
    for title in ("b", None, "A"):
        new_lead(Title=title)
    titles = [r["Title"] for r in api.soql("SELECT Title FROM Lead ORDER BY Title")]
    assert titles == [None, "A", "b"]
    titles = [r["Title"] for r in api.soql("SELECT Title FROM Lead ORDER BY Title DESC")]
    assert titles == [None, "b", "A"]
    soql = "SELECT Title FROM Lead ORDER BY Title ASC NULLS LAST LIMIT 1 OFFSET 1"
    assert [r["Title"] for r in api.soql(soql)] == ["b"]


def test_rows_are_counted_and_grouped(api: PrefixedSession, new_lead: Create) -> None:
    for email in ("a@x.fr", "A@x.fr", "b@x.fr", None):
        new_lead(Email=email, employees__c=3)
    counted = api.get("/query", params={"q": "SELECT count() FROM Lead"}).json()
    assert counted == {"totalSize": 4, "done": True, "records": []}
    rows = api.soql(
        "SELECT Email, COUNT(Id) FROM Lead WHERE Email <> null AND IsConverted = false"
        " GROUP BY Email HAVING COUNT(Id) > 1"
    )
    assert rows == [{"attributes": {"type": "AggregateResult"}, "Email": "a@x.fr", "expr0": 2}]
    [row] = api.soql(
        "SELECT SUM(employees__c) total, COUNT_DISTINCT(Email) n, MAX(CreatedDate),"
        " AVG(employees__c) FROM Lead"
    )
    assert (row["total"], row["n"], row["expr1"]) == (12.0, 2, 3.0)
    assert row["expr0"] == "2026-11-23T10:00:00.000+0000"
    rows = api.soql("SELECT Email e, COUNT(Id) n FROM Lead GROUP BY Email ORDER BY COUNT(Id) DESC")
    assert rows[0]["n"] == 2


def test_fields_all_requires_a_small_limit(api: PrefixedSession, new_lead: Create) -> None:
    new_lead()
    [row] = api.soql("SELECT FIELDS(ALL) FROM Lead LIMIT 200")
    assert {"plezi_url__c", "Address", "SystemModstamp"} <= set(row)
    [row] = api.soql("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 1")
    assert all(name.endswith("__c") for name in row if name != "attributes")
    refused = api.get("/query", params={"q": "SELECT FIELDS(ALL) FROM Lead"})
    assert refused.json()[0]["errorCode"] == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("soql", "code", "ending"),
    [
        ("SELECT", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id, FROM Lead", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT * FROM Lead", "MALFORMED_QUERY", "unexpected token: '*'"),
        ("SELECT Id FROM Lead LIMIT -1", "MALFORMED_QUERY", "unexpected token: '-1'"),
        ("SELECT Id FROM Lead FOR UPDATE", "MALFORMED_QUERY", "unexpected token: 'FOR'"),
        ("SELECT (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "token: '('"),
        (
            "SELECT Id FROM Lead WHERE Id IN (SELECT Id FROM Lead)",
            "MALFORMED_QUERY",
            "on the same object",
        ),
        (
            "SELECT Id FROM Lead WHERE Title = 'a' AND Title = 'b' OR Title = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        (
            "SELECT Id FROM Lead WHERE Title = 'a' AND NOT Title = 'b'",
            "MALFORMED_QUERY",
            "unexpected token: 'NOT'",
        ),
        (
            r"SELECT Id FROM Lead WHERE Title = '\q'",
            "MALFORMED_QUERY",
            r"Illegal character sequence '\q'",
        ),
        ("SELECT Title, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "grouped or aggregated: Title"),
        ("SELECT Title t FROM Lead", "MALFORMED_QUERY", "use field aliasing"),
        ("SELECT Id FROM Lead ORDER BY Description", "INVALID_FIELD", "sorted in a query call"),
        (
            "SELECT Id FROM Lead WHERE Description = 'a'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        ("SELECT Id, id FROM Lead", "INVALID_FIELD", "duplicate field selected: id"),
        (
            "SELECT Id FROM Lead WHERE Title = 5",
            "INVALID_FIELD",
            "field 'Title' must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp > '2026-11-23T10:00:00Z'",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Lead WHERE IsConverted = null", "INVALID_FIELD", "in quotes"),
        (
            "SELECT Id FROM Lead WHERE Id = 'abc'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: abc",
        ),
        (
            "SELECT Id FROM Lead WHERE Title INCLUDES ('a')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator",
        ),
        (
            "SELECT Id FROM Lead WHERE employees__c LIKE 'a'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator",
        ),
        ("SELECT Nope.Name FROM Lead", "INVALID_FIELD", "(entity Lead)"),
        (
            "SELECT Id FROM Lead LIMIT 1 OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
        ),
        ("SELECT Id FROM FieldDefinition", "INVALID_TYPE", "the appropriate names."),
    ],
)
def test_unsupported_or_invalid_soql_is_refused(
    api: PrefixedSession, soql: str, code: str, ending: str
) -> None:
    response = api.get("/query", params={"q": soql})
    [body] = response.json()
    assert (response.status_code, body["errorCode"]) == (400, code)
    assert body["message"].endswith(ending)
    assert "fields" not in body


def test_a_query_error_contains_its_position(api: PrefixedSession) -> None:
    response = api.get("/query", params={"q": "SELECT Id,Invalid__x FROM Contact LIMIT 1"})
    assert response.json()[0]["message"] == (
        "\nSELECT Id,Invalid__x FROM Contact LIMIT 1\n"
        "          ^\n"
        "ERROR at Row:1:Column:11\n"
        "No such column 'Invalid__x' on entity 'Contact'. If you are attempting to use a custom"
        " field, be sure to append the '__c' after the custom field name. Please reference your"
        " WSDL or the describe call for the appropriate names."
    )
    response = api.get("/query", params={"q": "SELECT Id\nFROM Accout"})
    message = response.json()[0]["message"]
    assert "ERROR at Row:2:Column:6\nsObject type 'Accout' is not supported." in message
    assert api.get("/query").json()[0]["errorCode"] == "MALFORMED_QUERY"


def test_the_length_of_a_soql_text_is_limited(api: PrefixedSession) -> None:
    soql = "SELECT Id FROM Lead WHERE Title = 'a'" + " " * 100_000
    part = {"method": "GET", "url": f"/services/data/v64.0/query?q={soql}", "referenceId": "a"}
    [response] = api.post("/composite", json={"compositeRequest": [part]}).json()[
        "compositeResponse"
    ]
    assert response["body"][0]["errorCode"] == "MALFORMED_QUERY"


def pages(api: PrefixedSession, soql: str, **headers: str) -> list[dict[str, Any]]:
    page = api.get("/query", params={"q": soql}, headers=headers).json()
    matching_names = [page]
    while not page["done"]:
        page = api.get(HOST + page["nextRecordsUrl"]).json()
        matching_names.append(page)
    return matching_names


def test_the_page_size_is_the_requested_size_within_limits(
    api: PrefixedSession, org: SalesforceOrg, control: PrefixedSession
) -> None:
    org.load(leads=2300)
    soql = "SELECT Email FROM Lead ORDER BY Email"
    assert [len(p["records"]) for p in pages(api, soql)] == [2000, 300]
    for size, first in (("500", 500), ("1", 200), ("9000", 2000)):
        result = pages(api, soql, **{"Sforce-Query-Options": f"batchSize={size}"})
        assert len(result[0]["records"]) == first
        assert result[0]["totalSize"] == 2300
    control.post("/faults", json={"kind": "short_page", "parameters": {"size": 1500}})
    assert [len(p["records"]) for p in pages(api, soql)] == [1500, 800]


def test_the_pages_of_a_query_are_a_snapshot(api: PrefixedSession, org: SalesforceOrg) -> None:
    org.load(leads=250)
    soql = "SELECT Id, Title FROM Lead ORDER BY Email"
    first = api.get(
        "/query", params={"q": soql}, headers={"Sforce-Query-Options": "batchSize=200"}
    ).json()
    rows = api.soql("SELECT Id, Title FROM Lead ORDER BY Email LIMIT 2 OFFSET 200")
    changed, deleted = rows[0], rows[1]
    api.patch(f"/sobjects/Lead/{changed['Id']}", json={"Title": "Changed since"})
    api.delete(f"/sobjects/Lead/{deleted['Id']}")
    rest = api.get(HOST + first["nextRecordsUrl"]).json()["records"]
    assert rest[0]["Title"] == changed["Title"]
    assert rest[1]["Id"] == deleted["Id"]
    assert len(rest) == 50


def test_a_cursor_expires(
    api: PrefixedSession,
    org: SalesforceOrg,
    control: PrefixedSession,
    clock: SimulatedClock,
) -> None:
    org.load(leads=250)
    options = {"Sforce-Query-Options": "batchSize=200"}

    def cursor() -> str:
        soql = {"q": "SELECT Id FROM Lead"}
        return HOST + str(api.get("/query", params=soql, headers=options).json()["nextRecordsUrl"])

    def code(url: str) -> str:
        response = api.get(url)
        assert response.status_code == 400
        return str(response.json()[0]["errorCode"])

    following = cursor()
    control.post("/faults", json={"kind": "cursor_expired"})
    assert code(following) == "INVALID_QUERY_LOCATOR"
    assert api.get(following).status_code == 200
    control.post("/cursors/expire")
    assert code(following) == "INVALID_QUERY_LOCATOR"
    oldest, *_ = [cursor() for _ in range(11)]
    assert code(oldest) == "INVALID_QUERY_LOCATOR"
    last = cursor()
    control.post("/switches", json={"session_timeout_seconds": 10**6})
    clock.advance(2 * 86400)
    assert code(last) == "INVALID_QUERY_LOCATOR"


def test_only_query_all_returns_deleted_rows(api: PrefixedSession, new_lead: Create) -> None:
    lead = new_lead()
    api.delete(f"/sobjects/Lead/{lead}")
    assert api.soql("SELECT Id FROM Lead") == []
    soql = {"q": "SELECT Id, IsDeleted, MasterRecordId FROM Lead"}
    [row] = api.get("/queryAll/", params=soql).json()["records"]
    assert (row["Id"], row["IsDeleted"], row["MasterRecordId"]) == (lead, True, None)


def test_an_incremental_query_reads_an_index_and_not_all_leads(
    api: PrefixedSession, org: SalesforceOrg
) -> None:
    org.load(leads=LEADS, spread_seconds=30 * 86400)
    since = "SystemModstamp >= 2026-11-23T09:50:00Z"
    keyset = (
        "(SystemModstamp = 2026-11-23T09:50:00Z AND Id > '00Q8d0000000001EAA')"
        " OR SystemModstamp > 2026-11-23T09:50:00Z"
    )
    select = "SELECT Id, Email, SystemModstamp FROM Lead"
    with counted_steps(org) as steps_of_all:
        api.soql(f"{select} ORDER BY SystemModstamp, Id")

    for condition in (since, keyset):
        with counted_steps(org) as steps:
            rows = api.soql(f"{select} WHERE {condition} ORDER BY SystemModstamp, Id")

        assert 0 < len(rows) < 20
        assert len(steps) < LEADS  # less than one per lead
    assert len(steps_of_all) > LEADS


@contextmanager
def counted_steps(org: SalesforceOrg) -> Iterator[list[None]]:
    """Count the instructions of SQLite's virtual machine; one row takes several of them."""
    steps: list[None] = []
    connection = org.state.store._connection
    connection.set_progress_handler(lambda: steps.append(None), 1)
    try:
        yield steps
    finally:
        connection.set_progress_handler(None, 0)
