"""Some people on purpose: read them again on the sides asked, into the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from connector.mapping import BoundMapping
from connector.model import Counts, Link, LinkChange, Observation, RecordKind, Side
from connector.planning.observation import mark_deleted
from connector.sync.context import SyncContext
from connector.sync.read_phase import SLICE_SIZE, store_observations

UNKNOWN_CONTACT: Final = ""


def refresh_people(
    world: SyncContext,
    bound: BoundMapping,
    emails: Sequence[str],
    sides: Iterable[Side] = tuple(Side),
    contacts: Sequence[str] = (),
) -> tuple[Counts, list[str]]:
    """Read people again by e-mail, or Plezi contacts by id, and note what they say.

    A person whose link is known is read by the ids of its records as well, so that one is followed
    whose e-mail changed. Returns what was counted, and the e-mails of the links concerned; a person
    whom no side knows has none.
    """
    counts = Counts()
    found: set[str] = set()
    for side in sides:
        for start in range(0, max(len(emails), 1), SLICE_SIZE):
            some = emails[start : start + SLICE_SIZE]
            links = world.ledger.load_links(some)
            records = [
                seen for link in links.values() for seen in link.observations() if seen.side is side
            ]
            if side is Side.PLEZI and not start:
                records += [_contact_placeholder(contact) for contact in contacts]
            found |= _refresh_side(world, bound, side, records, some, counts)
            found |= {email for email, link in links.items() if link.record_ids}
    return counts, sorted(found)


def _refresh_side(
    world: SyncContext,
    bound: BoundMapping,
    side: Side,
    records: Sequence[Observation],
    emails: Sequence[str],
    counts: Counts,
) -> set[str]:
    answer = world.clients[side].look_up(records, emails, bound.read_scope)
    seen = [each for each in answer.observations if each.email]
    counts.add(side, "seen", len(seen))
    store_observations(seen, world.ledger, counts, side)
    homes = world.ledger.owner_emails([each.id for each in seen])
    _mark_deleted(world, answer.deleted)
    return set(homes.values())


def _mark_deleted(world: SyncContext, gone: Iterable[str]) -> None:
    """Note the records that are gone for certain; a line that moved meanwhile is seen again."""
    owners = world.ledger.owner_emails(gone)
    links = world.ledger.load_links(owners.values())
    after: dict[str, Link] = dict(links)
    for record, email in owners.items():
        if email in after:
            after[email] = mark_deleted(after[email], record)
    changes = [LinkChange(link) for email, link in after.items() if link is not links[email]]
    if changes:
        world.ledger.save_links(changes)


def _contact_placeholder(contact: str) -> Observation:
    """A Plezi contact of which a hint gave nothing but the id."""
    return Observation(RecordKind.PLEZI_CONTACT, contact, UNKNOWN_CONTACT, "", "", 0.0, {})
