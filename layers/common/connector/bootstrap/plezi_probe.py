"""The probe of the Plezi tenant for the admin API, and its weekly check for the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.bootstrap.sides import Connections
from connector.deadline import MIN_CALL_SECONDS, DeadlineError
from connector.plezi.probe.check import ApiCheck
from connector.plezi.probe.probe import Probe
from connector.probe_report import CHECK_KEY, PROBE_KEY
from connector.stores import DocumentStore

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Runtime


def build_check(connections: Connections, runtime: Runtime, documents: DocumentStore) -> ApiCheck:
    """Build the weekly check of the tenant's API."""
    probe = build_probe(connections, runtime, documents, CHECK_KEY)
    return ApiCheck(probe, documents, runtime.clock)


def build_probe(
    connections: Connections, runtime: Runtime, documents: DocumentStore, key: str = PROBE_KEY
) -> Probe:
    """Build a probe; `documents` holds its progress. Its pauses end before the last call."""

    def pause(seconds: float) -> None:
        if not runtime.deadline.allows(seconds + MIN_CALL_SECONDS):
            raise DeadlineError("the time of this invocation is used up")
        runtime.sleep(seconds)

    return Probe(connections.plezi, documents, runtime.clock, pause, key)
