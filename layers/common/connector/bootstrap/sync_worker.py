"""The role that works on runs: sync_worker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from connector import telemetry
from connector.bootstrap.plezi_probe import build_check
from connector.bootstrap.synchronization import build_synchronization
from connector.connection_settings import WorkerSettings
from connector.salesforce.auth.password import PasswordForecast
from connector.secret_version import oldest_secret
from connector.sync.context import SyncContext
from connector.sync.run_alerts import RunAlerts
from connector.sync.runs import SyncEngine
from connector.sync.worker import RunWorker

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Ledger, Runtime


@dataclass(frozen=True, slots=True)
class WorkerApp:
    """The worker of the runs queue, and the parts that it is built of."""

    worker: RunWorker
    engine: SyncEngine
    context: SyncContext
    alerts: RunAlerts
    ledger: Ledger


def build_worker(settings: WorkerSettings, runtime: Runtime) -> WorkerApp:
    """Build the worker of the runs queue."""
    queue = runtime.aws.runs_queue(settings.runs_queue_url)
    built = build_synchronization(settings, runtime, queue)
    password = PasswordForecast(
        built.connections.salesforce,
        built.connections.secrets.salesforce,
        built.ledger,
        runtime.clock,
        settings.password_expires_days,
    )
    alerts = RunAlerts(
        built.ledger,
        runtime.aws.alerts(settings.alerts_topic),
        built.budget,
        password,
        build_check(built.connections, runtime, built.ledger),
        runtime.clock,
        runtime.log,
        quarantine_limit=settings.quarantine_alert_links,
        credential_age=partial(
            oldest_secret,
            (built.connections.secrets.salesforce, built.connections.secrets.plezi),
            runtime.clock,
        ),
        drift_limit=settings.drift_alert_rate,
    )
    engine = SyncEngine(built.context)
    worker = RunWorker(
        engine,
        built.ledger,
        alerts,
        runtime.clock,
        runtime.log,
        publish=telemetry.publish,
        describe_error=telemetry.describe_error,
        deadline=runtime.deadline,
        budget_seconds=settings.worker_budget_seconds,
    )
    return WorkerApp(worker, engine, built.context, alerts, built.ledger)
