"""The model's own definition of an agreement, independent of the base in the ledger.

The model checks the connector with it. It uses what a run read and what it wrote, not the base.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.mapping import BoundMapping
from connector.model import (
    NEW_RECORD,
    BaseUpdate,
    Intent,
    Link,
    MergeRule,
    Observation,
    RecordKind,
    Side,
    Value,
    Write,
)
from connector.planning.participating_records import select_participants
from connector.planning.plan import Plan
from tests.simulation.protocol.records import (
    LEAD_FIELD,
    PLEZI_FIELD,
    URL_FIELD,
    base_key,
    value_field,
    value_in,
)
from tests.simulation.protocol.system_states import NEVER_AGREED, SystemState

RecordValues = Mapping[str, Value]
"""Values of the modelled field by record id."""


def agreed_by_write(intent: Intent, write: Write) -> RecordValues:
    """Return the values that agree once a write is done: of its target and of its sources."""
    return {
        record: value
        for update in intent.base_updates
        if update.pair != URL_FIELD and _is_written(update, write)
        for record, (_, _, value) in update.values.items()
        if record == write.record_id or record not in update.required_writes
    }


def lacks_field(intent: Intent, write: Write) -> bool:
    """Whether a write lacks the modelled field that its intent has, because it was refused."""
    return any(
        write.record_id in it.required_writes and not _is_written(it, write)
        for it in intent.base_updates
        if it.pair != URL_FIELD
    )


def _is_written(update: BaseUpdate, write: Write) -> bool:
    """Whether a write is one of a pair, and still has its field."""
    agreed = update.values.get(write.record_id)
    is_required = write.record_id in update.required_writes
    return is_required and agreed is not None and agreed.field in write.values


def observed_values(link: Link, bound: BoundMapping) -> RecordValues:
    """Return the observed value of each record that takes part."""
    observations = [
        it.observation
        for it in select_participants(link, bound.config).members
        if it.observation is not None
    ]
    return {
        it.id: it.values[name]
        for it in observations
        if (name := value_field(it.kind, it.values)) in it.values
    }


def agreed_by_all(observed: RecordValues, link: Link, before: Link) -> RecordValues:
    """Return the value of each record if all of them were observed with the same value.

    A Lead that was just deleted, and was observed with this value, is among them. Some values may
    be older observations: those that the unfinished intent of the link `before` rests on.
    """
    values = observed if len(set(observed.values())) == 1 and len(observed) > 1 else {}
    if values:
        value = next(iter(values.values()))
        values = dict(values) | {
            it.id: value
            for it in link.salesforce
            if it.kind is RecordKind.LEAD and it.deleted and value_in(it.kind, it.values) == value
        }
    if before.intent is None:
        return values
    delivered: dict[str, Value] = {}
    for update in before.intent.base_updates:
        if update.pair != URL_FIELD and _is_of_mapping(update, link):
            delivered |= _delivered(before.intent, update, link)
    return {**delivered, **values}


def agreed_in_other_pair(link: Link, before: Link) -> RecordValues:
    """Return the agreements of an unfinished intent whose pair is pointed elsewhere since.

    Only a write to the field that both pairs have in Salesforce can be seen.
    """
    delivered: dict[str, Value] = {}
    for update in before.intent.base_updates if before.intent is not None else ():
        if update.pair != URL_FIELD and not _is_of_mapping(update, link):
            delivered |= _delivered(before.intent, update, link) if before.intent else {}
    return delivered


def _is_of_mapping(update: BaseUpdate, link: Link) -> bool:
    """Whether a pair has the Plezi attribute that is mapped now; the observations are fresh."""
    contact = link.plezi
    return contact is None or any(
        _attribute(key) in contact.values for key, _, _ in update.values.values()
    )


def _attribute(base_key: str) -> str:
    """Return the Plezi attribute of a base key (`FieldPair.base_key`)."""
    return base_key.partition(">")[0]


def agreed_without_contacts(
    observed: RecordValues, link: Link
) -> tuple[RecordValues, RecordValues]:
    """Return the values of the writable records if they are equal, and those of the Contacts.

    The connector never writes to a Contact. As long as users do not edit it, the other records may
    agree on a different value.
    """
    contacts = {it.id for it in link.observations() if it.kind is RecordKind.CONTACT}
    of_writable = {record: value for record, value in observed.items() if record not in contacts}
    of_contacts = {record: value for record, value in observed.items() if record in contacts}
    agree = len(of_writable) > 1 and len(set(of_writable.values())) == 1
    return (of_writable, of_contacts) if agree and of_contacts else ({}, {})


def _delivered(intent: Intent, update: BaseUpdate, link: Link) -> RecordValues:
    """Return the agreements of an unfinished intent, as far as its targets have their new values.

    A target with the intended value counts as written, and so do the records whose value it takes:
    our write looks like a user's edit with exactly the same value. The intent still contains only
    the writes with an unknown outcome. A rejected write is not among them: it agreed nothing, even
    if a user has typed the same value since.
    """
    current = {
        it.id: value_in(it.kind, it.values)
        for it in link.observations()
        if it.id not in update.values or update.values[it.id].field in it.values
    }
    created_on = next((it.side for it in intent.writes if it.is_create), None)
    # The record that exists now counts as the one that the intent created.
    created = next((it.id for it in link.observations() if it.side is created_on), NEW_RECORD)
    actual = {
        it.record_id: created if it.is_create else it.record_id
        for it in intent.writes
        if _is_written(update, it)
    }
    intended = {record: value for record, (_, _, value) in update.values.items()}
    done = {
        record
        for record in update.required_writes & actual.keys()
        if actual[record] in current and current[actual[record]] == intended[record]
    }
    if not done:
        return {}
    return {
        actual.get(record, record): value
        for record, value in intended.items()
        if record in done or record not in update.required_writes
    }


def is_unproven_creation(link: Link) -> bool:
    """Whether recovery cannot take the Plezi contact for the one that an unfinished intent creates.

    Plezi has no proof of a creation. A contact that has none of the values that the run created it
    with is met for the first time.
    """
    created = (it for it in (link.intent.writes if link.intent else ()) if it.is_create)
    write = next((it for it in created if it.side is Side.PLEZI), None)
    if write is None or link.plezi is None:
        return False
    value = value_in(write.kind, write.values)
    return value is None or value_in(write.kind, link.plezi.values) != value


def unseen_attribute(link: Link) -> str:
    """Return the Plezi attribute of a pair of an unfinished intent that recovery cannot see.

    '' if there is none. The mapping changed, so that the field was not read: the pair meets for the
    first time when it comes back.
    """
    intent = link.intent
    for update in intent.base_updates if intent is not None else ():
        for write in intent.writes if intent is not None else ():
            target = link.observation(write.record_id)
            if target is None or not _is_written(update, write):
                continue
            key, name, _ = update.values[write.record_id]
            if name not in target.values:
                return _attribute(key)
    return ""


def agreed_across_sides(observed: RecordValues, link: Link) -> RecordValues:
    """Return the value of each record that was also observed in a record of the other side."""
    on_sides = {(it.side, observed[it.id]) for it in link.observations() if it.id in observed}
    return {
        it.id: observed[it.id]
        for it in link.observations()
        if it.id in observed and (it.side.other, observed[it.id]) in on_sides
    }


def overwritten_without_conflict(plan: Plan, system: SystemState) -> str:
    """Return the violation if a plan overwrites an edit without a conflicting edit; '' if not.

    A journaled value is not lost, but only another edit may overwrite it. A record that never
    agreed may always be overwritten at its first match. Links with several Leads are not checked:
    if only some of them took a write, they match for the first time again, and the value of an
    unedited Lead may win.
    """
    observations = {
        it.record_id: it.observation
        for it in plan.participants.members
        if it.observation is not None
    }
    leads = sum(it.kind is RecordKind.LEAD for it in plan.link.salesforce)
    if leads > 1 or len(observations) > 2:  # at most one record on each side
        return ""
    agreed = {it.id: mark.agreed for it, mark in zip(system.records, system.marks, strict=True)}
    for value in plan.overwritten:
        if value.pair == URL_FIELD or value.rule is MergeRule.REPEATED:
            continue  # whether anybody typed it is unknown
        if value.rule is MergeRule.CHOSEN:
            continue  # an admin decided: see `unfounded_choice`
        if agreed[value.record_id] in (NEVER_AGREED, value.value):
            continue
        others = [it for it in observations.values() if it.id != value.record_id]
        if not any(_is_edited(it, agreed[it.id], plan.link) for it in others):
            return f"{value.value!r} ({value.record_id}) is overwritten without a conflicting edit"
    return ""


def _is_edited(observation: Observation, agreed: Value, link: Link) -> bool:
    """Whether a value differs from the agreed value, or from the base in the ledger.

    The second is for a Contact that was observed next to its Lead, just before the conversion. What
    differs from the value shown by a hold is an edit too.
    """
    value = value_in(observation.kind, observation.values)
    contact = link.plezi
    attribute = PLEZI_FIELD if contact is None else value_field(contact.kind, contact.values)
    key = base_key(observation.kind, attribute)
    hold = link.holds.get(LEAD_FIELD)
    if hold is not None and hold.values.get(observation.id, value) != value:
        return True
    return value != agreed or value != link.base.get(observation.id, {}).get(key, value)
