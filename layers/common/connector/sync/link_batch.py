"""A batch of links with the observations that belong to them, while a page is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from connector.clean_text import canonical_email, clean
from connector.mapping.model import LAST_NAME_PAIR, PLEZI_URL_PAIR
from connector.model import Hold, HoldReason, Link, LinkChange, Observation, RecordKind, Value
from connector.planning.excluded_leads import agreed_fields
from connector.planning.field_problem import waits_for_reading
from connector.planning.observation import apply_observation, is_possibly_stale
from connector.sync.ports import LinkStore, Tombstones

PARTLY: Final = 2
"""A Lead that agreed in less than one of so many fields of another Lead takes no part beside it: it
sends opt-outs only. Records of other kinds are not compared, because they have other fields."""
NO_OWNERS: Final[Mapping[str, str]] = MappingProxyType({})
EMAIL_KEY: Final = "Email"
"""The key of the field pair that holds the e-mail."""


class PossiblyStale(NamedTuple):
    """An observation that was ignored as old and may be new: what is stored, and what was read."""

    stored: Observation
    read: Observation


class LinkBatch:
    """The links that some observations belong to, found by e-mail or, for known records, by id.

    `changed` holds the ids of the records whose observation changed a link. `deferred` holds the
    ids of the records to add once this batch is stored. `possibly_stale` is by record id.
    `left_out` holds the ids of the records beyond the bound of one e-mail (`max_records`), which
    are not stored. `erased` holds the ids of records of people who were erased, or that have the
    e-mail of one: nothing of them is stored.
    """

    def __init__(
        self,
        links: LinkStore,
        tombstones: Tombstones,
        observations: Sequence[Observation],
        max_records: int,
        step: Callable[[str, Callable[[], str]], str | None],
        *,
        in_two_links: Mapping[str, str] = NO_OWNERS,
    ) -> None:
        """Load the links. `step` makes a step of one link (`Isolation.step`).

        `in_two_links` are records, by id, that the link of their e-mail has, and the link of this
        other e-mail too. They belong to the latter, which is joined to the former.
        """
        self._max_records = max_records
        page_ids = {
            each.id: step(each.email, partial(_contact_id_in_page_url, each)) or ""
            for each in observations
        }
        self.left_out: set[str] = set()
        self._links = links.load_links({each.email for each in observations if each.email})
        unknown = [
            each
            for each in observations
            if each.id in in_two_links or not self._contains(each.email, each.id)
        ]
        names = {name for each in unknown for name in (each.email, each.id)}
        erased = tombstones.erased(names) if names else frozenset()
        self.erased = frozenset(it.id for it in unknown if {it.email, it.id} & erased)
        unknown = [each for each in unknown if each.id not in self.erased]
        keys = [key for each in unknown for key in (each.id, page_ids[each.id]) if key]
        owners = {**(links.owner_emails(keys) if keys else {}), **in_two_links}
        if elsewhere := set(owners.values()) - self._links.keys():
            self._links |= links.load_links(elsewhere)
        self._owner_emails = {each.id: each.email for each in observations}
        self._owner_emails |= {
            record: email for record, email in owners.items() if self._contains(email, record)
        }
        self._owner_emails |= {
            each.id: owner
            for each in unknown
            if (owner := self._page_owner(each, owners.get(page_ids[each.id], ""), step))
            and self._owner_emails[each.id] == each.email
        }
        self._stored = dict(self._links)
        self._moved_from: dict[str, Link] = {}
        self._vacated: set[str] = set()
        self._left: set[str] = set()
        self.changed: set[str] = set()
        self.possibly_stale: dict[str, PossiblyStale] = {}
        self.deferred: set[str] = set()

    def owner_email(self, record: str) -> str:
        """Return the e-mail of the link that a record belongs to."""
        return self._owner_emails[record]

    @property
    def vacated(self) -> frozenset[str]:
        """The e-mails that links have left: those of other people can move there next."""
        return frozenset(self._vacated)

    @property
    def free(self) -> frozenset[str]:
        """The e-mails that no person has now: the link has left, or all its records have."""
        return frozenset(self._vacated | self._left)

    def in_order(self, observations: Sequence[Observation]) -> list[Observation]:
        """Return the observations; those whose e-mail changed come first: they free it.

        A record without an e-mail is left out if the link that knew it is gone.
        """
        owned = [
            each
            for each in observations
            if self._owner_emails[each.id] and each.id not in self.erased
        ]
        return sorted(owned, key=lambda each: each.email == self._owner_emails[each.id])

    def add(self, observation: Observation) -> None:
        """Apply one observation to its link, and move the link when the person's e-mail changed.

        DynamoDB accepts one action for an item in a transaction. So an observation is deferred when
        its e-mail was vacated in this batch, or when it would vacate an e-mail that a link has just
        moved to. A record that leaves its link alone is deferred too: if the process ends between
        the two writes, the page is read again.
        """
        owner = self._owner_emails[observation.id]
        if owner in self._vacated:
            self.deferred.add(observation.id)
            return
        link = self._links.get(owner, Link(owner))
        if not link.readable:
            raise ValueError("the stored link cannot be decoded")
        if self._is_left_out(link, observation):
            return
        after = _with_observation(link, observation)
        self._note_if_left(after)
        stored = link.observation(observation.id)
        if stored is not None and is_possibly_stale(link, observation):
            self.possibly_stale[observation.id] = PossiblyStale(stored, observation)
        moves = bool(observation.email) and observation.email != owner
        moves = moves and (_has_new_email(link, observation) or _is_used_by_none(after, owner))
        if after is link and not moves:
            return
        if not moves:
            self._links[owner] = after
        elif leaves_alone(link, observation, is_taken=self._is_taken(observation.email)):
            self._links[owner] = replace(link.without_record(observation.id), dirty=True)
            self.deferred.add(observation.id)  # it joins the link of its new e-mail
        elif owner in self._moved_from or self._will_be_free(observation.email):
            self.deferred.add(observation.id)
        else:
            self._move_link(link, after, observation.email)
        if self._links.get(owner) is not link:
            self.changed.add(observation.id)

    def _note_if_left(self, link: Link) -> None:
        """Note the e-mail of a link if all its records have left."""
        if not any(each.is_active for each in link.observations()):
            self._left.add(link.email)

    def _is_left_out(self, link: Link, observation: Observation) -> bool:
        """Return whether a new record is not stored; its e-mail is shared by too many then.

        A Contact that the filter leaves out is kept only for a person whom Plezi or a Lead knows:
        it is the reason why no Lead is created. One is enough for that, so that those beyond the
        bound are left out and the e-mail is not shared for their sake.
        """
        if observation.id in link.record_ids:
            return False
        is_full = len(link.record_ids) >= self._max_records
        if observation.kind is RecordKind.CONTACT and not observation.eligible:
            return is_full or not link.record_ids
        if not is_full:
            return False
        self.left_out.add(observation.id)
        self._links[link.email] = link.as_shared()
        return True

    def dirty_emails(self) -> list[str]:
        """Return the e-mails of the links that must be resolved."""
        return [email for email, link in self._links.items() if link.dirty and link.readable]

    def mark_dirty_where(self, needs_resolving: Callable[[Link], bool]) -> None:
        """Mark unchanged links as dirty where the given check finds something to do."""
        for email, link in self._links.items():
            if link.readable and not link.dirty and needs_resolving(link):
                self._links[email] = replace(link, dirty=True)

    def changes(self) -> list[LinkChange]:
        """Return every link that differs from what is stored."""
        return [
            LinkChange(link, self._moved_from.get(email))
            for email, link in self._links.items()
            if self._stored.get(email) is not link
        ]

    def _contains(self, email: str, record: str) -> bool:
        link = self._links.get(email)
        return link is not None and record in link.record_ids

    def _page_owner(
        self,
        observation: Observation,
        owner: str,
        step: Callable[[str, Callable[[], str]], str | None],
    ) -> str:
        """Return the owner if it is the link for whose contact we created this Lead ('': none)."""
        if not owner:
            return ""
        check = partial(self._owner_by_page_url, observation, owner)
        return step(observation.email, check) or ""

    def _owner_by_page_url(self, observation: Observation, owner: str) -> str:
        """Return the e-mail of the link for whose contact we created this Lead ('': none).

        The Lead holds the address of the contact's page in Plezi, whatever either e-mail is today.
        A Lead with the e-mail of another known person, and not the name of the contact, is that
        person's: a list that was imported with shifted columns has the pages of other people.
        """
        link = self._links.get(owner)
        if link is None or link.plezi is None:
            return ""
        is_of_another = observation.email != owner and self._is_taken(observation.email)
        if is_of_another and not _have_one_name(link.plezi, observation):
            return ""
        page_url = observation.values.get(PLEZI_URL_PAIR.salesforce)
        return owner if link.plezi.values.get(PLEZI_URL_PAIR.plezi) == page_url else ""

    def _is_taken(self, email: str) -> bool:
        occupant = self._links.get(email)
        return occupant is not None and any(it.is_active for it in occupant.observations())

    def _will_be_free(self, email: str) -> bool:
        """Return whether an e-mail was vacated in this batch, or will be by a deferred record."""
        occupant = self._links.get(email)
        return email in self._vacated or (
            occupant is not None and bool(occupant.record_ids & self.deferred)
        )

    def _move_link(self, before: Link, after: Link, email: str) -> None:
        """Move the link to the new e-mail; if another person owns that e-mail, hold the field.

        A link of which nothing but records that have left is there is joined, and so is one that
        meets a link without a contact in Plezi: its records meet the person for the first time. A
        link that was held for this reason is released by the move, unless a record still has the
        e-mail of the other person. Without that, its other records, which still have the old
        e-mail, would move it back.
        """
        occupant = self._links.get(email)
        if occupant is not None and occupant.record_ids and _are_one_person(after, occupant):
            after = _joined(after, occupant)
        elif occupant is not None and occupant.record_ids:
            values: Mapping[str, Value] = {each.id: each.email for each in after.observations()}
            if not _is_held_already(after.holds.get(EMAIL_KEY), values):
                since = max(each.as_of for each in after.observations())
                hold = Hold(HoldReason.EMAIL_TAKEN, since, values)
                after = replace(after, holds={**after.holds, EMAIL_KEY: hold})
            self._links[before.email] = after
            return
        revision = occupant.revision if occupant is not None else 0
        self._links.pop(before.email, None)
        self._vacated.add(before.email)
        holds = {
            key: hold
            for key, hold in after.holds.items()
            if hold.reason is not HoldReason.EMAIL_TAKEN
        }
        held = after.holds.get(EMAIL_KEY)
        if held is not None and _still_leaves(after, held, before.email, email):
            shown = {each.id: each.email for each in after.observations()}
            holds[EMAIL_KEY] = replace(held, values=shown, chosen="")
        self._links[email] = replace(
            after,
            email=email,
            revision=revision,
            indexed=frozenset(),
            holds=holds,
            dirty=True,
        )
        self._moved_from[email] = self._stored.get(before.email, before)
        for record in after.record_ids:
            self._owner_emails[record] = email


def _with_observation(link: Link, observation: Observation) -> Link:
    """Return the link with an observation, without a quarantine that waited for it."""
    after = apply_observation(link, observation)
    if waits_for_reading(link, ()) and not waits_for_reading(link, (observation,)):
        return replace(after, quarantine=None, dirty=True)
    return after


def _contact_id_in_page_url(observation: Observation) -> str:
    """Return the Plezi contact id that a Lead's page address ends with; '' if there is none."""
    is_lead = observation.kind is RecordKind.LEAD
    url = observation.values.get(PLEZI_URL_PAIR.salesforce) if is_lead else None
    return url.rstrip("/").rpartition("/")[2] if isinstance(url, str) else ""


