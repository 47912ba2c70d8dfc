"""How it goes, in one answer: the switch, the breaker, what is due, what waits, who is told."""

from __future__ import annotations

from dataclasses import dataclass

from connector.administration.office import Office, Recipient
from connector.administration.runs import RunTold, told_run
from connector.journal import digest

COUNTED = 1000
"""People that one count looks at; more are said to be at least as many."""
SECONDS_OF_HOUR = 3600
HOURS = 24


@dataclass(frozen=True, slots=True)
class BreakerTold:
    """Why no run starts, since when (seconds since 1970), and what to do."""

    reason: str
    message: str
    since: float


@dataclass(frozen=True, slots=True)
class ManualSyncTold:
    """Whether a manual synchronisation is due (product P19), and why."""

    due: bool
    why: str


@dataclass(frozen=True, slots=True)
class AttentionTold:
    """People who wait, by kind; a number that equals `counted_to` may be more."""

    hold: int
    quarantine: int
    duplicate: int
    counted_to: int


@dataclass(frozen=True, slots=True)
class ParkedTold:
    """A line, or a filter, that cannot work today, and why."""

    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class BudgetTold:
    """Calls to Salesforce of the last 24 hours: the whole org's, its allowance, ours, our share."""

    org_used: int
    org_allowed: int
    ours: int
    our_share: int


@dataclass(frozen=True, slots=True)
class Status:
    """How it goes. `applied_version` is the mapping that everybody was last synchronised with."""

    started: bool
    breaker: BreakerTold | None
    mapping_version: int
    applied_version: int | None
    manual_sync: ManualSyncTold
    last_run: RunTold | None
    attention: AttentionTold
    parked: tuple[ParkedTold, ...]
    alert_recipients: tuple[Recipient, ...]
    api_budget: BudgetTold | None
    password_expires_in_days: int | None


@dataclass(frozen=True, slots=True)
class SwitchTold:
    """Whether synchronisation is on."""

    started: bool


def status(office: Office) -> Status:
    """Say how it goes."""
    ledger = office.ledger
    breaker = ledger.breaker()
    runs = ledger.runs(limit=1)
    version = office.configuration.current().version
    applied = ledger.applied_version()
    return Status(
        started=ledger.started(),
        breaker=None
        if breaker is None
        else BreakerTold(breaker.reason, breaker.message, breaker.since),
        mapping_version=version,
        applied_version=applied,
        manual_sync=manual_sync(version, applied),
        last_run=told_run(runs[0]) if runs else None,
        attention=AttentionTold(
            hold=len(ledger.waiting("hold", COUNTED)),
            quarantine=len(ledger.waiting("quarantine", COUNTED)),
            duplicate=len(ledger.waiting("duplicate", COUNTED)),
            counted_to=COUNTED,
        ),
        parked=tuple(ParkedTold(line, why) for line, why in sorted(ledger.parked().items())),
        alert_recipients=office.recipients(),
        api_budget=_budget(office),
        password_expires_in_days=office.password_days(),
    )


def manual_sync(version: int, applied: int | None) -> ManualSyncTold:
    """Say whether a manual synchronisation is due."""
    if applied == version:
        return ManualSyncTold(due=False, why="the current mapping was applied to everybody")
    if applied is None:
        why = "no mapping was applied to everybody yet"
    else:
        why = f"version {version} of the mapping is saved, and everybody has version {applied}"
    return ManualSyncTold(due=True, why=f'{why}: POST /sync with {{"kind": "full"}}')


def switch(office: Office, who: str, *, on: bool) -> SwitchTold:
    """Press start or pause (product P20). A pause loses nothing: runs end before they begin."""
    before = office.ledger.started()
    office.ledger.switch(on=on, now=office.clock())
    office.note(who, "start" if on else "pause", "", digest(before), digest(on))
    return SwitchTold(started=on)


def _budget(office: Office) -> BudgetTold | None:
    """What is known of the API budget; None before Salesforce has told its limit."""
    usage = office.ledger.document("api_usage")
    if not usage:
        return None
    hour = int(office.clock()) // SECONDS_OF_HOUR
    return BudgetTold(
        org_used=usage["used"],
        org_allowed=usage["total"],
        ours=office.ledger.calls_since(hour - HOURS + 1),
        our_share=int(office.api_share * usage["total"]),
    )
