"""What the planner does without a documented rule: to be corrected, or the rule written down.

The search counts it apart, and goes on. Each function is as narrow as an excuse.
"""

from __future__ import annotations

from connector.mapping import ConflictPolicy
from connector.model import RecordKind
from tests.simulation.stories.written_value import WrittenValue


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


def open_fill_by_merge(value: WrittenValue) -> bool:
    """Whether a merge filled a blank of its winner, and that counts as an edit of the winner.

    The value is an older one of the record that was merged into it.
    """
    records, past = value.person.records, value.source_cell.past
    return (
        bool(past)
        and value.person.configuration.is_blank(past[-1].value)
        and any(
            it.kind is value.source_kind
            and records.cell(it.id, value.key).state.typing == value.won.typing
            for it in records.former(value.source)
        )
    )


def open_newest_after_conversion(value: WrittenValue) -> bool:
    """Whether an agreed value wins by the time at which its Lead was converted.

    `newest` compares the times of records: the Contact of a conversion is newer than its value.
    """
    policy, records = value.person.configuration.policy, value.person.records
    return policy is ConflictPolicy.NEWEST and any(
        it.converted and it.successor in value.others() for it in records.by_id.values()
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
