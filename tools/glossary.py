"""The glossary's places: every term names modules and classes that exist."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import connector

_ROW = re.compile(
    r"^\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \| (?P<where>[^|]+) \|$", re.MULTILINE
)
_PLACE = re.compile(r"`([a-z_]+(?:\.\w+)*)`")


def module_names() -> list[str]:
    """Return the name of every package and module of the connector, in order."""
    found = pkgutil.walk_packages(connector.__path__, "connector.")
    return ["connector", *sorted(module.name for module in found)]


def terms(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each term of the glossary's tables with its places, without their `connector.`."""
    for row in _ROW.finditer(text):
        if row["term"] not in {"term", "---", "module"}:
            yield row["term"], _PLACE.findall(row["where"])


def unknown_places(text: str) -> list[str]:
    """Return the places of a glossary that do not exist, and the terms that have none."""
    missing = []
    for term, places in terms(text):
        missing += [place for place in places if not exists(place)]
        if not places:
            missing.append(f"place for the term {term!r}")
    return missing


def exists(place: str) -> bool:
    """Return whether `module`, `module.Class` or `module.Class.member` exists in the connector."""
    parts = place.split(".")
    names = set(module_names())
    for length in range(len(parts), 0, -1):
        name = ".".join(["connector", *parts[:length]])
        if name in names:
            return _has_path(importlib.import_module(name), parts[length:])
    return False


def _has_path(owner: ModuleType, path: list[str]) -> bool:
    value: object = owner
    for name in path:
        fields = getattr(value, "__dataclass_fields__", {})
        if name in fields and name == path[-1]:
            return True
        if not hasattr(value, name):
            return False
        value = getattr(value, name)
    return True
