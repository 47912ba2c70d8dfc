"""Why a write may replace a value that its author could not see, with an entry in the journal.

Each function says on which documented rule it rests. It is asked about one written value in one
pair, and holds for nothing else. `ANY_ORDER` hold for an older value too, `CONFLICT` only where
neither author could see the other value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from connector.mapping import ConflictPolicy, FieldKind
from connector.model import MergeRule, RecordKind
from tests.simulation.history import reference
from tests.simulation.history.reference import Contender
from tests.simulation.history.typing_history import Relation
from tests.simulation.stories import open_findings
from tests.simulation.stories.written_value import WrittenValue

Excuse = Callable[[WrittenValue], bool]


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


def is_repeated(value: WrittenValue) -> bool:
    """Whether the value from before a write is typed again while the write has no answer.

    README.md: "a user who types its very value, or the value from before it, cannot be
    distinguished from the write; the second is written over, with a journal line".
    """
    is_clearing = value.fills and value.person.lost_answer and MergeRule.JOINED in value.rules
    return is_clearing or MergeRule.REPEATED in value.rules


def is_of_new_policy(value: WrittenValue) -> bool:
    """Whether the policy of a held field was changed, and decides between what the hold shows.

    docs/mapping.md: "A new policy decides what is held, too". Only where the hold showed both.
    """
    shown = value.source_cell.shown
    return (
        len(value.person.policies) > 1
        and {value.won.typing, value.lost.typing} <= shown
        and wins_by_policy(value)
    )


def joins_by_merge(value: WrittenValue) -> bool:
    """Whether the winner of a merge that was cleared before the next run takes the agreed value.

    README.md: "any field of the winner of a merge": a merge leaves blanks too.
    """
    is_winner = any(it.kind is value.kind for it in value.person.records.former(value.target))
    return value.fills and is_winner and MergeRule.JOINED in value.rules


def is_taken_for_another(value: WrittenValue) -> bool:
    """Whether users typed over all values of a contact whose creation had no answer.

    docs/architecture.md: "A created Plezi contact of which every value was replaced before a
    recovery meets the Lead for the first time".
    """
    return value.target in value.person.created_without_answer and not value.has_agreed(
        value.target
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
    source = value.source_cell
    return (
        not value.source_is_written
        and value.has_agreed(value.source)
        and value.won.typing > max(source.agreed_after, value.cell.agreed_after)
        and value.has_agreed(value.target)
        and not value.cell.is_edited
    )


def is_unsent_edit_of_contact(value: WrittenValue) -> bool:
    """Whether what was typed in a blank Contact fills what the others cleared in the meantime.

    README.md: "a clearing, where somebody typed in a blank Contact just before it". The sending
    side of a one-way pair is never written to either.
    """
    agreed = value.source_cell.agreed
    is_blank = value.person.configuration.is_blank
    return (
        value.fills
        and not value.source_is_written
        and value.has_agreed(value.source)
        and agreed is not None
        and is_blank(agreed.value)
    )


def is_unread_edit_of_contact(value: WrittenValue) -> bool:
    """Whether a Contact comes back into the filter with what was typed in it before.

    docs/people.md: "edit a flagged Contact, and take its flag away before the next run: the edit
    reaches Plezi when it is flagged again". Nothing is read of it until then.
    """
    return value.source_kind is RecordKind.CONTACT and value.source in value.person.hidden


def is_shown_before(value: WrittenValue) -> bool:
    """Whether an edit of what a hold shows replaces what it had shown of a Lead that is back.

    docs/decisions.md, 164: "What a hold has shown of a record counts as shown also when the record
    is back beside it". It does not hold for what was typed in it since.
    """
    shown = value.cell.shown
    return value.lost.typing in shown and bool(shown & value.won.seen)


def is_decided_before(value: WrittenValue) -> bool:
    """Whether a decision is carried out that was made, by a rule, for a write that did not arrive.

    docs/architecture.md: "What a record agreed on whose write did not arrive is outdated: it takes
    the agreed value later". The record that had won may have left since, or was typed over.
    """
    target, key, lost, _ = value.decision
    return any((target, key, lost, it) in value.person.decided for it in value.won.known)


def is_typed_after_conversion(value: WrittenValue) -> bool:
    """Whether a Contact that a conversion left blank was edited, and the replaced value was not.

    docs/people.md, a Lead whose custom fields the org does not map to the Contact: "What is typed
    in the Contact later travels, and the journal names what it replaces (`contact_wins`)". It does
    not hold where the replaced value is an edit of its own.
    """
    records = value.person.records
    lead = records.by_id.get(value.source.removeprefix("c"))
    typing = records.sights.typings.get(value.won.typing)
    return (
        value.person.configuration.is_custom
        and value.source_kind is RecordKind.CONTACT
        and lead is not None
        and lead.successor == value.source
        and typing is not None
        and typing.key[0] == value.source
        and value.won.typing > value.cell.agreed_after
        and value.has_agreed(value.target)
        and not value.cell.is_edited
    )


def fills_at_first_meeting(value: WrittenValue) -> bool:
    """Whether a clearing in a record that never agreed is filled.

    README.md: "a clearing in a record that never agreed: the first meeting fills blanks".
    """
    return value.fills and not value.has_agreed(value.target)


def joins(value: WrittenValue) -> bool:
    """Whether a record that never agreed takes the value of others of its side that did.

    docs/architecture.md: "A record that joins later takes the value that the others agreed on; its
    own value is journalled".
    """
    if value.has_agreed(value.target):
        return False
    former = [it.id for it in value.person.records.former(value.source)]
    return any(
        value.has_agreed(it)
        for it in (*value.others(), *former)
        if value.side(it) is value.kind.side
    )


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

    docs/mapping.md, the table of conflict policies. Both values count for the side of their
    record, and for the one where they were typed.
    """
    policy = value.person.configuration.policy
    written = [
        Contender(side, str(value.new), value.modified(value.source))
        for side in {value.source_kind.side, *value.sides_of(value.won)}
    ]
    replaced = [
        Contender(side, str(value.lost.value), value.modified(value.target))
        for side in {value.kind.side, *value.sides_of(value.lost)}
    ]
    return any(reference.wins(policy, one, other) for one in written for other in replaced)


ANY_ORDER: Final[Sequence[Excuse]] = (
    is_chosen,
    is_repeated,
    is_of_new_policy,
    fills_at_first_meeting,
    joins_by_merge,
    is_taken_for_another,
    is_receiving_side,
    is_left_with_contacts,
    fills_by_policy,
    ticks_by_policy,
    open_findings.open_contact_of_hold,
    open_findings.open_fill_by_merge,
    open_findings.open_newest_after_conversion,
)
CONFLICT: Final[Sequence[Excuse]] = (
    is_later_edit,
    is_typed_after_conversion,
    is_unsent_edit_of_contact,
    is_unread_edit_of_contact,
    is_shown_before,
    is_decided_before,
    joins,
    rejoins,
    is_later_lead,
    wins_by_policy,
)
