"""A tenant with a frozen clock, and sessions for its API, its control routes and its pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest
import requests

from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.serving import InProcessAdapter

HOST = "https://app.plezi.co"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class PrefixedSession(requests.Session):
    """A session for paths under one base URL."""

    def __init__(self, base: str, tenant: PleziTenant) -> None:
        super().__init__()
        self._base = base
        self.mount(HOST, InProcessAdapter(tenant))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        request.url = f"{self._base}{request.url}"
        return super().prepare_request(request)


@pytest.fixture
def clock() -> SimulatedClock:
    frozen = SimulatedClock()
    frozen.set(NOW, frozen=True)
    return frozen


@pytest.fixture
def deliveries() -> list[tuple[str, bytes, dict[str, str]]]:
    """The webhooks sent to the connector: URL, body, headers."""
    return []


@pytest.fixture
def tenant(
    clock: SimulatedClock, deliveries: list[tuple[str, bytes, dict[str, str]]]
) -> Iterator[PleziTenant]:
    def deliver(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        deliveries.append((url, body, dict(headers)))
        return 202

    simulated = PleziTenant(clock, seed=7, deliver=deliver)
    yield simulated
    simulated.close()


@pytest.fixture
def api(tenant: PleziTenant) -> Iterator[requests.Session]:
    with PrefixedSession(f"{HOST}/api/v1", tenant) as session:
        session.headers.update(
            {
                "X-API-Key": tenant.api_key,
                "X-Tenant-Company": tenant.tenant_name,
                "Accept": "application/json",
            }
        )
        yield session


@pytest.fixture
def control(tenant: PleziTenant) -> Iterator[requests.Session]:
    with PrefixedSession(f"{HOST}/_sim", tenant) as session:
        yield session


@pytest.fixture
def browser(tenant: PleziTenant) -> Iterator[requests.Session]:
    with PrefixedSession(HOST, tenant) as session:
        yield session
