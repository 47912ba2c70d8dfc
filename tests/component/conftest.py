"""Where component tests take place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import botocore.loaders
import botocore.session
import pytest
from moto import mock_aws

from connector import wiring
from tests.component.acquaintances import ANA
from tests.component.clerk import Clerk, open_office
from tests.component.keyring import Keyring
from tests.component.stage import REGION, Stage


@pytest.fixture(autouse=True, scope="session")
def _models_read_once() -> Iterator[None]:
    """Let all clients share what botocore knows of AWS.

    Each use of moto begins a new session, which would read and parse the same megabytes again: a
    third of the time of these tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.loaders.create_loader))
        yield


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield Stage()


@pytest.fixture
def clerk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Clerk:
    office = open_office(stage)
    monkeypatch.setattr(wiring, "office", lambda: office)
    return Clerk()


@pytest.fixture
def keyring(stage: Stage) -> Keyring:
    return Keyring(stage)


@pytest.fixture
def ana(stage: Stage) -> str:
    """Ana's Plezi contact, known to both sides; her Lead is the only one."""
    person = stage.add_person(email=ANA, last_name="Lopez", phone="111")
    stage.sync()
    return person