def _have_one_name(contact: Observation, lead: Observation) -> bool:
    """Whether a contact and a Lead have the same last name, or it is not known of one of them."""
    one = contact.values.get(LAST_NAME_PAIR.plezi)
    other = lead.values.get(LAST_NAME_PAIR.salesforce)
    if not isinstance(one, str) or not isinstance(other, str):
        return True
    return clean(one).casefold() == clean(other).casefold()


def _has_new_email(link: Link, observation: Observation) -> bool:
    """Return whether a known record's e-mail changed, or is held because it was taken.

    A record whose e-mail did not change does not move its link back: the link may have followed
    another of its records, and this record has not received the new e-mail yet.
    """
    stored = link.observation(observation.id)
    if stored is None:
        return False
    hold = link.holds.get(EMAIL_KEY)
    is_held = hold is not None and hold.reason is HoldReason.EMAIL_TAKEN
    return is_held or stored.email != observation.email


def _are_one_person(moved: Link, occupant: Link) -> bool:
    """Whether a link that gets the e-mail of another one belongs to its person.

    It does if the other one has only records that have left, or that the moved one has too, or if
    the moved one has no contact in Plezi: its e-mail says who its records are. No two people are
    mixed then. Nor are they where both have the same contact: its e-mail changed while one process
    created it and another read it.
    """
    if moved.intent is not None or occupant.intent is not None or not occupant.readable:
        return False
    if moved.plezi is None or not moved.plezi.is_active:
        return True
    is_same = occupant.plezi is not None and occupant.plezi.id == moved.plezi.id
    return is_same or not _has_others(occupant, moved)


