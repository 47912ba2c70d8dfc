"""What all that happens in a history shares: both sides, the connector, the oracle, words."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from requests import PreparedRequest, Response
from urllib3 import HTTPResponse

from connector.model import RecordKind
from connector.settings import PleziDialect
from local.world.both_sides import BothSides, StoredRecord
from local.world.fault_injector import FaultInjector, Trace
from local.world.simulated_stack import SimulatedStack
from tests.simulation.history.events import Event, EventList
from tests.simulation.history.oracle import Oracle

BEGINNING: Final = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
CALL_SECONDS: Final = 0.3
"""What one call over the wire takes in the world's time."""
PAGE: Final = 3
"""Contacts on a page of Plezi's list: few, for a history of three people to have several pages."""
_ACROSS: Final = {"plezi": "salesforce", "salesforce": "plezi"}


class Actor:
    """Both sides and the connector between them, watched; and the words for what happens."""

    def __init__(
        self, sides: BothSides, story: EventList, make: Callable[[], dict[str, Any]]
    ) -> None:
        sides.clock.set(BEGINNING, frozen=True)
        sides.reset()
        self.sides = sides
        self.story = story
        self.trace = Trace()
        self.oracle = Oracle(story.policies)
        self.words: list[str] = []
        self.counted: Counter[str] = Counter()
        self.people: dict[tuple[int, str], str] = {}
        self.lags = "read_lag_seconds" in story.tenant
        """Whether Plezi may show a contact as it was."""
        self._serial = 0
        if story.tenant:
            sides.tenant.turn(**story.tenant)
            self.counted[f"tenant {story.tenant}"] += 1
        dialect = PleziDialect(page_size=PAGE)
        fault_injector = FaultInjector(self.trace)
        self.connected = SimulatedStack(
            sides, fault_injector, self._watch, dialect=dialect, **make()
        )

    @property
    def fault_injector(self) -> FaultInjector:
        """The fault_injector of the process that works now."""
        return self.connected.fault_injector

    def describe(self, words: str) -> None:
        """Note what happened, in words."""
        self.trace.add(words)
        self.words.append(f"{self.sides.clock.now():%H:%M:%S} {words}")

    def number(self) -> int:
        """Return the next number: no two values that people type are the same by chance."""
        self._serial += 1
        return self._serial

    def find(self, event: Event, side: str = "") -> StoredRecord | None:
        """Return the record of a person on a side: the one a person made, or the one we did."""
        side = side or event.side
        truth = self.sides.stored_records()
        record = self.people.get((event.who, side))
        if record is None and side in _ACROSS:
            kind = RecordKind.PLEZI_CONTACT if side == "plezi" else RecordKind.LEAD
            across = truth.get(self.people.get((event.who, _ACROSS[side]), ""))
            met = (it for it in truth.values() if across and it.email == across.email)
            record = next((it.id for it in met if it.kind is kind), None)
            if record is not None:
                self.people[event.who, side] = record
        return truth.get(record) if record else None

    def find_alive(self, event: Event, side: str = "") -> StoredRecord | None:
        """Return the record of a person on a side if people can still edit it."""
        found = self.find(event, side)
        return None if found is None or found.deleted or found.converted else found

    def _watch(self, request: PreparedRequest, send: Callable[[], Response]) -> Response:
        """Let a call through, and show the oracle what it says, answers and changes."""
        self.sides.clock.advance(CALL_SECONDS)
        path = request.path_url.partition("?")[0]
        writes = _is_write(request, path)
        before = self.sides.stored_records() if writes else {}
        if writes:
            self.oracle.sends(request.method or "", path, request.body, before)
        try:
            answer = send()
        finally:
            if writes:
                after = self.sides.stored_records()
                if after != before:
                    self.counted["writes"] += 1
                    journal = self.connected.journal.entries()
                    self.oracle.wrote(before, after, journal, f"{request.method} {path}")
        self.trace.add(str(answer.status_code))
        if answer.ok:
            body = answer.raw.read()
            shown = self.sides.stored_records() if self.lags else {}
            self.oracle.told(body, shown, self.sides.clock.now().timestamp())
            answer.raw = _again(answer, body)
        return answer


def _is_write(request: PreparedRequest, path: str) -> bool:
    if request.method in ("PUT", "PATCH"):
        return True
    return request.method == "POST" and (path.endswith("/contacts") or "composite/sobjects" in path)


def _again(answer: Response, body: bytes) -> HTTPResponse:
    """The raw answer once more, for the one who asked."""
    return HTTPResponse(
        io.BytesIO(body),
        headers=dict(answer.headers),
        status=answer.status_code,
        preload_content=False,
    )
