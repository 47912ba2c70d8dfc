"""An org with a frozen clock, and sessions for its API, its control routes and its pages."""

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
    """A session for paths under one base URL."""

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
        response = self.get("/query", params={"q": text})
        assert response.status_code == 200, response.text
        return response.json()["records"]


@pytest.fixture
def clock() -> SimulatedClock:
    frozen = SimulatedClock()
    frozen.set(NOW, frozen=True)
    return frozen


@pytest.fixture
def org(clock: SimulatedClock) -> Iterator[SalesforceOrg]:
    simulated = SalesforceOrg(clock, seed=7)
    yield simulated
    simulated.close()


@pytest.fixture
def web(org: SalesforceOrg) -> Iterator[PrefixedSession]:
    with PrefixedSession(HOST, org) as session:
        yield session


@pytest.fixture
def control(org: SalesforceOrg) -> Iterator[PrefixedSession]:
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
    web: PrefixedSession, password_form: dict[str, str], org: SalesforceOrg
) -> Iterator[Callable[..., PrefixedSession]]:
    """Return a function that logs in and returns a session of the REST API."""
    opened: list[PrefixedSession] = []

    def session(**changes: str) -> PrefixedSession:
        response = web.post("/services/oauth2/token", data=password_form | changes)
        assert response.status_code == 200, response.text
        data_session = PrefixedSession(DATA, org)
        data_session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        opened.append(data_session)
        return data_session

    yield session
    for opened_session in opened:
        opened_session.close()


@pytest.fixture
def api(log_in: Callable[..., PrefixedSession], control: PrefixedSession) -> PrefixedSession:
    session = log_in()
    control.post("/mark")
    return session


@pytest.fixture
def new_lead(api: PrefixedSession) -> Callable[..., str]:
    """Create a lead and return its id."""

    def create(**values: Any) -> str:
        body = {"LastName": "Martin", "Company": "Acme", **values}
        response = api.post("/sobjects/Lead", json=body)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    return create