def _has_others(occupant: Link, moved: Link) -> bool:
    """Whether a link has a record of its own that has not left."""
    known = moved.record_ids
    return any(it.is_active and it.id not in known for it in occupant.observations())


def _joined(moved: Link, occupant: Link) -> Link:
    """Return both links as one: the records that are added meet the person for the first time.

    Of a contact that both have, the later reading counts.
    """
    kept, added = (occupant, moved) if _has_others(occupant, moved) else (moved, occupant)
    others = [it for it in added.salesforce if it.id not in kept.record_ids]
    salesforce = sorted([*kept.salesforce, *others], key=lambda record: record.id)
    contact, other = kept.plezi, added.plezi
    if contact is not None and other is not None and other.id == contact.id:
        contact = max(contact, other, key=lambda it: it.as_of)
    return replace(kept, plezi=contact, salesforce=tuple(salesforce))


def leaves_alone(link: Link, observation: Observation, *, is_taken: bool) -> bool:
    """Return whether a record with a new e-mail leaves its link, and does not move the person.

    The person is the one with whom the others agreed. Others still have the e-mail of the link, and
    this record is outside the filter, never agreed with them, is a Lead beside the primary one or
    beside one that agreed in more fields, or is one of several Contacts, which are never written:
    two people would be mixed. A person whose contact was deleted in Plezi is never written either:
    the others would keep an e-mail that their link has left, and a new record with it would be
    another person. `is_taken`: the new e-mail is another person's; then a record beside others of
    Salesforce goes.
    """
    others = [it for it in link.observations() if it.id != observation.id and it.is_active]
    remaining = [it for it in others if it.email == link.email]
    if not remaining:
        return False
    if link.plezi is not None and link.plezi.deleted:
        return True
    if not observation.eligible or (link.base and not agreed_fields(link, observation.id)):
        return True
    same_kind = [it for it in remaining if it.kind is observation.kind and it.participates]
    if observation.kind is RecordKind.CONTACT and same_kind:
        return True
    agreed = agreed_fields(link, observation.id)
    is_beside_another = any(
        it.id == link.primary_lead or PARTLY * agreed < agreed_fields(link, it.id)
        for it in same_kind
    )
    same_side = [it for it in remaining if it.side is observation.side and it.participates]
    return is_beside_another or (is_taken and bool(same_side))


