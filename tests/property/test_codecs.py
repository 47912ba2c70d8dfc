"""Every decoder accepts every input, or raises the error that it documents."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from connector.aws.dynamodb.dataclass_json import decode, dumps, encode, loads
from connector.aws.dynamodb.journal import _Position as JournalPosition
from connector.aws.dynamodb.link_codec import pack, unpack
from connector.errors import ConnectorError, MappingError, RetryError
from connector.forms.payload import read_payload
from connector.forms.request import ContentType, FormRefusedError, parse_request
from connector.json_object import JsonObjectError, MemberReader, read_json_object
from connector.mapping import FieldPair, MappingConfig, stored_values
from connector.mapping.document import mapping_document, parse_draft, parse_mapping
from connector.model import (
    AuditEntry,
    Cursor,
    JournalEntry,
    Link,
    Observation,
    Quarantine,
    SessionToken,
)
from connector.page_token import decode_page_token, encode_page_token
from connector.plezi.api import _json_object, _to_error
from connector.plezi.api_dialect import PleziDialect, parse_dialect
from connector.plezi.contact_codec import ContactCodec, UnreadableContactError
from connector.plezi.schema import attribute_rows, parse_schema
from tests.property.strategies import (
    JSON,
    TEXTS,
    VALUES,
    Arbitrary,
    arbitrary,
    objects_like,
)


def dumps_any(tree: object) -> bytes:
    """Return JSON in bytes; numbers that Python does not write become null."""
    with suppress(ValueError):
        return json.dumps(tree).encode()
    return b"null"


STORED = (Link, Observation, Quarantine, Cursor, JournalEntry, AuditEntry, SessionToken)
NAMES = ("email", "score", "tags", "url")
ATTRIBUTES = objects_like((*NAMES, "updated_at"))
ROWS = st.one_of(
    JSON,
    st.fixed_dictionaries({"id": JSON, "attributes": ATTRIBUTES}),
    st.fixed_dictionaries({"id": TEXTS, "attributes": ATTRIBUTES}),
)
BYTES = st.one_of(
    st.binary(max_size=200),
    JSON.map(dumps_any),
    st.sampled_from([b"[" * 3_000, b'{"a":' * 3_000, b"1" * 5_000, b'{"a": NaN}', b"1e999"]),
)


@given(arbitrary())
def test_a_link_is_equal_after_it_is_stored(build: Arbitrary) -> None:
    link = build.link(with_intent=True)
    link = decode(Link, json.loads(dumps(as_stored(link))))

    body = pack(link)

    read = unpack(link.email, body, revision=link.revision)

    assert pack(read) == body


def as_stored(node: Any) -> Any:
    """Replace each value of a dataclass tree by its stored form."""
    match node:
        case int() if not isinstance(node, bool):
            return stored_values({"": node})[""]
        case dict():
            return {name: as_stored(member) for name, member in node.items()}
        case tuple() if hasattr(node, "_fields"):
            return type(node)(*map(as_stored, node))
        case tuple():
            return tuple(map(as_stored, node))
        case _ if is_dataclass(node) and not isinstance(node, type):
            members = {it.name: as_stored(getattr(node, it.name)) for it in fields(node)}
            return type(node)(**members)
        case _:
            return node


@pytest.mark.parametrize("kind", STORED)
@given(st.data())
def test_a_stored_dataclass_is_decoded_or_refused(kind: type, data: st.DataObject) -> None:
    names = tuple(field.name for field in fields(kind))
    tree = data.draw(objects_like(names))

    with suppress(TypeError, KeyError, ValueError):
        encode(decode(kind, tree))


@given(st.one_of(TEXTS, BYTES.map(lambda body: body.decode(errors="replace"))))
def test_a_stored_text_is_decoded_or_refused(text: str) -> None:
    with suppress(TypeError, KeyError, ValueError):
        loads(Observation, text)


@given(st.lists(ROWS, max_size=4))
def test_every_page_of_plezi_is_decoded(rows: list[object]) -> None:
    codec = ContactCodec(PleziDialect())
    page = codec.decode_page(rows, NAMES, 1.0)

    assert len(page.observations) + len(page.problems) == len(rows)
    for seen in page.observations:
        assert seen.id
        assert isinstance(seen.email.encode(), bytes)
    for row in rows:
        assert codec.stamp(row).isascii()


@given(JSON, TEXTS)
def test_every_search_of_plezi_is_decoded_or_unavailable(rows: object, email: str) -> None:
    with suppress(RetryError):
        ContactCodec(PleziDialect()).decode_one(rows, email, NAMES, 1.0)


@given(ROWS)
def test_every_contact_of_plezi_is_decoded_or_has_a_problem(row: object) -> None:
    with suppress(UnreadableContactError):
        assert ContactCodec(PleziDialect()).decode(row, NAMES, 1.0).id


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_every_stored_values_are_encoded_for_plezi(values: dict[str, Any]) -> None:
    assert ContactCodec(PleziDialect()).encode(values, "1")["data"]["id"] == "1"


@given(BYTES, st.sampled_from([200, 400, 401, 403, 404, 409, 422, 429, 500, 503, 520]), TEXTS)
def test_every_response_of_plezi_is_an_object_or_a_known_error(
    body: bytes, status: int, advice: str
) -> None:
    response = requests.Response()
    response.status_code = status
    response._content = body
    response.headers.update({"Retry-After": advice, "Date": advice})

    with suppress(RetryError):
        assert isinstance(_json_object(response), dict)
    error = _to_error(response)
    assert isinstance(error, ConnectorError)
    if isinstance(error, RetryError):
        assert 0 <= error.after <= 86_400


@given(
    st.one_of(
        JSON,
        st.lists(
            st.fixed_dictionaries(
                {
                    "attributes": objects_like(
                        ("name", "type", "label", "options", "mandatory", "read_only")
                    )
                }
            )
        ),
    )
)
def test_every_list_of_attributes_is_a_schema(rows: object) -> None:
    with suppress(RetryError):
        schema = parse_schema(attribute_rows({"data": rows}), {"tags": "labels"})
        assert all(field.name == name for name, field in schema.items())


@given(TEXTS)
@example("[" * 3_000)
@example("1" * 5_000)
@example('{"a": 1' + "0" * 5_000 + "}")
def test_a_json_object_is_read_or_refused(text: str) -> None:
    with suppress(JsonObjectError):
        read_json_object(text)


@given(objects_like(("a", "b")))
def test_members_of_a_json_object_are_read_or_refused(members: object) -> None:
    reader = MemberReader(members if isinstance(members, dict) else {})
    reader.text("a")
    reader.flag("b", default=True)
    reader.integer("a", 1, range(1, 5))
    reader.texts("b")
    with suppress(JsonObjectError):
        reader.check()


@given(st.one_of(TEXTS, JSON.map(lambda tree: dumps_any(tree).decode())))
def test_a_dialect_is_read_or_refused(text: str) -> None:
    with suppress(ConnectorError):
        parse_dialect(text)


@given(st.sampled_from(ContentType), BYTES)
def test_the_payload_of_a_form_is_read_or_refused(media: ContentType, body: bytes) -> None:
    with suppress(FormRefusedError):
        assert any(read_payload(media, body))


HEADERS = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(["Content-Type", "content-type", "X"]),
        st.one_of(TEXTS, st.sampled_from(["application/json", "application/json; charset=utf-8"])),
    ),
)


@given(
    HEADERS,
    st.one_of(st.none(), TEXTS),
    st.booleans(),
    st.sampled_from([None, {}, {"requestId": "1"}]),
)
def test_a_request_of_api_gateway_is_read_or_refused(
    headers: dict[str, str] | None,
    body: str | None,
    encoded: bool,  # noqa: FBT001  # an example of Hypothesis
    context: dict[str, str] | None,
) -> None:
    with suppress(FormRefusedError):
        parse_request(
            {
                "headers": headers,
                "body": body,
                "isBase64Encoded": encoded,
                "requestContext": context,
            }
        )


@given(TEXTS)
def test_a_page_token_is_decoded_or_refused(text: str) -> None:
    with suppress(ValueError):
        JournalPosition.of(text)
    with suppress(ValueError):
        JournalPosition.of(encode_page_token(text))
    with suppress(ValueError):
        position = decode_page_token(text)
        assert decode_page_token(encode_page_token(position)) == position


@example("[" * 100_000)
@given(st.one_of(TEXTS, BYTES.map(lambda body: body.decode(errors="replace"))))
def test_the_position_of_a_journal_page_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        JournalPosition.of(encode_page_token(text))


PAIRS = objects_like(tuple(field.name for field in fields(FieldPair)))
DOCUMENTS = st.one_of(
    objects_like(tuple(field.name for field in fields(MappingConfig))),
    st.fixed_dictionaries(
        {"version": JSON, "pairs": st.lists(PAIRS, max_size=3)},
        optional={"contact_filter": objects_like(("field", "operator", "value"))},
    ),
)


@given(DOCUMENTS)
def test_the_document_of_a_mapping_is_read_or_refused(document: dict[str, Any]) -> None:
    with suppress(MappingError):
        mapping_document(parse_mapping(document))


@example("[" * 3_000)
@given(st.one_of(TEXTS, DOCUMENTS.map(lambda tree: dumps_any(tree).decode())))
def test_the_text_of_a_draft_is_read_or_refused(text: str) -> None:
    with suppress(MappingError):
        parse_draft(text)
