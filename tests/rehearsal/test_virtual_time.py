"""Virtual time: the order of tasks, kills at the time-out, redelivery and dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from local.rehearsal.functions import COLD_START_SECONDS, Context, Function, Invocation, Outcome
from local.rehearsal.kernel import Kernel, Killed
from local.rehearsal.queues import Queue
from local.rehearsal.schedule import next_tick

TIMEOUT = 300.0
VISIBILITY = 330.0
BEGIN = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    found = Kernel()
    yield found
    found.stop()


def run(kernel: Kernel) -> None:
    while kernel.step():
        pass


def function(
    kernel: Kernel, work: Callable[[Any], None], build: Callable[[], Any] = int
) -> Function:
    def handle(_app: object, event: Any, _context: Context) -> dict[str, Any]:
        work(event)
        return {"batchItemFailures": []}

    return Function(kernel, "worker", TIMEOUT, 512, build, handle)


def queue(kernel: Kernel, *, is_fifo: bool = True, concurrency: int = 10) -> Queue:
    return Queue(
        kernel,
        "runs",
        visibility=VISIBILITY,
        max_receives=5,
        concurrency=concurrency,
        is_fifo=is_fifo,
    )


def test_tasks_go_on_in_the_order_of_virtual_time(kernel: Kernel) -> None:
    steps: list[tuple[float, str]] = []

    def task(name: str, pause: float) -> Callable[[], None]:
        def work() -> None:
            for _ in range(3):
                kernel.sleep(pause)
                steps.append((kernel.time, name))

        return work

    kernel.start(task("slow", 2.0), seconds=100)
    kernel.start(task("fast", 1.5), seconds=100)
    run(kernel)

    assert steps == [
        (1.5, "fast"), (2.0, "slow"), (3.0, "fast"), (4.0, "slow"), (4.5, "fast"), (6.0, "slow"),
    ]  # fmt: skip


def test_a_process_is_killed_at_the_time_out_and_stays_killed(kernel: Kernel) -> None:
    seen: list[float] = []

    def work() -> None:
        try:
            kernel.sleep(400)
        except Exception:  # noqa: BLE001  # what a process may catch
            seen.append(-1)
        finally:
            seen.append(kernel.time)
            with pytest.raises(Killed):
                kernel.sleep(0)

    ended: list[Invocation] = []
    worker = function(kernel, lambda _event: work())
    worker.invoke({}, ended.append)
    run(kernel)

    assert seen == [TIMEOUT + COLD_START_SECONDS]
    assert [each.outcome for each in ended] == [Outcome.KILLED]


def test_a_process_stays_warm_unless_it_was_killed_or_waited_too_long(kernel: Kernel) -> None:
    built: list[float] = []

    def build() -> int:
        built.append(kernel.time)
        return len(built)

    worker = function(kernel, kernel.sleep, build)
    for seconds in (1.0, 1.0, 400.0, 1.0):
        worker.invoke(seconds, lambda _ended: None)
        run(kernel)
    kernel.sleep(3600)
    worker.invoke(1.0, lambda _ended: None)
    run(kernel)
    assert [each.cold for each in worker.invocations] == [True, False, False, True, True]
    assert len(built) == 3


def test_the_remaining_time_is_that_of_the_virtual_clock(kernel: Kernel) -> None:
    left: list[int] = []

    def handle(_app: object, _event: Any, context: Context) -> None:
        left.append(context.get_remaining_time_in_millis())
        kernel.sleep(100)
        left.append(context.get_remaining_time_in_millis())

    Function(kernel, "f", TIMEOUT, 512, int, handle).invoke({}, lambda _ended: None)
    run(kernel)
    assert left == [300_000, 200_000]


def test_a_killed_message_is_delivered_five_times_and_then_a_dead_letter(kernel: Kernel) -> None:
    runs = queue(kernel)
    runs.function = function(kernel, lambda _event: kernel.sleep(400))
    runs.send("poison", group="runs", token="1")
    runs.send("next", group="runs", token="2")
    run(kernel)

    starts = [each.started_at for each in runs.function.invocations[:5]]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps == pytest.approx([VISIBILITY] * 4, abs=0.2)
    assert [message.body for message in runs.dead_letters] == ["poison", "next"]


def test_a_group_of_a_fifo_queue_is_worked_on_one_message_at_a_time(kernel: Kernel) -> None:
    order: list[str] = []

    def work(event: Any) -> None:
        kernel.sleep(10)
        order.append(event["Records"][0]["body"])

    runs = queue(kernel)
    runs.function = function(kernel, work)
    for number, group in enumerate(("a", "a", "b")):
        runs.send(f"{group}{number}", group=group, token=str(number))
    run(kernel)

    assert order == ["a0", "b2", "a1"]
    assert runs.is_idle


def test_a_fifo_queue_drops_a_known_token_for_five_minutes(kernel: Kernel) -> None:
    runs = queue(kernel)
    runs.send("one", group="g", token="t")
    kernel.sleep(299)
    runs.send("two", group="g", token="t")
    kernel.sleep(2)
    runs.send("three", group="g", token="t")
    assert [message.body for message in runs.messages] == ["one", "three"]


def test_a_standard_queue_works_on_as_many_messages_as_its_concurrency(kernel: Kernel) -> None:
    running: list[int] = []
    forms = queue(kernel, is_fifo=False, concurrency=5)

    def work(_event: Any) -> None:
        assert forms.function is not None
        running.append(forms.function.running)
        kernel.sleep(10)

    forms.function = function(kernel, work)
    for number in range(12):
        forms.send(str(number))
    run(kernel)
    assert max(running) == 5
    assert len(running) == 12


def test_a_delayed_message_is_delivered_later(kernel: Kernel) -> None:
    forms = queue(kernel, is_fifo=False)
    forms.function = function(kernel, lambda _event: None)
    forms.send("later", delay=30)
    run(kernel)
    assert forms.function.invocations[0].started_at == pytest.approx(30, abs=0.2)


def test_a_message_can_be_delivered_twice(kernel: Kernel) -> None:
    forms = queue(kernel, is_fifo=False)
    forms.faults.duplicate_every = 2
    forms.function = function(kernel, lambda _event: None)
    for number in range(4):
        forms.send(str(number))
    run(kernel)
    assert len(forms.function.invocations) == 6
    assert forms.is_idle


def test_a_message_that_a_response_names_as_failed_comes_back(kernel: Kernel) -> None:
    forms = queue(kernel, is_fifo=False)

    def handle(_app: object, event: Any, _context: Context) -> Any:
        record = event["Records"][0]
        is_first = record["attributes"]["ApproximateReceiveCount"] == "1"
        failures = [{"itemIdentifier": record["messageId"]}] if is_first else []
        return {"batchItemFailures": failures}

    forms.function = Function(kernel, "f", TIMEOUT, 512, int, handle)
    forms.send("form")
    run(kernel)
    assert len(forms.function.invocations) == 2
    assert forms.is_idle


def test_the_expressions_of_the_template_are_ticks() -> None:
    assert next_tick("rate(2 hours)", BEGIN, BEGIN) == BEGIN + timedelta(hours=2)
    later = BEGIN + timedelta(hours=3, minutes=5)
    assert next_tick("rate(2 hours)", BEGIN, later) == BEGIN + timedelta(hours=4)
    sunday = datetime(2026, 11, 29, 3, tzinfo=UTC)
    assert next_tick("cron(0 3 ? * SUN *)", BEGIN, BEGIN) == sunday
    assert next_tick("cron(0 3 ? * SUN *)", BEGIN, sunday) == sunday + timedelta(weeks=1)
    with pytest.raises(ValueError, match="does not know"):
        next_tick("cron(0/5 * * * ? *)", BEGIN, BEGIN)
