"""Several Leads of one person, field by field, with a proposed primary Lead for each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.admin.errors import UnknownItemError
from connector.admin.review_queue import find_link
from connector.mapping import Direction
from connector.mapping.values import to_text
from connector.model import LeadOwner, Observation, RecordKind, Value
from connector.planning.duplicate_leads import DuplicateLead, PrimaryRule, propose_primary

UNKNOWN_OWNER = LeadOwner("", "", is_user=False)


@dataclass(frozen=True, slots=True)
class DuplicateLeadView:
    """One of the Leads.

    `created` and `modified` are ISO 8601 in UTC. `filled` is the number of mapped fields with a
    value. `owner` is the name of a user, or of a queue (`is_user` is False). `page` is the address
    of its page in Salesforce, where the org shows its duplicates and merges them.
    """

    id: str
    created: str
    modified: str
    filled: int
    owner: str
    is_user: bool
    page: str
    primary: bool


@dataclass(frozen=True, slots=True)
class ComparedField:
    """A mapped field of Lead, with the value of each Lead by id; `differs`: they are not equal."""

    field: str
    values: Mapping[str, Value]
    differs: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """The Lead that a rule proposes as the primary one ('': no Lead meets the rule)."""

    rule: PrimaryRule
    lead: str


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Several Leads of one person, compared field by field, and what each rule proposes."""

    email: str
    leads: tuple[DuplicateLeadView, ...]
    fields: tuple[ComparedField, ...]
    proposals: tuple[Proposal, ...]


def show_duplicates(context: AdminContext, email: str) -> Duplicates:
    """Return the Leads of one person with one call to Salesforce, for owners and creations.

    Raises `UnknownItemError` for a person with fewer than two Leads, and the errors of the client
    of Salesforce.
    """
    link = find_link(context, email)
    leads = [it for it in link.salesforce if it.kind is RecordKind.LEAD and it.participates]
    if len(leads) <= 1:
        raise UnknownItemError(
            "this contact has no second Lead: GET /admin/attention?kind=duplicate lists those "
            "that have one"
        )
    names = [
        pair.salesforce
        for pair in context.mappings.current().pairs
        if pair.direction is not Direction.OFF
    ]
    queries = context.sides().records
    owners = queries.owners(lead.id for lead in leads)
    filled = {lead.id: sum(bool(to_text(lead.values.get(it))) for it in names) for lead in leads}
    views = tuple(
        DuplicateLeadView(
            lead.id,
            owners.get(lead.id, UNKNOWN_OWNER).created or lead.created,
            lead.modified,
            filled[lead.id],
            owners.get(lead.id, UNKNOWN_OWNER).name,
            owners.get(lead.id, UNKNOWN_OWNER).is_user,
            queries.page_of(lead.id),
            lead.id == link.primary_lead,
        )
        for lead in leads
    )
    candidates = [DuplicateLead(it.id, it.created, it.filled, it.is_user) for it in views]
    return Duplicates(
        link.email,
        views,
        tuple(_compared(name, leads) for name in names),
        tuple(Proposal(rule, propose_primary(rule, candidates)) for rule in PrimaryRule),
    )


def _compared(name: str, leads: Sequence[Observation]) -> ComparedField:
    values = {lead.id: lead.values.get(name) for lead in leads}
    return ComparedField(name, values, differs=len(set(map(to_text, values.values()))) > 1)
