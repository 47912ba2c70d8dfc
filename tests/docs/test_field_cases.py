"""The table of field cases has every case once, and names only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "field-cases.md"
CASES = [
    *(f"S{number}" for number in range(1, 9)),
    *(f"T{number}" for number in range(1, 9)),
    *(f"B{number}" for number in range(1, 5)),
    *(f"M{number}" for number in range(1, 8)),
    "L12",
    *(f"L{number}" for number in range(1, 16) if number != 12),
]
ROW = re.compile(r"^\| ([A-Z]\d+) \|.*$", re.MULTILINE)
NAMED = re.compile(r"`([a-z]+/[\w/]+\.py)(?:::(\w+))?`")


def rows() -> dict[str, str]:
    return {match[1]: match[0] for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))}


def test_the_table_has_every_case_in_order() -> None:
    assert list(rows()) == CASES


def test_every_case_names_tests_that_exist() -> None:
    for case, row in rows().items():
        named = NAMED.findall(row)
        assert named, f"{case} names no test"
        for file, name in named:
            source = (TESTS / file).read_text(encoding="utf-8")
            assert not name or f"def {name}(" in source, f"{case}: {file}::{name}"
