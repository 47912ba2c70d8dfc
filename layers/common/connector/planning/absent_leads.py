"""Records that take no part while the others agree on something else: they agreed to what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.mapping import BoundPair
from connector.mapping.values import Canonical
from connector.model import Link, RecordKind, Side, Value
from connector.planning.field_merge import FieldValue, NoBase


@dataclass(frozen=True, slots=True)
class AbsentLeads:
    """The Leads that are not told what the others agree on, by record.

    `left`: their field; what they once agreed to is no agreement from then on. `edited`: what they
    would have been told; what they say instead stays an edit of that.
    """

    invalidated: Mapping[str, str] = field(default_factory=dict)
    edited: Mapping[str, Value] = field(default_factory=dict)


def find_absent_leads(
    line: BoundPair,
    link: Link,
    voices: Sequence[FieldValue],
    words: Mapping[str, Value],
    *,
    in_doubt: bool = False,
) -> AbsentLeads:
    """Return the Leads whose agreement on a line ends once `values` are agreed.

    A Lead in the recycle bin, outside the filter, or beside the survivor still says what it once
    agreed to. If it comes back, that is neither an edit nor what the others say: it joins them, and
    takes their word. What somebody typed in it since it last agreed stays an edit, a clearing too,
    and so does what is typed over that. A converted Lead cannot come back (its Contact goes on with
    what it agreed to), and a Contact is never told. `in_doubt`: whether a write arrived was never
    known, so that nobody knows what a Lead agreed to that is not there to say it.
    """
    agreed = next((it for it in voices if it.side is Side.PLEZI and it.record_id in words), None)
    if agreed is None or not line.can_receive(RecordKind.LEAD):
        return AbsentLeads()
    name = line.fields[RecordKind.LEAD].name
    word = line.canonical(Side.PLEZI, words[agreed.record_id])
    if not in_doubt and not _changes_agreement(line, agreed, word):
        return AbsentLeads()
    present = {voice.record_id for voice in voices}
    left: dict[str, str] = {}
    edited: dict[str, Value] = {}
    for seen in link.salesforce:
        base = link.base.get(seen.id, {})
        if (
            seen.kind is not RecordKind.LEAD
            or seen.converted
            or seen.id in present
            or name not in base
        ):
            continue
        once = line.canonical(Side.SALESFORCE, base[name])
        if once == word and not in_doubt:
            continue
        if in_doubt or line.canonical(Side.SALESFORCE, seen.values.get(name, base[name])) == once:
            left[seen.id] = name
        else:
            edited[seen.id] = line.convert(RecordKind.LEAD, words[agreed.record_id])
    return AbsentLeads(left, edited)


def _changes_agreement(line: BoundPair, plezi: FieldValue, word: Canonical) -> bool:
    """Whether what is agreed is not what had been agreed before, which Plezi was always told."""
    if isinstance(plezi.base, NoBase):
        return True
    return line.canonical(Side.PLEZI, plezi.base) != word


def invalidate_base(base: dict[str, dict[str, Value]], left: Mapping[str, str]) -> None:
    """Take out of a base what the records left behind once agreed to."""
    for record, name in left.items():
        base.get(record, {}).pop(name, None)
