"""What a mapping must hold as a whole: locked lines, mandatory fields, no field written twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from connector.mapping.issues import Issue, IssueCode
from connector.mapping.model import DEFAULT_MAPPING, FieldPair, MappingConfig
from connector.mapping.schema import Field, FieldKind, Schema
from connector.model import RecordKind, Side

LOCKED_PAIRS: Final = tuple(line for line in DEFAULT_MAPPING.pairs if line.locked)
"""The identity and the link to the contact's page: nothing works without them (P7, P15)."""


def check_required(mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]) -> Iterator[Issue]:
    """Yield what the mapping as a whole lacks or has too much of."""
    yield from _check_locked(mapping)
    yield from _check_duplicates(mapping)
    yield from _check_mandatory(mapping, schemas[RecordKind.PLEZI_CONTACT])
    yield from _check_lead_required(mapping, schemas)


def _check_locked(mapping: MappingConfig) -> Iterator[Issue]:
    for locked in LOCKED_PAIRS:
        if locked in mapping.pairs:
            continue
        yield Issue(
            IssueCode.LOCKED,
            locked.key,
            "",
            f"the line {locked.plezi} -> {locked.salesforce} is locked: it was changed or left out",
            "put it back as GET /admin/mapping shows it",
        )
    for line in mapping.pairs:
        if line.locked and line not in LOCKED_PAIRS:
            yield Issue(
                IssueCode.LOCKED,
                line.key,
                "locked",
                "only the product locks lines",
                "set locked to false, or restore the locked line",
            )


def _check_duplicates(mapping: MappingConfig) -> Iterator[Issue]:
    """No field is written by two lines: they would undo each other's work for ever."""
    fields = Counter(line.salesforce.lower() for line in mapping.pairs)
    for line in mapping.pairs:
        if fields.pop(line.salesforce.lower(), 0) > 1:
            yield Issue(
                IssueCode.DUPLICATE,
                line.key,
                "salesforce",
                f"several lines name the Salesforce field {line.salesforce}",
                "keep one of them",
            )
    written = Counter(
        line.plezi
        for line in mapping.pairs
        if line.direction.can_receive(Side.PLEZI) and line.plezi
    )
    for name, number in written.items():
        if number > 1:
            keys = ", ".join(
                line.key
                for line in mapping.pairs
                if line.plezi == name and line.direction.can_receive(Side.PLEZI)
            )
            yield Issue(
                IssueCode.DUPLICATE,
                keys,
                "plezi",
                f"several lines write the Plezi attribute {name}: {keys}",
                "let one of them write to Plezi, and set the others to to_salesforce",
            )


def _check_mandatory(mapping: MappingConfig, plezi: Schema) -> Iterator[Issue]:
    """What Plezi demands must reach it from every Lead and Contact (P10)."""
    for field in plezi.values():
        if not field.required:
            continue
        lines = [line for line in mapping.pairs if line.plezi == field.name]
        if any(line.direction.can_receive(Side.PLEZI) for line in lines):
            continue
        key = lines[0].key if lines else field.name
        yield Issue(
            IssueCode.MANDATORY,
            key,
            "direction",
            f"Plezi takes no contact without {field.name}",
            "map it, in a direction that reaches Plezi",
        )


def _check_lead_required(
    mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]
) -> Iterator[Issue]:
    """What Salesforce demands of a new Lead must always have a value."""
    by_field = {
        line.salesforce: line
        for line in mapping.pairs
        if line.direction.can_receive(Side.SALESFORCE)
    }
    for lead in schemas[RecordKind.LEAD].values():
        line = by_field.get(lead.name)
        if line is not None and line.placeholder:
            yield from _check_placeholder(line, lead)
        elif lead.required and lead.kind is not FieldKind.CHECKBOX:
            plezi = schemas[RecordKind.PLEZI_CONTACT].get(line.plezi) if line is not None else None
            if plezi is None or not plezi.required:
                yield Issue(
                    IssueCode.PLACEHOLDER,
                    lead.name,
                    "placeholder",
                    f"Salesforce takes no Lead without {lead.name}, and Plezi may have none",
                    "give the line a placeholder, such as [unknown]"
                    if line is not None
                    else "map an attribute to it in the direction to_salesforce or both, with a "
                    "placeholder",
                )


def _check_placeholder(line: FieldPair, lead: Field) -> Iterator[Issue]:
    message = ""
    if lead.length and len(line.placeholder) > lead.length:
        message = f"the placeholder is longer than the {lead.length} characters of {lead.name}"
    elif lead.restricted and line.placeholder not in lead.options:
        message = f"the placeholder is not in the list of {lead.name}"
    elif lead.kind in (FieldKind.NUMBER, FieldKind.CHECKBOX, FieldKind.DATE, FieldKind.DATETIME):
        message = f"a placeholder is text, and {lead.name} is a {lead.kind.value}"
    if message:
        yield Issue(
            IssueCode.PLACEHOLDER,
            line.key,
            "placeholder",
            message,
            "choose one that the field takes",
        )
