"""The stages of a first synchronization: their sizes, what is counted, and when one stops a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.model import Phase, Run, RunState, Side

STAGES: Final = (10, 100, 1000)
"""People of each stage; everybody else is the last one, `all`."""
ALL: Final = "all"
COUNTED_ON: Final = Side.SALESFORCE
"""The side under which the counters of stages are stored: a person is on both."""
PREFIX: Final = "stage"


@dataclass(frozen=True, slots=True)
class StageLimits:
    """The shares of the people of a stage above which the run stops.

    `errors`: people in quarantine, whatever the cause. `duplicates`: people with several Leads.
    `overwritten`: people of whom a typed value is overwritten.
    """

    errors: float
    duplicates: float
    overwritten: float


@dataclass(frozen=True, slots=True)
class StageNumbers:
    """How many people of a stage were resolved, and how many of them are remarkable."""

    people: int = 0
    errors: int = 0
    duplicates: int = 0
    overwritten: int = 0


def counter(size: int, name: str) -> str:
    """Return the name of a counter of the stage of this size."""
    return f"{PREFIX}.{size}.{name}"


def stage_numbers(counts: Mapping[str, Mapping[str, int]], size: int) -> StageNumbers:
    """Return the numbers of a stage from the counts of a run."""
    stored = counts.get(COUNTED_ON.value, {})
    names = ("people", "errors", "duplicates", "overwritten")
    return StageNumbers(**{name: stored.get(counter(size, name), 0) for name in names})


def exceeded(numbers: StageNumbers, limits: StageLimits) -> tuple[str, ...]:
    """Return the names of the numbers that are above their limit."""
    return tuple(
        name
        for name in ("errors", "duplicates", "overwritten")
        if getattr(numbers, name) > getattr(limits, name) * numbers.people
    )


def stage_name(index: int) -> str:
    """Return the name of a stage by its number from 0 on: its size, or `all`."""
    return str(STAGES[index]) if index < len(STAGES) else ALL


def current_stage(run: Run) -> str:
    """Return the stage that a run is in, or was in when it stopped ('': it has no stages)."""
    worked_on = [
        number for number, size in enumerate(STAGES) if stage_numbers(run.counts, size).people
    ]
    if not worked_on:
        return ""
    is_staged = run.phase in (Phase.READ, Phase.STAGE) and run.state is not RunState.DONE
    return stage_name(worked_on[-1]) if is_staged else ALL
