"""Some people on purpose: read them again on the sides asked, into the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from connector.engine.observe import SLICE, note
from connector.engine.world import World
from connector.mapping import BoundMapping
from connector.model import Change, Counts, Kind, Link, Observation, Side
from connector.plan import forget

UNKNOWN_CONTACT: Final = ""


def visit(
    world: World,
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
        for start in range(0, max(len(emails), 1), SLICE):
            some = emails[start : start + SLICE]
            links = world.ledger.links(some)
            records = [
                seen for link in links.values() for seen in link.observations() if seen.side is side
            ]
            if side is Side.PLEZI and not start:
                records += [_only_known_by_id(contact) for contact in contacts]
            found |= _visit(world, bound, side, records, some, counts)
            found |= {email for email, link in links.items() if link.records}
    return counts, sorted(found)


def _visit(
    world: World,
    bound: BoundMapping,
    side: Side,
    records: Sequence[Observation],
    emails: Sequence[str],
    counts: Counts,
) -> set[str]:
    answer = world.clients[side].look_up(records, emails, bound.view)
    seen = [each for each in answer.seen if each.email]
    counts.add(side, "seen", len(seen))
    note(seen, world.ledger, counts, side)
    homes = world.ledger.owners([each.id for each in seen])
    _forget(world, answer.gone)
    return set(homes.values())


def _forget(world: World, gone: Iterable[str]) -> None:
    """Note the records that are gone for certain; a line that moved meanwhile is seen again."""
    owners = world.ledger.owners(gone)
    links = world.ledger.links(owners.values())
    after: dict[str, Link] = dict(links)
    for record, email in owners.items():
        if email in after:
            after[email] = forget(after[email], record)
    changes = [Change(link) for email, link in after.items() if link is not links[email]]
    if changes:
        world.ledger.put(changes)


def _only_known_by_id(contact: str) -> Observation:
    """A Plezi contact of which a hint gave nothing but the id."""
    return Observation(Kind.PLEZI_CONTACT, contact, UNKNOWN_CONTACT, "", "", 0.0, {})
