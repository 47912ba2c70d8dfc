"""The read phase: store what one system contains now. Echoes of our own writes stop here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from connector.approved_changes import COUNTER
from connector.deadline import DeadlineError
from connector.errors import RetryError, StopReason
from connector.log_events import Event
from connector.mapping import BoundMapping, ReadScope
from connector.mapping.values import stored_values
from connector.model import (
    Counts,
    Cursor,
    Link,
    Observation,
    Page,
    ProblemCode,
    RecordProblem,
    Run,
    SaveResult,
    Side,
    SkipReason,
)
from connector.planning.plan import plan_link
from connector.sync.context import SyncContext
from connector.sync.isolation import Fault, Isolation
from connector.sync.link_batch import NO_OWNERS, LinkBatch, PossiblyStale
from connector.sync.ports import LinkStore
from connector.sync.work_queue import WorkQueue

SLICE_SIZE: Final = 100
"""Links read and written at a time: the limit of BatchGetItem."""
MAX_ATTEMPTS: Final = 5
"""How often links are tried in vain that another process changes at the same time."""
LONG_LOOK: Final = 10
"""Pages of a look after which a reading replaces it when the time is over: a thousand contacts."""
DEFERRED: Final = "the e-mails of some people change places in a way that cannot be stored"


@dataclass(slots=True)
class StoredSlice:
    """What storing some observations leaves to do.

    `stale` are observations that were ignored as old and may be new. `dirty` are the e-mails of the
    links that must be resolved.
    """

    stale: list[PossiblyStale] = field(default_factory=list)
    dirty: list[str] = field(default_factory=list)


class ReadPhase:
    """Reads the changes of both systems into the ledger, for one run."""

    def __init__(
        self,
        context: SyncContext,
        bound: BoundMapping,
        run: Run,
        queue: WorkQueue,
        isolation: Isolation,
    ) -> None:
        self._context = context
        self._bound = bound
        self._run_id = run.id
        self._queue = queue
        self._isolation = isolation
        self.pages = 0
        self.replaces_look = False
        """Whether a look was too long, so that a reading must follow."""

    def read_changes(self, cursor: Cursor, out_of_time: Callable[[], bool]) -> bool:
        """Read one kind of record, from a cursor; return whether it is read completely.

        The cursor moves after a page's observations and the list of its dirty links are stored,
        never before. Stopping in between costs one page that is read again. A full read also checks
        links that did not change, because the mapping may have changed.
        """
        client = self._context.clients[cursor.kind.side]
        for page in client.read(cursor, self._bound.read_scope):
            self._store_page(cursor, page)
            if page.last:
                return True
            if out_of_time():
                return False
            del page  # frees several megabytes before the next page is fetched
        return True

    def look(self, cursor: Cursor) -> bool:
        """Store what changed in Plezi since the last look; return whether it was read completely.

        Then every observation of a Plezi contact is as fresh as the start of the look. Raises
        `DeadlineError` when the time is over. A look begins again in the next invocation; where
        more changed than one invocation can read, a reading replaces it, which continues.
        """
        pages = 0
        client = self._context.clients[cursor.kind.side]
        started_at = self._context.clock()
        try:
            for page in client.recent_changes(cursor.look, self._bound.read_scope):
                after = cursor
                if page.last:
                    after = replace(cursor, look=page.cursor.watermark, looked_at=started_at)
                self._store_page(cursor, replace(page, cursor=after), is_look=True)
                if page.last:
                    return True
                pages += 1
        except DeadlineError:
            if pages >= LONG_LOOK:
                reading = cursor.started(version=self._bound.config.version, full=False)
                reading = replace(reading, started_at=started_at)
                self._context.cursors.checkpoint(reading, self._run_id, Counts())
                self.replaces_look = True
            raise
        return False

    def _store_page(self, cursor: Cursor, page: Page, *, is_look: bool = False) -> None:
        counts = Counts()
        side = cursor.kind.side
        problems = len(page.problems)
        counts.add(side, "seen", len(page.observations) + problems)
        needs_resolving = self._needs_resolving if cursor.full and not is_look else None
        dirty: list[str] = []
        for start in range(0, len(page.observations), SLICE_SIZE):
            part = page.observations[start : start + SLICE_SIZE]
            stored = store_observations(
                self._context,
                part,
                counts,
                side,
                self._isolation,
                needs_resolving=needs_resolving,
                listed=True,
            )
            dirty += stored.dirty
            if stored.stale:
                dirty += read_again(
                    self._context,
                    self._bound.read_scope,
                    stored.stale,
                    self._isolation,
                    listed=True,
                )
        if cursor.is_full_read and not is_look:
            taking_part = sum(each.participates for each in page.observations)
            counts.add(side, COUNTER.format(kind=cursor.kind.value), taking_part)
        note_problems(self._context, page.problems, counts, self._isolation)
        self._isolation.visited += len(page.observations)
        self._isolation.store(counts, listed=True)
        progress = self._queue.add(dirty)
        self._context.cursors.checkpoint(page.cursor, self._run_id, counts, progress)
        self.pages += not is_look
        self._context.log(
            Event.page_read,
            run_id=self._run_id,
            record_kind=cursor.kind.value,
            records=len(page.observations),
            changed=counts.get(side, "changed"),
            last=page.last,
        )

    def _needs_resolving(self, link: Link) -> bool:
        """Return whether today's mapping finds something to do for a link."""

        def check() -> bool:
            plan = plan_link(link, self._bound, now=0.0)
            return bool(plan.writes) or plan.link is not link

        return bool(self._isolation.step(link.email, check))


