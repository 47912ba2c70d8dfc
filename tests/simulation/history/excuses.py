"""The excuses of the oracle: each is named, counted, and valid for one field and one reason.

An excuse of a value that never arrived, or was replaced, names why the connector is not to blame.
`LIMITS` bounds how often an excuse may be used: an excuse that spreads hides a fault.
"""

from __future__ import annotations

from typing import Final

RACE: Final = "typed between the last read and the write"
RACE_OF_HOLD: Final = "typed between the last read and the hold of the field"
RACE_OF_STAMP: Final = "another field was typed between the last read and the write"
UNREAD_LEAD: Final = "a Lead was created after the last reading of the Leads"
REPLACED: Final = "typed again, within a minute, what a write replaced, in a Plezi without times"
UNSEEN: Final = "typed the value again that was read before"
UNSEARCHED: Final = "a creation had no answer, where contacts cannot be searched by e-mail"
RETYPED: Final = "every value of a contact whose creation had no answer was typed over"
SAME_AS_WRITE: Final = "typed exactly the value of an unfinished write"
UNSURE: Final = "unknown whether both sides had agreed"
JOINS: Final = "a record that joins takes the agreed value"
FILLS: Final = "a record that joins fills a cleared field"
OLDEST: Final = "of several Leads that meet for the first time, the oldest wins"
OLD_VALUE_BACK: Final = "typed the old value again over an unfinished write"
LOST_INTENT: Final = "the ledger was lost before an unfinished write was recovered"
HELD: Final = "the field is held with the values that the records have now"
REFUSED: Final = "the other system refused this field"
FILL_BLANK: Final = "fill_blank leaves two different values as they are"
ONE_WAY: Final = "an edit on the receiving side of a one-way pair stays there"
OTHER_SENDER: Final = "a one-way pair takes one of several values, and the journal names the others"
STAYS_TICKED: Final = "most_restrictive keeps a tick on the receiving side of a one-way pair"
KEPT: Final = "an admin chose the value of the receiving side of a one-way pair: it stays there"
SUSPENDED: Final = "a field of the pair is withdrawn or does not fit"
NO_EMAIL: Final = "a record without e-mail takes no part"
EMAIL_TAKEN: Final = "a record with the e-mail of another person takes no part until a decision"
LEFT_OUT: Final = "the duplicate policy leaves the record out"
CONTACT_KEEPS: Final = "a Contact keeps its value, which the journal names"
WEAK_BLANK: Final = "a clearing of a field that may never have had a value"
NOT_CREATED: Final = "its record was deleted, converted or has no e-mail, and is not created again"

LIMITS: Final = {
    RACE: 0.15,
    RACE_OF_HOLD: 0.01,
    RACE_OF_STAMP: 0.01,
    UNREAD_LEAD: 0.01,
    REPLACED: 0.01,
    UNSEEN: 0.01,
    UNSEARCHED: 0.01,
    RETYPED: 0.01,
    SAME_AS_WRITE: 0.02,
    OLD_VALUE_BACK: 0.1,
    UNSURE: 0.1,
    JOINS: 0.1,
    FILLS: 0.05,
    OLDEST: 0.1,
    LOST_INTENT: 0.02,
    HELD: 0.5,
    REFUSED: 0.05,
    FILL_BLANK: 0.4,
    ONE_WAY: 0.2,
    OTHER_SENDER: 0.01,
    STAYS_TICKED: 0.01,
    KEPT: 0.01,
    SUSPENDED: 1.0,
    NO_EMAIL: 0.5,
    EMAIL_TAKEN: 0.1,
    LEFT_OUT: 0.4,
    CONTACT_KEEPS: 0.1,
    WEAK_BLANK: 0.05,
    NOT_CREATED: 0.2,
}
"""How often an excuse may be used per history, on average of many histories."""
EXCUSES: Final = tuple(LIMITS)


def beyond_limit(excused: dict[str, int], histories: int) -> list[str]:
    """Return the excuses that were used more often than their limit allows.

    A few histories prove nothing: at least ten uses are always allowed.
    """
    return [
        name
        for name, number in excused.items()
        if number > max(10, LIMITS.get(name, 0.0) * histories)
    ]
