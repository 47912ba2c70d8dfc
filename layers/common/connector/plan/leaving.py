"""Records that take no part while the others agree on something else: they agreed to what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.mapping import BoundLine
from connector.mapping.values import Canonical
from connector.merge import Unagreed, Voice
from connector.model import Kind, Link, Side, Value


@dataclass(frozen=True, slots=True)
class Absent:
    """The Leads that are not told what the others agree on, by record.

    `left`: their field; what they once agreed to is no agreement from then on. `edited`: what they
    would have been told; what they say instead stays an edit of that.
    """

    left: Mapping[str, str] = field(default_factory=dict)
    edited: Mapping[str, Value] = field(default_factory=dict)


def absent(
    line: BoundLine,
    link: Link,
    voices: Sequence[Voice],
    words: Mapping[str, Value],
    *,
    in_doubt: bool = False,
) -> Absent:
    """Return the Leads whose agreement on a line ends once `words` are agreed.

    A Lead in the recycle bin, outside the filter, or beside the survivor still says what it once
    agreed to. If it comes back, that is neither an edit nor what the others say: it joins them, and
    takes their word. What somebody typed in it since it last agreed stays an edit, a clearing too,
    and so does what is typed over that. A converted Lead cannot come back (its Contact goes on with
    what it agreed to), and a Contact is never told. `in_doubt`: whether a write arrived was never
    known, so that nobody knows what a Lead agreed to that is not there to say it.
    """
    agreed = next((it for it in voices if it.side is Side.PLEZI and it.record in words), None)
    if agreed is None or not line.listens(Kind.LEAD):
        return Absent()
    name = line.fields[Kind.LEAD].name
    word = line.canonical(Side.PLEZI, words[agreed.record])
    if not in_doubt and not _is_news(line, agreed, word):
        return Absent()
    present = {voice.record for voice in voices}
    left: dict[str, str] = {}
    edited: dict[str, Value] = {}
    for seen in link.salesforce:
        base = link.base.get(seen.id, {})
        if seen.kind is not Kind.LEAD or seen.converted or seen.id in present or name not in base:
            continue
        once = line.canonical(Side.SALESFORCE, base[name])
        if once == word and not in_doubt:
            continue
        if in_doubt or line.canonical(Side.SALESFORCE, seen.values.get(name, base[name])) == once:
            left[seen.id] = name
        else:
            edited[seen.id] = line.say(Kind.LEAD, words[agreed.record])
    return Absent(left, edited)


def _is_news(line: BoundLine, plezi: Voice, word: Canonical) -> bool:
    """Whether what is agreed is not what had been agreed before, which Plezi was always told."""
    if isinstance(plezi.base, Unagreed):
        return True
    return line.canonical(Side.PLEZI, plezi.base) != word


def leave(base: dict[str, dict[str, Value]], left: Mapping[str, str]) -> None:
    """Take out of a base what the records left behind once agreed to."""
    for record, name in left.items():
        base.get(record, {}).pop(name, None)
