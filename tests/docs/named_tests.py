"""The tests that a page of the documentation names, as `folder/file.py::name`."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"`([a-z0-9_]+/[\w/]+\.py)::(\w+)`")


def named_tests(text: str) -> list[tuple[str, str]]:
    """Return the file, below `tests/`, and the name of each test that a text names."""
    return NAMED.findall(text)


def missing_tests(text: str) -> list[str]:
    """Return the named tests that do not exist."""
    return [
        f"{file}::{name}"
        for file, name in named_tests(text)
        if not re.search(rf"^ *def {name}\(", _source(file), re.MULTILINE)
    ]


def _source(file: str) -> str:
    path = TESTS / file
    return path.read_text(encoding="utf-8") if path.exists() else ""
