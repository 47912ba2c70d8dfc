"""The functions as deployed: their environment comes from the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector import telemetry
from connector.bootstrap import lambda_runtime
from functions.admin.admin_app import ADMIN
from functions.form_sync import app as form_sync
from functions.form_worker import app as form_worker
from functions.manual_sync import app as manual_sync
from functions.rotate_credentials import app as rotate_credentials
from functions.scheduled_sync import app as scheduled_sync
from functions.sync_worker import app as sync_worker
from local.template_settings import template_environment

if TYPE_CHECKING:
    import pytest

    from tests.component.harness import Harness


def forget_apps() -> None:
    """Drop all built apps: each function is built again at its next use, as in a new process."""
    for app in (
        ADMIN,
        form_sync.APP,
        form_worker.APP,
        manual_sync.APP,
        rotate_credentials.APP,
        scheduled_sync.APP,
        sync_worker.APP,
    ):
        app.use(None)
    telemetry.logger.cache_clear()


def deploy(harness: Harness, monkeypatch: pytest.MonkeyPatch, function: str, **extra: str) -> None:
    """Set the environment of a function and connect it to both systems in this process."""
    variables = template_environment(function)
    resources = {name.upper(): value for name, value in {**harness.resources, **extra}.items()}
    for name in variables:
        monkeypatch.setenv(name, resources.get(name, variables[name]))
    monkeypatch.setattr(lambda_runtime, "http_session", harness.http)
    forget_apps()
