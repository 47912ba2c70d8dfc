"""The reset of the breaker that stops a mass clearing of fields, after the decision of an admin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.errors import StaleError, StopReason
from connector.model import state_digest

ALLOWED_SECONDS: Final = 4 * 3600.0
"""How long runs may clear many fields after an admin confirmed it: two scheduled runs."""


@dataclass(frozen=True, slots=True)
class BreakerReset:
    """The reset of a breaker.

    `clearing_allowed_until` is the time until which runs may clear many fields (seconds since 1970;
    0: they may not).
    """

    clearing_allowed_until: float


def reset_breaker(context: AdminContext, actor: str, *, intended: bool) -> BreakerReset:
    """Close the breaker: the clearing is intended, or it was an accident that is corrected.

    Raises `StaleError` when this breaker is not open. A breaker that a refused login opened closes
    automatically once the secret has a new version.
    """
    breaker = context.control.breaker()
    if breaker is None or breaker.reason != StopReason.MASS_CLEARING:
        state = f"open for another reason ({breaker.reason})" if breaker else "not open"
        raise StaleError(f"the breaker of a mass clearing is {state}: see GET /admin/status")
    until = context.clock() + ALLOWED_SECONDS if intended else 0.0
    if intended:
        context.control.allow_clearing(until)
    else:
        context.control.close_breaker()
    decision = "intended" if intended else "corrected"
    context.audit_change(
        actor,
        f"reset breaker: the clearing is {decision}",
        "",
        state_digest(breaker.reason),
        state_digest(until),
    )
    return BreakerReset(until)
