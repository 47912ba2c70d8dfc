"""How it goes, in one answer: the switch, the breaker, what is due, what waits, who is told."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext, Recipient
from connector.admin.runs import RunView, run_view
from connector.model import AttentionKind, state_digest
from connector.version import VERSION

COUNTED = 1000
"""People that one count looks at; more are said to be at least as many."""
SECONDS_OF_HOUR = 3600
HOURS = 24


@dataclass(frozen=True, slots=True)
class BreakerView:
    """Why no run starts, since when (seconds since 1970), and what to do."""

    reason: str
    message: str
    since: float


@dataclass(frozen=True, slots=True)
class ManualSyncView:
    """Whether a manual synchronisation is due (product P19), and why."""

    due: bool
    why: str


@dataclass(frozen=True, slots=True)
class AttentionCounts:
    """People who wait, by kind; a number that equals `counted_to` may be more."""

    hold: int
    quarantine: int
    duplicate: int
    counted_to: int


@dataclass(frozen=True, slots=True)
class SuspendedPairView:
    """A line, or a filter, that cannot work today, and why."""

    pair: str
    reason: str


@dataclass(frozen=True, slots=True)
class ApiBudgetView:
    """Calls to Salesforce of the last 24 hours: the whole org's, its allowance, ours, our share."""

    org_used: int
    org_allowed: int
    ours: int
    our_share: int


@dataclass(frozen=True, slots=True)
class Status:
    """How it goes. `applied_version` is the mapping that everybody was last synchronised with."""

    version: str
    started: bool
    breaker: BreakerView | None
    mapping_version: int
    applied_version: int | None
    manual_sync: ManualSyncView
    last_run: RunView | None
    attention: AttentionCounts
    suspended_pairs: tuple[SuspendedPairView, ...]
    alert_recipients: tuple[Recipient, ...]
    api_budget: ApiBudgetView | None
    password_expires_in_days: int | None


@dataclass(frozen=True, slots=True)
class SyncSwitch:
    """Whether synchronisation is on."""

    started: bool


def show_status(context: AdminContext) -> Status:
    """Say how it goes."""
    breaker = context.control.breaker()
    runs = context.runs.list_runs(limit=1)
    version = context.mappings.current().version
    applied = context.control.applied_version()
    return Status(
        version=VERSION,
        started=context.control.is_enabled(),
        breaker=None
        if breaker is None
        else BreakerView(breaker.reason, breaker.message, breaker.since),
        mapping_version=version,
        applied_version=applied,
        manual_sync=manual_sync(version, applied),
        last_run=run_view(runs[0]) if runs else None,
        attention=AttentionCounts(
            hold=len(context.review.emails_needing_attention(AttentionKind.HOLD, COUNTED)),
            quarantine=len(
                context.review.emails_needing_attention(AttentionKind.QUARANTINE, COUNTED)
            ),
            duplicate=len(
                context.review.emails_needing_attention(AttentionKind.DUPLICATE, COUNTED)
            ),
            counted_to=COUNTED,
        ),
        suspended_pairs=tuple(
            SuspendedPairView(line, why)
            for line, why in sorted(context.control.suspended_pairs().items())
        ),
        alert_recipients=context.recipients(),
        api_budget=_budget(context),
        password_expires_in_days=context.password_days(),
    )


def manual_sync(version: int, applied: int | None) -> ManualSyncView:
    """Say whether a manual synchronisation is due."""
    if applied == version:
        return ManualSyncView(due=False, why="the current mapping was applied to everybody")
    if applied is None:
        why = "no mapping was applied to everybody yet"
    else:
        why = f"version {version} of the mapping is saved, and everybody has version {applied}"
    return ManualSyncView(due=True, why=f'{why}: POST /sync with {{"kind": "full"}}')


def switch_sync(context: AdminContext, who: str, *, on: bool) -> SyncSwitch:
    """Press start or pause (product P20). A pause loses nothing: runs end before they begin."""
    before = context.control.is_enabled()
    context.control.set_enabled(on=on, now=context.clock())
    context.audit_change(
        who, "start" if on else "pause", "", state_digest(before), state_digest(on)
    )
    return SyncSwitch(started=on)


def _budget(context: AdminContext) -> ApiBudgetView | None:
    """What is known of the API budget; None before Salesforce has told its limit."""
    usage = context.documents.load_document("api_usage")
    if not usage:
        return None
    hour = int(context.clock()) // SECONDS_OF_HOUR
    return ApiBudgetView(
        org_used=usage["used"],
        org_allowed=usage["total"],
        ours=context.calls.calls_since(hour - HOURS + 1),
        our_share=int(context.api_share * usage["total"]),
    )
