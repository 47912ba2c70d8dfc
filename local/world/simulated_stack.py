"""The real connector with its real adapters between both simulated systems, in one process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

from requests import PreparedRequest, Response

from connector.bootstrap import build_app
from connector.bootstrap.sync_worker import WorkerApp
from connector.connection_settings import WorkerSettings
from connector.http_session import HttpSession
from connector.log_events import Event
from connector.model import ChangeHint, HintResult, Phase, ProblemCode, RunKind, RunState, Side
from connector.plezi.api_dialect import PleziDialect
from connector.retry import RetryPolicy
from connector.settings import RunRequestSettings
from connector.sync.context import SyncContext
from connector.sync.run_requests import RunRequester
from local.serving import InProcessAdapter
from local.template_settings import template_settings
from local.world.both_sides import BothSides
from local.world.fault_injector import FaultInjector, FaultyHttpAdapter, Trace
from local.world.memory import MemoryAlertPublisher, MemorySecrets
from local.world.memory_adapters import MemoryAdapters

WORKER_TIMEOUT: Final = 300.0
MAX_CHANGED: Final = 1000
"""Records that one run may change in one field; more than the simulation has."""
FULL_PAUSE: Final = 1.0
"""The random part of each pause before a retry: always all of it, so that histories repeat."""
Watch = Callable[[PreparedRequest, Callable[[], Response]], Response]


def _settings(dialect: PleziDialect) -> WorkerSettings:
    """Return the settings of the simulated worker: no rate limit, no alerts."""
    return WorkerSettings(
        ledger_table="ledger",
        journal_table="journal",
        mappings_table="mappings",
        tombstones_secret="tombstones",
        runs_queue_url="runs",
        salesforce_secret="salesforce",
        salesforce_trusted_host="",
        salesforce_ca_pem="",
        salesforce_api_version="64.0",
        plezi_secret="plezi",
        plezi_base_url="https://app.plezi.co/api/v1",
        plezi_calls_per_second=0,
        plezi_dialect=json.dumps(asdict(dialect)),
        password_expires_days=90,
        protected_fields="",
        allow_encrypted_fields=False,
        worker_timeout_seconds=WORKER_TIMEOUT,
        worker_budget_seconds=WORKER_TIMEOUT,
        journal_days=365,
        max_cleared=MAX_CHANGED,
        max_overwritten=MAX_CHANGED,
        max_changed_share=0.05,
        max_stage_errors=0.1,
        max_stage_duplicates=0.2,
        max_stage_overwritten=0.2,
        max_records_per_email=20,
        api_share=0.2,
        assign_new_leads=True,
        alerts_topic="",
        quarantine_alert_links=10,
        drift_alert_rate=0.001,
    )


class UnexpectedDefectError(BaseException):
    """The connector put a person in quarantine for an error of its own.

    It is no `Exception`: the isolation of the connector must not catch it.
    """


def _stop_at_defects(event: Event, /, **fields: object) -> None:
    """End the simulation at a defect that the connector isolates and only writes to its log."""
    if fields.get("code") == ProblemCode.DEFECT.value:
        raise UnexpectedDefectError(f"{event.name}: {fields.get('detail')}")


class SimulatedStack:
    """The connector, run by run. A process that crashed starts cold, with the same stores."""

    def __init__(  # noqa: PLR0913  # the stores, each by its name
        self,
        sides: BothSides,
        injector: FaultInjector,
        watch: Watch,
        *,
        ledger: Any,  # noqa: ANN401  # the one in memory, or DynamoDB's
        journal: Any,  # noqa: ANN401  # as above
        run_queue: Any,  # noqa: ANN401  # as above
        mappings: Any,  # noqa: ANN401  # as above
        dialect: PleziDialect,
    ) -> None:
        self._sides = sides
        self.fault_injector = injector
        self._watch = watch
        self._settings = _settings(dialect)
        self.ledger = ledger
        self.journal = journal
        self.run_queue = run_queue
        self.mappings = mappings
        self.alerts = MemoryAlertPublisher()
        self.secrets = MemorySecrets()
        self._ids = 0
        self.offset = 0.0
        """Seconds by which the connector's clock is ahead of the clocks of both systems."""
        self._empty = ledger.snapshot()
        self.put_secrets()
        self.ledger.set_enabled(on=True, now=0.0)
        self.app = self.start_process()

    @property
    def context(self) -> SyncContext:
        """The context of the running process."""
        return self.app.context

    def put_secrets(self) -> None:
        """Put the credentials that both systems accept today."""
        org, tenant = self._sides.org, self._sides.tenant
        user = org.integration_user
        self.secrets.put(
            "salesforce",
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
        self.secrets.put("plezi", {"api_key": tenant.api_key, "tenant": tenant.tenant_name})

    def now(self) -> float:
        """Return the time of the connector, in seconds since 1970."""
        return self._sides.clock.now().timestamp() + self.offset

    def new_id(self) -> str:
        """Return the next id; ids sort by time."""
        self._ids += 1
        return f"id-{self._ids:06d}"

    def start_process(self) -> WorkerApp:
        """Start a process; it knows only the stored data."""
        self.app = build_app(self._settings, **self._parts(self.fault_injector))
        return self.app

    def _parts(self, fault_injector: FaultInjector) -> dict[str, Any]:
        """Return what `build_app` takes besides the settings, for one process."""
        sleep = self._sides.clock.advance
        adapters = MemoryAdapters(
            ledger=self.ledger,
            journal=self.journal,
            mappings=self.mappings,
            queue=self.run_queue,
            secrets=self.secrets,
            alerts=self.alerts,
            fault_injector=fault_injector,
            clock=self.now,
            retry=RetryPolicy(sleep, lambda: FULL_PAUSE, self.now),
        )
        return {
            "aws": adapters,
            "http": self._http,
            "clock": self.now,
            "ids": self.new_id,
            "sleep": sleep,
            "random": lambda: FULL_PAUSE,
            "log": _stop_at_defects,
        }

    @contextmanager
    def second_process(self) -> Iterator[None]:
        """Work in a second process, with a fault injector of its own, while the first one waits."""
        app, injector, messages = self.app, self.fault_injector, list(self.run_queue.messages)
        self.fault_injector = FaultInjector(injector.trace, injector.injected)
        self.start_process()
        try:
            yield
        finally:
            self.app, self.fault_injector = app, injector
            self.run_queue.messages[:] = messages

    def drop_ledger(self) -> None:
        """Start with an empty ledger; the records of both systems, and the journal, are kept."""
        self.ledger.restore(self._empty)
        self.ledger.set_enabled(on=True, now=0.0)
        self.run_queue.messages.clear()
        self.start_process()

    def _http(self, side: Side, *, authority: str = "") -> HttpSession:  # noqa: ARG002  # no TLS here
        http = HttpSession(monotonic=self.now)
        http.headers["Accept-Encoding"] = "identity"  # compression takes time and shows nothing
        application = self._sides.org if side is Side.SALESFORCE else self._sides.tenant
        inner = InProcessAdapter(application)
        injector = self.fault_injector
        http.mount("https://", FaultyHttpAdapter(inner, side.value, injector, self._watch))
        return http

    def request_run(self, kind: RunKind = RunKind.CHANGES, **options: Any) -> str:  # noqa: ANN401  # as RunRequester
        """Request a run, outside of any process that may crash."""
        parts = self._parts(FaultInjector(Trace()))
        requester: RunRequester = build_app(template_settings(RunRequestSettings), **parts)
        return requester.request_run(kind, **options)

    def run_phase(self, run: str, phase: Phase, out_of_time: Callable[[], bool]) -> RunState:
        """Work on one phase of a run, as the queue's message requests."""
        return self.app.engine.run_phase(run, phase, out_of_time)

    def sync_contact(self, hint: ChangeHint) -> HintResult:
        """Synchronize the contact of a hint."""
        return self.app.engine.sync_contact(hint)
