"""The release of the breaker that stops a mass emptying of fields: a person says what it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.errors import StaleError, StopReason
from connector.model import state_digest

ALLOWED_SECONDS: Final = 4 * 3600.0
"""How long runs may empty many fields once it is meant: two scheduled runs, and not for ever."""


@dataclass(frozen=True, slots=True)
class BreakerReset:
    """The breaker is closed; until when (seconds since 1970; 0: not at all) fields are emptied."""

    clearing_allowed_until: float


def reset_breaker(context: AdminContext, who: str, *, meant: bool) -> BreakerReset:
    """Close the breaker: the emptying is meant, or it was an accident that is mended by now.

    Raises `StaleError` when this breaker is not open. One that a refused login opened closes by
    itself, once the secret has a new version.
    """
    breaker = context.control.breaker()
    if breaker is None or breaker.reason != StopReason.MASS_CLEARING:
        why = f"open for another reason ({breaker.reason})" if breaker else "not open"
        raise StaleError(f"the breaker of a mass emptying is {why}: see GET /admin/status")
    until = context.clock() + ALLOWED_SECONDS if meant else 0.0
    if meant:
        context.control.allow_clearing(until)
    else:
        context.control.close_breaker()
    what = "release: the emptying is meant" if meant else "release: the emptying is mended"
    context.audit_change(who, what, "", state_digest(breaker.reason), state_digest(until))
    return BreakerReset(until)
