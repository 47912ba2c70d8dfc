"""Every story of the write protocol: the sound one holds, each weaker one breaks."""

from __future__ import annotations

import pytest

from tests.simulation.protocol.explore import explore
from tests.simulation.protocol.model import Scenario
from tests.simulation.protocol.scenarios import (
    DELETION,
    HELD,
    PLEZI_DELETION,
    REFUSED,
    TYPING,
)
from tests.simulation.protocol.weaker import AS_BUILT, WEAKER, Protocol

QUICK = (TYPING, HELD, REFUSED, DELETION, PLEZI_DELETION)
"""The scenarios that close in seconds; `python -m tests.simulation.protocol` explores them all."""


@pytest.mark.parametrize("scenario", QUICK, ids=lambda it: it.name)
def test_the_six_rules_hold_whatever_people_and_crashes_do(scenario: Scenario) -> None:
    finding = explore(scenario)
    print(finding)
    assert not finding.broken, str(finding)


def test_without_a_precondition_only_the_stated_window_is_lost() -> None:
    finding = explore(TYPING, AS_BUILT)
    assert not finding.broken, str(finding)


@pytest.mark.parametrize("protocol", WEAKER, ids=lambda it: it.name)
def test_every_weaker_protocol_still_breaks(protocol: Protocol) -> None:
    finding = explore(TYPING, protocol)
    print(finding)
    assert finding.broken
    assert finding.story
