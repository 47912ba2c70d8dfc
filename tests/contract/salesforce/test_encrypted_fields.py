"""Shield Platform Encryption of Lead.Email: what SOQL refuses, and what it still allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.salesforce.conftest import PrefixedSession

EMAIL = "ana@example.com"
REFUSED_BY_BOTH = (
    "SELECT Id FROM Lead WHERE Email LIKE 'ana%'",
    "SELECT Id FROM Lead WHERE Email > 'a'",
    "SELECT Id FROM Lead ORDER BY Email",
    "SELECT Email, COUNT(Id) FROM Lead GROUP BY Email",
    "SELECT MAX(Email) FROM Lead",
)
EQUALITY = (
    f"SELECT Id FROM Lead WHERE Email = '{EMAIL}'",
    f"SELECT Id FROM Lead WHERE Email IN ('{EMAIL}')",
    "SELECT Id FROM Lead WHERE Email != 'bob@example.com'",
)


def encrypt(control: PrefixedSession, scheme: str) -> None:
    response = control.patch("/fields/Lead/Email", json={"encryption": scheme})
    assert response.status_code == 200, response.text


def described_email(api: PrefixedSession) -> Any:
    fields = api.get("/sobjects/Lead/describe").json()["fields"]
    return next(field for field in fields if field["name"] == "Email")


@pytest.mark.parametrize("scheme", ["probabilistic", "deterministic"])
def test_an_encrypted_field_is_read_and_written_as_before(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str], scheme: str
) -> None:
    encrypt(control, scheme)

    lead = new_lead(Email=EMAIL)

    assert api.get(f"/sobjects/Lead/{lead}").json()["Email"] == EMAIL
    assert api.soql("SELECT Email FROM Lead")[0]["Email"] == EMAIL


@pytest.mark.parametrize("scheme", ["probabilistic", "deterministic"])
@pytest.mark.parametrize("soql", REFUSED_BY_BOTH)
def test_an_encrypted_field_is_neither_compared_nor_sorted(
    api: PrefixedSession, control: PrefixedSession, scheme: str, soql: str
) -> None:
    assert api.get("/query", params={"q": soql}).status_code == 200

    encrypt(control, scheme)

    assert api.get("/query", params={"q": soql}).status_code == 400


@pytest.mark.parametrize("soql", EQUALITY)
def test_deterministic_encryption_allows_equality(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str], soql: str
) -> None:
    encrypt(control, "deterministic")
    lead = new_lead(Email=EMAIL)

    assert [row["Id"] for row in api.soql(soql)] == [lead]
    assert described_email(api)["filterable"] is True


@pytest.mark.parametrize("soql", EQUALITY)
def test_probabilistic_encryption_allows_no_filter(
    api: PrefixedSession, control: PrefixedSession, soql: str
) -> None:
    encrypt(control, "probabilistic")

    response = api.get("/query", params={"q": soql})

    assert response.status_code == 400
    [error] = response.json()
    assert error["errorCode"] == "INVALID_FIELD"
    assert "field 'Email' can not be filtered in a query call" in error["message"]


def test_the_describe_shows_that_a_field_cannot_be_filtered(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    encrypt(control, "probabilistic")

    field = described_email(api)

    assert field["encrypted"] is True
    flags = ("filterable", "sortable", "groupable", "aggregatable", "idLookup")
    assert [field[flag] for flag in flags] == [False] * 5


def test_an_encrypted_key_finds_no_record(
    api: PrefixedSession, control: PrefixedSession, new_lead: Callable[..., str]
) -> None:
    new_lead(Email=EMAIL)
    assert api.get(f"/sobjects/Lead/Email/{EMAIL}").status_code == 200

    encrypt(control, "probabilistic")

    [error] = api.get(f"/sobjects/Lead/Email/{EMAIL}").json()
    assert error["message"] == (
        "Provided external ID field does not exist or is not accessible: Email"
    )


def test_a_field_that_cannot_have_a_scheme_is_refused(control: PrefixedSession) -> None:
    for name, scheme in (
        ("Email", "strong"),
        ("plezi_url__c", "probabilistic"),
        ("DoNotCall", "deterministic"),
    ):
        response = control.patch(f"/fields/Lead/{name}", json={"encryption": scheme})
        assert response.status_code == 400, name
