"""Fixtures: the console of one synchronized person, and users with each role."""

from __future__ import annotations

import json
from collections.abc import Callable

import boto3
import pytest

from connector.console.application import Console
from tests.component.console.console_browser import Browser, build_console
from tests.component.console.user_pool import FakeUserPool
from tests.component.harness import REGION, Harness

OpenBrowser = Callable[..., Browser]


@pytest.fixture
def pool() -> FakeUserPool:
    return FakeUserPool()


@pytest.fixture
def console(harness: Harness, pool: FakeUserPool) -> Console:
    pool.clock = harness.clock
    secrets = boto3.client("secretsmanager", region_name=REGION)
    secrets.create_secret(
        Name="console", SecretString=json.dumps({"key": "c" * 64, "previous": ""})
    )
    return build_console(harness, pool)


@pytest.fixture
def open_browser(console: Console, pool: FakeUserPool) -> OpenBrowser:
    """Return a function that opens a browser and signs in with some roles."""

    def open_it(*groups: str, language: str = "en") -> Browser:
        browser = Browser(console, pool, language)
        if groups:
            browser.sign_in(*groups)
        return browser

    return open_it
