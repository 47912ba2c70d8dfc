"""What both simulators share: a clock, faults to order, calls counted, and their `/_sim/` routes.

A simulator is one WSGI application. Everything under `/_sim/` belongs to the person who runs the
simulation and is never counted as a call; everything else is the wire of the real system.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request, Response


def wall_clock() -> datetime:
    """Return the machine's time in UTC; the default source of a simulator's clock."""
    return datetime.now(UTC)


class SimulatedClock:
    """The server time of a simulator: follows its source with an offset, or stands still."""

    def __init__(self, source: Callable[[], datetime] = wall_clock) -> None:
        self._source = source
        self._offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """Return the simulator's time, aware, in UTC."""
        return self._frozen if self._frozen is not None else self._source() + self._offset

    def set(self, instant: datetime, *, frozen: bool) -> None:
        """Jump to an instant and either stand still there or go on from it."""
        self._frozen = instant if frozen else None
        self._offset = instant - self._source()

    def advance(self, seconds: float) -> None:
        """Move forwards (or backwards) by a number of seconds, frozen or not."""
        step = timedelta(seconds=seconds)
        self._offset += step
        if self._frozen is not None:
            self._frozen += step

    def follow(self) -> None:
        """Go back to the source's time."""
        self._frozen = None
        self._offset = timedelta()


@dataclass(slots=True)
class Fault:
    """One ordered misbehaviour: what goes wrong, on which calls, how many times.

    `method` and `path` are regular expressions on the request; `after` calls pass first; `count`
    calls then suffer (None: all of them). What `parameters` mean belongs to the kind.
    """

    id: int
    kind: str
    method: str = ".*"
    path: str = ".*"
    after: int = 0
    count: int | None = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is one that this fault was ordered for."""
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))


class Faults:
    """The faults ordered and not yet used up, in the order in which they were ordered."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self.kinds = frozenset(kinds)
        self._ordered: list[Fault] = []
        self._next_id = 1
        self._lock = threading.Lock()

    def inject(self, kind: str, **options: Any) -> Fault:  # noqa: ANN401  # the fields of Fault
        """Order a fault; an unknown kind or option is refused with `BadRequest`."""
        if kind not in self.kinds:
            raise BadRequest(f"unknown fault {kind!r}; known: {', '.join(sorted(self.kinds))}")
        known = {"method", "path", "after", "count", "parameters"}
        if unknown := set(options) - known:
            raise BadRequest(f"unknown option {sorted(unknown)}; known: {sorted(known)}")
        try:
            for pattern in (options.get("method", ""), options.get("path", "")):
                re.compile(pattern)
        except (re.error, TypeError) as error:
            raise BadRequest(f"'method' and 'path' are regular expressions: {error}") from error
        with self._lock:
            fault = Fault(self._next_id, kind, **options)
            self._next_id += 1
            self._ordered.append(fault)
        return fault

    def take(self, method: str, path: str, *kinds: str) -> Fault | None:
        """Return the first ordered fault of these kinds that this request suffers, and use it."""
        with self._lock:
            for fault in self._ordered:
                if fault.kind not in kinds or not fault.matches(method, path):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._ordered.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget every ordered fault."""
        with self._lock:
            self._ordered.clear()

    def listing(self) -> list[dict[str, Any]]:
        """Return what is still ordered, as JSON-ready rows."""
        with self._lock:
            return [
                {
                    "id": fault.id,
                    "kind": fault.kind,
                    "method": fault.method,
                    "path": fault.path,
                    "after": fault.after,
                    "count": fault.count,
                    "parameters": dict(fault.parameters),
                }
                for fault in self._ordered
            ]


class CallCounter:
    """API calls by kind since the last mark; `records` counts rows inside batch calls."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._records: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, kind: str, records: int = 0) -> None:
        """Count one API call, and the records it read or wrote."""
        with self._lock:
            self._calls[kind] += 1
            self._records[kind] += records

    def mark(self) -> None:
        """Start counting from zero."""
        with self._lock:
            self._calls.clear()
            self._records.clear()

    def since_mark(self) -> dict[str, Any]:
        """Return the total, the calls by kind and the records by kind."""
        with self._lock:
            return {
                "total": self._calls.total(),
                "calls": dict(sorted(self._calls.items())),
                "records": {k: n for k, n in sorted(self._records.items()) if n},
            }


def json_response(body: object, status: int = 200) -> Response:
    """Answer with a JSON body; the one way in which `/_sim/` answers."""
    return Response(json.dumps(body), status=status, content_type="application/json")


def json_object(request: Request) -> dict[str, Any]:
    """Return the request's JSON object ({} for an empty body); anything else is a `BadRequest`."""
    raw = request.get_data()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


class ControlPanel:
    """The `/_sim/` routes that mean the same in both simulators.

    | route | does |
    | --- | --- |
    | `GET /_sim/calls`, `POST /_sim/mark` | API calls by kind since the mark; set the mark |
    | `GET, POST, DELETE /_sim/faults` | list, order (`{"kind", "method", "path", "after", "count",
      "parameters"}`), forget |
    | `GET, POST /_sim/clock` | read; `{"now": ISO, "frozen": bool}`, `{"advance": seconds}`,
      `{"follow": true}` |
    """

    def __init__(self, clock: SimulatedClock, fault_kinds: Iterable[str]) -> None:
        self.clock = clock
        self.faults = Faults(fault_kinds)
        self.calls = CallCounter()

    def handle(self, request: Request) -> Response | None:
        """Answer a shared `/_sim/` route, or None when the route is not one of these."""
        match request.path.rstrip("/").removeprefix("/_sim/"):
            case "calls" if request.method == "GET":
                return json_response(self.calls.since_mark())
            case "mark" if request.method == "POST":
                self.calls.mark()
                return json_response({"marked": True})
            case "faults":
                return self._faults(request)
            case "clock":
                if request.method == "POST":
                    self._set_clock(json_object(request))
                return json_response({"now": self.clock.now().isoformat()})
            case _:
                return None

    def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        if request.method == "POST":
            options = json_object(request)
            kind = options.pop("kind", None)
            if not isinstance(kind, str):
                raise BadRequest("name the fault: {'kind': ...}")
            self.faults.inject(kind, **options)
        listing = {"faults": self.faults.listing()}
        return json_response(listing, 201 if request.method == "POST" else 200)

    def _set_clock(self, order: Mapping[str, Any]) -> None:
        match order:
            case {"now": str(text)}:
                try:
                    instant = datetime.fromisoformat(text)
                except ValueError as error:
                    raise BadRequest(f"'now' is an ISO 8601 date and time: {error}") from error
                if instant.tzinfo is None:
                    raise BadRequest("'now' needs a time zone, for example 2026-11-23T10:00:00Z")
                self.clock.set(instant.astimezone(UTC), frozen=bool(order.get("frozen", False)))
            case {"advance": int() | float() as seconds}:
                self.clock.advance(seconds)
            case {"follow": True}:
                self.clock.follow()
            case _:
                raise BadRequest("give 'now', 'advance' (seconds) or 'follow': true")
