"""The commands of a page of the documentation, in their order, with the section of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^\s*```(\w*)")


@dataclass(frozen=True)
class PageCommand:
    """One line of a console block; `section` is the number of its section ('' before the first)."""

    section: str
    text: str


def page_commands(page: Path) -> Iterator[PageCommand]:
    """Yield each command of the console blocks of a page."""
    section, language = "", None
    for line in page.read_text(encoding="utf-8").splitlines():
        if fence := FENCE.match(line):
            language = fence[1] if language is None else None
        elif language == "console" and line.strip():
            yield PageCommand(section, line.strip())
        elif language is None and (heading := re.match(r"^## (\d+)\. ", line)):
            section = heading[1]
