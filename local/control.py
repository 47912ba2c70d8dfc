"""The shared part of both simulators: clock, fault injection, call counts and `/_sim/` routes.

A simulator is one WSGI application. The routes under `/_sim/` control the simulation and are never
counted as calls; all other routes belong to the simulated system.
"""

from __future__ import annotations

import json
import re
import threading
import time
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
    """The server time of a simulator: its source plus an offset, or a frozen time."""

    def __init__(self, source: Callable[[], datetime] = wall_clock) -> None:
        self._source = source
        self._offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """Return the simulator's time, aware, in UTC."""
        return self._frozen if self._frozen is not None else self._source() + self._offset

    def set(self, time: datetime, *, frozen: bool) -> None:
        """Set the time; the clock then stands still (`frozen`) or runs."""
        self._frozen = time if frozen else None
        self._offset = time - self._source()

    def advance(self, seconds: float) -> None:
        """Move the time forward (or back, if negative) by seconds, frozen or not."""
        step = timedelta(seconds=seconds)
        self._offset += step
        if self._frozen is not None:
            self._frozen += step

    def follow(self) -> None:
        """Follow the source again, without an offset."""
        self._frozen = None
        self._offset = timedelta()


@dataclass(slots=True)
class Fault:
    """One injected fault: its kind, the calls it applies to, and how many times.

    `method` and `path` are regular expressions on the request. The first `after` matching calls
    pass, then the fault applies to `count` calls (None: to all). `parameters` depend on the kind.
    """

    id: int
    kind: str
    method: str = ".*"
    path: str = ".*"
    after: int = 0
    count: int | None = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, method: str, path: str) -> bool:
        """Return whether the fault applies to a request."""
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))


class Faults:
    """The injected faults that are still active, in the order of their injection."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self.kinds = frozenset(kinds)
        self._active: list[Fault] = []
        self._next_id = 1
        self._lock = threading.Lock()

    def inject(self, kind: str, **options: Any) -> Fault:  # noqa: ANN401  # the fields of Fault
        """Add a fault.

        Raises:
            BadRequest: for an unknown kind or option, or an invalid regular expression.
        """
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
            self._active.append(fault)
        return fault

    def take(
        self,
        method: str,
        path: str,
        *kinds: str,
        applies: Callable[[Fault], bool] = lambda _fault: True,
    ) -> Fault | None:
        """Return the first active fault of these kinds that matches a request; count its use.

        `applies` decides by the parameters of a fault; it is not called with other kinds.
        """
        with self._lock:
            for fault in self._active:
                if fault.kind not in kinds or not fault.matches(method, path):
                    continue
                if not applies(fault):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._active.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._active.clear()

    def listing(self) -> list[dict[str, Any]]:
        """Return the active faults as JSON objects."""
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
                for fault in self._active
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
        """Set all counts to zero."""
        with self._lock:
            self._calls.clear()
            self._records.clear()

    def since_mark(self) -> dict[str, Any]:
        """Return the total, the calls by kind and the records by kind, since the last mark."""
        with self._lock:
            return {
                "total": self._calls.total(),
                "calls": dict(sorted(self._calls.items())),
                "records": {k: n for k, n in sorted(self._records.items()) if n},
            }


class Readings:
    """When each record was in an answer of the API, in seconds since 1970; kept only when wanted.

    A test compares it with the times at which users typed: what the API client could know.
    """

    def __init__(self) -> None:
        self._times: dict[str, list[float]] | None = None
        self._lock = threading.Lock()

    @property
    def are_kept(self) -> bool:
        """Whether readings are noted."""
        return self._times is not None

    def keep(self, *, wanted: bool) -> None:
        """Start with no reading, or stop to keep them."""
        with self._lock:
            self._times = {} if wanted else None

    def note(self, body: str, record: re.Pattern[str]) -> None:
        """Note the records of an answer: the first group of each match is the id of one."""
        if self._times is None:
            return
        ids, now = record.findall(body), time.time()
        with self._lock:
            for each in ids if self._times is not None else ():
                self._times.setdefault(each, []).append(now)

    def listing(self) -> dict[str, list[float]]:
        """Return the times by record id."""
        with self._lock:
            return {record: list(times) for record, times in (self._times or {}).items()}


def json_response(body: object, status: int = 200) -> Response:
    """Return a JSON response; all `/_sim/` routes use it."""
    return Response(json.dumps(body), status=status, content_type="application/json")


def json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request, {} for an empty body.

    Raises:
        BadRequest: when the body is not a JSON object.
    """
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
    """The `/_sim/` routes that both simulators have.

    | route | action |
    | --- | --- |
    | `GET /_sim/calls`, `POST /_sim/mark` | API calls by kind since the mark; set the mark |
    | `GET, POST, DELETE /_sim/faults` | list, inject (`{"kind", "method", "path", "after", "count",
      "parameters"}`), remove |
    | `GET, POST /_sim/clock` | read; `{"now": ISO, "frozen": bool}`, `{"advance": seconds}`,
      `{"follow": true}` |
    | `GET, POST /_sim/readings` | when each record was read; `{"keep": bool}` |
    """

    def __init__(self, clock: SimulatedClock, fault_kinds: Iterable[str]) -> None:
        self.clock = clock
        self.faults = Faults(fault_kinds)
        self.calls = CallCounter()
        self.readings = Readings()

    def handle(self, request: Request) -> Response | None:
        """Handle a shared `/_sim/` route; return None for any other route."""
        match request.path.rstrip("/").removeprefix("/_sim/"):
            case "calls" if request.method == "GET":
                return json_response(self.calls.since_mark())
            case "mark" if request.method == "POST":
                self.calls.mark()
                return json_response({"marked": True})
            case "faults":
                return self._faults(request)
            case "readings":
                if request.method == "POST":
                    self.readings.keep(wanted=json_object(request).get("keep") is True)
                return json_response({"readings": self.readings.listing()})
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
                raise BadRequest("give 'kind', the kind of the fault")
            self.faults.inject(kind, **options)
        listing = {"faults": self.faults.listing()}
        return json_response(listing, 201 if request.method == "POST" else 200)

    def _set_clock(self, body: Mapping[str, Any]) -> None:
        match body:
            case {"now": str(text)}:
                try:
                    time = datetime.fromisoformat(text)
                except ValueError as error:
                    raise BadRequest(f"'now' is an ISO 8601 date and time: {error}") from error
                if time.tzinfo is None:
                    raise BadRequest("'now' needs a time zone, for example 2026-11-23T10:00:00Z")
                self.clock.set(time.astimezone(UTC), frozen=bool(body.get("frozen", False)))
            case {"advance": int() | float() as seconds}:
                self.clock.advance(seconds)
            case {"follow": True}:
                self.clock.follow()
            case _:
                raise BadRequest("give 'now', 'advance' (seconds) or 'follow': true")