def store_observations(  # noqa: PLR0913  # the parts of a page, each by its name
    context: SyncContext,
    observations: Sequence[Observation],
    counts: Counts,
    side: Side,
    isolation: Isolation,
    *,
    needs_resolving: Callable[[Link], bool] | None = None,
    listed: bool = False,
    in_two_links: Mapping[str, str] = NO_OWNERS,
) -> StoredSlice:
    """Apply a slice of observations to their links, although other processes write to them too.

    `needs_resolving` decides whether an unchanged link is resolved nevertheless. `listed`: the
    caller puts the dirty links on a work list. An observation that cannot be applied or stored puts
    its link in quarantine. A record without an e-mail is stored only where a link knows it: a user
    cleared its e-mail. `in_two_links`: see `LinkBatch`.
    """
    observations = _of_known_people(context, observations, counts, side)
    storing = _Storing(
        {
            each.id: stored
            for each in _one_of_each(observations)
            if (stored := isolation.step(each.email, partial(as_stored, each))) is not None
        }
    )
    result = StoredSlice()
    changed: set[str] = set()
    erased: set[str] = set()
    stale: dict[str, PossiblyStale] = {}
    while turn := storing.next_turn() or storing.next_released(context.links):
        batch = LinkBatch(
            context.links,
            context.tombstones,
            turn,
            context.max_records,
            isolation.step,
            in_two_links=in_two_links,
        )
        for observation in batch.in_order(turn):
            _add(batch, observation, isolation)
        if needs_resolving is not None:
            batch.mark_dirty_where(needs_resolving)
        changes = [it for it in batch.changes() if it.link.email not in isolation.faults]
        saved = context.links.save_links(changes, listed=listed)
        isolation.not_stored(saved, side)
        result.dirty += [it for it in batch.dirty_emails() if it not in saved.refused]
        storing.displaced |= saved.displaced
        storing.take(turn, batch, saved)
        storing.free |= batch.free
        changed |= batch.changed - storing.waiting.keys()
        stale |= batch.possibly_stale
        erased |= batch.erased
        if batch.left_out:
            counts.skip(side, SkipReason.SHARED_EMAIL, len(batch.left_out))
    if shared := records_in_links(context.links, storing.displaced):
        of_side = [each for each in observations if each.id in shared]
        result.dirty += join_links(context, of_side, storing.displaced, isolation, listed=listed)
    if storing.refused:
        raise RetryError(
            "another process keeps changing the same links; the page will be read again",
            reason=StopReason.CONFLICT,
        )
    for each in storing.waiting.values():
        isolation.add(each.email, Fault(ProblemCode.DEFECT, DEFERRED, side, retry=True))
    changed &= {each.id for each in observations}  # not those that had waited for an e-mail
    counts.add(side, "changed", len(changed))
    counts.add(side, "unchanged", len(observations) - len(changed) - len(erased))
    if erased:
        counts.skip(side, SkipReason.ERASED, len(erased))
    result.stale = list(stale.values())
    return result


