"""The resolve phases of a run: its work lists are resolved in units that fit into the time.

First every link is resolved that needs no call to Plezi: thousands of them take a few calls to
Salesforce. The others follow, as many at a time as the tenant's rate limit and the measured speed
of Plezi allow in a unit. What a unit read and wrote is recorded before the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Final

from connector.mapping import BoundMapping
from connector.model import Counts, Cursor, Link, Progress, RecordKind, Run, Side, WorkList
from connector.planning.first_sync_stages import StageNumbers
from connector.planning.plan import Plan
from connector.sync.change_limits import Limit
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation
from connector.sync.read_phase import ReadPhase
from connector.sync.reread import FRESH_SECONDS
from connector.sync.resolve_unit import PartialPlanner, UnitResolver, UnitResult
from connector.sync.work_queue import WorkQueue

UNIT_LINKS: Final = 1000
"""Links in a unit without calls to Plezi, besides a small rest: five or six calls to sObject
Collections, and about 3 MB of memory."""
SMALL_REST: Final = 200
"""Links that join the last unit although it is full: they would be a call to Salesforce of their
own (200 records, REST API Developer Guide, "sObject Collections")."""
FIRST_UNIT_LINKS: Final = 60
"""Links loaded at least for the first unit of calls to Plezi: at two calls a second, about half of
them fit. The next units are as large as the last one that fitted."""
UNIT_SECONDS: Final = 60.0
"""Seconds that the calls of a unit may take; a unit of one link may take longer."""
UNIT_LOOK_UPS: Final = 16
"""The unit of an org that is slow takes as long as so many queries: at most a sixteenth of the time
is for reading. A query may take 120 s (`pace.LONGEST_SECONDS`), and serves hundreds of links."""
WORTHWHILE_LOOK_UPS: Final = 4
"""Another unit begins if so many queries to Salesforce fit into the time that is left. Most of a
shorter time would be for reading: the next invocation has the time for a whole unit."""
WORTHWHILE_SHARE: Final = 0.5
"""The part of an invocation's time that is always used: the next one has no more time."""
MAX_PASSES: Final = 3
"""A record that must be created first needs a second pass; the third is for changed links."""
CHANGE_FEEDS: Final = {Side.PLEZI: RecordKind.PLEZI_CONTACT, Side.SALESFORCE: RecordKind.LEAD}
"""The kind of record whose completed read shows how fresh the observations of a side are."""
LOOK_SHARE: Final = 0.8
"""The part of the time in which an observation is fresh after which Plezi is looked at again, so
that the observations stay fresh while a unit is planned and read again in Salesforce."""
LONGEST_MARGIN: Final = 0.8
"""The part of that time that is left for a slow query to Salesforce, at most: what was looked at a
moment ago is fresh."""
LOOK_CALLS: Final = 120
"""Calls that a look at a slow tenant must be worth: a look takes two calls or more, and protects
the writes that follow it."""


class StageEnd(Enum):
    """How the work on a stage of the first synchronization ended in this invocation."""

    FULL = "full"
    NOBODY_LEFT = "nobody_left"
    OUT_OF_TIME = "out_of_time"


