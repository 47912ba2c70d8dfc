"""Standard Webhooks 1.0.0, bit by bit, and tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import HaltError
from connector.forms.keys import parse_forms_keys
from connector.forms.signature import SignatureHeaders, is_known_token, is_signed
from local.plezi_tenant.webhooks import signature

# The example that the reference libraries of Standard Webhooks publish.
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
AT = 1614265330
CLAIM = SignatureHeaders(
    "msg_p5jXN8AQM9LWM0D4loKWxJek", str(AT), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)
OTHER = "whsec_" + base64.b64encode(b"another key of twenty-four bytes").decode()


def keys(*texts: str) -> tuple[bytes, ...]:
    return parse_forms_keys(json.dumps({"signing_keys": texts}), "forms").signing_keys


def signed(
    body: bytes, key: str = KEY, message: str = "msg_1", at: str = str(AT)
) -> SignatureHeaders:
    return SignatureHeaders(message, at, signature(key, message, at, body))


def test_the_published_example_is_believed() -> None:
    assert is_signed(CLAIM, BODY, keys(KEY), AT)


@pytest.mark.parametrize("away", [-300, -299.5, 0, 299.5, 300])
def test_a_clock_may_be_five_minutes_off_both_ways(away: float) -> None:
    assert is_signed(CLAIM, BODY, keys(KEY), AT + away)


@pytest.mark.parametrize("away", [-1e6, -301, 301, 1e6])
def test_and_not_more(away: float) -> None:
    assert not is_signed(CLAIM, BODY, keys(KEY), AT + away)


def test_either_of_two_live_keys_is_enough() -> None:
    assert is_signed(CLAIM, BODY, keys(OTHER, KEY), AT)
    assert is_signed(CLAIM, BODY, keys(KEY, OTHER), AT)
    assert not is_signed(CLAIM, BODY, keys(OTHER), AT)


def test_the_work_for_a_sender_does_not_depend_on_why_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many digests and comparisons: else the time of a 401 would tell which part is wrong."""
    work: list[str] = []
    for name in ("new", "compare_digest"):
        original = getattr(hmac, name)

        def counted(*arguments: Any, _call: Any = original, _name: str = name) -> Any:
            work.append(_name)
            return _call(*arguments)

        monkeypatch.setattr(hmac, name, counted)
    ours = keys(KEY, OTHER)
    claims = {
        "accepted": CLAIM,
        "wrong signature": replace(CLAIM, signatures="v1,AAAA"),
        "old": replace(CLAIM, timestamp="1"),
        "no time": replace(CLAIM, timestamp="now"),
        "no id": replace(CLAIM, message_id=""),
        "id with a blank": replace(CLAIM, message_id="a b"),
        "surrogate in the id": replace(CLAIM, message_id="\ud800"),
    }
    done = {}
    for name, claim in claims.items():
        work.clear()
        assert is_signed(claim, BODY, ours, AT) == (name == "accepted")
        done[name] = tuple(work)

    assert set(done.values()) == {("new", "compare_digest") * 2}


def test_without_any_key_nobody_is_believed() -> None:
    assert not is_signed(CLAIM, BODY, (), AT)


def test_one_good_signature_among_several_is_enough() -> None:
    among = (
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw== v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= "
    )
    assert is_signed(replace(CLAIM, signatures=among + CLAIM.signatures), BODY, keys(KEY), AT)


@pytest.mark.parametrize(
    "signatures",
    [
        "",
        "v1,",
        "v1",
        CLAIM.signatures[3:],
        CLAIM.signatures[:-1],
        CLAIM.signatures.replace("v1,", "v2,"),
        CLAIM.signatures.replace("v1,", "v1a,"),
        CLAIM.signatures.upper(),
        "v1,\udcff",
        "v1,é",
    ],
)
def test_a_signature_of_another_kind_or_shape_is_none(signatures: str) -> None:
    assert not is_signed(replace(CLAIM, signatures=signatures), BODY, keys(KEY), AT)


