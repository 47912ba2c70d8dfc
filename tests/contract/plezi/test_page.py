"""The web interface: read, search, edit and fill in a form, without API calls."""

from __future__ import annotations

import pytest
import requests

from local.plezi_tenant import PleziTenant


def test_an_empty_tenant_shows_the_next_step(browser: requests.Session) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert "No contacts yet." in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_contacts_are_listed_by_pages_and_found_by_email(
    browser: requests.Session, tenant: PleziTenant, control: requests.Session
) -> None:
    tenant.load(30)
    first = browser.get("/").text
    assert "30 contacts" in first
    assert "page=2" in first
    assert first.count("<tr><td>") == 25
    assert browser.get("/?page=2").text.count("<tr><td>") == 5
    page_of_results = browser.get("/?email=PERSON0000007").text
    assert page_of_results.count("<tr><td>") == 1
    assert "No contact has an e-mail" in browser.get("/?email=zz").text
    assert "beyond the last one" in browser.get("/?page=99").text
    assert control.get("/calls").json()["total"] == 0


def test_values_of_contacts_are_escaped_in_html(
    browser: requests.Session, control: requests.Session
) -> None:
    contact = control.post(
        "/contacts", json={"email": "a@x.fr", "company": '<script>"&', "interests": ["events"]}
    ).json()["id"]
    for page in (browser.get("/"), browser.get(f"/contacts/{contact}")):
        assert "<script>" not in page.text
        assert "&lt;script&gt;&#34;&amp;" in page.text


def test_a_save_in_the_browser_changes_only_the_edited_fields(
    browser: requests.Session, control: requests.Session
) -> None:
    created = control.post(
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
    saved = browser.post(f"/contacts/{created['id']}", data=form)
    assert saved.status_code == 200
    assert "Saved." in saved.text
    stored = control.get(f"/contacts/{created['id']}").json()
    assert (stored["first_name"], stored["company"], stored["employees"]) == ("Ana", " Nord ", None)
    assert (stored["newsletter_optout"], stored["consents"]) == (True, [1])
    assert sorted(stored["interests"]) == ["events", "hiring"]
    assert (stored["behaviour_score"], stored["state"]) == (12, "engaged")
    assert stored["updated_at"] > created["updated_at"]
    resaved = browser.post(f"/contacts/{created['id']}", data=form)
    assert resaved.status_code == 200
    assert control.get(f"/contacts/{created['id']}").json() == stored


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("email", "", "E-mail is mandatory"),
        ("email", "ana", "E-mail is invalid"),
        ("email", "taken@x.fr", "email is already taken"),
        ("birthdate", "soon", "Birth date must be a date"),
    ],
)
def test_an_invalid_input_is_shown_with_the_typed_values_and_is_not_saved(
    browser: requests.Session, control: requests.Session, name: str, text: str, problem: str
) -> None:
    control.post("/contacts", json={"email": "taken@x.fr"})
    created = control.post("/contacts", json={"email": "a@x.fr"}).json()
    form = {"email": "a@x.fr", "state": "new", "source": "offline", "behaviour_score": "0"}
    refused = browser.post(
        f"/contacts/{created['id']}", data={**form, "company": "Typed", name: text}
    )
    assert refused.status_code == 422
    assert problem in refused.text
    assert 'value="Typed"' in refused.text
    assert control.get(f"/contacts/{created['id']}").json() == created


def test_a_visitor_submits_the_form(browser: requests.Session, control: requests.Session) -> None:
    assert 'name="email"' in browser.get("/form").text
    sent = browser.post("/form", data={"email": "ana@example.com", "first_name": "Ana"})
    assert "ana@example.com" in sent.text
    assert control.get("/forms").json() == {"submissions": 1}
    refused = browser.post("/form", data={"email": "ana", "company": "Typed"})
    assert refused.status_code == 422
    assert "email is invalid" in refused.text
    assert 'value="Typed"' in refused.text


@pytest.mark.parametrize("path", ["/nowhere", "/contacts/unknown", "/favicon.ico"])
def test_an_unknown_path_is_not_found(browser: requests.Session, path: str) -> None:
    assert browser.get(path).status_code == 404
    assert browser.post(path).status_code == 404
