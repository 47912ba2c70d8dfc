"""The stages of a first synchronization in one run: begun, checked one by one, ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError, StopReason
from connector.first_sync import FirstSync, load_first_sync, save_first_sync
from connector.log_events import Event
from connector.model import Breaker, Counts, Cursor, RecordKind, Run, RunKind
from connector.planning.first_sync_stages import StageNumbers
from connector.sync.first_sync_work import FirstSyncWork
from connector.sync.resolve_phase import StageEnd
from tests.unit.connector.sync_fixtures import SyncSetup, always, never
from tests.unit.connector.sync_fixtures_limits import RUNNING, VERSION, limited
from tests.unit.connector.sync_fixtures_stores import NOW

ALL: Final = 3
"""The number of the last stage: all people."""
CALM: Final = StageNumbers(people=10, errors=1, duplicates=2, overwritten=3)
"""Each number is at its limit: 10, 20 and 30 percent of the people."""
OTHER_KINDS: Final = sorted(set(RunKind) - {RunKind.CHANGES, RunKind.FULL})


class Stages:
    """Resolves stages as a script says; keeps their sizes. Stands for `ResolvePhase`."""

    def __init__(
        self, *ends: StageEnd, people: int = 11, numbers: Sequence[StageNumbers] = ()
    ) -> None:
        self._ends = list(ends)
        self._people = people
        self._numbers = list(numbers)
        self.sizes: list[int] = []
        self.ended = 0

    def has_more_people_than(self, number: int) -> bool:
        return self._people > number

    def resolve_stage(self, size: int, out_of_time: Callable[[], bool]) -> StageEnd:
        out_of_time()
        self.sizes.append(size)
        return self._ends.pop(0)

    def end_stage(self) -> StageNumbers:
        self.ended += 1
        return self._numbers.pop(0) if self._numbers else CALM


def setup_at(state: FirstSync | None) -> SyncSetup:
    setup = limited()
    if state is not None:
        save_first_sync(setup.ledger, state)
    return setup


def work_of(setup: SyncSetup, run: Run = RUNNING) -> FirstSyncWork:
    return FirstSyncWork(setup.context, run)


def state_of(setup: SyncSetup) -> FirstSync | None:
    return load_first_sync(setup.ledger)


def work(setup: SyncSetup, stages: Any, is_over: Callable[[], bool] = never) -> bool:
    return work_of(setup).work(stages, is_over)


# Begin


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (None, {}, FirstSync()),
        (FirstSync(2), {}, FirstSync(2)),
        (None, {"first": True}, FirstSync(run_id="r1")),
        (FirstSync(ALL, done=True), {"first": True}, FirstSync(run_id="r1")),
        (FirstSync(2, run_id="r0"), {"first": True}, FirstSync(run_id="r1")),
        (FirstSync(2, run_id="r1"), {"first": True}, FirstSync(2, run_id="r1")),
        (None, {"skip_stages": True}, FirstSync(ALL)),
        (FirstSync(1, run_id="r0"), {"skip_stages": True}, FirstSync(ALL, run_id="r0")),
        (FirstSync(1, done=True), {"skip_stages": True}, FirstSync(1, done=True)),
        (None, {"first": True, "skip_stages": True}, FirstSync(ALL, run_id="r1")),
    ],
)
@pytest.mark.parametrize("kind", [RunKind.CHANGES, RunKind.FULL])
def test_a_run_of_all_people_begins_the_stages_that_are_left(
    before: FirstSync | None, changes: dict[str, Any], after: FirstSync, kind: RunKind
) -> None:
    setup = setup_at(before)

    work_of(setup, replace(RUNNING, kind=kind, **changes)).begin()

    assert state_of(setup) == after


def test_a_ledger_that_is_older_than_the_stages_has_none() -> None:
    setup = setup_at(None)
    setup.store_run(RUNNING)
    for kind in RecordKind:
        setup.ledger.checkpoint(Cursor(kind, applied_version=VERSION), "r1", Counts())

    work_of(setup).begin()

    assert state_of(setup) == FirstSync(ALL, done=True)


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_runs_of_other_kinds_have_no_stages(kind: RunKind) -> None:
    setup = setup_at(None)
    staged, resolved = setup_at(FirstSync(1)), setup_at(FirstSync(ALL))
    run = replace(RUNNING, kind=kind, first=True, skip_stages=True)

    work_of(setup, run).begin()
    work_of(staged, run).begin()
    work_of(resolved, run).end()

    assert state_of(setup) is None
    assert state_of(staged) == FirstSync(1)
    assert work_of(staged, run).are_due() is False
    assert state_of(resolved) == FirstSync(ALL)


@pytest.mark.parametrize(
    ("state", "are_due"),
    [
        (None, False),
        (FirstSync(), True),
        (FirstSync(2), True),
        (FirstSync(ALL), False),
        (FirstSync(1, done=True), False),
    ],
)
def test_a_stage_is_due_while_some_are_left(state: FirstSync | None, *, are_due: bool) -> None:
    assert work_of(setup_at(state)).are_due() is are_due


# Work


def test_stages_of_10_100_and_1000_people_come_one_after_the_other() -> None:
    setup, stages = setup_at(FirstSync(run_id="r1")), Stages(*[StageEnd.FULL] * 3)

    assert work(setup, stages) is True

    assert (stages.sizes, stages.ended) == ([10, 100, 1000], 3)
    assert state_of(setup) == FirstSync(ALL, run_id="r1")
    assert setup.ledger.breaker() is None


@pytest.mark.parametrize("state", [None, FirstSync()])
def test_ten_people_or_fewer_are_no_stage(state: FirstSync | None) -> None:
    setup, stages = setup_at(state), Stages(people=10)

    assert work(setup, stages) is True
    assert (stages.sizes, state_of(setup)) == ([], FirstSync(ALL))


def test_a_later_stage_is_resolved_however_few_people_are_left() -> None:
    setup, stages = setup_at(FirstSync(1)), Stages(StageEnd.FULL, StageEnd.FULL, people=1)

    assert work(setup, stages) is True
    assert stages.sizes == [100, 1000]


def test_a_stage_with_too_few_people_is_the_last_one_and_is_not_checked() -> None:
    setup = setup_at(None)
    many_errors = [CALM, StageNumbers(people=1, errors=1)]
    stages = Stages(StageEnd.FULL, StageEnd.NOBODY_LEFT, numbers=many_errors)

    assert work(setup, stages) is True
    assert (stages.sizes, state_of(setup)) == ([10, 100], FirstSync(ALL))


def test_a_stage_that_runs_out_of_time_is_continued_and_checked_when_it_is_full() -> None:
    setup = setup_at(FirstSync(1))
    stages = Stages(StageEnd.OUT_OF_TIME, numbers=[StageNumbers(people=1, errors=1)])

    assert work(setup, stages) is False
    assert (stages.sizes, stages.ended, state_of(setup)) == ([100], 1, FirstSync(1))


def test_the_next_stage_is_left_to_the_next_invocation_when_the_time_is_over() -> None:
    setup, stages = setup_at(None), Stages(StageEnd.FULL)

    assert work(setup, stages, always) is False
    assert (stages.sizes, state_of(setup)) == ([10], FirstSync(1))


def test_after_the_last_stage_no_time_is_needed() -> None:
    setup, stages = setup_at(FirstSync(2)), Stages(StageEnd.FULL)

    assert work(setup, stages, always) is True
    assert state_of(setup) == FirstSync(ALL)


def message(people: int, found: str) -> str:
    return (
        f"The first synchronization stopped after its stage of {people} people: {found}. All "
        "others are unchanged, and nothing is lost. When the cause is corrected: POST "
        '/admin/breaker/release with {"intended": false}; the next run repeats the stage with '
        'other people. To go on with the next stage as it is: {"intended": true}. To leave out all '
        'other stages after that: POST /sync with {"skip_stages": true}.'
    )


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        (
            replace(CALM, errors=2),
            "2 are in quarantine (GET /admin/attention?kind=quarantine), more than 10%",
        ),
        (
            replace(CALM, duplicates=3),
            "3 have several Leads (GET /admin/attention?kind=duplicate), more than 20%",
        ),
        (
            StageNumbers(people=10, errors=2, duplicates=3, overwritten=4),
            (
                "2 are in quarantine (GET /admin/attention?kind=quarantine), more than 10%; "
                "3 have several Leads (GET /admin/attention?kind=duplicate), more than 20%; "
                "typed values of 4 were overwritten (GET /admin/runs/r1), more than 30%"
            ),
        ),
    ],
)
def test_a_stage_above_a_limit_stops_the_run_and_opens_the_breaker(
    numbers: StageNumbers, found: str
) -> None:
    setup, stages = setup_at(FirstSync()), Stages(StageEnd.FULL, numbers=[numbers])

    with pytest.raises(HaltError) as caught:
        work(setup, stages)

    text = message(10, found)
    assert (caught.value.reason, str(caught.value)) == (StopReason.FIRST_SYNC, text)
    assert setup.ledger.breaker() == Breaker(StopReason.FIRST_SYNC, text, NOW)
    assert setup.log.of(Event.breaker_opened) == [{"run_id": "r1", "reason": "first_sync"}]
    assert state_of(setup) == FirstSync()


# End


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, None),
        (FirstSync(2), FirstSync(2)),
        (FirstSync(ALL, run_id="r0"), FirstSync(ALL, done=True, run_id="r0")),
        (FirstSync(1, done=True), FirstSync(1, done=True)),
    ],
)
def test_the_first_synchronization_is_complete_when_a_run_after_its_stages_is_done(
    before: FirstSync | None, after: FirstSync | None
) -> None:
    setup = setup_at(before)

    work_of(setup).end()

    assert state_of(setup) == after
