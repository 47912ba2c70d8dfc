"""Who takes part: which records of a link speak, which listen, and which are still to be created.

The identity is the e-mail; the ledger has already gathered the records of one e-mail (or followed
them by id). What is left to decide is what each of them may do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.mapping import Duplicates, FieldMapping
from connector.model import NEW_RECORD, Kind, Link, Observation


class Match(StrEnum):
    """How the records of a link belong together."""

    LINKED = "linked"
    MATCHED = "matched"
    NEW = "new"
    AMBIGUOUS = "ambiguous"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Role:
    """One record that takes part, or one to be created (no observation yet).

    `speaks`: its changes travel. `listens`: it is written to, where the line allows.
    """

    kind: Kind
    seen: Observation | None
    speaks: bool
    listens: bool

    @property
    def record(self) -> str:
        """The record's id, or NEW_RECORD."""
        return self.seen.id if self.seen is not None else NEW_RECORD


@dataclass(frozen=True, slots=True)
class Company:
    """Everybody who takes part in one link, and why somebody does not (`reason`, a stable word)."""

    match: Match
    roles: tuple[Role, ...] = ()
    reason: str = ""


def gather(link: Link, mapping: FieldMapping) -> Company:
    """Decide the part of each record of a link. Pure; refuses to guess between people."""
    leads = [seen for seen in link.salesforce if seen.kind is Kind.LEAD]
    alive = [seen for seen in leads if seen.takes_part]
    if len(alive) > 1 and any(seen.id == link.survivor for seen in alive):
        alive = [seen for seen in alive if seen.id == link.survivor]
    elif len(alive) > 1:
        if mapping.duplicates is Duplicates.HOLD:
            return Company(Match.AMBIGUOUS, reason="several_leads")
        if mapping.duplicates is Duplicates.SURVIVOR:
            alive = [min(alive, key=lambda it: (it.id not in link.base, it.id))]
    contacts = [seen for seen in link.salesforce if seen.kind is Kind.CONTACT and seen.alive]
    flagged = [seen for seen in contacts if seen.takes_part]
    plezi = link.plezi if link.plezi is not None and link.plezi.takes_part else None

    roles = [Role(Kind.LEAD, seen, speaks=True, listens=True) for seen in alive]
    roles += [Role(Kind.CONTACT, seen, speaks=True, listens=False) for seen in flagged]
    if plezi is None:
        return _towards_plezi(link, roles)
    if not roles:
        reason = _why_no_lead(link, mapping, contacts)
        if reason:
            return Company(Match.NOBODY, reason=reason)
        roles = [Role(Kind.LEAD, None, speaks=False, listens=True)]
    told = any(role.listens for role in roles)
    me = Role(Kind.PLEZI_CONTACT, plezi, speaks=told, listens=True)
    if any(role.seen is None for role in roles):
        match = Match.NEW
    else:
        match = Match.LINKED if plezi.id in link.base else Match.MATCHED
    return Company(match, (me, *roles))


def _towards_plezi(link: Link, roles: list[Role]) -> Company:
    """There is no Plezi contact: create one, unless there was one and it has been deleted."""
    if not roles:
        return Company(Match.NOBODY, reason="nobody_takes_part")
    if link.plezi is not None:
        return Company(Match.NOBODY, reason="deleted_in_plezi")
    me = Role(Kind.PLEZI_CONTACT, None, speaks=False, listens=True)
    return Company(Match.NEW, (me, *roles))


def _why_no_lead(link: Link, mapping: FieldMapping, contacts: list[Observation]) -> str:
    """Say why no Lead is created for a Plezi contact; '' when one is."""
    leads = [seen for seen in link.salesforce if seen.kind is Kind.LEAD]
    if contacts and not mapping.create_lead_beside_contact:
        return "is_a_contact"
    if any(seen.converted for seen in leads):
        return "converted"
    if any(seen.deleted for seen in leads):
        return "deleted_in_salesforce"
    if any(not seen.eligible for seen in leads):
        return "filtered_out"
    return ""
