"""Small rehearsals: what must hold at the template's defaults, whatever the circumstances.

No invocation is killed, no message becomes a dead letter, no run stays `running`, the tenant's rate
holds, and no call is made that is not needed. `make rehearse` does the same with many people.
"""

from __future__ import annotations

from typing import Final

import pytest

from local.rehearsal.rehearsal import Result, rehearse
from local.rehearsal.scenarios import ADMIN_REQUESTS, FORMS, Scenario, scenarios
from local.rehearsal.world import Bounds
from local.template_settings import template_value

BOUNDS: Final = Bounds(hours=24.0, invocations=12)
CALLS_OF_A_RUN: Final = 15
"""Calls of a run whatever the number of people: login, three descriptions (Lead, Contact, the right
to read accounts), limits, feeds, pages of kinds of records that nobody changed."""
CALLS_BESIDE_WRITES: Final = 1.3
CALLS_OF_A_CREATION: Final = 2.05
CALLS_OF_A_CHANGE: Final = 1.05
MAX_TIME: Final = 1.15
"""The time that a rehearsal may take, as a multiple of what the pace allows."""
SECONDS_OF_A_RUN: Final = 60.0
"""Seconds of a run whatever the number of people; they do not count in a large rehearsal."""
QUERIES_OF_A_RUN: Final = 3
"""Queries of Salesforce beside those seconds: the page of Contacts, the look-ups of one unit."""


LONG = ("new-contacts/low-rate", "new-leads/slow-plezi", "new-leads/low-rate")
"""The rehearsals that take longest: the same kinds of work are here under other circumstances."""


def case(name: str, people: int) -> object:
    """Return the parameters of one rehearsal."""
    marks = (pytest.mark.nightly,) if name in LONG else ()
    return pytest.param(name, people, id=f"{name}-{people}", marks=marks)


def find(name: str, people: int) -> Scenario:
    return next(each for each in scenarios(people) if each.name == name)


def allowed_plezi_calls(result: Result) -> float:
    work = result.work
    return (
        CALLS_OF_A_CREATION * work.created_contacts
        + CALLS_OF_A_CHANGE * work.changed_contacts
        + CALLS_BESIDE_WRITES * work.plezi_pages
        + CALLS_OF_A_RUN
    )


def allowed_salesforce_calls(result: Result) -> float:
    work = result.work
    return CALLS_BESIDE_WRITES * (work.salesforce_pages + work.collections) + CALLS_OF_A_RUN


@pytest.mark.parametrize(
    ("name", "people"),
    [
        case("new-contacts", 600),
        case("new-contacts/low-rate", 1_000),
        case("new-contacts/throttled", 300),
        case("new-contacts/slow-org", 300),
        case("new-contacts/index-lag", 300),
        case("new-leads", 100),
        case("new-leads/slow-plezi", 200),
        case("new-leads/low-rate", 150),
        case("new-leads/throttled", 60),
        case("new-leads/slow-org", 100),
        case("new-leads/index-lag", 60),
        case("changed", 60),
        case("changed/slow-plezi", 80),
        case("changed/low-rate", 80),
        case("changed/throttled", 60),
        case("changed/slow-org", 60),
        case("changed/index-lag", 60),
        case("selected", 100),
        case("selected/low-rate", 60),
        case("selected/slow-org", 60),
    ],
)
def test_a_rehearsal_ends_with_everybody_in_agreement_and_nothing_is_killed(
    name: str, people: int
) -> None:
    scenario = find(name, people)
    result = rehearse(scenario, BOUNDS)

    assert result.stopped == ""
    assert (result.kills, result.errors, result.dead_letters, result.left_running) == (0, 0, 0, 0)
    assert result.agreeing == result.people
    rate = float(template_value("PleziCallsPerSecond"))
    for window, found in result.plezi_rates.items():
        assert found * float(window) <= rate * float(window) + 1
    assert sum(result.plezi_calls.values()) <= allowed_plezi_calls(result)
    if not result.work.created_contacts:  # the calls from Plezi to Salesforce have a bound
        assert sum(result.salesforce_calls.values()) <= allowed_salesforce_calls(result)
    constant = SECONDS_OF_A_RUN + QUERIES_OF_A_RUN * scenario.variant.latencies.salesforce_query
    assert result.hours * 3600 <= MAX_TIME * result.pace_hours * 3600 + constant


@pytest.mark.parametrize("name", ["forms", "everything"])
def test_forms_runs_and_an_admin_at_once_keep_the_rate_of_the_tenant(name: str) -> None:
    result = rehearse(find(name, 60), BOUNDS)

    assert (result.stopped, result.errors, result.dead_letters) == ("", 0, 0)
    assert result.agreeing == result.people
    rate = float(template_value("PleziCallsPerSecond"))
    for window, found in result.plezi_rates.items():
        assert found * float(window) <= rate * float(window) + 1
    assert sum(result.runs.values()) == FORMS + (3 if name == "everything" else 1)
    assert result.admin_answers == ({"200": ADMIN_REQUESTS} if name == "everything" else {})


def test_the_same_rehearsal_has_the_same_result() -> None:
    first, second = (rehearse(find("everything", 20), BOUNDS) for _ in range(2))

    assert first.hours == second.hours
    assert first.plezi_calls == second.plezi_calls
    assert first.salesforce_calls == second.salesforce_calls
    assert first.units == second.units


def test_a_world_that_cannot_finish_stops_and_says_so() -> None:
    result = rehearse(find("new-leads/low-rate", 60), Bounds(hours=0.01))

    assert result.stopped == "not finished after 0.01 virtual hours"
    assert result.agreeing < result.people
