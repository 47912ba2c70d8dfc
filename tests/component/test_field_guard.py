"""The field guard: what must stay in Salesforce is never read, whatever the mapping says."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import pytest
from requests import PreparedRequest

from connector.bootstrap import build_app
from connector.connection_settings import AdminSettings
from connector.http_session import HttpSession
from connector.model import RunState
from functions.admin.admin_app import ADMIN
from local.template_settings import template_settings
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

PHONE = "+33 1 23 45 67 89"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is sent to both systems: the URL and the body of each request."""
    requests: list[str] = []
    send = HttpSession.send

    def recorded(session: HttpSession, request: PreparedRequest, **options: Any) -> Any:
        body = request.body or b""
        text = body.decode() if isinstance(body, bytes) else str(body)
        requests.append(unquote_plus(f"{request.url} {text}"))
        return send(session, request, **options)

    monkeypatch.setattr(HttpSession, "send", recorded)
    return requests


def guard(harness: Harness, **settings: Any) -> AdminClient:
    """Deploy the worker and the admin API with other settings of the guard."""
    harness.use_settings(**settings)
    resources = {**harness.resources, **settings}
    ADMIN.use(build_app(template_settings(AdminSettings, **resources), **harness.runtime))
    return AdminClient()


def encrypt(harness: Harness, field: str) -> None:
    """Encrypt a field of Lead in the org, and let the next call describe it."""
    scheme = {"encryption": "deterministic"}
    harness.control("salesforce", "PATCH", f"fields/Lead/{field}", scheme)
    for client in harness.context.clients.values():
        client.invalidate_schemas()


def problems(client: AdminClient) -> set[tuple[str, str]]:
    """Return pair and code of each problem of a save of the shipped mapping, with a filter."""
    mapping = client.request_ok("GET", "/admin/mapping")
    pairs = [
        {name: value for name, value in pair.items() if name not in VIEWED}
        for pair in mapping["pairs"]
        if pair["saved"]
    ]
    body = {
        "version": mapping["version"],
        "pairs": pairs,
        "contact_filter": mapping["contact_filter"],
        "lead_filter": {"field": "Phone", "operator": "equals", "value": "1"},
    }
    response = client.request("PUT", "/admin/mapping", body)
    assert response.status == 422, response.text
    return {(it["pair"], it["code"]) for it in response.body["problems"]}


VIEWED = {"saved", "mandatory", "directions", "reason"}


def test_a_listed_field_is_never_read_nor_written(harness: Harness, sent: list[str]) -> None:
    guard(harness, protected_fields="phone, *_Secret__c")
    harness.add_person(email="ana@example.com", last_name="Lopez", phone=PHONE)
    harness.add_lead(Email="leo@example.com", Phone="+33 1 99 99 99 99")
    sent.clear()

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    of_runs = [each for each in sent if "describe" not in each]
    assert any("FROM Lead" in each for each in of_runs)
    assert not any("Phone" in each.replace("MobilePhone", "") for each in of_runs)
    assert not any("99 99 99" in each for each in sent)
    assert "phone" not in {
        name
        for person in harness.people().values()
        for name, value in person.items()
        if value == "+33 1 99 99 99 99"
    }


def test_a_pair_and_a_filter_of_a_listed_field_cannot_be_saved(harness: Harness) -> None:
    client = guard(harness, protected_fields="Phone")

    assert problems(client) == {
        ("Phone", "unsupported_type"),
        ("lead_filter", "unsupported_type"),
    }


def test_an_encrypted_field_is_refused_until_the_owner_of_the_stack_allows_it(
    harness: Harness,
) -> None:
    encrypt(harness, "Phone")
    harness.add_person(email="ana@example.com", last_name="Lopez", phone=PHONE)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    [lead] = harness.leads("ana@example.com")
    assert lead["Phone"] is None
    assert ("Phone", "unsupported_type") in problems(guard(harness))

    guard(harness, allow_encrypted_fields=True)
    harness.sync()
    [lead] = harness.leads("ana@example.com")
    assert lead["Phone"] == PHONE


def test_the_email_cannot_be_guarded_because_it_is_the_identity(harness: Harness) -> None:
    encrypt(harness, "Email")
    guard(harness, protected_fields="Email")
    harness.add_person(email="ana@example.com", last_name="Lopez")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.leads("ana@example.com")) == 1
