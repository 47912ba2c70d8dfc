"""The values of one field pair in the records of a link, each with its base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from connector.mapping import BoundPair
from connector.mapping.model import EMAIL_PAIR
from connector.mapping.suggestions import CUSTOM_SUFFIX
from connector.model import NEW_RECORD, Link, Observation, RecordKind, Side, Value
from connector.planning.excluded_leads import FOUND, OUTDATED, PREFIXES, REACHED, SHOWN, UNSEEN
from connector.planning.field_merge import FieldValue, NoBase, has_changed, has_its_own
from connector.planning.participating_records import Participant

CONVERSION_TIME: Final = timedelta(seconds=60)
"""How long before its Lead is changed a conversion may create the Contact: both are steps of one
transaction, with the triggers of the org between them."""


@dataclass(frozen=True, slots=True)
class _KnownValue:
    """What the ledger knows of one field of a record.

    `base` is the agreed value; `waits`: its value has reached one system only. Without a base,
    `former` is what the record agreed on before the others agreed on another value (`is_outdated`;
    the address by which it was found counts too), or what a hold has shown of it. `is_unseen`: what
    the others agreed on was not seen by the user who edited the record, nor the edit by theirs.
    `reached` is a value that the record had together with others of its system when the other
    system refused it. `is_unshown`: all this is of the Lead that a Contact continues, and the
    Contact may have been blank, and has another value now.
    """

    base: Value | NoBase = NoBase.NO_BASE
    waits: bool = False
    former: Value | NoBase = NoBase.NO_BASE
    is_outdated: bool = False
    is_unseen: bool = False
    reached: Value | NoBase = NoBase.NO_BASE
    is_unshown: bool = False

    @property
    def gave_way(self) -> bool:
        """Whether its value is an edit that gave way in a write that did not arrive."""
        return self.is_outdated and self.is_unseen

    @property
    def is_known(self) -> bool:
        """Whether the record agreed once, or was shown by a hold."""
        return not (isinstance(self.base, NoBase) and isinstance(self.former, NoBase))

    @property
    def has_agreed(self) -> bool:
        """Whether the record agreed once, also if that is outdated."""
        return self.is_outdated or not isinstance(self.base, NoBase)


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
    known: dict[str, _KnownValue] = {}
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
        known[participant.record_id] = _known_value(pair, link, participant)
        values.append(
            FieldValue(
                kind=participant.kind,
                record_id=participant.record_id,
                value=value,
                base=known[participant.record_id].base,
                modified="" if record is None else record.modified,
                created="" if record is None else record.created,
                can_send=(participant.can_send or (is_last and record is not None))
                and direction.can_send(participant.kind.side),
                can_receive=can_receive,
                waits=known[participant.record_id].waits,
                undelivered=known[participant.record_id].waits,
                unshown=known[participant.record_id].is_unshown,
                left=participant.only is not None,
                typed=known[participant.record_id].gave_way or _was_typed(pair, link, participant),
                was_shown=_was_shown(pair, link, participant),
                never_shared=_had_its_own(pair, link, participant),
                cleared=_was_cleared(pair, link, participant),
            )
        )
    values = _with_corrections(pair, _with_former_values(pair, values, known), known)
    return _with_conflict(pair, _with_address(pair, values, link.email), known)


def _with_address(pair: BoundPair, values: list[FieldValue], email: str) -> list[FieldValue]:
    """Return the values; a record that was found by the agreed address takes the next one.

    The address is no edit then, so that one that is typed in the other system replaces it. Where
    Plezi has none, the link has the address that was typed last: the contact is created with it.
    """
    if pair.key != EMAIL_PAIR.key:
        return values
    address = {it.record_id: pair.canonical(it.side, it.value) for it in values}
    is_new_in_plezi = all(it.value is None for it in values if it.side is Side.PLEZI)
    if is_new_in_plezi and email in address.values():
        return [
            it
            if address[it.record_id] in (email, None)
            else replace(it, base=NoBase.NO_BASE, rejoins=True)
            for it in values
        ]
    agreed = {
        pair.canonical(it.side, it.base) for it in values if not isinstance(it.base, NoBase)
    } - {None}
    return [
        replace(it, rejoins=True)
        if isinstance(it.base, NoBase) and address[it.record_id] in agreed
        else it
        for it in values
    ]


def _with_conflict(
    pair: BoundPair, values: list[FieldValue], known: Mapping[str, _KnownValue]
) -> list[FieldValue]:
    """Return the values; what was agreed without a record's edit counts as an edit against it.

    If it was edited since, the edit stands for it: who typed it could see what it replaces. What a
    Contact has of its own, and its edit, say nothing of what the others agreed on.
    """
    unseen = {
        it.record_id
        for it in values
        if not isinstance(it.base, NoBase)
        and (known[it.record_id].is_unseen or known[it.record_id].is_outdated)
    }
    if not unseen:
        return values
    agreed = [
        it
        for it in values
        if it.record_id not in unseen
        and not isinstance(it.base, NoBase)
        and not has_its_own(pair, it, values)
    ]
    if any(has_changed(pair, it) for it in agreed):
        return values
    waiting = {it.record_id for it in agreed}
    return [replace(it, waits=True) if it.record_id in waiting else it for it in values]


def _with_former_values(
    pair: BoundPair, values: list[FieldValue], known: Mapping[str, _KnownValue]
) -> list[FieldValue]:
    """Return the values; a record with a former value takes what the others agreed on, or differs.

    It takes theirs if it still has its value of before. Another value, which is not theirs, was
    typed in it since: an edit of the former value. A record that never agreed, and that a hold has
    shown, takes a blank only: what it was cleared of was shown. Where the others never agreed, all
    meet for the first time.
    """
    former: dict[str, Value] = {}
    for it in values:
        before = known[it.record_id].former
        if isinstance(it.base, NoBase) and not isinstance(before, NoBase):
            former[it.record_id] = before
    if not former:
        return values
    others = [
        it for it in values if not isinstance(it.base, NoBase) and not has_its_own(pair, it, values)
    ]
    # Plezi always has what was agreed; the sending side of a one-way pair has values of its own.
    plezi = [it for it in others if it.side is Side.PLEZI]
    if not plezi:  # a Contact is never written to: its blank is not what the others agreed on
        others = [
            it
            for it in others
            if it.kind is not RecordKind.CONTACT
            or isinstance(it.base, NoBase)
            or not pair.is_blank(it.side, it.base)
        ]
    agreed = {
        pair.canonical(it.side, it.base)
        for it in plezi or others
        if not isinstance(it.base, NoBase)
    }
    is_clear = agreed <= {None, False} and not any(has_changed(pair, it) for it in others)
    can_give = any(it.can_send for it in others)

    def with_former(it: FieldValue) -> FieldValue:
        value = pair.canonical(it.side, it.value)
        if value != pair.canonical(it.side, former[it.record_id]):
            return it if value in agreed else replace(it, base=former[it.record_id])
        what = known[it.record_id]
        takes_theirs = what.is_outdated or (is_clear and (it.can_receive or can_give))
        return replace(it, rejoins=bool(agreed) and takes_theirs)

    return [with_former(it) if it.record_id in former else it for it in values]


def _with_corrections(
    pair: BoundPair, values: list[FieldValue], known: Mapping[str, _KnownValue]
) -> list[FieldValue]:
    """Return the values; what a user typed over a value that waits stands for it in all records.

    The value waits for the other system, which refused it. It was written to the record in which it
    was typed over, so that the user could see it.
    """
    reached: dict[str, Value] = {}
    for it in values:
        value = known[it.record_id].reached
        if it.waits and not isinstance(value, NoBase):
            reached[it.record_id] = value
    kept = {
        it.record_id
        for it in values
        if it.record_id in reached
        and pair.canonical(it.side, it.value) == pair.canonical(it.side, reached[it.record_id])
    }
    if not kept or kept == reached.keys():
        return values
    return [
        replace(it, waits=False, base=it.value, rejoins=True)
        if it.record_id in kept
        else replace(it, base=reached[it.record_id])
        if it.record_id in reached
        else it
        for it in values
    ]


def _known_value(pair: BoundPair, link: Link, participant: Participant) -> _KnownValue:
    """Return what is known of a record, or of a former one that it replaces and continues.

    The Contact of a converted Lead, and the winner of a merge, continue with what is known of the
    record that they replace, until something is known of them. A Contact into which a Lead was
    converted, and that was there before, does not. What a hold had shown of a merged record was
    not seen by who typed another value in the winner, maybe before the merge.
    """
    own = _known_of(link, participant.record_id, pair.base_keys[participant.kind])
    if own.has_agreed or participant.record_id == NEW_RECORD:
        return own
    for former in link.salesforce:
        if (
            former.successor == participant.record_id
            and not former.is_active
            and continues(pair, former, participant.kind, participant.observation)
        ):
            inherited = _known_of(link, former.id, pair.base_keys[former.kind])
            if inherited.has_agreed or (inherited.is_known and not own.is_known):
                is_merge = former.kind is participant.kind
                return replace(
                    inherited,
                    waits=own.waits or inherited.waits,
                    is_unseen=inherited.is_unseen or (is_merge and not inherited.has_agreed),
                    is_unshown=_may_have_been_blank(pair, former, participant.observation),
                )
    return own


def _was_shown(pair: BoundPair, link: Link, participant: Participant) -> Value | NoBase:
    """Return what a hold has shown of a record that never agreed and was away.

    Nothing, if it was edited, and the hold has shown other values without it.
    """
    record = participant.observation
    known = _known_of(link, participant.record_id, pair.base_keys[participant.kind])
    if record is None or isinstance(known.former, NoBase) or known.is_outdated:
        return NoBase.NO_BASE
    value = record.values.get(pair.fields[participant.kind].name)
    is_edited = pair.canonical(record.side, value) != pair.canonical(record.side, known.former)
    return NoBase.NO_BASE if is_edited and known.is_unseen else known.former


def _had_its_own(pair: BoundPair, link: Link, participant: Participant) -> bool:
    """Whether a Contact agreed with another value than all other records of then had.

    Some of them may have left since: a contact that was deleted in Plezi, for example.
    """
    base = link.base.get(participant.record_id, {})
    own_key = pair.base_keys[participant.kind]
    if participant.kind is not RecordKind.CONTACT or own_key not in base:
        return False
    sides = {it.id: it.side for it in link.salesforce if it.kind is not RecordKind.CONTACT}
    contacts = link.record_ids - sides.keys() - {link.plezi.id if link.plezi else ""}
    key = pair.base_keys[RecordKind.LEAD]
    others = {
        pair.canonical(sides.get(record, Side.PLEZI), values[key])
        for record, values in link.base.items()
        if record not in contacts and key in values
    }
    return bool(others) and pair.canonical(Side.SALESFORCE, base[own_key]) not in others


def _was_typed(pair: BoundPair, link: Link, participant: Participant) -> bool:
    """Whether a field was edited since its record agreed on it in another pair, and in no other.

    The field was mapped to another attribute then. A value that it agreed on once is no edit.
    """
    record = participant.observation
    base = link.base.get(participant.record_id, {})
    key = pair.base_keys[participant.kind]
    if record is None or not base or key in base:
        return False
    name = pair.fields[participant.kind].name
    agreed = {
        pair.canonical(record.side, value)
        for other, value in base.items()
        if other.endswith(f">{name}") and not other.startswith(PREFIXES)
    }
    return bool(agreed) and pair.canonical(record.side, record.values.get(name)) not in agreed


def _was_cleared(pair: BoundPair, link: Link, participant: Participant) -> bool:
    """Whether a field was cleared, and its record has not agreed on the blank, in any pair."""
    record = participant.observation
    name = pair.fields[participant.kind].name
    if record is None or name not in record.cleared:
        return False
    own_key = pair.base_keys[participant.kind]
    return not any(
        (key == own_key or _is_of_field(key, name, record.side)) and pair.is_blank(record.side, it)
        for key, it in link.base.get(record.id, {}).items()
        if not key.startswith(PREFIXES)
    )


def _is_of_field(key: str, name: str, side: Side) -> bool:
    """Whether a base key is one of a field, in whichever pair."""
    return key.startswith(f"{name}>") if side is Side.PLEZI else key.endswith(f">{name}")


def _known_of(link: Link, record_id: str, key: str) -> _KnownValue:
    """Return what is known of one record; nothing: neither a base nor a former value."""
    base = link.base.get(record_id, {})
    waits = (record_id, key) in link.undelivered
    is_unseen = f"{UNSEEN}{key}" in base
    reached = base.get(f"{REACHED}{key}", NoBase.NO_BASE)
    if key in base:
        return _KnownValue(base[key], waits, is_unseen=is_unseen, reached=reached)
    for name in (f"{OUTDATED}{key}", f"{FOUND}{key}", f"{SHOWN}{key}"):
        if name in base:
            is_outdated = not name.startswith(SHOWN)
            return _KnownValue(NoBase.NO_BASE, waits, base[name], is_outdated, is_unseen, reached)
    return _KnownValue(waits=waits, reached=reached)


def continues(
    pair: BoundPair, former: Observation, kind: RecordKind, record: Observation | None
) -> bool:
    """Whether a record has in this pair what the record that it replaced had, or an edit of it.

    It counts as one that has, until its value can be read (None: it is not read yet).
    """
    return (
        {former.kind, kind} <= pair.fields.keys()
        and not _was_there_before(former, record)
        and not _is_left_out(pair, former, record)
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


def _may_have_been_blank(pair: BoundPair, former: Observation, record: Observation | None) -> bool:
    """Whether a user may have typed in a Contact that a conversion had left blank.

    It has another value than the Lead: typed over the Lead's, or over the blank.
    """
    if record is None or not _is_custom(pair, former, record):
        return False
    name, former_name = pair.fields[record.kind].name, pair.fields[former.kind].name
    return pair.canonical(record.side, record.values.get(name)) != pair.canonical(
        former.side, former.values.get(former_name)
    )


def _is_custom(pair: BoundPair, former: Observation, record: Observation) -> bool:
    """Whether a Lead was converted into a record, and the field is a custom one of either."""
    is_conversion = (former.kind, record.kind) == (RecordKind.LEAD, RecordKind.CONTACT)
    return is_conversion and any(
        pair.fields[kind].name.endswith(CUSTOM_SUFFIX) for kind in (former.kind, record.kind)
    )


def _is_left_out(pair: BoundPair, former: Observation, record: Observation | None) -> bool:
    """Whether a record is blank because Salesforce did not fill it when it replaced another one.

    A conversion carries custom fields over only where an admin of the org mapped them (Setup: Map
    Lead Fields). A merge by the API or by Apex keeps the blanks of the winner; the page of
    Salesforce for merges fills them unless its user decides otherwise. Such a blank, or an unticked
    checkbox, is no clearing: nobody typed it.
    """
    if record is None:
        return False
    is_merge = former.kind is record.kind
    name = pair.fields[record.kind].name
    return (
        (is_merge or _is_custom(pair, former, record))
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
