"""What the model's two sides hold, and a link in a form that can be compared and hashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from connector.ledger.codec import to_attributes
from connector.mapping import (
    BoundLine,
    BoundMapping,
    Direction,
    Duplicates,
    Field,
    FieldKind,
    FieldMapping,
    Line,
    Policy,
)
from connector.model import Kind, Link, Observation, Side, Value

EMAIL = "ana@example.com"
PLEZI_FIELD = "phone"
LEAD_FIELD = "Phone"
URL = "https://app.plezi.co/contacts/p"
URL_FIELD = "plezi_url__c"


class Record(NamedTuple):
    """One record as its side holds it; `stamp` orders what people did on both sides."""

    kind: Kind
    id: str
    value: Value
    version: int = 0
    stamp: int = 0
    url: bool = False
    deleted: bool = False
    converted: bool = False
    eligible: bool = True

    @property
    def side(self) -> Side:
        return self.kind.side

    @property
    def takes_part(self) -> bool:
        return self.eligible and not (self.deleted or self.converted)

    def observed(self) -> Observation:
        """Return what an adapter would say of it."""
        if self.kind is Kind.PLEZI_CONTACT:
            values: dict[str, Value] = {PLEZI_FIELD: self.value, "url": URL}
        else:
            values = {LEAD_FIELD: self.value}
            if self.kind is Kind.LEAD:
                values[URL_FIELD] = URL if self.url else None
        return Observation(
            self.kind,
            self.id,
            EMAIL,
            version=f"{self.version:02d}",
            modified=f"{self.stamp:02d}",
            as_of=0.0,
            values=values if self.eligible else {},
            eligible=self.eligible,
            converted=self.converted,
            deleted=self.deleted,
        )


@cache
def bound(policy: Policy, duplicates: Duplicates, *, with_url: bool) -> BoundMapping:
    """Return the mapping of the model: one two-way field and, where records are made, the url."""
    phone = Line(PLEZI_FIELD, LEAD_FIELD, Direction.BOTH, contact=LEAD_FIELD, policy=policy)
    lines = [
        BoundLine(
            phone,
            {
                Kind.PLEZI_CONTACT: Field(PLEZI_FIELD, FieldKind.TEXT),
                Kind.LEAD: Field(LEAD_FIELD, FieldKind.TEXT),
                Kind.CONTACT: Field(LEAD_FIELD, FieldKind.TEXT),
            },
        )
    ]
    if with_url:
        url = Line("url", URL_FIELD, Direction.TO_SALESFORCE, locked=True, enforced=True)
        lines.append(
            BoundLine(
                url,
                {
                    Kind.PLEZI_CONTACT: Field("url", FieldKind.TEXT, updatable=False),
                    Kind.LEAD: Field(URL_FIELD, FieldKind.TEXT, external_id=True, unique=True),
                },
            )
        )
    mapping = FieldMapping(0, tuple(it.line for it in lines), None, duplicates=duplicates)
    return BoundMapping(mapping, tuple(lines), ())


Versions = tuple[tuple[str, int, int], ...]
"""(record, old number, new number) of each version; only what changes."""
Stamps = tuple[tuple[int, int], ...]
WORDS = ("a", "b", "c")
"""What people type, beside nothing at all. No rule tells one word from another."""
Renaming = tuple[tuple[str, str], ...]


class Links:
    """Links by number: equal ones share a number, so that states are small and quick to compare."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._links: list[Link] = []
        self._spoken: list[tuple[tuple[tuple[str, int], ...], tuple[int, ...]]] = []
        self._letters: list[tuple[str, ...]] = []
        self._renamed: dict[tuple[int, Versions, Stamps], int] = {}
        self._reworded: dict[tuple[int, Renaming], int] = {}

    def number(self, link: Link) -> int:
        """Return the number of a link. What was told is left out: the model has no ping-pong."""
        link = replace(link, told={})
        key = (tuple(sorted(to_attributes(link).items())), link.dirty)
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self._links)
            self._links.append(link)
            self._spoken.append(_spoken(link))
            self._letters.append(_letters(link))
        return known

    def link(self, number: int) -> Link:
        """Return the link of a number."""
        return self._links[number]

    def spoken(self, number: int) -> tuple[tuple[tuple[str, int], ...], tuple[int, ...]]:
        """Return each (record, version) and each stamp that a link speaks of."""
        return self._spoken[number]

    def letters(self, number: int) -> tuple[str, ...]:
        """Return the typed words of which a link speaks, each where it first stands."""
        return self._letters[number]

    def renamed(self, number: int, versions: Versions, stamps: Stamps) -> int:
        """Return the same link with other numbers for its versions and stamps."""
        key = (number, versions, stamps)
        known = self._renamed.get(key)
        if known is None:
            known = self._renamed[key] = self.number(_renamed(self._links[number], *key[1:]))
        return known

    def reworded(self, number: int, words: Renaming) -> int:
        """Return the same link with other words in place of those typed."""
        key = (number, words)
        known = self._reworded.get(key)
        if known is None:
            known = self._reworded[key] = self.number(_reworded(self._links[number], dict(words)))
        return known


