"""What a form may say, and how large, deep and odd it may be."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.forms.payload import read_payload
from connector.forms.request import MAX_BODY_BYTES, ContentType, FormRefusedError, parse_request

ID = "5d52c938e317a71d00000001"
PUSHED = {
    "event": "form.submitted",
    "contact": {"id": ID, "email": "Ana@Example.com"},
    "content_web_form_id": "6300000000000000000000aa",
    "occurred_at": "2026-03-03T07:59:58.120Z",
}


def request(body: str, content_type: str = "application/json", **more: Any) -> dict[str, Any]:
    return {"headers": {"Content-Type": content_type}, "body": body, **more}


def refusal(media: ContentType, body: bytes) -> FormRefusedError:
    with pytest.raises(FormRefusedError) as caught:
        read_payload(media, body)
    return caught.value


def is_person_or_refusal(media: ContentType, body: bytes) -> bool:
    try:
        return any(read_payload(media, body))
    except FormRefusedError as error:
        return error.status == 400


@pytest.mark.parametrize(
    ("body", "who"),
    [
        (PUSHED, ("ana@example.com", ID)),
        ({"email": " ZOÉ@example.com "}, ("zoé@example.com", "")),
        ({"contact_id": ID}, ("", ID)),
        ({"id": ID}, ("", ID)),
        ({"id": ID, "contact_id": "abc"}, ("", "abc")),
        ({"email": None, "id": ID}, ("", ID)),
        ({"contact": {"id": ID}, "id": "evt_1"}, ("", ID)),
        ({"contact": "Ms Lopez", "email": "a@b.fr"}, ("a@b.fr", "")),
        ({"contact": None, "email": "a@b.fr"}, ("a@b.fr", "")),
        ({"email": "a@b.fr", "first_name": "Ana", "nested": {"deep": [1]}}, ("a@b.fr", "")),
    ],
)
def test_json_names_a_person_in_any_of_these_ways(
    body: dict[str, Any], who: tuple[str, str]
) -> None:
    assert read_payload(ContentType.JSON, json.dumps(body, ensure_ascii=False).encode()) == who


@pytest.mark.parametrize(
    ("body", "who"),
    [
        (b"email=Ana%40Example.com&first_name=Zo%C3%A9&company=", ("ana@example.com", "")),
        (b"email=a%2Bb%40c.fr&contact_id=5d52", ("a+b@c.fr", "5d52")),
        (b"id=5d52", ("", "5d52")),
    ],
)
def test_so_does_a_form(body: bytes, who: tuple[str, str]) -> None:
    assert read_payload(ContentType.FORM, body) == who


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'"a@b.fr"', "object"),
        (b"{} {}", "JSON"),
        (b'{"email": NaN}', "JSON"),
        (b'{"email": "a@b.fr", "n": Infinity}', "JSON"),
        (b'{"n": ' + b"1" * 5000 + b"}", "a number of more than 64 characters"),
        (b'{"email": "a@b.fr", "email": "c@d.fr"}', "twice"),
        (b'{"contact": {"id": "1", "id": "2"}}', "twice"),
        (b'{"email": "\xff@b.fr"}', "UTF-8"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b"{}", "at least one"),
        (b'{"email": "", "id": ""}', "at least one"),
        (b'{"email": 1}', "email: "),
        (b'{"email": ["a@b.fr"]}', "email: "),
        (b'{"email": "nobody"}', "email: must be one e-mail"),
        (b'{"email": "a@b.fr, c@d.fr"}', "email: must be one e-mail"),
        (b'{"email": "Ana <a@b.fr>"}', "email: must be one e-mail"),
        (b'{"email": "a@b@c.fr"}', "email: must be one e-mail"),
        (b'{"email": "a\\ud800@b.fr"}', "email: must be one e-mail"),
        (b'{"email": "a\\n@b.fr"}', "email: must be one e-mail"),
        (b'{"email": "' + b"a" * 250 + b'@b.fr"}', "email: must be one e-mail"),
        (b'{"contact": {"email": "nobody"}}', "contact.email: must be one e-mail"),
        (b'{"id": 7}', "id: "),
        (b'{"id": "../admin"}', "id: must be the id"),
        (b'{"contact_id": "' + b"a" * 65 + b'"}', "contact_id: must be the id"),
        (b"[" * 11 + b"]" * 11, "levels deep"),
        (b"[" * 60_000, "levels deep"),
        (b'{"a":' * 13_000, "levels deep"),
    ],
)
def test_json_is_refused_with_the_field_and_the_remedy(body: bytes, word: str) -> None:
    error = refusal(ContentType.JSON, body)
    assert error.status == 400
    assert word in str(error)


def test_brackets_inside_texts_are_not_levels() -> None:
    body = json.dumps({"email": "a@b.fr", "text": '[[[[[[[[[[[["{{\\' * 100}).encode()
    assert read_payload(ContentType.JSON, body) == ("a@b.fr", "")


def test_ten_levels_and_two_hundred_keys_are_taken_and_not_one_more() -> None:
    nine: Any = "a"
    for _ in range(9):
        nine = [nine]
    assert read_payload(ContentType.JSON, json.dumps({"id": "a", "deep": nine}).encode())
    keys = {f"k{number}": {"x": 1} for number in range(99)} | {"id": "a", "last": 1}
    assert read_payload(ContentType.JSON, json.dumps(keys).encode())
    assert "200 keys" in str(refusal(ContentType.JSON, json.dumps(keys | {"more": 1}).encode()))
    fields = "&".join(f"k{number}=1" for number in range(199))
    assert read_payload(ContentType.FORM, f"{fields}&id=a".encode())
    assert "200 fields" in str(refusal(ContentType.FORM, f"{fields}&id=a&more=1".encode()))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "at least one"),
        (b"email", "form-encoded"),
        (b"email=%FF%40b.fr", "form-encoded"),
        (b"email=\xff@b.fr", "UTF-8"),
        (b"email=a%40b.fr&email=c%40d.fr", "twice"),
        (b"email=nobody", "email: must be one e-mail"),
    ],
)
def test_a_form_is_refused_alike(body: bytes, word: str) -> None:
    error = refusal(ContentType.FORM, body)
    assert error.status == 400
    assert word in str(error)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/json; charset=latin-1",
    ],
)
def test_another_content_type_is_415(content_type: str) -> None:
    with pytest.raises(FormRefusedError, match="Content-Type: send application/json") as caught:
        parse_request(request("{}", content_type))
    assert caught.value.status == 415


def test_a_missing_content_type_is_415() -> None:
    for event in ({"headers": None, "body": "{}"}, {"headers": {}, "body": "{}"}):
        with pytest.raises(FormRefusedError, match="Content-Type"):
            parse_request(event)


def test_the_charset_may_be_named_and_headers_may_be_in_capitals() -> None:
    event = {"headers": {"CONTENT-TYPE": 'Application/JSON; charset="UTF-8"'}, "body": "{}"}
    assert parse_request(event).media is ContentType.JSON


def test_64_kilobytes_are_taken_and_one_more_byte_is_413() -> None:
    for text, encoded in (
        ("x" * MAX_BODY_BYTES, False),
        (base64.b64encode(b"x" * MAX_BODY_BYTES).decode(), True),
    ):
        assert len(parse_request(request(text, isBase64Encoded=encoded)).body) == MAX_BODY_BYTES
    for text, encoded in (
        ("x" * (MAX_BODY_BYTES + 1), False),
        ("é" * (MAX_BODY_BYTES // 2 + 1), False),
        ("x" * 1_000_000, False),
        (base64.b64encode(b"x" * (MAX_BODY_BYTES + 1)).decode(), True),
        ("A" * 1_000_000, True),
    ):
        with pytest.raises(FormRefusedError, match="65536 bytes") as caught:
            parse_request(request(text, isBase64Encoded=encoded))
        assert caught.value.status == 413


def test_the_bytes_are_those_that_were_sent() -> None:
    raw = b'{"name": "Zo\xc3\xa9 \xff"}'
    encoded = base64.b64encode(raw).decode()
    assert parse_request(request(encoded, isBase64Encoded=True)).body == raw
    assert parse_request(request("Zoé")).body == "Zoé".encode()
    for text, encoded_so in (("*", True), ("é", True), ("\ud800", False)):
        with pytest.raises(FormRefusedError) as caught:
            parse_request(request(text, isBase64Encoded=encoded_so))
        assert caught.value.status == 400


@given(st.binary(max_size=2000), st.sampled_from(ContentType))
def test_any_bytes_are_a_person_or_a_refusal(body: bytes, media: ContentType) -> None:
    assert is_person_or_refusal(media, body)


@given(
    st.recursive(
        st.text() | st.none() | st.booleans() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["email", "id", "contact", "x"]), inner)
        ),
    )
)
def test_any_json_is_a_person_or_a_refusal(value: object) -> None:
    assert is_person_or_refusal(ContentType.JSON, json.dumps(value).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MAX_BODY_BYTES,
        b'{"a":' * (MAX_BODY_BYTES // 5),
        b'"' + b'\\"' * (MAX_BODY_BYTES // 2 - 1),
        b'{"id":"a","x":"' + b"\\" * (MAX_BODY_BYTES - 20),
        b"{" + b",".join(b'"%d":0' % number for number in range(8000)) + b"}",
        b'{"email":"' + b"@" * (MAX_BODY_BYTES - 20) + b'"}',
        b'{"email":"' + b"a" * (MAX_BODY_BYTES - 20) + b'"}',
    ],
)
def test_the_worst_bodies_are_refused(body: bytes) -> None:
    assert refusal(ContentType.JSON, body)
