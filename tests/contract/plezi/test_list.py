"""The list of contacts: pages, order, filters, and their faults."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant


def emails(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [row["attributes"]["email"] for row in response.json()["data"]]


def touch(api: requests.Session, email: str, **attributes: object) -> dict[str, Any]:
    body = {"data": {"type": "contacts", "attributes": {"email": email, **attributes}}}
    resource: dict[str, Any] = api.post("/contacts", json=body).json()["data"]
    return resource


def test_pages_have_no_gap_and_no_repetition(api: requests.Session, tenant: PleziTenant) -> None:
    tenant.load(45)
    pages = [emails(api.get("/contacts", params={"page": page})) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [20, 20, 5, 0]
    assert len({email for page in pages for email in page}) == 45


def test_equal_timestamps_have_the_same_order_on_every_page(
    api: requests.Session, tenant: PleziTenant
) -> None:
    tenant.load(30)
    sorting = {"sort_by": "updated_at", "sort_dir": "asc"}
    all_emails = emails(api.get("/contacts", params={**sorting, "per_page": "30"}))
    parts = [
        emails(api.get("/contacts", params={**sorting, "page": page, "per_page": "7"}))
        for page in "12345"
    ]
    assert [email for part in parts for email in part] == all_emails


@pytest.mark.parametrize(
    ("sort_by", "sort_dir", "expected"),
    [
        ("updated_at", "asc", ["c", "a", "b"]),
        ("updated_at", "desc", ["b", "a", "c"]),
        ("created_at", "asc", ["b", "c", "a"]),
        ("email", "desc", ["c", "b", "a"]),
    ],
)
def test_the_list_has_the_requested_order(
    api: requests.Session, clock: SimulatedClock, sort_by: str, sort_dir: str, expected: list[str]
) -> None:
    for name in "bca":
        clock.advance(1)
        touch(api, f"{name}@example.com")
    clock.advance(1)
    touch(api, "b@example.com", company="Nord")
    listed = emails(api.get("/contacts", params={"sort_by": sort_by, "sort_dir": sort_dir}))
    assert listed == [f"{name}@example.com" for name in expected]


@pytest.mark.parametrize("name", ["filter[updated_at][gte]", "updated_since"])
def test_changed_since_lists_changes_at_or_after_the_time(
    api: requests.Session, clock: SimulatedClock, name: str
) -> None:
    touch(api, "old@example.com")
    clock.advance(60)
    stamp = touch(api, "new@example.com")["attributes"]["updated_at"]
    response = api.get("/contacts", params={name: stamp})
    assert emails(response) == ["new@example.com"]
    assert response.json()["meta"] == {"total_results": 1}


def test_the_changed_since_filter_can_be_ignored_or_absent(
    api: requests.Session, tenant: PleziTenant
) -> None:
    touch(api, "old@example.com")
    params = {"updated_since": "2030-01-01T00:00:00Z"}
    assert emails(api.get("/contacts", params=params)) == []
    tenant.set_switches(changed_since="ignored")
    assert emails(api.get("/contacts", params=params)) == ["old@example.com"]
    tenant.set_switches(changed_since="absent", unknown_parameters="ignored")
    assert api.get("/contacts", params=params).status_code == 400


def test_only_one_name_of_the_changed_since_filter_can_exist(
    api: requests.Session, tenant: PleziTenant
) -> None:
    touch(api, "old@example.com")
    tenant.set_switches(changed_since_name="updated_since", unknown_parameters="ignored")
    late = "2030-01-01T00:00:00Z"
    assert emails(api.get("/contacts", params={"updated_since": late})) == []
    other = api.get("/contacts", params={"filter[updated_at][gte]": late})
    assert emails(other) == ["old@example.com"]


def test_one_contact_is_found_by_email_and_the_filter_can_be_ignored_or_absent(
    api: requests.Session, tenant: PleziTenant
) -> None:
    touch(api, "a+b@example.com")
    touch(api, "c@example.com")
    params = {"filter[email]": " A+B@example.com"}
    assert emails(api.get("/contacts", params=params)) == ["a+b@example.com"]
    # A plus sign without percent-encoding is a space, and matches no contact.
    assert emails(api.get("/contacts?filter[email]=a+b@example.com")) == []
    tenant.set_switches(email_filter="ignored")
    assert len(emails(api.get("/contacts", params=params))) == 2
    tenant.set_switches(email_filter="absent")
    assert api.get("/contacts", params=params).status_code == 400


def test_limit_and_offset_can_replace_page_numbers(
    api: requests.Session, tenant: PleziTenant
) -> None:
    tenant.load(5)
    tenant.set_switches(pager="limit_offset")
    assert len(emails(api.get("/contacts", params={"limit": 2, "offset": 4}))) == 1
    assert api.get("/contacts", params={"page": 2}).status_code == 400
    tenant.set_switches(unknown_parameters="ignored")
    assert len(emails(api.get("/contacts", params={"page": 2}))) == 5


def test_a_page_above_one_hundred_is_capped_or_refused(
    api: requests.Session, tenant: PleziTenant
) -> None:
    tenant.load(120)
    assert len(emails(api.get("/contacts", params={"per_page": 500}))) == 100
    tenant.set_switches(page_size_over_max="refused")
    assert api.get("/contacts", params={"per_page": 101}).status_code == 400
    tenant.set_switches(page_size_cap=30)
    second = api.get("/contacts", params={"per_page": 100, "page": 2})
    assert len(emails(second)) == 30


@pytest.mark.parametrize(
    "parameters",
    [
        {"page": "0"},
        {"page": "-1"},
        {"page": "one"},
        {"page": "99999999999999999999"},
        {"page": ["1", "2"]},
        {"per_page": "0"},
        {"sort_by": "company"},
        {"sort_dir": "up"},
        {"updated_since": "yesterday"},
        {"updated_since": "2026-11-23T10:00:00"},
        {
            "updated_since": "2026-11-23T10:00:00Z",
            "filter[updated_at][gte]": "2026-11-23T10:00:00Z",
        },
        {"colour": "green"},
    ],
)
def test_an_invalid_parameter_is_a_bad_request(
    api: requests.Session, parameters: dict[str, Any]
) -> None:
    assert api.get("/contacts", params=parameters).status_code == 400


def test_the_total_can_be_missing_or_wrong_and_the_order_ignored(
    api: requests.Session, tenant: PleziTenant
) -> None:
    tenant.load(10)
    tenant.set_switches(total_results="low")
    assert api.get("/contacts").json()["meta"] == {"total_results": 5}
    tenant.set_switches(total_results="high")
    assert api.get("/contacts").json()["meta"] == {"total_results": 17}
    tenant.set_switches(meta="missing")
    assert "meta" not in api.get("/contacts").json()
    tenant.set_switches(sort="ignored")
    listed = emails(api.get("/contacts", params={"sort_by": "email", "sort_dir": "desc"}))
    assert listed == [f"person{number:07d}@example.com" for number in range(10)]


def test_a_contact_that_changes_between_two_pages_moves_to_the_end(
    api: requests.Session, tenant: PleziTenant
) -> None:
    tenant.load(4, spread_seconds=4)
    sorting = {"sort_by": "updated_at", "per_page": "2"}
    first = emails(api.get("/contacts", params={**sorting, "page": "1"}))
    touch(api, first[0], company="Moved")
    second = emails(api.get("/contacts", params={**sorting, "page": "2"}))
    # The third contact moved to the first page: a reader of numbered pages misses it.
    assert second == ["person0000003@example.com", first[0]]


def test_reads_lag_behind_writes_with_the_switch(
    api: requests.Session, tenant: PleziTenant, clock: SimulatedClock
) -> None:
    contact = touch(api, "ana@example.com", company="Nord")
    tenant.set_switches(read_lag_seconds=30)
    response = touch(api, "ana@example.com", company="Sud")
    touch(api, "bea@example.com")
    assert response["attributes"]["company"] == "Sud"
    assert api.get(f"/contacts/{contact['id']}").json()["data"] == contact
    assert emails(api.get("/contacts")) == ["ana@example.com"]
    clock.advance(10)
    touch(api, "ana@example.com", company="Est")
    clock.advance(20)
    rows = api.get("/contacts", params={"sort_by": "email"}).json()["data"]
    assert [row["attributes"]["company"] for row in rows] == ["Sud", None]
    clock.advance(10)
    assert api.get(f"/contacts/{contact['id']}").json()["data"]["attributes"]["company"] == "Est"


def test_a_deleted_contact_is_still_visible_during_the_read_lag(
    api: requests.Session, tenant: PleziTenant, clock: SimulatedClock
) -> None:
    contact = touch(api, "ana@example.com")
    tenant.set_switches(read_lag_seconds=30, deletion="offered")
    api.delete(f"/contacts/{contact['id']}")
    assert emails(api.get("/contacts", params={"filter[email]": "ana@example.com"}))
    clock.advance(30)
    assert api.get(f"/contacts/{contact['id']}").status_code == 404


def test_the_spelling_of_the_response_can_be_changed(
    api: requests.Session, tenant: PleziTenant, control: requests.Session
) -> None:
    contact = touch(api, "ana@example.com", function="CMO", mobile="1")
    control.patch(f"/contacts/{contact['id']}", json={"behaviour_score": 25, "state": "engaged"})
    tenant.set_switches(
        attribute_spelling={"function": "job_title", "mobile": "mobile_phone"},
        state_spelling="capitals",
        score_type="text",
        empty_values="omitted",
        updated_at="missing",
    )
    attributes = api.get(f"/contacts/{contact['id']}").json()["data"]["attributes"]
    assert attributes == {
        "email": "ana@example.com",
        "mobile_phone": "1",
        "job_title": "CMO",
        "behaviour_score": "25",
        "state": "ENGAGED",
        "source": "offline",
        "url": f"https://app.plezi.co/contacts/{contact['id']}",
        "created_at": "2026-11-23T10:00:00.000Z",
    }
    body = {"data": {"type": "contacts", "attributes": {"function": "CEO"}}}
    assert api.put(f"/contacts/{contact['id']}", json=body).status_code == 400
    tenant.set_switches(empty_values="null")
    attributes = api.get(f"/contacts/{contact['id']}").json()["data"]["attributes"]
    assert attributes["interests"] is None


def test_the_schema_lists_every_attribute_with_type_and_options(
    api: requests.Session, tenant: PleziTenant
) -> None:
    tenant.set_switches(attribute_spelling={"function": "job_title"})
    response = api.get("/contact_attributes")
    rows = {row["id"]: row["attributes"] for row in response.json()["data"]}
    assert rows["email"]["mandatory"]
    assert rows["state"]["read_only"]
    assert rows["job_title"]["name"] == "job_title"
    assert rows["segment"] == {
        "name": "segment",
        "label": "Segment",
        "type": "list",
        "options": [
            {"key": "smb", "label": "SMB"},
            {"key": "mid", "label": "Mid"},
            {"key": "large", "label": "Large"},
        ],
        "mandatory": False,
        "read_only": False,
        "system": False,
        "position": 20,
    }
    assert {row["type"] for row in rows.values()} == {
        "text", "email", "phone", "number", "checkbox", "date", "datetime", "list", "multi_list",
    }  # fmt: skip
    tenant.set_switches(schema_call="absent")
    assert api.get("/contact_attributes").status_code == 404


def test_the_newsletters_are_listed(api: requests.Session) -> None:
    rows = api.get("/contact_lists").json()["data"]
    assert [row["attributes"]["name"] for row in rows] == ["Newsletter", "Product news"]
    assert all(row["type"] == "contact_lists" and len(row["id"]) == 24 for row in rows)
