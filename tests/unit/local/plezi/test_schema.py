"""Attributes: stored values are stable, and texts are converted to values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.plezi_tenant.schema import Attribute, AttributeType, Option, Schema

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
OPTIONS = (Option("smb", "SMB"), Option("mid", "Mid"))


@given(kind=st.sampled_from(AttributeType), value=JSON_VALUES)
def test_an_accepted_value_is_accepted_again_unchanged(kind: AttributeType, value: object) -> None:
    attribute = Attribute("x", "X", kind, OPTIONS)
    try:
        accepted = attribute.accept(value)
    except ValueError:
        return
    assert attribute.accept(accepted) == accepted
    json.dumps(accepted, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (AttributeType.NUMBER, "12", 12),
        (AttributeType.NUMBER, "12.5", 12.5),
        (AttributeType.CHECKBOX, "1", True),
        (AttributeType.CHECKBOX, "false", False),
        (AttributeType.MULTI_LIST, "mid, smb,mid", ["mid", "smb"]),
        (AttributeType.MULTI_LIST, "", []),
        (AttributeType.LIST, "smb", "smb"),
        (AttributeType.TEXT, "12", "12"),
    ],
)
def test_a_text_is_converted_to_its_value(kind: AttributeType, text: str, value: object) -> None:
    assert Attribute("x", "X", kind, OPTIONS).accept_text(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (AttributeType.NUMBER, "nan"),
        (AttributeType.NUMBER, "twelve"),
        (AttributeType.CHECKBOX, "yes"),
        (AttributeType.LIST, "SMB"),
        (AttributeType.MULTI_LIST, "smb;mid"),
    ],
)
def test_a_text_without_a_valid_value_is_refused(kind: AttributeType, text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|option"):
        Attribute("x", "X", kind, OPTIONS).accept_text(text)


def test_system_attributes_cannot_be_changed() -> None:
    schema = Schema()
    with pytest.raises(ValueError, match="system attribute"):
        schema.add(Attribute("email", "Mine"))
    with pytest.raises(ValueError, match="not a custom attribute"):
        schema.remove("email")
