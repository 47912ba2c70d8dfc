"""Names and prose of the repository's files, each with its place, for the check of terms."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FOLDERS = (
    "layers/common/connector",
    "functions",
    "cli",
    "local",
    "tests",
    "benchmarks",
    "tools",
    "docs",
    "events",
    ".ci",
)
ROOT_FILES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Makefile",
    "template.yaml",
    "samconfig.toml",
    "pyproject.toml",
    "functions/Makefile",
    "layers/common/Makefile",
)
SUFFIXES = frozenset({".py", ".md", ".json", ".html", ".yaml", ".toml", ""})
NAMES_RETIRED_TERMS = ("tools/retired_terms.toml", "tests/tools/")
"""What has to name retired terms: the list itself and its tests (and CHANGELOG.md)."""

_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[./:-][A-Za-z0-9_]+)*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CODE_SPAN = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_COMPOUND = re.compile(r"[a-z0-9]_[a-z0-9]|[a-z][A-Z]")


class Kind(StrEnum):
    """What a piece of text is; each kind is checked on its own."""

    IDENTIFIER = "identifier"
    FILE = "file name"
    CODE = "code"
    MEMBER = "member"
    PROSE = "text"


@dataclass(frozen=True, slots=True)
class Piece:
    """One name or one stretch of prose; `line` is where its first character is, from 1."""

    path: str
    line: int
    kind: Kind
    text: str


def source_files(root: Path) -> Iterator[Path]:
    """Yield the files that people write, below the root of the repository."""
    for name in ROOT_FILES:
        if (root / name).is_file():
            yield root / name
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in SUFFIXES and _is_checked(path, root):
                yield path


def _is_checked(path: Path, root: Path) -> bool:
    name = path.relative_to(root).as_posix()
    is_generated = "__pycache__" in path.parts
    return not (is_generated or name in ROOT_FILES or name.startswith(NAMES_RETIRED_TERMS))


def pieces_of(path: Path, root: Path) -> Iterator[Piece]:
    """Yield the names and the prose of one file, its own name first."""
    name = path.relative_to(root).as_posix()
    yield Piece(name, 1, Kind.FILE, name)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from python_pieces(name, text)
    elif path.suffix == ".json":
        yield from json_pieces(name, text)
    elif path.name == "template.yaml":
        yield from template_pieces(name, text)
    else:
        yield from prose_pieces(name, 1, text)


def prose_pieces(path: str, line: int, text: str) -> Iterator[Piece]:
    """Yield a text, and the names in it: those in backticks, and words that only code has."""
    yield Piece(path, line, Kind.PROSE, text)
    for span in _CODE_SPAN.finditer(text):
        for word in _WORD.finditer(span.group()):
            place = line + text.count("\n", 0, span.start() + word.start())
            yield Piece(path, place, Kind.CODE, word.group())
    outside = _CODE_SPAN.sub(lambda span: re.sub(r"[^\n]", " ", span.group()), text)
    for word in _WORD.finditer(outside):
        if _COMPOUND.search(word.group()):
            place = line + outside.count("\n", 0, word.start())
            yield Piece(path, place, Kind.CODE, word.group())


def python_pieces(path: str, text: str) -> Iterator[Piece]:
    """Yield the identifiers, the string constants, the docstrings and the comments of a module.

    A module with a wrong syntax is only text; the linter reports it.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        yield from prose_pieces(path, 1, text)
        return
    yield from dict.fromkeys(_identifiers(path, tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _CODE.fullmatch(node.value):
                yield Piece(path, node.lineno, Kind.CODE, node.value)
            else:
                yield from prose_pieces(path, node.lineno, node.value)
    yield from _comments(path, text)


def _identifiers(path: str, tree: ast.AST) -> Iterator[Piece]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            continue
        line = getattr(node, "lineno", 1)
        for _, value in ast.iter_fields(node):
            for name in value if isinstance(value, list) else [value]:
                if isinstance(name, str):
                    yield Piece(path, line, Kind.IDENTIFIER, name)


def _comments(path: str, text: str) -> Iterator[Piece]:
    """Yield comments; lines that follow each other are one, so that a phrase may wrap."""
    block: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        if block and token.start[0] != last + 1:
            yield from prose_pieces(path, first, "\n".join(block))
            block = []
        first = first if block else token.start[0]
        last = token.start[0]
        block.append(token.string.lstrip("# "))
    if block:
        yield from prose_pieces(path, first, "\n".join(block))


def json_pieces(path: str, text: str) -> Iterator[Piece]:
    """Yield the members and the values of a JSON document; a value of one word is a code."""
    document: object = json.loads(text)
    lines = text.splitlines()
    for value, is_member in _json_values(document):
        line = _line_of(lines, json.dumps(value, ensure_ascii=False))
        if is_member:
            yield Piece(path, line, Kind.MEMBER, value)
        elif _CODE.fullmatch(value):
            yield Piece(path, line, Kind.CODE, value)
        else:
            yield from prose_pieces(path, line, value)


def _json_values(value: object) -> Iterator[tuple[str, bool]]:
    """Yield each distinct text of a document, and whether it is the name of a member."""
    found: dict[tuple[str, bool], None] = {}
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found.update(dict.fromkeys((str(key), True) for key in node))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, str):
            found[node, False] = None
    yield from found


def _line_of(lines: Iterable[str], text: str) -> int:
    return next((number for number, line in enumerate(lines, 1) if text in line), 1)


def template_pieces(path: str, text: str) -> Iterator[Piece]:
    """Yield the keys, the plain values and the texts of a YAML template, and its comments."""
    yield Piece(path, 1, Kind.PROSE, text)
    for number, line in enumerate(text.splitlines(), 1):
        for word in _WORD.finditer(line.partition("#")[0]):
            if _COMPOUND.search(word.group()) or line.strip().startswith(f"{word.group()}:"):
                yield Piece(path, number, Kind.MEMBER, word.group())
