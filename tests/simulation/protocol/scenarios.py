"""The stories that are told in every way they can go."""

from __future__ import annotations

from typing import Final

from connector.mapping import Duplicates, Policy
from connector.model import Kind
from tests.simulation.protocol.model import Scenario
from tests.simulation.protocol.records import Record

PERSON: Final = Record(Kind.PLEZI_CONTACT, "p", "a")
LEAD: Final = Record(Kind.LEAD, "l1", "a")
LINKED_LEAD: Final = LEAD._replace(url=True)
TYPING: Final = Scenario("typing, Salesforce wins", (LEAD, PERSON))
NEWEST: Final = Scenario(
    "typing, the newest wins",
    (LEAD, PERSON),
    policy=Policy.NEWEST,
    touches=False,
    deaf=False,
    fresh=False,
)
HELD: Final = Scenario("typing, a conflict is held", (LEAD, PERSON), policy=Policy.HOLD)
REFUSED: Final = Scenario(
    "typing, Salesforce refuses c", (LEAD, PERSON), words=("a", "c"), refused="c"
)
BLANK_OR_WORD: Final = (None, "a", "b")
CREATION: Final = Scenario(
    "a Lead is created",
    (PERSON,),
    words=BLANK_OR_WORD,
    linked=False,
    with_url=True,
    touches=False,
)
CONTACT_CREATION: Final = Scenario(
    "a Plezi contact is created",
    (LEAD,),
    words=BLANK_OR_WORD,
    linked=False,
    with_url=True,
    touches=False,
)
MATCHING: Final = Scenario(
    "strangers of one e-mail meet",
    (LEAD._replace(value="b"), PERSON),
    words=BLANK_OR_WORD,
    linked=False,
    touches=False,
    deaf=False,
)
DELETION: Final = Scenario(
    "a Lead is deleted",
    (LINKED_LEAD, PERSON),
    words=("a", "b"),
    chances=("delete l1",),
    with_url=True,
    touches=False,
)
PLEZI_DELETION: Final = Scenario(
    "a Plezi contact is deleted",
    (LINKED_LEAD, PERSON),
    words=("a", "b"),
    chances=("delete p",),
    with_url=True,
    touches=False,
)
CONVERSION: Final = Scenario(
    "a Lead is converted",
    (LINKED_LEAD, PERSON),
    words=("a", "b"),
    chances=("convert",),
    with_url=True,
    touches=False,
)
TWINS: Final = tuple(
    Scenario(
        f"two Leads of one e-mail, {duplicates.value}",
        (LINKED_LEAD, PERSON),
        words=("a", "b"),
        chances=("add l2",),
        duplicates=duplicates,
        with_url=True,
        touches=False,
        deaf=False,
    )
    for duplicates in (Duplicates.MIRROR, Duplicates.SURVIVOR)
)
SCENARIOS: Final = (
    TYPING,
    NEWEST,
    HELD,
    REFUSED,
    CREATION,
    CONTACT_CREATION,
    MATCHING,
    DELETION,
    PLEZI_DELETION,
    CONVERSION,
    *TWINS,
)
