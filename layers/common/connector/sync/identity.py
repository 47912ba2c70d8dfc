"""The check that the credentials still lead to the linked org and tenant, and its consequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from connector.connected_systems import (
    NAMES,
    REASONS,
    ConnectedSystem,
    ForgetProgress,
    load_progress,
    load_system,
    other_system_error,
    same_system,
    save_progress,
    save_system,
)
from connector.errors import HaltError, RetryError, StopReason
from connector.model import Counts, Cursor, Link, LinkChange, RecordKind, RunKind, Side
from connector.sync.context import SyncContext

BATCH_SIZE: Final = 100
"""Links read and stored at a time: the limit of BatchGetItem."""
MAX_ATTEMPTS: Final = 5
"""How often a link is read again when another process changes it at the same time."""
WAITS_FOR_RUN: Final = frozenset({RunKind.FORM, RunKind.DRY_RUN})
"""Kinds that do not prepare the links for a new system: they are quick, or write nothing."""


def check_identity(context: SyncContext, kind: RunKind) -> None:
    """Compare both systems with those that the ledger belongs to; store them at the first run.

    Raises `HaltError` when the credentials lead to another org or tenant, and, for a form and a dry
    run, while the links are not prepared for one that an admin has accepted. Raises the errors of
    the clients.
    """
    for side, client in context.clients.items():
        found = client.identity()
        system = load_system(context.documents, side)
        if found:
            _compare(context, side, system, found, kind)
        if kind in WAITS_FOR_RUN and load_progress(context.documents, side, system) is not None:
            raise HaltError(
                REASONS[side],
                f"The links are not yet prepared for the {NAMES[side]} {system.id!r}: the next run "
                "does it (POST /sync).",
            )


def _compare(
    context: SyncContext, side: Side, system: ConnectedSystem, found: str, kind: RunKind
) -> None:
    if not system.id:
        if kind is not RunKind.DRY_RUN:  # the first preview may be one of the wrong system
            save_system(context.documents, side, replace(system, id=found))
            context.clients[side].invalidate_schemas()
        return
    is_same = same_system(side, system.id, found)
    other = "" if is_same else found
    if other != system.found:
        save_system(context.documents, side, replace(system, found=other))
        context.clients[side].invalidate_schemas()  # the stored one may be of the other system
    if not is_same:
        raise other_system_error(side, system.id, found)


class ForgetSide:
    """Lets all links forget the records of a former system, after a decision of an admin.

    Nothing is written to either system. What is known of the other side is kept, so that people are
    matched by e-mail when the new system is read: a first meeting, by the policies of the mapping.
    """

    def __init__(self, context: SyncContext) -> None:
        self._context = context

    def work(self, deadline_is_over: Callable[[], bool]) -> bool:
        """Continue where the last invocation stopped; return whether nothing is left to forget.

        At least one batch of links is visited. Raises `RetryError` when another process keeps
        changing the same links.
        """
        documents = self._context.documents
        for side in self._context.clients:
            progress = load_progress(documents, side, load_system(documents, side))
            if progress is not None and not self._forget(side, progress, deadline_is_over):
                return False
        return True

    def _forget(
        self, side: Side, progress: ForgetProgress, deadline_is_over: Callable[[], bool]
    ) -> bool:
        links, documents = self._context.links, self._context.documents
        while emails := links.all_emails(BATCH_SIZE, progress.after):
            self._forget_links(side, emails)
            progress = replace(progress, after=emails[-1])
            save_progress(documents, side, progress)
            if deadline_is_over():
                return False
        for kind in RecordKind:
            if kind.side is side:
                self._context.cursors.checkpoint(Cursor(kind), "", Counts())
        save_progress(documents, side, replace(progress, done=True))
        return True

    def _forget_links(self, side: Side, emails: list[str]) -> None:
        waiting = frozenset(emails)
        for _ in range(MAX_ATTEMPTS):
            links = self._context.links.load_links(waiting).values()
            changes = [
                LinkChange(forgotten)
                for link in links
                if (forgotten := without_side(link, side)) is not link
            ]
            waiting = self._context.links.save_links(changes).refused if changes else frozenset()
            if not waiting:
                return
        raise RetryError(
            "another process keeps changing the same links; the next run continues",
            reason=StopReason.CONFLICT,
        )


def without_side(link: Link, side: Side) -> Link:
    """Return a link without the records of a side, and without what was decided about both sides.

    The link itself is returned when it has nothing of that side. What remains is dirty.
    """
    records = [each.id for each in link.observations() if each.side is side]
    if not records and link.intent is None and not link.holds and link.quarantine is None:
        return link
    for record in records:
        link = link.without_record(record)
    known = link.record_ids
    return replace(
        link,
        base={record: values for record, values in link.base.items() if record in known},
        undelivered=frozenset(),
        intent=None,
        holds={},
        quarantine=None,
        primary_lead=link.primary_lead if link.primary_lead in known else "",
        recent_writes={},
        dirty=bool(known),
    )
