"""Selected people: their records are read again from both systems, into the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from connector.mapping import BoundMapping
from connector.model import (
    Counts,
    Link,
    LinkChange,
    Observation,
    ProblemCode,
    RecordKind,
    Side,
)
from connector.planning.observation import mark_deleted
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation
from connector.sync.read_phase import note_problems, read_again, store_observations

UNKNOWN_EMAIL: Final = ""
MAX_PEOPLE: Final = 200
"""People read again at a time: one or two calls to Salesforce."""
MAX_SECONDS: Final = 30.0
"""Seconds that reading some people again may take; one person may take longer."""


class PeopleRefresher:
    """Reads people again. `listed`: their links are on a work list of the run."""

    def __init__(
        self, context: SyncContext, bound: BoundMapping, isolation: Isolation, *, listed: bool
    ) -> None:
        self._context = context
        self._bound = bound
        self._isolation = isolation
        self._listed = listed

    def people_in_time(self, emails: Sequence[str], *, is_looked_at: bool) -> int:
        """Return how many of some people can be read again in one go, at least one.

        One call to Salesforce reads all of them; Plezi has a call for each whom it must be asked
        about.
        """
        some = emails[:MAX_PEOPLE]
        links = self._context.links.load_links(some)
        a_person = self._context.clients[Side.PLEZI].seconds_for(look_ups=1)
        limit = min(MAX_SECONDS, self._context.deadline.seconds_left())
        seconds = 0.0
        for number, email in enumerate(some):
            if self._searched(Side.PLEZI, [email], links) or not is_looked_at:
                seconds += a_person
            if number and seconds > limit:
                return number
        return len(some)

    def refresh(
        self,
        emails: Sequence[str],
        sides: Iterable[Side] = tuple(Side),
        contacts: Sequence[str] = (),
        *,
        is_looked_at: bool = False,
    ) -> tuple[Counts, list[str]]:
        """Read people again by e-mail, or Plezi contacts by id, and store what was read.

        The records of a known link are read by id as well, so that a person is found whose e-mail
        changed. `is_looked_at`: what changed in Plezi is stored already, so known contacts are not
        read. Returns the counts, and the e-mails of the links that were found; a person whom
        neither system knows has none.
        """
        counts = Counts()
        found: set[str] = set()
        for side in sides:
            links = self._context.links.load_links(emails)
            records = [
                each
                for link in links.values()
                for each in link.observations()
                if each.side is side
                and not (is_looked_at and each.participates and side is Side.PLEZI)
            ]
            searched = self._searched(side, emails, links)
            if side is Side.PLEZI:
                records += [_contact_placeholder(contact) for contact in contacts]
            if records or searched:
                found |= self._refresh_side(side, records, searched, links, counts)
            found |= {email for email, link in links.items() if link.record_ids}
        self._isolation.store(counts, listed=self._listed)
        return counts, sorted(found)

    @staticmethod
    def _searched(side: Side, emails: Sequence[str], links: dict[str, Link]) -> list[str]:
        """Return the e-mails to search. Plezi has one contact of an e-mail: a known one is read."""
        if side is Side.SALESFORCE:
            return list(emails)
        return [
            email
            for email in emails
            if email not in links or (plezi := links[email].plezi) is None or plezi.deleted
        ]

    def _refresh_side(
        self,
        side: Side,
        records: Sequence[Observation],
        emails: Sequence[str],
        links: dict[str, Link],
        counts: Counts,
    ) -> set[str]:
        context = self._context
        result = context.clients[side].look_up(records, emails, self._bound.read_scope)
        observations = [each for each in result.observations if each.email]
        counts.add(side, "seen", len(observations))
        if side is Side.SALESFORCE:
            self._end_sharing(links, observations)
        stored = store_observations(
            context, observations, counts, side, self._isolation, listed=self._listed
        )
        if stored.stale:  # the cursor of no list moves past them, but a write may rest on them
            scope = self._bound.read_scope
            read_again(context, scope, stored.stale, self._isolation, listed=self._listed)
        # One contact that Plezi cannot read does not show whether Plezi is down: a hint comes back,
        # and a run, which reads many contacts, puts a person in quarantine.
        problems = [
            it
            for it in result.problems
            if self._listed or it.code is not ProblemCode.UNREADABLE_RECORD
        ]
        note_problems(context, problems, counts, self._isolation, retry=True)
        owners = context.links.owner_emails([each.id for each in observations])
        self._mark_deleted(result.deleted)
        return set(owners.values())

    def _end_sharing(self, links: dict[str, Link], observations: Sequence[Observation]) -> None:
        """Let the records of an e-mail take part again when they are no more than the bound."""
        changes = []
        for link in links.values():
            found = {each.id for each in observations if each.email == link.email}
            number = len(found) + (link.plezi is not None)
            if not link.shared or number > self._context.max_records:
                continue
            after = replace(link, shared=False, dirty=True)
            for record in link.salesforce:
                if record.id not in found:
                    after = after.without_record(record.id)
            changes.append(LinkChange(after))
        if changes:
            self._isolation.not_stored(self._context.links.save_links(changes, listed=self._listed))

    def _mark_deleted(self, records: Iterable[str]) -> None:
        """Record which records were deleted; a link that changed in between is read again later."""
        owners = self._context.links.owner_emails(records)
        links = self._context.links.load_links(owners.values())
        after: dict[str, Link] = dict(links)
        for record, email in owners.items():
            if email in after and after[email].readable:
                link = self._isolation.step(email, partial(mark_deleted, after[email], record))
                after[email] = link or after[email]
        changes = [LinkChange(link) for email, link in after.items() if link is not links[email]]
        if changes:
            self._isolation.not_stored(self._context.links.save_links(changes, listed=self._listed))


def _contact_placeholder(contact: str) -> Observation:
    """Return an observation of a Plezi contact of which only the id is known."""
    return Observation(RecordKind.PLEZI_CONTACT, contact, UNKNOWN_EMAIL, "", "", 0.0, {})
