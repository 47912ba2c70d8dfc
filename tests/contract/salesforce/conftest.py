"""An org with a clock that stands still, and sessions: its API, its control routes, a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from local.serving import InProcessAdapter

HOST = "https://acme.my.salesforce.com"
DATA = f"{HOST}/services/data/v64.0"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class PrefixedSession(requests.Session):
    """A session whose URLs are paths under one base."""

    def __init__(self, base: str, org: SalesforceOrg) -> None:
        super().__init__()
        self._base = base
        self.mount("https://", InProcessAdapter(org))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        if not str(request.url).startswith("https://"):
            request.url = f"{self._base}{request.url}"
        return super().prepare_request(request)

    def soql(self, text: str) -> Any:
        """Run a query that must succeed and return its rows."""
        answer = self.get("/query", params={"q": text})
        assert answer.status_code == 200, answer.text
        return answer.json()["records"]


@pytest.fixture
def clock() -> SimulatedClock:
    held = SimulatedClock()
    held.set(NOW, frozen=True)
    return held


@pytest.fixture
def org(clock: SimulatedClock) -> Iterator[SalesforceOrg]:
    simulated = SalesforceOrg(clock, seed=7)
    yield simulated
    simulated.close()


@pytest.fixture
def wire(org: SalesforceOrg) -> Iterator[PrefixedSession]:
    with PrefixedSession(HOST, org) as session:
        yield session


@pytest.fixture
def desk(org: SalesforceOrg) -> Iterator[PrefixedSession]:
    with PrefixedSession(f"{HOST}/_sim", org) as session:
        yield session


@pytest.fixture
def password_form(org: SalesforceOrg) -> dict[str, str]:
    user = org.integration_user
    return {
        "grant_type": "password",
        "client_id": org.consumer_key,
        "client_secret": org.consumer_secret,
        "username": user.username,
        "password": user.password + user.security_token,
    }


@pytest.fixture
def log_in(
    wire: PrefixedSession, password_form: dict[str, str], org: SalesforceOrg
) -> Iterator[Callable[..., PrefixedSession]]:
    """Give a session of the REST API, of the integration user or of another."""
    opened: list[PrefixedSession] = []

    def session(**other: str) -> PrefixedSession:
        answer = wire.post("/services/oauth2/token", data=password_form | other)
        assert answer.status_code == 200, answer.text
        made = PrefixedSession(DATA, org)
        made.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        opened.append(made)
        return made

    yield session
    for one in opened:
        one.close()


@pytest.fixture
def api(log_in: Callable[..., PrefixedSession], desk: PrefixedSession) -> PrefixedSession:
    session = log_in()
    desk.post("/mark")
    return session


@pytest.fixture
def new_lead(api: PrefixedSession) -> Callable[..., str]:
    """Create a lead and return its id."""

    def create(**values: Any) -> str:
        body = {"LastName": "Martin", "Company": "Acme", **values}
        answer = api.post("/sobjects/Lead", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    return create
