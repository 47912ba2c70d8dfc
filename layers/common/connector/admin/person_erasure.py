"""The erasure of one person from the tables of the connector, and the lifting of a tombstone.

The order makes every step repeatable, and lets no other process bring the person back: whom to
erase is stored first, then the tombstones, then the link is removed, then all other items are. What
is stored about the erasure itself is deleted at the end. Neither Plezi nor Salesforce is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, UnknownItemError
from connector.admin.person_data import ItemCount, Remaining, remaining, visit_tables
from connector.admin.person_names import find_names, require_email
from connector.admin.run_undo import OPEN_STATES
from connector.errors import StaleError
from connector.model import Link, PersonNames, Run

ERASURE_KEY: Final = "erasure#{name}"
"""The key of an erasure in progress: the person is named by the hash of a tombstone."""
NEWEST_RUNS: Final = 50
"""The newest runs that are looked at: runs are done one after another."""
QUEUE_SECONDS: Final = 4 * 86_400.0
"""After this time the request of a run is no longer in its queue (template.yaml, RunsQueue)."""
RUN_IN_PROGRESS: Final = (
    "the run {run!r} is in progress, and may hold this person in its memory: pause synchronization "
    "(POST /admin/pause), wait until the run has ended (GET /admin/runs), then repeat this request"
)
FORM_IN_PROGRESS: Final = (
    "a form is in progress (run {run!r}), and may be of this person: repeat this request in a "
    "minute; one that was stopped is over after {seconds:.0f} seconds"
)
WRITE_IN_PROGRESS: Final = (
    "a write of this person is in progress: repeat this request in a minute; one that was stopped "
    "is over after {seconds:.0f} seconds"
)
LINK_CHANGED: Final = "the contact changed at the same time: repeat this request"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure removed, or with `preview` would remove, of a person.

    `items` counts what this request found. With a `next`, the tables are not completely visited:
    repeat the request with it. `complete`: nothing is left in the tables, but what `mentions`
    counts (links of other people that have a name of this person) and `unreadable` (items that
    cannot be decoded). `remaining` is what is left elsewhere, and for how long.
    """

    preview: bool
    complete: bool
    emails: tuple[str, ...]
    records: tuple[str, ...]
    items: tuple[ItemCount, ...]
    mentions: int
    unreadable: int
    remaining: tuple[Remaining, ...]
    next: str


@dataclass(frozen=True, slots=True)
class LiftedTombstones:
    """How many tombstones of a person were lifted: one for each e-mail and record."""

    lifted: int
    next_step: str


def erase_person(
    context: AdminContext, actor: str, email: str, *, is_preview: bool, after: str = ""
) -> Erasure:
    """Erase the person with an e-mail, or show what would be erased.

    The request is repeated with the token of each answer until there is none, and from the start
    after a failure. Raises `InvalidRequestError` for a text that is no e-mail and for a token that
    is none, and `StaleError` while another process may work on the person.
    """
    canonical = require_email(email)
    key = ERASURE_KEY.format(name=context.people.tombstones.hash_of(canonical))
    names = _names(context, canonical, key, is_continued=bool(after) and not is_preview)
    if not is_preview:
        _check_nothing_in_progress(context, names)
        if not after:
            _begin(context, names, key)
            _check_nothing_in_progress(context, names)
    step = visit_tables(context, names, after, erase=not is_preview)
    if not is_preview and not step.next:
        subject = context.people.tombstones.hash_of(canonical)
        context.audit_change(actor, "erase person", subject)
        context.people.erasures.delete_document(key)
    return Erasure(
        preview=is_preview,
        complete=not is_preview and not step.next,
        emails=tuple(sorted(names.emails)),
        records=tuple(sorted(names.records)),
        items=step.counts(),
        mentions=step.mentions,
        unreadable=step.unreadable,
        remaining=remaining(context),
        next=step.next,
    )


def lift_tombstone(context: AdminContext, actor: str, email: str) -> LiftedTombstones:
    """Let an erased person come back, as somebody who was never met.

    Raises `InvalidRequestError`, and `UnknownItemError` for an e-mail without a tombstone.
    """
    canonical = require_email(email)
    lifted = context.people.tombstones.lift(canonical)
    if not lifted:
        raise UnknownItemError(
            "this e-mail has no tombstone: it was not erased, or the tombstone was lifted before"
        )
    context.audit_change(actor, "lift tombstone", context.people.tombstones.hash_of(canonical))
    return LiftedTombstones(
        lifted,
        "the next change of the contact in either system brings it back; to do it at once: "
        'POST /sync with {"kind": "selected", "emails": [...]}',
    )


def _names(context: AdminContext, email: str, key: str, *, is_continued: bool) -> PersonNames:
    """Return whom to erase: also what an erasure that was stopped had found."""
    stored = context.people.erasures.load_document(key)
    if stored is not None:
        known = _stored_names(stored)
        return known if is_continued else known.joined(find_names(context, email))
    if is_continued:
        raise InvalidRequestError(
            "next: no erasure of this e-mail is in progress: repeat the request without it"
        )
    return find_names(context, email)


def _stored_names(stored: dict[str, Any]) -> PersonNames:
    return PersonNames(frozenset(stored["emails"]), frozenset(stored["records"]))


def _begin(context: AdminContext, names: PersonNames, key: str) -> None:
    """Store whom to erase, then the tombstones, then remove the links."""
    context.people.erasures.save_document(
        key, {"emails": sorted(names.emails), "records": sorted(names.records)}
    )
    context.people.tombstones.add(names.all, context.clock())
    for link in context.people.links.load_links(names.emails).values():
        _check_no_write(context, [link])
        if not context.people.links.remove_link(link):
            raise StaleError(LINK_CHANGED)


def _check_nothing_in_progress(context: AdminContext, names: PersonNames) -> None:
    """Raise `StaleError` while another process may hold the person in its memory.

    It could write what it holds into the journal or onto a list after that was erased.
    """
    now = context.clock()
    for run in context.runs.list_runs(NEWEST_RUNS):
        if _is_open(run, now, QUEUE_SECONDS):
            raise StaleError(RUN_IN_PROGRESS.format(run=run.id))
    for run in context.runs.list_runs(NEWEST_RUNS, forms=True):
        if _is_open(run, now, context.people.worker_timeout):
            message = FORM_IN_PROGRESS.format(run=run.id, seconds=context.people.worker_timeout)
            raise StaleError(message)
    _check_no_write(context, context.people.links.load_links(names.emails).values())


def _is_open(run: Run, now: float, seconds: float) -> bool:
    """Return whether a run is not over, and was active in the last seconds: else it was stopped."""
    return run.state in OPEN_STATES and now - max(run.requested_at, run.active_at) < seconds


def _check_no_write(context: AdminContext, links: Iterable[Link]) -> None:
    for link in links:
        intent = link.intent
        if intent is None or intent.in_doubt:
            continue
        if abs(context.clock() - intent.at) < context.people.worker_timeout:
            raise StaleError(WRITE_IN_PROGRESS.format(seconds=context.people.worker_timeout))
