"""A tenant with a clock that stands still, and two sessions: its API and its desk."""

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
    """A session whose URLs are paths under one base."""

    def __init__(self, base: str, tenant: PleziTenant) -> None:
        super().__init__()
        self._base = base
        self.mount(HOST, InProcessAdapter(tenant))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        request.url = f"{self._base}{request.url}"
        return super().prepare_request(request)


@pytest.fixture
def clock() -> SimulatedClock:
    held = SimulatedClock()
    held.set(NOW, frozen=True)
    return held


@pytest.fixture
def pushed() -> list[tuple[str, bytes, dict[str, str]]]:
    """What was pushed to the connector: URL, body, headers."""
    return []


@pytest.fixture
def tenant(
    clock: SimulatedClock, pushed: list[tuple[str, bytes, dict[str, str]]]
) -> Iterator[PleziTenant]:
    def push(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        pushed.append((url, body, dict(headers)))
        return 202

    simulated = PleziTenant(clock, seed=7, deliver=push)
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
def desk(tenant: PleziTenant) -> Iterator[requests.Session]:
    with PrefixedSession(f"{HOST}/_sim", tenant) as session:
        yield session


@pytest.fixture
def browser(tenant: PleziTenant) -> Iterator[requests.Session]:
    with PrefixedSession(HOST, tenant) as session:
        yield session