def records_in_links(links: LinkStore, owners: Mapping[str, str]) -> dict[str, Observation]:
    """Return the records, by id, that the links of these e-mails have; `owners` is by record."""
    found = links.load_links(owners.values()) if owners else {}
    return {
        record: observation
        for record, email in owners.items()
        if email in found and (observation := found[email].observation(record)) is not None
    }


def join_links(
    context: SyncContext,
    observations: Iterable[Observation],
    owners: Mapping[str, str],
    isolation: Isolation,
    *,
    listed: bool,
) -> list[str]:
    """Join links that have one record: one process created it, and another one has read it.

    The link of the e-mail of a record has it, and the link of its owner too. Returns the e-mails of
    the links that must be resolved.
    """
    observations = list(observations)
    dirty: list[str] = []
    for side in Side:
        of_side = [it for it in observations if it.side is side]
        if of_side:
            stored = store_observations(
                context,
                of_side,
                Counts(),
                side,
                isolation,
                listed=listed,
                in_two_links={it.id: owners[it.id] for it in of_side},
            )
            dirty += stored.dirty
    return dirty


def read_again(
    context: SyncContext,
    scope: ReadScope,
    stale: Sequence[PossiblyStale],
    isolation: Isolation,
    *,
    listed: bool,
) -> list[str]:
    """Read records again of which a reading was ignored, and may show something new.

    They are all of one side. The new reading is the current state, whatever our clock says: what is
    stored is older. Returns the e-mails of the links that must be resolved.
    """
    side = stale[0].stored.side
    found = context.clients[side].look_up([each.stored for each in stale], [], scope)
    # A record that could not be read waits: its link stays on a list until it is.
    note_problems(context, found.problems, Counts(), isolation, retry=True)
    current = {each.id: each for each in found.observations}
    for each in stale:
        if each.stored.id in found.deleted:
            deleted = each.read if each.read.deleted else replace(each.stored, deleted=True)
            current[each.stored.id] = deleted
    stored_as_of = {each.stored.id: each.stored.as_of for each in stale}
    observations = [
        replace(each, as_of=max(each.as_of, stored_as_of[record]))
        for record, each in current.items()
    ]
    return store_observations(context, observations, Counts(), side, isolation, listed=listed).dirty


def records_waiting_for(links: LinkStore, emails: Collection[str]) -> dict[str, Observation]:
    """Return, by id, known records of links that are held because these e-mails were taken.

    Nobody else has the e-mails any more. A record that is stored again moves its link to its
    e-mail, and that ends the hold.
    """
    owners = links.owner_emails(emails) if emails else {}
    if not owners:
        return {}
    waiting = links.load_links(owners.values())
    return {
        record.id: record
        for email, owner in owners.items()
        if owner in waiting and email in waiting[owner].awaited_emails
        for record in waiting[owner].observations()
        if record.is_active and record.email == email
    }


def _of_known_people(
    context: SyncContext, observations: Sequence[Observation], counts: Counts, side: Side
) -> Sequence[Observation]:
    """Leave out records without an e-mail that no link knows."""
    without_email = [each.id for each in observations if not each.email]
    if not without_email:
        return observations
    known = context.links.owner_emails(without_email)
    unknown = sum(record not in known for record in without_email)
    if unknown:
        counts.skip(side, SkipReason.NO_EMAIL, unknown)
    return [each for each in observations if each.email or each.id in known]


