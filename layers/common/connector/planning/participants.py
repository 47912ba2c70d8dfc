"""Who takes part: which records of a link speak, which listen, and which are still to be created.

The identity is the e-mail; the ledger has already gathered the records of one e-mail (or followed
them by id). What is left to decide is what each of them may do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.mapping import DuplicatePolicy, MappingConfig
from connector.model import NEW_RECORD, Link, Observation, RecordKind


class Match(StrEnum):
    """How the records of a link belong together."""

    LINKED = "linked"
    MATCHED = "matched"
    NEW = "new"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Participant:
    """One record that takes part, or one to be created (no observation yet).

    `can_send`: its changes travel. `can_receive`: it is written to, where the line allows.
    """

    kind: RecordKind
    observation: Observation | None
    can_send: bool
    can_receive: bool

    @property
    def record_id(self) -> str:
        """The record's id, or NEW_RECORD."""
        return self.observation.id if self.observation is not None else NEW_RECORD


@dataclass(frozen=True, slots=True)
class Participants:
    """Everybody who takes part in one link, and why somebody does not (`reason`, a stable word)."""

    match: Match
    members: tuple[Participant, ...] = ()
    reason: str = ""


def select_participants(link: Link, mapping: MappingConfig) -> Participants:
    """Decide the part of each record of a link. Pure; refuses to guess between people."""
    leads = [seen for seen in link.salesforce if seen.kind is RecordKind.LEAD]
    alive = [seen for seen in leads if seen.participates]
    if len(alive) > 1 and any(seen.id == link.primary_lead for seen in alive):
        alive = [seen for seen in alive if seen.id == link.primary_lead]
    elif len(alive) > 1:
        if mapping.duplicates is DuplicatePolicy.HOLD:
            return Participants(Match.AMBIGUOUS, reason="several_leads")
        if mapping.duplicates is DuplicatePolicy.SURVIVOR:
            alive = [min(alive, key=lambda it: (it.id not in link.base, it.id))]
    contacts = [
        seen for seen in link.salesforce if seen.kind is RecordKind.CONTACT and seen.is_active
    ]
    flagged = [seen for seen in contacts if seen.participates]
    plezi = link.plezi if link.plezi is not None and link.plezi.participates else None

    roles = [Participant(RecordKind.LEAD, seen, can_send=True, can_receive=True) for seen in alive]
    roles += [
        Participant(RecordKind.CONTACT, seen, can_send=True, can_receive=False) for seen in flagged
    ]
    if plezi is None:
        return _without_plezi_contact(link, roles)
    if not roles:
        reason = _no_lead_reason(link, mapping, contacts)
        if reason:
            return Participants(Match.NONE, reason=reason)
        roles = [Participant(RecordKind.LEAD, None, can_send=False, can_receive=True)]
    told = any(role.can_receive for role in roles)
    me = Participant(RecordKind.PLEZI_CONTACT, plezi, can_send=told, can_receive=True)
    if any(role.observation is None for role in roles):
        match = Match.NEW
    else:
        match = Match.LINKED if plezi.id in link.base else Match.MATCHED
    return Participants(match, (me, *roles))


def _without_plezi_contact(link: Link, roles: list[Participant]) -> Participants:
    """There is no Plezi contact: create one, unless there was one and it has been deleted."""
    if not roles:
        return Participants(Match.NONE, reason="no_participant")
    if link.plezi is not None:
        return Participants(Match.NONE, reason="deleted_in_plezi")
    me = Participant(RecordKind.PLEZI_CONTACT, None, can_send=False, can_receive=True)
    return Participants(Match.NEW, (me, *roles))


def _no_lead_reason(link: Link, mapping: MappingConfig, contacts: list[Observation]) -> str:
    """Say why no Lead is created for a Plezi contact; '' when one is."""
    leads = [seen for seen in link.salesforce if seen.kind is RecordKind.LEAD]
    if contacts and not mapping.create_lead_beside_contact:
        return "is_a_contact"
    if any(seen.converted for seen in leads):
        return "converted"
    if any(seen.deleted for seen in leads):
        return "deleted_in_salesforce"
    if any(not seen.eligible for seen in leads):
        return "filtered_out"
    return ""
