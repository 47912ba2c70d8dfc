"""The last edits in a converted Lead, which its Contact does not have."""

from __future__ import annotations

from dataclasses import replace

from connector.mapping import BoundMapping, BoundPair
from connector.mapping.model import EMAIL_PAIR
from connector.model import NO_VALUES, Link, Observation, RecordKind, Values
from connector.planning.field_values import continues
from connector.planning.participating_records import Match, Participant, Participants


def with_last_edits(participants: Participants, link: Link, bound: BoundMapping) -> Participants:
    """Return the participants with the converted Leads in which somebody typed before the end.

    A conversion copies not every field, and a Contact need not take part: what was typed between
    the last run and the conversion would be nowhere but in the Lead. It sends these fields, once,
    and receives nothing. A field that waits for review is left out: its conflict ends with the
    Lead (docs/people.md). So is the e-mail, which says who the person is: the Contact decides.
    """
    plezi = link.plezi
    if plezi is None or not plezi.participates or participants.match is Match.AMBIGUOUS:
        return participants
    members = participants.members
    last = [
        Participant(RecordKind.LEAD, lead, can_send=True, can_receive=False, only=pairs)
        for lead in link.salesforce
        if lead.kind is RecordKind.LEAD
        and lead.converted
        and not lead.deleted
        and (pairs := _last_edits(lead, link, bound, members))
    ]
    if not last:
        return participants
    if not members:
        contact = Participant(RecordKind.PLEZI_CONTACT, plezi, can_send=False, can_receive=True)
        return Participants(Match.LINKED, (contact, *last))
    return replace(participants, members=(*members, *last))


def _last_edits(
    lead: Observation, link: Link, bound: BoundMapping, members: tuple[Participant, ...]
) -> frozenset[str]:
    """Return the keys of the pairs whose value was typed in the Lead since the last agreement."""
    base = link.base.get(lead.id, NO_VALUES)
    successors = [it for it in members if it.record_id == lead.successor]
    return frozenset(
        pair.key
        for pair in bound.pairs
        if pair.key not in link.holds
        and pair.key != EMAIL_PAIR.key
        and pair.pair.direction.can_send(lead.side)
        and _is_edited(pair, lead, base)
        and not any(continues(pair, lead, it) for it in successors)
    )


def _is_edited(pair: BoundPair, lead: Observation, base: Values) -> bool:
    key = pair.base_keys[lead.kind]
    name = pair.fields[lead.kind].name
    if key not in base or name not in lead.values:
        return False
    now, agreed = (pair.canonical(lead.side, it) for it in (lead.values[name], base[key]))
    return now != agreed
