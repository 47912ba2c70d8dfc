"""The last edits in records of Salesforce that take no part any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.mapping import BoundMapping, BoundPair
from connector.mapping.model import EMAIL_PAIR, ConflictPolicy
from connector.model import NEW_RECORD, NO_VALUES, Link, Observation, RecordKind
from connector.planning.excluded_leads import OUTDATED
from connector.planning.field_problem import FieldProblem, find_unreadable
from connector.planning.field_values import continues
from connector.planning.participating_records import (
    Match,
    Participant,
    Participants,
    leaving_records,
)


def with_last_edits(participants: Participants, link: Link, bound: BoundMapping) -> Participants:
    """Return the participants with the records in which somebody typed before they left.

    They send what was typed between the last run and the end, once, and receive nothing:

    - a converted Lead what its Contact does not have: a conversion copies not every field, and a
      Contact need not take part;
    - a record that was deleted, merged into another one, or lost its e-mail, and a Lead beside the
      primary one: an opt-out that was ticked, because a person who asks for it must not get another
      e-mail. Other fields end with the record.

    So does a record that left before its first meeting was over: the meeting weighs its values.
    Left out are the e-mail, which says who the person is, and fields that are unique in the org:
    the record that left keeps its value there.
    """
    if not _can_receive(participants, link):
        return participants
    members = participants.members
    known = leaving_records(link) | {it.record_id for it in members}
    last = _last_senders(link, bound, members, known)
    if not last:
        return participants
    if not members and (plezi := link.plezi) is not None:
        contact = Participant(RecordKind.PLEZI_CONTACT, plezi, can_send=False, can_receive=True)
        return Participants(Match.LINKED, (contact, *last))
    return replace(participants, members=(*members, *last))


def _can_receive(participants: Participants, link: Link) -> bool:
    """Whether a contact of Plezi takes part, or is created, and it is known whose it is."""
    if participants.match is Match.AMBIGUOUS:
        return False
    if link.plezi is not None:
        return link.plezi.participates
    return any(it.kind is RecordKind.PLEZI_CONTACT for it in participants.members)


def _last_senders(
    link: Link,
    bound: BoundMapping,
    members: tuple[Participant, ...],
    known: frozenset[str],
) -> list[Participant]:
    """Return the records that left and send something, the newest first.

    A pair that fills blanks only is sent by the newest of them, and where nobody else has a value:
    two values would count as a choice, and nobody's blank would be filled.
    """
    left = [record for record in link.salesforce if record.id not in known]
    others = [it for it in (link.plezi, *(it.observation for it in members)) if it is not None]
    filled = {pair.key for pair in bound.pairs if _fills(pair) and _has_value(pair, others)}
    senders = []
    for record in sorted(left, key=lambda it: (it.modified, it.id), reverse=True):
        pairs = _last_edits(record, link, bound, members) - filled
        if pairs:
            sender = Participant(
                record.kind, record, can_send=True, can_receive=False, only=frozenset(pairs)
            )
            senders.append(sender)
        filled |= {pair.key for pair in bound.pairs if _fills(pair) and pair.key in pairs}
    return senders


def find_unread_opt_outs(
    participants: Participants, link: Link, bound: BoundMapping
) -> list[FieldProblem]:
    """Return a problem for each opt-out that cannot be read in a record that takes no part.

    It may have been ticked between the last run and the end of the record, and only a person can
    find that out. It holds up no other record.
    """
    if not _can_receive(participants, link):
        return []
    known = leaving_records(link)
    last = [it for it in link.salesforce if it.unreadable and it.id not in known]
    return [
        problem
        for pair in bound.pairs
        if pair.is_opt_out and not (link.plezi is not None and _is_ticked_opt_out(pair, link.plezi))
        for record in last
        if not _takes_part(record, pair, participants.members)
        and pair.pair.direction.can_send(record.side)
        and record.kind in pair.fields
        and (_has_met(pair, record, link) or record.participates)
        and not _is_continued(pair, record, participants.members)
        for problem in find_unreadable(pair, [record])
    ]


def _last_edits(
    record: Observation, link: Link, bound: BoundMapping, members: tuple[Participant, ...]
) -> set[str]:
    """Return the keys of the pairs whose value was typed since the last agreement, and is sent."""
    is_converted = record.converted and not record.deleted
    return {
        pair.key
        for pair in bound.pairs
        if record.kind in pair.fields
        and not pair.fields[RecordKind.LEAD].unique
        and pair.key != EMAIL_PAIR.key
        and pair.pair.direction.can_send(record.side)
        and (is_converted or _is_ticked_opt_out(pair, record))
        and _is_edited(pair, record, link)
        and not _is_continued(pair, record, members)
    }


def _takes_part(record: Observation, pair: BoundPair, members: Sequence[Participant]) -> bool:
    """Whether a record takes part in a pair; one that has left does in its last edits only."""
    return any(it.record_id == record.id and it.takes_part_in(pair.key) for it in members)


def _is_continued(pair: BoundPair, record: Observation, members: Sequence[Participant]) -> bool:
    """Whether a record that takes part has replaced this one, and has its value."""
    return any(
        it.record_id == record.successor != NEW_RECORD
        and continues(pair, record, it.kind, it.observation)
        for it in members
    )


def _fills(pair: BoundPair) -> bool:
    return pair.pair.policy is ConflictPolicy.FILL_BLANK


def _has_value(pair: BoundPair, records: Sequence[Observation]) -> bool:
    """Whether one of some records has a value in the field of a pair."""
    return any(
        not pair.is_blank(record.side, record.values.get(pair.fields[record.kind].name))
        for record in records
        if record.kind in pair.fields
    )


def _is_ticked_opt_out(pair: BoundPair, record: Observation) -> bool:
    """Whether a checkbox with the policy for opt-outs is ticked."""
    value = record.values.get(pair.fields[record.kind].name)
    return pair.is_opt_out and pair.canonical(record.side, value) is True


def _has_met(pair: BoundPair, record: Observation, link: Link) -> bool:
    """Whether a record has agreed on a pair, or a first meeting weighs its value."""
    base = link.base.get(record.id, NO_VALUES)
    is_weighed = bool(base) and pair.base_keys[RecordKind.LEAD] in link.meeting
    return is_weighed or pair.base_keys[record.kind] in base


def _is_edited(pair: BoundPair, record: Observation, link: Link) -> bool:
    """Whether a value differs from the last agreement; a Lead beside the primary one had none."""
    key = pair.base_keys[record.kind]
    base = link.base.get(record.id, NO_VALUES)
    name = pair.fields[record.kind].name
    if name not in record.values:
        return False
    known = next((it for it in (key, f"{OUTDATED}{key}") if it in base), None)
    if known is None:
        return record.participates or _has_met(pair, record, link)
    now, agreed = (pair.canonical(record.side, it) for it in (record.values[name], base[known]))
    return now != agreed
