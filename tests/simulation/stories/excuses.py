"""Why a write may replace a value whose author its own author could not see: one rule each.

Each function says on which documented rule it rests. It is asked about one written value in one
pair, and holds for nothing else. `SILENT` need no entry in the journal, because nothing is lost
that was not typed over. All others need one. `ANY_ORDER` hold for an older value too, `CONFLICT`
only where neither author could see the other value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from connector.mapping import ConflictPolicy, FieldKind
from connector.model import RecordKind
from tests.simulation.history import reference
from tests.simulation.history.reference import Contender
from tests.simulation.history.typing_history import NOBODY, Relation
from tests.simulation.stories.written_value import WrittenValue

Excuse = Callable[[WrittenValue], bool]


# Without an entry in the journal


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
    return value.fills and _is_later_edit(value)


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


# With an entry in the journal, whichever was typed first


def is_chosen(value: WrittenValue) -> bool:
    """Whether an admin chose the written value, and could see the replaced one.

    docs/glossary.md, hold: "One field that waits for a decision of an admin". It does not hold for
    what was typed after the choice.
    """
    choice = value.person.choices.get(value.key)
    return (
        choice is not None
        and choice.typing == value.won.typing
        and (value.lost.typing in choice.shown or value.lost.typing in value.won.seen)
    )


def is_receiving_side(value: WrittenValue) -> bool:
    """Whether the pair goes in one direction, towards the written record.

    docs/mapping.md, `direction`; the rule `one_way`: "a change of the sending side replaces an edit
    on the receiving side".
    """
    direction = value.person.configuration.direction
    return not direction.can_send(value.kind.side) and direction.can_receive(value.kind.side)


def is_left_with_contacts(value: WrittenValue) -> bool:
    """Whether a Contact's value reaches a Plezi whose own value can go nowhere.

    docs/people.md: "The Contact takes over: its edits reach Plezi; it is never written". Only where
    no Lead takes part; an older value of the Contact may come back only in a first match, because
    a Contact that agreed sends its edits only.
    """
    return (
        value.kind is RecordKind.PLEZI_CONTACT
        and value.source_kind is RecordKind.CONTACT
        and not value.others(RecordKind.LEAD)
        and (value.relation is Relation.CONFLICT or not value.has_agreed(value.source))
    )


def fills_by_policy(value: WrittenValue) -> bool:
    """Whether the policy fills blanks, also those that a user made.

    docs/mapping.md, `fill_blank`: "Only blank values are filled".
    """
    is_filling = value.person.configuration.policy is ConflictPolicy.FILL_BLANK
    return is_filling and value.fills and not value.clears


def ticks_by_policy(value: WrittenValue) -> bool:
    """Whether a checkbox is ticked because another record has it ticked.

    docs/mapping.md, `most_restrictive`: "A checkbox that is ticked on one side is ticked on both".
    """
    configuration = value.person.configuration
    is_restrictive = configuration.policy is ConflictPolicy.MOST_RESTRICTIVE
    return is_restrictive and configuration.kind is FieldKind.CHECKBOX and value.new is True


# With an entry in the journal, in a conflict


def meets_again(value: WrittenValue) -> bool:
    """Whether an older value meets the later one again as any other value: it is in conflict.

    docs/people.md: "delete it and create it again: this is a first match" of a contact in Plezi,
    and "A pair that is pointed at another field is a new pair". It does not hold once both
    have agreed again, or a hold has shown the source.
    """
    cells = (value.source_cell, value.cell)
    return any(it.is_forgotten for it in cells) and not value.source_cell.shown


def is_later_edit(value: WrittenValue) -> bool:
    """Whether a known Contact was edited after the others agreed on the replaced value.

    docs/people.md: "what gives way is in the journal (`contact_wins`), because the Contact never
    showed it". It is an edit of what was agreed, and no conflict with it. It does not hold where
    the replaced value is an edit of its own.
    """
    return _is_later_edit(value)


def _is_later_edit(value: WrittenValue) -> bool:
    source, direction = value.source_cell, value.person.configuration.direction
    is_written = value.source_kind is not RecordKind.CONTACT
    is_written &= direction.can_receive(value.source_kind.side)
    return (
        not is_written
        and value.has_agreed(value.source)
        and value.won.typing > max(source.agreed_after, value.cell.agreed_after)
        and value.has_agreed(value.target)
        and not value.cell.is_edited
    )


def joins(value: WrittenValue) -> bool:
    """Whether a record that never agreed takes the value of others of its side that did.

    docs/architecture.md: "A record that joins later takes the value that the others agreed on; its
    own value is journalled".
    """
    if value.has_agreed(value.target):
        return False
    return any(value.has_agreed(it) for it in value.others() if value.side(it) is value.kind.side)


def rejoins(value: WrittenValue) -> bool:
    """Whether a Lead took no part while the others agreed, and has its value of before.

    docs/people.md: "undelete it: it takes the values that were typed in the meantime, its own value
    is journalled". It does not hold for what was typed in it since its last agreement.
    """
    records, cell = value.person.records, value.cell
    others = [records.cell(it, value.key) for it in records.by_id if it != value.target]
    return (
        cell.agreed is not None
        and not cell.is_edited
        and any(it.agreed_after > cell.agreed_after for it in others)
    )


def is_later_lead(value: WrittenValue) -> bool:
    """Whether a Lead that never agreed gives way beside one that was created before it.

    docs/people.md: "They are one person: the second takes the values of the first, which was
    created earlier".
    """
    created = value.person.records.by_id[value.target].created
    return (
        value.kind is RecordKind.LEAD
        and not value.has_agreed(value.target)
        and any(
            value.person.records.by_id[it].created < created for it in value.others(RecordKind.LEAD)
        )
    )


def wins_by_policy(value: WrittenValue) -> bool:
    """Whether the policy table lets the written value replace the other one.

    docs/mapping.md, the table of conflict policies. The replaced value counts for the side of its
    record, and for the one where it was typed.
    """
    policy = value.person.configuration.policy
    lost = value.person.records.sights.typings.get(value.lost.typing)
    sides = {value.kind.side} | (set() if lost is None else {value.side(lost.key[0])})
    winner = Contender(value.source_kind.side, str(value.new), value.modified(value.source))
    replaced = [
        Contender(side, str(value.lost.value), value.modified(value.target)) for side in sides
    ]
    return any(reference.wins(policy, winner, it) for it in replaced)


# Open: no document has the rule, and the planner should be corrected or the rule written down


def open_typed_in_blank_contact(value: WrittenValue) -> bool:
    """Whether a value was typed in the custom field of a Contact that a conversion left blank.

    docs/people.md says that it travels, and not that it replaces what its author could not see. It
    holds for the first value in the field, and not for what is typed over that one.
    """
    former = list(value.person.records.former(value.source))
    return (
        value.person.configuration.is_custom
        and value.source_kind is RecordKind.CONTACT
        and any(it.kind is RecordKind.LEAD for it in former)
        and all(it.typing == NOBODY for it in value.source_cell.past)
    )


def open_edit_after_redirection(value: WrittenValue) -> bool:
    """Whether a record is edited that differs since the pairs had another direction.

    Nothing was written to it then, so that its author could not see what others agreed on.
    """
    source, target = value.source_cell.agreed, value.cell.agreed
    return (
        value.person.was_redirected
        and source is not None
        and target is not None
        and not value.cell.is_edited
        and not value.person.configuration.is_same(source.value, target.value)
    )


def open_contact_of_hold(value: WrittenValue) -> bool:
    """Whether a Contact's older value is written after the Leads of its hold have left.

    A hold shows the values as a conflict, "whatever their bases are" (`plan._with_shown`). What is
    typed in Plezi after that cannot travel where only Contacts are left, and ends no hold.
    """
    return (
        value.kind is RecordKind.PLEZI_CONTACT
        and value.source_kind is RecordKind.CONTACT
        and not value.others(RecordKind.LEAD)
        and ConflictPolicy.HOLD in value.person.policies
        and bool(value.source_cell.shown)
    )


SILENT: Final[Sequence[Excuse]] = (
    is_weak_blank,
    is_typed_over,
    joins_agreed_blank,
    is_later_edit_over_blank,
    refills_agreed_blank,
    is_seen_elsewhere,
    open_edit_after_redirection,
    open_typed_in_blank_contact,
)
ANY_ORDER: Final[Sequence[Excuse]] = (
    is_chosen,
    is_receiving_side,
    is_left_with_contacts,
    fills_by_policy,
    ticks_by_policy,
    open_contact_of_hold,
)
CONFLICT: Final[Sequence[Excuse]] = (
    is_later_edit,
    joins,
    rejoins,
    is_later_lead,
    wins_by_policy,
)
