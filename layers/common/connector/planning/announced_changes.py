"""Changes that a run must announce: values that it clears, and typed values that it overwrites.

A single one is an edit or a conflict; very many may be an accident. Both are counted by field pair,
one for each record: 59 Leads of one address that lose their names are 59, although they are one
link.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from connector.mapping import BoundMapping, BoundPair
from connector.mapping.bound import TO_SALESFORCE_ONLY
from connector.model import Link, MergeRule, Overwritten, Side, Write
from connector.planning.plan import Plan

MAX_OVERWRITTEN_OF_LINK: Final = 5
"""Records of one link in which one field may be overwritten. A person has two to five Leads by
mistake; an address whose records have more different values is used by many people. Chosen, not
measured."""
NOT_ANNOUNCED: Final = frozenset({MergeRule.CHOSEN, MergeRule.MOST_RESTRICTIVE, MergeRule.REPEATED})
"""Rules that overwrite without a limit: an admin chose the value, a consent is withdrawn, or a
write is made again."""
MAPPED: Final = frozenset({MergeRule.ONE_WAY, MergeRule.ENFORCED})
"""Rules by which the mapping says that an edit of the receiving side gives way. They count only
where the record never agreed: the mapping is new for it then, and the value was typed before."""


class ChangeKind(StrEnum):
    """What is counted: the counters of a run begin with these words."""

    CLEARED = "cleared"
    OVERWRITTEN = "overwritten"


class FieldChange(NamedTuple):
    """One kind of change of one field pair on the side that is written to."""

    side: Side
    kind: ChangeKind
    pair: str

    @property
    def counter(self) -> str:
        """The name of its counter in the counts of a run."""
        return f"{self.kind.value}.{self.pair}"


@dataclass(frozen=True, slots=True)
class ChangeLimits:
    """How many records one run may change in one field, by kind of change.

    `share` is a fraction of all people; the larger of the number and the share is the limit.
    """

    cleared: int
    overwritten: int
    share: float

    def number(self, kind: ChangeKind, people: int) -> int:
        """Return the limit for a field when so many people are synchronized (0: not known)."""
        smallest = self.cleared if kind is ChangeKind.CLEARED else self.overwritten
        return max(smallest, int(self.share * people))


def changes_of(plan: Plan, bound: BoundMapping) -> Counter[FieldChange]:
    """Return how many records a plan changes, by kind of change and field."""
    return Counter(
        change for write in plan.writes for change in changes_of_write(plan, write, bound)
    )


def changes_of_write(plan: Plan, write: Write, bound: BoundMapping) -> list[FieldChange]:
    """Return the changes of one write of a plan; a record that is created loses no value.

    A value that is cleared counts as cleared, whatever the rule is. An undo overwrites every value
    that it does not clear: nobody typed it in this record, but all are announced.
    """
    if write.is_create:
        return []
    undone = {it.pair for it in plan.base_updates if it.rule is MergeRule.UNDONE}
    giving_way = {it.pair: it for it in plan.overwritten if it.record_id == write.record_id}
    changes = []
    for name, value in write.values.items():
        pair = bound.by_field.get((write.kind, name))
        if pair is None or pair.is_blank(write.side, write.before.get(name)):
            continue
        if pair.is_blank(write.side, value):
            changes.append(FieldChange(write.side, ChangeKind.CLEARED, pair.key))
        elif pair.key in undone or (
            (it := giving_way.get(pair.key)) is not None and _is_announced(it, pair, plan.link)
        ):
            changes.append(FieldChange(write.side, ChangeKind.OVERWRITTEN, pair.key))
    return changes


def _is_announced(value: Overwritten, pair: BoundPair, link: Link) -> bool:
    """Return whether an overwritten value must be announced.

    What Plezi computes (score, state, page address) is typed by no user on either side: an org that
    an earlier connector filled has other values there.
    """
    if pair.pair.plezi in TO_SALESFORCE_ONLY:
        return False
    if value.rule in MAPPED:
        return pair.base_keys[value.kind] not in link.base.get(value.record_id, {})
    return value.rule not in NOT_ANNOUNCED


def overwrites(plan: Plan, bound: BoundMapping) -> bool:
    """Return whether a plan overwrites a typed value that must be announced."""
    return any(change.kind is ChangeKind.OVERWRITTEN for change in changes_of(plan, bound))


def overwrites_many(plan: Plan, bound: BoundMapping) -> bool:
    """Return whether a plan alone overwrites one field in more records than one person has."""
    if len(plan.overwritten) <= MAX_OVERWRITTEN_OF_LINK:
        return False
    numbers = Counter(
        change.pair
        for change in changes_of(plan, bound).elements()
        if change.kind is ChangeKind.OVERWRITTEN
    )
    return max(numbers.values(), default=0) > MAX_OVERWRITTEN_OF_LINK


def counted_changes(counts: Mapping[str, Mapping[str, int]]) -> Counter[FieldChange]:
    """Return the changes that the counts of a run hold, by side and counter."""
    found: Counter[FieldChange] = Counter()
    for side, numbers in counts.items():
        for name, number in numbers.items():
            kind, _, pair = name.partition(".")
            if pair and kind in frozenset(ChangeKind):
                found[FieldChange(Side(side), ChangeKind(kind), pair)] = number
    return found
