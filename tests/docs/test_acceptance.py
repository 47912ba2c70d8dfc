"""The acceptance table has every requirement, and names only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
ROWS = [f"P{number}" for number in range(1, 22)]
BEYOND = [f"B{number}" for number in range(1, 25)]
FOLDERS = "|".join(sorted(it.name for it in TESTS.iterdir() if it.is_dir()))
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w/]+\.py)(?:::(\w+))?`")


def rows(letter: str = "P") -> dict[str, str]:
    lines = (DOCS / "acceptance.md").read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if line.startswith(f"| {letter}")]
    assert len(found) == len({line.split("|")[1] for line in found}), "a row is there twice"
    return {
        line.split("|")[1].strip(): line for line in found if line.split("|")[1].strip() != letter
    }


def missing(line: str) -> list[str]:
    """Return the tests that a row names and that do not exist."""
    absent = []
    for file, name in NAMED.findall(line):
        path = TESTS / file
        if not path.exists() or (name and f"def {name}(" not in path.read_text(encoding="utf-8")):
            absent.append(f"{file}::{name}")
    return absent


def test_the_table_has_every_requirement_once_in_order() -> None:
    assert list(rows()) == ROWS
    assert list(rows("B")) == BEYOND


def test_every_requirement_names_tests_that_exist() -> None:
    for key, line in {**rows(), **rows("B")}.items():
        assert NAMED.findall(line), f"{key} names no test"
        assert missing(line) == []


def test_every_capability_beyond_the_article_says_if_it_is_full_or_partial() -> None:
    for key, line in rows("B").items():
        state = line.split("|")[3].strip()
        assert state in ("full", "partial"), key


def test_the_table_of_people_has_every_class_of_tests() -> None:
    people = (DOCS / "people.md").read_text(encoding="utf-8")
    rows = [row for row in people.splitlines() if row.startswith("|") and " · " in row]
    cases = {row.rsplit("|", 2)[1].strip() for row in rows}
    names = ("people", "conversions_and_merges", "addresses")
    files = (f"component/test_{name}.py" for name in names)
    source = "".join((TESTS / file).read_text(encoding="utf-8") for file in files)
    classes = set(re.findall(r"class Test(\w+):", source))
    assert {case.split(" · ")[0] for case in cases if " · " in case} == classes
