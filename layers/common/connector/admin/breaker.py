"""The reset of a breaker after the decision of an admin: mass clearing, or many defects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.errors import StaleError, StopReason
from connector.model import state_digest

ALLOWED_SECONDS: Final = 4 * 3600.0
"""How long runs may do what the breaker stopped, once an admin confirmed it: two scheduled runs."""
RESETTABLE: Final = frozenset({StopReason.MASS_CLEARING, StopReason.DEFECT})
"""Reasons of a breaker that an admin may close."""


@dataclass(frozen=True, slots=True)
class BreakerReset:
    """The reset of a breaker.

    `clearing_allowed_until` is the time until which runs may clear many fields (seconds since 1970;
    0: they may not), `defects_allowed_until` the time until which runs go on although many people
    cause unexpected errors (0: they do not).
    """

    clearing_allowed_until: float
    defects_allowed_until: float


def reset_breaker(context: AdminContext, actor: str, *, intended: bool) -> BreakerReset:
    """Close the breaker: what it stopped may go on (`intended`), or its cause is corrected.

    After many unexpected errors, `intended` lets all other people be synchronized before the cause
    is corrected. Raises `StaleError` when this breaker is not open. A breaker that a refused login
    opened closes automatically once the secret has a new version.
    """
    breaker = context.control.breaker()
    if breaker is None or breaker.reason not in RESETTABLE:
        state = f"open for another reason ({breaker.reason})" if breaker else "not open"
        raise StaleError(f"the breaker is {state}: see GET /admin/status")
    until = context.clock() + ALLOWED_SECONDS if intended else 0.0
    is_clearing = breaker.reason == StopReason.MASS_CLEARING
    if intended and is_clearing:
        context.control.allow_clearing(until)
    elif intended:
        context.control.allow_defects(until)
    context.control.close_breaker()
    what = "the clearing is" if is_clearing else "going on in spite of defects is"
    decision = "intended" if intended else "corrected"
    context.audit_change(
        actor,
        f"reset breaker: {what} {decision}" if is_clearing or intended else "reset breaker",
        "",
        state_digest(breaker.reason),
        state_digest(until),
    )
    return BreakerReset(until if is_clearing else 0.0, 0.0 if is_clearing else until)
