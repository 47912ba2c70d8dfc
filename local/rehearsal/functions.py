"""An imitation of Lambda: processes that start cold, stay warm, and are stopped at the time-out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from local.rehearsal.kernel import Kernel, Killed, Task

COLD_START_SECONDS: Final = 1.0
"""Assumed: what a cold start takes before the handler begins (docs/benchmarks.md measures less
than that for the imports alone)."""
WARM_SECONDS: Final = 600.0
"""Assumed: for how long Lambda keeps a process that waits; AWS publishes no number."""
MIB_OF_GIB: Final = 1024


class Outcome(StrEnum):
    """How an invocation ended."""

    DONE = "done"
    ERROR = "error"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation that ended; times are virtual seconds."""

    function: str
    started_at: float
    ended_at: float
    outcome: Outcome
    cold: bool
    result: Any = None
    error: str = ""


@dataclass(slots=True)
class _Process:
    """One process of a function: what it built at its start, and since when it waits."""

    app: Any
    idle_since: float = 0.0


class Context(LambdaContext):
    """What Lambda passes to a handler: the remaining time is that of the virtual clock."""

    def __init__(self, kernel: Kernel, name: str, memory: int, number: int, end: float) -> None:
        self._kernel = kernel
        self._end = end
        self._function_name = name
        self._memory_limit_in_mb = memory
        self._invoked_function_arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
        self._aws_request_id = f"00000000-0000-4000-8000-{number:012d}"

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # Powertools has it static
        """Return the remaining virtual time in milliseconds."""
        return max(0, int((self._end - self._kernel.time) * 1000))


Handler = Callable[[Any, Any, Context], Any]
"""Takes what the process built, the event and the context; returns the response."""


@dataclass(slots=True)
class Function:
    """One function: `build` makes what a new process needs, `handle` works on one event.

    Every invocation that ended is in `invocations`; its process is kept for the next one unless it
    was killed.
    """

    kernel: Kernel
    name: str
    timeout: float
    memory_mb: int
    build: Callable[[], Any]
    handle: Handler
    invocations: list[Invocation] = field(default_factory=list)
    running: int = 0
    _processes: list[_Process] = field(default_factory=list)
    _started: int = 0

    def invoke(self, event: Any, on_end: Callable[[Invocation], None]) -> Task:  # noqa: ANN401  # any event
        """Start an invocation; `on_end` is called when it ended, in whatever way."""
        self.running += 1
        self._started += 1
        number, started_at = self._started, self.kernel.time
        process = self._warm_process()
        timeout = self.timeout + (0.0 if process is not None else COLD_START_SECONDS)

        def work() -> None:
            outcome, result, error = Outcome.DONE, None, ""
            own = process
            try:
                if own is None:
                    self.kernel.sleep(COLD_START_SECONDS)
                    own = _Process(self.build())
                end = started_at + timeout
                context = Context(self.kernel, self.name, self.memory_mb, number, end)
                result = self.handle(own.app, event, context)
            except Killed:
                outcome, own = Outcome.KILLED, None
            except Exception as raised:  # noqa: BLE001  # Lambda reports any error to the queue
                outcome, error = Outcome.ERROR, f"{type(raised).__name__}: {raised}"
            self.running -= 1
            if own is not None:
                own.idle_since = self.kernel.time
                self._processes.append(own)
            ended = Invocation(
                self.name, started_at, self.kernel.time, outcome, process is None, result, error
            )
            self.invocations.append(ended)
            on_end(ended)

        return self.kernel.start(work, seconds=timeout)

    def _warm_process(self) -> _Process | None:
        """Return the process that was used last, if Lambda still has it."""
        oldest = self.kernel.time - WARM_SECONDS
        self._processes = [each for each in self._processes if each.idle_since >= oldest]
        return self._processes.pop() if self._processes else None

    def forget_processes(self) -> None:
        """Stop every process that waits: the next invocation starts cold."""
        self._processes.clear()

    @property
    def kills(self) -> int:
        """How many invocations were stopped at the time-out."""
        return sum(each.outcome is Outcome.KILLED for each in self.invocations)

    @property
    def gigabyte_seconds(self) -> float:
        """The memory time that AWS bills."""
        seconds = sum(each.ended_at - each.started_at for each in self.invocations)
        return seconds * self.memory_mb / MIB_OF_GIB
