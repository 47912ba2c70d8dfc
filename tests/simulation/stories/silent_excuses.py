"""Why a write may replace a value without an entry in the journal: nothing is lost that counts.

Each function says on which documented rule it rests, and is asked about one written value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.simulation.history.typing_history import NOBODY, Relation
from tests.simulation.stories import open_findings
from tests.simulation.stories.excuses import (
    Excuse,
    fills_by_policy,
    is_chosen,
    is_later_edit,
    is_unsent_edit_of_contact,
    ticks_by_policy,
)
from tests.simulation.stories.written_value import WrittenValue


def is_weak_blank(value: WrittenValue) -> bool:
    """Whether a blank is filled that the connector cannot tell from one that nobody cleared.

    README.md: "a clearing in a record that never agreed: a first meeting fills blanks". It does
    not hold for a clearing of what was agreed on, or was shown by a hold.
    """
    return value.relation is Relation.UNSURE and value.fills


def is_typed_over(value: WrittenValue) -> bool:
    """Whether another record has what was typed over the replaced value, and that is decided now.

    README.md, the guarantee: "or a user who could see it typed over it". Only where the later value
    takes part, and is the written one, or gives way in this plan too: there it is checked itself.
    """
    lost = value.lost.typing
    for other in value.others():
        if other == value.source:
            continue
        state = value.before[other]
        if lost in state.seen and state.typing not in (NOBODY, lost):
            is_won = state.typing == value.won.typing or state.typing in value.won.seen
            if is_won or value.gives_way(other):
                return True
    return False


def joins_agreed_blank(value: WrittenValue) -> bool:
    """Whether a record that never agreed fills a clearing on which all others have agreed.

    docs/people.md, a first match: "A field with a value on one side only fills the other side". A
    clearing that was not sent yet is an edit: it does not hold for that one, nor where one of the
    others still has a value. A Contact is never written to, and may keep one; so may a record
    that has not taken over the agreed blank yet.
    """
    blank = value.person.configuration.is_blank
    others = [it for it in value.others() if it != value.source and it[0] != "c"]
    cells = {it: value.person.records.cell(it, value.key) for it in others}
    since = value.cell.agreed_after
    agreed = [it for it in others if value.has_agreed(it) and cells[it].agreed_after >= since]
    return (
        value.fills
        and not value.has_agreed(value.source)
        and not value.cell.is_edited
        and all(blank(value.before[it].value) for it in agreed)
    )


def is_later_edit_over_blank(value: WrittenValue) -> bool:
    """Whether a record that is never written to was edited after the others agreed on a blank.

    docs/people.md: "edit a flagged Contact beside a Lead, which had another value than they agreed
    on: the edit reaches Plezi and the Lead"; the sending side of a one-way pair is the same. Such a
    record does not show the clearing: its next edit is typed after it. The journal keeps values,
    and this is none.
    """
    return value.fills and is_later_edit(value)


def is_chosen_over_blank(value: WrittenValue) -> bool:
    """Whether an admin chose a value, and saw that it fills a blank on which all have agreed.

    docs/glossary.md, hold: "One field that waits for a decision of an admin". The journal keeps
    values, and this is none. It does not hold for a clearing since the agreement.
    """
    is_agreed = value.has_agreed(value.target) and not value.cell.is_edited
    return value.fills and is_agreed and is_chosen(value)


def refills_agreed_blank(value: WrittenValue) -> bool:
    """Whether the policy fills a blank on which the records have agreed.

    docs/mapping.md, `fill_blank`: "Only blank values are filled", and `most_restrictive`. A
    Contact, which is never written to, or a Lead that comes back, still has a value. The clearing
    is no edit any more.
    """
    is_policy = fills_by_policy(value) or ticks_by_policy(value)
    return is_policy and not value.cell.is_edited and value.has_agreed(value.target)


def is_seen_elsewhere(value: WrittenValue) -> bool:
    """Whether the author of the written value saw the same value as the replaced one elsewhere.

    docs/architecture.md, the merge of one field: "a, b, b: agreed". Two users typed the same,
    mostly a blank, over the same values; who typed over one of them typed over both.
    """
    sights = value.person.records.sights
    replaced = max(value.lost.seen - {value.lost.typing}, default=NOBODY)
    return any(
        it > replaced and sights.is_same(sights.typings[it].value, value.lost.value)
        for it in value.won.seen - {value.won.typing}
    )


def fills_own_blank(value: WrittenValue) -> bool:
    """Whether a blank record that is never written to fills what was cleared just after its edit.

    README.md: "a clearing, where somebody typed just before it in a blank record that is never
    written to".
    """
    return is_unsent_edit_of_contact(value)


def fills_after_pointing(value: WrittenValue) -> bool:
    """Whether a blank is filled in a pair that was pointed at another attribute, and back.

    docs/questions.md: "That is a new pair: ... a blank is filled": its records meet for
    the first time. What was typed while the other one was mapped was read in that pair.
    """
    cells = (value.source_cell, value.cell)
    return value.fills and value.person.was_moved and any(it.is_forgotten for it in cells)


SILENT: Final[Sequence[Excuse]] = (
    is_weak_blank,
    is_typed_over,
    joins_agreed_blank,
    is_later_edit_over_blank,
    is_chosen_over_blank,
    refills_agreed_blank,
    is_seen_elsewhere,
    fills_own_blank,
    fills_after_pointing,
    open_findings.open_edit_after_redirection,
)
