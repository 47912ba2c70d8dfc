"""Arbitrary JSON, stored values, schemas, mappings and links, with the inputs that broke code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from connector.mapping import (
    BoundMapping,
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    Field,
    FieldKind,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    ValuePair,
    bind_mapping,
    stored_value,
)
from connector.mapping.values import to_text
from connector.model import (
    NEW_RECORD,
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Intent,
    Link,
    LongText,
    MergeRule,
    Observation,
    Quarantine,
    RecentWrite,
    RecordKind,
    Side,
    Value,
    Write,
)

NASTY_TEXTS = (
    "9" * 30,
    "9" * 400,
    "-" + "9" * 5_000,
    "1e999999",
    "-1e-999999",
    "1e999999999999999999999",
    "0e999999",
    "NaN",
    "sNaN",
    "Infinity",
    "1_000",
    "\u0663\u0664",
    "\xb2",
    "+33 \u0661\u0662",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-23:59",
    "1699-12-31",
    "4001-01-01T00:00:00Z",
    "2026-03-01",
    "2026-03-01T10:00:00.000+0000",
    "2026-W10-1",
    "\ud800",
    "a\udfff@x.fr",
    "\x00",
    "\x00" * 2_000,
    " " * 2_000 + "a",
    "\u0958" * 800,
    "e\u0301" * 600,
    ";" * 2_000,
    "a;b; A",
    "yes",
    "[unknown]",
    "x" * 1_000,
    "x" * 1_001,
)
TEXTS = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=20),
    st.sampled_from(NASTY_TEXTS),
    st.from_regex(r"[-+]?[0-9]{1,40}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,7})?", fullmatch=True),
    st.datetimes().map(str),
    st.dates().map(str),
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.just(5_000).map(lambda digits: 10**digits),  # CPython does not convert it to text
    st.sampled_from([10**30, -(10**400), math.nan, math.inf, -0.0, 1e308, 5e-324]),
)
LISTS = st.one_of(
    st.lists(TEXTS, max_size=4).map(tuple),
    st.sampled_from([("",) * 3_000, ("abc",) * 2_000, ("\ud800", "a")]),
)
LONG_TEXTS = st.builds(
    LongText, st.integers(1_001, 10**9), st.text("0123456789abcdef", min_size=64, max_size=64)
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    TEXTS,
    NUMBERS,
    LISTS,
    LONG_TEXTS,
    st.sampled_from(NASTY_TEXTS).map(stored_value),
)
"""Every value that a side can send or that a link can hold."""
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def objects_like(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """JSON objects that have some of these names, with arbitrary members; or arbitrary JSON."""
    return st.one_of(
        st.dictionaries(st.one_of(st.sampled_from(names), TEXTS), JSON, max_size=len(names)), JSON
    )


OPTIONS = ((), ("a", "B"), ("\ud800", "", "9" * 30))
SIZES = (None, None, 0, 2, 18, -3, 40, 10**30, -(10**30))
PLEZI_NAMES = ("notes", "phone", "score")
SALESFORCE_NAMES = ("Description", "Phone", "score__c")
BASE_KEYS = (
    *map(">".join, zip(PLEZI_NAMES, SALESFORCE_NAMES, strict=True)),
    "phone>Description",  # of a former mapping
)
RECORDS = {
    "p": RecordKind.PLEZI_CONTACT,
    "l1": RecordKind.LEAD,
    "l2": RecordKind.LEAD,
    "c1": RecordKind.CONTACT,
}
IDS = (*RECORDS, NEW_RECORD)
COMMON_VALUES: tuple[Value, ...] = (None, "a", "b", "1", True)
T = TypeVar("T")


def names_of(kind: RecordKind) -> tuple[str, ...]:
    """The names of the fields of a kind of record."""
    return PLEZI_NAMES if kind is RecordKind.PLEZI_CONTACT else SALESFORCE_NAMES


class Arbitrary:
    """Builds arbitrary objects from some values of Hypothesis and a seed.

    To draw each part of a link from Hypothesis takes a hundred times longer.
    """

    def __init__(self, random: Random, values: Sequence[Value]) -> None:
        self._random = random
        self._values = (*values, *COMMON_VALUES, *COMMON_VALUES)

    def one_of(self, choices: Sequence[T]) -> T:
        """Return one of some objects."""
        return self._random.choice(choices)

    def happens(self, probability: float) -> bool:
        """Return whether something is the case."""
        return self._random.random() < probability

    def some(self, choices: Sequence[T]) -> list[T]:
        """Return some of the objects, each at most once."""
        return self._random.sample(choices, self._random.randint(0, len(choices)))

    def field(self, name: str, kind: FieldKind | None = None) -> Field:
        """Return a field of a type, or of any type, as a side may describe it."""
        return Field(
            name,
            kind or self.one_of(tuple(FieldKind)),
            length=self.one_of((None, 0, 5, 255)),
            scale=self.one_of(SIZES),
            precision=self.one_of(SIZES),
            options=self.one_of(OPTIONS),
            restricted=self.happens(0.2),
            required=self.happens(0.2),
            creatable=self.happens(0.9),
            updatable=self.happens(0.9),
            unique=self.happens(0.1),
        )

    def _value_table(self) -> tuple[ValuePair, ...]:
        """Return a table in which each value stands for one other, as a save requires."""
        names = ("a", "b", "yes", "9", "true")
        shift = self.one_of((1, 2))
        return tuple(map(ValuePair, names[shift:], names))

    def bound_mapping(self) -> BoundMapping:
        """Return any mapping, bound to any schemas; pairs that cannot work are suspended."""
        pairs = tuple(
            FieldPair(
                plezi,
                salesforce,
                self.one_of((Direction.BOTH, *Direction)),
                policy=self.one_of(tuple(ConflictPolicy)),
                contact=self.one_of(("", salesforce)),
                placeholder=self.one_of(("", "", "[unknown]", "\xb2", "9" * 30)),
                enforced=self.happens(0.1),
                values=self._value_table() if self.happens(0.25) else (),
            )
            for plezi, salesforce in zip(PLEZI_NAMES, SALESFORCE_NAMES, strict=True)
        )
        condition = Filter(self.one_of(SALESFORCE_NAMES), self.one_of(tuple(Operator)), "a")
        config = MappingConfig(
            1,
            pairs,
            condition if self.happens(0.3) else None,
            duplicates=self.one_of(tuple(DuplicatePolicy)),
            create_lead_beside_contact=self.happens(0.5),
            phone_region=self.one_of(("FR", "US", "XX", "")),
        )
        kinds = [self.one_of((None, *FieldKind)) for _ in pairs]
        schemas = {
            kind: {
                name: self.field(name, of) for name, of in zip(names_of(kind), kinds, strict=True)
            }
            for kind in RecordKind
        }
        return bind_mapping(config, schemas)

    def values_of(self, kind: RecordKind) -> dict[str, Value]:
        """Return the values of a record; sometimes some of its fields were not read."""
        names = names_of(kind) if self.happens(0.8) else self.some(names_of(kind))
        return {name: self.one_of(self._values) for name in names}

    def base_of_record(self) -> dict[str, Value]:
        """Return the agreed values of a record; sometimes also one of a former mapping."""
        return {key: self.one_of(self._values) for key in self.some(BASE_KEYS)}

    def values_by_record(self) -> dict[str, Value]:
        """Return values by record id."""
        return {record_id: self.one_of(self._values) for record_id in self.some(IDS)}

    def observation(self, record_id: str) -> Observation:
        """Return any state of a record."""
        kind = RECORDS[record_id]
        return Observation(
            kind,
            record_id,
            "a@x.fr" if self.happens(0.8) else self.one_of(("b@x.fr", "")),
            version=self.one_of(STAMPS),
            modified=self.one_of(STAMPS),
            as_of=self.one_of((0.0, 1.0, 2.0)),
            values=self.values_of(kind),
            eligible=self.happens(0.9),
            converted=kind is RecordKind.LEAD and self.happens(0.1),
            deleted=self.happens(0.1),
            successor=self.one_of(("l1", "c1")) if self.happens(0.2) else "",
            replaced=self.values_of(kind) if self.happens(0.2) else {},
        )

    def write(self) -> Write:
        """Return a write to a record of a link, or a creation."""
        record_id = self.one_of(IDS)
        kind = RECORDS.get(record_id, RecordKind.LEAD)
        return Write(
            kind,
            record_id,
            "a@x.fr",
            self.values_of(kind),
            self.values_of(kind),
            self.one_of(STAMPS),
        )

    def base_update(self) -> BaseUpdate:
        """Return an agreement that becomes valid with some writes."""
        names = (*PLEZI_NAMES, *SALESFORCE_NAMES)
        return BaseUpdate(
            self.one_of(SALESFORCE_NAMES),
            {
                record_id: AgreedValue(self.one_of(BASE_KEYS), self.one_of(names), value)
                for record_id, value in self.values_by_record().items()
            },
            frozenset(self.some(IDS)),
            self.one_of(tuple(MergeRule)),
            {record_id: self.one_of(names) for record_id in self.some(IDS)[:2]},
        )

    def intent(self) -> Intent:
        """Return an intent whose parts do not fit to each other."""
        return Intent(
            "i",
            "r",
            1.0,
            tuple(self.write() for _ in range(self._random.randint(0, 3))),
            tuple(self.base_update() for _ in range(self._random.randint(0, 3))),
            in_doubt=self.happens(0.5),
        )

    def hold(self) -> Hold:
        """Return a hold with any values."""
        return Hold(
            self.one_of(tuple(HoldReason)),
            1.0,
            self.values_by_record(),
            self.one_of(("", *RECORDS)),
        )

    def recent_write(self) -> RecentWrite:
        """Return a write of the last day, or of another one."""
        text = to_text(stored_value(self.one_of(self._values)))
        return RecentWrite(self.one_of(IDS), text, self.one_of((0.0, 1.0, 1e9)))

    def link(self, *, with_intent: bool = False) -> Link:
        """Return a link with any records, bases, holds and intents; nothing fits to anything."""
        known = [it for it in RECORDS if self.happens(0.9 if it in ("p", "l1") else 0.3)]
        seen = [self.observation(record_id) for record_id in known]
        return Link(
            "a@x.fr",
            plezi=next((it for it in seen if it.id == "p"), None),
            salesforce=tuple(it for it in seen if it.id != "p"),
            base={
                record_id: values
                for record_id in RECORDS
                if self.happens(0.6) and (values := self.base_of_record())
            },
            holds={name: self.hold() for name in SALESFORCE_NAMES if self.happens(0.15)},
            intent=self.intent() if with_intent else None,
            quarantine=Quarantine(Side.PLEZI, "C", "r", ("f",), 1.0) if self.happens(0.2) else None,
            primary_lead="l2" if self.happens(0.2) else "",
            recent_writes={
                name: tuple(self.recent_write() for _ in range(3))
                for name in SALESFORCE_NAMES
                if self.happens(0.2)
            },
        )


STAMPS = ("", "1", "2", "3")


def arbitrary() -> st.SearchStrategy[Arbitrary]:
    """A builder with six values of Hypothesis and a seed."""
    return st.builds(
        Arbitrary,
        st.integers(0, 2**32).map(Random),
        st.lists(VALUES, min_size=6, max_size=6),
    )
