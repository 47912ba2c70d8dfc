"""The tenant's rate of calls, shared by all functions: a call waits for its slot.

Slots are reserved in a store that all functions share. A process that calls without pauses reserves
the slots of about two seconds at a time: one write to the store for many calls. A process that
pauses between its calls reserves one slot at a time: a slot that nobody uses is lost for everybody.

Clocks of functions may differ by milliseconds (AWS synchronizes them). A process whose clock is
ahead uses a slot earlier, and one whose clock is behind later, by that difference: within it, calls
may be closer together than the rate. The number of slots in any longer time stays right, because
the next free slot never moves back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from connector.deadline import MIN_CALL_SECONDS, Deadline, DeadlineError
from connector.errors import RetryError, StopReason
from connector.stores import SlotStore

RESERVATION_SECONDS: Final = 2.0
"""The slots of one reservation cover this time at most: another function, such as the receiver of a
form, waits behind a busy run for no longer than this."""
LONGEST_CLOSURE: Final = 30.0
"""Seconds. A process does not wait for a server that refuses all calls for longer than this."""
MOST_POSTPONED: Final = 600.0
"""Seconds for which an answer of the server stops all functions at most: after them a call asks for
its advice again. It must be shorter than the queue that the store takes for a wrong clock."""


class NoSlotError(RetryError):
    """No call may be made now, and nothing was sent: Plezi refuses calls, or the store is away."""


class RateLimiter:
    """Keeps the allowed number of calls a second (0: no limit) over all functions together.

    `clock` returns seconds since 1970, `sleep` waits for seconds.
    """

    def __init__(
        self,
        per_second: float,
        slots: SlotStore,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        deadline: Deadline,
    ) -> None:
        self.gap = 1 / per_second if per_second else 0.0
        self._most = max(1, int(RESERVATION_SECONDS * per_second))
        self._store = slots
        self._clock = clock
        self._sleep = sleep
        self._deadline = deadline
        self._slots: deque[float] = deque()
        self._steady_calls = 0
        self._called_at = 0.0

    def acquire(self) -> None:
        """Wait until the next call is allowed.

        Raises `DeadlineError` when the invocation ends before that, and `NoSlotError` when no slot
        can be had. Nothing may be sent then.
        """
        if not self.gap:
            return
        is_steady = 0 <= self._clock() - self._called_at <= self.gap
        self._steady_calls = self._steady_calls + 1 if is_steady else 0
        while True:
            slot = self._next_slot()
            wait = slot - self._clock()
            if wait > 0:
                if not self._deadline.allows(wait + MIN_CALL_SECONDS):
                    self._slots.clear()
                    raise DeadlineError("the next call to Plezi is allowed too late")
                self._sleep(wait)
            self._called_at = self._clock()
            self._slots.popleft()
            if self._called_at - slot <= self.gap:
                return

    def postpone(self, seconds: float) -> None:
        """Let no function call for some seconds: Plezi said so. Slots in hand lapse.

        A process that has reserved slots uses those of the next two seconds at most.
        """
        if self.gap:
            self._slots.clear()
            self._store.postpone_slots(self._clock() + min(seconds, MOST_POSTPONED))

    def _next_slot(self) -> float:
        """Return the first slot that is not more than one gap late; reserve slots if none is."""
        now = self._clock()
        while self._slots and now - self._slots[0] > self.gap:
            self._slots.popleft()
        if not self._slots:
            number = min(max(1, self._steady_calls), self._most)
            try:
                reserved = self._store.reserve_slots(now, number, self.gap)
            except RetryError as error:
                raise NoSlotError(str(error), reason=error.reason, after=error.after) from error
            closed = reserved.closed_until - now
            if closed > LONGEST_CLOSURE:
                raise NoSlotError(
                    f"Plezi accepts no call for {closed:.0f} s",
                    reason=StopReason.PLEZI_UNAVAILABLE,
                    after=closed,
                )
            self._slots.extend(reserved.start + each * self.gap for each in range(number))
        return self._slots[0]
