"""The scenarios of the model.

All have in common: one two-way field (and the page URL, where records are created), one person, any
number of runs one after the other, and users who edit without end. A run has three passes, as in
`connector.sync`. Concurrent runs are not modelled: rule 1 is the ledger's conditional put, which
has its own tests.

`SCENARIOS` take some minutes together. These are their bounds; `WIDE` (in `wide_scenarios`) removes
most of them:

* *Values.* No rule depends on which value is typed, and three values make every pattern of two
  current values and their base, conflicts included. Only records that never agreed distinguish a
  clearing from another value. So the clearing is among the values where records match for the first
  time, and there one value less is enough for each rule, but not for a conflict after the first
  agreement.
* *Other edits.* The edit of another field changes a version and no value; typing a value and
  reverting it does the same in two steps. So other edits are in the scenarios of edits only.
* *Lost responses.* A run that loses a response continues. This differs from a crash only if it has
  another write to make, so it is left out where a run rarely makes two.
* *Recent reads.* If the Plezi contact was read recently and is not read again, only the window
  between the read and the write is wider, and that window exists anyway.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.mapping import ConflictPolicy, DuplicatePolicy
from connector.model import RecordKind
from tests.simulation.protocol.records import TYPED_VALUES, Record
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.variants import (
    AGREED_BY_FIELD,
    BLANKS_CHOSEN,
    CHOICE_LASTS,
    CLEARED_MEANS_NEW,
    MEETING_FORGOTTEN,
    PERSON_REFUSED,
    REFUSED_NOT_STORED,
)

PLEZI_CONTACT: Final = Record(RecordKind.PLEZI_CONTACT, "p", "a")
LEAD: Final = Record(RecordKind.LEAD, "l1", "a")
CONTACT: Final = Record(RecordKind.CONTACT, "c", "a")
LEAD_WITH_URL: Final = LEAD._replace(url=True)
BLANK_AND_VALUE: Final = (None, "a")
BLANK_AND_TWO_VALUES: Final = (None, "a", "b")
TWO_VALUES: Final = ("a", "b")

# Edits of linked records that agree, with all faults; one scenario for each policy.
EDITS: Final = Scenario(
    name="edits, Salesforce wins",
    records=(LEAD, PLEZI_CONTACT),
    values=TYPED_VALUES,
    other_edits=True,
    lost_responses=True,
    recent_read=True,
)
PLEZI_WINS: Final = replace(EDITS, name="edits, Plezi wins", policy=ConflictPolicy.PLEZI_WINS)
HOLD: Final = replace(EDITS, name="edits, a conflict is held", policy=ConflictPolicy.HOLD)
NEWEST: Final = replace(
    EDITS,
    name="edits, the newest wins",
    policy=ConflictPolicy.NEWEST,  # also compares the timestamps: four times the states
    other_edits=False,
    lost_responses=False,
    recent_read=False,
)
REJECTED: Final = replace(
    EDITS,
    name="edits, Salesforce rejects c",
    values=("a", "c"),  # a rule depends on `c`, so that values have no symmetry here
    rejected="c",
)
# Fields that are held, and an admin who chooses one of the values shown, at any moment and again.
# Records that agree on a blank have conflicts of two values; three values are in WIDE.
CHOICE: Final = replace(
    HOLD,
    name="an admin chooses a held value",
    records=(LEAD._replace(value=None), PLEZI_CONTACT._replace(value=None)),
    values=TWO_VALUES,
    other_edits=False,
    choices=True,
)
CHOICE_WITH_BLANK: Final = replace(
    CHOICE,
    name="an admin chooses, a Contact is blank",
    # Nobody types in the Contact, so that its blank is one that nobody typed.
    records=(CONTACT._replace(value=None), *CHOICE.records),
    lost_responses=False,
    recent_read=False,
    unedited=frozenset({CONTACT.id}),
)

# Creation: a first run reads one record and creates the other. Clearing matters: a blank is not
# written to a new record. A Plezi contact has no URL when it is created, which takes a second pass.
LEAD_CREATION: Final = Scenario(
    name="a Lead is created",
    records=(PLEZI_CONTACT,),
    values=BLANK_AND_TWO_VALUES,
    linked=False,
    with_url=True,
    lost_responses=True,
    recent_read=True,
)
PLEZI_CREATION: Final = replace(
    LEAD_CREATION,
    name="a Plezi contact is created",
    records=(LEAD,),
    values=TYPED_VALUES,  # conflicts after the creation; the next scenario has the clearing
    lost_responses=False,
    recent_read=False,
)
PLEZI_CREATION_CLEARED: Final = replace(
    PLEZI_CREATION,
    name="a Plezi contact is created, the field is cleared",
    values=BLANK_AND_VALUE,
    lost_responses=True,
    recent_read=True,
)
PLEZI_RACE: Final = replace(
    LEAD_CREATION,
    name="a user creates the Plezi contact too",
    records=(LEAD,),
    values=TWO_VALUES,
    one_time_events=("add p",),
)
LEAD_RACE: Final = replace(
    LEAD_CREATION,
    name="a user creates a Lead too",
    values=("b",),  # the Plezi contact has `a`, the other Lead has `b`
    one_time_events=("add l2",),
    lost_responses=False,
    recent_read=False,
)
FIRST_MATCH: Final = Scenario(
    name="records with one e-mail match for the first time",
    records=(LEAD._replace(value="b"), PLEZI_CONTACT),
    values=BLANK_AND_TWO_VALUES,
    linked=False,
    recent_read=True,
)
# A value that Salesforce refuses by the name of its field, in a creation and in an update that
# carry the page URL too: the URL arrives, and later edits do.
REFUSED_CREATION: Final = replace(
    LEAD_CREATION,
    name="a field is refused when a Lead is created",
    values=("a", "c"),
    rejected="c",
    names_rejected=True,
)
REFUSED_UPDATE: Final = replace(
    REFUSED_CREATION,
    name="a field is refused in an update",
    records=(LEAD_WITH_URL, PLEZI_CONTACT),
    linked=True,
    one_time_events=("clear_url l1",),
)

# A first meeting that is interrupted: the Lead has the page URL, which agrees first, or receives it
# in the same write as the field. From then on the link is known, and the meeting of the field is
# not over. The blank is in the scenario with the URL; without it, it is in WIDE.
INTERRUPTED_MEETING: Final = replace(
    FIRST_MATCH,
    name="a first meeting is interrupted",
    policy=ConflictPolicy.NEWEST,
    values=TWO_VALUES,
    with_url=True,
    lost_responses=True,
    recent_read=False,
)
INTERRUPTED_MEETING_WITH_URL: Final = replace(
    INTERRUPTED_MEETING,
    name="a first meeting is interrupted, the URL agrees",
    records=(LEAD_WITH_URL._replace(value="b"), PLEZI_CONTACT),
    values=BLANK_AND_VALUE,
)

# Records that end or come back: linked and agreed, and an event happens once at any moment.
LEAD_DELETION: Final = Scenario(
    name="a Lead is deleted and undeleted",
    records=(LEAD_WITH_URL, PLEZI_CONTACT),
    values=TYPED_VALUES,
    one_time_events=("delete l1", "undelete l1"),
    with_url=True,
    lost_responses=True,
    recent_read=True,
)
LEAD_AND_CONTACT: Final = Scenario(
    name="a Lead is undeleted next to a Contact",
    # The deletion at any moment is in WIDE. About clearing, see docs/architecture.md.
    records=(CONTACT, LEAD._replace(deleted=True), PLEZI_CONTACT),
    values=TWO_VALUES,
    one_time_events=("undelete l1",),
)
PLEZI_DELETION: Final = replace(
    LEAD_DELETION, name="a Plezi contact is deleted", one_time_events=("delete p",)
)
CONVERSION: Final = replace(
    LEAD_DELETION,
    name="a Lead is converted",
    values=TWO_VALUES,  # a conflict needs a third value: see WIDE
    one_time_events=("convert",),
)
# Without the page URL, which is unique: it would keep a second Lead out of the org by itself.
EMAIL_CLEARED: Final = replace(
    LEAD_DELETION,
    name="the e-mail of a Lead is cleared and set again",
    records=(LEAD, PLEZI_CONTACT),
    one_time_events=("clear_email l1", "set_email l1"),
    with_url=False,
)
# The mapping changes between two runs, also while an intent is unfinished. A pair that is pointed
# elsewhere has another value there; nobody types in an attribute that is not mapped.
PAIR_REMOVED: Final = replace(
    LEAD_DELETION,
    name="a pair is removed from the mapping and added again",
    policy=ConflictPolicy.NEWEST,
    records=(LEAD_WITH_URL._replace(value=None), PLEZI_CONTACT._replace(value=None)),
    values=TWO_VALUES,  # records that agree on a blank have conflicts of two values
    one_time_events=("unmap", "map"),
    lost_responses=False,
    recent_read=False,
)
PAIR_REMOVED_CLEARED: Final = replace(
    PAIR_REMOVED,
    name="a pair is removed and added, the field is cleared",
    records=(LEAD_WITH_URL, PLEZI_CONTACT),
    values=BLANK_AND_VALUE,
)
PAIR_REPOINTED: Final = replace(
    PAIR_REMOVED,
    name="a pair is pointed at another attribute and back",
    records=(LEAD_WITH_URL, PLEZI_CONTACT._replace(other="b")),
    one_time_events=("point mobile", "point phone"),
)
MIRROR, PRIMARY_LEAD = (
    replace(
        LEAD_DELETION,
        name=f"two Leads with one e-mail, {duplicates.value}",
        # Three records make a conflict of two values. About clearing, see docs/architecture.md.
        values=TWO_VALUES,
        one_time_events=("add l2",),
        duplicates=duplicates,
        lost_responses=False,
        recent_read=duplicates is DuplicatePolicy.SURVIVOR,
    )
    for duplicates in (DuplicatePolicy.MIRROR, DuplicatePolicy.SURVIVOR)
)

SCENARIOS: Final = (
    LEAD_RACE,
    MIRROR,
    PLEZI_CREATION,
    NEWEST,
    EMAIL_CLEARED,
    LEAD_DELETION,
    LEAD_AND_CONTACT,
    LEAD_CREATION,
    FIRST_MATCH,
    PAIR_REPOINTED,
    PAIR_REMOVED,
    CHOICE_WITH_BLANK,
    CONVERSION,
    INTERRUPTED_MEETING_WITH_URL,
    PLEZI_RACE,
    PLEZI_CREATION_CLEARED,
    PLEZI_DELETION,
    INTERRUPTED_MEETING,
    PRIMARY_LEAD,
    EDITS,
    PLEZI_WINS,
    HOLD,
    CHOICE,
    REFUSED_UPDATE,
    PAIR_REMOVED_CLEARED,
    REFUSED_CREATION,
    REJECTED,
)
"""The biggest first, so that all processes end at about the same time."""
SCENARIOS_WITHOUT_PRECONDITION: Final = (
    EMAIL_CLEARED,
    LEAD_CREATION,
    FIRST_MATCH,
    CONVERSION,
    LEAD_DELETION,
    LEAD_AND_CONTACT,
    PLEZI_RACE,
    PLEZI_DELETION,
    PRIMARY_LEAD,
    PLEZI_CREATION_CLEARED,
    EDITS,
    PLEZI_WINS,
    HOLD,
    CHOICE,
    REFUSED_UPDATE,
    REFUSED_CREATION,
    REJECTED,
)
"""The scenarios that are also checked without a precondition, as the real systems have none."""
WEAKER_ELSEWHERE: Final = (
    (INTERRUPTED_MEETING, MEETING_FORGOTTEN),
    (EMAIL_CLEARED, CLEARED_MEANS_NEW),
    (CHOICE, CHOICE_LASTS),
    (REFUSED_CREATION, PERSON_REFUSED),
    (REFUSED_UPDATE, PERSON_REFUSED),
    (REFUSED_CREATION, REFUSED_NOT_STORED),
    (PAIR_REPOINTED, AGREED_BY_FIELD),
    (CHOICE_WITH_BLANK, BLANKS_CHOSEN),
)
"""Weaker protocols that fail in the scenario of the rule that they break; others fail in EDITS."""