def _still_leaves(link: Link, hold: Hold, old: str, new: str) -> bool:
    """Whether a record still has the e-mail of another person, for which its link was held.

    The link follows another record from its old e-mail to a new one. Not if a record has the old
    e-mail: it would move the link back.
    """
    active = [each for each in link.observations() if each.is_active]
    return hold.reason is HoldReason.EMAIL_TAKEN and (
        all(each.email != old for each in active)
        and any(
            each.email not in ("", new) and canonical_email(hold.values.get(each.id)) == each.email
            for each in active
        )
    )


def _is_used_by_none(link: Link, email: str) -> bool:
    """Return whether no record of a link has this e-mail: its records agreed on another one."""
    return not any(each.is_active and each.email == email for each in link.observations())


def _is_held_already(hold: Hold | None, values: Mapping[str, Value]) -> bool:
    """Return whether the link is held because of exactly these e-mails."""
    if hold is None or hold.reason is not HoldReason.EMAIL_TAKEN:
        return False
    return {record: canonical_email(value) for record, value in hold.values.items()} == values


def with_email_in_use(link: Link, now: float) -> Link:
    """Return the link with its e-mail held, because a record of another link has it.

    The same link is returned when it is held already. `now` is our clock in seconds.
    """
    known = link.holds.get(EMAIL_KEY)
    values: Mapping[str, Value] = {each.id: each.email for each in link.observations()}
    is_outdated = (
        known is not None
        and known.reason is HoldReason.EMAIL_IN_USE
        and dict(known.values) != dict(values)
    )
    if known is not None and not is_outdated:
        return link
    hold = Hold(HoldReason.EMAIL_IN_USE, now, values)
    return replace(link, holds={**link.holds, EMAIL_KEY: hold})
