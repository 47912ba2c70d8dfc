"""The model's own rules for holds: why a field may wait for an admin, and what a choice may do."""

from __future__ import annotations

from dataclasses import replace

from connector.model import HoldReason, Link, MergeRule
from connector.planning.plan import Plan
from tests.simulation.protocol.records import LEAD_FIELD, value_field, value_in
from tests.simulation.protocol.system_states import NEVER_AGREED, Choice, SystemState


def choice_of(link: Link) -> Choice | None:
    """Return the choice that waits in a link, with the values that were shown, if there is one."""
    hold = link.holds.get(LEAD_FIELD)
    if hold is None or not hold.chosen:
        return None
    return Choice(hold.chosen, tuple(sorted(hold.values.items())))


def unfounded_hold(plan: Plan, system: SystemState, *, mapping_changes: bool) -> str:
    """Return the violation if a plan holds a field as newly mapped; '' if not.

    Where the mapping does not change, no field is new for a known link: records that match for the
    first time follow the policy, also if their first meeting was interrupted. Where it changes, a
    pair on which the records agreed once is not new when it comes back.
    """
    holds = [it for it in plan.link.holds.values() if it.reason is HoldReason.NEVER_AGREED]
    agreed = (mark.agreed for mark in system.marks)
    if holds and not (mapping_changes and all(it == NEVER_AGREED for it in agreed)):
        return "the field is held as newly mapped, and it is not"
    return ""


def unfounded_choice(plan: Plan, system: SystemState) -> str:
    """Return the violation if a plan carries out a choice that no admin made; '' if not.

    A choice is for the values that were shown, and spreads one of them that somebody typed.
    """
    if not any(it.rule is MergeRule.CHOSEN for it in plan.base_updates):
        return ""
    if system.choice is None:
        return "a choice that nobody made is carried out"
    record, shown = system.choice.record, dict(system.choice.shown)
    current = {
        it.record_id: value_in(it.kind, it.observation.values)
        for it in plan.participants.members
        if it.observation is not None
    }
    if current != shown:
        return "a choice is carried out although a shown value changed"
    written = {it.values.get(value_field(it.kind, it.values), shown[record]) for it in plan.writes}
    if written != {shown[record]}:
        return "another value is written than the chosen one"
    place = system.place(record)
    agreed = system.marks[place].agreed if place is not None else NEVER_AGREED
    if shown[record] is None and agreed in (None, NEVER_AGREED):
        return "a choice spreads a blank that nobody typed"
    return ""


def overdue_hold(link: Link) -> str:
    """Return the violation if a hold is over although no run ends it; '' if not."""
    hold = link.holds.get(LEAD_FIELD)
    if hold is None:
        return ""
    if hold.chosen:
        return "a choice is never carried out"
    values = {it.id: value_in(it.kind, it.values) for it in link.observations()}
    # What was shown is needed until a write that a side refused is done.
    if link.quarantine is None and any(
        values.get(record) != value for record, value in hold.values.items()
    ):
        return "a hold shows other values than the present ones"
    return ""


def with_lasting_choices(link: Link) -> Link:
    """Return the link of a weaker protocol, in which a choice is valid for any later values."""
    hold = link.holds.get(LEAD_FIELD)
    if hold is None or not hold.chosen:
        return link
    values = {it.id: value_in(it.kind, it.values) for it in link.observations()}
    return replace(link, holds={**link.holds, LEAD_FIELD: replace(hold, values=values)})
