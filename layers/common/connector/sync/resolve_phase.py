"""The second stroke: merge what is dirty, intend, apply, record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.errors import HaltError, StopReason
from connector.mapping import BoundMapping
from connector.model import (
    Breaker,
    Counts,
    Hold,
    Intent,
    Link,
    LinkChange,
    Side,
    Value,
    Write,
)
from connector.planning.mass_change import clears_value
from connector.planning.outcome import WriteOutcome, WriteResult, record_outcomes
from connector.planning.participants import Match
from connector.planning.plan import EMAIL_IN_USE, Plan, plan_link
from connector.planning.recovery import recover_intent
from connector.sync.context import SyncContext
from connector.sync.journal_entries import (
    held_entries,
    overwritten_entries,
    refused_entries,
    written_entries,
)
from connector.sync.read_phase import EMAIL_KEY
from connector.sync.refresh import Refresher

BATCH_SIZE: Final = 200
"""Links decided at a time: what one call to sObject Collections takes."""
MAX_PASSES: Final = 3
"""A record that was created first needs a second look; a third is for what moved meanwhile."""
MAX_ATTEMPTS: Final = 5
STALE_SECONDS: Final = 60.0
"""How long Plezi may go on showing what a contact said before (assumed; reliability, fault 36)."""
MIN_WRITES: Final = 5
"""Writes to Plezi that an invocation makes however late it is, so that every one gets further; at
two calls a second they take a quarter of what is kept for saving the place."""
MASS_CLEARING_MESSAGE: Final = (
    "This run would have emptied fields of more than {most} people, and stopped before it did. "
    "See with a dry run whom; if it is meant, say so (POST /admin/breaker/release), and the next "
    "run goes on; if it is an accident, mend it on the side where it happened. Nothing is lost."
)


class ResolvePhase:
    """One run's second stroke over everything dirty."""

    def __init__(
        self, world: SyncContext, bound: BoundMapping, run: str, *, cleared: int | None = None
    ) -> None:
        """Take a run; `emptied` are the people whose fields it emptied so far (None: any may be).

        People who were named by a person may always be emptied; the others up to the world's limit.
        """
        self._world = world
        self._bound = bound
        self._run = run
        self._refresher = Refresher(world, bound)
        self._wrote = False
        allowed = world.ledger.clearing_allowed_until() > world.clock()
        self._cleared = None if allowed else cleared

    def resolve_people(self, emails: Sequence[str], out_of_time: Callable[[], bool]) -> bool:
        """Settle the links of some people; return whether nothing of them is left to do.

        What is left was refused for now, is unheard of, or is in somebody else's hands.
        """
        for again in range(MAX_PASSES):
            self.resolve_links(emails, out_of_time, include_clean=not again)
            links = self._world.ledger.load_links(emails)
            emails = [email for email, link in links.items() if link.dirty]
            if not emails:
                return True
            if out_of_time():
                return False
        return False

    def run(self, out_of_time: Callable[[], bool]) -> bool:
        """Settle every dirty link; return whether all was done in time."""
        for _ in range(MAX_PASSES):
            self._wrote = False
            after = ""
            while emails := self._world.ledger.dirty_emails(BATCH_SIZE, after):
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
        """Settle some links: judge, refresh, plan, intend, apply, record.

        Those that are not dirty are left alone, but for people who were asked for (`anyway`).
        """
        counts = Counts()
        held = self._world.ledger.load_links(emails)
        mine = [
            link
            for link in held.values()
            if (include_clean or link.dirty) and not self._is_busy(link)
        ]
        first = {link.email: plan_link(link, self._bound, now=self._world.clock()) for link in mine}
        active = [link for link in mine if link.intent is not None or first[link.email].writes]
        busy = {link.email for link in active}
        plans = [each for email, each in first.items() if email not in busy]
        fresh, waiting = self._refresher.refresh(active, first)
        self._hold_waiting(waiting)
        plans += self._plan_fresh(fresh)
        self._store_without_writes([each for each in plans if not each.writes], counts)
        self._check_mass_clearing(plans, counts)
        intended = self._intend([each for each in plans if each.writes], counts)
        try:
            self._apply(intended, counts, out_of_time)
        finally:
            self._world.ledger.add_counts(self._run, counts)

    def _hold_waiting(self, links: Sequence[Link]) -> None:
        """Say of links that wait for their address why they do; they are tried again all the same.

        Most wait for a moment, until the other link's address is written; one may wait for the
        person who is asked about the other.
        """
        changes = []
        for link in links:
            known = link.holds.get(EMAIL_KEY)
            words: Mapping[str, Value] = {it.id: it.email for it in link.observations()}
            if known is None or (
                known.reason == EMAIL_IN_USE and dict(known.values) != dict(words)
            ):
                hold = Hold(EMAIL_IN_USE, self._world.clock(), words)
                changes.append(LinkChange(replace(link, holds={**link.holds, EMAIL_KEY: hold})))
        if changes:
            self._world.ledger.save_links(changes)

    def _check_mass_clearing(self, plans: Sequence[Plan], counts: Counts) -> None:
        """Count the people of whom fields are emptied; stop before they are too many."""
        number = sum(clears_value(each, self._bound) for each in plans)
        counts.add(Side.SALESFORCE, "cleared", number)
        if self._cleared is None:
            return
        self._cleared += number
        if self._cleared > self._world.max_cleared:
            now = self._world.clock()
            message = MASS_CLEARING_MESSAGE.format(most=self._world.max_cleared)
            self._world.ledger.open_breaker(Breaker(StopReason.MASS_CLEARING, message, now))
            raise HaltError(StopReason.MASS_CLEARING, message)

    def _is_busy(self, link: Link) -> bool:
        """Whether a live run may still be carrying out this link's intent (rule 1).

        One that is in doubt is judged at once, but for what was written to Plezi: that may show for
        a while what it said before (assumed), as if nothing had been delivered. One that seems to
        be from long after now was written before our clock was set back: whoever did is dead.
        """
        intent = link.intent
        if intent is None:
            return False
        age = self._world.clock() - intent.at
        if age < -self._world.worker_timeout:
            return False
        if not intent.in_doubt:
            return age < self._world.worker_timeout
        return age < STALE_SECONDS and any(it.side is Side.PLEZI for it in intent.writes)

    def _plan_fresh(self, links: Iterable[Link]) -> list[Plan]:
        now = self._world.clock()
        plans = []
        for link in links:
            verdict = recover_intent(link, self._bound, now=now)
            if verdict.held:
                self._world.journal.write(held_entries(verdict.link, verdict.held, self._run, now))
            plans.append(plan_link(verdict.link, self._bound, now=now))
        return plans

    def _store_without_writes(self, plans: Sequence[Plan], counts: Counts) -> None:
        """Keep what was adopted where nothing is to be written."""
        changes = []
        now = self._world.clock()
        for each in plans:
            self._count_decision(each, counts)
            lines = overwritten_entries(each, self._run, now)
            lines += held_entries(each.link, each.held, self._run, now)
            if lines:
                self._world.journal.write(lines)
            changes.append(LinkChange(replace(each.link, dirty=False, quarantine=None)))
        if changes:
            self._world.ledger.save_links(changes)

    def _count_decision(self, each: Plan, counts: Counts) -> None:
        if each.participants.match in (Match.NONE, Match.AMBIGUOUS):
            side = Side.SALESFORCE if each.link.plezi is not None else Side.PLEZI
            counts.skip(side, each.participants.reason)
        counts.add(Side.SALESFORCE, "held", len(each.held))

    def _intend(self, plans: Sequence[Plan], counts: Counts) -> list[Plan]:
        """Journal the losers, then write down every decision before it is carried out."""
        now = self._world.clock()
        intended = []
        for each in plans:
            self._count_decision(each, counts)
            intent = Intent(self._world.new_id(), self._run, now, each.writes, each.base_updates)
            intended.append(replace(each, link=replace(each.link, intent=intent, dirty=True)))
        if not intended:
            return []
        lines = [line for each in intended for line in overwritten_entries(each, self._run, now)]
        lines += [
            line for each in intended for line in held_entries(each.link, each.held, self._run, now)
        ]
        self._world.journal.write(lines)
        refused = self._world.ledger.save_links([LinkChange(each.link) for each in intended])
        return [
            replace(each, link=replace(each.link, revision=each.link.revision + 1))
            for each in intended
            if each.link.email not in refused
        ]

    def _apply(
        self, plans: Sequence[Plan], counts: Counts, out_of_time: Callable[[], bool]
    ) -> None:
        """Send the writes of all plans, side by side, and record every answer that was heard."""
        tasks = [(each.link.email, write) for each in plans for write in each.writes]
        outcomes: dict[str, dict[str, WriteOutcome]] = {each.link.email: {} for each in plans}
        try:
            for side in (Side.SALESFORCE, Side.PLEZI):
                mine = [task for task in tasks if task[1].side is side]
                self._send(side, mine, outcomes, out_of_time)
        finally:
            for email, write in tasks:
                outcomes[email].setdefault(write.record_id, WriteOutcome(write, WriteResult.RETRY))
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
        answers = self._world.clients[side].apply(
            [write for _, write in tasks], self._bound.read_scope
        )
        for number, ((email, write), outcome) in enumerate(zip(tasks, answers, strict=False), 1):
            outcomes[email][write.record_id] = outcome
            if side is Side.PLEZI and number >= MIN_WRITES and out_of_time():
                return

    def _record(
        self,
        plans: Sequence[Plan],
        outcomes: Mapping[str, Mapping[str, WriteOutcome]],
        counts: Counts,
    ) -> None:
        """Record what the writes answered, on the links as they stand now."""
        now = self._world.clock()
        lines = []
        for each in plans:
            for outcome in outcomes[each.link.email].values():
                self._count_outcome(outcome, counts)
                lines += written_entries(each, outcome, self._bound, self._run, now)
                lines += refused_entries(each, outcome, self._run, now)
        self._world.journal.write(lines)
        waiting = {each.link.email: each.link for each in plans}
        intents = {each.link.email: each.link.intent for each in plans}
        undisturbed = True
        for _ in range(MAX_ATTEMPTS):
            changes = [
                LinkChange(
                    record_outcomes(
                        link,
                        intent.id,
                        outcomes[email],
                        unchanged_since_intent=undisturbed,
                        now=now,
                    )
                )
                for email, link in waiting.items()
                if (intent := intents[email]) is not None
            ]
            refused = self._world.ledger.save_links(changes) if changes else frozenset[str]()
            if not refused:
                return
            waiting = self._world.ledger.load_links(refused)
            undisturbed = False
        raise HaltError(
            StopReason.CONFLICT, "the ledger's lines keep moving: two workers on one link?"
        )

    def _count_outcome(self, outcome: WriteOutcome, counts: Counts) -> None:
        side = outcome.write.side
        match outcome.result:
            case WriteResult.DONE:
                self._wrote = True
                counts.add(side, "created" if outcome.created else "updated")
            case WriteResult.REJECTED:
                counts.add(side, "quarantined")
            case _:
                counts.add(side, outcome.result.value)
