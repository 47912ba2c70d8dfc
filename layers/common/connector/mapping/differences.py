"""What changed between two versions of the mapping, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from connector.mapping.lines import FieldMapping, Filter, Line


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed: where, and what it said before and says now ('': it was not there).

    `line` is a line's Salesforce field, or the name of a setting; `field` the property of the line.
    """

    line: str
    field: str
    before: str
    after: str


def differences(before: FieldMapping, after: FieldMapping) -> tuple[Difference, ...]:
    """Return what changed, in the order of the newer mapping; a new order of lines is no change."""
    return (*_settings(before, after), *_lines(before, after))


def _settings(before: FieldMapping, after: FieldMapping) -> Iterator[Difference]:
    for name in ("contact_filter", "lead_filter", "duplicates", "create_lead_beside_contact"):
        was, is_now = _words(getattr(before, name)), _words(getattr(after, name))
        if was != is_now:
            yield Difference(name, "", was, is_now)


def _lines(before: FieldMapping, after: FieldMapping) -> Iterator[Difference]:
    old = {line.key: line for line in before.lines}
    new = {line.key: line for line in after.lines}
    for key, line in new.items():
        if key not in old:
            yield Difference(key, "", "", _summary(line))
            continue
        for field in fields(Line):
            was = _words(getattr(old[key], field.name))
            is_now = _words(getattr(line, field.name))
            if was != is_now:
                yield Difference(key, field.name, was, is_now)
    for key, line in old.items():
        if key not in new:
            yield Difference(key, "", _summary(line), "")


def _summary(line: Line) -> str:
    return f"{line.plezi} {line.direction.value}"


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Filter():
            return f"{value.field} {value.operator.value} {value.value}"
        case _:
            return str(value)
