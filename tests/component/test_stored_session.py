"""A stored session is sealed, and sent to a host of Salesforce only, whatever the table holds."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from typing import Any

import boto3
import pytest

from connector.http_session import HttpSession
from connector.model import RunState, SessionToken, Side
from connector.salesforce.auth.session_seal import open_sealed, seal
from connector.secrets import SalesforceCredentials, parse_secret
from local.serving import InProcessAdapter
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.harness import REGION

EVIL = "https://evil.example"


def sealed_with(credentials: CredentialFixtures, **changes: Any) -> SalesforceCredentials:
    """Return the credentials of the current secret, with some changes."""
    material = json.dumps(credentials.material(**changes))
    return parse_secret(SalesforceCredentials, material, "salesforce")


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
    token = SessionToken("token", EVIL, credentials.current())
    harness.ledger.save_session(seal(token, sealed_with(credentials)))
    harness.use_settings()
    before = len(credentials.logins())

    assert harness.sync().state is RunState.DONE

    assert received == []
    assert len(credentials.logins()) == before + 1
    stored = harness.ledger.load_session()
    assert stored is not None
    assert stored.instance_url == "https://acme.my.salesforce.com"


def test_no_item_of_the_table_has_a_token_that_salesforce_accepts(
    credentials: CredentialFixtures,
) -> None:
    harness = credentials.harness
    assert harness.sync().state is RunState.DONE
    stored = harness.ledger.load_session()
    assert stored is not None
    session = open_sealed(stored, sealed_with(credentials))
    assert session is not None

    items = boto3.client("dynamodb", region_name=REGION).scan(TableName="LedgerTable")["Items"]
    documents = [
        zlib.decompress(base64.b64decode(item["document"]["S"])).decode()
        for item in items
        if item["pk"]["S"].startswith("state#")
    ]

    assert stored.access_token in str(documents)
    assert session.access_token not in f"{documents} {items}"


def test_a_session_is_used_again_by_the_next_process(credentials: CredentialFixtures) -> None:
    harness = credentials.harness
    assert harness.sync().state is RunState.DONE
    before = len(credentials.logins())
    harness.use_settings()

    assert harness.sync().state is RunState.DONE

    assert len(credentials.logins()) == before


def test_a_seal_is_broken_by_another_secret_host_or_version(
    credentials: CredentialFixtures,
) -> None:
    ours = sealed_with(credentials)
    sealed = seal(SessionToken("token", "https://acme.my.salesforce.com", "1"), ours)

    assert open_sealed(sealed, ours) == replace(sealed, access_token="token")
    for changed in (
        replace(sealed, instance_url=EVIL),
        replace(sealed, secret_version="2"),
        replace(sealed, access_token=sealed.access_token[:-4] + "AAA="),
        replace(sealed, access_token="token"),
    ):
        assert open_sealed(changed, ours) is None
    for name in ("consumer_secret", "password", "security_token"):
        assert open_sealed(sealed, sealed_with(credentials, **{name: "other"})) is None


def test_a_session_that_an_earlier_version_stored_is_replaced_by_one_login(
    credentials: CredentialFixtures,
) -> None:
    harness = credentials.harness
    assert harness.sync().state is RunState.DONE
    stored = harness.ledger.load_session()
    assert stored is not None
    harness.ledger.save_session(replace(stored, access_token="00D!clear"))
    harness.use_settings()
    before = len(credentials.logins())

    assert harness.sync().state is RunState.DONE

    assert len(credentials.logins()) == before + 1
