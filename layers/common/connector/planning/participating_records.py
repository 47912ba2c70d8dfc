"""The records of a link that take part: which send, which receive, which must be created.

The e-mail is the identity. The ledger has already collected the records with one e-mail, or found
them by id; this module decides what each of them may do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.clean_text import canonical_email
from connector.mapping import DuplicatePolicy, MappingConfig
from connector.mapping.model import EMAIL_PAIR
from connector.model import NEW_RECORD, HoldReason, Link, Observation, RecordKind, SkipReason
from connector.planning.excluded_leads import agreed_fields


class Match(StrEnum):
    """How the records of a link belong together."""

    LINKED = "linked"
    MATCHED = "matched"
    NEW = "new"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Participant:
    """One record that takes part, or one that must be created (no observation yet).

    `can_send`: its changes travel. `can_receive`: it is written to, if the field pair allows it.
    `only`: the keys of the pairs in which it takes part (None: in all).
    """

    kind: RecordKind
    observation: Observation | None
    can_send: bool
    can_receive: bool
    only: frozenset[str] | None = None

    def takes_part_in(self, key: str) -> bool:
        """Return whether the record takes part in a pair."""
        return self.only is None or key in self.only

    @property
    def record_id(self) -> str:
        """The record's id, or NEW_RECORD."""
        return self.observation.id if self.observation is not None else NEW_RECORD


@dataclass(frozen=True, slots=True)
class Participants:
    """The participants of one link; without participants, `reason` is set."""

    match: Match
    members: tuple[Participant, ...] = ()
    reason: SkipReason | None = None


def select_participants(link: Link, mapping: MappingConfig) -> Participants:
    """Decide what each record of a link may do. Pure; an ambiguous link has no participants."""
    if link.shared:
        return Participants(Match.AMBIGUOUS, reason=SkipReason.SHARED_EMAIL)
    leaving = leaving_records(link)
    active = [
        record
        for record in link.salesforce
        if record.kind is RecordKind.LEAD and record.participates and record.id not in leaving
    ]
    if len(active) > 1 and any(record.id == link.primary_lead for record in active):
        active = [record for record in active if record.id == link.primary_lead]
    elif len(active) > 1:
        if mapping.duplicates is DuplicatePolicy.HOLD:
            return Participants(Match.AMBIGUOUS, reason=SkipReason.SEVERAL_LEADS)
        if mapping.duplicates is DuplicatePolicy.SURVIVOR:
            active = [min(active, key=lambda record: (-agreed_fields(link, record.id), record.id))]
    contacts = [
        record
        for record in link.salesforce
        if record.kind is RecordKind.CONTACT and record.is_active
    ]
    plezi = link.plezi if link.plezi is not None and link.plezi.participates else None

    members = [
        Participant(RecordKind.LEAD, record, can_send=True, can_receive=True) for record in active
    ]
    members += [
        Participant(RecordKind.CONTACT, record, can_send=True, can_receive=False)
        for record in contacts
        if record.participates and record.id not in leaving
    ]
    if plezi is None:
        return _without_plezi_contact(link, members)
    if plezi.id in leaving:
        return Participants(Match.NONE, reason=SkipReason.NO_PARTICIPANT)
    if not members:
        reason = _no_lead_reason(link, mapping, contacts)
        if reason is not None:
            return Participants(Match.NONE, reason=reason)
        members = [Participant(RecordKind.LEAD, None, can_send=False, can_receive=True)]
    can_send = any(member.can_receive for member in members)
    contact = Participant(RecordKind.PLEZI_CONTACT, plezi, can_send=can_send, can_receive=True)
    return Participants(_match(link, plezi, members), (contact, *members))


def _match(link: Link, plezi: Observation, members: list[Participant]) -> Match:
    if any(member.observation is None for member in members):
        return Match.NEW
    return Match.LINKED if link.base.get(plezi.id) else Match.MATCHED


def leaving_records(link: Link) -> frozenset[str]:
    """Return the records whose new e-mail belongs to another link: that waits for a decision.

    What was typed in them may be about the other person, so that they take no part until then.
    """
    hold = link.holds.get(EMAIL_PAIR.key)
    if hold is None or hold.reason is not HoldReason.EMAIL_TAKEN:
        return frozenset()
    active = [it for it in link.observations() if it.is_active]
    if hold.chosen and all(canonical_email(hold.values.get(it.id)) == it.email for it in active):
        return frozenset()  # decided, and nothing was typed since
    if not any(it.email == link.email for it in active):
        return frozenset()  # they agree on the new e-mail
    return frozenset(it.id for it in active if it.email not in ("", link.email))


def _without_plezi_contact(link: Link, members: list[Participant]) -> Participants:
    """Create the missing Plezi contact, unless there was one that takes no part any more."""
    if not members:
        return Participants(Match.NONE, reason=SkipReason.NO_PARTICIPANT)
    if link.plezi is not None:
        return Participants(Match.NONE, reason=SkipReason.DELETED_IN_PLEZI)
    contact = Participant(RecordKind.PLEZI_CONTACT, None, can_send=False, can_receive=True)
    return Participants(Match.NEW, (contact, *members))


def _no_lead_reason(
    link: Link, mapping: MappingConfig, contacts: list[Observation]
) -> SkipReason | None:
    """Return why no Lead is created for a Plezi contact; None if one is created."""
    records = link.salesforce
    leads = [record for record in records if record.kind is RecordKind.LEAD]
    if leaving_records(link):
        return SkipReason.NO_PARTICIPANT
    hold = link.holds.get(EMAIL_PAIR.key)
    if hold is not None and hold.reason is HoldReason.EMAIL_TAKEN and not hold.chosen:
        return SkipReason.EMAIL_HELD  # without its e-mail, the new Lead would be nobody's
    if contacts and not mapping.create_lead_beside_contact:
        return SkipReason.IS_A_CONTACT
    if any(lead.converted for lead in leads):
        return SkipReason.CONVERTED
    if any(
        it.deleted and (it.kind is RecordKind.LEAD or agreed_fields(link, it.id)) for it in records
    ):
        return SkipReason.DELETED_IN_SALESFORCE
    if any(not lead.eligible for lead in leads):
        return SkipReason.FILTERED_OUT
    if link.has_cleared_email:
        return SkipReason.EMAIL_CLEARED
    return None
