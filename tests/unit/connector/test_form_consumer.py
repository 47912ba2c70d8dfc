"""What is done next about a hint."""

from __future__ import annotations

import pytest

from connector.deadline import no_deadline
from connector.forms.consumer import FormConsumer, busy_delay, max_busy_retries
from connector.log_events import no_log
from connector.model import ChangeHint, HintedContact, HintResult

HINT = ChangeHint("trace-1", email="a@b.fr")
WORKER_TIMEOUT = 300.0


class Queue:
    """Keeps what was sent, with its delay."""

    def __init__(self) -> None:
        self.sent: list[tuple[ChangeHint, int, int]] = []

    def send(self, hint: ChangeHint, *, busy_retries: int = 0, delay: int = 0) -> None:
        self.sent.append((hint, busy_retries, delay))


class NoHints:
    """Knows of no hint whom it is about."""

    def save(self, trace: str, contact: HintedContact, now: float) -> None:
        pass

    def load(self, trace: str) -> HintedContact | None:  # noqa: ARG002  # a port
        return None

    def delete(self, trace: str) -> None:
        pass


def delays(result: HintResult) -> list[int]:
    """Return the seconds before each new try of a hint that always has the same result."""
    queue = Queue()
    consumer = FormConsumer(
        lambda _: result,
        NoHints(),
        queue,
        no_log,
        worker_timeout=WORKER_TIMEOUT,
        describe_error=lambda _: {},
        clock=lambda: 0.0,
        deadline=no_deadline(),
    )
    waited: list[int] = []
    hint, busy_retries = HINT, 0
    while True:
        processed, back_in = consumer.handle(hint, busy_retries)
        assert processed is result
        if not queue.sent:
            assert back_in == 0
            return waited
        hint, busy_retries, delay = queue.sent.pop()
        assert back_in == delay
        assert (hint.trace_id, hint.email) == (HINT.trace_id, HINT.email)
        waited.append(delay)


def test_an_unreadable_contact_is_read_again_after_5_30_and_120_seconds() -> None:
    assert delays(HintResult.NOT_READABLE) == [5, 30, 120]


def test_a_busy_link_is_tried_after_longer_pauses_until_its_writer_must_be_dead() -> None:
    """A system that is down makes every link busy: 500 forms must not call it 31,000 times."""
    waited = delays(HintResult.BUSY)
    assert waited[:5] == [5, 10, 20, 40, 60]
    assert max(waited) == 60
    assert sum(waited) > WORKER_TIMEOUT
    assert sum(waited) - WORKER_TIMEOUT <= 2 * 60
    assert len(waited) <= 10


@pytest.mark.parametrize("result", [HintResult.RESOLVED, HintResult.NOT_STARTED, HintResult.PAUSED])
def test_a_hint_that_is_done_or_left_to_the_schedule_is_not_sent_again(
    result: HintResult,
) -> None:
    assert delays(result) == []


@pytest.mark.parametrize("timeout", [10.0, 60.0, 300.0, 900.0])
def test_the_last_try_comes_after_any_worker_s_time_out(timeout: float) -> None:
    waited = sum(busy_delay(tries) for tries in range(max_busy_retries(timeout)))
    assert timeout < waited <= timeout + 2 * 60