def _spoken(link: Link) -> tuple[tuple[tuple[str, int], ...], tuple[int, ...]]:
    versions = {(seen.id, int(seen.version)) for seen in link.observations() if seen.version}
    if link.intent is not None:
        versions |= {(it.record, int(it.version)) for it in link.intent.writes if it.version}
    stamps = {int(seen.modified) for seen in link.observations() if seen.modified}
    return tuple(sorted(versions)), tuple(sorted(stamps))


def _renamed(link: Link, versions: Versions, stamps: Stamps) -> Link:
    texts = {(record, f"{old:02d}"): f"{new:02d}" for record, old, new in versions}
    times = {f"{old:02d}": f"{new:02d}" for old, new in stamps}

    def seen(it: Observation) -> Observation:
        return replace(
            it,
            version=texts.get((it.id, it.version), it.version),
            modified=times.get(it.modified, it.modified),
        )

    intent = link.intent
    if intent is not None:
        writes = tuple(
            replace(it, version=texts.get((it.record, it.version), it.version))
            for it in intent.writes
        )
        intent = replace(intent, writes=writes)
    return replace(
        link,
        plezi=seen(link.plezi) if link.plezi is not None else None,
        salesforce=tuple(map(seen, link.salesforce)),
        intent=intent,
    )


def reworded(word: Value, words: Mapping[str, str]) -> Value:
    """Return a typed word's new name; anything else as it is."""
    return words.get(word, word) if isinstance(word, str) else word


def _reworded(link: Link, renaming: Mapping[str, str]) -> Link:
    def words(values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: reworded(value, renaming) for name, value in values.items()}

    def seen(it: Observation) -> Observation:
        return replace(it, values=words(it.values))

    intent = link.intent
    if intent is not None:
        intent = replace(
            intent,
            writes=tuple(
                replace(it, values=words(it.values), before=words(it.before))
                for it in intent.writes
            ),
            settlements=tuple(
                replace(
                    it,
                    words={
                        r: (name, reworded(word, renaming)) for r, (name, word) in it.words.items()
                    },
                )
                for it in intent.settlements
            ),
        )
    return replace(
        link,
        plezi=seen(link.plezi) if link.plezi is not None else None,
        salesforce=tuple(map(seen, link.salesforce)),
        base={record: words(said) for record, said in link.base.items()},
        holds={key: replace(it, words=words(it.words)) for key, it in link.holds.items()},
        intent=intent,
    )


def _letters(link: Link) -> tuple[str, ...]:
    """Return the typed words in an order that does not depend on what the words are."""
    said: list[Value] = []
    for seen in link.observations():
        said += [seen.values[name] for name in sorted(seen.values)]
    for record in sorted(link.base):
        said += [link.base[record][name] for name in sorted(link.base[record])]
    if link.intent is not None:
        for write in sorted(link.intent.writes, key=lambda it: it.record):
            said += [write.values[name] for name in sorted(write.values)]
            said += [write.before[name] for name in sorted(write.before)]
        for settlement in link.intent.settlements:
            said += [settlement.words[record][1] for record in sorted(settlement.words)]
    for key in sorted(link.holds):
        said += [link.holds[key].words[record] for record in sorted(link.holds[key].words)]
    return tuple(dict.fromkeys(str(word) for word in said if word in WORDS))
