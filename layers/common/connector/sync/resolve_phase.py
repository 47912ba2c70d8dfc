"""The resolve phase: merge what is dirty, intend, apply, record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.errors import HaltError, StopReason
from connector.log_events import Event, link_hash
from connector.mapping import BoundMapping
from connector.model import (
    Breaker,
    Counts,
    Hold,
    HoldReason,
    Intent,
    Link,
    LinkChange,
    Side,
    Value,
    Write,
)
from connector.planning.mass_clearing import clears_value
from connector.planning.plan import Plan, plan_link
from connector.planning.recovery import recover_intent
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes
from connector.sync.context import SyncContext
from connector.sync.journal_entries import (
    held_entries,
    overwritten_entries,
    refused_entries,
    written_entries,
)
from connector.sync.link_batch import EMAIL_KEY
from connector.sync.reread import Refresher

BATCH_SIZE: Final = 200
"""Links resolved at a time: what one call to sObject Collections takes."""
MAX_PASSES: Final = 3
"""A record that must be created first needs a second pass; the third is for changed links."""
MAX_ATTEMPTS: Final = 5
"""How often outcomes are recorded again on a link that another process changes."""
STALE_SECONDS: Final = 60.0
"""How long Plezi may return the state before a write (assumed)."""
MIN_WRITES: Final = 5
"""Writes to Plezi that an invocation makes however little time is left, so that each one makes
progress; at two calls a second they take a quarter of the time kept for saving the position."""
MASS_CLEARING_MESSAGE: Final = (
    "This run would have cleared fields of more than {limit} people, and stopped before it did. A "
    "dry run lists them. If this is intended, confirm it (POST /admin/breaker/release), and the "
    "next run continues. If it is an accident, correct it in the system where it happened. "
    "Nothing is lost."
)


class ResolvePhase:
    """The resolve phase of one run, over all dirty links or over selected ones."""

    def __init__(
        self, context: SyncContext, bound: BoundMapping, run: str, *, cleared: int | None = None
    ) -> None:
        """Take a run. `cleared`: how many people it cleared fields of so far (None: no limit).

        People whom an administrator named have no limit; all others have that of the context.
        """
        self._context = context
        self._bound = bound
        self._run = run
        self._refresher = Refresher(context, bound)
        self._wrote = False
        is_allowed = context.control.clearing_allowed_until() > context.clock()
        self._cleared = None if is_allowed else cleared

    def resolve_people(self, emails: Sequence[str], out_of_time: Callable[[], bool]) -> bool:
        """Resolve the links of some people; return whether nothing of them is left to do.

        What is left was refused for now, has an unknown outcome, or belongs to another process.
        """
        for attempt in range(MAX_PASSES):
            self.resolve_links(emails, out_of_time, include_clean=not attempt)
            links = self._context.links.load_links(emails)
            emails = [email for email, link in links.items() if link.dirty]
            if not emails:
                return True
            if out_of_time():
                return False
        return False

    def run(self, out_of_time: Callable[[], bool]) -> bool:
        """Resolve every dirty link; return whether all of it was done in time."""
        for _ in range(MAX_PASSES):
            self._wrote = False
            after = ""
            while emails := self._context.links.dirty_emails(BATCH_SIZE, after):
                self.resolve_links(emails, out_of_time)
                after = emails[-1]
                if out_of_time():
                    return False
            if not self._wrote:
                break
        return True

    def resolve_links(
        self, emails: Sequence[str], out_of_time: Callable[[], bool], *, include_clean: bool = False
    ) -> None:
        """Resolve some links: recover, refresh, plan, intend, apply, record.

        A link that is not dirty is skipped unless `include_clean` is set.
        """
        counts = Counts()
        stored = self._context.links.load_links(emails)
        links = [
            link
            for link in stored.values()
            if (include_clean or link.dirty) and not self._is_busy(link)
        ]
        now = self._context.clock()
        first = {link.email: plan_link(link, self._bound, now=now) for link in links}
        active = [link for link in links if link.intent is not None or first[link.email].writes]
        active_emails = {link.email for link in active}
        plans = [plan for email, plan in first.items() if email not in active_emails]
        fresh, waiting = self._refresher.refresh(active, first)
        self._hold_emails_in_use(waiting)
        plans += self._plan_fresh(fresh)
        self._store_without_writes([plan for plan in plans if not plan.writes], counts)
        self._check_mass_clearing(plans, counts)
        intended = self._intend([plan for plan in plans if plan.writes], counts)
        try:
            self._apply(intended, counts, out_of_time)
        finally:
            self._context.runs.add_counts(self._run, counts)
            self._log_batch(len(links), sum(len(plan.writes) for plan in intended), counts)

    def _log_batch(self, links: int, writes: int, counts: Counts) -> None:
        def total(name: str) -> int:
            return sum(counts.get(side, name) for side in Side)

        self._context.log(
            Event.batch_resolved,
            run_id=self._run,
            links=links,
            writes=writes,
            records_created=total("created"),
            records_updated=total("updated"),
            links_quarantined=total("quarantined"),
            fields_held=total("held"),
        )

    def _hold_emails_in_use(self, links: Sequence[Link]) -> None:
        """Hold the e-mail of links that wait for it, so that an administrator sees why.

        They are tried again in each run. Most wait until the other link's e-mail is written; some
        wait for a decision about the other link.
        """
        changes = []
        for link in links:
            known = link.holds.get(EMAIL_KEY)
            values: Mapping[str, Value] = {each.id: each.email for each in link.observations()}
            is_outdated = (
                known is not None
                and known.reason is HoldReason.EMAIL_IN_USE
                and dict(known.values) != dict(values)
            )
            if known is None or is_outdated:
                hold = Hold(HoldReason.EMAIL_IN_USE, self._context.clock(), values)
                changes.append(LinkChange(replace(link, holds={**link.holds, EMAIL_KEY: hold})))
        if changes:
            self._context.links.save_links(changes)

    def _check_mass_clearing(self, plans: Sequence[Plan], counts: Counts) -> None:
        """Count the people whose fields would be cleared; stop before they are too many."""
        number = sum(clears_value(plan, self._bound) for plan in plans)
        counts.add(Side.SALESFORCE, "cleared", number)
        if self._cleared is None:
            return
        self._cleared += number
        if self._cleared > self._context.max_cleared:
            message = MASS_CLEARING_MESSAGE.format(limit=self._context.max_cleared)
            reason = StopReason.MASS_CLEARING
            self._context.control.open_breaker(Breaker(reason, message, self._context.clock()))
            self._context.log(Event.breaker_opened, run_id=self._run, reason=reason.value)
            raise HaltError(reason, message)

    def _is_busy(self, link: Link) -> bool:
        """Return whether a running worker may still be carrying out this link's intent.

        An intent in doubt is recovered at once, except for writes to Plezi: Plezi may return the
        state before the write for some time (assumed), as if it had not been delivered. An intent
        that seems to be from the future was stored before our clock was set back, by a worker that
        is gone.
        """
        intent = link.intent
        if intent is None:
            return False
        age = self._context.clock() - intent.at
        if age < -self._context.worker_timeout:
            return False
        if not intent.in_doubt:
            return age < self._context.worker_timeout
        return age < STALE_SECONDS and any(write.side is Side.PLEZI for write in intent.writes)

    def _plan_fresh(self, links: Iterable[Link]) -> list[Plan]:
        now = self._context.clock()
        plans = []
        for link in links:
            recovery = recover_intent(link, self._bound, now=now)
            if recovery.held:
                self._context.journal.write(
                    held_entries(recovery.link, recovery.held, self._run, now)
                )
            plans.append(plan_link(recovery.link, self._bound, now=now))
        return plans

    def _store_without_writes(self, plans: Sequence[Plan], counts: Counts) -> None:
        """Store the new agreements and holds of links that need no write."""
        changes = []
        now = self._context.clock()
        for plan in plans:
            self._count_plan(plan, counts)
            entries = overwritten_entries(plan, self._run, now)
            entries += held_entries(plan.link, plan.held, self._run, now)
            if entries:
                self._context.journal.write(entries)
            changes.append(LinkChange(replace(plan.link, dirty=False, quarantine=None)))
        if changes:
            self._context.links.save_links(changes)

    def _count_plan(self, plan: Plan, counts: Counts) -> None:
        if plan.participants.reason is not None:
            side = Side.SALESFORCE if plan.link.plezi is not None else Side.PLEZI
            counts.skip(side, plan.participants.reason)
        counts.add(Side.SALESFORCE, "held", len(plan.held))

    def _intend(self, plans: Sequence[Plan], counts: Counts) -> list[Plan]:
        """Journal the overwritten values, then store every intent before it is carried out."""
        now = self._context.clock()
        intended = []
        for plan in plans:
            self._count_plan(plan, counts)
            intent = Intent(self._context.new_id(), self._run, now, plan.writes, plan.base_updates)
            intended.append(replace(plan, link=replace(plan.link, intent=intent, dirty=True)))
        if not intended:
            return []
        entries = [
            entry for plan in intended for entry in overwritten_entries(plan, self._run, now)
        ]
        entries += [
            entry
            for plan in intended
            for entry in held_entries(plan.link, plan.held, self._run, now)
        ]
        self._context.journal.write(entries)
        refused = self._context.links.save_links([LinkChange(plan.link) for plan in intended])
        return [
            replace(plan, link=replace(plan.link, revision=plan.link.revision + 1))
            for plan in intended
            if plan.link.email not in refused
        ]

    def _apply(
        self, plans: Sequence[Plan], counts: Counts, out_of_time: Callable[[], bool]
    ) -> None:
        """Send the writes of all plans, and record every outcome that is known."""
        tasks = [(plan.link.email, write) for plan in plans for write in plan.writes]
        outcomes: dict[str, dict[str, WriteOutcome]] = {plan.link.email: {} for plan in plans}
        try:
            for side in (Side.SALESFORCE, Side.PLEZI):
                of_side = [task for task in tasks if task[1].side is side]
                self._send(side, of_side, outcomes, out_of_time)
        finally:
            for email, write in tasks:
                not_sent = WriteOutcome(write, WriteResult.RETRY)
                outcomes[email].setdefault(write.record_id, not_sent)
            self._record(plans, outcomes, counts)

    def _send(
        self,
        side: Side,
        tasks: Sequence[tuple[str, Write]],
        outcomes: dict[str, dict[str, WriteOutcome]],
        out_of_time: Callable[[], bool],
    ) -> None:
        if not tasks:
            return
        client = self._context.clients[side]
        results = client.apply([write for _, write in tasks], self._bound.read_scope)
        for number, ((email, write), outcome) in enumerate(zip(tasks, results, strict=False), 1):
            outcomes[email][write.record_id] = outcome
            if side is Side.PLEZI and number >= MIN_WRITES and out_of_time():
                return

    def _record(
        self,
        plans: Sequence[Plan],
        outcomes: Mapping[str, Mapping[str, WriteOutcome]],
        counts: Counts,
    ) -> None:
        """Record the outcomes of the writes, on the links as they are now."""
        now = self._context.clock()
        entries = []
        for plan in plans:
            for outcome in outcomes[plan.link.email].values():
                self._count_outcome(plan, outcome, counts)
                entries += written_entries(plan, outcome, self._bound, self._run, now)
                entries += refused_entries(plan, outcome, self._run, now)
        self._context.journal.write(entries)
        waiting = {plan.link.email: plan.link for plan in plans}
        intents = {plan.link.email: plan.link.intent for plan in plans}
        unchanged = True
        for _ in range(MAX_ATTEMPTS):
            changes = [
                LinkChange(
                    record_outcomes(
                        link, intent.id, outcomes[email], unchanged_since_intent=unchanged, now=now
                    )
                )
                for email, link in waiting.items()
                if (intent := intents[email]) is not None
            ]
            refused = self._context.links.save_links(changes) if changes else frozenset[str]()
            if not refused:
                return
            waiting = self._context.links.load_links(refused)
            unchanged = False
        raise HaltError(
            StopReason.CONFLICT, "the same links keep changing: do two workers write to them?"
        )

    def _count_outcome(self, plan: Plan, outcome: WriteOutcome, counts: Counts) -> None:
        side = outcome.write.side
        match outcome.result:
            case WriteResult.DONE:
                self._wrote = True
                counts.add(side, "created" if outcome.created else "updated")
            case WriteResult.REJECTED:
                counts.add(side, "quarantined")
                self._context.log(
                    Event.link_quarantined,
                    run_id=self._run,
                    link=link_hash(plan.link.email),
                    side=side.value,
                    code=outcome.code,
                    field_names=list(outcome.fields),
                )
            case _:
                counts.add(side, outcome.result.value)
