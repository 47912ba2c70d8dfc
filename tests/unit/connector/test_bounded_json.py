"""JSON from outside is bounded before it is parsed."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.bounded_json import JsonBounds, JsonBoundsError, load_json

BOUNDS = JsonBounds(characters=1_000, depth=3, keys=4, digits=20)
WIDE = JsonBounds(characters=1_000_000, depth=10, keys=10_000)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[[[]]]]", "3 levels"),
        ('{"a":1,"b":1,"c":1,"d":1,"e":1}', "4 keys"),
        ('[{"a":1},{"a":1},{"a":1},{"a":1},{"a":1}]', "4 keys"),
        ("1" * 21, "20 characters"),
        ("1." + "0" * 30, "20 characters"),
        ("1e" + "9" * 30, "20 characters"),
        (" " * 1_001, "1000 characters"),
    ],
)
def test_a_text_beyond_a_bound_is_refused_with_the_bound(text: str, message: str) -> None:
    with pytest.raises(JsonBoundsError, match=message):
        load_json(text, BOUNDS)


@pytest.mark.parametrize(
    "text", ["[[[1]]]", '{"a":1,"b":1,"c":1,"d":1}', "1" * 20, '"' + "[{:" * 100 + '"']
)
def test_a_text_at_its_bounds_is_read(text: str) -> None:
    assert load_json(text, BOUNDS) == json.loads(text)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "{} {}", None, 7, b"{}"])
def test_what_is_no_json_text_is_a_value_error(text: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        load_json(text, BOUNDS)


@given(VALUES)
def test_every_value_within_the_bounds_is_read_as_json_reads_it(value: object) -> None:
    text = json.dumps(value)
    assert load_json(text, WIDE) == value


@pytest.mark.parametrize(
    "text", ['"' * 500_000, "[" * 500_000, "\\" * 500_000, '{"a":' * 100_000, "9" * 500_000]
)
def test_the_worst_texts_take_a_fraction_of_a_second(text: str) -> None:
    before = time.process_time()
    with pytest.raises(ValueError, match=r".*"):
        load_json(text, WIDE)
    assert time.process_time() - before < 2
