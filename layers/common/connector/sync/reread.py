"""The refresh before a write: records are read again that a write or a recovery rests on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from connector.mapping import BoundMapping
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import (
    Counts,
    HoldReason,
    Link,
    LongText,
    LookupResult,
    Observation,
    RecordKind,
    Side,
)
from connector.planning.observation import apply_fresh_read, mark_deleted
from connector.planning.plan import Plan
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation
from connector.sync.link_batch import EMAIL_KEY
from connector.sync.read_phase import note_problems

FRESH_SECONDS: Final = 60.0
"""An older observation is read again before a write rests on it. For a system whose calls are slow
the time is longer (`Refresher.fresh_seconds`), so that it is not only read."""


class _Needed(NamedTuple):
    """What must be read again for one link: records, its e-mail, the address of its page."""

    records: list[Observation]
    emails: list[str]
    page_urls: list[str]


class Refresher:
    """Reads records again before a write rests on them.

    A target in Salesforce is always read again: one call reads hundreds of records, and nothing
    else makes the time shorter in which a user's edit can be missed. Plezi has no call that reads
    many contacts by id, but its list shows what changed: a look at the list makes every observation
    as fresh as the look (`fresh_at`). A contact is only read by its id where the tenant's list
    cannot show changes. Before a Lead is created, Salesforce is searched for the person; Plezi's
    client searches itself, immediately before it creates a contact.
    """

    def __init__(self, context: SyncContext, bound: BoundMapping, isolation: Isolation) -> None:
        self._context = context
        self._scope = bound.read_scope
        self._isolation = isolation
        self.fresh_at: dict[Side, float] = {}
        self.fresh_seconds = dict.fromkeys(Side, FRESH_SECONDS)

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
                needed = self._isolation.step(
                    link.email, partial(self._needed, side, link, plans[link.email])
                )
                if needed is None:
                    continue
                records += needed.records
                emails += needed.emails
                page_urls += needed.page_urls
            current = {it.email: it for it in self._isolation.drop_failed(current.values())}
            if records or emails:
                client = self._context.clients[side]
                result = client.look_up(records, emails, self._scope, page_urls)
                current = self._apply(current, result)
        return list(current.values()), [link for link in links if link.email not in current]

    def _needed(self, side: Side, link: Link, plan: Plan) -> _Needed:
        """Return what must be read again for one link."""
        records = self.stale_records(side, link, plan)
        if not _needs_search(side, link, plan):
            return _Needed(records, [], [])
        return _Needed(records, [link.email], list(filter(None, [_page_url(link)])))

    def stale_records(
        self, side: Side, link: Link, plan: Plan, *, for_seconds: float = 0.0
    ) -> list[Observation]:
        """Return the records of a link whose observations are too old for a write.

        With `for_seconds`, so are those that will be too old by then.
        """
        targets = {write.record_id for write in plan.writes if side is Side.SALESFORCE}
        texts = {
            value
            for write in plan.writes
            for value in write.values.values()
            if isinstance(value, LongText)
        }
        return [
            each
            for each in link.observations()
            if each.side is side
            and (
                _has_one_of(texts, each)
                or (
                    each.participates
                    and (
                        link.intent is not None
                        or each.uncertain
                        or each.id in targets
                        or not self._is_fresh(side, each.as_of, for_seconds)
                    )
                )
            )
        ]

    def _is_fresh(self, side: Side, as_of: float, for_seconds: float) -> bool:
        """Return whether an observation is current: read recently, or no change reported since.

        An observation from the future was made before our clock was set back.
        """
        if self._context.is_dry_run:
            return True
        age = self._context.clock() - max(as_of, self.fresh_at.get(side, 0.0))
        return abs(age) + for_seconds <= self.fresh_seconds[side]

    def _apply(self, links: Mapping[str, Link], result: LookupResult) -> dict[str, Link]:
        """Return the links with the observations of a look-up, without those that must wait."""
        known = {each.id: link.email for link in links.values() for each in link.observations()}
        unknown = [each.id for each in result.observations if each.id not in known]
        owners = self._context.links.owner_emails(unknown) if unknown else {}
        new_names = {
            name
            for each in result.observations
            if known.get(each.id) != each.email
            for name in (each.id, each.email)
        }
        erased = self._context.tombstones.erased(new_names) if new_names else frozenset()
        step = self._isolation.step
        pages = {
            url: link.email
            for link in links.values()
            if (url := step(link.email, partial(_page_url, link)))
        }
        after = dict(links)
        for each in result.observations:
            if {each.id, each.email} & erased:
                continue
            page_url = str(each.values.get(PLEZI_URL_PAIR.salesforce) or "")
            owner = known.get(each.id) or pages.get(page_url) or each.email
            if owners.get(each.id, owner) != owner:
                after.pop(owner, None)
            elif owner in after:
                step(owner, partial(self._apply_one, after, owner, each))
            if each.email != owner and step(
                each.email, partial(_has_no_record, after.get(each.email), each.side)
            ):
                after.pop(each.email)  # the e-mail is still used: no record is created with it
        for record in result.deleted:
            owner = known.get(record, "")
            if owner in after:
                link = step(owner, partial(mark_deleted, after[owner], record))
                after[owner] = link or after[owner]
        note_problems(self._context, result.problems, Counts(), self._isolation, retry=True)
        return {email: link for email, link in after.items() if email not in self._isolation.faults}

    def _apply_one(self, links: dict[str, Link], owner: str, observation: Observation) -> None:
        """Apply one observation to its link; a record beyond the bound makes the e-mail shared.

        A Contact that the filter leaves out does not (`LinkBatch`).
        """
        link = links[owner]
        is_known = observation.id in link.record_ids
        if not is_known and len(link.record_ids) >= self._context.max_records:
            if observation.kind is not RecordKind.CONTACT or observation.eligible:
                links[owner] = link.as_shared()
            return
        links[owner] = apply_fresh_read(link, observation)


def _has_one_of(texts: Collection[LongText], record: Observation) -> bool:
    """Whether a record has a text that is to be written, of which the ledger has the digest only.

    It may be the target's neighbour on the same side, or a converted Lead that takes no part.
    """
    return (
        bool(texts)
        and not record.deleted
        and any(isinstance(it, LongText) and it in texts for it in record.values.values())
    )


def _needs_search(side: Side, link: Link, plan: Plan) -> bool:
    """Return whether a record that we may have created, or are about to create, is searched.

    That no page of a list contained it proves nothing: pages lose rows, and e-mails change owners.
    Plezi's client searches itself, but first for a link whose e-mail another link used: nothing is
    stored for it as long as that is so.
    """
    if link.intent is not None and any(write.side is side for write in link.intent.writes):
        return True
    hold = link.holds.get(EMAIL_KEY)
    was_in_use = hold is not None and hold.reason is HoldReason.EMAIL_IN_USE
    return (side is Side.SALESFORCE or was_in_use) and any(
        write.is_create and write.side is side for write in plan.writes
    )


def _has_no_record(link: Link | None, side: Side) -> bool:
    """Return whether a link has no active record on a side, so that one would be created."""
    if link is None:
        return False
    return not any(each.is_active and each.side is side for each in link.observations())


def _page_url(link: Link) -> str:
    """Return the address of the contact's page in Plezi: a Lead with it was created for it."""
    url = link.plezi.values.get(PLEZI_URL_PAIR.plezi) if link.plezi is not None else None
    return url if isinstance(url, str) else ""
