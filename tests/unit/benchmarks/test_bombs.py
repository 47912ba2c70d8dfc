"""Every bomb is read within 512 MB; the seconds are measured by `python -m benchmarks.bombs`."""

from __future__ import annotations

import pytest

from benchmarks.bombs import (
    API_BOMBS,
    FILE_BOMBS,
    FORM_BOMBS,
    LIMIT_MEGABYTES,
    READERS,
    explode_apart,
)

READ: frozenset[tuple[str, str]] = frozenset({("mapping file", "many anchors")})
"""Bombs that are harmless YAML. All others are refused."""


def test_every_bomb_is_as_large_as_its_reader_allows() -> None:
    for bombs in (FORM_BOMBS, FILE_BOMBS, API_BOMBS):
        assert max(map(len, bombs.values())) > 50_000


@pytest.mark.parametrize("reader", READERS)
def test_the_bombs_are_refused_within_the_memory_of_a_small_function(reader: str) -> None:
    found = explode_apart(reader)
    assert [each.bomb for each in found] == list(READERS[reader][1])
    for each in found:
        assert (each.answer == "read") == ((reader, each.bomb) in READ), each
        assert each.megabytes < LIMIT_MEGABYTES