@pytest.mark.parametrize(
    "timestamp", ["", "now", "-1614265330", "1614265330.0", "१६१४२६५३३०", "9" * 13]
)
def test_a_timestamp_is_whole_seconds(timestamp: str) -> None:
    claim = signed(BODY, at=timestamp)
    assert not is_signed(claim, BODY, keys(KEY), AT)


@pytest.mark.parametrize("message", ["", "msg 1", "msg_é", "m" * 257])
def test_an_id_is_visible_ascii(message: str) -> None:
    assert not is_signed(signed(BODY, message=message), BODY, keys(KEY), AT)


def test_an_id_cannot_run_into_the_timestamp() -> None:
    """`a.1614265330` with one body would be signed as `a` at 1614265330 with another."""
    body = f"{AT}.{{}}".encode()
    claim = signed(body, message="a", at=str(AT))
    shifted = replace(claim, message_id=f"a.{AT}")
    assert is_signed(claim, body, keys(KEY), AT)
    assert not is_signed(shifted, b"{}", keys(KEY), AT)


@given(st.binary(), st.binary())
def test_no_other_body_fits(body: bytes, other: bytes) -> None:
    assert is_signed(signed(body), other, keys(KEY), AT) == (body == other)


@given(st.text(), st.text(), st.text(), st.binary())
def test_nothing_invented_is_believed_or_breaks(
    message: str, timestamp: str, signatures: str, body: bytes
) -> None:
    assert not is_signed(SignatureHeaders(message, timestamp, signatures), body, keys(KEY), AT)
    assert not is_signed(replace(CLAIM, signatures=signatures), BODY, keys(KEY), AT)


@given(st.integers(0, len(BODY) * 8 - 1))
def test_one_bit_is_enough_to_be_refused(bit: int) -> None:
    altered = bytearray(BODY)
    altered[bit // 8] ^= 1 << bit % 8
    assert not is_signed(CLAIM, bytes(altered), keys(KEY), AT)


def test_only_known_tokens_are_known_and_an_empty_one_never_is() -> None:
    ours = ("t" * 32, "u" * 40)
    assert is_known_token("t" * 32, ours)
    assert is_known_token("u" * 40, ours)
    for token in ("", "t" * 31, "t" * 33, "é" * 32, "\udcff" * 32):
        assert not is_known_token(token, ours)
    assert not is_known_token("t" * 32, ())
    assert not is_known_token("", ("",))


def test_a_key_becomes_the_bytes_that_sign() -> None:
    [key] = keys(KEY)
    digest = hmac.new(key, f"{CLAIM.message_id}.{AT}.".encode() + BODY, hashlib.sha256).digest()
    assert CLAIM.signatures == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("secret", "where"),
    [
        ({"signing_keys": [KEY, OTHER, KEY]}, "signing_keys"),
        ({"signing_keys": [KEY.removeprefix("whsec_")]}, "signing_keys"),
        ({"signing_keys": ["whsec_MfKQ9r8GKYqrTw=="]}, "signing_keys"),
        ({"signing_keys": ["whsec_" + "A" * 88]}, "signing_keys"),
        ({"signing_keys": ["whsec_not base64"]}, "signing_keys"),
        ({"tokens": ["t" * 31]}, "tokens"),
        ({"tokens": ["t" * 32] * 3}, "tokens"),
    ],
)
def test_a_secret_that_is_not_one_is_named_and_not_quoted(
    secret: dict[str, list[str]], where: str
) -> None:
    with pytest.raises(HaltError, match=f"'forms'.*{where}") as caught:
        parse_forms_keys(json.dumps(secret), "forms")
    assert not any(text in str(caught.value) for texts in secret.values() for text in texts)


@pytest.mark.parametrize("text", ["", "[]", "no JSON", '{"signing_keys": "whsec_x"}'])
def test_a_secret_of_another_shape_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(HaltError, match="'forms'"):
        parse_forms_keys(text, "forms")
