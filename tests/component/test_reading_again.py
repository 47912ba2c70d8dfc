"""A long run reads both systems again, and begins only what its invocation has the time for."""

from __future__ import annotations

from typing import Final

import pytest

from connector.model import Phase, RunKind, RunState
from connector.sync.run_work import READ_AGAIN_SECONDS, READING_SECONDS
from tests.component.harness import Harness

PEOPLE: Final = 20


@pytest.mark.parametrize(
    ("seconds_left", "reads_again"), [(READING_SECONDS - 1, False), (READING_SECONDS + 60, True)]
)
def test_a_reading_that_its_invocation_may_not_end_is_left_to_the_next_one(
    harness: Harness, seconds_left: float, *, reads_again: bool
) -> None:
    harness.sync()
    harness.control("salesforce", "POST", "load", {"leads": PEOPLE})
    run_id = harness.run_requester.request_run(RunKind.CHANGES)
    phase = Phase.READ
    while phase is not Phase.WRITE_PLEZI:
        assert harness.engine.run_phase(run_id, phase, lambda: True) is RunState.RUNNING
        phase = harness.queued_phase()
    harness.let_pass(READ_AGAIN_SECONDS + 1)
    harness.mark()
    harness.context.deadline.start(remaining=seconds_left + 60, budget=seconds_left)

    state = harness.engine.run_phase(run_id, phase, lambda: False)

    calls = harness.calls("plezi")["calls"]
    assert calls["create"] == PEOPLE if reads_again else 0 < calls["create"] < PEOPLE
    searches = calls["create"]  # one before each creation
    assert (calls["list"] > searches) is reads_again
    assert state is (RunState.DONE if reads_again else RunState.RUNNING)
    if not reads_again:
        assert harness.queued_phase() is Phase.READ
