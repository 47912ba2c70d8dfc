"""The first stroke: write down what a side says now. An echo, or noise, stops here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from connector.errors import RetryError, StopReason
from connector.mapping import BoundMapping
from connector.mapping.model import PLEZI_URL_PAIR
from connector.mapping.values import canonical_email
from connector.model import (
    Counts,
    Cursor,
    Hold,
    Link,
    LinkChange,
    Observation,
    RecordKind,
    Side,
    Value,
)
from connector.planning.observation import apply_observation, is_possibly_stale
from connector.planning.plan import EMAIL_TAKEN, plan_link
from connector.sync.ports import Ledger, SideClient

SLICE_SIZE: Final = 100
"""Links read and written at a time: what BatchGetItem and TransactWriteItems take."""
MAX_ATTEMPTS: Final = 5
"""How often a link is read again when somebody else moves it at the same time."""
EMAIL_KEY: Final = "Email"


class PossiblyStale(NamedTuple):
    """What is held of a record, and what a page shows of it: whether that is news is not known."""

    stored: Observation
    read: Observation


def read_changes(
    cursor: Cursor,
    client: SideClient,
    ledger: Ledger,
    bound: BoundMapping,
    run: str,
    out_of_time: Callable[[], bool],
) -> bool:
    """Read one kind of record into the ledger, from a cursor; return whether it came to its end.

    The cursor moves when a page's observations are durable, never before; stopping in between
    costs one page read again. A reading of everybody weighs also the links of which nothing
    changed, for the mapping may have.
    """
    side = cursor.kind.side
    weigh = (lambda link: _needs_resolving(link, bound)) if cursor.full else None
    for page in client.read(cursor, bound.read_scope):
        counts = Counts()
        counts.add(side, "seen", len(page.observations) + sum(page.skipped.values()))
        for reason, number in page.skipped.items():
            counts.skip(side, reason, number)
        for start in range(0, len(page.observations), SLICE_SIZE):
            doubted = store_observations(
                page.observations[start : start + SLICE_SIZE], ledger, counts, side, weigh
            )
            if doubted:
                _read_again(doubted, client, ledger, bound)
        ledger.checkpoint(page.cursor, run, counts)
        if page.last:
            return True
        if out_of_time():
            return False
        del page  # it is not kept while the next one is fetched
    return True


def _read_again(
    doubted: Sequence[PossiblyStale], client: SideClient, ledger: Ledger, bound: BoundMapping
) -> None:
    """Look at records of which nobody can say whether a page shows news: the cursor moves on.

    What is read now is what they say now, whatever our clock says: what is held was stored before.
    """
    answer = client.look_up([it.stored for it in doubted], [], bound.read_scope)
    now = {it.id: it for it in answer.observations}
    for it in doubted:
        if it.stored.id in answer.deleted:
            now[it.stored.id] = it.read if it.read.deleted else replace(it.stored, deleted=True)
    heard = {it.stored.id: it.stored.as_of for it in doubted}
    seen = [replace(it, as_of=max(it.as_of, heard[record])) for record, it in now.items()]
    store_observations(seen, ledger, Counts(), doubted[0].stored.side)


def _needs_resolving(link: Link, bound: BoundMapping) -> bool:
    """Whether the mapping of today finds something to do about a link."""
    planned = plan_link(link, bound, now=0.0)
    return bool(planned.writes) or planned.link is not link


def store_observations(
    seen: Sequence[Observation],
    ledger: Ledger,
    counts: Counts,
    side: Side,
    weigh: Callable[[Link], bool] | None = None,
) -> list[PossiblyStale]:
    """Fold a slice of observations into their links, whoever else writes to them meanwhile.

    `weigh` says of a link of which nothing changed whether it is to be settled all the same.
    Returns the observations that were ignored and may be news all the same.
    """
    waiting = list(seen)
    changed: set[str] = set()
    doubted: dict[str, PossiblyStale] = {}
    for _ in range(MAX_ATTEMPTS):
        desk = LinkBatch(ledger, waiting)
        for each in desk.in_order(waiting):
            desk.add(each)
        if weigh is not None:
            desk.mark_dirty_where(weigh)
        changes = desk.changes()
        refused = ledger.save_links(changes) if changes else frozenset[str]()
        waiting = [
            it for it in waiting if it.id in desk.deferred or desk.owner_email(it.id) in refused
        ]
        changed |= desk.changed - {each.id for each in waiting}
        doubted |= desk.possibly_stale
        if not waiting:
            break
    else:
        raise RetryError(
            "links are being changed by somebody else; the page will be read again",
            reason=StopReason.CONFLICT,
        )
    counts.add(side, "changed", len(changed))
    counts.add(side, "unchanged", len(seen) - len(changed))
    return list(doubted.values())


def _contact_id_in_page_url(seen: Observation) -> str:
    """Return what may be the id of the Plezi contact that a Lead was made for: its page's name."""
    page = seen.values.get(PLEZI_URL_PAIR.salesforce) if seen.kind is RecordKind.LEAD else None
    return page.rstrip("/").rpartition("/")[2] if isinstance(page, str) else ""


def _has_new_email(link: Link, seen: Observation) -> bool:
    """Whether a known record says another e-mail than it last said, or may go where it could not.

    A record that still says what it said is not to move its link back: the link may have followed
    another of its records since, whose new address this one has not been told yet.
    """
    held = link.observation(seen.id)
    if held is None:
        return False
    hold = link.holds.get(EMAIL_KEY)
    waiting = hold is not None and hold.reason == EMAIL_TAKEN
    return waiting or held.email != seen.email


def _is_unused_by_all(link: Link, email: str) -> bool:
    """Whether no record of a link says its address any more: its people agreed on another one."""
    return not any(it.is_active and it.email == email for it in link.observations())


