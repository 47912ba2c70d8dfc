"""Observe again, in few calls, whatever is about to be written on or judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from connector.mapping import BoundMapping
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import Link, LookupResult, Observation, RecordKind, Side
from connector.planning.observation import apply_fresh_read, mark_deleted
from connector.planning.plan import Plan
from connector.sync.context import SyncContext

FRESH_SECONDS: Final = 60.0
"""An older observation is read again before anything is written on its strength (invariant 20)."""
CHANGE_FEEDS: Final = {Side.PLEZI: RecordKind.PLEZI_CONTACT, Side.SALESFORCE: RecordKind.LEAD}


class Refresher:
    """Reads records again before a write rests on them.

    A target in Salesforce is always read again: one call for 200, and nothing else narrows the
    window in which a person may type. Plezi has no look-up of many, so there a reading of what
    changed that is younger than a minute is believed about a contact that it showed. Whoever is to
    be created is searched first on both sides: Plezi takes a known e-mail for an update.
    """

    def __init__(self, world: SyncContext, bound: BoundMapping) -> None:
        self._world = world
        self._view = bound.read_scope
        self._read = {
            side: world.ledger.load_cursor(kind).completed_at for side, kind in CHANGE_FEEDS.items()
        }

    def refresh(
        self, links: Sequence[Link], plans: Mapping[str, Plan]
    ) -> tuple[list[Link], list[Link]]:
        """Return the links with fresh observations, and those that must wait for another one.

        A link waits (and stays dirty) when its e-mail turned out to be said by a record that
        belongs to another link: where that one lives is settled first.
        """
        current = {link.email: link for link in links}
        for side in Side:
            records: list[Observation] = []
            emails: list[str] = []
            addresses: list[str] = []
            for link in current.values():
                records += self._records(side, link, plans[link.email])
                if self._needs_search(side, link, plans[link.email]):
                    emails.append(link.email)
                    addresses += filter(None, [_page_url(link)])
            if records or emails:
                client = self._world.clients[side]
                answer = client.look_up(records, emails, self._view, addresses)
                current = self._apply(current, answer)
        return list(current.values()), [it for it in links if it.email not in current]

    def _records(self, side: Side, link: Link, planned: Plan) -> list[Observation]:
        """The records of a link whose words are too old to write on."""
        targets = {write.record_id for write in planned.writes if side is Side.SALESFORCE}
        return [
            seen
            for seen in link.observations()
            if seen.side is side
            and seen.participates
            and (
                link.intent is not None
                or seen.id in targets
                or not self._is_fresh(side, seen.as_of)
            )
        ]

    def _needs_search(self, side: Side, link: Link, planned: Plan) -> bool:
        """Whether a record that we are about to create may stand there already.

        That no page of a list showed it proves nothing: pages lose rows, addresses change hands.
        A dry run creates nothing, and spares Plezi a call for each.
        """
        if link.intent is not None and any(it.side is side for it in link.intent.writes):
            return True
        creates = any(write.is_create and write.side is side for write in planned.writes)
        return creates and (side is Side.SALESFORCE or not self._world.is_dry_run)

    def _is_fresh(self, side: Side, as_of: float) -> bool:
        """Whether we know what a record says now: seen lately, or no change reported lately.

        What is known from later than now was read before our clock was set back.
        """
        age = self._world.clock() - max(as_of, self._read[side])
        return abs(age) <= FRESH_SECONDS

    def _apply(self, links: Mapping[str, Link], answer: LookupResult) -> dict[str, Link]:
        homes = {seen.id: link.email for link in links.values() for seen in link.observations()}
        strangers = [seen.id for seen in answer.observations if seen.id not in homes]
        owners = self._world.ledger.owner_emails(strangers) if strangers else {}
        pages = {page: link.email for link in links.values() if (page := _page_url(link))}
        after = dict(links)
        for seen in answer.observations:
            told = str(seen.values.get(PLEZI_URL_PAIR.salesforce) or "")
            home = homes.get(seen.id) or pages.get(told) or seen.email
            if owners.get(seen.id, home) != home:
                after.pop(home, None)
            elif home in after:
                after[home] = apply_fresh_read(after[home], seen)
            if seen.email != home and _has_no_record(after.get(seen.email), seen.side):
                after.pop(seen.email)  # the address is not free yet: nobody is created under it
        for gone in answer.deleted:
            home = homes.get(gone, "")
            if home in after:
                after[home] = mark_deleted(after[home], gone)
        return after


def _has_no_record(link: Link | None, side: Side) -> bool:
    """Whether a link has no living record on a side, so that one would be created."""
    return link is not None and not any(
        it.is_active and it.side is side for it in link.observations()
    )


def _page_url(link: Link) -> str:
    """Return the page in Plezi of a link's contact: a Lead that carries it was made for it."""
    said = link.plezi.values.get(PLEZI_URL_PAIR.plezi) if link.plezi is not None else None
    return said if isinstance(said, str) else ""
