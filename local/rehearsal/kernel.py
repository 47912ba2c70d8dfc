"""Virtual time: several invocations at once, of which one runs at a time, in the order of time.

A discrete-event simulation. Each task has a thread of its own; it runs until it sleeps on the
virtual clock, and then the task (or event) with the earliest time goes on. The order depends on
times and on the order of their requests only, so that a rehearsal repeats exactly.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Final

EPOCH: Final = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""When a rehearsal begins: a Monday morning."""
STACK_BYTES: Final = 1024 * 1024


class Killed(BaseException):  # no error of the program
    """AWS stops the process here. A `BaseException`: `except Exception` must not catch it."""


class WorldStoppedError(BaseException):
    """The rehearsal is over; tasks that still wait end without a trace."""


class Task:
    """One invocation in its own thread, which may be killed at a virtual time."""

    def __init__(self, kernel: Kernel, work: Callable[[], None], kill_at: float) -> None:
        self._kernel = kernel
        self._work = work
        self.kill_at = kill_at
        self.is_killed = False
        self._turn = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._is_started = False
        self.is_done = False

    def _run(self) -> None:
        self._turn.acquire()
        try:
            if not self._kernel.is_stopped:
                self._work()
        except WorldStoppedError:
            pass
        finally:
            self.is_done = True
            self._kernel.hand_back()

    def resume(self) -> None:
        """Let the task run until it sleeps or ends; called by the kernel."""
        if not self._is_started:
            self._is_started = True
            self._thread.start()
        self._turn.release()

    def wait(self) -> None:
        """Give the turn back to the kernel until this task is resumed."""
        self._kernel.hand_back()
        self._turn.acquire()
        if self._kernel.is_stopped:
            raise WorldStoppedError


class Kernel:
    """The virtual clock and everything that waits for a time on it. Times are seconds of `EPOCH`.

    `error` is the first exception that an event or task raised; it ends the rehearsal.
    """

    def __init__(self) -> None:
        self.time = 0.0
        self.is_stopped = False
        self._order = count()
        self._queue: list[tuple[float, int, Callable[[], None] | Task]] = []
        self._current: Task | None = None
        self._back = threading.Semaphore(0)
        self._waiting: set[Task] = set()

    def now(self) -> float:
        """Return the virtual time in seconds since 1970."""
        return EPOCH.timestamp() + self.time

    def datetime(self) -> datetime:
        """Return the virtual time, aware, in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def at(self, time: float, event: Callable[[], None]) -> None:
        """Call an event at a time; it must not sleep."""
        heapq.heappush(self._queue, (max(time, self.time), next(self._order), event))

    def start(self, work: Callable[[], None], *, seconds: float) -> Task:
        """Start a task now; it is killed after some seconds."""
        task = Task(self, work, self.time + seconds)
        self._push(task, self.time)
        return task

    def _push(self, task: Task, time: float) -> None:
        self._waiting.add(task)
        heapq.heappush(self._queue, (time, next(self._order), task))

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass for the task that runs, or for the world when none runs.

        Raises `Killed` when AWS stops the task's process before the time has passed, and at every
        later call of a process that was stopped.
        """
        task = self._current
        if task is None:
            self.time += seconds
            return
        if task.is_killed:
            raise Killed
        end = self.time + max(0.0, seconds)
        wake = min(end, task.kill_at)
        if self._queue and self._queue[0][0] <= wake:
            self._push(task, wake)
            task.wait()
        else:
            self.time = wake
        if end >= task.kill_at:
            task.is_killed = True
            raise Killed

    def hand_back(self) -> None:
        """Give the turn to the kernel; called by a task that sleeps or ends."""
        self._back.release()

    def step(self) -> bool:
        """Go on with what has the earliest time; return False when nothing waits."""
        if not self._queue:
            return False
        time, _, due = heapq.heappop(self._queue)
        self.time = max(self.time, time)
        if not isinstance(due, Task):
            due()
            return True
        self._waiting.discard(due)
        self._current = due
        due.resume()
        self._back.acquire()
        self._current = None
        return True

    def stop(self) -> None:
        """End every task that still waits, so that no thread is left."""
        self.is_stopped = True
        self._queue.clear()
        for task in list(self._waiting):
            self._current = task
            task.resume()
            self._back.acquire()
        self._waiting.clear()
        self._current = None
