"""Selected people: their records are read again from both systems, into the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from connector.mapping import BoundMapping
from connector.model import Counts, Link, LinkChange, Observation, RecordKind, Side
from connector.planning.observation import mark_deleted
from connector.sync.context import SyncContext
from connector.sync.read_phase import SLICE_SIZE, store_observations

UNKNOWN_EMAIL: Final = ""


def refresh_people(
    context: SyncContext,
    bound: BoundMapping,
    emails: Sequence[str],
    sides: Iterable[Side] = tuple(Side),
    contacts: Sequence[str] = (),
) -> tuple[Counts, list[str]]:
    """Read people again by e-mail, or Plezi contacts by id, and store what was read.

    The records of a known link are read by id as well, so that a person is found whose e-mail
    changed. Returns the counts, and the e-mails of the links that were found; a person whom neither
    system knows has none.
    """
    counts = Counts()
    found: set[str] = set()
    for side in sides:
        for start in range(0, max(len(emails), 1), SLICE_SIZE):
            part = emails[start : start + SLICE_SIZE]
            links = context.links.load_links(part)
            records = [
                each for link in links.values() for each in link.observations() if each.side is side
            ]
            if side is Side.PLEZI and not start:
                records += [_contact_placeholder(contact) for contact in contacts]
            found |= _refresh_side(context, bound, side, records, part, counts)
            found |= {email for email, link in links.items() if link.record_ids}
    return counts, sorted(found)


def _refresh_side(
    context: SyncContext,
    bound: BoundMapping,
    side: Side,
    records: Sequence[Observation],
    emails: Sequence[str],
    counts: Counts,
) -> set[str]:
    result = context.clients[side].look_up(records, emails, bound.read_scope)
    observations = [each for each in result.observations if each.email]
    counts.add(side, "seen", len(observations))
    store_observations(observations, context.links, counts, side)
    owners = context.links.owner_emails([each.id for each in observations])
    _mark_deleted(context, result.deleted)
    return set(owners.values())


def _mark_deleted(context: SyncContext, records: Iterable[str]) -> None:
    """Record which records were deleted; a link that changed in between is read again later."""
    owners = context.links.owner_emails(records)
    links = context.links.load_links(owners.values())
    after: dict[str, Link] = dict(links)
    for record, email in owners.items():
        if email in after:
            after[email] = mark_deleted(after[email], record)
    changes = [LinkChange(link) for email, link in after.items() if link is not links[email]]
    if changes:
        context.links.save_links(changes)


def _contact_placeholder(contact: str) -> Observation:
    """Return an observation of a Plezi contact of which only the id is known."""
    return Observation(RecordKind.PLEZI_CONTACT, contact, UNKNOWN_EMAIL, "", "", 0.0, {})
