"""The probe of the Plezi tenant, for the admin API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.bootstrap.sides import Connections
from connector.deadline import MIN_CALL_SECONDS, DeadlineError
from connector.plezi.probe.probe import Probe
from connector.stores import DocumentStore

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Runtime


def build_probe(connections: Connections, runtime: Runtime, documents: DocumentStore) -> Probe:
    """Build the probe; `documents` holds its progress. Its pauses end before the last call."""

    def pause(seconds: float) -> None:
        if not runtime.deadline.allows(seconds + MIN_CALL_SECONDS):
            raise DeadlineError("the time of this invocation is used up")
        runtime.sleep(seconds)

    return Probe(connections.plezi, documents, runtime.clock, pause)
