"""A stored session is sent to a host of Salesforce only, whatever the table holds."""

from __future__ import annotations

from typing import Any

import pytest

from connector.http_session import HttpSession
from connector.model import RunState, SessionToken, Side
from local.serving import InProcessAdapter
from tests.component.credential_fixtures import CredentialFixtures

EVIL = "https://evil.example"


def test_a_session_with_another_host_is_not_used_and_a_login_replaces_it(
    credentials: CredentialFixtures, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = credentials.harness
    received: list[str] = []
    usual = harness.http

    def evil(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        received.append(environ.get("HTTP_AUTHORIZATION", ""))
        start_response("500 Internal Server Error", [])
        return [b""]

    def http(side: Side, *, authority: str = "") -> HttpSession:
        session = usual(side, authority=authority)
        session.mount(EVIL, InProcessAdapter(evil))
        return session

    monkeypatch.setattr(harness, "http", http)
    harness.ledger.save_session(SessionToken("token", EVIL, credentials.current()))
    harness.use_settings()
    before = len(credentials.logins())

    assert harness.sync().state is RunState.DONE

    assert received == []
    assert len(credentials.logins()) == before + 1
    stored = harness.ledger.load_session()
    assert stored is not None
    assert stored.instance_url == "https://acme.my.salesforce.com"
