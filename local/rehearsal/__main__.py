"""`make rehearse`: days of operation with many people, on a virtual clock, and what they take."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from local.rehearsal import report
from local.rehearsal.rehearsal import Result, rehearse
from local.rehearsal.scenarios import scenarios
from local.rehearsal.world import Bounds


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse, print the table; return 1 when a rehearsal did not end as it must."""
    options = _parser().parse_args(arguments)
    found = [
        each
        for each in scenarios(options.people)
        if not options.scenario or any(fnmatch(each.name, name) for name in options.scenario)
    ]
    if options.list:
        for each in found:
            title = ", ".join(filter(None, (each.kind.title, each.variant.title)))
            print(f"{each.name:<28} {each.people:>7,} people: {title}")
        return 0
    if not found:
        print("no scenario has this name: --list shows all", file=sys.stderr)
        return 2
    bounds = Bounds(options.hours, options.invocations)
    results: list[Result] = []
    for each in found:
        print(f"{each.name}, {each.people:,} people", file=sys.stderr, flush=True)
        results.append(rehearse(each, bounds, _show_progress))
        if options.json:
            Path(options.json).write_text(report.as_json(results) + "\n", encoding="utf-8")
    print(report.markdown(results) if options.markdown else report.text(results))
    if options.units:
        print(f"\n{report.units(results)}")
    return int(any(it.stopped or it.kills or it.dead_letters or it.left_running for it in results))


def _show_progress(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.rehearsal", description=__doc__)
    parser.add_argument(
        "scenario", nargs="*", help="names or patterns, such as 'new-*' (default: all)"
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    parser.add_argument("--people", type=int, help="people, instead of the scenario's number")
    parser.add_argument(
        "--hours", type=float, default=240.0, help="stop after virtual hours (%(default)s)"
    )
    parser.add_argument(
        "--invocations", type=int, default=5000, help="stop after invocations (%(default)s)"
    )
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument(
        "--units", action="store_true", help="print the units a person by kind of item too"
    )
    parser.add_argument("--json", metavar="FILE", help="write everything measured as JSON too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