def _is_held_already(hold: Hold | None, words: Mapping[str, Value]) -> bool:
    """Whether a person is asked already about just these addresses."""
    if hold is None or hold.reason != EMAIL_TAKEN:
        return False
    return {record: canonical_email(word) for record, word in hold.values.items()} == words


class LinkBatch:
    """The links that some observations belong to, found by e-mail or, for known records, by id."""

    def __init__(self, ledger: Ledger, seen: Sequence[Observation]) -> None:
        self._links = ledger.load_links({each.email for each in seen})
        strangers = [each for each in seen if not self._contains(each.email, each.id)]
        wanted = [
            key for each in strangers for key in (each.id, _contact_id_in_page_url(each)) if key
        ]
        owners = ledger.owner_emails(wanted) if wanted else {}
        if elsewhere := set(owners.values()) - self._links.keys():
            self._links |= ledger.load_links(elsewhere)
        self._owner_emails = {each.id: each.email for each in seen}
        self._owner_emails |= {
            record: email for record, email in owners.items() if self._contains(email, record)
        }
        self._owner_emails |= {
            each.id: home
            for each in strangers
            if (home := self._owner_by_page_url(each, owners))
            and self._owner_emails[each.id] == each.email
        }
        self._stored = dict(self._links)
        self._moved_from: dict[str, Link] = {}
        self._vacated: set[str] = set()
        self.changed: set[str] = set()
        self.possibly_stale: dict[str, PossiblyStale] = {}
        self.deferred: set[str] = set()
        """Records to be taken in once what was taken in now is stored."""

    def _contains(self, email: str, record: str) -> bool:
        link = self._links.get(email)
        return link is not None and record in link.record_ids

    def _owner_by_page_url(self, seen: Observation, owners: Mapping[str, str]) -> str:
        """Return the e-mail of the link for whose contact we made a Lead that nobody knows yet.

        It carries the address of the contact's page, whatever either e-mail has become since; ''
        when that is of no contact that we know.
        """
        home = owners.get(_contact_id_in_page_url(seen), "")
        link = self._links.get(home)
        if link is None or link.plezi is None:
            return ""
        page = seen.values.get(PLEZI_URL_PAIR.salesforce)
        return home if link.plezi.values.get(PLEZI_URL_PAIR.plezi) == page else ""

    def owner_email(self, record: str) -> str:
        """Return the e-mail of the link that a record belongs to."""
        return self._owner_emails[record]

    def in_order(self, seen: Sequence[Observation]) -> list[Observation]:
        """Return the observations with those first that may leave an address to others."""
        return sorted(seen, key=lambda it: it.email == self._owner_emails[it.id])

    def add(self, seen: Observation) -> None:
        """Fold one observation into its link, following a person whose e-mail changed.

        Whoever comes to an address that another one has just left is late, and so is who leaves
        one that was only just come to: a transaction does one thing to an address.
        """
        home = self._owner_emails[seen.id]
        if home in self._vacated:
            self.deferred.add(seen.id)
            return
        link = self._links.get(home, Link(home))
        after = apply_observation(link, seen)
        held = link.observation(seen.id)
        if held is not None and is_possibly_stale(link, seen):
            self.possibly_stale[seen.id] = PossiblyStale(held, seen)
        moves = bool(seen.email) and seen.email != home
        moves = moves and (_has_new_email(link, seen) or _is_unused_by_all(after, home))
        if after is link and not moves:
            return
        if moves:
            if home in self._moved_from or self._is_being_vacated(seen.email):
                self.deferred.add(seen.id)
                return
            self._move_link(link, after, seen.email)
        else:
            self._links[home] = after
        if self._links.get(home) is not link:
            self.changed.add(seen.id)

    def _is_being_vacated(self, email: str) -> bool:
        """Whether an address was left just now, or will be once whoever is late has left it."""
        occupant = self._links.get(email)
        return email in self._vacated or (
            occupant is not None and bool(occupant.record_ids & self.deferred)
        )

    def _move_link(self, before: Link, after: Link, email: str) -> None:
        """A known person has another e-mail: the link moves there, unless somebody lives there.

        A link that was held because somebody did goes on once it has moved; else its other records,
        which say the old address, would move it back.
        """
        occupant = self._links.get(email)
        if occupant is not None and occupant.record_ids:
            words: Mapping[str, Value] = {seen.id: seen.email for seen in after.observations()}
            if not _is_held_already(after.holds.get(EMAIL_KEY), words):
                hold = Hold(EMAIL_TAKEN, 0.0, words)
                after = replace(after, holds={**after.holds, EMAIL_KEY: hold})
            self._links[before.email] = after
            return
        revision = occupant.revision if occupant is not None else 0
        self._links.pop(before.email, None)
        self._vacated.add(before.email)
        holds = {k: it for k, it in after.holds.items() if it.reason != EMAIL_TAKEN}
        self._links[email] = replace(
            after,
            email=email,
            revision=revision,
            indexed_records=frozenset(),
            holds=holds,
            dirty=True,
        )
        self._moved_from[email] = self._stored.get(before.email, before)
        for record in after.record_ids:
            self._owner_emails[record] = email

    def mark_dirty_where(self, matters: Callable[[Link], bool]) -> None:
        """Mark the links to be settled of which nothing changed but something matters."""
        for email, link in self._links.items():
            if not link.dirty and matters(link):
                self._links[email] = replace(link, dirty=True)

    def changes(self) -> list[LinkChange]:
        """Return every link that is not as it was stored."""
        return [
            LinkChange(link, self._moved_from.get(email))
            for email, link in self._links.items()
            if self._stored.get(email) is not link
        ]
