"""The world: the deployed functions between both simulated systems, on a virtual clock."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from connector.bootstrap import build_app
from connector.bootstrap.lambda_runtime import LambdaApp
from connector.connection_settings import AdminSettings, FormWorkerSettings, WorkerSettings
from connector.deadline import Deadline
from connector.model import HintedContact, Run, RunKind, Side
from connector.settings import RunRequestSettings
from functions.admin import app as admin
from functions.admin.admin_app import ADMIN
from functions.form_worker import app as form_worker
from functions.scheduled_sync import app as scheduled_sync
from functions.sync_worker import app as sync_worker
from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.rehearsal.aws import Services
from local.rehearsal.dynamodb import Database
from local.rehearsal.functions import Context, Function, Handler, Invocation, Outcome
from local.rehearsal.kernel import EPOCH, Kernel
from local.rehearsal.network import NO_LATENCIES, Latencies, PleziNetwork, SalesforceNetwork
from local.rehearsal.queues import Queue
from local.rehearsal.schedule import next_tick
from local.salesforce_org import SalesforceOrg
from local.template_settings import (
    table_definitions,
    template_properties,
    template_settings,
    template_value,
)

HOUR: Final = 3600.0
WORKER: Final = "SyncWorkerFunction"
FORMS: Final = "FormWorkerFunction"
SCHEDULER: Final = "ScheduledSyncFunction"
ADMINISTRATION: Final = "AdminFunction"
ADMIN_REQUEST: Final = Path("events/admin_status.json")
"""A request as API Gateway passes it on; only its method, path, body and query are changed."""
REFUSED: Final = 400
"""Status codes from here on are refusals (RFC 9110, 15.5)."""


class AdminRefusedError(Exception):
    """The admin API refused a request of the rehearsal."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a rehearsal gives up: virtual hours and invocations of the worker."""

    hours: float = 240.0
    invocations: int = 5000


@dataclass(frozen=True, slots=True)
class Conditions:
    """The circumstances: latencies, and the settings that differ from the template's defaults."""

    latencies: Latencies = field(default_factory=Latencies)
    settings: dict[str, object] = field(default_factory=dict)


def _queue(kernel: Kernel, name: str, function: str, event: str) -> Queue:
    properties = template_properties(name)
    scaling = template_properties(function)["Events"][event]["Properties"]["ScalingConfig"]
    return Queue(
        kernel,
        name,
        visibility=float(template_value(properties["VisibilityTimeout"])),
        max_receives=int(properties["RedrivePolicy"]["maxReceiveCount"]),
        concurrency=int(scaling["MaximumConcurrency"]),
        is_fifo=bool(properties.get("FifoQueue", False)),
    )


