"""The stories that are told in every way they can go.

What is common to all: one two-way field (and the page address, where records are made), one person,
any number of runs one after the other, and people who type for ever. A run has three passes, as the
engine's. Two runs at once are left out: rule 1 is the ledger's conditional put, which is tested for
itself.

`SCENARIOS` close within a minute together. Their bounds are these, and `WIDE` lifts most of them:

* *Words.* No rule tells one word from another, and three of them make every pattern that two voices
  and their base can make, a conflict too. A clearing is told apart from a word only by those who
  never agreed: so it is among the words where strangers meet, and there one word less is enough for
  each rule, but not for a conflict after the first agreement.
* *Touches.* Editing another field moves a version and no value; typing a word and taking it back
  does the same in two steps. So touches are left to the stories of typing.
* *Deaf.* A run that hears no answer goes on, which differs from its death only where it has another
  write still to make. Left out where a run seldom makes two.
* *Fresh.* That Plezi was read just now and is not looked at again only widens the window between
  reading and writing, which stands open anyway.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from connector.mapping import ConflictPolicy, DuplicatePolicy
from connector.model import RecordKind
from tests.simulation.protocol.records import WORDS, Record
from tests.simulation.protocol.scenario import Scenario

PERSON: Final = Record(RecordKind.PLEZI_CONTACT, "p", "a")
LEAD: Final = Record(RecordKind.LEAD, "l1", "a")
CONTACT: Final = Record(RecordKind.CONTACT, "c", "a")
LINKED_LEAD: Final = LEAD._replace(url=True)
BLANK_OR_WORD: Final = (None, "a")
BLANK_OR_WORDS: Final = (None, "a", "b")
TWO_WORDS: Final = ("a", "b")

# Typing: linked and agreed, in full; the policies one by one.
TYPING: Final = Scenario(
    name="typing, Salesforce wins",
    records=(LEAD, PERSON),
    words=WORDS,
    touches=True,
    deaf=True,
    fresh=True,
)
PLEZI_WINS: Final = replace(TYPING, name="typing, Plezi wins", policy=ConflictPolicy.PLEZI_WINS)
HELD: Final = replace(TYPING, name="typing, a conflict is held", policy=ConflictPolicy.HOLD)
NEWEST: Final = replace(
    TYPING,
    name="typing, the newest wins",
    policy=ConflictPolicy.NEWEST,  # stamps of both sides are compared too: four times the states
    touches=False,
    deaf=False,
    fresh=False,
)
REFUSED: Final = replace(
    TYPING,
    name="typing, Salesforce refuses c",
    words=("a", "c"),  # `c` is told apart, so that words have no symmetry here
    refused="c",
)

# Creation: a first run meets one record, and makes the other. Clearing matters: a blank is not told
# to a new record. Plezi's contact is made without the address, which takes a second pass.
LEAD_CREATION: Final = Scenario(
    name="a Lead is created",
    records=(PERSON,),
    words=BLANK_OR_WORDS,
    linked=False,
    with_url=True,
    deaf=True,
    fresh=True,
)
PLEZI_CREATION: Final = replace(
    LEAD_CREATION,
    name="a Plezi contact is created",
    records=(LEAD,),
    words=WORDS,  # conflicts after the creation; a clearing is the next one's
    deaf=False,
    fresh=False,
)
PLEZI_CREATION_CLEARED: Final = replace(
    PLEZI_CREATION,
    name="a Plezi contact is created, the field is cleared",
    words=BLANK_OR_WORD,
    deaf=True,
    fresh=True,
)
PLEZI_RACE: Final = replace(
    LEAD_CREATION,
    name="a person creates the Plezi contact too",
    records=(LEAD,),
    words=TWO_WORDS,
    chances=("add p",),
)
LEAD_RACE: Final = replace(
    LEAD_CREATION,
    name="a person creates a Lead too",
    words=("b",),  # told `a` by Plezi and `b` by the other Lead
    chances=("add l2",),
    deaf=False,
    fresh=False,
)
MATCHING: Final = Scenario(
    name="strangers of one e-mail meet",
    records=(LEAD._replace(value="b"), PERSON),
    words=BLANK_OR_WORDS,
    linked=False,
    fresh=True,
)

# What ends, and what comes back: linked and agreed, and something happens once at any moment.
DELETION: Final = Scenario(
    name="a Lead is deleted, and undeleted",
    records=(LINKED_LEAD, PERSON),
    words=WORDS,
    chances=("delete l1", "undelete l1"),
    with_url=True,
    deaf=True,
    fresh=True,
)
BESIDE_A_CONTACT: Final = Scenario(
    name="a Lead comes back beside a Contact",
    records=(CONTACT, LEAD._replace(deleted=True), PERSON),  # its deletion, at any moment: wide
    words=TWO_WORDS,  # on clearing, see architecture.md
    chances=("undelete l1",),
)
PLEZI_DELETION: Final = replace(DELETION, name="a Plezi contact is deleted", chances=("delete p",))
CONVERSION: Final = replace(
    DELETION,
    name="a Lead is converted",
    words=TWO_WORDS,  # a conflict needs a third: wide
    chances=("convert",),
)
TWINS: Final = tuple(
    replace(
        DELETION,
        name=f"two Leads of one e-mail, {duplicates.value}",
        words=TWO_WORDS,  # three voices make a conflict of two; on clearing, see architecture.md
        chances=("add l2",),
        duplicates=duplicates,
        deaf=False,
        fresh=duplicates is DuplicatePolicy.SURVIVOR,
    )
    for duplicates in (DuplicatePolicy.MIRROR, DuplicatePolicy.SURVIVOR)
)
MIRROR, SURVIVOR = TWINS

SCENARIOS: Final = (
    LEAD_RACE,
    MIRROR,
    PLEZI_CREATION,
    NEWEST,
    DELETION,
    BESIDE_A_CONTACT,
    LEAD_CREATION,
    MATCHING,
    CONVERSION,
    PLEZI_RACE,
    PLEZI_CREATION_CLEARED,
    PLEZI_DELETION,
    SURVIVOR,
    TYPING,
    PLEZI_WINS,
    HELD,
    REFUSED,
)
"""Each subject once, biggest first, so that the cores end together."""
AS_THEY_ARE: Final = (
    LEAD_CREATION,
    MATCHING,
    CONVERSION,
    DELETION,
    BESIDE_A_CONTACT,
    PLEZI_RACE,
    PLEZI_DELETION,
    SURVIVOR,
    PLEZI_CREATION_CLEARED,
    TYPING,
    PLEZI_WINS,
    HELD,
    REFUSED,
)
"""Those that are also explored without a precondition, as the real systems are."""
_WIDER: Final[tuple[tuple[Scenario, str, dict[str, Any]], ...]] = (
    (TYPING, "clearing", {"words": (None, *WORDS)}),
    (MATCHING, "three words, deaf", {"words": WORDS, "deaf": True}),
    (LEAD_CREATION, "touches", {"touches": True}),
    (DELETION, "clearing", {"words": BLANK_OR_WORDS}),
    (PLEZI_DELETION, "clearing", {"words": BLANK_OR_WORDS}),
    (DELETION, "another is made", {"words": TWO_WORDS, "chances": ("delete l1", "add l2")}),
    (
        BESIDE_A_CONTACT,
        "deleted too",
        {"records": (CONTACT, LEAD, PERSON), "chances": ("delete l1", "undelete l1")},
    ),
    (CONVERSION, "clearing", {"words": BLANK_OR_WORD}),
    (SURVIVOR, "three words", {"words": WORDS}),
    (NEWEST, "touches, deaf", {"touches": True, "deaf": True}),
    (PLEZI_CREATION, "clearing, deaf", {"words": BLANK_OR_WORDS, "deaf": True, "fresh": True}),
    (PLEZI_RACE, "three words", {"words": WORDS}),
    (LEAD_RACE, "two words, deaf", {"words": TWO_WORDS, "deaf": True, "fresh": True}),
    (MIRROR, "deaf", {"deaf": True, "fresh": True}),
    (CONVERSION, "three words", {"words": WORDS}),
)
WIDE: Final = tuple(
    replace(scenario, name=f"{scenario.name}; {wider}", **bounds)
    for scenario, wider, bounds in _WIDER
)
"""The same with wider bounds, for whoever has minutes."""
