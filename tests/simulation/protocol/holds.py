"""The model's own rules for holds: why a field may wait for an admin, and what a choice may do."""

from __future__ import annotations

from connector.model import HoldReason
from connector.planning.plan import Plan


def unfounded_hold(plan: Plan) -> str:
    """Return the violation if a plan holds a field as newly mapped; '' if not.

    The mapping does not change, so no field is new for a known link: records that match for the
    first time follow the policy, also if their first meeting was interrupted.
    """
    if any(hold.reason is HoldReason.NEVER_AGREED for hold in plan.link.holds.values()):
        return "the field is held as newly mapped, and it is not"
    return ""
