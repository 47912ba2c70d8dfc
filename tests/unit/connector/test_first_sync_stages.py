"""The stages of a first synchronization: what they count, and above which shares one stops."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.model import Phase, Run, RunKind, RunState
from connector.planning.first_sync_stages import (
    StageLimits,
    StageNumbers,
    counter,
    current_stage,
    exceeded,
    stage_name,
    stage_numbers,
)

LIMITS = StageLimits(errors=0.1, duplicates=0.2, overwritten=0.3)


def run_with(**numbers: int) -> Run:
    """Return a run in its stages, with so many people in the stage of each size (`s10=7`)."""
    counts = {counter(int(size[1:]), "people"): number for size, number in numbers.items()}
    return Run(
        "r",
        RunKind.FULL,
        RunState.RUNNING,
        0.0,
        phase=Phase.STAGE,
        counts={"salesforce": counts},
    )


def test_the_numbers_of_a_stage_are_those_of_its_size() -> None:
    counts = {
        "salesforce": {
            counter(10, "people"): 9,
            counter(10, "errors"): 3,
            counter(10, "duplicates"): 2,
            counter(10, "overwritten"): 1,
            counter(100, "people"): 77,
        },
        "plezi": {counter(10, "people"): 5},
    }

    assert counter(10, "people") == "stage.10.people"
    assert stage_numbers(counts, 10) == StageNumbers(9, 3, 2, 1)
    assert stage_numbers(counts, 100) == StageNumbers(people=77)
    assert stage_numbers({}, 10) == StageNumbers()


def test_a_stage_stops_above_a_share_of_its_people_and_not_at_it() -> None:
    at = StageNumbers(people=10, errors=1, duplicates=2, overwritten=3)

    assert exceeded(at, LIMITS) == ()
    assert exceeded(replace(at, errors=2), LIMITS) == ("errors",)
    assert exceeded(replace(at, duplicates=3), LIMITS) == ("duplicates",)
    assert exceeded(replace(at, overwritten=4), LIMITS) == ("overwritten",)
    assert exceeded(StageNumbers(10, 9, 9, 9), LIMITS) == ("errors", "duplicates", "overwritten")


def test_a_stage_has_the_name_of_its_size_and_the_last_one_is_all() -> None:
    assert [stage_name(index) for index in range(4)] == ["10", "100", "1000", "all"]


def test_a_run_is_in_the_last_stage_that_has_people() -> None:
    assert current_stage(run_with()) == ""
    assert current_stage(run_with(s10=1)) == "10"
    assert current_stage(run_with(s10=10, s100=3)) == "100"
    assert current_stage(replace(run_with(s10=10, s100=3), phase=Phase.READ)) == "100"


@pytest.mark.parametrize(
    ("phase", "state"),
    [(Phase.STAGE, RunState.DONE), (Phase.RESOLVE, RunState.RUNNING)],
)
def test_after_its_stages_a_run_is_at_all_people(phase: Phase, state: RunState) -> None:
    assert current_stage(replace(run_with(s10=10), phase=phase, state=state)) == "all"
