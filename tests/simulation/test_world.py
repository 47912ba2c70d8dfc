"""Seeded histories of the whole world, and the planted bugs that show that they can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.world.both_sides import BothSides
from tests.simulation.bugs import BUGS
from tests.simulation.history.dynamodb import tables
from tests.simulation.history.events import draw
from tests.simulation.history.history import play
from tests.simulation.reliability_tables import FAULTS, INVARIANTS, document

PORTIONS = 8
HISTORIES = 15
ON_TABLES = 12
"""Histories played on DynamoDB's tables as well; `make simulate LEDGER=dynamodb` plays more."""
QUICKLY_FOUND = (
    "record before apply",
    "compare with clocks",
    "read again at the end",
    "write whole records",
    "null for what is absent",
    "lose without a word",
    "retry a create after a time-out",
)


@pytest.fixture(scope="session")
def sides() -> BothSides:
    return BothSides()


@pytest.mark.parametrize("portion", range(PORTIONS))
@pytest.mark.filterwarnings("ignore")
def test_nothing_that_anybody_typed_is_lost(sides: BothSides, portion: int) -> None:
    for seed in range(portion * HISTORIES, (portion + 1) * HISTORIES):
        outcome = play(sides, draw(seed))
        replay = f"python -m tests.simulation replay --seed {seed}"
        assert not outcome.broken, f"{outcome.broken}\n{replay}"


@pytest.mark.filterwarnings("ignore")
def test_one_seed_is_one_history(sides: BothSides) -> None:
    first = [play(sides, draw(seed)).trace for seed in range(5)]
    assert [play(BothSides(), draw(seed)).trace for seed in reversed(range(5))] == first[::-1]


@pytest.mark.filterwarnings("ignore")
def test_on_the_tables_that_are_deployed_every_step_is_the_same(sides: BothSides) -> None:
    with tables() as ports:
        for seed in range(ON_TABLES):
            story = draw(seed)
            outcome = play(sides, story, ports(story))
            assert not outcome.broken, outcome.broken
            assert outcome.trace == play(sides, story).trace


@pytest.mark.parametrize("name", QUICKLY_FOUND)
@pytest.mark.filterwarnings("ignore")
def test_a_planted_bug_is_found(sides: BothSides, name: str) -> None:
    with BUGS[name][1](sides):
        assert any(play(sides, draw(seed)).broken for seed in range(40))


def test_enough_bugs_are_planted() -> None:
    assert len(BUGS) >= 16


def test_the_page_on_reliability_is_what_the_code_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    assert page.read_text("utf-8") == document(), "run: python -m tests.simulation docs"
    assert [row.number for row in FAULTS] == list(range(1, 65))
    assert [row.number for row in INVARIANTS] == list(range(1, 34))


def test_every_test_that_the_page_names_exists() -> None:
    named = [row.where.split("::") for row in (*FAULTS, *INVARIANTS) if row.is_test]
    assert named
    for file, name in named:
        source = (Path(__file__).parents[1] / file).read_text("utf-8")
        assert f"def {name}(" in source, f"{file}::{name}"
