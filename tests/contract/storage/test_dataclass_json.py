"""Stored dataclasses: named members, without defaults, equal after a round trip."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import pytest

from connector.aws.dynamodb.dataclass_json import decode, dumps, encode, loads
from connector.aws.dynamodb.link_codec import from_attributes, to_attributes
from connector.model import (
    AgreedValue,
    BaseUpdate,
    Cursor,
    Hold,
    HoldReason,
    Intent,
    Link,
    MergeRule,
    Observation,
    Quarantine,
    RecentWrite,
    RecordKind,
    Side,
    Value,
    Write,
)


def observation(kind: RecordKind, record: str, **changes: Value) -> Observation:
    seen = Observation(
        kind,
        record,
        "ana@x.fr",
        "7",
        "2026-11-24T10:00:00",
        1.5,
        {"phone": "1", "tags": ("a", "b")},
    )
    return replace(seen, **changes)  # type: ignore[arg-type]  # fields of an observation


FULL_LINK = Link(
    "ana@x.fr",
    plezi=observation(RecordKind.PLEZI_CONTACT, "p1"),
    salesforce=(
        observation(RecordKind.LEAD, "l1", eligible=False, converted=True, successor="c1"),
        observation(RecordKind.CONTACT, "c1", deleted=True),
    ),
    base={"p1": {"phone": None, "score": 3, "share": 0.5, "consent": True}},
    intent=Intent(
        "i",
        "r",
        2.5,
        (Write(RecordKind.LEAD, "l1", "ana@x.fr", {"Phone": "2"}, {"Phone": ""}, "7"),),
        (
            BaseUpdate(
                "Phone",
                {"l1": AgreedValue("Phone", "2"), "p1": AgreedValue("tags", ("a",))},
                frozenset({"l1", "p1"}),
                MergeRule.CHANGED,
                {"l2": "Phone"},
            ),
        ),
        in_doubt=True,
    ),
    holds={"Phone": Hold(HoldReason.CONFLICT, 3.0, {"p1": "1", "l1": None}, "p1")},
    quarantine=Quarantine(Side.SALESFORCE, "CODE", "remedy", ("Phone",), 4.0, 2),
    dirty=True,
    revision=5,
    indexed_records=frozenset({"p1", "l1", "c1"}),
    primary_lead="l1",
    recent_writes={"Phone": (RecentWrite("l1", "2", 5.0),)},
)


def test_every_part_of_a_link_is_equal_after_a_round_trip() -> None:
    attributes = to_attributes(FULL_LINK)

    assert from_attributes("ana@x.fr", attributes, dirty=True, revision=5) == FULL_LINK


def test_an_empty_link_has_no_attributes() -> None:
    assert to_attributes(Link("ana@x.fr")) == {}
    assert from_attributes("ana@x.fr", {}, dirty=False, revision=0) == Link("ana@x.fr")


def test_members_are_named_and_defaults_are_left_out() -> None:
    attributes = to_attributes(FULL_LINK)

    assert json.loads(attributes["plezi"]) == {
        "kind": "contact",
        "id": "p1",
        "email": "ana@x.fr",
        "version": "7",
        "modified": "2026-11-24T10:00:00",
        "as_of": 1.5,
        "values": {"phone": "1", "tags": ["a", "b"]},
    }
    assert json.loads(attributes["salesforce"])[1]["deleted"] is True
    assert dumps(Cursor(RecordKind.LEAD, "w")) == '{"kind":"Lead","watermark":"w"}'


def test_a_member_that_is_not_known_is_refused() -> None:
    with pytest.raises(KeyError):
        loads(Cursor, '{"kind":"Lead","pace":3}')


def test_a_value_that_an_enumeration_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="Account"):
        loads(Cursor, '{"kind":"Account"}')


@dataclass(frozen=True)
class Ambiguous:
    value: tuple[str, ...] | frozenset[str] = ()


@dataclass(frozen=True)
class NotSupported:
    value: object = None


@pytest.mark.parametrize("kind", [Ambiguous, NotSupported])
def test_a_type_that_json_cannot_represent_is_a_defect(kind: type) -> None:
    with pytest.raises(TypeError):
        decode(kind, {})


@dataclass(frozen=True)
class WithOptional:
    rule: MergeRule | None = None
    names: MappingProxyType[str, int] = field(default_factory=lambda: MappingProxyType({}))


def test_an_optional_enumeration_is_decoded_to_its_member() -> None:
    assert encode(WithOptional(MergeRule.HELD)) == {"rule": "held"}
    assert decode(WithOptional, {"rule": "held"}).rule is MergeRule.HELD
    assert decode(WithOptional, {"rule": None}).rule is None


def test_a_named_tuple_is_stored_with_the_names_of_its_members() -> None:
    text = dumps(AgreedValue("Phone", "2"))

    assert json.loads(text) == {"field": "Phone", "value": "2"}
    assert loads(AgreedValue, text) == AgreedValue("Phone", "2")
