"""Bad luck: the process dies, or somebody types, at the n-th thing that touches the world."""

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
     "current", "version", "suspended_pairs", "applied_version", "calls_since", "list_runs", "emails_needing_attention"}
)  # fmt: skip
"""Calls of ports that change nothing: dying before or after one is the same."""


AT_FIRST_PUT: Final = -100
"""To die before the first put of links: what was read is not durable yet."""


REFUSED: Final = "a put is refused: somebody else was quicker"


class Crash(BaseException):
    """The process died here. No `except Exception` of ours may see it, as no code runs after it."""


class Trace:
    """All that happened, in order; its hash says whether two histories were the same."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Add one thing that happened."""
        self.lines.append(line)

    def hash(self) -> str:
        """Return the hash of everything that happened."""
        return sha256("\n".join(self.lines).encode()).hexdigest()


class FaultInjector:
    """Counts the steps of one invocation and strikes at the one that was chosen.

    `die_at`: the process dies at this step (0: never), before or after it; -n: just after its n-th
    write to a side. `meanwhile` is what people do, by step: it happens between two steps of the
    run.
    """

    def __init__(self, trace: Trace, struck: Counter[str] | None = None) -> None:
        self.trace = trace
        self.steps = 0
        self.writes = 0
        self.die_at = 0
        self.die_after = False
        self.meanwhile: dict[int, Callable[[], None]] = {}
        self.dead = False
        self.struck = Counter[str]() if struck is None else struck

    def invocation(
        self,
        *,
        die_at: int = 0,
        die_after: bool = False,
        meanwhile: Mapping[int, Callable[[], None]] | None = None,
    ) -> None:
        """Begin a new invocation, with its own fate."""
        self.steps, self.writes, self.dead = 0, 0, False
        self.die_at, self.die_after = die_at, die_after
        self.meanwhile = dict(meanwhile or {})

    def call(self, what: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401  # whatever it answers
        """Make a call that touches the world, unless the process is dead or dies here."""
        self._alive()
        self.steps += 1
        here = self.steps
        if (happens := self.meanwhile.pop(here, None)) is not None:
            happens()
        if self.die_at == AT_FIRST_PUT and what == "ledger.save_links":
            self._die(f"before {what}")
        if self.die_at == here and not self.die_after:
            self._die(f"before {what}")
        self.trace.add(what)
        self.writes += is_write(what)
        answer = call()
        if what == "ledger.save_links" and answer:
            self.struck[REFUSED] += 1
        if self.die_at == here or (is_write(what) and self.die_at == -self.writes):
            self._die(f"after {what}")
        return answer

    def _alive(self) -> None:
        if self.dead:
            raise Crash

    def _die(self, where: str) -> None:
        self.dead = True
        self.struck[where] += 1
        self.trace.add(f"the process dies {where}")
        raise Crash


def is_write(what: str) -> bool:
    """Whether a step is a call that writes to a side."""
    name, _, rest = what.partition(" ")
    method, _, path = rest.partition(" ")
    if name not in ("plezi", "salesforce") or method == "GET":
        return False
    return method != "POST" or path.endswith("/contacts") or "composite/sobjects" in path


class FaultyPort:
    """A port whose every call that changes something goes through luck."""

    def __init__(self, port: Any, name: str, luck: FaultInjector) -> None:  # noqa: ANN401  # any port
        self._port = port
        self._name = name
        self._luck = luck

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # as the port's
        method = getattr(self._port, name)
        if name in READS or not callable(method):
            return method
        luck, what = self._luck, f"{self._name}.{name}"

        def tapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as the port's
            return luck.call(what, lambda: method(*args, **kwargs))

        return tapped


class FaultyHttpAdapter(BaseAdapter):
    """A transport whose every request goes through luck; `heard` sees request and answer."""

    def __init__(
        self,
        inner: BaseAdapter,
        name: str,
        luck: FaultInjector,
        watch: Callable[[PreparedRequest, Callable[[], Response]], Response],
    ) -> None:
        super().__init__()
        self._inner = inner
        self._name = name
        self._luck = luck
        self._watch = watch

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]  # noqa: ANN401  # as requests
        """Send one request."""
        path = (request.url or "").partition("://")[2].partition("/")[2].partition("?")[0]
        what = f"{self._name} {request.method} /{path}"
        answer: Response = self._luck.call(
            what, lambda: self._watch(request, lambda: self._inner.send(request, **options))
        )
        return answer

    def close(self) -> None:
        """Nothing is held open."""
