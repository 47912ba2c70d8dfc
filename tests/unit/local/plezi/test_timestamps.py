"""Instants keep their milliseconds, whatever zone they were said in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.plezi_tenant.timestamps import format_millis, parse_millis


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_a_moment_survives_its_spelling(moment: int) -> None:
    assert parse_millis(format_millis(moment)) == moment


@given(st.lists(st.integers(min_value=0, max_value=4_102_444_800_000), min_size=2))
def test_spelled_moments_sort_as_moments_do(moments: list[int]) -> None:
    assert sorted(map(format_millis, moments)) == list(map(format_millis, sorted(moments)))


def test_a_zone_is_taken_into_account_and_its_absence_refused() -> None:
    assert format_millis(parse_millis("2026-01-01T00:30:00+01:00")) == "2025-12-31T23:30:00.000Z"
    with pytest.raises(ValueError, match="no zone"):
        parse_millis("2026-01-01T00:30:00")
