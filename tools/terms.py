"""The check of retired terms: private words of the past do not come back.

    python -m tools.terms [FOLDER or FILE ...]     print findings, exit 1 if there is one
    python -m tools.terms --summary                print only the number of findings per folder

`retired_terms.toml` lists each term, the standard term to use, and the allowed uses with reasons.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path

from tools.source_texts import Kind, Piece, pieces_of, source_files

ROOT = Path(__file__).resolve().parent.parent
TERMS = Path(__file__).with_name("retired_terms.toml")
NAMES = frozenset({Kind.IDENTIFIER, Kind.FILE, Kind.CODE, Kind.MEMBER})

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Allowed:
    """An exception with its reason: in files like `path`, in names and lines that hold `text`.

    `name` is a whole name ('': any).
    """

    path: str
    text: str
    name: str
    reason: str

    def covers(self, piece: Piece, line: str) -> bool:
        """Return whether the exception holds for this piece, found in this line of its text."""
        is_named = self.name in ("", piece.text)
        return is_named and fnmatchcase(piece.path, self.path) and self.text in line


@dataclass(frozen=True, slots=True)
class Term:
    """One retired term; `kinds` are the pieces in which it is looked for.

    `match` is `whole` (a whole name, upper and lower case count), `part` (some words of a name in
    snake_case or CamelCase), or `phrase` (a regular expression for prose, case ignored).
    """

    retired: str
    use: str
    match: str
    kinds: frozenset[Kind]
    allowed: tuple[Allowed, ...]

    def occurrences(self, piece: Piece) -> Iterator[int]:
        """Yield the offset in the piece of each occurrence."""
        if piece.kind not in self.kinds:
            return
        if self.match == "phrase":
            yield from (found.start() for found in _pattern(self.retired).finditer(piece.text))
        elif self._is_in_name(piece):
            yield 0

    def _is_in_name(self, piece: Piece) -> bool:
        if self.match == "part":
            term = split(self.retired)
            return any(
                term[0] in (words := split(it)) and _holds(words, term) for it in _names(piece)
            )
        return self.retired in _names(piece)


@dataclass(frozen=True, slots=True)
class Finding:
    """One use of a retired term."""

    path: str
    line: int
    kind: Kind
    found: str
    term: Term

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}"
        instead = f"retired {self.term.retired!r}, use {self.term.use}"
        return f"{where}: {self.kind} {self.found!r}: {instead}"


@lru_cache(maxsize=1)  # the terms are looked for in one piece after the other
def _names(piece: Piece) -> Sequence[str]:
    if piece.kind is Kind.FILE:
        return [part.partition(".")[0] for part in piece.text.split("/")]
    return re.findall(r"\w+", piece.text)


@cache
def split(name: str) -> tuple[str, ...]:
    """Return the words of a name in snake_case or CamelCase, in lower case."""
    return tuple(part.lower() for part in _PART.findall(name))


def _holds(name: tuple[str, ...], term: tuple[str, ...]) -> bool:
    return any(name[at : at + len(term)] == term for at in range(len(name) - len(term) + 1))


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{phrase})\b".replace(" ", r"\s+"), re.IGNORECASE)


def load_terms(path: Path = TERMS) -> tuple[Term, ...]:
    """Return the retired terms of the list; a wrong entry raises a ValueError or a KeyError."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Term(
            retired=retired,
            use=use,
            match=match,
            kinds=frozenset(Kind(kind) for kind in entry.get("kinds", usual)),
            allowed=tuple(_allowed(exception) for exception in entry.get("allow", [])),
        )
        for match, usual in (("whole", NAMES), ("part", NAMES), ("phrase", {Kind.PROSE}))
        for entry in document.get(match, [])
        for retired, use in _standard_terms(entry["retired"], entry["use"])
    )


def _standard_terms(retired: Sequence[str], use: str) -> Iterator[tuple[str, str]]:
    """Yield each retired term with its own standard term, or with all if the numbers differ."""
    terms = use.split(", ")
    yield from zip(
        retired, terms if len(terms) == len(retired) else [use] * len(retired), strict=True
    )


def _allowed(entry: dict[str, str]) -> Allowed:
    if not entry["reason"]:
        raise ValueError("an exception needs a reason")
    return Allowed(
        entry.get("path", "*"), entry.get("text", ""), entry.get("name", ""), entry["reason"]
    )


def find(pieces: Iterable[Piece], terms: Sequence[Term]) -> Iterator[Finding]:
    """Yield each use of a retired term that no exception allows."""
    known: dict[tuple[Kind, str], list[tuple[Term, int]]] = {}
    for piece in pieces:
        # The same names stand in many places: each is compared with the terms once.
        occurrences = known.get((piece.kind, piece.text))
        if occurrences is None:
            occurrences = [(term, at) for term in terms for at in term.occurrences(piece)]
            known[piece.kind, piece.text] = occurrences
        for term, offset in occurrences:
            before, after = piece.text[:offset], piece.text[offset:]
            line = before.rpartition("\n")[2] + after.partition("\n")[0]
            if not any(exception.covers(piece, line) for exception in term.allowed):
                number = piece.line + before.count("\n")
                shown = line.strip() if term.match == "phrase" else piece.text
                yield Finding(piece.path, number, piece.kind, shown, term)


def check(root: Path, terms: Sequence[Term], below: Sequence[str] = ()) -> list[Finding]:
    """Return the findings of a repository, in its files that lie below one of these paths."""
    files = [
        path
        for path in source_files(root)
        if path.relative_to(root).as_posix().startswith(tuple(below) or ("",))
    ]
    pieces = (piece for path in files for piece in pieces_of(path, root))
    findings = dict.fromkeys(find(pieces, terms))
    return sorted(findings, key=lambda finding: (finding.path, finding.line, finding.term.retired))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings and return 1 if there is one."""
    parser = argparse.ArgumentParser(prog="tools.terms")
    parser.add_argument("below", nargs="*", help="folders or files to check (default: all)")
    parser.add_argument("--summary", action="store_true", help="only the number in each folder")
    options = parser.parse_args(arguments)
    for path in options.below:
        if not (ROOT / path).exists():
            parser.error(f"{path} does not exist below the root of the repository")
    findings = check(ROOT, load_terms(), options.below)
    if options.summary:
        folders = Counter(finding.path.rpartition("/")[0] or "." for finding in findings)
        for folder, number in folders.most_common():
            print(f"{number:6} {folder}")
    else:
        for finding in findings:
            print(finding)
    print(f"{len(findings)} uses of retired terms" if findings else "No retired term is used.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
