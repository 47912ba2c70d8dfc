"""The policy table of docs/mapping.md, slow and obvious: an independent judge of each decision."""

from __future__ import annotations

from dataclasses import dataclass

from connector.mapping import ConflictPolicy, Direction, FieldPair, MappingConfig
from connector.model import MergeRule, RecordKind, Side


@dataclass(frozen=True, slots=True)
class Contender:
    """One value in a conflict: its side, and when its record was modified ('': unknown)."""

    side: Side
    value: str
    modified: str


def wins(policy: ConflictPolicy, winner: Contender, overwritten: Contender) -> bool:
    """Return whether the first of two values in conflict may replace the second.

    `fill_blank` replaces blanks only, `most_restrictive` only what is not ticked, `hold` nothing.
    """
    match policy:
        case ConflictPolicy.HOLD:
            return False
        case ConflictPolicy.FILL_BLANK:
            return not overwritten.value
        case ConflictPolicy.MOST_RESTRICTIVE:
            return bool(winner.value)
        case ConflictPolicy.PLEZI_WINS if winner.side is not overwritten.side:
            return winner.side is Side.PLEZI
        case ConflictPolicy.SALESFORCE_WINS if winner.side is not overwritten.side:
            return winner.side is Side.SALESFORCE
        case _:
            return _is_newer(winner, overwritten)


def _is_newer(winner: Contender, overwritten: Contender) -> bool:
    """Compare the times of the records; Salesforce wins if they are equal."""
    if not winner.modified or not overwritten.modified:
        return True  # a time is unknown: either may win
    if winner.modified == overwritten.modified:
        return winner.side is Side.SALESFORCE or winner.side is overwritten.side
    return winner.modified > overwritten.modified


def find_pair(mapping: MappingConfig, kind: RecordKind, field: str) -> FieldPair | None:
    """Return the active pair of a field, or None."""
    for pair in mapping.pairs:
        if pair.direction is not Direction.OFF and field_of(pair, kind) == field:
            return pair
    return None


def field_of(pair: FieldPair, kind: RecordKind) -> str:
    """Return the field of a pair in a kind of record ('': none)."""
    match kind:
        case RecordKind.PLEZI_CONTACT:
            return pair.plezi
        case RecordKind.LEAD:
            return pair.salesforce
        case _:
            return pair.contact


def refills(policy: ConflictPolicy, old: str, new: str) -> bool:
    """Return whether a policy writes an older value over a newer one: it only ever fills."""
    if policy is ConflictPolicy.FILL_BLANK:
        return not old and bool(new)
    return policy is ConflictPolicy.MOST_RESTRICTIVE and bool(new)


def is_overruled(pair: FieldPair, side: Side) -> bool:
    """Return whether edits on this side give way: the pair is one-way, towards it."""
    return not pair.direction.can_send(side) and pair.direction.can_receive(side)


RULES_OF_A_LOSS = frozenset(
    {
        MergeRule.NEWEST, MergeRule.PLEZI_WINS, MergeRule.SALESFORCE_WINS, MergeRule.FILL_BLANK,
        MergeRule.MOST_RESTRICTIVE, MergeRule.CHOSEN, MergeRule.JOINED, MergeRule.ONE_WAY,
        MergeRule.ENFORCED, MergeRule.CHANGED,
        MergeRule.OLDEST_LEAD, MergeRule.EDITED, MergeRule.CONTACT_WINS, MergeRule.REPEATED,
        MergeRule.IN_DOUBT,
    }
)  # fmt: skip
"""The rules by which a typed value may give way; the journal names one of them."""
