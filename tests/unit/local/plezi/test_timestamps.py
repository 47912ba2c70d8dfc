"""Times keep their milliseconds in every time zone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.plezi_tenant.timestamps import format_millis, parse_millis


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_formatted_milliseconds_parse_to_the_same_value(millis: int) -> None:
    assert parse_millis(format_millis(millis)) == millis


@given(st.lists(st.integers(min_value=0, max_value=4_102_444_800_000), min_size=2))
def test_formatted_milliseconds_have_the_order_of_the_numbers(times: list[int]) -> None:
    assert sorted(map(format_millis, times)) == list(map(format_millis, sorted(times)))


def test_the_zone_is_applied_and_a_missing_zone_is_refused() -> None:
    assert format_millis(parse_millis("2026-01-01T00:30:00+01:00")) == "2025-12-31T23:30:00.000Z"
    with pytest.raises(ValueError, match="no zone"):
        parse_millis("2026-01-01T00:30:00")
