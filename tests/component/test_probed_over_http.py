"""The main scenarios in combinations of a tenant's switches, with both systems as processes.

The simulators are the ones that `make up` starts; every call of the connector goes over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from functions.admin.admin_app import ADMIN
from local.plezi_tenant.store import ContactQuery
from tests.component.admin_client import AdminClient, build_admin_context
from tests.component.harness import REGION
from tests.component.memory_dynamodb import dynamodb_in_memory
from tests.component.probe_variants import Variant
from tests.component.served_systems import ServedHarness, ServedSystems, served_systems
from tests.component.test_probed_combinations import (
    SERVED,
    check_served,
    combinations,
    is_served,
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedSystems]:
    with served_systems(tmp_path_factory.mktemp("served")) as systems:
        yield systems


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, served: ServedSystems) -> Iterator[ServedHarness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws(), dynamodb_in_memory():
        yield ServedHarness(served)


@pytest.fixture
def client(harness: ServedHarness) -> Iterator[AdminClient]:
    ADMIN.use(build_admin_context(harness))
    yield AdminClient()
    ADMIN.use(None)


@pytest.mark.nightly
@pytest.mark.parametrize("variant", combinations(is_served, SERVED), ids=str)
def test_the_main_scenarios_hold_over_http_between_processes(
    harness: ServedHarness, client: AdminClient, variant: Variant
) -> None:
    check_served(harness, client, variant)
    contacts, _ = harness.tenant.contacts.current_page(ContactQuery())
    assert contacts == []  # the tenant in this process was not called
