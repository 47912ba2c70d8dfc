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
