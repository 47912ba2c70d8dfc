"""The work lists of a run are resolved in units: how large they are, and who stays on a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import Link, WorkList
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.resolve_phase import ResolvePhase
from tests.unit.connector.sync_fixtures import (
    EMAIL,
    MAPPING,
    OTHER,
    RUN,
    SyncSetup,
    after,
    agreed,
    always,
    answer,
    bound_to,
    lead,
    never,
    progress_of,
)
from tests.unit.connector.sync_fixtures_runs import phase_of, setup_with, units
from tests.unit.connector.sync_fixtures_stores import NOW
from tests.unit.connector.sync_fixtures_writes import busy, edited

MANY: Final = [f"{number:04}@x.fr" for number in range(2500)]


def unchanged(number: int, *sizes: int) -> SyncSetup:
    """Return a setup of dirty links without a record, on lists of these sizes."""
    setup = setup_with(*(Link(email, dirty=True) for email in MANY[:number]))
    start = 0
    for list_number, size in enumerate(sizes or (number,)):
        setup.list_links(list_number, *MANY[start : start + size])
        start += size
    return setup


# How large a unit is


@pytest.mark.parametrize(
    ("creation", "budget", "first"),
    [
        (10.0, 400.0, 80),
        (10.0, 300.0, 60),
        (10.0, 200.0, 60),
        (1.0, 400.0, 800),
        (0.1, 400.0, 1000),
        (0.0, 400.0, 1000),
    ],
)
def test_the_first_unit_with_calls_to_plezi_is_as_large_as_the_time_allows(
    creation: float, budget: float, first: int
) -> None:
    setup = unchanged(1000)
    setup.plezi.seconds = (creation, 500.0, 500.0)
    setup.deadline.start(remaining=1e6, budget=budget)

    assert phase_of(setup).resolve_lists(never, with_plezi=True)
    assert units(setup)[0] == first


def test_a_unit_that_fits_is_followed_by_one_of_twice_the_size() -> None:
    setup = unchanged(1000)
    setup.plezi.seconds = (10.0, 0.0, 0.0)
    setup.deadline.start(remaining=1e6, budget=350.0)

    assert phase_of(setup).resolve_lists(never, with_plezi=True)
    assert units(setup) == [70, 140, 280, 510]


@pytest.mark.parametrize(
    ("number", "expected"), [(1000, [1000]), (1200, [1200]), (1201, [1000, 201])]
)
def test_a_small_rest_joins_a_unit_without_calls_to_plezi(number: int, expected: list[int]) -> None:
    setup = unchanged(number)

    assert phase_of(setup).resolve_lists(never, with_plezi=False)
    assert units(setup) == expected


def test_a_unit_with_calls_to_plezi_has_no_rest_that_joins() -> None:
    setup = unchanged(1001)

    assert phase_of(setup).resolve_lists(never, with_plezi=True)
    assert units(setup) == [1000, 1]


def batches(setup: SyncSetup, visited: int = 0) -> list[list[int]]:
    return [[work.number for work, _ in part] for part in phase_of(setup)._batches(visited)]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((), []),
        ((5,), [[0]]),
        ((400, 600), [[1, 0]]),
        ((401, 600), [[1], [0]]),
        ((200, 1000), [[1, 0]]),
        ((201, 1000), [[1], [0]]),
        ((200, 900, 900), [[2], [1, 0]]),
        ((100, 100, 1000), [[2, 1, 0]]),
        ((101, 100, 1000), [[2], [1, 0]]),
    ],
)
def test_lists_are_resolved_together_until_they_fill_a_unit(
    sizes: tuple[int, ...], expected: list[list[int]]
) -> None:
    setup = unchanged(0)
    start = 0
    for number, size in enumerate(sizes):
        setup.list_links(number, *MANY[start : start + size])
        start += size

    assert batches(setup) == expected


def test_a_person_on_several_lists_counts_once_for_a_unit() -> None:
    setup = unchanged(0)
    for number in range(3):
        setup.list_links(number, *MANY[:1000])

    assert batches(setup) == [[2, 1, 0]]


def test_only_the_lists_behind_the_place_and_those_not_visited_come() -> None:
    setup = unchanged(0)
    for number in range(4):
        setup.list_links(number, MANY[number])
    phase = phase_of(setup)
    phase.position = WorkList(RUN, 3)

    found = [[work.number for work, _ in part] for part in phase._batches(1)]
    assert found == [[2, 1]]


# Who stays on a list


def test_a_link_that_is_resolved_leaves_every_list() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"), edited(OTHER, salesforce="2"))
    setup.list_links(0, EMAIL, OTHER)
    setup.list_links(1, EMAIL)
    phase = phase_of(setup)

    assert phase.resolve_lists(never, with_plezi=False)
    assert setup.lists() == {(RUN, 0): (OTHER,)}
    assert progress_of(setup.run()) == (2, 0, 2)
    assert (phase.made_progress, phase.position) == (True, None)


def test_a_list_of_which_every_link_waits_is_left_as_it_is() -> None:
    setup = setup_with(busy(EMAIL))
    setup.list_links(0, EMAIL)
    phase = phase_of(setup)

    assert phase.resolve_lists(never, with_plezi=True)
    assert setup.lists() == {(RUN, 0): (EMAIL,)}
    assert (phase.made_progress, progress_of(setup.run())) == (False, (1, 0, 0))


def test_a_write_that_leaves_a_link_dirty_is_progress_too() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"))
    setup.list_links(0, EMAIL)
    found = answer(WriteResult.STALE, observation=lead(EMAIL, "3", version="9"))
    setup.org.answers["l-a@x.fr"] += [found] * 3
    phase = phase_of(setup)

    assert phase.resolve_lists(always, with_plezi=True) is False
    assert (phase.made_progress, progress_of(setup.run())) == (True, (1, 0, 0))


def test_one_link_without_a_write_is_progress() -> None:
    setup = setup_with(agreed(EMAIL, dirty=True))
    setup.list_links(0, EMAIL)
    phase = phase_of(setup)

    assert phase.resolve_lists(never, with_plezi=False)
    assert (phase.made_progress, setup.lists()) == (True, {})


# Several passes


def url_setup() -> tuple[SyncSetup, ResolvePhase]:
    """Return a Lead whose contact must be created before its address can be written."""
    values = {"Email": EMAIL, "Phone": "1", "plezi_url__c": None}
    record = lead(EMAIL, values=values, as_of=NOW)
    setup = setup_with(Link(EMAIL, salesforce=(record,), dirty=True))
    setup.list_links(0, EMAIL)

    def create(write: Any) -> WriteOutcome:
        outcome = setup.plezi.done(write)
        assert outcome.observation is not None
        shown = replace(outcome.observation, values={**outcome.observation.values, "url": "page"})
        setup.plezi.put(shown)
        return replace(outcome, observation=shown)

    setup.plezi.answers[EMAIL].append(create)
    return setup, phase_of(setup, bound_to(*MAPPING.pairs, PLEZI_URL_PAIR))


def test_what_a_created_record_needs_is_written_in_a_second_pass() -> None:
    setup, phase = url_setup()

    assert phase.resolve_lists(never, with_plezi=True)
    assert setup.org.records["l-a@x.fr"].values["plezi_url__c"] == "page"
    assert (units(setup), setup.lists()) == ([1, 1], {})


def test_a_second_pass_begins_only_if_there_is_time() -> None:
    setup, phase = url_setup()

    assert phase.resolve_lists(always, with_plezi=True) is False
    assert (units(setup), setup.lists()) == ([1], {(RUN, 0): (EMAIL,)})


def test_links_that_change_again_and_again_are_tried_three_times() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"))
    setup.list_links(0, EMAIL)
    setup.org.answers["l-a@x.fr"] += [
        answer(WriteResult.STALE, observation=lead(EMAIL, "1", version=f"{number}"))
        for number in range(5, 9)
    ]

    assert phase_of(setup).resolve_lists(never, with_plezi=True)
    assert (units(setup), setup.lists()) == ([1, 1, 1], {(RUN, 0): (EMAIL,)})


def test_nothing_is_tried_again_if_nothing_was_written() -> None:
    setup = setup_with(busy(EMAIL))
    setup.list_links(0, EMAIL)

    assert phase_of(setup).resolve_lists(never, with_plezi=True)
    assert units(setup) == [1]


# When an invocation ends


def place_of(phase: ResolvePhase) -> WorkList | None:
    return phase.position


def two_units(**deadline: float) -> SyncSetup:
    """Return a setup with two units of links without a change."""
    setup = unchanged(1400, 700, 700)
    setup.deadline.start(remaining=1e6, **deadline)
    return setup


def test_the_next_invocation_goes_on_behind_the_last_list() -> None:
    setup = two_units(budget=1000.0)
    phase = phase_of(setup)

    assert phase.resolve_lists(always, with_plezi=False) is False
    assert units(setup) == [700]
    place = place_of(phase)
    assert place == WorkList(RUN, 1)

    second = phase_of(setup)
    second.position = place
    assert second.resolve_lists(always, with_plezi=False)
    assert place_of(second) is None
    assert units(setup) == [700, 700]


@pytest.mark.parametrize(
    ("query", "spent", "number"),
    [
        (0.0, 100.0, 2),
        (10.0, 60.0, 2),
        (10.0, 60.5, 1),
        (50.0, 50.0, 2),
        (50.0, 50.5, 1),
    ],
)
def test_another_unit_begins_if_it_is_worth_its_queries(
    query: float, spent: float, number: int
) -> None:
    setup = two_units(budget=100.0)
    setup.org.seconds = (500.0, 500.0, query)
    phase = phase_of(setup)
    setup.clock.advance(spent)

    assert phase.resolve_lists(never, with_plezi=False) is (number == 2)
    assert len(units(setup)) == number


def test_a_phase_without_an_end_of_its_time_resolves_all() -> None:
    setup = unchanged(1400, 700, 700)
    setup.org.seconds = (0.0, 0.0, 1000.0)

    assert phase_of(setup).resolve_lists(never, with_plezi=False)
    assert units(setup) == [700, 700]


def test_a_list_whose_links_had_no_time_is_not_left_behind() -> None:
    setup = setup_with(*(edited(it, salesforce="2") for it in (EMAIL, OTHER)))
    setup.list_links(0, EMAIL, OTHER)
    phase = phase_of(setup)

    assert phase.resolve_lists(always, with_plezi=True) is False
    assert (phase.position, setup.lists()) == (None, {(RUN, 0): (OTHER,)})


def test_a_system_that_stops_early_ends_a_phase_only_without_time() -> None:
    setup = setup_with(*(edited(it, salesforce="2") for it in (EMAIL, OTHER)))
    setup.list_links(0, EMAIL, OTHER)
    setup.plezi.max_outcomes = 0
    phase = phase_of(setup)

    # Two writes of one unit are not sent, and the time is not over.
    assert phase.resolve_lists(never, with_plezi=True)
    assert setup.lists() == {(RUN, 0): (EMAIL, OTHER)}


def test_links_whose_writes_had_no_response_come_last() -> None:
    links = (
        replace(edited(EMAIL, salesforce="2"), unanswered=2),
        replace(edited(OTHER, salesforce="2"), unanswered=1),
        edited("c@x.fr", salesforce="2"),
    )
    setup = setup_with(*links)
    setup.list_links(0, *(link.email for link in links))

    phase_of(setup).resolve_lists(never, with_plezi=True)

    assert [write.email for write in setup.plezi.writes] == ["c@x.fr", OTHER, EMAIL]


def test_the_numbers_of_the_units_are_counted_in_the_run() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"))
    setup.list_links(0, EMAIL)

    phase_of(setup).resolve_lists(never, with_plezi=False)

    assert setup.counts() == {"salesforce": {"updated": 1}}


# Some people


@pytest.mark.parametrize(
    ("resolve", "expected"),
    [(True, [1]), (False, [0])],
    ids=["people who were named", "people of a stage"],
)
def test_clean_links_of_people_who_were_named_are_resolved_too(
    expected: list[int], *, resolve: bool
) -> None:
    setup = setup_with(replace(edited(EMAIL, plezi="2"), dirty=False))
    phase = phase_of(setup)

    if resolve:
        assert phase.resolve_people([EMAIL], never) == set()
    else:
        assert phase.resolve_in_passes([EMAIL], never) == (set(), True)
    assert units(setup)[0] == expected[0]
    assert len(setup.org.writes) == expected[0]


def test_a_person_who_is_left_is_tried_three_times_while_there_is_time() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"))
    setup.org.max_outcomes = 0

    assert phase_of(setup).resolve_people([EMAIL], never) == {EMAIL}
    assert units(setup) == [1, 1, 1]


def test_a_person_who_is_left_is_tried_once_without_time() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"))
    setup.org.max_outcomes = 0

    assert phase_of(setup).resolve_people([EMAIL], always) == {EMAIL}
    assert units(setup) == [1]


def test_only_the_people_who_are_left_are_tried_again() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"), edited(OTHER, plezi="2"))
    setup.org.answers["l-b@x.fr"] += [answer(WriteResult.RETRY)] * 2

    assert phase_of(setup).resolve_people([OTHER, EMAIL], never) == set()
    assert units(setup) == [2, 1, 1]


def test_people_are_tried_again_in_passes_if_something_was_written() -> None:
    setup, phase = url_setup()

    assert phase.resolve_in_passes([EMAIL], never) == (set(), True)
    assert (units(setup), phase.made_progress) == ([1, 1], True)


@pytest.mark.parametrize(
    ("out_of_time", "expected"), [(never, (set[str](), [1, 1])), (always, ({EMAIL}, [1]))]
)
def test_a_second_pass_of_people_needs_time(
    out_of_time: Callable[[], bool], expected: tuple[set[str], list[int]]
) -> None:
    setup, phase = url_setup()

    left, is_done = phase.resolve_in_passes([EMAIL], out_of_time)
    assert (left, units(setup), is_done) == (*expected, True)


def test_people_who_wait_are_tried_once_if_nothing_was_written() -> None:
    setup = setup_with(edited(EMAIL, plezi="2"))
    setup.org.max_outcomes = 0
    phase = phase_of(setup)

    assert phase.resolve_in_passes([EMAIL], never) == ({EMAIL}, True)
    assert (units(setup), phase.made_progress) == ([1], False)


def test_people_who_had_no_time_are_not_visited() -> None:
    setup = setup_with(*(edited(it, salesforce="2") for it in (EMAIL, OTHER, "c@x.fr")))

    found = phase_of(setup).resolve_in_passes([EMAIL, OTHER, "c@x.fr"], after(1, again=True))
    assert found == ({"c@x.fr"}, False)
