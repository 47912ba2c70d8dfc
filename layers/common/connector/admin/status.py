"""The status of synchronization in one view, and the switch that enables it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from connector.admin.context import AdminContext, Recipient
from connector.admin.plezi_probe import DialectView, dialect_view
from connector.admin.runs import RunView, VerificationView, run_view, verification_view
from connector.admin.systems import is_forgetting
from connector.errors import StaleError
from connector.first_sync import load_first_sync
from connector.model import AttentionKind, state_digest
from connector.schema_cache import load_confirmed, stored_generation
from connector.verification import load_verification
from connector.version import VERSION

COUNTED: Final = 1000
"""The highest number that is counted; it means this number of contacts or more."""
SECONDS_OF_HOUR: Final = 3600
HOURS: Final = 24
"""The period of Salesforce's limit of API calls (Salesforce Developer Limits and Allocations)."""


@dataclass(frozen=True, slots=True)
class BreakerView:
    """The open breaker: why no run starts, what to do, and since when (seconds since 1970)."""

    reason: str
    message: str
    since: float


@dataclass(frozen=True, slots=True)
class ManualSyncView:
    """Whether a manual synchronization is due, and why."""

    due: bool
    why: str


@dataclass(frozen=True, slots=True)
class AttentionCounts:
    """Contacts that need a decision, by kind; `counted_to` means that many or more."""

    hold: int
    quarantine: int
    duplicate: int
    no_email: int
    shared: int
    counted_to: int


@dataclass(frozen=True, slots=True)
class SuspendedPairView:
    """A field pair or a filter that cannot be used at present, and why."""

    pair: str
    reason: str


@dataclass(frozen=True, slots=True)
class ApiBudgetView:
    """Calls to Salesforce in the last 24 hours.

    `org_used` and `org_allowed` are the calls of the whole org and its limit. `ours` and
    `our_share` are the calls of the connector and its limit.
    """

    org_used: int
    org_allowed: int
    ours: int
    our_share: int


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """The calls of the whole org in 24 hours, as Salesforce reported them last, and their limit."""

    used: int
    total: int


