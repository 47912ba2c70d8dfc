"""Rules for a mapping as a whole: locked pairs, mandatory fields, no field written twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from connector.mapping.issues import Issue, IssueCode
from connector.mapping.model import DEFAULT_MAPPING, FieldPair, MappingConfig
from connector.mapping.phones import is_phone_region
from connector.mapping.schema import Field, FieldKind, Schema
from connector.model import RecordKind, Side

NO_TEXT_KINDS: Final = frozenset(
    {
        FieldKind.NUMBER,
        FieldKind.CHECKBOX,
        FieldKind.DATE,
        FieldKind.DATETIME,
        FieldKind.TIME,
        FieldKind.UNSUPPORTED,
    }
)
"""The kinds of fields that cannot hold the text of a placeholder."""
LOCKED_PAIRS: Final = tuple(pair for pair in DEFAULT_MAPPING.pairs if pair.locked)
"""The identity and the URL of the contact's page: the synchronization needs both."""


def check_required(mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]) -> Iterator[Issue]:
    """Yield the issues of the mapping as a whole: missing, repeated and wrongly changed pairs."""
    yield from _check_locked(mapping)
    yield from _check_duplicates(mapping)
    yield from _check_mandatory(mapping, schemas[RecordKind.PLEZI_CONTACT])
    yield from _check_lead_required(mapping, schemas)
    if not is_phone_region(mapping.phone_region):
        yield Issue(
            IssueCode.PHONE_REGION,
            "phone_region",
            "",
            f"{mapping.phone_region!r} is no country whose phone numbers are known",
            "use the two capital letters of ISO 3166-1, such as FR, BE or CH",
        )


def _check_locked(mapping: MappingConfig) -> Iterator[Issue]:
    for locked in LOCKED_PAIRS:
        if locked in mapping.pairs:
            continue
        yield Issue(
            IssueCode.LOCKED,
            locked.key,
            "",
            f"the pair {locked.plezi} -> {locked.salesforce} is locked, but was changed or removed",
            "restore it as GET /admin/mapping shows it",
        )
    for pair in mapping.pairs:
        if pair.locked and pair not in LOCKED_PAIRS:
            yield Issue(
                IssueCode.LOCKED,
                pair.key,
                "locked",
                "a pair cannot be locked by an admin",
                "set locked to false, or restore the locked pair",
            )


def _check_duplicates(mapping: MappingConfig) -> Iterator[Issue]:
    """Check that no field is written by two pairs, which would overwrite each other without end."""
    fields = Counter(pair.salesforce.lower() for pair in mapping.pairs)
    for pair in mapping.pairs:
        if fields.pop(pair.salesforce.lower(), 0) > 1:
            yield Issue(
                IssueCode.DUPLICATE,
                pair.key,
                "salesforce",
                f"several pairs use the Salesforce field {pair.salesforce}",
                "keep one of them",
            )
    written = Counter(
        pair.plezi
        for pair in mapping.pairs
        if pair.direction.can_receive(Side.PLEZI) and pair.plezi
    )
    for name, number in written.items():
        if number > 1:
            keys = ", ".join(
                pair.key
                for pair in mapping.pairs
                if pair.plezi == name and pair.direction.can_receive(Side.PLEZI)
            )
            yield Issue(
                IssueCode.DUPLICATE,
                keys,
                "plezi",
                f"several pairs write to the Plezi attribute {name}: {keys}",
                "keep one of them, and set the direction of the others to to_salesforce",
            )


def _check_mandatory(mapping: MappingConfig, plezi: Schema) -> Iterator[Issue]:
    """Check that each attribute that Plezi requires is sent to Plezi."""
    for field in plezi.values():
        if not field.required:
            continue
        pairs = [pair for pair in mapping.pairs if pair.plezi == field.name]
        if any(pair.direction.can_receive(Side.PLEZI) for pair in pairs):
            continue
        key = pairs[0].key if pairs else field.name
        yield Issue(
            IssueCode.MANDATORY,
            key,
            "direction",
            f"Plezi requires {field.name} for each contact",
            "map it with the direction both or to_plezi",
        )


def _check_lead_required(
    mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]
) -> Iterator[Issue]:
    """Check that each field that Salesforce requires for a new Lead always has a value."""
    by_field = {
        pair.salesforce: pair
        for pair in mapping.pairs
        if pair.direction.can_receive(Side.SALESFORCE)
    }
    for lead in schemas[RecordKind.LEAD].values():
        pair = by_field.get(lead.name)
        if pair is not None and pair.placeholder:
            yield from _check_placeholder(pair, lead)
        elif lead.required and lead.kind is not FieldKind.CHECKBOX:
            plezi = schemas[RecordKind.PLEZI_CONTACT].get(pair.plezi) if pair is not None else None
            if plezi is None or not plezi.required:
                yield Issue(
                    IssueCode.PLACEHOLDER,
                    lead.name,
                    "placeholder",
                    f"Salesforce requires {lead.name} for each Lead, and Plezi may have none",
                    _required_remedy(pair, lead),
                )


def _required_remedy(pair: FieldPair | None, lead: Field) -> str:
    if lead.kind in NO_TEXT_KINDS:
        return "make the field optional in Salesforce, or give it a default value there"
    if pair is not None:
        return "set a placeholder for the pair, such as [unknown]"
    return "map an attribute to it in the direction to_salesforce or both, with a placeholder"


def _check_placeholder(pair: FieldPair, lead: Field) -> Iterator[Issue]:
    message = ""
    if lead.length and len(pair.placeholder) > lead.length:
        message = f"the placeholder is longer than the {lead.length} characters of {lead.name}"
    elif lead.restricted and pair.placeholder not in lead.options:
        message = f"the placeholder is not in the list of {lead.name}"
    elif lead.kind in NO_TEXT_KINDS:
        message = f"a placeholder is text, but {lead.name} is a {lead.kind.value}"
    if message:
        yield Issue(
            IssueCode.PLACEHOLDER,
            pair.key,
            "placeholder",
            message,
            "choose a placeholder that the field accepts",
        )
