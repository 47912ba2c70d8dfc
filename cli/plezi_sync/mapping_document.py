"""A mapping as a document: the YAML file, its pairs, and the changes between two of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from plezi_sync.errors import UsageError

OFF: Final = "off"
PAIR_DEFAULTS: Final[Mapping[str, object]] = {
    "plezi": "",
    "direction": OFF,
    "policy": "newest",
    "contact": "",
    "placeholder": "",
    "enforced": False,
    "locked": False,
    "values": [],
}
"""The properties of a pair and the values that a file may leave out (docs/mapping.md)."""
SETTINGS: Final[Mapping[str, object]] = {
    "contact_filter": None,
    "lead_filter": None,
    "duplicates": "mirror",
    "create_lead_beside_contact": False,
    "phone_region": "FR",
}
"""The settings of a mapping as a whole, and the values that a file may leave out."""


@dataclass(frozen=True)
class Change:
    """One changed property of a pair, or one setting; '' where there was no value."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        """Return the change in one line."""
        if not self.before:
            return f"+ {self.name}: {self.after}"
        if not self.after:
            return f"- {self.name}: {self.before}"
        return f"~ {self.name}: {self.before} -> {self.after}"


class _Loader(yaml.SafeLoader):
    """Reads `off`, `yes` and `NO` as text, as they are meant in a mapping."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def parse_mapping(text: str, name: str) -> dict[str, Any]:
    """Return the document of a YAML file. Raises `UsageError` with its name and the line."""
    try:
        document: object = yaml.load(text, _Loader)  # noqa: S506  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"{name}{where}: {error.problem}. Correct the file.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"{name} is not YAML that can be read. Correct the file.") from error
    if not isinstance(document, dict) or not isinstance(document.get("pairs"), list):
        raise UsageError(f"{name} has no list `pairs`. Start from: plezi-sync mapping export")
    if not all(isinstance(pair, dict) and pair.get("salesforce") for pair in document["pairs"]):
        raise UsageError(f"{name}: each of `pairs` needs `salesforce`. Correct the file.")
    return document


def used_pairs(mapping: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the pairs of a mapping without the suggestions that are still off."""
    return [
        dict(pair)
        for pair in mapping["pairs"]
        if pair.get("saved", True) or pair["direction"] != OFF
    ]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two mappings, settings first."""
    return [*_setting_changes(before, after), *_pair_changes(before, after)]


def pair_text(pair: Mapping[str, Any]) -> str:
    """Return a pair in a few words: phone <-> Phone, newest."""
    arrows = {"both": "<->", "to_salesforce": "->", "to_plezi": "<-", OFF: "(off)"}
    arrow = arrows.get(str(pair.get("direction")), str(pair.get("direction")))
    return f"{pair.get('plezi', '')} {arrow} {pair['salesforce']}"


def row_text(row: Mapping[str, Any]) -> str:
    """Return a row of a value table in a few words: Client = Customer."""
    return f"{row.get('plezi')} = {row.get('salesforce')}"


def _setting_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name, default in SETTINGS.items():
        old, new = (_text(each.get(name, default)) for each in (before, after))
        if old != new:
            yield Change(name, old, new)


def _pair_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old_pairs, new_pairs = (
        {str(pair["salesforce"]): pair for pair in used_pairs(each)} for each in (before, after)
    )
    for name, pair in new_pairs.items():
        if name not in old_pairs:
            yield Change(name, "", pair_text(pair))
            continue
        for member, default in PAIR_DEFAULTS.items():
            old, new = (_text(each.get(member, default)) for each in (old_pairs[name], pair))
            if old != new:
                yield Change(f"{name} {member}", old or "(none)", new or "(none)")
    for name, pair in old_pairs.items():
        if name not in new_pairs:
            yield Change(name, pair_text(pair), "")


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case list():
            return "; ".join(map(row_text, value))
        case dict():
            return f"{value.get('field')} {value.get('operator', 'equals')} {value.get('value')}"
        case _:
            return str(value)
