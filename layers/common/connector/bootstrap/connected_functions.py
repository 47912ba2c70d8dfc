"""The roles that call Plezi and Salesforce: which settings build which of them."""

from __future__ import annotations

from connector.bootstrap.runtime import Runtime
from connector.connection_settings import (
    AdminSettings,
    ConsoleSettings,
    FormWorkerSettings,
    RotationSettings,
    WorkerSettings,
)


def build_connected_role(
    settings: WorkerSettings
    | FormWorkerSettings
    | AdminSettings
    | ConsoleSettings
    | RotationSettings,
    runtime: Runtime,
) -> object:
    """Build what one kind of function needs."""
    match settings:
        case ConsoleSettings():
            from connector.bootstrap.console import build_console

            return build_console(settings, runtime)
        case AdminSettings():
            from connector.bootstrap.admin import build_admin

            return build_admin(settings, runtime)
        case RotationSettings():
            from connector.bootstrap.rotation import build_rotation

            return build_rotation(settings, runtime)
        case WorkerSettings():
            from connector.bootstrap.sync_worker import build_worker

            return build_worker(settings, runtime)
        case FormWorkerSettings():
            from connector.bootstrap.form_worker import build_form_worker

            return build_form_worker(settings, runtime)
