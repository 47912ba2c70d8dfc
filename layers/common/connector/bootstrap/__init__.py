"""The composition root: builds what each function needs, and is the only place that names adapters.

`build_app` is used by the functions, the tests and the simulation alike. It constructs and decides
nothing. Each role has a module of its own, which is imported when the role is built: a function
loads only the packages that its role needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack, overload

from connector.bootstrap.runtime import Runtime
from connector.deadline import Deadline
from connector.log_events import EventLog, no_log
from connector.settings import FormReceiverSettings, RunRequestSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.admin.context import AdminContext
    from connector.bootstrap.form_worker import FormWorkerApp
    from connector.bootstrap.rotation import RotationApp
    from connector.bootstrap.runtime import AwsAdapters, HttpFactory, RuntimeParts, WebParts
    from connector.bootstrap.sync_worker import WorkerApp
    from connector.connection_settings import (
        AdminSettings,
        ConsoleSettings,
        FormWorkerSettings,
        RotationSettings,
        WorkerSettings,
    )
    from connector.console.application import Console
    from connector.forms.receiver import FormReceiver
    from connector.sync.run_requests import RunRequester


@overload
def build_app(settings: FormReceiverSettings, **parts: Unpack[RuntimeParts]) -> FormReceiver: ...
@overload
def build_app(settings: WorkerSettings, **parts: Unpack[RuntimeParts]) -> WorkerApp: ...
@overload
def build_app(settings: FormWorkerSettings, **parts: Unpack[RuntimeParts]) -> FormWorkerApp: ...
@overload
def build_app(settings: ConsoleSettings, **parts: Unpack[RuntimeParts]) -> Console: ...
@overload
def build_app(settings: AdminSettings, **parts: Unpack[RuntimeParts]) -> AdminContext: ...
@overload
def build_app(settings: RotationSettings, **parts: Unpack[RuntimeParts]) -> RotationApp: ...
@overload
def build_app(settings: RunRequestSettings, **parts: Unpack[RuntimeParts]) -> RunRequester: ...
def build_app(  # noqa: PLR0913  # what a process has, each by its name
    settings: RunRequestSettings
    | FormReceiverSettings
    | WorkerSettings
    | FormWorkerSettings
    | AdminSettings
    | ConsoleSettings
    | RotationSettings,
    *,
    aws: AwsAdapters,
    http: HttpFactory,
    clock: Callable[[], float],
    ids: Callable[[], str],
    sleep: Callable[[float], None],
    random: Callable[[], float],
    log: EventLog = no_log,
    deadline: Deadline | None = None,
    web: WebParts | None = None,
) -> object:
    """Build what one kind of function needs; the class of its settings says which kind it is.

    `aws` makes the adapters of AWS services, `http` a session for a system. `clock` returns seconds
    since 1970, `ids` the next id (ids sort by time), `sleep` waits for seconds, `random` returns a
    number in [0, 1), `log` writes events. `deadline` is started by each invocation; it is the one
    that `aws` uses. `web` is what only the console needs.
    """
    runtime = Runtime(aws, http, clock, ids, sleep, random, log, deadline or Deadline(clock), web)
    match settings:
        case FormReceiverSettings():
            from connector.bootstrap.form_receiver import build_form_receiver

            return build_form_receiver(settings, runtime)
        case RunRequestSettings():
            from connector.bootstrap.run_requests import build_run_requester

            return build_run_requester(settings, runtime)
        case _:
            from connector.bootstrap.connected_functions import build_connected_role

            return build_connected_role(settings, runtime)
