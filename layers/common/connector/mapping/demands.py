"""What a mapping must hold as a whole: locked lines, mandatory fields, no field written twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from connector.mapping.lines import DEFAULT_MAPPING, FieldMapping, Line
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.verdicts import Remark, Rule
from connector.model import Kind, Side

LOCKED_LINES: Final = tuple(line for line in DEFAULT_MAPPING.lines if line.locked)
"""The identity and the link to the contact's page: nothing works without them (P7, P15)."""


def demands(mapping: FieldMapping, schemas: Mapping[Kind, Schema]) -> Iterator[Remark]:
    """Yield what the mapping as a whole lacks or has too much of."""
    yield from _locked(mapping)
    yield from _twice(mapping)
    yield from _mandatory(mapping, schemas[Kind.PLEZI_CONTACT])
    yield from _required(mapping, schemas)


def _locked(mapping: FieldMapping) -> Iterator[Remark]:
    for locked in LOCKED_LINES:
        if locked in mapping.lines:
            continue
        yield Remark(
            Rule.LOCKED,
            locked.key,
            "",
            f"the line {locked.plezi} -> {locked.salesforce} is locked: it was changed or left out",
            "put it back as GET /admin/mapping shows it",
        )
    for line in mapping.lines:
        if line.locked and line not in LOCKED_LINES:
            yield Remark(
                Rule.LOCKED,
                line.key,
                "locked",
                "only the product locks lines",
                "set locked to false, or restore the locked line",
            )


def _twice(mapping: FieldMapping) -> Iterator[Remark]:
    """No field is written by two lines: they would undo each other's work for ever."""
    fields = Counter(line.salesforce.lower() for line in mapping.lines)
    for line in mapping.lines:
        if fields.pop(line.salesforce.lower(), 0) > 1:
            yield Remark(
                Rule.DUPLICATE,
                line.key,
                "salesforce",
                f"several lines name the Salesforce field {line.salesforce}",
                "keep one of them",
            )
    written = Counter(
        line.plezi for line in mapping.lines if line.direction.listens(Side.PLEZI) and line.plezi
    )
    for name, number in written.items():
        if number > 1:
            keys = ", ".join(
                line.key
                for line in mapping.lines
                if line.plezi == name and line.direction.listens(Side.PLEZI)
            )
            yield Remark(
                Rule.DUPLICATE,
                keys,
                "plezi",
                f"several lines write the Plezi attribute {name}: {keys}",
                "let one of them write to Plezi, and set the others to to_salesforce",
            )


def _mandatory(mapping: FieldMapping, plezi: Schema) -> Iterator[Remark]:
    """What Plezi demands must reach it from every Lead and Contact (P10)."""
    for field in plezi.values():
        if not field.required:
            continue
        lines = [line for line in mapping.lines if line.plezi == field.name]
        if any(line.direction.listens(Side.PLEZI) for line in lines):
            continue
        key = lines[0].key if lines else field.name
        yield Remark(
            Rule.MANDATORY,
            key,
            "direction",
            f"Plezi takes no contact without {field.name}",
            "map it, in a direction that reaches Plezi",
        )


def _required(mapping: FieldMapping, schemas: Mapping[Kind, Schema]) -> Iterator[Remark]:
    """What Salesforce demands of a new Lead must always have a value."""
    by_field = {
        line.salesforce: line for line in mapping.lines if line.direction.listens(Side.SALESFORCE)
    }
    for lead in schemas[Kind.LEAD].values():
        line = by_field.get(lead.name)
        if line is not None and line.placeholder:
            yield from _placeholder(line, lead)
        elif lead.required and lead.kind is not FieldKind.CHECKBOX:
            plezi = schemas[Kind.PLEZI_CONTACT].get(line.plezi) if line is not None else None
            if plezi is None or not plezi.required:
                yield Remark(
                    Rule.PLACEHOLDER,
                    lead.name,
                    "placeholder",
                    f"Salesforce takes no Lead without {lead.name}, and Plezi may have none",
                    "give the line a placeholder, such as [unknown]"
                    if line is not None
                    else "map an attribute to it in the direction to_salesforce or both, with a "
                    "placeholder",
                )


def _placeholder(line: Line, lead: Field) -> Iterator[Remark]:
    message = ""
    if lead.length and len(line.placeholder) > lead.length:
        message = f"the placeholder is longer than the {lead.length} characters of {lead.name}"
    elif lead.restricted and line.placeholder not in lead.options:
        message = f"the placeholder is not in the list of {lead.name}"
    elif lead.kind in (FieldKind.NUMBER, FieldKind.CHECKBOX, FieldKind.DATE, FieldKind.DATETIME):
        message = f"a placeholder is text, and {lead.name} is a {lead.kind.value}"
    if message:
        yield Remark(
            Rule.PLACEHOLDER, line.key, "placeholder", message, "choose one that the field takes"
        )
