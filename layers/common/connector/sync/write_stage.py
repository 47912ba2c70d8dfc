"""The writes of one unit: sent to both systems, and recorded; each link isolated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from connector.errors import HaltError, StopReason
from connector.log_events import Event
from connector.mapping import BoundMapping
from connector.model import (
    Counts,
    JournalEntry,
    Link,
    LinkChange,
    ProblemCode,
    Quarantine,
    Side,
    Write,
)
from connector.planning.announced_changes import changes_of_write
from connector.planning.field_problem import quarantine_for
from connector.planning.plan import Plan, plan_link
from connector.planning.refused_fields import combined, remaining_write, with_smaller_creation
from connector.planning.write_outcome import (
    UNANSWERED_ATTEMPTS,
    WriteOutcome,
    WriteResult,
    record_outcomes,
)
from connector.sync.context import SyncContext
from connector.sync.isolation import Fault, Isolation
from connector.sync.journal_entries import outcome_entries
from connector.sync.link_batch import with_email_in_use
from connector.sync.read_phase import join_links, records_in_links

PROBLEM_CODES: Final = frozenset(ProblemCode) - {ProblemCode.UNANSWERED}
"""Codes of an outcome that say that the connector cannot use the answer, or failed. A write without
a response is counted on its link instead."""
MAX_SMALLER_WRITES: Final = 3
"""How often a refused write is sent again at once, each time without the fields that were named."""
MAX_ATTEMPTS: Final = 5
"""How often outcomes are recorded again on a link that another process changes."""


@dataclass(slots=True)
class StageResult:
    """The e-mails of links that are still dirty, and whether another pass may find more to do.

    `unsent`: some writes were not sent, because the time of the invocation was used up or a system
    accepted no more calls.
    """

    dirty: set[str] = field(default_factory=set)
    wrote: bool = False
    unsent: bool = False


def _has_intent_of(link: Link | None, plan: Plan) -> bool:
    """Whether a stored link still has the intent of a plan."""
    intent = plan.link.intent
    return (
        link is not None
        and link.intent is not None
        and intent is not None
        and link.intent.id == intent.id
    )


def _needs_pass(outcome: WriteOutcome) -> bool:
    """Whether an outcome shows something new: a write was done, or a creation found a record."""
    is_found = outcome.result is WriteResult.STALE and outcome.observation is not None
    return outcome.result is WriteResult.DONE or is_found


def _is_given_up(link: Link, after: Link, outcomes: Iterable[WriteOutcome]) -> bool:
    """Whether a link is in quarantine since now because its writes are never carried out.

    A refusal is counted with its own outcome.
    """
    is_reached = link.unanswered < UNANSWERED_ATTEMPTS <= after.unanswered
    return is_reached and not any(
        (it.refusal or it).result is WriteResult.REJECTED for it in outcomes
    )


def _is_refused(writes: Sequence[Write], outcomes: Collection[WriteOutcome]) -> bool:
    """Whether nothing is left to write but fields that were refused a moment ago."""
    refused = {
        (each.refusal.write.kind, name)
        for each in outcomes
        if each.refusal is not None
        for name in each.refusal.write.values.keys() - each.write.values.keys()
    }
    return {(write.kind, name) for write in writes for name in write.values} <= refused


def _created_for(outcomes: Mapping[str, Mapping[str, WriteOutcome]]) -> dict[str, str]:
    """Return the e-mails of the links for which records were created, by record id."""
    return {
        outcome.record_id: email
        for email, of_link in outcomes.items()
        for outcome in of_link.values()
        if outcome.created
    }


class WriteStage:
    """Carries out intents that are stored. `listed`: the links are on a work list."""

    def __init__(
        self,
        context: SyncContext,
        bound: BoundMapping,
        run_id: str,
        isolation: Isolation,
        *,
        listed: bool,
    ) -> None:
        self._context = context
        self._bound = bound
        self._run_id = run_id
        self._isolation = isolation
        self._listed = listed
        self._in_use: set[str] = set()
        self._displaced: dict[str, str] = {}
        self._stored: dict[str, Link] = {}

    def carry_out(
        self, plans: Sequence[Plan], counts: Counts, out_of_time: Callable[[], bool]
    ) -> StageResult:
        """Send the writes of all plans, and record every outcome that is known."""
        result = StageResult()
        if not plans:
            return result
        self._stored = {plan.link.email: plan.link for plan in plans}
        tasks = [(plan.link.email, write) for plan in plans for write in plan.writes]
        outcomes: dict[str, dict[str, WriteOutcome]] = {plan.link.email: {} for plan in plans}
        try:
            for side in (Side.SALESFORCE, Side.PLEZI):
                of_side = [task for task in tasks if task[1].side is side]
                self._send(side, of_side, outcomes, out_of_time)
        finally:
            for email, write in tasks:
                not_sent = WriteOutcome(write, WriteResult.RETRY)
                outcome = outcomes[email].setdefault(write.record_id, not_sent)
                result.unsent = result.unsent or outcome is not_sent
            self._record(plans, outcomes, counts, result)
            self._note_reason_to_wait(outcomes)
        return result

    def _note_reason_to_wait(self, outcomes: Mapping[str, Mapping[str, WriteOutcome]]) -> None:
        """Show in the run why writes wait, if somebody can do something about it."""
        if not self._listed:
            return  # the writes of a form: no run is stored
        waiting = (each for of_link in outcomes.values() for each in of_link.values())
        for outcome in waiting:
            if outcome.result is WriteResult.RETRY and outcome.code and outcome.remedy:
                reason = f"{outcome.code}: {outcome.remedy}"
                self._context.runs.note_error(self._run_id, reason)
                return

    def _send(
        self,
        side: Side,
        tasks: Sequence[tuple[str, Write]],
        outcomes: Mapping[str, dict[str, WriteOutcome]],
        out_of_time: Callable[[], bool],
    ) -> None:
        """Send the writes to one system; those without an outcome were not sent."""
        if not tasks:
            return
        first: dict[str, dict[str, WriteOutcome]] = {email: {} for email, _ in tasks}
        try:
            self._apply(side, tasks, first, out_of_time)
        finally:
            for email, of_link in first.items():
                outcomes[email] |= of_link
        self._send_rest(side, first, outcomes, out_of_time)

    def _apply(
        self,
        side: Side,
        tasks: Sequence[tuple[str, Write]],
        outcomes: Mapping[str, dict[str, WriteOutcome]],
        out_of_time: Callable[[], bool],
    ) -> None:
        client = self._context.clients[side]
        results = client.apply([write for _, write in tasks], self._bound.read_scope)
        for number, ((email, write), outcome) in enumerate(zip(tasks, results, strict=False), 1):
            outcomes[email][write.record_id] = outcome
            if side is Side.PLEZI and number < len(tasks) and out_of_time():
                return

    def _send_rest(
        self,
        side: Side,
        refused: Mapping[str, Mapping[str, WriteOutcome]],
        outcomes: Mapping[str, dict[str, WriteOutcome]],
        out_of_time: Callable[[], bool],
    ) -> None:
        """Send again what was refused, without the fields that the refusals name.

        A system may name one field after another. What the time does not allow is sent later.
        """
        for _ in range(MAX_SMALLER_WRITES):
            smaller = [
                (email, write)
                for email, of_link in refused.items()
                for outcome in of_link.values()
                if (rest := self._isolation.step(email, partial(self._rest_of, outcome)))
                for write in rest
            ]
            smaller = self._store_smaller_creations(smaller)
            if not smaller:
                return
            found: dict[str, dict[str, WriteOutcome]] = {email: {} for email, _ in smaller}
            try:
                self._apply(side, smaller, found, out_of_time)
            finally:
                for email, write in smaller:
                    rest_outcome = found[email].get(write.record_id)
                    if rest_outcome is None:
                        outcomes[email].pop(write.record_id, None)
                    else:
                        before = outcomes[email][write.record_id]
                        outcomes[email][write.record_id] = combined(before, rest_outcome)
            refused = found

    def _store_smaller_creations(
        self, smaller: Sequence[tuple[str, Write]]
    ) -> list[tuple[str, Write]]:
        """Store what the records to be created will have; return the writes that may be sent.

        A creation is not sent where the link cannot be stored, because another process changed it:
        its refusal is recorded, and the link is resolved again.
        """
        step = self._isolation.step
        narrowed = {
            email: link
            for email, write in smaller
            if write.is_create
            and (link := step(email, partial(with_smaller_creation, self._stored[email], write)))
        }
        if not narrowed:
            return list(smaller)
        changes = [LinkChange(link) for link in narrowed.values()]
        saved = self._context.links.save_links(changes, listed=self._listed)
        not_stored = self._isolation.not_stored(saved) | saved.refused
        for email, link in narrowed.items():
            if email not in not_stored:
                self._stored[email] = replace(link, revision=link.next_revision)
        sendable = narrowed.keys() - not_stored
        return [(email, it) for email, it in smaller if not it.is_create or email in sendable]

    def _rest_of(self, outcome: WriteOutcome) -> list[Write]:
        rest = remaining_write(outcome, self._bound)
        return [] if rest is None else [rest]

    def _record(
        self,
        plans: Sequence[Plan],
        outcomes: Mapping[str, dict[str, WriteOutcome]],
        counts: Counts,
        result: StageResult,
    ) -> None:
        """Record the outcomes: first in the journal, then on the links as they are now."""
        now = self._context.clock()
        self._check_found(outcomes)
        entries: list[JournalEntry] = []
        failed: set[str] = set()
        for plan in plans:
            of_link = outcomes[plan.link.email]
            found = self._isolation.step(
                plan.link.email, partial(self._entries, plan, of_link, counts, now)
            )
            needs_pass = partial(any, map(_needs_pass, of_link.values()))
            result.wrote |= bool(self._isolation.step(plan.link.email, needs_pass))
            failed |= {plan.link.email} if found is None else set()
            entries += found or []
        failed |= self._isolation.write_journal(entries)
        # Without its entries in the journal a link keeps its intent, which is recovered later.
        by_email = {plan.link.email: plan for plan in plans if plan.link.email not in failed}
        waiting: dict[str, Link] = {email: self._stored[email] for email in by_email}
        unchanged = True
        for _ in range(MAX_ATTEMPTS):
            refused = self._save(
                [
                    after
                    for email, link in waiting.items()
                    if (
                        after := self._isolation.step(
                            email,
                            partial(
                                self._after,
                                link,
                                by_email[email],
                                outcomes[email],
                                counts,
                                unchanged=unchanged,
                            ),
                        )
                    )
                    is not None
                ],
                result,
            )
            if not refused:
                self._join(outcomes, result)
                return
            plans_left = [by_email[it] for it, link in waiting.items() if link.email in refused]
            waiting = self._as_stored(plans_left)
            unchanged = False
        raise HaltError(
            StopReason.CONFLICT, "the same links keep changing: do two workers write to them?"
        )

    def _join(
        self, outcomes: Mapping[str, Mapping[str, WriteOutcome]], result: StageResult
    ) -> None:
        """Join other links that have a record which was created for one of ours.

        The e-mail of the record changed just after its creation, and another process has read and
        stored it before we could store whose it is.
        """
        created = _created_for(outcomes)
        # A process that stored the pointer before us is named by ours, one that did it since by it.
        owners = self._context.links.owner_emails(created) if created else {}
        others = {
            it: email
            for it, email in (*self._displaced.items(), *owners.items())
            if it in created and email != created[it]
        }
        self._displaced.clear()
        shared = records_in_links(self._context.links, others).values()
        if shared:
            dirty = join_links(self._context, shared, created, self._isolation, listed=self._listed)
            result.dirty |= set(dirty)

    def _as_stored(self, plans: Sequence[Plan]) -> dict[str, Link]:
        """Return the links of plans as they are stored now, by the e-mails of the plans.

        Another process may have moved a link to a new e-mail while we wrote: its intent went along.
        A link whose intent is gone was recovered, and is left out.
        """
        links = self._context.links.load_links([plan.link.email for plan in plans])
        moved = [it for it in plans if not _has_intent_of(links.get(it.link.email), it)]
        records = {record for plan in moved for record in plan.link.record_ids}
        owners = self._context.links.owner_emails(records) if records else {}
        found = self._context.links.load_links(owners.values()) if owners else {}
        for plan in moved:
            links.pop(plan.link.email, None)
            for link in found.values():
                if _has_intent_of(link, plan):
                    links[plan.link.email] = link
        return links

    def _check_found(self, outcomes: Mapping[str, dict[str, WriteOutcome]]) -> None:
        """Drop found records that belong to another link: a creation found them by their e-mail.

        So are those of people who were erased. The e-mail is held, so that an admin sees why
        nothing is created.
        """
        found = {
            outcome.observation.id: (email, record_id)
            for email, of_link in outcomes.items()
            for record_id, outcome in of_link.items()
            if outcome.result is WriteResult.STALE and outcome.observation is not None
        }
        owners = self._context.links.owner_emails(found) if found else {}
        links = self._context.links.load_links(owners.values()) if owners else {}
        erased = self._context.tombstones.erased(found) if found else frozenset()
        for record in erased:
            self._drop_found(outcomes, *found[record])
        for record, owner in owners.items():
            email, record_id = found[record]
            if owner != email and owner in links and record in links[owner].record_ids:
                self._drop_found(outcomes, email, record_id)

    def _drop_found(
        self, outcomes: Mapping[str, dict[str, WriteOutcome]], email: str, record_id: str
    ) -> None:
        known = outcomes[email][record_id]
        outcomes[email][record_id] = replace(known, observation=None)
        self._in_use.add(email)

    def _save(self, links: Sequence[Link], result: StageResult) -> frozenset[str]:
        """Store links after their writes; return the e-mails whose link had changed."""
        if not links:
            return frozenset()
        changes = [LinkChange(link) for link in links]
        saved = self._context.links.save_links(changes, listed=self._listed)
        self._displaced |= saved.displaced
        not_stored = self._isolation.not_stored(saved) | saved.refused
        result.dirty |= {link.email for link in links if link.dirty} - not_stored
        return saved.refused

    def _after(
        self,
        link: Link,
        plan: Plan,
        outcomes: Mapping[str, WriteOutcome],
        counts: Counts,
        *,
        unchanged: bool,
    ) -> Link:
        """Return a link with the outcomes of its intent.

        A link of which a record was just created is planned at once: mostly nothing is left to do,
        and the link need not be resolved and stored again.
        """
        if plan.link.intent is None:
            raise TypeError("a plan that is carried out has an intent")
        now = self._context.clock()
        after = record_outcomes(
            link,
            plan.link.intent.id,
            outcomes,
            unchanged_since_intent=unchanged,
            now=now,
            problems=plan.problems,
        )
        if _is_given_up(link, after, outcomes.values()) and after.quarantine is not None:
            self._count_quarantine(link, after.quarantine, counts)
        if link.email in self._in_use:
            return with_email_in_use(after, now)
        if self._bound.shared_fields and any(map(self._is_news, outcomes.values())):
            after = replace(after, dirty=True)
        if plan.is_partial:
            return replace(after, dirty=after.dirty or plan.stays_dirty)
        if any(it.result is not WriteResult.DONE for it in outcomes.values()):
            return after
        if after.dirty and unchanged and any(it.created for it in outcomes.values()):
            again = plan_link(after, self._bound, now=now)
            has_news = again.held or again.overwritten
            if _is_refused(again.writes, outcomes.values()) and not has_news:
                after = replace(again.link, dirty=False)
        if not plan.problems or any(it.refusal for it in outcomes.values()):
            return after
        return self.with_problems(after, plan, counts, now)

    def _is_news(self, outcome: WriteOutcome) -> bool:
        """Whether a write changed an attribute that another pair reads: it writes in its turn."""
        write = outcome.write
        return outcome.result is WriteResult.DONE and any(
            (write.kind, name) in self._bound.shared_fields for name in write.values
        )

    def with_problems(self, link: Link, plan: Plan, counts: Counts, now: float) -> Link:
        """Return a link in quarantine if a value of its plan cannot be used; else the link.

        The same problems as before are neither counted nor logged again.
        """
        quarantine = quarantine_for(plan.problems, plan.link, now=now)
        if quarantine is not None and quarantine is not plan.link.quarantine:
            self._count_quarantine(link, quarantine, counts)
        return replace(link, quarantine=quarantine)

    def _count_quarantine(self, link: Link, quarantine: Quarantine, counts: Counts) -> None:
        counts.add(quarantine.side, "quarantined")
        self._context.log(
            Event.link_quarantined,
            run_id=self._run_id,
            link=self._context.log_name(link.email),
            side=quarantine.side.value,
            code=quarantine.code,
            field_names=list(quarantine.fields),
        )

    def _entries(
        self, plan: Plan, outcomes: Mapping[str, WriteOutcome], counts: Counts, now: float
    ) -> list[JournalEntry]:
        if plan.link.intent is None:
            raise TypeError("a plan that is carried out has an intent")
        for outcome in outcomes.values():
            self._count_outcome(plan, outcome, counts)
        return outcome_entries(plan.link.email, plan.link.intent, outcomes, self._bound, now)

    def _count_outcome(self, plan: Plan, outcome: WriteOutcome, counts: Counts) -> None:
        side = outcome.write.side
        match outcome.result:
            case WriteResult.DONE:
                counts.add(side, "created" if outcome.created else "updated")
                if plan.is_partial:
                    counts.add(side, "undone", len(outcome.write.values))
                self._count_changes(plan, outcome, counts)
            case WriteResult.REJECTED:
                pass
            case WriteResult.UNKNOWN:
                counts.add(side, outcome.result.value)
                self._count_changes(plan, outcome, counts)  # it may have been carried out
            case _:
                counts.add(side, outcome.result.value)
        refused = outcome.refusal or outcome
        if refused.result is WriteResult.REJECTED:
            counts.add(side, "quarantined")
            self._context.log(
                Event.link_quarantined,
                run_id=self._run_id,
                link=self._context.log_name(plan.link.email),
                side=side.value,
                code=refused.code,
                field_names=list(refused.fields),
            )
        if outcome.code in PROBLEM_CODES:
            fault = Fault(ProblemCode(outcome.code), outcome.remedy, side)
            self._isolation.add(plan.link.email, fault)

    def _count_changes(self, plan: Plan, outcome: WriteOutcome, counts: Counts) -> None:
        """Count what a write cleared and overwrote, in each field and in all."""
        for change in changes_of_write(plan, outcome.write, self._bound):
            counts.add(change.side, change.counter)
            counts.add(change.side, change.kind.value)