class ResolvePhase:
    """Resolves the work lists of one run, or the links of some people."""

    def __init__(  # noqa: PLR0913  # the parts of a run, each by its name
        self,
        context: SyncContext,
        bound: BoundMapping,
        run: Run,
        queue: WorkQueue,
        isolation: Isolation,
        reading: ReadPhase,
        *,
        listed: bool = True,
        limit: Limit = Limit.RUN,
        planner: PartialPlanner | None = None,
    ) -> None:
        """Take a run, whose limit counts for what it clears and overwrites, and who plans."""
        self._context = context
        self._run_id = run.id
        self._queue = queue
        self._isolation = isolation
        self._reading = reading
        self._unit = UnitResolver(
            context, bound, run, isolation, listed=listed, limit=limit, planner=planner
        )
        self.made_progress = False
        self._tried: set[str] = set()
        self._first_seconds = context.deadline.seconds_left()
        self._size = self._first_size()
        self.position: WorkList | None = None
        """The list that was visited last in this pass; the next invocation goes on behind it."""
        self.note_reading()

    def _first_size(self) -> int:
        """Return how many links to load for the first unit of calls to Plezi.

        In the time that is left, as many contacts are created, and as many Leads get the page of a
        contact that was created before: one look-up in Salesforce serves all of them.
        """
        seconds = self._context.clients[Side.PLEZI].seconds_for(creations=1)
        number = 2 * self._context.deadline.seconds_left() / seconds if seconds else UNIT_LINKS
        return int(min(UNIT_LINKS, max(FIRST_UNIT_LINKS, number)))

    def note_reading(self) -> None:
        """Take the time of the last reading of each system: the observations are that fresh."""
        self._unit.refresher.fresh_at = {
            side: _fresh_at(self._context.cursors.load_cursor(kind))
            for side, kind in CHANGE_FEEDS.items()
        }

    # Lists

    def resolve_lists(
        self, out_of_time: Callable[[], bool], *, with_plezi: bool, visited: int = 0
    ) -> bool:
        """Resolve every list, or those from number `visited` on; return whether all was in time.

        Links that are left on a list were refused for now, wait for another link, belong to another
        process, or, without `with_plezi`, need calls to Plezi.
        """
        for _ in range(MAX_PASSES):
            wrote = False
            for number, lists in enumerate(self._batches(visited)):
                if number and self._ends(out_of_time):
                    return False
                result, is_done = self._resolve_batch(lists, out_of_time, with_plezi=with_plezi)
                wrote = wrote or result.wrote
                if not is_done:
                    return False
                self.position = lists[-1][0]
            self.position = None
            if not wrote:
                break
            if self._ends(out_of_time):
                return False
        return True

    def _ends(self, out_of_time: Callable[[], bool]) -> bool:
        """Return whether no other unit begins in this invocation."""
        a_query = self._context.clients[Side.SALESFORCE].seconds_for(look_ups=1)
        worthwhile = min(WORTHWHILE_LOOK_UPS * a_query, WORTHWHILE_SHARE * self._first_seconds)
        return self._context.deadline.seconds_left() < worthwhile or out_of_time()

    def _batches(self, visited: int) -> Iterator[list[tuple[WorkList, tuple[str, ...]]]]:
        """Yield lists together until they fill a unit; a small rest joins the last full one.

        An e-mail may be on several of them.
        """
        full: list[tuple[WorkList, tuple[str, ...]]] = []
        batch: list[tuple[WorkList, tuple[str, ...]]] = []
        people: set[str] = set()
        for work, emails in self._queue.lists(self.position, visited):
            if batch and len(people.union(emails)) > UNIT_LINKS:
                if full:
                    yield full
                full, batch, people = batch, [], set()
            batch.append((work, emails))
            people.update(emails)
        if full and len(people) > SMALL_REST:
            yield full
            full = []
        if full or batch:
            yield full + batch

    def _resolve_batch(
        self,
        lists: Sequence[tuple[WorkList, tuple[str, ...]]],
        out_of_time: Callable[[], bool],
        *,
        with_plezi: bool,
    ) -> tuple[UnitResult, bool]:
        """Resolve the links of some lists; keep those on the lists that are left to do.

        Returns also whether every link was visited.
        """
        emails = list(dict.fromkeys(email for _, part in lists for email in part))
        left, total, is_done = self._resolve(emails, out_of_time, with_plezi=with_plezi)
        for work, part in lists:
            kept = [email for email in part if email in left]
            if len(kept) < len(part):
                self._queue.keep(work, kept)
        done = sum(email not in left for _, part in lists for email in part)
        if done:
            self._context.runs.add_counts(self._run_id, Counts(), Progress(resolved=done))
        self.made_progress = self.made_progress or done > 0 or total.wrote
        return total, is_done

    # Stages

    def has_more_people_than(self, number: int) -> bool:
        """Return whether more links than a number are on the lists."""
        found: set[str] = set()
        for _, emails in self._queue.lists():
            found |= set(emails)
            if len(found) > number:
                return True
        return False

    def resolve_stage(self, size: int, out_of_time: Callable[[], bool]) -> StageEnd:
        """Resolve so many people completely, those of earlier invocations of the run included.

        All others stay on their lists, and so do people who wait: they are not counted.
        """
        self._unit.begin_stage(size)
        while (missing := size - self._unit.stage_numbers.people) > 0:
            lists = self._next_people(missing)
            emails = list(dict.fromkeys(email for _, _, part in lists for email in part))
            if not emails:
                return StageEnd.NOBODY_LEFT
            left, is_done = self.resolve_in_passes(emails, out_of_time)
            done = set(emails) - left
            for work, listed, part in lists:
                self._queue.keep(work, [it for it in listed if it not in part or it in left])
            self.made_progress = self.made_progress or bool(done)
            counts = self._unit.count_stage_people(done)
            self._context.runs.add_counts(self._run_id, counts, Progress(resolved=len(done)))
            if not is_done or self._ends(out_of_time):
                return StageEnd.OUT_OF_TIME
            self._tried |= set(emails)
        return StageEnd.FULL

    def _next_people(self, number: int) -> list[tuple[WorkList, tuple[str, ...], frozenset[str]]]:
        """Return the first people whom this invocation did not try: their lists, and who they are.

        They are taken from several lists together, so that they are few calls.
        """
        found: list[tuple[WorkList, tuple[str, ...], frozenset[str]]] = []
        for work, emails in self._queue.lists():
            new = [email for email in dict.fromkeys(emails) if email not in self._tried][:number]
            if new:
                found.append((work, emails, frozenset(new)))
                number -= len(new)
            if not number:
                break
        return found

    def resolve_in_passes(
        self, emails: Sequence[str], out_of_time: Callable[[], bool]
    ) -> tuple[set[str], bool]:
        """Resolve people, in several passes where one finds more to do; return who is left.

        Returns also whether everybody was visited.
        """
        left = set(emails)
        for _ in range(MAX_PASSES):
            waiting = [email for email in emails if email in left]
            left, result, is_done = self._resolve(waiting, out_of_time, with_plezi=True)
            self.made_progress = self.made_progress or result.wrote
            if not is_done:
                return left, False
            if not left or not result.wrote or self._ends(out_of_time):
                break
        return left, True

    def end_stage(self) -> StageNumbers:
        """Return the numbers of the stage, and count for none from now on."""
        numbers = self._unit.stage_numbers
        self._unit.begin_stage(0)
        return numbers

    # Units

    def resolve_people(self, emails: Sequence[str], out_of_time: Callable[[], bool]) -> set[str]:
        """Resolve the links of some people, clean ones too; return the e-mails that are left."""
        left = set(emails)
        for attempt in range(MAX_PASSES):
            left, _, _ = self._resolve(
                sorted(left), out_of_time, with_plezi=True, include_clean=not attempt
            )
            if not left or self._ends(out_of_time):
                break
        return left

    def _resolve(
        self,
        emails: Sequence[str],
        out_of_time: Callable[[], bool],
        *,
        with_plezi: bool,
        include_clean: bool = False,
    ) -> tuple[set[str], UnitResult, bool]:
        """Resolve links in units that fit into the time; return the e-mails that are left.

        Returns also the sum of the units, and whether every link was visited and had the time for
        its writes. At least one unit is resolved, however little time is left: each invocation gets
        further.
        """
        total = UnitResult()
        waiting = list(emails)
        left: set[str] = set()
        size = self._size if with_plezi else UNIT_LINKS
        rest_that_joins = 0 if with_plezi else SMALL_REST
        while waiting:
            part = waiting if len(waiting) <= size + rest_that_joins else waiting[:size]
            links, plans = self._load(part, include_clean=include_clean)
            unit, rest = self._unit_in_time(links, plans, with_plezi=with_plezi)
            result = self._unit.resolve(unit, plans, out_of_time, with_plezi=with_plezi)
            total.wrote = total.wrote or result.wrote
            total.unsent = result.unsent
            left |= result.deferred | result.dirty
            waiting = [*rest, *waiting[len(part) :]]
            # A part that is smaller because nobody else waits shows nothing about the pace.
            shows_pace = bool(rest) or len(part) == size
            size = min(UNIT_LINKS, 2 * len(part)) if not rest else max(1, len(unit))
            if with_plezi and len(part) == len(links) and shows_pace:
                self._size = size
            if waiting and self._ends(out_of_time):
                break
        is_done = not waiting and not (total.unsent and self._ends(out_of_time))
        return left | set(waiting), total, is_done

    def _load(
        self, emails: Sequence[str], *, include_clean: bool
    ) -> tuple[list[Link], dict[str, Plan]]:
        """Return links and their plans, after a look at Plezi if writes would rest on old ones."""
        links = self._in_order(emails, include_clean=include_clean)
        plans = self._unit.plan(links)
        if self._rests_on_old(links, plans) and self.look_if_old():
            links = self._in_order(emails, include_clean=include_clean)
            plans = self._unit.plan(links)
        return links, plans

    def _in_order(self, emails: Sequence[str], *, include_clean: bool) -> list[Link]:
        """Return links; last are those whose writes had no response, and may have none again."""
        links = self._unit.load(emails, include_clean=include_clean)
        return sorted(links, key=lambda link: link.unanswered)

    def _rests_on_old(self, links: Sequence[Link], plans: Mapping[str, Plan]) -> bool:
        """Return whether a write would rest on an observation of Plezi that is not fresh.

        It must be fresh until the unit was read again in Salesforce: else each contact of the unit
        is read by its id.
        """
        refresher = self._unit.refresher
        return any(
            self._isolation.step(
                link.email,
                partial(refresher.stale_records, Side.PLEZI, link, plan, for_seconds=self._margin),
            )
            for link in links
            if (plan := plans.get(link.email)) is not None and (plan.writes and link.intent is None)
        )

    @property
    def _margin(self) -> float:
        """How long an observation of Plezi must still be fresh when a unit begins, in seconds."""
        a_query = self._context.clients[Side.SALESFORCE].seconds_for(look_ups=1)
        fresh_seconds = self._unit.refresher.fresh_seconds[Side.PLEZI]
        return min(max((1 - LOOK_SHARE) * fresh_seconds, a_query), LONGEST_MARGIN * fresh_seconds)

    @property
    def is_looked_at(self) -> bool:
        """Whether what changed in Plezi was stored a moment ago."""
        age = self._context.clock() - self._unit.refresher.fresh_at[Side.PLEZI]
        return 0 <= age < self._unit.refresher.fresh_seconds[Side.PLEZI]

    def look_if_old(self) -> bool:
        """Look at what changed in Plezi, unless that was done a moment ago; return whether it did.

        A slow tenant is looked at less often: a look takes two calls or more.
        """
        client = self._context.clients[Side.PLEZI]
        if not client.has_change_feed:
            return False
        refresher = self._unit.refresher
        a_call = client.seconds_for(updates=1)
        fresh_seconds = max(FRESH_SECONDS, LOOK_CALLS * a_call)
        refresher.fresh_seconds[Side.PLEZI] = fresh_seconds
        age = self._context.clock() - refresher.fresh_at[Side.PLEZI]
        if 0 <= age < fresh_seconds - self._margin:
            return False
        cursor = self._context.cursors.load_cursor(RecordKind.PLEZI_CONTACT)
        if cursor.started_at:
            return False  # a reading is in progress: the contacts are read by id
        if not cursor.look or not self._reading.look(cursor):
            return False  # the contacts are read by id
        self.note_reading()
        return True

    def _unit_in_time(
        self, links: Sequence[Link], plans: Mapping[str, Plan], *, with_plezi: bool
    ) -> tuple[list[Link], list[str]]:
        """Return the links whose calls fit into a unit, and the e-mails of the others.

        The first link is always in the unit. What its calls take does not count: one call to
        Salesforce serves hundreds of links, and a slow one must serve many.
        """
        of_org = UNIT_LOOK_UPS * self._context.clients[Side.SALESFORCE].seconds_for(look_ups=1)
        unit_seconds = max(UNIT_SECONDS, of_org)
        self._unit.refresher.fresh_seconds[Side.SALESFORCE] = unit_seconds
        limit = min(unit_seconds, self._context.deadline.seconds_left())
        unit: list[Link] = []
        rest: list[str] = []
        calls = dict.fromkeys(Side, _NO_CALLS)
        first = 0.0
        for link in links:
            of_link = self._isolation.step(
                link.email, partial(self._calls_of, link, plans.get(link.email))
            )
            needed = {
                side: calls[side].plus(number)
                for side, number in (of_link or {}).items()
                if with_plezi or side is Side.SALESFORCE
            }
            seconds = sum(
                self._context.clients[side].seconds_for(
                    creations=it.creations, updates=it.updates, look_ups=it.look_ups
                )
                for side, it in needed.items()
            )
            first = seconds if not unit else first
            if unit and seconds - first > limit:
                rest.append(link.email)
            else:
                unit.append(link)
                calls |= needed
        return unit, rest

    def _calls_of(self, link: Link, plan: Plan | None) -> dict[Side, _Calls]:
        return {side: self._calls(side, link, plan) for side in Side}

    def _calls(self, side: Side, link: Link, plan: Plan | None) -> _Calls:
        """Return the calls to a system that a link needs."""
        if plan is None or not (plan.writes or link.intent is not None or link.is_uncertain):
            return _NO_CALLS
        writes = [write for write in plan.writes if write.side is side]
        creations = sum(write.is_create for write in writes)
        recovered = 0
        if link.intent is not None:
            recovered = sum(write.side is side for write in link.intent.writes)
        look_ups = recovered + len(self._unit.refresher.stale_records(side, link, plan))
        return _Calls(creations, len(writes) - creations, look_ups)


def _fresh_at(cursor: Cursor) -> float:
    """Return until when every change of a side is in the ledger."""
    return max(cursor.completed_at, cursor.looked_at)


@dataclass(frozen=True, slots=True)
class _Calls:
    """Calls to one system: records to create, to update, and to read."""

    creations: int = 0
    updates: int = 0
    look_ups: int = 0

    def plus(self, other: _Calls) -> _Calls:
        return _Calls(
            self.creations + other.creations,
            self.updates + other.updates,
            self.look_ups + other.look_ups,
        )


_NO_CALLS: Final = _Calls()
