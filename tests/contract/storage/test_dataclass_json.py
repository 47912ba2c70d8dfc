"""Stored dataclasses: named members, without defaults, equal after a round trip."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pytest

from connector.aws.dynamodb.dataclass_json import decode, dumps, encode, loads
from connector.aws.dynamodb.item_size import MAX_ITEM_BYTES
from connector.aws.dynamodb.link_codec import MAX_BODY_BYTES, pack, unpack
from connector.model import (
    AgreedValue,
    BaseUpdate,
    Cursor,
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
    Write,
)


def observation(kind: RecordKind, record: str, **changes: object) -> Observation:
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
        observation(RecordKind.CONTACT, "c1", deleted=True, replaced={"phone": None}),
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
                {
                    "l1": AgreedValue("phone>Phone", "Phone", "2"),
                    "p1": AgreedValue("tags>Tags", "tags", ("a",)),
                },
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
    indexed=frozenset({"p1", "l1", "c1"}),
    primary_lead="l1",
    recent_writes={"Phone": (RecentWrite("l1", "2", 5.0),)},
)


def stored_members(link: Link) -> dict[str, Any]:
    """Return the JSON of a link's body."""
    return dict(json.loads(zlib.decompress(pack(link))))


def test_every_part_of_a_link_is_equal_after_a_round_trip() -> None:
    assert unpack("ana@x.fr", pack(FULL_LINK), revision=5) == FULL_LINK


def test_the_digest_of_a_long_text_is_an_object_with_named_members() -> None:
    seen = observation(RecordKind.PLEZI_CONTACT, "p1", values={"notes": LongText(5_000, "ab")})

    tree = json.loads(dumps(seen))

    assert tree["values"] == {"notes": {"length": 5_000, "sha256": "ab"}}
    assert decode(Observation, tree) == seen


def test_half_of_a_character_is_stored_as_an_escape() -> None:
    seen = observation(RecordKind.PLEZI_CONTACT, "p1", values={"phone": "a\ud800\xe9"})

    text = dumps(seen)

    assert text.encode()
    assert loads(Observation, text) == seen


@pytest.mark.parametrize("text", ["[]", '"a"', "null", "1", '{"values": []}', "[" * 100_000])
def test_a_text_that_describes_no_observation_is_refused(text: str) -> None:
    with pytest.raises((TypeError, KeyError, ValueError)):
        loads(Observation, text)


@pytest.mark.parametrize("tree", ["ab", 1, None, {"a": 1}])
def test_a_list_of_records_is_not_read_from_something_else(tree: object) -> None:
    with pytest.raises(TypeError):
        decode(Link, {"email": "ana@x.fr", "salesforce": tree})


def test_an_empty_link_has_no_members() -> None:
    assert stored_members(Link("ana@x.fr")) == {}
    assert unpack("ana@x.fr", pack(Link("ana@x.fr")), revision=0) == Link("ana@x.fr")


def test_the_body_of_a_link_that_grows_without_bound_when_it_is_read_is_refused() -> None:
    bomb = zlib.compress(b'{"primary_lead":"' + b"x" * 2 * MAX_BODY_BYTES + b'"}')

    assert len(bomb) < MAX_ITEM_BYTES
    with pytest.raises(ValueError, match="too large"):
        unpack("ana@x.fr", bomb, revision=1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        pack(FULL_LINK)[:-8],
        *(
            zlib.compress(text)
            for text in (b"", b"null", b"[]", b"1", b"\xff", b'{"unknown":1}', b'{"plezi":1}')
        ),
    ],
)
def test_a_body_that_no_version_has_stored_raises_what_the_codec_names(body: bytes) -> None:
    expected = (ValueError, TypeError, KeyError, AttributeError, zlib.error)
    with pytest.raises(expected):
        unpack("ana@x.fr", body, revision=1)


def test_members_are_named_and_defaults_are_left_out() -> None:
    members = stored_members(FULL_LINK)

    assert members["plezi"] == {
        "kind": "contact",
        "id": "p1",
        "email": "ana@x.fr",
        "version": "7",
        "modified": "2026-11-24T10:00:00",
        "as_of": 1.5,
        "values": {"phone": "1", "tags": ["a", "b"]},
    }
    assert members["salesforce"][1]["deleted"] is True
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
    text = dumps(AgreedValue("phone>Phone", "Phone", "2"))

    assert json.loads(text) == {"key": "phone>Phone", "field": "Phone", "value": "2"}
    assert loads(AgreedValue, text) == AgreedValue("phone>Phone", "Phone", "2")
