"""Fixtures of component tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import botocore.loaders
import botocore.session
import pytest
from moto import mock_aws

from functions.admin.admin_app import ADMIN
from tests.component.admin_client import AdminClient, build_admin_context
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.deployment import forget_apps
from tests.component.form_harness import FormHarness
from tests.component.harness import REGION, Harness
from tests.component.memory_dynamodb import dynamodb_in_memory
from tests.component.operation import Operation
from tests.component.people_fixtures import ANA


@pytest.fixture(autouse=True, scope="session")
def _shared_botocore_models() -> Iterator[None]:
    """Let all clients share the service models of botocore.

    Each use of moto starts a new session, which reads and parses the same megabytes again. Without
    this fixture that is a third of the time of these tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.loaders.create_loader))
        yield


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws(), dynamodb_in_memory():
        yield Harness()


@pytest.fixture
def operation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Operation]:
    """Return all functions in operation: one person is synchronized."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    forget_apps()
    with mock_aws(), dynamodb_in_memory():
        started = Operation(FormHarness(), capsys, monkeypatch)
        started.harness.add_person(email=ANA, last_name="Lopez", phone="1")
        started.tick()
        yield started
    forget_apps()


@pytest.fixture
def admin_client(harness: Harness) -> Iterator[AdminClient]:
    ADMIN.use(build_admin_context(harness))
    yield AdminClient()
    ADMIN.use(None)


@pytest.fixture
def credentials(harness: Harness) -> CredentialFixtures:
    return CredentialFixtures(harness)


@pytest.fixture
def ana(harness: Harness) -> str:
    """Return the id of Ana's Plezi contact, which is synchronized with the only Lead."""
    person = harness.add_person(email=ANA, last_name="Lopez", phone="111")
    harness.sync()
    return person
