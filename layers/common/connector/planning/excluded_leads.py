"""What is kept of records that take no part, or miss a write, while others agree on a value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.mapping import BoundPair
from connector.mapping.model import EMAIL_PAIR
from connector.mapping.values import Canonical
from connector.model import AgreedValue, Link, Observation, RecordKind, Side, Value, Values
from connector.planning.field_merge import FieldValue, NoBase, has_changed

OUTDATED: Final = "outdated:"
"""The prefix of a base key whose value was agreed before the other records agreed on another."""
UNSEEN: Final = "unseen:"
"""The prefix of a base key in which a Lead has an edit from before the others agreed on another
value: neither was typed by somebody who could see the other."""
SHOWN: Final = "shown:"
"""The prefix of a base key whose value a hold showed of a record that never agreed, until the hold
ended or went on without it: what is typed in the record after that is an edit of this value."""
REACHED: Final = "reached:"
"""The prefix of a base key whose value has reached one system only, in the records that have it:
what is typed in one of them after that is an edit of this value, also against the others."""
FOUND: Final = "found:"
"""The prefix of the base key of the e-mail whose value is the address by which a record was found
that took no part, before the others agreed on another one: it takes theirs when it takes part."""
PREFIXES: Final = (OUTDATED, UNSEEN, SHOWN, REACHED, FOUND)


@dataclass(frozen=True, slots=True)
class ExcludedLeads:
    """The Leads to which the agreed value is not written, by record id.

    `invalidated` holds the base key: its base is outdated. `edited` holds the agreed value as it
    would be written: it becomes the base, so that the Lead's own value stays an edit. `unseen`
    holds the base key of those whose value is another one: it and the agreed one are in conflict;
    the Contacts with an unsent edit are among them.
    `forgotten` holds the base key of those that meet the others again for the first time.
    """

    invalidated: Mapping[str, str] = field(default_factory=dict)
    edited: Mapping[str, Value] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)
    forgotten: Mapping[str, str] = field(default_factory=dict)


def find_excluded_leads(
    pair: BoundPair,
    link: Link,
    values: Sequence[FieldValue],
    agreed_values: Mapping[str, Value],
    *,
    in_doubt: bool = False,
) -> ExcludedLeads:
    """Return the Leads whose base on a pair ends once `agreed_values` (by record id) are agreed.

    A Lead in the recycle bin, outside the filter, or next to the primary Lead still has the value
    of the former agreement. If it comes back, that value is neither an edit nor the current
    agreement: the Lead joins the others and takes their value. A value typed in it since its last
    agreement stays an edit, also if it was cleared, and so does a later value typed over it. A
    converted Lead cannot come back (its Contact continues with the base), and a Contact is never
    written to. `in_doubt`: the result of a write was never known, so the base of such a Lead is
    not known either.

    Of a record that never agreed, and that a hold has shown, what was typed after that is in
    conflict with an agreed value that the hold does not show. A value that has reached one system
    only, in a Lead that takes no part, has reached the other when it is agreed. A blank that nobody
    typed, in records that were created since, ends no agreement of a Lead: it meets them when it
    comes back. In a pair to Plezi only, so does each such Lead when Plezi has a new contact.
    """
    plezi = next((v for v in values if v.side is Side.PLEZI and v.record_id in agreed_values), None)
    if plezi is None:
        return ExcludedLeads()
    name, key = pair.fields[RecordKind.LEAD].name, pair.base_keys[RecordKind.LEAD]
    absent = _absent_leads(link, key, {it.record_id for it in values})
    if not pair.can_receive(RecordKind.LEAD):
        is_new = isinstance(plezi.base, NoBase)
        return ExcludedLeads(forgotten={it.id: key for it in absent if is_new})
    agreed = pair.canonical(Side.PLEZI, agreed_values[plezi.record_id])
    if not in_doubt and not _changes_agreement(pair, plezi, agreed):
        return ExcludedLeads()
    present = {value.record_id for value in values}
    is_new_blank = agreed in (None, False) and not _is_cleared(pair, link, values)
    invalidated: dict[str, str] = {}
    edited: dict[str, Value] = {}
    unseen = _shown_without(pair, link, present, agreed)
    unsent = _unsent_in_contacts(pair, link, present, agreed)
    forgotten = dict(unseen) if is_new_blank else {}
    is_there = pair.convert_or_keep(RecordKind.LEAD, agreed_values[plezi.record_id], Side.PLEZI)
    waiting = _waiting_without(pair, link, present, {agreed})
    edited |= dict.fromkeys(waiting, is_there)
    decided = _waiting_without(pair, link, present, _waiting_values(pair, link, present) - {agreed})
    invalidated |= dict.fromkeys(decided, key)
    for lead in (it for it in absent if it.id not in {*waiting, *decided}):
        base = link.base[lead.id]
        former = pair.canonical(Side.SALESFORCE, base[key])
        if former == agreed and not in_doubt:
            continue
        current = pair.canonical(Side.SALESFORCE, lead.values.get(name, base[key]))
        if is_new_blank and not in_doubt:
            if current == former:
                forgotten[lead.id] = key
        elif in_doubt or current == former:
            invalidated[lead.id] = key
        else:
            edited[lead.id] = is_there
            if current != agreed:
                unseen[lead.id] = key
    return ExcludedLeads(invalidated, edited, unseen | unsent, forgotten)


def _unsent_in_contacts(
    pair: BoundPair, link: Link, present: Collection[str], agreed: Canonical
) -> dict[str, str]:
    """Return the Contacts that take no part and have an unsent edit, with their base key.

    It is in conflict with what the others agree on without it.
    """
    if RecordKind.CONTACT not in pair.fields:
        return {}
    name, key = pair.fields[RecordKind.CONTACT].name, pair.base_keys[RecordKind.CONTACT]
    unsent = {}
    for it in link.salesforce:
        base = link.base.get(it.id, {})
        if it.kind is RecordKind.CONTACT and it.id not in present and key in base:
            value = pair.canonical(it.side, it.values.get(name, base[key]))
            if value not in (agreed, pair.canonical(it.side, base[key])):
                unsent[it.id] = key
    return unsent


def _absent_leads(link: Link, key: str, present: Collection[str]) -> list[Observation]:
    """Return the Leads that take no part and have agreed once; `key` is that of their base."""
    return [
        it
        for it in link.salesforce
        if it.kind is RecordKind.LEAD
        and not it.converted
        and it.id not in present
        and key in link.base.get(it.id, {})
    ]


def _waiting_without(
    pair: BoundPair, link: Link, present: Collection[str], decided: Collection[Canonical]
) -> list[str]:
    """Return the Leads that take no part, and in which a value waits that is decided now.

    The other system has it, or it gave way in another record in which it waited too.
    """
    waiting = _reached_values(pair, link)
    return [it for it in waiting if it not in present and waiting[it] in decided]


def _waiting_values(pair: BoundPair, link: Link, present: Collection[str]) -> set[Canonical]:
    """Return the values that wait for the other system in Leads that take part."""
    waiting = _reached_values(pair, link)
    return {waiting[it] for it in waiting if it in present}


def _reached_values(pair: BoundPair, link: Link) -> dict[str, Canonical]:
    """Return the values that have reached Leads, and not the other system, by record id."""
    key = pair.base_keys[RecordKind.LEAD]
    return {
        it.id: pair.canonical(Side.SALESFORCE, link.base[it.id][f"{REACHED}{key}"])
        for it in link.salesforce
        if it.kind is RecordKind.LEAD
        and (it.id, key) in link.undelivered
        and f"{REACHED}{key}" in link.base.get(it.id, {})
    }


def _shown_without(
    pair: BoundPair, link: Link, present: Collection[str], agreed: Canonical
) -> dict[str, str]:
    """Return the records that never agreed and that a hold has shown, but not with this value.

    They are those that take no part, with their base key. A hold that ended before showed another
    agreement.
    """
    shown = shown_values(pair, link)
    salesforce = {it.id for it in link.salesforce}
    is_shown = agreed in {
        pair.canonical(Side.SALESFORCE if record in salesforce else Side.PLEZI, value)
        for record, value in shown.items()
    }
    found = {}
    for left in link.salesforce:
        if left.converted or left.id in present or left.kind not in pair.fields:
            continue
        key, base = pair.base_keys[left.kind], link.base.get(left.id, {})
        was_shown = not is_shown if left.id in shown else f"{SHOWN}{key}" in base
        if key not in base and was_shown:
            found[left.id] = key
    return found


def shown_values(pair: BoundPair, link: Link) -> Values:
    """Return what the stored hold of a pair shows, by record id; of an e-mail, nothing.

    The hold of another attribute for the same field shows nothing of this pair.
    """
    hold = link.holds.get(pair.key)
    if hold is None or pair.key == EMAIL_PAIR.key or hold.attribute not in ("", pair.pair.plezi):
        return {}
    return hold.values


def note_shown(
    base: dict[str, dict[str, Value]],
    pair: BoundPair,
    link: Link,
    values: Sequence[FieldValue],
) -> bool:
    """Note what the hold of a pair shows of records that never agreed and take no part in it now.

    Returns whether something was noted. `values` are those of the others. If they are blanks that
    nobody typed, such a record fills them when it comes back, as any new one. It is one of
    Salesforce: a contact that was deleted in Plezi never comes back.
    """
    shown = shown_values(pair, link)
    taking_part = {it.record_id for it in values}
    are_blank = bool(values) and all(pair.is_blank(it.side, it.value) for it in values)
    if are_blank and not _is_cleared(pair, link, values):
        return False
    is_noted = False
    for left in link.salesforce if shown else ():
        if (
            left.id in shown
            and left.id not in taking_part
            and left.kind in pair.fields
            and not left.converted
            and (key := pair.base_keys[left.kind]) not in base.get(left.id, {})
        ):
            base.setdefault(left.id, {})[f"{SHOWN}{key}"] = shown[left.id]
            is_noted = True
    return is_noted


def note_found(
    base: dict[str, dict[str, Value]],
    pair: BoundPair,
    link: Link,
    values: Sequence[FieldValue],
    agreed_values: Mapping[str, Value],
) -> None:
    """Note the address by which records were found that take no part, if another one is agreed.

    They never agreed on an e-mail: in a Lead beside the primary one, for example, the address is
    no edit of the one that replaces it.
    """
    plezi = next((it for it in values if it.side is Side.PLEZI), None)
    if pair.key != EMAIL_PAIR.key or plezi is None or isinstance(plezi.base, NoBase):
        return
    former = pair.canonical(Side.PLEZI, plezi.base)
    agreed = pair.canonical(Side.PLEZI, agreed_values.get(plezi.record_id))
    taking_part = {it.record_id for it in values}
    for left in link.salesforce if agreed not in (former, None) else ():
        if left.id in taking_part or left.kind not in pair.fields:
            continue
        key, address = pair.base_keys[left.kind], left.values.get(pair.fields[left.kind].name)
        if pair.canonical(left.side, address) == former and not _has_agreed(base, left.id, key):
            base.setdefault(left.id, {})[f"{FOUND}{key}"] = address


def _has_agreed(base: Mapping[str, Values], record_id: str, key: str) -> bool:
    """Whether a base has an agreement of a record under a base key, also an outdated one."""
    return not {key, f"{OUTDATED}{key}"}.isdisjoint(base.get(record_id, ()))


def note_hidden(
    base: dict[str, dict[str, Value]], pair: BoundPair, link: Link, present: Collection[str]
) -> None:
    """Note that a hold of a pair shows new values, which it has shown beside no absent record.

    What is typed in such a record later is in conflict with them.
    """
    note_unseen(
        base,
        {
            it.id: pair.base_keys[it.kind]
            for it in link.salesforce
            if it.id not in present
            and it.kind in pair.fields
            and pair.base_keys[it.kind] not in base.get(it.id, {})
        },
    )


def _is_cleared(pair: BoundPair, link: Link, values: Sequence[FieldValue]) -> bool:
    """Whether one of some values was cleared: after an agreement, or after a hold showed it."""
    shown = shown_values(pair, link)
    return any(
        has_changed(pair, it) or not pair.is_blank(it.side, shown.get(it.record_id))
        for it in values
    )


def _changes_agreement(pair: BoundPair, plezi: FieldValue, agreed: Canonical) -> bool:
    """Whether the agreed value differs from the former one, which Plezi always received."""
    if isinstance(plezi.base, NoBase):
        return True
    return pair.canonical(Side.PLEZI, plezi.base) != agreed


def outdate_base(base: dict[str, dict[str, Value]], outdated: Mapping[str, str]) -> None:
    """Keep some values (base key by record id) of a base as outdated ones.

    They tell later whether somebody typed in the record since. A value that waited for the other
    system is one of them.
    """
    for record_id, key in outdated.items():
        values = base.get(record_id, {})
        if key not in values and f"{REACHED}{key}" in values:
            values[key] = values.pop(f"{REACHED}{key}")
        if key in values:
            values[f"{OUTDATED}{key}"] = values.pop(key)
            values.pop(f"{UNSEEN}{key}", None)


def outdate_value(
    base: dict[str, dict[str, Value]], record_id: str, key: str, before: Values, name: str
) -> None:
    """Note that a write did not arrive at a record while the others agreed: it takes their value.

    What it had `before` the write is outdated then, an edit that gave way too: what is typed in it
    later is an edit of that. It is noted as an edit, because the journal names it when it is
    written over. `name` is the field of `key`.
    """
    outdate_base(base, {record_id: key})
    if name in before:
        values = base.setdefault(record_id, {})
        agreed = values.get(f"{OUTDATED}{key}", before[name])
        values[f"{OUTDATED}{key}"] = before[name]
        values.pop(f"{SHOWN}{key}", None)
        if agreed != before[name]:
            values[f"{UNSEEN}{key}"] = True


def note_reached(
    base: dict[str, dict[str, Value]], values: Mapping[str, AgreedValue], reached: Collection[str]
) -> None:
    """Note which of the values (by record id) some records have, but not the other system."""
    for record_id in reached:
        key, _, value = values[record_id]
        base.setdefault(record_id, {})[f"{REACHED}{key}"] = value


def invalidate_base(base: dict[str, dict[str, Value]], invalidated: Mapping[str, str]) -> None:
    """Remove the invalidated values (base key by record id) from a base."""
    for record_id, key in invalidated.items():
        for prefix in ("", *PREFIXES):
            base.get(record_id, {}).pop(f"{prefix}{key}", None)


def agree_base(base: dict[str, dict[str, Value]], record_id: str, key: str, value: Value) -> None:
    """Set the agreed value of a record in a base; no value of before is outdated then."""
    values = base.setdefault(record_id, {})
    values[key] = value
    for prefix in PREFIXES:
        values.pop(f"{prefix}{key}", None)


def note_unseen(base: dict[str, dict[str, Value]], unseen: Mapping[str, str]) -> None:
    """Note the records (base key by id) that have an edit which the agreement has not seen."""
    for record_id, key in unseen.items():
        if {key, f"{SHOWN}{key}"} & base.get(record_id, {}).keys():
            base[record_id][f"{UNSEEN}{key}"] = True


def agreed_fields(link: Link, record_id: str) -> int:
    """Return in how many fields a record has agreed, or had agreed before the others did."""
    never_agreed = (UNSEEN, SHOWN, REACHED, FOUND)
    return sum(not key.startswith(never_agreed) for key in link.base.get(record_id, ()))


def pair_key(key: str) -> str:
    """Return a base key without its prefix."""
    return next((key.removeprefix(it) for it in PREFIXES if key.startswith(it)), key)
