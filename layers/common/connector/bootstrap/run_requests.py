"""The role that requests runs: scheduled_sync and manual_sync."""

from __future__ import annotations

from connector.bootstrap.runtime import Runtime
from connector.settings import RunRequestSettings
from connector.sync.run_requests import RunRequester


def build_run_requester(settings: RunRequestSettings, runtime: Runtime) -> RunRequester:
    """Build the requester of runs."""
    return RunRequester(
        runtime.aws.run_registry(settings.ledger_table),
        runtime.aws.runs_queue(settings.runs_queue_url),
        runtime.clock,
        runtime.ids,
        runtime.log,
    )
