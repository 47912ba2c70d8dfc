"""The stories of the write protocol: the sound one holds, each weaker one breaks.

Here, every subject that closes within some seconds, or with narrower bounds; `make model` explores
all of them as they are meant.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.protocol.explore import explore
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.scenarios import (
    BESIDE_A_CONTACT,
    BLANK_OR_WORD,
    CONTACT,
    CONVERSION,
    DELETION,
    HELD,
    LEAD_CREATION,
    LEAD_RACE,
    MATCHING,
    MIRROR,
    NEWEST,
    PERSON,
    PLEZI_CREATION_CLEARED,
    PLEZI_DELETION,
    PLEZI_RACE,
    PLEZI_WINS,
    REFUSED,
    SURVIVOR,
    TWO_WORDS,
    TYPING,
)
from tests.simulation.protocol.weaker import AS_BUILT, WEAKER, Protocol

QUICK = (
    TYPING,
    PLEZI_WINS,
    HELD,
    REFUSED,
    SURVIVOR,
    PLEZI_CREATION_CLEARED,
    replace(NEWEST, words=TWO_WORDS),
    replace(LEAD_CREATION, words=BLANK_OR_WORD),
    replace(LEAD_RACE, words=(None,)),
    replace(PLEZI_RACE, words=("b",), deaf=False),
    replace(MATCHING, words=BLANK_OR_WORD),
    replace(DELETION, words=TWO_WORDS),
    replace(PLEZI_DELETION, words=TWO_WORDS),
    replace(BESIDE_A_CONTACT, records=(CONTACT, PERSON), chances=()),
    replace(CONVERSION, words=("a",)),
    replace(MIRROR, words=("a",)),
)
AS_THEY_ARE = (TYPING, replace(LEAD_CREATION, words=BLANK_OR_WORD), PLEZI_CREATION_CLEARED)


@pytest.mark.parametrize("scenario", QUICK, ids=lambda it: it.name)
def test_the_six_rules_hold_whatever_people_and_crashes_do(scenario: Scenario) -> None:
    finding = explore(scenario)
    print(finding)
    assert not finding.broken, str(finding)


@pytest.mark.parametrize("scenario", AS_THEY_ARE, ids=lambda it: it.name)
def test_without_a_precondition_only_the_stated_window_is_lost(scenario: Scenario) -> None:
    finding = explore(scenario, AS_BUILT)
    print(finding)
    assert not finding.broken, str(finding)


@pytest.mark.parametrize("protocol", WEAKER, ids=lambda it: it.name)
def test_every_weaker_protocol_still_breaks(protocol: Protocol) -> None:
    finding = explore(TYPING, protocol)
    print(finding)
    assert finding.broken
    assert finding.story
