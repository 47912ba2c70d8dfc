"""What counts as agreed, told apart from what the connector keeps as its base.

This is the model's own judgement, by which the connector's is judged: it looks at what a run was
shown and what it has told, never at the base.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.mapping import BoundMapping
from connector.model import (
    NEW_RECORD,
    BaseUpdate,
    Intent,
    Link,
    Observation,
    RecordKind,
    Value,
    Write,
)
from connector.planning.participants import select_participants
from connector.planning.plan import Plan
from tests.simulation.protocol.records import URL_FIELD, value_field
from tests.simulation.protocol.system_states import UNHEARD, SystemState

Words = Mapping[str, Value]


def told(intent: Intent, write: Write) -> Words:
    """What the records say whose word a write has carried over, and what the target says now."""
    return {
        record: word
        for it in intent.base_updates
        if it.pair != URL_FIELD and write.record_id in it.required_writes
        for record, (_, word) in it.values.items()
        if record == write.record_id or record not in it.required_writes
    }


def said_by(link: Link, bound: BoundMapping) -> Words:
    """What each record that takes part was read to say."""
    company = [
        it.observation
        for it in select_participants(link, bound.config).members
        if it.observation is not None
    ]
    return {it.id: it.values.get(value_field(it.kind)) for it in company}


def agreed_by_all(said: Words, link: Link, before: Link) -> Words:
    """What each record says, where all of them were read to say the same.

    With them, a Lead that is deleted just now and was read to say so too. Some of it may have been
    read earlier: that on which the unfinished intent of the link `before` rested.
    """
    words = said if len(set(said.values())) == 1 and len(said) > 1 else {}
    if words:
        word = next(iter(words.values()))
        words = dict(words) | {
            it.id: word
            for it in link.salesforce
            if it.kind is RecordKind.LEAD
            and it.deleted
            and it.values.get(value_field(it.kind)) == word
        }
    if before.intent is None:
        return words
    delivered: dict[str, Value] = {}
    for settlement in before.intent.base_updates:
        if settlement.pair != URL_FIELD:
            delivered |= _delivered(before.intent, settlement, link)
    return {**delivered, **words}


def agreed_beside(said: Words, link: Link) -> tuple[Words, Words]:
    """What those say who are told, where they were read to say the same; and what others say.

    A Contact beside a Lead is never told. As long as it has typed nothing, the others may agree on
    something else.
    """
    never = {it.id for it in link.observations() if it.kind is RecordKind.CONTACT}
    told_ones = {record: word for record, word in said.items() if record not in never}
    beside = {record: word for record, word in said.items() if record in never}
    agree = len(told_ones) > 1 and len(set(told_ones.values())) == 1
    return (told_ones, beside) if agree and beside else ({}, {})


def _delivered(intent: Intent, settlement: BaseUpdate, link: Link) -> Words:
    """What an unfinished intent has agreed, as far as its targets are read to say what was meant.

    A target that says so counts as told, and with it whoever was to be told to it: nobody can tell
    our write from a person who typed exactly the same. Only a write of which nobody knows is still
    among the intent's. One that was answered is known: what was refused agreed nothing, also where
    somebody has typed the same since.
    """
    now = {it.id: it.values.get(value_field(it.kind)) for it in link.observations()}
    side = next((it.side for it in intent.writes if it.is_create), None)
    made = next((it.id for it in link.observations() if it.side is side), NEW_RECORD)
    # Whoever stands there now is taken for the one created.
    known = {it.record_id: made if it.is_create else it.record_id for it in intent.writes}
    meant = {record: word for record, (_, word) in settlement.values.items()}
    done = {
        record
        for record in settlement.required_writes & known.keys()
        if known[record] in now and now[known[record]] == meant[record]
    }
    if not done:
        return {}
    return {
        known.get(record, record): word
        for record, word in meant.items()
        if record in done or record not in settlement.required_writes
    }


def said_across(said: Words, link: Link) -> Words:
    """What each record says where some record of the other side was read to say the same."""
    sides = {(it.side, said[it.id]) for it in link.observations() if it.id in said}
    return {
        it.id: said[it.id]
        for it in link.observations()
        if it.id in said and (it.side.other, said[it.id]) in sides
    }


def unopposed(planned: Plan, world: SystemState) -> str:
    """Return what is wrong where an edit gives way although nobody else has typed; '' if nothing.

    A loser named in the journal is not lost without a trace; but only another edit may win over it.
    One that never agreed joins, and may always lose. Several Leads are left out: where only some of
    them took a write, they meet anew, and the word of one that nobody edited may win.
    """
    seen = {
        it.record_id: it.observation
        for it in planned.participants.members
        if it.observation is not None
    }
    leads = sum(it.kind is RecordKind.LEAD for it in planned.link.salesforce)
    if leads > 1 or len(seen) > 2:  # one on each side
        return ""
    kept = {it.id: mark.kept for it, mark in zip(world.records, world.marks, strict=True)}
    for lost in planned.overwritten:
        if lost.pair == URL_FIELD or kept[lost.record_id] in (UNHEARD, lost.value):
            continue
        others = [it for it in seen.values() if it.id != lost.record_id]
        if not any(_is_edited(it, kept[it.id], planned.link) for it in others):
            return f"{lost.value!r} ({lost.record_id}) gives way, and nobody else has typed"
    return ""


def _is_edited(it: Observation, kept: Value, link: Link) -> bool:
    """Whether a record says another word than it agreed to, or than the ledger holds it to.

    The second is for a Contact that was read beside its Lead, just before the Lead was converted.
    """
    name = value_field(it.kind)
    word = it.values.get(name)
    return word != kept or word != link.base.get(it.id, {}).get(name, word)
