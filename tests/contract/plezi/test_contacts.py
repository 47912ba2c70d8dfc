"""One contact in the API: created, read, updated, refused, deleted."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.plezi_tenant.store import ContactQuery


def document(**attributes: object) -> dict[str, Any]:
    return {"data": {"type": "contacts", "attributes": attributes}}


def details(response: requests.Response) -> list[str]:
    errors = response.json()["errors"]
    assert all(set(error) == {"status", "title", "detail"} for error in errors)
    assert {error["status"] for error in errors} == {str(response.status_code)}
    return [error["detail"] for error in errors]


def test_a_create_returns_the_same_contact_as_a_read(api: requests.Session) -> None:
    created = api.post(
        "/contacts", json=document(email="ana@example.com", first_name="Ana", segment="smb")
    )
    assert created.status_code == 201
    resource = created.json()["data"]
    assert resource["type"] == "contacts"
    assert len(resource["id"]) == 24
    assert resource["attributes"]["first_name"] == "Ana"
    assert resource["attributes"]["last_name"] is None
    assert resource["attributes"]["interests"] == []
    assert resource["attributes"]["behaviour_score"] == 0
    assert resource["attributes"]["created_at"] == "2026-11-23T10:00:00.000Z"
    assert resource["attributes"]["url"] == f"https://app.plezi.co/contacts/{resource['id']}"
    assert api.get(f"/contacts/{resource['id']}").json() == created.json()


def test_an_update_keeps_absent_attributes_and_clears_null_attributes(
    api: requests.Session,
) -> None:
    contact = api.post(
        "/contacts", json=document(email="ana@example.com", first_name="Ana", company="Nord")
    ).json()["data"]["id"]
    changed = api.put(f"/contacts/{contact}", json=document(company=None, function="CMO"))
    attributes = changed.json()["data"]["attributes"]
    assert changed.status_code == 200
    assert (attributes["first_name"], attributes["company"]) == ("Ana", None)
    assert attributes["function"] == "CMO"


def test_updated_at_increases_with_each_change_even_if_the_clock_is_frozen(
    api: requests.Session,
) -> None:
    contact = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]["id"]
    stamps = [
        api.put(f"/contacts/{contact}", json=document(company=name)).json()["data"]["attributes"][
            "updated_at"
        ]
        for name in ("Nord", "Sud", "Est")
    ]
    assert stamps == sorted(set(stamps))
    assert stamps[0] > "2026-11-23T10:00:00.000Z"


def test_a_write_without_a_change_moves_updated_at_only_with_the_switch(
    api: requests.Session, tenant: PleziTenant, clock: SimulatedClock
) -> None:
    created = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]
    clock.advance(60)
    unchanged = api.put(f"/contacts/{created['id']}", json=document(email="ana@example.com"))
    assert unchanged.json()["data"] == created
    tenant.set_switches(unchanged_write="moves_updated_at")
    moved = api.put(f"/contacts/{created['id']}", json=document(email="ana@example.com"))
    assert moved.json()["data"]["attributes"]["updated_at"] == "2026-11-23T10:01:00.000Z"


@pytest.mark.parametrize("spelling", ["ANA@Example.com", "  ana@example.com "])
def test_an_email_is_one_contact_regardless_of_case_and_outer_spaces(
    api: requests.Session, spelling: str
) -> None:
    first = api.post("/contacts", json=document(email="ana@example.com", phone="1"))
    second = api.post("/contacts", json=document(email=spelling, first_name="Ana"))
    assert second.status_code == 200
    assert second.json()["data"]["id"] == first.json()["data"]["id"]
    assert second.json()["data"]["attributes"]["phone"] == "1"
    assert api.get("/contacts").json()["meta"] == {"total_results": 1}


def test_a_plus_sign_and_an_accent_make_another_contact(api: requests.Session) -> None:
    for email in ("ana@example.com", "ana+b@example.com", "aná@example.com"):
        assert api.post("/contacts", json=document(email=email)).status_code == 201


@pytest.mark.parametrize(("switch", "status"), [("conflict", 422), ("conflict_409", 409)])
def test_a_known_email_is_a_conflict_with_the_switch(
    api: requests.Session, tenant: PleziTenant, switch: str, status: int
) -> None:
    api.post("/contacts", json=document(email="ana@example.com"))
    tenant.set_switches(known_email=switch)
    response = api.post("/contacts", json=document(email="Ana@example.com", company="Nord"))
    assert response.status_code == status
    assert details(response) == ["email is already taken"]
    assert api.get("/contacts").json()["data"][0]["attributes"]["company"] is None


def test_an_update_cannot_take_the_email_of_another_contact(api: requests.Session) -> None:
    api.post("/contacts", json=document(email="ana@example.com"))
    other_id = api.post("/contacts", json=document(email="bea@example.com")).json()["data"]["id"]
    refused = api.put(f"/contacts/{other_id}", json=document(email="ANA@example.com"))
    assert refused.status_code == 422
    assert details(refused) == ["email is already taken"]


def test_an_email_can_change_and_the_old_one_can_be_used_again(api: requests.Session) -> None:
    contact = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]["id"]
    api.put(f"/contacts/{contact}", json=document(email="ana@nord.example.com"))
    assert api.post("/contacts", json=document(email="ana@example.com")).status_code == 201


@pytest.mark.parametrize(
    "name",
    ["behaviour_score", "state", "url", "source", "created_at", "updated_at", "id"],
)
def test_a_read_only_attribute_is_refused_by_name_or_ignored_with_the_switch(
    api: requests.Session, tenant: PleziTenant, name: str
) -> None:
    refused = api.post("/contacts", json=document(email="ana@example.com", **{name: "x"}))
    assert refused.status_code == 422
    assert details(refused) == [f"{name} is read-only"]
    tenant.set_switches(read_only_attributes="ignored")
    response = api.post("/contacts", json=document(email="ana@example.com", **{name: "x"}))
    assert response.status_code == 201
    assert response.json()["data"]["attributes"].get(name) != "x"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("email", "ana", "is invalid"),
        ("email", "ana@example", "is invalid"),
        ("email", "a na@example.com", "is invalid"),
        ("email", "ana@example..com", "is invalid"),
        ("email", "", "is invalid"),
        ("email", None, "is mandatory"),
        ("first_name", 12, "must be a text"),
        ("first_name", "\ud800", "has half a character (a lone surrogate)"),
        ("newsletter_optout", "true", "must be true or false"),
        ("birthdate", "1990-02-30", "must be a date, YYYY-MM-DD"),
        ("birthdate", "19900101", "must be a date, YYYY-MM-DD"),
        ("last_visit", "2026-11-23T10:00:00", "must be an instant, ISO 8601 with its zone"),
        ("last_visit", "2026-11-23", "must be an instant, ISO 8601 with its zone"),
        ("employees", "12", "must be a number"),
        ("employees", True, "must be a number"),
        ("segment", "SMB", "is not an option of the list"),
        ("interests", "events", "must be a list of options"),
        ("interests", ["events", "golf"], "has an element that is not an option of the list"),
        ("consents", [True], "has an element that is not an option of the list"),
        ("subscriptions", ["newsletter"], "has an element that is not an option of the list"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_by_name(
    api: requests.Session, name: str, value: object, problem: str
) -> None:
    contact = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]
    refused = api.put(f"/contacts/{contact['id']}", json=document(**{name: value}))
    assert refused.status_code == 422
    assert details(refused) == [f"{name} {problem}"]
    assert api.get(f"/contacts/{contact['id']}").json()["data"] == contact


def test_a_value_of_every_type_is_stored_as_sent(api: requests.Session) -> None:
    values: dict[str, object] = {
        "newsletter_optout": False,
        "birthdate": "1990-02-28",
        "employees": 12.5,
        "segment": "large",
        "interests": ["hiring", "events"],
        "consents": [2],
        "subscriptions": ["6300000000000000000000aa"],
    }
    created = api.post("/contacts", json=document(email="ana@example.com", **values))
    attributes = created.json()["data"]["attributes"]
    assert {name: attributes[name] for name in values} == values


def test_a_datetime_is_returned_in_utc_with_milliseconds(api: requests.Session) -> None:
    created = api.post(
        "/contacts", json=document(email="a@example.com", last_visit="2026-11-23T11:00:00+01:00")
    )
    assert created.json()["data"]["attributes"]["last_visit"] == "2026-11-23T10:00:00.000Z"


def test_all_problems_are_reported_at_once(api: requests.Session) -> None:
    refused = api.post("/contacts", json=document(email="ana", state="new", segment="zz"))
    assert details(refused) == [
        "email is invalid",
        "state is read-only",
        "segment is not an option of the list",
    ]


def test_an_unknown_attribute_is_a_bad_request(api: requests.Session) -> None:
    refused = api.post("/contacts", json=document(email="ana@example.com", shoe_size=42))
    assert refused.status_code == 400
    assert details(refused) == ["shoe_size is not an attribute of contacts"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"data": []}',
        b'{"email": "ana@example.com"}',
        b'{"data": {"type": "leads", "attributes": {}}}',
        b'{"data": {"type": "contacts"}}',
        b'{"data": {"type": "contacts", "type": "contacts", "attributes": {}}}',
        b'{"data": {"type": "contacts", "attributes": {"employees": NaN}}}',
        b'{"data": "\xff"}',
        b"[" * 100_000,
    ],
)
def test_a_malformed_body_is_a_bad_request(api: requests.Session, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert api.post("/contacts", data=body, headers=headers).status_code == 400


def test_a_number_outside_the_json_range_is_refused(api: requests.Session) -> None:
    body = b'{"data":{"type":"contacts","attributes":{"email":"a@example.com","employees":1e999}}}'
    response = api.post("/contacts", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422


def test_a_body_that_is_too_large_or_has_another_content_type_is_refused(
    api: requests.Session,
) -> None:
    large = api.post("/contacts", json=document(email="a@example.com", company="x" * 1_000_000))
    assert large.status_code == 413
    assert api.post("/contacts", data={"email": "a@example.com"}).status_code == 415
    headers = {"Content-Type": "application/vnd.api+json"}
    assert (
        api.post("/contacts", json=document(email="a@example.com"), headers=headers).status_code
        == 201
    )


def test_a_contact_without_an_email_is_refused(api: requests.Session) -> None:
    refused = api.post("/contacts", json=document(first_name="Ana"))
    assert refused.status_code == 422
    assert details(refused) == ["email is mandatory"]


def test_an_id_in_the_body_must_equal_the_id_in_the_path(api: requests.Session) -> None:
    contact = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]["id"]
    unchanged = document(company="Nord")
    unchanged["data"]["id"] = contact
    assert api.put(f"/contacts/{contact}", json=unchanged).status_code == 200
    unchanged["data"]["id"] = "0" * 24
    assert api.put(f"/contacts/{contact}", json=unchanged).status_code == 422


@pytest.mark.parametrize(
    ("switch", "allowed"), [("put", {"PUT"}), ("patch", {"PATCH"}), ("post_upsert", set())]
)
def test_only_the_update_verb_of_the_switch_is_offered(
    api: requests.Session, tenant: PleziTenant, switch: str, allowed: set[str]
) -> None:
    contact = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]["id"]
    tenant.set_switches(update_method=switch)
    for verb in ("PUT", "PATCH"):
        response = api.request(verb, f"/contacts/{contact}", json=document(company="Nord"))
        assert response.status_code == (200 if verb in allowed else 405)
        if verb not in allowed:
            assert response.headers["Allow"] == ", ".join(["GET", *sorted(allowed)])


def test_deletion_is_off_by_default_and_a_deleted_contact_is_not_found(
    api: requests.Session, tenant: PleziTenant
) -> None:
    contact = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]["id"]
    assert api.delete(f"/contacts/{contact}").status_code == 405
    tenant.set_switches(deletion="offered")
    deleted = api.delete(f"/contacts/{contact}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.get(f"/contacts/{contact}").status_code == 404
    assert api.delete(f"/contacts/{contact}").status_code == 404
    assert api.put(f"/contacts/{contact}", json=document(company="Nord")).status_code == 404


def test_reading_by_id_can_be_absent(api: requests.Session, tenant: PleziTenant) -> None:
    contact = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]["id"]
    tenant.set_switches(get_by_id="absent")
    assert api.get(f"/contacts/{contact}").status_code == 405


def test_reading_by_id_can_answer_that_no_contact_exists(
    api: requests.Session, tenant: PleziTenant
) -> None:
    contact = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]["id"]
    tenant.set_switches(get_by_id="not_found")
    assert api.get(f"/contacts/{contact}").status_code == 404
    assert api.put(f"/contacts/{contact}", json=document(company="Nord")).status_code == 200


@pytest.mark.parametrize(("method", "company"), [("put", None), ("patch", "Nord"), ("post", None)])
def test_an_update_can_clear_what_it_does_not_name_unless_it_is_a_patch(
    api: requests.Session, tenant: PleziTenant, method: str, company: str | None
) -> None:
    tenant.set_switches(update_method="put_or_patch", unnamed_attributes="cleared")
    known = document(email="ana@example.com", company="Nord", segment="smb")
    contact = api.post("/contacts", json=known).json()["data"]["id"]
    path = "/contacts" if method == "post" else f"/contacts/{contact}"

    changed = api.request(method, path, json=document(email="ana@example.com", function="CMO"))

    attributes = changed.json()["data"]["attributes"]
    assert (attributes["company"], attributes["function"]) == (company, "CMO")
    assert attributes["state"] == "new"


def test_a_null_can_be_ignored_or_refused(api: requests.Session, tenant: PleziTenant) -> None:
    known = document(email="ana@example.com", company="Nord")
    contact = api.post("/contacts", json=known).json()["data"]["id"]
    clearing = document(company=None)
    tenant.set_switches(null_write="ignored")
    ignored = api.put(f"/contacts/{contact}", json=clearing)
    assert ignored.json()["data"]["attributes"]["company"] == "Nord"
    tenant.set_switches(null_write="refused")
    refused = api.put(f"/contacts/{contact}", json=clearing)
    assert (refused.status_code, details(refused)) == (422, ["company must not be null"])


def test_options_can_be_added_to_those_of_a_contact(
    api: requests.Session, tenant: PleziTenant
) -> None:
    tenant.set_switches(multi_list_write="adds")
    known = document(email="ana@example.com", interests=["events"])
    contact = api.post("/contacts", json=known).json()["data"]["id"]
    changed = api.put(f"/contacts/{contact}", json=document(interests=["product"]))
    assert changed.json()["data"]["attributes"]["interests"] == ["events", "product"]


def test_the_address_of_the_page_can_be_missing(api: requests.Session, tenant: PleziTenant) -> None:
    tenant.set_switches(page_url="missing")
    created = api.post("/contacts", json=document(email="ana@example.com")).json()["data"]
    assert "url" not in created["attributes"]


def test_types_can_have_other_names(api: requests.Session, tenant: PleziTenant) -> None:
    tenant.set_switches(type_names={"text": "string"})
    rows = api.get("/contact_attributes").json()["data"]
    types = {row["attributes"]["name"]: row["attributes"]["type"] for row in rows}
    assert (types["company"], types["phone"]) == ("string", "phone")


def test_one_seed_gives_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        tenant = PleziTenant(seed=seed)
        tenant.load(3)
        contact_ids = [contact.id for contact in tenant.contacts.current_page(ContactQuery())[0]]
        tenant.close()
        return contact_ids

    assert ids(1) == ids(1)
    assert not set(ids(1)) & set(ids(2))
