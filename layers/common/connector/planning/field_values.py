"""The values of one field pair in the records of a link, each with its base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from connector.mapping import BoundPair
from connector.mapping.model import EMAIL_PAIR
from connector.mapping.suggestions import CUSTOM_SUFFIX
from connector.model import NEW_RECORD, Link, Observation, RecordKind, Value
from connector.planning.excluded_leads import OUTDATED, SHOWN, UNSEEN
from connector.planning.field_merge import FieldValue, NoBase, has_changed
from connector.planning.participating_records import Participant

CONVERSION_TIME: Final = timedelta(seconds=60)
"""How long before its Lead is changed a conversion may create the Contact: both are steps of one
transaction, with the triggers of the org between them."""


def field_values(
    pair: BoundPair, link: Link, participants: Sequence[Participant]
) -> list[FieldValue]:
    """Return the value of one pair in each participant; none if the pair must be left unchanged.

    It is left unchanged while a value is unknown (the field was not read: it is new in the mapping,
    or was hidden for some time), and while a record that should be written to is not writable. A
    decision now would record an agreement on a value that was never written.
    """
    direction = pair.pair.direction
    # Against the last edit of a converted Lead, what was typed in Plezi has its say.
    is_last = any(it.only is not None and it.takes_part_in(pair.key) for it in participants)
    values = []
    for participant in _without_unique_conflicts(pair, participants, link):
        field = pair.fields.get(participant.kind)
        if field is None or not participant.takes_part_in(pair.key):
            continue
        record = participant.observation
        can_receive = participant.can_receive and pair.can_receive(participant.kind)
        if record is not None and field.name not in record.values:
            return []
        if can_receive and not pair.is_writable(participant.kind, create=record is None):
            if record is None:
                continue  # the field is written after the record is created
            return []
        value = None if record is None else record.values[field.name]
        base, waits = _base_value(pair, link, participant)
        values.append(
            FieldValue(
                kind=participant.kind,
                record_id=participant.record_id,
                value=value,
                base=base,
                modified="" if record is None else record.modified,
                created="" if record is None else record.created,
                can_send=(participant.can_send or (is_last and record is not None))
                and direction.can_send(participant.kind.side),
                can_receive=can_receive,
                waits=waits,
                left=participant.only is not None,
            )
        )
    values = _with_outdated_bases(pair, link, values)
    return _with_conflict(pair, link, _with_address(pair, values))


def _with_address(pair: BoundPair, values: list[FieldValue]) -> list[FieldValue]:
    """Return the values; a record that was found by the agreed address takes the next one.

    The address is no edit then, so that one that is typed in the other system replaces it.
    """
    if pair.key != EMAIL_PAIR.key:
        return values
    agreed = {
        pair.canonical(it.side, it.base) for it in values if not isinstance(it.base, NoBase)
    } - {None}
    return [
        replace(it, rejoins=True)
        if isinstance(it.base, NoBase) and pair.canonical(it.side, it.value) in agreed
        else it
        for it in values
    ]


def _with_conflict(pair: BoundPair, link: Link, values: list[FieldValue]) -> list[FieldValue]:
    """Return the values; what was agreed without a Lead's edit counts as an edit against it.

    If it was edited since, the edit stands for it: who typed it could see what it replaces.
    """
    key = pair.base_keys[RecordKind.LEAD]
    unseen = {
        it.record_id
        for it in values
        if not isinstance(it.base, NoBase)
        and {f"{UNSEEN}{key}", f"{OUTDATED}{key}"} & link.base.get(it.record_id, {}).keys()
    }
    if not unseen:
        return values
    agreed = [it for it in values if it.record_id not in unseen and not isinstance(it.base, NoBase)]
    if any(has_changed(pair, it) for it in agreed):
        return values
    waiting = {it.record_id for it in agreed}
    return [replace(it, waits=True) if it.record_id in waiting else it for it in values]


def _with_outdated_bases(pair: BoundPair, link: Link, values: list[FieldValue]) -> list[FieldValue]:
    """Return the values; a Lead with an outdated base takes what the others agreed on, or differs.

    It takes theirs if it still has its value of before. Another value, which is not theirs, was
    typed in it since: an edit of the outdated value. A Lead that never agreed, and that a hold has
    shown, is any other new Lead if it still has the value that was shown.
    """
    key = pair.base_keys[RecordKind.LEAD]
    names = (f"{OUTDATED}{key}", f"{SHOWN}{key}")
    former = {
        it.record_id: name
        for it in values
        for name in names
        if isinstance(it.base, NoBase) and name in link.base.get(it.record_id, {})
    }
    if not former:
        return values
    agreed = {pair.canonical(it.side, it.base) for it in values if not isinstance(it.base, NoBase)}

    def with_former(it: FieldValue) -> FieldValue:
        name = former[it.record_id]
        value, known = pair.canonical(it.side, it.value), link.base[it.record_id][name]
        if value == pair.canonical(it.side, known):
            return replace(it, rejoins=name.startswith(OUTDATED))
        return it if value in agreed else replace(it, base=known)

    return [with_former(it) if it.record_id in former else it for it in values]


def _base_value(
    pair: BoundPair, link: Link, participant: Participant
) -> tuple[Value | NoBase, bool]:
    """Return the base of a record, and whether its value has reached one system only.

    Both are those of a former record that it replaces, if it has no base of its own. The Contact of
    a converted Lead, and the winner of a merge, continue with the base of the record that they
    replace. A Contact into which a Lead was converted, and that was there before, does not.
    """
    key = pair.base_keys[participant.kind]
    base = link.base.get(participant.record_id, {})
    waits = (participant.record_id, key) in link.undelivered
    if key in base:
        return base[key], waits
    for former in link.salesforce if participant.record_id != NEW_RECORD else ():
        if (
            former.successor == participant.record_id
            and not former.is_active
            and continues(pair, former, participant)
        ):
            inherited = link.base.get(former.id, {})
            former_key = pair.base_keys[former.kind]
            if former_key in inherited:
                return inherited[former_key], waits or (former.id, former_key) in link.undelivered
    return NoBase.NO_BASE, waits


def continues(pair: BoundPair, former: Observation, participant: Participant) -> bool:
    """Whether a record has in this pair what the record that it replaced had, or an edit of it.

    It counts as one that has, until its value can be read.
    """
    return (
        {former.kind, participant.kind} <= pair.fields.keys()
        and not _was_there_before(former, participant.observation)
        and not _is_left_out(pair, former, participant)
    )


def _was_there_before(former: Observation, record: Observation | None) -> bool:
    """Whether a Lead was converted into a Contact that existed already.

    Salesforce fills its blank fields only, and leaves its checkboxes as they are: what differs from
    the Lead is what the Contact had before, and no edit. A Contact whose time of creation is not
    known counts as one that the conversion created.
    """
    if record is None or record.kind is not RecordKind.CONTACT or not record.created:
        return False
    if former.kind is not RecordKind.LEAD or not former.modified:
        return False
    created = datetime.fromisoformat(record.created)
    return created + CONVERSION_TIME < datetime.fromisoformat(former.modified)


def _is_left_out(pair: BoundPair, former: Observation, participant: Participant) -> bool:
    """Whether a record is blank because Salesforce did not fill it when it replaced another one.

    A conversion carries custom fields over only where an admin of the org mapped them (Setup: Map
    Lead Fields). A merge by the API or by Apex keeps the blanks of the winner; the page of
    Salesforce for merges fills them unless its user decides otherwise. Such a blank, or an unticked
    checkbox, is no clearing: nobody typed it.
    """
    record = participant.observation
    is_merge = former.kind is participant.kind
    is_conversion = (former.kind, participant.kind) == (RecordKind.LEAD, RecordKind.CONTACT)
    is_custom = any(
        pair.fields[kind].name.endswith(CUSTOM_SUFFIX) for kind in (former.kind, participant.kind)
    )
    name = pair.fields[participant.kind].name
    return (
        record is not None
        and (is_merge or (is_conversion and is_custom))
        and name in record.values
        and pair.is_blank(record.side, record.values[name])
    )


def _without_unique_conflicts(
    pair: BoundPair, participants: Sequence[Participant], link: Link
) -> list[Participant]:
    """Leave out the Leads that may not have the same value, because the field is unique in the org.

    The Lead that has a value keeps it; if no Lead has one, the lowest id gets it. A Lead that takes
    no part (it is converted, or lost its e-mail) keeps its value too, unless it is deleted. A Lead
    of which only the last edits travel takes no part in this pair.
    """
    field = pair.fields[RecordKind.LEAD]
    if not field.unique:
        return list(participants)
    leads = [
        it
        for it in participants
        if it.kind is RecordKind.LEAD and it.observation is not None and it.takes_part_in(pair.key)
    ]
    present = {it.record_id for it in leads}
    if any(
        lead.kind is RecordKind.LEAD
        and lead.id not in present
        and not lead.deleted
        and lead.values.get(field.name)
        for lead in link.salesforce
    ):
        return [it for it in participants if it.kind is not RecordKind.LEAD]
    if len(leads) < 2:  # noqa: PLR2004  # a conflict needs two Leads
        return list(participants)

    def rank(lead: Participant) -> tuple[bool, str]:
        is_blank = lead.observation is None or not lead.observation.values.get(field.name)
        return is_blank, lead.record_id

    keeper = min(leads, key=rank)
    return [it for it in participants if it.kind is not RecordKind.LEAD or it is keeper]