class World:
    """Both systems, the functions between them, the queues, the tables and the schedule.

    `conditions` may be changed while nothing runs; `restart` starts all processes cold with them.
    """

    def __init__(self, seed: int = 1) -> None:
        self.kernel = Kernel()
        clock = SimulatedClock(self.kernel.datetime)
        self.org = SalesforceOrg(clock, seed=seed)
        self.tenant = PleziTenant(clock, seed=seed, sleep=self.kernel.sleep)
        self.salesforce = SalesforceNetwork(self.org, self.kernel)
        self.plezi = PleziNetwork(self.tenant, self.kernel)
        self.database = Database(table_definitions(), self.kernel.now)
        self.runs_queue = _queue(self.kernel, "RunsQueue", WORKER, "Runs")
        self.forms_queue = _queue(self.kernel, "FormsQueue", FORMS, "Forms")
        self.services = Services(
            self.kernel,
            self.database,
            (self.runs_queue, self.forms_queue),
            {Side.PLEZI: self.plezi, Side.SALESFORCE: self.salesforce},
        )
        self.conditions = Conditions()
        self.worker = self._function(WORKER, WorkerSettings, sync_worker.APP, sync_worker.handler)
        self.form_worker = self._function(
            FORMS, FormWorkerSettings, form_worker.APP, form_worker.handler
        )
        self.scheduler = self._function(
            SCHEDULER, RunRequestSettings, scheduled_sync.APP, scheduled_sync.handler
        )
        self.admin = self._function(ADMINISTRATION, AdminSettings, ADMIN, admin.handler)
        self.admin_answers: Counter[str] = Counter()
        """The answers of the admin API, by status code."""
        self.runs_queue.function = self.worker
        self.forms_queue.function = self.form_worker
        self.on_output: Callable[[str], None] = lambda _text: None
        """Receives what the functions print: their metrics."""
        self._ticks_on = False
        self._expected_actions = 0
        self._put_secrets()
        self._control().set_enabled(on=True, now=0.0)

    # Construction

    def _function(
        self,
        name: str,
        settings: type[Any],
        place: LambdaApp[Any],
        handler: Callable[[Any, Any], Any],
    ) -> Function:
        properties = template_properties(name)

        def build() -> _Parts:
            parts = self.services.process_parts()
            return _Parts(build_app(self._settings(settings), **parts), parts.get("deadline"))

        return Function(
            self.kernel,
            name,
            timeout=float(template_value(properties["Timeout"])),
            memory_mb=int(properties["MemorySize"]),
            build=build,
            handle=_handler(place, handler),
        )

    def _settings(self, kind: type[Any]) -> Any:  # noqa: ANN401  # by the settings' class
        known = {name.lower() for name in kind.__dataclass_fields__}
        changes = {name: value for name, value in self.conditions.settings.items() if name in known}
        return template_settings(kind, **changes)

    def _put_secrets(self) -> None:
        org, tenant = self.org, self.tenant
        user = org.integration_user
        self.services.put_secret(
            "SalesforceSecret.Id",
            {
                "flow": "password",
                "account_url": "https://acme.lightning.force.com",
                "consumer_key": org.consumer_key,
                "consumer_secret": org.consumer_secret,
                "username": user.username,
                "password": user.password,
                "security_token": user.security_token,
            },
        )
        self.services.put_secret(
            "PleziSecret.Id", {"api_key": tenant.api_key, "tenant": tenant.tenant_name}
        )
        self.services.put_secret("TombstonesSecret.Id", {"key": "t" * 64})

    def _control(self) -> Any:  # noqa: ANN401  # the ledger, whatever it is made of
        """Return the ledger, used by the rehearsal itself: takes no time and is not counted."""
        return self.services.process_parts()["aws"].ledger("LedgerTable")

    def restart(self, conditions: Conditions) -> None:
        """Change the circumstances: every function starts cold with them; counts are zero."""
        self.conditions = conditions
        self.services.latencies = conditions.latencies
        self.plezi.latencies = self.salesforce.latencies = conditions.latencies
        for function in self.functions:
            function.forget_processes()
            function.invocations.clear()
        for queue in (self.runs_queue, self.forms_queue):
            queue.requests = 0
            queue.dead_letters.clear()
        for system in (self.plezi, self.salesforce):
            system.meter.clear()
        self.database.units.clear()
        self.services.events.clear()
        self.services.problems.clear()

    # What happens in the world

    def request_run(self, kind: RunKind = RunKind.CHANGES, **options: Any) -> None:  # noqa: ANN401  # as RunRequester
        """Request a run now, as POST /sync does; takes no virtual time."""
        requester = build_app(
            template_settings(RunRequestSettings), **self.services.process_parts()
        )
        latencies, self.services.latencies = self.services.latencies, NO_LATENCIES
        requester.request_run(kind, **options)
        self.services.latencies = latencies

    def start_schedule(self) -> None:
        """Let the scheduler tick from now on, by the expressions of the template."""
        self._ticks_on = True
        begin = self.kernel.datetime()
        for event in template_properties(SCHEDULER)["Events"].values():
            properties = event["Properties"]
            expression = template_value(properties["ScheduleExpression"])
            payload = json.loads(properties.get("Input", "{}"))
            if expression.startswith("rate"):
                self._tick(payload)
            self._schedule_next(expression, begin, payload)

    def _schedule_next(self, expression: str, begin: Any, payload: dict[str, Any]) -> None:  # noqa: ANN401  # a datetime
        due = next_tick(expression, begin, self.kernel.datetime())
        time = (due - EPOCH) / timedelta(seconds=1)

        def tick() -> None:
            if self._ticks_on:
                self._tick(payload)
                self._schedule_next(expression, begin, payload)

        self.kernel.at(time, tick)

    def _tick(self, payload: dict[str, Any]) -> None:
        self.scheduler.invoke(payload, lambda _ended: None)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Let a user act in some seconds; the world is not idle before that."""
        self._expected_actions += 1

        def act_now() -> None:
            self._expected_actions -= 1
            act()

        self.kernel.at(self.kernel.time + seconds, act_now)

    def submit_form(self, number: int) -> None:
        """Let a visitor submit a form; the receiver's hint is in the queue at once."""
        values = {"email": f"form{number:04d}@example.com", "last_name": f"Form {number}"}
        contact, _ = self.tenant.contacts.submit(dict(values), keep=frozenset(), source="direct")
        trace = f"form-{number:04d}"
        hints = self.services.process_parts()["aws"].form_hints("LedgerTable")
        hints.save(trace, HintedContact(contact.email.lower(), ""), self.kernel.now())
        self.forms_queue.send(json.dumps({"trace_id": trace}))

    def call_admin(self, path: str, **query: str) -> None:
        """Send a GET request to the admin API."""
        self.admin.invoke(_admin_event("GET", path, None, query), self._count_answer)

    def ask_admin(self, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401  # any JSON
        """Send a request to the admin API, let the world go on until it is answered.

        Returns the JSON of the answer. Raises `AdminRefusedError` when it is no success.
        """
        ended: list[Invocation] = []
        self.admin.invoke(_admin_event(method, path, body, query), ended.append)
        why = self.run_until(lambda: bool(ended), Bounds(hours=1.0))
        if why or ended[0].outcome is not Outcome.DONE or ended[0].result["statusCode"] >= REFUSED:
            raise AdminRefusedError(f"{method} {path}: {why} {ended}")
        return json.loads(ended[0].result["body"])

    def _count_answer(self, ended: Invocation) -> None:
        status = ended.result["statusCode"] if ended.outcome is Outcome.DONE else ended.outcome
        self.admin_answers[str(status)] += 1

    # Running

    def run_until(self, is_over: Callable[[], bool], bounds: Bounds) -> str:
        """Let the world go on until `is_over`, asked after each event; return why it stopped.

        '' means that it is over; else the text names the bound that was reached.
        """
        end = self.kernel.time + bounds.hours * HOUR
        with contextlib.redirect_stdout(_Output(self)):  # the metrics of the functions
            while not is_over():
                if self.kernel.time > end:
                    return f"not finished after {bounds.hours:g} virtual hours"
                if len(self.worker.invocations) >= bounds.invocations:
                    return f"not finished after {bounds.invocations} invocations"
                if not self.kernel.step():
                    return "nothing happens any more"
        return ""

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions."""
        return (self.worker, self.form_worker, self.scheduler, self.admin)

    @property
    def is_idle(self) -> bool:
        """Whether no message waits, no function runs, and no user is expected to act."""
        queues = (self.runs_queue, self.forms_queue)
        return (
            not self._expected_actions
            and all(it.is_idle for it in queues)
            and not any(it.running for it in self.functions)
        )

    def runs(self) -> list[Run]:
        """Return all runs of the ledger, those of forms too; takes no virtual time."""
        found: list[Run] = []
        with self.aside() as adapters:
            ledger = adapters.ledger("LedgerTable")
            for forms in (False, True):
                before = ""
                while page := ledger.list_runs(100, before, forms=forms):
                    found += page
                    before = page[-1].id
        return found

    @contextlib.contextmanager
    def aside(self) -> Iterator[Any]:
        """Give the adapters of the tables to the rehearsal itself: no time passes, no unit counts.

        In the meantime the world must not go on.
        """
        latencies, self.services.latencies = self.services.latencies, NO_LATENCIES
        units, self.database.units = self.database.units, type(self.database.units)()
        try:
            yield self.services.process_parts()["aws"]
        finally:
            self.services.latencies, self.database.units = latencies, units

    def close(self) -> None:
        """End all tasks and free the memory."""
        self.kernel.stop()
        self.org.close()
        self.tenant.close()


class _Output(io.StringIO):
    """The output of all functions, which is handed over and not kept."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def write(self, text: str, /) -> int:
        """Hand a text over."""
        self._world.on_output(text)
        return len(text)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a process of a function has: what `build_app` made, and its deadline."""

    app: Any
    deadline: Deadline | None


def _admin_event(method: str, path: str, body: object, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a request to the admin API as API Gateway passes it on."""
    event: dict[str, Any] = json.loads(ADMIN_REQUEST.read_text(encoding="utf-8"))
    return event | {
        "httpMethod": method,
        "path": path,
        "resource": path,
        "body": None if body is None else json.dumps(body),
        "queryStringParameters": dict(query),
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
    }


def _handler(place: LambdaApp[Any], handler: Callable[[Any, Any], Any]) -> Handler:
    """Return the deployed handler of a function, in the process that it is called in."""

    def handle(parts: _Parts, event: Any, context: Context) -> Any:  # noqa: ANN401  # any event
        if parts.deadline is not None:
            parts.deadline.start(remaining=context.get_remaining_time_in_millis() / 1000)
        place.use(parts.app)  # read by the handler before any other invocation can go on
        return handler(event, context)

    return handle
