"""Records that take no part while the others agree on something else: they agreed to what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.mapping import BoundLine
from connector.merge import Voice
from connector.model import Kind, Link, Side, Value


def left_behind(
    line: BoundLine, link: Link, voices: Sequence[Voice], words: Mapping[str, Value]
) -> dict[str, str]:
    """Return the Leads whose agreement on a line ends once `words` are agreed, with their field.

    A Lead in the recycle bin, outside the filter, or beside the survivor still says what it once
    agreed to. If it comes back, that is neither an edit nor what the others say: it joins them, and
    takes their word. What somebody typed in it since it last agreed stays an edit. A converted Lead
    cannot come back (its Contact goes on with what it agreed to), and a Contact is never told.
    """
    field = line.fields[Kind.LEAD]
    agreed = next((it for it in voices if it.side is Side.PLEZI and it.record in words), None)
    if agreed is None or not line.listens(Kind.LEAD):
        return {}
    word = line.canonical(Side.PLEZI, words[agreed.record])
    present = {voice.record for voice in voices}
    left = {}
    for seen in link.salesforce:
        base = link.base.get(seen.id, {})
        if seen.kind is not Kind.LEAD or seen.converted or seen.id in present:
            continue
        if field.name not in base:
            continue
        once = line.canonical(Side.SALESFORCE, base[field.name])
        says = line.canonical(Side.SALESFORCE, seen.values.get(field.name, base[field.name]))
        if word != once == says:
            left[seen.id] = field.name
    return left


def leave(base: dict[str, dict[str, Value]], left: Mapping[str, str]) -> None:
    """Take out of a base what the records left behind once agreed to."""
    for record, field in left.items():
        base.get(record, {}).pop(field, None)
