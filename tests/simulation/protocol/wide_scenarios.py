"""The same scenarios with wider bounds; they take many minutes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation.protocol.records import TYPED_VALUES
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.scenarios import (
    BLANK_AND_TWO_VALUES,
    BLANK_AND_VALUE,
    CHOICE,
    CONTACT,
    CONVERSION,
    EDITS,
    FIRST_MATCH,
    INTERRUPTED_MEETING,
    LEAD,
    LEAD_AND_CONTACT,
    LEAD_CREATION,
    LEAD_DELETION,
    LEAD_RACE,
    MIRROR,
    NEWEST,
    PAIR_REMOVED,
    PAIR_REPOINTED,
    PLEZI_CONTACT,
    PLEZI_CREATION,
    PLEZI_DELETION,
    PLEZI_RACE,
    PRIMARY_LEAD,
    REFUSED_UPDATE,
    TWO_VALUES,
)

_WIDER: Final[tuple[tuple[Scenario, str, dict[str, Any]], ...]] = (
    (CHOICE, "three values", {"values": TYPED_VALUES}),
    (PAIR_REMOVED, "clearing", {"values": BLANK_AND_TWO_VALUES}),
    (PAIR_REPOINTED, "clearing", {"values": BLANK_AND_TWO_VALUES}),
    (REFUSED_UPDATE, "three values", {"values": TYPED_VALUES}),
    (EDITS, "clearing", {"values": (None, *TYPED_VALUES)}),
    (
        FIRST_MATCH,
        "three values, lost responses",
        {"values": TYPED_VALUES, "lost_responses": True},
    ),
    (LEAD_CREATION, "other edits", {"other_edits": True}),
    (LEAD_DELETION, "clearing", {"values": BLANK_AND_TWO_VALUES}),
    (PLEZI_DELETION, "clearing", {"values": BLANK_AND_TWO_VALUES}),
    (
        LEAD_DELETION,
        "another Lead is created",
        {"values": TWO_VALUES, "one_time_events": ("delete l1", "add l2")},
    ),
    (
        LEAD_AND_CONTACT,
        "deleted too",
        {
            "records": (CONTACT, LEAD, PLEZI_CONTACT),
            "one_time_events": ("delete l1", "undelete l1"),
        },
    ),
    (CONVERSION, "clearing", {"values": BLANK_AND_VALUE}),
    (PRIMARY_LEAD, "three values", {"values": TYPED_VALUES}),
    (NEWEST, "other edits, lost responses", {"other_edits": True, "lost_responses": True}),
    (
        PLEZI_CREATION,
        "clearing, lost responses",
        {"values": BLANK_AND_TWO_VALUES, "lost_responses": True, "recent_read": True},
    ),
    (PLEZI_RACE, "three values", {"values": TYPED_VALUES}),
    (
        LEAD_RACE,
        "two values, lost responses",
        {"values": TWO_VALUES, "lost_responses": True, "recent_read": True},
    ),
    (MIRROR, "lost responses", {"lost_responses": True, "recent_read": True}),
    (CONVERSION, "three values", {"values": TYPED_VALUES}),
    (
        INTERRUPTED_MEETING,
        "clearing, crashes only",
        {"values": BLANK_AND_VALUE, "lost_responses": False},
    ),
)
WIDE: Final = tuple(
    replace(scenario, name=f"{scenario.name}; {wider}", **bounds)
    for scenario, wider, bounds in _WIDER
)
"""The same scenarios with wider bounds; they take many minutes."""
