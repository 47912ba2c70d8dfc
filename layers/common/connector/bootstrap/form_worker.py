"""The role that synchronizes the contacts of submitted forms: form_worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.bootstrap.synchronization import build_synchronization
from connector.connection_settings import FormWorkerSettings
from connector.forms.consumer import FormConsumer
from connector.model import Phase
from connector.sync.context import SyncContext
from connector.sync.runs import SyncEngine
from connector.telemetry import describe_error

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Runtime


class NoRunQueue:
    """The queue of a function that never continues a run in another invocation."""

    def send(self, run: str, phase: Phase) -> None:
        """Refuse: a form is synchronized in one invocation, so a call is a fault in the code."""
        raise RuntimeError(f"run {run} cannot continue with {phase.value} here")


@dataclass(frozen=True, slots=True)
class FormWorkerApp:
    """The consumer of the forms queue, and the parts that it is built of."""

    consumer: FormConsumer
    engine: SyncEngine
    context: SyncContext


def build_form_worker(settings: FormWorkerSettings, runtime: Runtime) -> FormWorkerApp:
    """Build the consumer of the forms queue."""
    built = build_synchronization(settings, runtime, NoRunQueue())
    engine = SyncEngine(built.context)
    consumer = FormConsumer(
        engine.sync_contact,
        runtime.aws.form_hints(settings.ledger_table),
        runtime.aws.forms_queue(settings.forms_queue_url),
        runtime.log,
        worker_timeout=settings.worker_timeout_seconds,
        describe_error=describe_error,
        clock=runtime.clock,
        deadline=runtime.deadline,
    )
    return FormWorkerApp(consumer, engine, built.context)
