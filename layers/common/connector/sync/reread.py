"""The refresh before a write: records are read again that a write or a recovery rests on."""

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
"""An older observation is read again before a write rests on it."""
CHANGE_FEEDS: Final = {Side.PLEZI: RecordKind.PLEZI_CONTACT, Side.SALESFORCE: RecordKind.LEAD}
"""The kind of record whose completed read shows how fresh the observations of a side are."""


class Refresher:
    """Reads records again before a write rests on them.

    A target in Salesforce is always read again: one call reads 200 records, and nothing else makes
    the time shorter in which a user's edit can be missed. Plezi has no call that reads many
    contacts by id. So a read of Plezi's changes that is younger than a minute counts as a fresh
    reading of a contact. A record that is to be created is searched first on both sides, because
    Plezi treats a creation with a known e-mail as an update.
    """

    def __init__(self, context: SyncContext, bound: BoundMapping) -> None:
        self._context = context
        self._scope = bound.read_scope
        self._read_at = {
            side: context.cursors.load_cursor(kind).completed_at
            for side, kind in CHANGE_FEEDS.items()
        }

    def refresh(
        self, links: Sequence[Link], plans: Mapping[str, Plan]
    ) -> tuple[list[Link], list[Link]]:
        """Return the links with fresh observations, and the links that must wait for another one.

        A link waits, and stays dirty, when a record of another link has its e-mail: the other link
        is resolved first.
        """
        current = {link.email: link for link in links}
        for side in Side:
            records: list[Observation] = []
            emails: list[str] = []
            page_urls: list[str] = []
            for link in current.values():
                records += self._stale_records(side, link, plans[link.email])
                if self._needs_search(side, link, plans[link.email]):
                    emails.append(link.email)
                    page_urls += filter(None, [_page_url(link)])
            if records or emails:
                client = self._context.clients[side]
                result = client.look_up(records, emails, self._scope, page_urls)
                current = self._apply(current, result)
        return list(current.values()), [link for link in links if link.email not in current]

    def _stale_records(self, side: Side, link: Link, plan: Plan) -> list[Observation]:
        """Return the records of a link whose observations are too old for a write."""
        targets = {write.record_id for write in plan.writes if side is Side.SALESFORCE}
        return [
            each
            for each in link.observations()
            if each.side is side
            and each.participates
            and (
                link.intent is not None
                or each.id in targets
                or not self._is_fresh(side, each.as_of)
            )
        ]

    def _needs_search(self, side: Side, link: Link, plan: Plan) -> bool:
        """Return whether a record that we are about to create may exist already.

        That no page of a list contained it proves nothing: pages lose rows, and e-mails change
        owners. A dry run creates nothing, so it spares Plezi a call for each contact.
        """
        if link.intent is not None and any(write.side is side for write in link.intent.writes):
            return True
        creates = any(write.is_create and write.side is side for write in plan.writes)
        return creates and (side is Side.SALESFORCE or not self._context.is_dry_run)

    def _is_fresh(self, side: Side, as_of: float) -> bool:
        """Return whether an observation is current: read recently, or no change reported since.

        An observation from the future was made before our clock was set back.
        """
        age = self._context.clock() - max(as_of, self._read_at[side])
        return abs(age) <= FRESH_SECONDS

    def _apply(self, links: Mapping[str, Link], result: LookupResult) -> dict[str, Link]:
        known = {each.id: link.email for link in links.values() for each in link.observations()}
        unknown = [each.id for each in result.observations if each.id not in known]
        owners = self._context.links.owner_emails(unknown) if unknown else {}
        pages = {url: link.email for link in links.values() if (url := _page_url(link))}
        after = dict(links)
        for each in result.observations:
            page_url = str(each.values.get(PLEZI_URL_PAIR.salesforce) or "")
            owner = known.get(each.id) or pages.get(page_url) or each.email
            if owners.get(each.id, owner) != owner:
                after.pop(owner, None)
            elif owner in after:
                after[owner] = apply_fresh_read(after[owner], each)
            if each.email != owner and _has_no_record(after.get(each.email), each.side):
                after.pop(each.email)  # the e-mail is still used: no record is created with it
        for record in result.deleted:
            owner = known.get(record, "")
            if owner in after:
                after[owner] = mark_deleted(after[owner], record)
        return after


def _has_no_record(link: Link | None, side: Side) -> bool:
    """Return whether a link has no active record on a side, so that one would be created."""
    if link is None:
        return False
    return not any(each.is_active and each.side is side for each in link.observations())


def _page_url(link: Link) -> str:
    """Return the address of the contact's page in Plezi: a Lead with it was created for it."""
    url = link.plezi.values.get(PLEZI_URL_PAIR.plezi) if link.plezi is not None else None
    return url if isinstance(url, str) else ""
