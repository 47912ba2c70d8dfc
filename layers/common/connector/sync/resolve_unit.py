"""One unit of links: planned, refreshed, intended, written, recorded; each link isolated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Final

from connector.errors import HaltError, StopReason
from connector.log_events import Event
from connector.mapping import BoundMapping
from connector.model import (
    AttentionKind,
    Breaker,
    Counts,
    Hold,
    HoldReason,
    Intent,
    JournalEntry,
    Link,
    LinkChange,
    ProblemCode,
    Side,
    Value,
)
from connector.planning.mass_clearing import clears_value
from connector.planning.plan import Plan, plan_link
from connector.planning.recovery import recover_intent
from connector.sync.context import SyncContext
from connector.sync.isolation import Fault, Isolation
from connector.sync.journal_entries import (
    duplicate_entries,
    held_entries,
    overwritten_entries,
    recovered_entries,
    without_write,
)
from connector.sync.link_batch import EMAIL_KEY
from connector.sync.reread import Refresher
from connector.sync.write_stage import StageResult, WriteStage

STALE_SECONDS: Final = 60.0
"""How long Plezi may return the state before a write (assumed)."""
UNANSWERED_IN_A_RUN: Final = 2
"""Attempts without a response after which a link waits for the next run. Each may take as long as
the read time-out, which the other people of the run would wait for."""
MASS_CLEARING_MESSAGE: Final = (
    "This run would have cleared fields of more than {limit} people, and stopped before it did. A "
    "dry run lists them. If this is intended, confirm it (POST /admin/breaker/release), and the "
    "next run continues. If it is an accident, correct it in the system where it happened. "
    "Nothing is lost."
)


@dataclass(slots=True)
class UnitResult:
    """What a unit left to do, by e-mail.

    `deferred` need calls to Plezi, which this unit does not make. `dirty` were refused for now,
    have an unknown outcome, wait for another link, belong to another process, or have a record that
    was just created. `wrote`: another pass may find more to do, because a write was done. `unsent`:
    some writes were not sent.
    """

    deferred: set[str] = field(default_factory=set)
    dirty: set[str] = field(default_factory=set)
    wrote: bool = False
    unsent: bool = False

    def merge(self, stage: StageResult) -> None:
        """Add what the writes of the unit left to do."""
        self.dirty |= stage.dirty
        self.wrote = self.wrote or stage.wrote
        self.unsent = self.unsent or stage.unsent


class _Wait(Enum):
    """What a link waits for: the worker that carries out its intent, the next run, Plezi."""

    NOTHING = "nothing"
    WORKER = "worker"
    NEXT_RUN = "next_run"
    PLEZI = "plezi"


class UnitResolver:
    """Resolves units of links for one run.

    `listed`: the links are on a work list of the run.
    """

    def __init__(
        self,
        context: SyncContext,
        bound: BoundMapping,
        run_id: str,
        isolation: Isolation,
        *,
        listed: bool,
        cleared: int | None = None,
    ) -> None:
        """Take a run. `cleared`: how many people it cleared fields of so far (None: no limit).

        People whom an administrator named have no limit; all others have that of the context.
        """
        self._context = context
        self._bound = bound
        self._run_id = run_id
        self._isolation = isolation
        self._listed = listed
        self.refresher = Refresher(context, bound, isolation)
        self._duplicates: set[str] = set()
        self._writes = WriteStage(context, bound, run_id, isolation, listed=listed)
        is_allowed = context.control.clearing_allowed_until() > context.clock()
        self._cleared = None if is_allowed else cleared
        self._clearing: set[str] = set()

    def load(self, emails: Iterable[str], *, include_clean: bool = False) -> list[Link]:
        """Return the links to resolve: those that are dirty, or all with `include_clean`."""
        links = []
        for email, link in self._context.links.load_links(emails).items():
            if not link.readable:
                self._isolation.add(email, Fault(ProblemCode.DEFECT, "the item is unreadable"))
            elif email not in self._isolation.quarantined and (include_clean or link.dirty):
                links.append(link)
        return links

    def plan(self, links: Iterable[Link]) -> dict[str, Plan]:
        """Return the plan of each link, by e-mail; a link that cannot be planned has none."""
        now = self._context.clock()
        plans: dict[str, Plan] = {}
        for link in links:
            plan = self._isolation.step(link.email, partial(self._plan, link, now))
            if plan is not None:
                plans[link.email] = plan
        return plans

    def _plan(self, link: Link, now: float) -> Plan:
        return plan_link(link, self._bound, now=now)

    def resolve(
        self,
        links: Sequence[Link],
        plans: Mapping[str, Plan],
        out_of_time: Callable[[], bool],
        *,
        with_plezi: bool,
    ) -> UnitResult:
        """Resolve some links: recover, refresh, plan, intend, apply, record.

        `plans` are those of `plan`. Links that need calls to Plezi are left to a later unit unless
        `with_plezi` is set.
        """
        result = UnitResult()
        counts = Counts()
        self._isolation.visited += len(links)
        todo = []
        for link in self._isolation.drop_failed(links):
            if (plan := plans.get(link.email)) is None:
                continue
            check = partial(self._what_waits_for, link, plan, with_plezi=with_plezi)
            match self._isolation.step(link.email, check):
                case _Wait.WORKER | _Wait.NEXT_RUN:
                    result.dirty.add(link.email)
                case _Wait.PLEZI:
                    result.deferred.add(link.email)
                case _Wait.NOTHING:
                    todo.append(link)
        intended: list[Plan] = []
        try:
            intended = self._prepare(todo, plans, counts, result, with_plezi=with_plezi)
            result.merge(self._writes.carry_out(intended, counts, out_of_time))
        finally:
            self._isolation.store(counts, listed=self._listed)
            self._context.runs.add_counts(self._run_id, counts)
            self._log_batch(len(links), sum(len(plan.writes) for plan in intended), counts)
        return result

    def _what_waits_for(self, link: Link, plan: Plan, *, with_plezi: bool) -> _Wait:
        """Return what a link must wait for before it can be resolved."""
        if self._is_busy(link):
            return _Wait.WORKER
        # A form is about one person: nobody waits for it, and it is tried again under the same id.
        is_of_run = self._listed and link.unanswered_run == self._run_id
        if is_of_run and link.unanswered >= UNANSWERED_IN_A_RUN:
            return _Wait.NEXT_RUN
        if not with_plezi and self.needs_plezi(link, plan):
            return _Wait.PLEZI
        return _Wait.NOTHING

    def needs_plezi(self, link: Link, plan: Plan) -> bool:
        """Return whether a link cannot be resolved without a call to Plezi for it alone."""
        if link.intent is not None and any(it.side is Side.PLEZI for it in link.intent.writes):
            return True
        if any(write.side is Side.PLEZI for write in plan.writes):
            return True
        is_active = link.intent is not None or bool(plan.writes)
        return is_active and bool(self.refresher.stale_records(Side.PLEZI, link, plan))

    def _prepare(
        self,
        links: Sequence[Link],
        plans: Mapping[str, Plan],
        counts: Counts,
        result: UnitResult,
        *,
        with_plezi: bool,
    ) -> list[Plan]:
        """Plan on fresh observations; store what needs no write, and the intents of the rest."""
        active = [it for it in links if it.intent is not None or plans[it.email].writes]
        active_emails = {link.email for link in active}
        ready = [plans[it.email] for it in links if it.email not in active_emails]
        fresh, waiting = self.refresher.refresh(active, plans)
        waiting = self._isolation.drop_failed(waiting)
        result.dirty |= {email for email, it in self._isolation.faults.items() if it.retry}
        self._hold_emails_in_use(waiting)
        result.dirty |= {link.email for link in waiting}
        ready += self._plan_fresh(self._isolation.drop_failed(fresh))
        if not with_plezi:
            late = [it for it in ready if any(w.side is Side.PLEZI for w in it.writes)]
            result.deferred |= {plan.link.email for plan in late}
            ready = [it for it in ready if it.link.email not in result.deferred]
        unread = [it for it in ready if any(write.needs_text for write in it.writes)]
        result.dirty |= {plan.link.email for plan in unread}  # the long text was not found
        ready = [it for it in ready if it.link.email not in result.dirty]
        self._store_without_writes([it for it in ready if not it.writes], counts, result)
        with_writes = self._check_mass_clearing([it for it in ready if it.writes], counts)
        return self._intend(with_writes, counts, result)

    def _log_batch(self, links: int, writes: int, counts: Counts) -> None:
        def total(name: str) -> int:
            return sum(counts.get(side, name) for side in Side)

        self._context.log(
            Event.batch_resolved,
            run_id=self._run_id,
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
        now = self._context.clock()
        changes = []
        for link in links:
            held = self._isolation.step(link.email, partial(_with_email_in_use, link, now))
            changes += [] if held is None or held is link else [LinkChange(held)]
        if changes:
            self._isolation.not_stored(self._context.links.save_links(changes, listed=self._listed))

    def _check_mass_clearing(self, plans: Sequence[Plan], counts: Counts) -> list[Plan]:
        """Count the people whose fields would be cleared; stop before they are too many.

        Returns the plans that could be checked.
        """
        checked = []
        number = 0
        for plan in plans:
            check = partial(clears_value, plan, self._bound)
            if (clears := self._isolation.step(plan.link.email, check)) is not None:
                checked.append(plan)
                is_new = clears and plan.link.email not in self._clearing
                self._clearing |= {plan.link.email} if is_new else set()
                number += is_new
        counts.add(Side.SALESFORCE, "cleared", number)
        if self._cleared is None:
            return checked
        self._cleared += number
        if self._cleared > self._context.max_cleared:
            message = MASS_CLEARING_MESSAGE.format(limit=self._context.max_cleared)
            reason = StopReason.MASS_CLEARING
            self._context.control.open_breaker(Breaker(reason, message, self._context.clock()))
            self._context.log(Event.breaker_opened, run_id=self._run_id, reason=reason.value)
            raise HaltError(reason, message)
        return checked

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
            plan = self._isolation.step(link.email, partial(self._recover, link, now))
            if plan is not None:
                plans.append(plan)
        return plans

    def _recover(self, link: Link, now: float) -> Plan | None:
        """Recover the intent of a link, if it has one; plan the link again."""
        recovery = recover_intent(link, self._bound, now=now)
        if link.intent is not None:
            entries = (
                held_entries(recovery.link, recovery.held, self._run_id, now)
                if self._context.is_dry_run  # what another run wrote is no part of the plan
                else recovered_entries(recovery, link.intent, self._bound, now)
            )
            if self._isolation.write_journal(entries):
                return None
        return plan_link(recovery.link, self._bound, now=now, repeated=recovery.repeated)

    def _store_without_writes(
        self, plans: Sequence[Plan], counts: Counts, result: UnitResult
    ) -> None:
        """Store the new agreements, holds and problems of links that need no write."""
        links: list[Link] = []
        entries: list[JournalEntry] = []
        now = self._context.clock()
        for plan in plans:
            email = plan.link.email
            found = self._isolation.step(email, partial(self._entries, plan, counts, now))
            after = self._isolation.step(email, partial(self._without_writes, plan, counts, now))
            if found is not None and after is not None:
                entries += found
                links.append(after)
        failed = self._isolation.write_journal(entries)
        self._save([LinkChange(link) for link in links if link.email not in failed], result)

    def _without_writes(self, plan: Plan, counts: Counts, now: float) -> Link:
        after = self._writes.with_problems(plan.link, plan, counts, now)
        return replace(after, dirty=False)

    def _entries(self, plan: Plan, counts: Counts, now: float) -> list[JournalEntry]:
        email = plan.link.email
        entries = overwritten_entries(email, without_write(plan), self._run_id, now)
        if self._shows_duplicates(plan.link):
            policy = self._bound.config.duplicates.value
            entries += duplicate_entries(plan.link, policy, self._run_id, now)
        self._count_plan(plan, counts)
        return entries + held_entries(plan.link, plan.held, self._run_id, now)

    def _count_plan(self, plan: Plan, counts: Counts) -> None:
        if plan.participants.reason is not None:
            side = Side.SALESFORCE if plan.link.plezi is not None else Side.PLEZI
            counts.skip(side, plan.participants.reason)
        counts.add(Side.SALESFORCE, "held", len(plan.held))
        if self._shows_duplicates(plan.link):
            self._duplicates.add(plan.link.email)
            counts.add(Side.SALESFORCE, "duplicates")

    def _shows_duplicates(self, link: Link) -> bool:
        """Whether a dry run reports several Leads of a link: it does so once."""
        is_duplicate = AttentionKind.DUPLICATE in link.attention
        return self._context.is_dry_run and is_duplicate and link.email not in self._duplicates

    def _save(self, changes: Sequence[LinkChange], result: UnitResult) -> frozenset[str]:
        """Store links; return the e-mails that were not stored, and keep those for later."""
        if not changes:
            return frozenset()
        saved = self._context.links.save_links(changes, listed=self._listed)
        result.dirty |= saved.refused
        return saved.refused | self._isolation.not_stored(saved)

    def _intend(self, plans: Sequence[Plan], counts: Counts, result: UnitResult) -> list[Plan]:
        """Store every intent, with the values that it overwrites, before it is carried out."""
        now = self._context.clock()
        intended: list[Plan] = []
        entries: list[JournalEntry] = []
        for plan in plans:
            found = self._isolation.step(plan.link.email, partial(self._entries, plan, counts, now))
            if found is None:
                continue
            entries += found
            intent = Intent(
                self._context.new_id(),
                self._run_id,
                now,
                plan.writes,
                plan.base_updates,
                plan.overwritten,
            )
            intended.append(replace(plan, link=replace(plan.link, intent=intent, dirty=True)))
        failed = self._isolation.write_journal(entries)
        intended = [plan for plan in intended if plan.link.email not in failed]
        if not intended:
            return []
        not_stored = self._save([LinkChange(plan.link) for plan in intended], result)
        return [
            replace(
                plan,
                link=replace(
                    plan.link,
                    revision=plan.link.revision + 1,
                    indexed_records=plan.link.record_ids,
                ),
            )
            for plan in intended
            if plan.link.email not in not_stored
        ]


def _with_email_in_use(link: Link, now: float) -> Link:
    """Return the link with its e-mail held; the same one when it is held already."""
    known = link.holds.get(EMAIL_KEY)
    values: Mapping[str, Value] = {each.id: each.email for each in link.observations()}
    is_outdated = (
        known is not None
        and known.reason is HoldReason.EMAIL_IN_USE
        and dict(known.values) != dict(values)
    )
    if known is not None and not is_outdated:
        return link
    hold = Hold(HoldReason.EMAIL_IN_USE, now, values)
    return replace(link, holds={**link.holds, EMAIL_KEY: hold})
