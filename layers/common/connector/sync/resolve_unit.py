"""One unit of links: planned, refreshed, intended, written, recorded; each link isolated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Final, Protocol

from connector.clean_text import canonical_email
from connector.log_events import Event
from connector.mapping import BoundMapping
from connector.mapping.model import EMAIL_PAIR
from connector.model import (
    IN_PLEZI,
    AttentionKind,
    Counts,
    Intent,
    JournalEntry,
    Link,
    LinkChange,
    Observation,
    ProblemCode,
    Run,
    RunKind,
    Side,
)
from connector.planning.announced_changes import overwrites, overwrites_many
from connector.planning.first_sync_stages import COUNTED_ON, StageNumbers, counter, stage_numbers
from connector.planning.observation import READ_LAG_SECONDS, WRITE_LAG_SECONDS
from connector.planning.plan import Plan, plan_link
from connector.planning.recovery import recover_intent
from connector.sync.change_limits import ChangeLimiter, Limit
from connector.sync.context import SyncContext
from connector.sync.isolation import Fault, Isolation
from connector.sync.journal_entries import (
    count_not_undone,
    duplicate_entries,
    held_entries,
    overwritten_entries,
    recovered_entries,
    without_write,
)
from connector.sync.link_batch import with_email_in_use
from connector.sync.read_phase import records_waiting_for, store_observations
from connector.sync.reread import Refresher
from connector.sync.write_stage import StageResult, WriteStage

UNANSWERED_IN_A_RUN: Final = 2
"""Attempts without a response after which a link waits for the next run. Each may take as long as
the read time-out, which the other people of the run would wait for."""
PEOPLE_KINDS: Final = frozenset({RunKind.SELECTED, RunKind.DRY_RUN})
"""Kinds of run for which an admin names people."""


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


class PartialPlanner(Protocol):
    """Plans some field pairs of links for a purpose of its own, such as an undo."""

    def load(self, emails: Sequence[str]) -> None:
        """Read what the plans of some people rest on."""

    def plan(self, link: Link) -> Plan:
        """Return the plan of one link."""

    def entries(self, plan: Plan, now: float) -> list[JournalEntry]:
        """Return the journal entries of what a plan leaves as it is, each of them once."""


class _Wait(Enum):
    """What a link waits for: the worker that carries out its intent, the next run, Plezi."""

    NOTHING = "nothing"
    WORKER = "worker"
    NEXT_RUN = "next_run"
    PLEZI = "plezi"


class UnitResolver:
    """Resolves units of links for one run.

    `listed`: the links are on a work list of the run. With a `planner`, the run plans some field
    pairs only, of clean links too.
    """

    def __init__(  # the parts of a run, each by its name
        self,
        context: SyncContext,
        bound: BoundMapping,
        run: Run,
        isolation: Isolation,
        *,
        listed: bool,
        limit: Limit,
        planner: PartialPlanner | None = None,
    ) -> None:
        """Take a run. People whom an administrator named are overwritten without a limit."""
        self._context = context
        self._bound = bound
        self._run = run
        self._run_id = run.id
        self._isolation = isolation
        self._listed = listed
        self._planner = planner
        self.refresher = Refresher(context, bound, isolation)
        self._duplicates: set[str] = set()
        self._writes = WriteStage(context, bound, run.id, isolation, listed=listed)
        self._limiter = ChangeLimiter(context, bound, run, limit)
        self._are_named = run.kind in PEOPLE_KINDS and bool(run.emails)
        self._stage = 0
        self._stages: dict[int, StageNumbers] = {}
        self._visited: set[str] = set()
        self._counted: set[str] = set()
        self._given: set[str] = set()

    def begin_stage(self, size: int) -> None:
        """Count from now on for a stage of the first synchronization; 0: for none."""
        self._stage = size
        self._stages.setdefault(size, stage_numbers(self._run.counts, size))

    @property
    def stage_numbers(self) -> StageNumbers:
        """The numbers of the present stage, those of earlier invocations included."""
        return self._stages[self._stage]

    def load(self, emails: Iterable[str], *, include_clean: bool = False) -> list[Link]:
        """Return the links to resolve: those that are dirty, or all with `include_clean`."""
        include_clean = include_clean or self._planner is not None
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
        links = list(links)
        if self._planner is not None:
            self._planner.load([link.email for link in links])
        for link in links:
            plan = self._isolation.step(link.email, partial(self._plan, link, now))
            if plan is not None:
                plans[link.email] = plan
        return plans

    def _plan(self, link: Link, now: float, repeated: Collection[tuple[str, str]] = ()) -> Plan:
        """Plan a link. One that alone would overwrite many records is shared: for review."""
        if self._planner is not None:
            return self._planner.plan(link)
        plan = plan_link(link, self._bound, now=now, repeated=repeated)
        if self._are_named or link.intent is not None or not overwrites_many(plan, self._bound):
            return plan
        return plan_link(link.as_shared(), self._bound, now=now)

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
            self._limiter.add(counts)
            if self._stage:
                self._count_stage(todo, intended, counts)
            self._context.runs.add_counts(self._run_id, counts)
            self._log_batch(len(links), sum(len(plan.writes) for plan in intended), counts)
        return result

    def count_stage_people(self, emails: Iterable[str]) -> Counts:
        """Return the counts of people who are done in the present stage.

        A link that was clean is none of them: its e-mail is on another list too.
        """
        new = (self._visited & set(emails)) - self._counted
        self._counted |= new
        counts = Counts()
        self._add_to_stage({"people": len(new)}, counts)
        return counts

    def _count_stage(self, links: Sequence[Link], intended: Sequence[Plan], counts: Counts) -> None:
        """Count what is remarkable in a unit, for the stage of the first synchronization."""
        step = self._isolation.step
        new = [link for link in links if link.email not in self._visited]
        self._visited |= {link.email for link in links}
        found = {
            "errors": sum(counts.get(side, "quarantined") for side in Side),
            "duplicates": sum(bool(step(it.email, partial(_is_duplicate, it))) for it in new),
            "overwritten": sum(
                bool(step(it.link.email, partial(overwrites, it, self._bound))) for it in intended
            ),
        }
        self._add_to_stage(found, counts)

    def _add_to_stage(self, found: Mapping[str, int], counts: Counts) -> None:
        numbers = asdict(self.stage_numbers)
        for name, number in found.items():
            counts.add(COUNTED_ON, counter(self._stage, name), number)
            numbers[name] += number
        self._stages[self._stage] = StageNumbers(**numbers)

    def _what_waits_for(self, link: Link, plan: Plan, *, with_plezi: bool) -> _Wait:
        """Return what a link must wait for before it can be resolved."""
        if self._is_busy(link) or self._may_lag(link):
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
        return _is_active(link, plan) and bool(self.refresher.stale_records(Side.PLEZI, link, plan))

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
        step = self._isolation.step
        active = [it for it in links if step(it.email, partial(_is_active, it, plans[it.email]))]
        active_emails = {link.email for link in active}
        links = self._isolation.drop_failed(links)
        ready = [plans[it.email] for it in links if it.email not in active_emails]
        taken = self._known_in_plezi(active, plans)
        active = [it for it in active if it.email not in taken]
        fresh, waiting = self.refresher.refresh(active, plans)
        waiting = self._isolation.drop_failed(
            [*waiting, *(it for it in links if it.email in taken)]
        )
        result.dirty |= {email for email, it in self._isolation.faults.items() if it.retry}
        self._hold_emails_in_use(waiting)
        result.dirty |= {link.email for link in waiting}
        uncertain = {it.email for it in fresh if step(it.email, partial(self._stays_uncertain, it))}
        result.dirty |= uncertain
        fresh = [it for it in fresh if it.email not in uncertain]
        planned = self._plan_fresh(self._isolation.drop_failed(fresh))
        moving = self._moving(active, planned) | self._given_away(planned)
        result.dirty |= moving
        ready += [it for it in planned if it.link.email not in moving]
        if not with_plezi:
            late = [it for it in ready if any(w.side is Side.PLEZI for w in it.writes)]
            result.deferred |= {plan.link.email for plan in late}
            ready = [it for it in ready if it.link.email not in result.deferred]
        unread = [it for it in ready if any(write.needs_text for write in it.writes)]
        result.dirty |= {plan.link.email for plan in unread}  # the long text was not found
        ready = [it for it in ready if it.link.email not in result.dirty]
        self._store_without_writes([it for it in ready if not it.writes], counts, result)
        with_writes = self._limiter.check([it for it in ready if it.writes], self._isolation)
        return self._intend(with_writes, counts, result)

    def _moving(self, links: Sequence[Link], plans: Sequence[Plan]) -> set[str]:
        """Return the e-mails of links that move before a record is created for them.

        A look-up has just shown a new e-mail of a record. The record that is created would have it,
        and the next reading would take it for another person, as long as the link has the old one.
        """
        before = {link.email: link for link in links}
        return {
            plan.link.email
            for plan in plans
            if any(write.is_create for write in plan.writes)
            and self._isolation.step(
                plan.link.email, partial(_has_new_email, before[plan.link.email], plan.link)
            )
        }

    def _given_away(self, plans: Sequence[Plan]) -> set[str]:
        """Return the e-mails of links whose contact is not created: another one gets the e-mail.

        It gets it in this unit, or got it in one before, with a response that was lost perhaps. A
        search finds nobody then, and Plezi would overwrite the other contact (assumed).
        """
        for plan in plans:
            email = self._isolation.step(plan.link.email, partial(_email_given_in_plezi, plan))
            self._given.add(email or "")
        return {
            plan.link.email
            for plan in plans
            if plan.link.email in self._given
            and any(it.is_create and it.side is Side.PLEZI for it in plan.writes)
        }

    def _known_in_plezi(self, links: Sequence[Link], plans: Mapping[str, Plan]) -> set[str]:
        """Return the e-mails of links whose contact cannot be created yet: another one has it.

        Plezi overwrites a contact that has the e-mail of a new one (assumed). A search before the
        creation shows it; a contact that is about to get another e-mail is known without a search.
        """
        emails = [
            link.email
            for link in links
            if any(it.is_create and it.side is Side.PLEZI for it in plans[link.email].writes)
        ]
        names = [f"{IN_PLEZI}{email}" for email in emails]
        owners = self._context.links.owner_emails(names) if names else {}
        known = self._context.links.load_links(owners.values()) if owners else {}
        return {link.email_in_plezi for link in known.values()}.intersection(emails)

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
            held = self._isolation.step(link.email, partial(with_email_in_use, link, now))
            changes += [] if held is None or held is link else [LinkChange(held)]
        if changes:
            self._isolation.not_stored(self._context.links.save_links(changes, listed=self._listed))

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
        return age < WRITE_LAG_SECONDS and any(write.side is Side.PLEZI for write in intent.writes)

    def _may_lag(self, link: Link) -> bool:
        """Whether Plezi may still show an uncertain contact as it was before our write."""
        contact = link.plezi
        if contact is None or not contact.uncertain:
            return False
        return 0 <= self._context.clock() - contact.as_of < WRITE_LAG_SECONDS

    def _stays_uncertain(self, link: Link) -> bool:
        """Whether a new reading was no newer than an uncertain one, or showed nothing.

        After `READ_LAG_SECONDS` any reading counts, and a record that none shows has left.
        """
        now = self._context.clock()
        return any(
            it.uncertain and it.participates and 0 <= now - it.as_of < READ_LAG_SECONDS
            for it in link.observations()
        )

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
        return self._plan(recovery.link, now, recovery.repeated)

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
        self._store_misplaced(links)

    def _store_misplaced(self, links: Iterable[Link]) -> None:
        """Store again the records that belong to another link since a record was found deleted.

        A write or a look-up found it: the others were read before. A link moves to the e-mail that
        its records have, if none has its own one any more. If no record is left, those get the
        e-mail who wait for it. The next run resolves them.
        """
        found: dict[str, Observation] = {}
        free: set[str] = set()
        for link in links:
            records = list(link.observations())
            if not any(it.is_active for it in records):
                free.add(link.email)
            elif any(it.deleted for it in records) and all(
                it.email != link.email for it in records if it.is_active
            ):
                found |= {it.id: it for it in records if it.is_active and it.email}
        found |= records_waiting_for(self._context.links, free)
        for side in Side:
            misplaced = [it for it in found.values() if it.side is side]
            if misplaced:
                store_observations(self._context, misplaced, Counts(), side, self._isolation)

    def _without_writes(self, plan: Plan, counts: Counts, now: float) -> Link:
        if plan.is_partial:
            return replace(plan.link, dirty=plan.stays_dirty)
        after = self._writes.with_problems(plan.link, plan, counts, now)
        return replace(after, dirty=False)

    def _entries(self, plan: Plan, counts: Counts, now: float) -> list[JournalEntry]:
        email = plan.link.email
        entries = overwritten_entries(email, without_write(plan), self._run_id, now)
        if self._shows_duplicates(plan.link):
            policy = self._bound.config.duplicates.value
            entries += duplicate_entries(plan.link, policy, self._run_id, now)
        if self._planner is not None:
            left = self._planner.entries(plan, now)
            count_not_undone(left, counts)
            entries += left
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
        is_new = link.email not in self._duplicates
        return self._context.is_dry_run and is_new and _is_duplicate(link)

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
                    revision=plan.link.next_revision,
                    indexed=plan.link.names,
                ),
            )
            for plan in intended
            if plan.link.email not in not_stored
        ]


def _email_given_in_plezi(plan: Plan) -> str:
    """Return the e-mail that a plan writes to a contact that exists ('': none)."""
    emails = [
        canonical_email(it.values.get(EMAIL_PAIR.plezi))
        for it in plan.writes
        if it.side is Side.PLEZI and not it.is_create
    ]
    return next(filter(None, emails), "")


def _has_new_email(before: Link, after: Link) -> bool:
    """Whether a record has another e-mail than when it was read before."""
    known = {it.id: it.email for it in before.observations()}
    return any(known.get(it.id, it.email) != it.email for it in after.observations())


def _is_active(link: Link, plan: Plan) -> bool:
    """Whether a plan needs more than to be stored: records are read again, or written."""
    return link.intent is not None or bool(plan.writes) or link.is_uncertain


def _is_duplicate(link: Link) -> bool:
    return AttentionKind.DUPLICATE in link.attention
