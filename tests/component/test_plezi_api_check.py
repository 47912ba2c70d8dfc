"""The weekly check of Plezi's API: an alert for what has changed, and no change of what is used."""

from __future__ import annotations

from connector.model import RunState
from connector.probe_report import CHECK_KEY, load_found_dialect, load_probe
from tests.component.admin_client import AdminClient
from tests.component.credential_fixtures import CredentialFixtures

DAY = 86_400.0
PROBE = "/admin/plezi/probe"
CHANGED = "The API of the Plezi tenant has changed"


def checks_in_a_run(credentials: CredentialFixtures) -> int:
    """Make a run; return 1 if it checked the API, else 0."""
    ledger = credentials.harness.ledger
    before = load_probe(ledger, CHECK_KEY)
    assert credentials.run().state is RunState.DONE
    return int(load_probe(ledger, CHECK_KEY) != before)


def test_a_changed_api_is_reported_once_and_used_after_a_new_probe(
    credentials: CredentialFixtures, admin_client: AdminClient
) -> None:
    harness = credentials.harness
    harness.control("plezi", "POST", "load", {"contacts": 20})
    assert checks_in_a_run(credentials) == 0  # a tenant that was never probed is not checked
    admin_client.request_ok("POST", PROBE)
    before = load_found_dialect(harness.ledger)
    harness.control("plezi", "POST", "switches", {"email_filter": "ignored"})
    assert checks_in_a_run(credentials) == 0
    assert credentials.received_alerts() == []

    harness.let_pass(8 * DAY)
    assert checks_in_a_run(credentials) == 1
    assert checks_in_a_run(credentials) == 0

    [(subject, text)] = credentials.received_alerts()
    assert subject == CHANGED
    assert "finds_by_email" in text
    assert "POST /admin/plezi/probe" in text
    assert load_found_dialect(harness.ledger) == before

    assert admin_client.request_ok("POST", PROBE)["changed"] == ["finds_by_email"]
    credentials.run()
    assert "plezi_api_changed#finds_by_email" not in (harness.ledger.load_document("alerts") or {})


def test_a_tenant_that_has_not_changed_gives_no_alert(
    credentials: CredentialFixtures, admin_client: AdminClient
) -> None:
    harness = credentials.harness
    harness.control("plezi", "POST", "switches", {"pager": "limit_offset"})
    harness.control("plezi", "POST", "load", {"contacts": 3})
    admin_client.request_ok("POST", PROBE)
    harness.control("plezi", "POST", "load", {"contacts": 9, "first": 3})  # larger pages now

    harness.let_pass(8 * DAY)
    credentials.run()

    assert credentials.received_alerts() == []
