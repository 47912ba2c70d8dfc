"""The part of the README that shows the demo's output, taken from a real run.

    COLUMNS=100 make demo > demo.txt
    python -m tools.demo_excerpt demo.txt      write the excerpt between the marks in README.md

The mark `<!-- demo: 1, 4 -->` names sections of the output by their position, from 1; the excerpt
ends at `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_COLUMNS = 110

_BLOCK = re.compile(r"(<!-- demo: (?P<chosen>[\d, ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_HEADING = re.compile(r"^\n(?=[A-Z])", re.MULTILINE)


def sections(output: str) -> list[str]:
    """Return the sections of the demo's output: each begins with an empty line and a heading.

    The first one shows the start of the stack.
    """
    plain = _COLOURS.sub("", output)
    parts = _HEADING.split("\n" + plain.lstrip("\n"))
    return [
        "\n".join(line.rstrip() for line in part.strip().splitlines())
        for part in parts
        if part.strip()
    ]


def with_excerpt(readme: str, output: str) -> str:
    """Return the README with the sections that its mark names.

    Raises a ValueError when there is no mark, a section is missing, or a line is too long.
    """
    block = _BLOCK.search(readme)
    if block is None:
        raise ValueError("README.md has no mark <!-- demo: 1 --> ... <!-- end -->")
    found = sections(output)
    chosen = [int(number) for number in block["chosen"].split(",")]
    if max(chosen) > len(found):
        raise ValueError(f"the output has only {len(found)} sections")
    text = "\n\n".join(found[number - 1] for number in chosen)
    if max(len(line) for line in text.splitlines()) > MAX_COLUMNS:
        raise ValueError(f"a line is longer than {MAX_COLUMNS}: run the demo with COLUMNS=100")
    excerpt = f"{block.group(1)}\n```\n{text}\n```\n\n{block.group(3)}"
    return readme[: block.start()] + excerpt + readme[block.end() :]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the excerpt of an output into README.md."""
    parser = argparse.ArgumentParser(prog="tools.demo_excerpt")
    parser.add_argument("output", type=Path, help="a file with the output of make demo")
    output = parser.parse_args(arguments).output.read_text(encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(with_excerpt(readme.read_text(encoding="utf-8"), output), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
