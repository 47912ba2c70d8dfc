"""Access to the API: headers, rights, rate limit, and the form of a refusal."""

from __future__ import annotations

import pytest
import requests

from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant

NEW = {"data": {"type": "contacts", "attributes": {"email": "ana@example.com"}}}


@pytest.mark.parametrize("header", ["X-API-Key", "X-Tenant-Company"])
def test_both_headers_are_required_and_checked(api: requests.Session, header: str) -> None:
    assert api.get("/contacts", headers={header: "wrong"}).status_code == 401
    del api.headers[header]
    refused = api.get("/contacts")
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["title"] == "Unauthorized"


def test_an_unknown_tenant_can_be_a_404(api: requests.Session, tenant: PleziTenant) -> None:
    tenant.set_switches(unknown_tenant="404")
    assert api.get("/contacts", headers={"X-Tenant-Company": "Other"}).status_code == 404


def test_a_key_can_have_fewer_rights(api: requests.Session, tenant: PleziTenant) -> None:
    tenant.set_switches(key_rights="read")
    assert api.get("/contacts").status_code == 200
    assert api.post("/contacts", json=NEW).status_code == 403
    tenant.set_switches(key_rights="none")
    assert api.get("/contacts").status_code == 403


def test_an_api_key_that_was_replaced_is_refused(
    api: requests.Session, control: requests.Session, tenant: PleziTenant
) -> None:
    assert control.post("/key", json={"api_key": "another"}).status_code == 200
    assert tenant.api_key == "another"
    assert api.get("/contacts").status_code == 401


@pytest.mark.parametrize("path", ["", "/leads", "/contact", "/contacts/a/b", "/contacts/unknown"])
def test_an_unknown_path_is_not_found(api: requests.Session, path: str) -> None:
    response = api.get(f"{path}/")
    assert response.status_code == 404
    assert response.json()["errors"][0]["title"] == "Not Found"


def test_a_verb_that_is_not_offered_is_refused(api: requests.Session) -> None:
    refused = api.delete("/contacts")
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, POST"


def test_a_caller_that_accepts_no_json_is_refused(api: requests.Session) -> None:
    assert api.get("/contacts", headers={"Accept": "text/html"}).status_code == 406
    assert api.get("/contacts", headers={"Accept": "*/*"}).status_code == 200


def test_calls_above_the_rate_limit_are_refused_until_tokens_are_refilled(
    api: requests.Session, tenant: PleziTenant, clock: SimulatedClock
) -> None:
    tenant.set_switches(rate_limit_per_minute=60)
    statuses = [api.get("/contacts").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    refused = api.get("/contacts")
    assert refused.headers["Retry-After"] == "1"
    clock.advance(1)
    assert api.get("/contacts").status_code == 200
    tenant.set_switches(retry_after="withheld")
    refused = api.get("/contacts")
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers


def test_a_low_rate_limit_returns_the_seconds_to_wait(
    api: requests.Session, tenant: PleziTenant
) -> None:
    tenant.set_switches(rate_limit_per_minute=2)
    responses = [api.get("/contacts") for _ in range(3)]
    assert responses[-1].headers["Retry-After"] == "30"


def test_errors_can_be_html(api: requests.Session, tenant: PleziTenant) -> None:
    tenant.set_switches(error_format="html")
    refused = api.get("/contacts/unknown")
    assert refused.status_code == 404
    assert refused.headers["Content-Type"].startswith("text/html")
    assert "errors" not in refused.text


def test_every_response_has_the_tenant_s_date(api: requests.Session) -> None:
    assert api.get("/contacts").headers["Date"] == "Mon, 23 Nov 2026 10:00:00 GMT"
