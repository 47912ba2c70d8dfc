"""The model of the write protocol: the sound protocol holds, each weaker one fails.

These are the scenarios that take some seconds, or that have narrower bounds here. `make model`
checks all of them with their full bounds.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import ConflictPolicy
from tests.simulation.protocol.explore import explore
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.scenarios import (
    BLANK_AND_VALUE,
    CHOICE,
    CONTACT,
    CONVERSION,
    EDITS,
    EMAIL_CLEARED,
    FIRST_MATCH,
    HOLD,
    INTERRUPTED_MEETING,
    INTERRUPTED_MEETING_WITH_URL,
    LEAD_AND_CONTACT,
    LEAD_CREATION,
    LEAD_DELETION,
    LEAD_RACE,
    MIRROR,
    NEWEST,
    PAIR_REMOVED,
    PAIR_REMOVED_CLEARED,
    PAIR_REPOINTED,
    PLEZI_CONTACT,
    PLEZI_CREATION_CLEARED,
    PLEZI_DELETION,
    PLEZI_RACE,
    PLEZI_WINS,
    PRIMARY_LEAD,
    REFUSED_CREATION,
    REFUSED_UPDATE,
    REJECTED,
    TWO_VALUES,
    WEAKER_ELSEWHERE,
)
from tests.simulation.protocol.variants import WEAKER, WITHOUT_PRECONDITION, Protocol

QUICK = (
    replace(EDITS, values=TWO_VALUES),
    replace(PLEZI_WINS, values=TWO_VALUES, lost_responses=False),
    replace(HOLD, values=TWO_VALUES, lost_responses=False),
    REJECTED,
    REFUSED_CREATION,
    replace(PAIR_REMOVED, policy=ConflictPolicy.SALESFORCE_WINS),
    PAIR_REMOVED_CLEARED,
    replace(
        PAIR_REPOINTED,
        policy=ConflictPolicy.SALESFORCE_WINS,
        one_time_events=("point mobile",),
    ),
    replace(REFUSED_UPDATE, lost_responses=False),
    replace(CHOICE, lost_responses=False, recent_read=False),
    PRIMARY_LEAD,
    PLEZI_CREATION_CLEARED,
    replace(NEWEST, values=TWO_VALUES),
    replace(LEAD_CREATION, values=BLANK_AND_VALUE),
    replace(LEAD_RACE, values=(None,)),
    replace(PLEZI_RACE, values=("b",), lost_responses=False),
    replace(FIRST_MATCH, values=BLANK_AND_VALUE),
    replace(INTERRUPTED_MEETING, lost_responses=False),
    replace(INTERRUPTED_MEETING_WITH_URL, values=TWO_VALUES),
    replace(LEAD_DELETION, values=TWO_VALUES),
    replace(PLEZI_DELETION, values=TWO_VALUES),
    replace(EMAIL_CLEARED, values=TWO_VALUES),
    replace(LEAD_AND_CONTACT, records=(CONTACT, PLEZI_CONTACT), one_time_events=()),
    replace(CONVERSION, values=("a",)),
    replace(MIRROR, values=("a",)),
)
QUICK_WITHOUT_PRECONDITION = (
    replace(EDITS, values=TWO_VALUES, lost_responses=False),
    replace(LEAD_CREATION, values=BLANK_AND_VALUE),
    PLEZI_CREATION_CLEARED,
    replace(EMAIL_CLEARED, values=TWO_VALUES),
)


@pytest.mark.parametrize("scenario", QUICK, ids=lambda scenario: scenario.name)
def test_the_six_rules_hold_with_user_actions_crashes_and_lost_responses(
    scenario: Scenario,
) -> None:
    finding = explore(scenario)
    print(finding)
    assert not finding.violation, str(finding)


@pytest.mark.parametrize("scenario", QUICK_WITHOUT_PRECONDITION, ids=lambda scenario: scenario.name)
def test_without_a_precondition_only_edits_between_read_and_write_are_lost(
    scenario: Scenario,
) -> None:
    finding = explore(scenario, WITHOUT_PRECONDITION)
    print(finding)
    assert not finding.violation, str(finding)


@pytest.mark.parametrize("protocol", WEAKER, ids=lambda protocol: protocol.name)
def test_each_weaker_protocol_fails_with_a_counterexample(protocol: Protocol) -> None:
    finding = explore(EDITS, protocol)
    print(finding)
    assert finding.violation
    assert finding.counterexample


@pytest.mark.parametrize(("scenario", "protocol"), WEAKER_ELSEWHERE, ids=lambda it: it.name)
def test_each_weaker_rule_fails_in_its_own_scenario(scenario: Scenario, protocol: Protocol) -> None:
    finding = explore(scenario, protocol)
    print(finding)
    assert finding.violation
    assert finding.counterexample
