"""Blocks of the documents that are generated from the code: `make docs` writes, `check` compares.

    python -m tools.generated_blocks write     fill the blocks of README.md and docs/*.md
    python -m tools.generated_blocks check     print what is out of date, exit 1 if anything is

A block begins with `<!-- generated: NAME -->` and ends with `<!-- end -->`; NAME is a key of
`TABLES` of `tools.doc_tables` or of `tools.measurement_tables`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from tools import doc_tables, measurement_tables
from tools.glossary import unknown_places

TABLES: Final[Mapping[str, Callable[[], str]]] = {**doc_tables.TABLES, **measurement_tables.TABLES}
"""The blocks that a document may have, by name."""
ROOT = Path(__file__).resolve().parent.parent

_BEGIN = re.compile(r"^<!-- generated: (?P<name>[a-z-]+) -->$", re.MULTILINE)
_END = "<!-- end -->"


def fill(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Return the text with every block filled.

    Raises a ValueError when a block has no end, and a KeyError when no table has its name.
    """
    filled: list[str] = []
    at = 0
    while begin := _BEGIN.search(text, at):
        end = text.find(_END, begin.end())
        if end < 0 or _BEGIN.search(text, begin.end(), end):
            raise ValueError(f"the block {begin['name']} has no end: {_END}")
        filled += [
            text[at : begin.end()],
            "\n\n",
            tables[begin["name"]]().strip("\n"),
            "\n\n",
            _END,
        ]
        at = end + len(_END)
    return "".join([*filled, text[at:]])


def block_names(text: str) -> list[str]:
    """Return the names of the blocks of a text."""
    return [begin["name"] for begin in _BEGIN.finditer(text)]


def documents(root: Path) -> Iterator[Path]:
    """Yield the documents that may have blocks."""
    yield root / "README.md"
    yield from sorted((root / "docs").glob("*.md"))


def stale(root: Path) -> list[Path]:
    """Return the documents whose blocks are not what the code says."""
    return [path for path in documents(root) if fill(path.read_text(), TABLES) != path.read_text()]


def write(root: Path) -> list[Path]:
    """Fill the blocks of every document; return those that changed."""
    changed = stale(root)
    for path in changed:
        path.write_text(fill(path.read_text(), TABLES))
    return changed


def problems(root: Path) -> list[str]:
    """Return what is wrong with the documents, one sentence each."""
    outdated = [f"{path.relative_to(root)} is out of date: make docs" for path in stale(root)]
    glossary = (root / "docs/glossary.md").read_text()
    return outdated + [
        f"docs/glossary.md: there is no {place}" for place in unknown_places(glossary)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the blocks, or check them; return 1 when the check finds a problem."""
    parser = argparse.ArgumentParser(prog="tools.generated_blocks")
    parser.add_argument("action", choices=["write", "check"])
    if parser.parse_args(arguments).action == "write":
        for path in write(ROOT):
            print(f"wrote {path.relative_to(ROOT)}")
        return 0
    found = problems(ROOT)
    print("\n".join(found) if found else "The documents agree with the code.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