class _Storing:
    """The observations of a slice that are still to be stored, by record id.

    People whose e-mails move along a chain (each has the former e-mail of the next one) are stored
    one after another, because each frees the e-mail of the one before: a chain is stored in as
    many turns as it has people, and a turn holds only those who can move now. `free` are
    the e-mails that the stored observations have left without a person, `displaced` the former
    owners of the names of the stored links (`SaveResult`).
    """

    def __init__(self, waiting: dict[str, Observation]) -> None:
        self.waiting = waiting
        self.displaced: dict[str, str] = {}
        self.refused = False
        self._vacated: frozenset[str] = frozenset()
        self.free: set[str] = set()
        self._released: set[str] = set()
        self._idle = 0

    def next_turn(self) -> list[Observation]:
        """Return the observations to store next; none when all are stored, or none can be."""
        if self._idle >= MAX_ATTEMPTS:
            return []
        freed = [each for each in self.waiting.values() if each.email in self._vacated]
        return freed or list(self.waiting.values())

    def next_released(self, links: LinkStore) -> list[Observation]:
        """Return known records of people who waited for an e-mail that is free now, each once.

        They are stored again, as the last ones. If the process ends before, they wait until they
        are read again.
        """
        found = {} if self.refused else records_waiting_for(links, self.free)
        released = {record: each for record, each in found.items() if record not in self._released}
        self._released |= released.keys()
        self.waiting |= released
        return list(released.values())

    def take(self, turn: Sequence[Observation], batch: LinkBatch, saved: SaveResult) -> None:
        """Take the result of a turn."""
        refused = {each.id for each in turn if batch.owner_email(each.id) in saved.refused}
        left = refused | {each.id for each in turn if each.id in batch.deferred}
        for each in turn:
            if each.id not in left:
                del self.waiting[each.id]
        self._idle = 0 if len(left) < len(turn) else self._idle + 1
        self.refused = bool(refused)
        self._vacated = batch.vacated


def _one_of_each(observations: Sequence[Observation]) -> list[Observation]:
    """Return one observation of each record: the newest, or the last one of a page."""
    newest: dict[str, Observation] = {}
    for each in observations:
        known = newest.get(each.id)
        if known is None or known.modified <= each.modified:
            newest[each.id] = each
    return list(newest.values())


def as_stored(observation: Observation) -> Observation:
    """Return an observation as the ledger stores it: a digest in place of each long text."""
    values = stored_values(observation.values)
    return observation if values is observation.values else replace(observation, values=values)


def _add(batch: LinkBatch, observation: Observation, isolation: Isolation) -> None:
    """Apply one observation to its link."""
    isolation.step(batch.owner_email(observation.id), lambda: batch.add(observation))


def note_problems(
    context: SyncContext,
    problems: Iterable[RecordProblem],
    counts: Counts,
    isolation: Isolation,
    *,
    retry: bool = False,
) -> None:
    """Put the links of records that cannot be used in quarantine; `retry`: they stay dirty.

    A record that shows neither a known id nor an e-mail is only counted and logged.
    """
    problems = list(problems)
    owners = context.links.owner_emails([each.record_id for each in problems if each.record_id])
    unknown = [each for each in problems if each.record_id not in owners]
    erased = context.tombstones.erased(
        name for each in unknown for name in (each.record_id, each.email)
    )
    for each in problems:
        if each.record_id not in owners and {each.record_id, each.email} & erased:
            counts.skip(each.kind.side, SkipReason.ERASED)
            continue
        email = owners.get(each.record_id) or each.email
        counts.skip(each.kind.side, SkipReason.QUARANTINED)
        if email:
            fault = Fault(each.code, each.detail, each.kind.side, retry=retry)
            isolation.add(email, fault)
        else:
            if each.code is ProblemCode.DEFECT:
                isolation.count_defect(each.record_id or f"{each.kind.value} without an id")
            context.log(
                Event.record_unreadable,
                record_kind=each.kind.value,
                code=each.code.value,
                detail=each.detail,
            )
