"""The page in a browser: read, search, edit and fill in a form without any API call."""

from __future__ import annotations

import pytest
import requests

from local.plezi_tenant import PleziTenant


def test_an_empty_tenant_says_what_to_do(browser: requests.Session) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert "No contacts yet." in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_contacts_are_listed_by_pages_and_found_by_email(
    browser: requests.Session, tenant: PleziTenant, desk: requests.Session
) -> None:
    tenant.load(30)
    first = browser.get("/").text
    assert "30 contacts" in first
    assert "page=2" in first
    assert first.count("<tr><td>") == 25
    assert browser.get("/?page=2").text.count("<tr><td>") == 5
    found = browser.get("/?email=PERSON0000007").text
    assert found.count("<tr><td>") == 1
    assert "No contact has an e-mail" in browser.get("/?email=zz").text
    assert "beyond the last one" in browser.get("/?page=99").text
    assert desk.get("/calls").json()["total"] == 0


def test_what_contacts_hold_is_shown_as_text_and_never_as_markup(
    browser: requests.Session, desk: requests.Session
) -> None:
    contact = desk.post(
        "/contacts", json={"email": "a@x.fr", "company": '<script>"&', "interests": ["events"]}
    ).json()["id"]
    for page in (browser.get("/"), browser.get(f"/contacts/{contact}")):
        assert "<script>" not in page.text
        assert "&lt;script&gt;&#34;&amp;" in page.text


def test_a_person_edits_and_only_what_was_edited_changes(
    browser: requests.Session, desk: requests.Session
) -> None:
    made = desk.post(
        "/contacts",
        json={"email": "a@x.fr", "company": " Nord ", "employees": 5, "newsletter_optout": False},
    ).json()
    form = {
        "email": "a@x.fr",
        "first_name": "Ana",
        "company": " Nord ",
        "employees": "",
        "newsletter_optout": "true",
        "interests": ["events", "hiring"],
        "consents": ["1"],
        "behaviour_score": "12",
        "state": "engaged",
        "source": "offline",
    }
    saved = browser.post(f"/contacts/{made['id']}", data=form)
    assert saved.status_code == 200
    assert "Saved." in saved.text
    held = desk.get(f"/contacts/{made['id']}").json()
    assert (held["first_name"], held["company"], held["employees"]) == ("Ana", " Nord ", None)
    assert (held["newsletter_optout"], held["consents"]) == (True, [1])
    assert sorted(held["interests"]) == ["events", "hiring"]
    assert (held["behaviour_score"], held["state"]) == (12, "engaged")
    assert held["updated_at"] > made["updated_at"]
    again = browser.post(f"/contacts/{made['id']}", data=form)
    assert again.status_code == 200
    assert desk.get(f"/contacts/{made['id']}").json() == held


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("email", "", "E-mail is mandatory"),
        ("email", "ana", "E-mail is invalid"),
        ("email", "taken@x.fr", "email is already taken"),
        ("birthdate", "soon", "Birth date must be a date"),
    ],
)
def test_a_mistake_is_shown_beside_what_was_typed_and_nothing_is_saved(
    browser: requests.Session, desk: requests.Session, name: str, text: str, problem: str
) -> None:
    desk.post("/contacts", json={"email": "taken@x.fr"})
    made = desk.post("/contacts", json={"email": "a@x.fr"}).json()
    form = {"email": "a@x.fr", "state": "new", "source": "offline", "behaviour_score": "0"}
    refused = browser.post(f"/contacts/{made['id']}", data={**form, "company": "Typed", name: text})
    assert refused.status_code == 422
    assert problem in refused.text
    assert 'value="Typed"' in refused.text
    assert desk.get(f"/contacts/{made['id']}").json() == made


def test_a_visitor_fills_in_the_form(browser: requests.Session, desk: requests.Session) -> None:
    assert 'name="email"' in browser.get("/form").text
    sent = browser.post("/form", data={"email": "ana@example.com", "first_name": "Ana"})
    assert "ana@example.com" in sent.text
    assert desk.get("/forms").json() == {"submissions": 1}
    refused = browser.post("/form", data={"email": "ana", "company": "Typed"})
    assert refused.status_code == 422
    assert "email is invalid" in refused.text
    assert 'value="Typed"' in refused.text


@pytest.mark.parametrize("path", ["/nowhere", "/contacts/unknown", "/favicon.ico"])
def test_what_is_not_there_is_not_found(browser: requests.Session, path: str) -> None:
    assert browser.get(path).status_code == 404
    assert browser.post(path).status_code == 404
