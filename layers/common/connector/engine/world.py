"""What the strokes need of the world, in one hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.engine.ports import (
    Alerts,
    Budget,
    Clock,
    Configuration,
    Inbox,
    Journal,
    Ledger,
    SideClient,
)
from connector.model import Side


@dataclass(frozen=True)
class World:
    """The ports, the clock and the source of ids.

    `worker_timeout` is in seconds. `most_emptied` is of how many people one run may empty fields.
    `rehearsing`: this is a dry run, nothing will be written.
    """

    ledger: Ledger
    journal: Journal
    configuration: Configuration
    inbox: Inbox
    alerts: Alerts
    budget: Budget
    clients: Mapping[Side, SideClient]
    clock: Clock
    new_id: Callable[[], str]
    worker_timeout: float
    most_emptied: int
    rehearsing: bool = False