@dataclass(frozen=True, slots=True)
class FirstSyncView:
    """How far the first synchronization is.

    `stage` is the stage that comes next: 10, 100 or 1000 people, or all. `done`: a run of all
    people was complete.
    """

    stage: str
    done: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The status of synchronization.

    `version` is the version of the connector. `started`: synchronization is enabled.
    `applied_version` is the version of the mapping that was last applied to all contacts (None:
    none was). `first_sync` is None before the first run, `plezi_dialect` before the first probe.
    `last_verification` is the last complete comparison of both systems (None: there was none).
    """

    version: str
    started: bool
    breaker: BreakerView | None
    mapping_version: int
    applied_version: int | None
    manual_sync: ManualSyncView
    first_sync: FirstSyncView | None
    last_run: RunView | None
    last_verification: VerificationView | None
    attention: AttentionCounts
    suspended_pairs: tuple[SuspendedPairView, ...]
    alert_recipients: tuple[Recipient, ...]
    api_budget: ApiBudgetView | None
    password_expires_in_days: int | None
    plezi_dialect: DialectView | None


@dataclass(frozen=True, slots=True)
class SyncSwitch:
    """Whether synchronization is enabled."""

    started: bool


def show_status(context: AdminContext) -> Status:
    """Return the status of synchronization."""
    breaker = context.control.breaker()
    runs = context.runs.list_runs(limit=1)
    version = context.mappings.current().version
    applied = context.control.applied_version()
    suspended = context.control.suspended_pairs()
    first = load_first_sync(context.documents)
    return Status(
        version=VERSION,
        started=context.control.is_enabled(),
        breaker=None
        if breaker is None
        else BreakerView(breaker.reason, breaker.message, breaker.since),
        mapping_version=version,
        applied_version=applied,
        manual_sync=manual_sync(context, version),
        first_sync=None if first is None else FirstSyncView(first.name, first.done),
        last_run=run_view(runs[0], context.plezi_calls_per_second) if runs else None,
        last_verification=verification_view(load_verification(context.documents)),
        attention=show_attention(context),
        suspended_pairs=tuple(
            SuspendedPairView(pair, reason) for pair, reason in sorted(suspended.items())
        ),
        alert_recipients=context.recipients(),
        api_budget=_budget(context),
        password_expires_in_days=context.password_days(),
        plezi_dialect=dialect_view(context),
    )


def show_attention(context: AdminContext) -> AttentionCounts:
    """Return how many contacts need a decision, by kind."""
    count = context.count_attention or partial(_count_listed, context)
    numbers = count(COUNTED)
    return AttentionCounts(
        hold=numbers[AttentionKind.HOLD],
        quarantine=numbers[AttentionKind.QUARANTINE],
        duplicate=numbers[AttentionKind.DUPLICATE],
        no_email=numbers[AttentionKind.NO_EMAIL],
        shared=numbers[AttentionKind.SHARED],
        counted_to=COUNTED,
    )


def _count_listed(context: AdminContext, limit: int) -> dict[AttentionKind, int]:
    """Count by listing, for a store that cannot count."""
    listed = context.review.emails_needing_attention
    return {kind: len(listed(kind, limit)) for kind in AttentionKind}


def manual_sync(context: AdminContext, version: int) -> ManualSyncView:
    """Return whether a manual synchronization is due for the current version of the mapping.

    None is due when that version was applied to all contacts, and no pair of it is suspended, or
    those that are were unusable by the present descriptions of the fields.
    """
    applied = context.control.applied_version()
    suspended = context.control.suspended_pairs()
    if applied is None:
        return _due("the mapping was not applied to all contacts yet")
    if applied != version:
        return _due(
            f"version {version} of the mapping is saved, and version {applied} was last applied to "
            "all contacts"
        )
    if is_forgetting(context):
        return _due("the links are not yet prepared for another org or tenant")
    if not suspended:
        return ManualSyncView(due=False, why="the current mapping was applied to all contacts")
    pairs = ", ".join(sorted(suspended))
    if load_confirmed(context.documents).generation != stored_generation(context.documents):
        return _due(f"the fields were read again after the last run, which suspended {pairs}")
    why = f"the current mapping was applied to all contacts, without the suspended pairs: {pairs}"
    return ManualSyncView(due=False, why=why)


def _due(reason: str) -> ManualSyncView:
    return ManualSyncView(due=True, why=f'{reason}: POST /sync with {{"kind": "full"}}')


def switch_sync(context: AdminContext, actor: str, *, on: bool) -> SyncSwitch:
    """Enable or pause synchronization. A pause loses nothing: runs end before they start work.

    Raises `StaleError` instead of enabling it for a Plezi tenant that cannot be served.
    """
    dialect = dialect_view(context)
    if on and dialect is not None and dialect.refusal:
        raise StaleError(f"this Plezi tenant cannot be served: {dialect.refusal}")
    before = context.control.is_enabled()
    context.control.set_enabled(on=on, now=context.clock())
    context.audit_change(
        actor, "start" if on else "pause", "", state_digest(before), state_digest(on)
    )
    return SyncSwitch(started=on)


def _budget(context: AdminContext) -> ApiBudgetView | None:
    """Return the API budget; None if the limit of the org was not read yet."""
    usage = api_usage(context)
    if usage is None:
        return None
    hour = int(context.clock()) // SECONDS_OF_HOUR
    return ApiBudgetView(
        org_used=usage.used,
        org_allowed=usage.total,
        ours=context.calls.calls_since(hour - HOURS + 1),
        our_share=int(context.api_share * usage.total),
    )


def api_usage(context: AdminContext) -> ApiUsage | None:
    """Return the calls of the whole org; None if its limit was not read yet."""
    usage = context.documents.load_document("api_usage")
    return ApiUsage(usage["used"], usage["total"]) if usage else None
