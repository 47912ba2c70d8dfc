"""Fault injection: at a chosen step, the process crashes or a user acts.

A step is a call of a port that changes something, or an HTTP request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

READS: Final = frozenset(
    {"load_links", "owner_emails", "dirty_emails", "load_cursor", "load_run", "is_enabled",
     "breaker", "load_session", "load_document", "clearing_allowed_until",
     "current", "version", "suspended_pairs", "applied_version", "calls_since", "list_runs",
     "emails_needing_attention", "load_work", "open_work", "scratch", "all_emails"}
)  # fmt: skip
"""Calls of ports that change nothing: a crash before one equals a crash after it."""


AT_FIRST_PUT: Final = -100
"""Crash before the first put of links: the records that were read are not stored yet."""


PUT_REFUSED: Final = "a put is refused: another writer changed the link"


class Crash(BaseException):
    """The process crashes here. A `BaseException`: `except Exception` must not catch it."""


class Trace:
    """All steps of a history in order; two histories are equal if their hashes are equal."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Add one step."""
        self.lines.append(line)

    def hash(self) -> str:
        """Return the hash of all steps."""
        return sha256("\n".join(self.lines).encode()).hexdigest()


class FaultInjector:
    """Counts the steps of one invocation and injects faults at chosen steps.

    `die_at`: the process crashes at this step (0: never), before it or, with `crash_after`, after
    it; -n: just after its n-th write to a side. `user_actions` are called before the step with this
    number. `injected` counts the injected faults by name.
    """

    def __init__(self, trace: Trace, injected: Counter[str] | None = None) -> None:
        self.trace = trace
        self.steps = 0
        self.writes = 0
        self.crash_at = 0
        self.crash_after = False
        self.user_actions: dict[int, Callable[[], None]] = {}
        self.has_crashed = False
        self.injected = Counter[str]() if injected is None else injected

    def invocation(
        self,
        *,
        crash_at: int = 0,
        crash_after: bool = False,
        user_actions: Mapping[int, Callable[[], None]] | None = None,
    ) -> None:
        """Start a new invocation with its own faults."""
        self.steps, self.writes, self.has_crashed = 0, 0, False
        self.crash_at, self.crash_after = crash_at, crash_after
        self.user_actions = dict(user_actions or {})

    def call(self, step: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401  # as the call
        """Make a call that is a step. Raises `Crash` if the process crashes here or has crashed."""
        self._raise_if_crashed()
        self.steps += 1
        number = self.steps
        if (act := self.user_actions.pop(number, None)) is not None:
            act()
        if self.crash_at == AT_FIRST_PUT and step == "ledger.save_links":
            self._crash(f"before {step}")
        if self.crash_at == number and not self.crash_after:
            self._crash(f"before {step}")
        self.trace.add(step)
        self.writes += is_write(step)
        result = call()
        if step == "ledger.save_links" and result:
            self.injected[PUT_REFUSED] += 1
        if self.crash_at == number or (is_write(step) and self.crash_at == -self.writes):
            self._crash(f"after {step}")
        return result

    def _raise_if_crashed(self) -> None:
        if self.has_crashed:
            raise Crash

    def _crash(self, where: str) -> None:
        self.has_crashed = True
        self.injected[where] += 1
        self.trace.add(f"the process crashes {where}")
        raise Crash


def is_write(step: str) -> bool:
    """Return whether a step is a call that writes to a side."""
    name, _, rest = step.partition(" ")
    method, _, path = rest.partition(" ")
    if name not in ("plezi", "salesforce") or method == "GET":
        return False
    return method != "POST" or path.endswith("/contacts") or "composite/sobjects" in path


class FaultyPort:
    """A port; each call that changes something passes the fault injector."""

    def __init__(self, port: Any, name: str, injector: FaultInjector) -> None:  # noqa: ANN401  # any port
        self._port = port
        self._name = name
        self._injector = injector

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # as the port's
        method = getattr(self._port, name)
        if name in READS or not callable(method):
            return method
        injector, step = self._injector, f"{self._name}.{name}"

        def call_as_step(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as the port's
            return injector.call(step, lambda: method(*args, **kwargs))

        return call_as_step


class FaultyHttpAdapter(BaseAdapter):
    """A transport: each request passes the fault injector, then `watch`, which sends it."""

    def __init__(
        self,
        inner: BaseAdapter,
        name: str,
        injector: FaultInjector,
        watch: Callable[[PreparedRequest, Callable[[], Response]], Response],
    ) -> None:
        super().__init__()
        self._inner = inner
        self._name = name
        self._injector = injector
        self._watch = watch

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]  # noqa: ANN401  # as requests
        """Send one request."""
        path = (request.url or "").partition("://")[2].partition("/")[2].partition("?")[0]
        step = f"{self._name} {request.method} /{path}"
        response: Response = self._injector.call(
            step, lambda: self._watch(request, lambda: self._inner.send(request, **options))
        )
        return response

    def close(self) -> None:
        """Do nothing: no connection is open."""
