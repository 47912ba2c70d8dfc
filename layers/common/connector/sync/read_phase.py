"""The read phase: store what one system contains now. Echoes of our own writes stop here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from connector.errors import RetryError, StopReason
from connector.log_events import Event
from connector.mapping import BoundMapping
from connector.model import Counts, Cursor, Link, Observation, Side
from connector.planning.plan import plan_link
from connector.sync.context import SyncContext
from connector.sync.link_batch import LinkBatch, PossiblyStale
from connector.sync.ports import LinkStore, SideClient

SLICE_SIZE: Final = 100
"""Links read and written at a time: the limit of BatchGetItem and of TransactWriteItems."""
MAX_ATTEMPTS: Final = 5
"""How often a link is read again when another process changes it at the same time."""


def read_changes(
    context: SyncContext,
    cursor: Cursor,
    bound: BoundMapping,
    run: str,
    out_of_time: Callable[[], bool],
) -> bool:
    """Read one kind of record into the ledger, from a cursor; return whether it is read completely.

    The cursor moves after a page's observations are stored, never before. Stopping in between costs
    one page that is read again. A full read also checks links that did not change, because the
    mapping may have changed.
    """
    client = context.clients[cursor.kind.side]
    side = cursor.kind.side
    needs_resolving = (lambda link: _needs_resolving(link, bound)) if cursor.full else None
    for page in client.read(cursor, bound.read_scope):
        counts = Counts()
        counts.add(side, "seen", len(page.observations) + sum(page.skipped.values()))
        for reason, number in page.skipped.items():
            counts.skip(side, reason, number)
        for start in range(0, len(page.observations), SLICE_SIZE):
            observations = page.observations[start : start + SLICE_SIZE]
            stale = store_observations(observations, context.links, counts, side, needs_resolving)
            if stale:
                _read_again(stale, client, context.links, bound)
        context.cursors.checkpoint(page.cursor, run, counts)
        context.log(
            Event.page_read,
            run_id=run,
            record_kind=cursor.kind.value,
            records=len(page.observations),
            changed=counts.get(side, "changed"),
            last=page.last,
        )
        if page.last:
            return True
        if out_of_time():
            return False
        del page  # frees several megabytes before the next page is fetched
    return True


def store_observations(
    observations: Sequence[Observation],
    links: LinkStore,
    counts: Counts,
    side: Side,
    needs_resolving: Callable[[Link], bool] | None = None,
) -> list[PossiblyStale]:
    """Apply a slice of observations to their links, although other processes write to them too.

    `needs_resolving` decides whether an unchanged link is resolved nevertheless. Returns the
    observations that were ignored as old and may be new.
    """
    waiting = list(observations)
    changed: set[str] = set()
    stale: dict[str, PossiblyStale] = {}
    for _ in range(MAX_ATTEMPTS):
        batch = LinkBatch(links, waiting)
        for observation in batch.in_order(waiting):
            batch.add(observation)
        if needs_resolving is not None:
            batch.mark_dirty_where(needs_resolving)
        changes = batch.changes()
        refused = links.save_links(changes) if changes else frozenset[str]()
        waiting = [
            each
            for each in waiting
            if each.id in batch.deferred or batch.owner_email(each.id) in refused
        ]
        changed |= batch.changed - {each.id for each in waiting}
        stale |= batch.possibly_stale
        if not waiting:
            break
    else:
        raise RetryError(
            "another process keeps changing the same links; the page will be read again",
            reason=StopReason.CONFLICT,
        )
    counts.add(side, "changed", len(changed))
    counts.add(side, "unchanged", len(observations) - len(changed))
    return list(stale.values())


def _read_again(
    stale: Sequence[PossiblyStale], client: SideClient, links: LinkStore, bound: BoundMapping
) -> None:
    """Read records again whose page may show something new: the cursor moves past them.

    The new reading is the current state, whatever our clock says: what is stored is older.
    """
    found = client.look_up([each.stored for each in stale], [], bound.read_scope)
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
    store_observations(observations, links, Counts(), stale[0].stored.side)


def _needs_resolving(link: Link, bound: BoundMapping) -> bool:
    """Return whether today's mapping finds something to do for a link."""
    plan = plan_link(link, bound, now=0.0)
    return bool(plan.writes) or plan.link is not link
