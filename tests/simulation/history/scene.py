"""What all that happens in a history shares: both sides, the connector, the oracle, words."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from requests import PreparedRequest, Response
from urllib3 import HTTPResponse

from connector.model import Kind
from connector.settings import PleziDialect
from local.world.connected import Connected
from local.world.luck import Luck, Trace
from local.world.sides import Sides, Truth
from tests.simulation.history.events import Event, Story
from tests.simulation.history.oracle import Oracle

BEGINNING: Final = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
CALL_SECONDS: Final = 0.3
"""What one call over the wire takes in the world's time."""
PAGE: Final = 3
"""Contacts on a page of Plezi's list: few, for a history of three people to have several pages."""
_ACROSS: Final = {"plezi": "salesforce", "salesforce": "plezi"}


class Scene:
    """Both sides and the connector between them, watched; and the words for what happens."""

    def __init__(self, sides: Sides, story: Story, make: Callable[[], dict[str, Any]]) -> None:
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
        luck = Luck(self.trace)
        self.connected = Connected(sides, luck, self._watch, dialect=dialect, **make())

    @property
    def luck(self) -> Luck:
        """The luck of the process that works now."""
        return self.connected.luck

    def tell(self, words: str) -> None:
        """Note what happened, in words."""
        self.trace.note(words)
        self.words.append(f"{self.sides.clock.now():%H:%M:%S} {words}")

    def number(self) -> int:
        """Return the next number: no two values that people type are the same by chance."""
        self._serial += 1
        return self._serial

    def find(self, event: Event, side: str = "") -> Truth | None:
        """Return the record of a person on a side: the one a person made, or the one we did."""
        side = side or event.side
        truth = self.sides.truth()
        record = self.people.get((event.who, side))
        if record is None and side in _ACROSS:
            kind = Kind.PLEZI_CONTACT if side == "plezi" else Kind.LEAD
            across = truth.get(self.people.get((event.who, _ACROSS[side]), ""))
            met = (it for it in truth.values() if across and it.email == across.email)
            record = next((it.id for it in met if it.kind is kind), None)
            if record is not None:
                self.people[event.who, side] = record
        return truth.get(record) if record else None

    def find_alive(self, event: Event, side: str = "") -> Truth | None:
        """Return the record of a person on a side if people can still edit it."""
        found = self.find(event, side)
        return None if found is None or found.deleted or found.converted else found

    def _watch(self, request: PreparedRequest, send: Callable[[], Response]) -> Response:
        """Let a call through, and show the oracle what it says, answers and changes."""
        self.sides.clock.advance(CALL_SECONDS)
        path = request.path_url.partition("?")[0]
        writes = _is_write(request, path)
        before = self.sides.truth() if writes else {}
        if writes:
            self.oracle.sends(request.method or "", path, request.body, before)
        try:
            answer = send()
        finally:
            if writes:
                after = self.sides.truth()
                if after != before:
                    self.counted["writes"] += 1
                    journal = self.connected.journal.told()
                    self.oracle.wrote(before, after, journal, f"{request.method} {path}")
        self.trace.note(str(answer.status_code))
        if answer.ok:
            body = answer.raw.read()
            shown = self.sides.truth() if self.lags else {}
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
