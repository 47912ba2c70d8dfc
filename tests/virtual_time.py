"""Several processes on one virtual clock: real code that waits takes no time of ours."""

from __future__ import annotations

import threading
from collections.abc import Callable


class VirtualTime:
    """Runs processes in turns: the one whose pause ends first continues, and the clock jumps there.

    Each process is a thread, and only one runs at a time, so that a run is the same each time.
    """

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.now = start
        self._turn = threading.Condition()
        self._wakes: dict[int, tuple[float, int]] = {}
        self._sequence = 0
        self._running = -1
        self._errors: list[BaseException] = []

    def clock(self) -> float:
        """Return the time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pause the calling process."""
        with self._turn:
            me = self._running
            self._schedule(me, self.now + max(0.0, seconds))
            self._next()
            self._turn.wait_for(lambda: self._running == me)

    def run(self, *processes: Callable[[], object]) -> None:
        """Run processes until all have ended; raise the first error of one."""
        threads = [
            threading.Thread(target=self._run, args=(number, process), daemon=True)
            for number, process in enumerate(processes)
        ]
        self._errors.clear()
        with self._turn:
            for number in range(len(processes)):
                self._schedule(number, self.now)
            for thread in threads:
                thread.start()
            self._next()
            self._turn.wait_for(lambda: not self._wakes and self._running == -1)
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _run(self, number: int, process: Callable[[], object]) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._running == number)
        try:
            process()
        except BaseException as error:  # noqa: BLE001  # raised again in the test
            self._errors.append(error)
        with self._turn:
            self._next()

    def _schedule(self, process: int, at: float) -> None:
        self._sequence += 1
        self._wakes[process] = (at, self._sequence)

    def _next(self) -> None:
        """Let the process continue whose pause ends first."""
        self._running = min(self._wakes, key=lambda each: self._wakes[each], default=-1)
        if self._running >= 0:
            at, _ = self._wakes.pop(self._running)
            self.now = max(self.now, at)
        self._turn.notify_all()
