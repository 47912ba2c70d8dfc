"""Seeded histories of the whole system, and planted bugs that show that the histories can fail."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from connector.model import Counts
from connector.planning.plan import Plan
from connector.sync.resolve_unit import UnitResolver, UnitResult
from local.world.both_sides import BothSides
from tests.simulation.bugs import BUGS
from tests.simulation.bugs.planting import Bug, replace_function, search
from tests.simulation.history.events import draw
from tests.simulation.history.history import run_history
from tests.simulation.history.ports import dynamodb
from tests.simulation.reliability_tables import FAULTS, INVARIANTS, document

BATCHES = 4
BATCH_SIZE = 15
ON_DYNAMODB = 4
"""Histories that also run on DynamoDB's tables; `make simulate LEDGER=dynamodb` runs more."""
MAX_HISTORIES = 40
QUICKLY_FOUND = (
    "base recorded before the write",
    "newest timestamp wins",
    "base recorded from a final read",
    "whole records written",
    "null written for absent values",
    "overwritten value not journaled",
    "creation repeated after a time-out",
)


@pytest.fixture(scope="session")
def sides() -> BothSides:
    return BothSides()


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.filterwarnings("ignore")
def test_no_user_edit_is_lost(sides: BothSides, batch: int) -> None:
    for seed in range(batch * BATCH_SIZE, (batch + 1) * BATCH_SIZE):
        result = run_history(sides, draw(seed))
        replay = f"python -m tests.simulation replay --seed {seed}"
        assert not result.violation, f"{result.violation}\n{replay}"


@pytest.mark.filterwarnings("ignore")
def test_a_seed_always_gives_the_same_history(sides: BothSides) -> None:
    first = [run_history(sides, draw(seed)).trace_hash for seed in range(5)]
    again = [run_history(BothSides(), draw(seed)).trace_hash for seed in reversed(range(5))]
    assert again == first[::-1]


@pytest.mark.filterwarnings("ignore")
def test_every_step_is_the_same_on_the_deployed_tables(sides: BothSides) -> None:
    with dynamodb() as make_ports:
        for seed in range(ON_DYNAMODB):
            events = draw(seed)
            result = run_history(sides, events, make_ports)
            assert not result.violation, result.violation
            assert result.trace_hash == run_history(sides, events).trace_hash


@pytest.mark.parametrize("name", QUICKLY_FOUND)
@pytest.mark.filterwarnings("ignore")
def test_a_planted_bug_is_found(sides: BothSides, name: str) -> None:
    found = search(BUGS[name], sides, MAX_HISTORIES)
    assert found.result is not None
    assert found.exceptions == 0


@pytest.mark.filterwarnings("ignore")
def test_planted_code_that_raises_an_exception_does_not_count_as_found(sides: BothSides) -> None:
    found = search(Bug("broken code", "a renamed attribute", _plant_crash), sides, 3)
    assert found.result is None
    assert found.exceptions == found.histories == 3


@pytest.mark.filterwarnings("ignore")
def test_an_exception_counts_as_found_if_the_bug_is_about_exceptions(sides: BothSides) -> None:
    found = search(Bug("broken code", "no error handling", _plant_crash, raises=True), sides, 3)
    assert found.result is not None
    assert found.result.is_unexpected_exception


def _plant_crash(_sides: BothSides) -> AbstractContextManager[object]:
    def crash(
        _unit: UnitResolver, _plans: Sequence[Plan], _counts: Counts, _result: UnitResult
    ) -> list[Plan]:
        raise AttributeError("'UnitResolver' object has no attribute '_renamed'")

    return replace_function(UnitResolver, UnitResolver._intend, crash)


def test_enough_bugs_are_planted() -> None:
    assert len(BUGS) >= 16


def test_the_reliability_page_is_generated_from_the_tables() -> None:
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    assert page.read_text("utf-8") == document(), "run: python -m tests.simulation docs"
    assert [row.number for row in FAULTS] == list(range(1, 65))
    assert [row.number for row in INVARIANTS] == list(range(1, 38))


def test_each_test_that_the_reliability_page_names_exists() -> None:
    named = [row.where.split("::") for row in (*FAULTS, *INVARIANTS) if row.is_test]
    assert named
    for file, name in named:
        source = (Path(__file__).parents[1] / file).read_text("utf-8")
        assert f"def {name}(" in source, f"{file}::{name}"
