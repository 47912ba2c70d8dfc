"""What the admin API shows of a run."""

from __future__ import annotations

import pytest

from connector.admin.runs import run_view
from connector.model import Run, RunKind, RunState

REQUESTED_AT = 1_800_000_000.0


@pytest.mark.parametrize(
    ("started_at", "finished_at", "seconds"),
    [
        (REQUESTED_AT, REQUESTED_AT + 1.5, 1.5),
        (0.0, REQUESTED_AT, 0.0),  # not started: the switch was off
        (REQUESTED_AT, 0.0, 0.0),  # in progress
    ],
)
def test_the_duration_is_that_between_start_and_end(
    started_at: float, finished_at: float, seconds: float
) -> None:
    run = Run("r", RunKind.CHANGES, RunState.DONE, REQUESTED_AT, started_at, finished_at)

    assert run_view(run, 2.0).duration_seconds == seconds
