"""Similar names, and suggested field pairs for fields that are not mapped yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from connector.mapping.model import Direction, FieldPair, MappingConfig
from connector.mapping.schema import Field, Schema
from connector.mapping.type_loss import type_loss
from connector.model import RecordKind

CUSTOM_SUFFIX: Final = "__c"
"""The end of every custom field's name in Salesforce."""
SIMILAR_CUTOFF: Final = 0.6
"""difflib's default cutoff for a close match: names that a user may have meant."""
SAME_CUTOFF: Final = 0.85
"""A suggested pair needs a closer match: one or two different letters in a name."""
MAX_NAMES: Final = 3
CONTACT_NAMES: Final[Mapping[str, str]] = {
    "Company": "Account.Name",
    "Street": "MailingStreet",
    "City": "MailingCity",
    "State": "MailingState",
    "StateCode": "MailingStateCode",
    "PostalCode": "MailingPostalCode",
    "Country": "MailingCountry",
    "CountryCode": "MailingCountryCode",
}
"""The Contact's field of the same meaning, where its name differs (Salesforce Help, "Lead
Conversion Field Mapping")."""


def similar_names(name: str, schema: Schema) -> tuple[str, ...]:
    """Return up to three names of a schema that are similar to a name, the best match first.

    Labels count as names, because users copy them from the screen.
    """
    by_term: dict[str, str] = {}
    for field in schema.values():
        for term in _search_terms(field):
            by_term[term] = field.name
    terms = get_close_matches(_normalized(name), by_term, n=MAX_NAMES, cutoff=SIMILAR_CUTOFF)
    return tuple(dict.fromkeys(by_term[term] for term in terms))


def suggest_pairs(
    mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]
) -> tuple[FieldPair, ...]:
    """Return a pair, switched off, for each field of both sides that is not mapped yet.

    Plezi's attributes come first, in the order of the tenant, each with the unmapped Salesforce
    field of the same or almost the same name; then the other unmapped fields of Lead, custom fields
    last. Fields whose type no pair can have are left out: the list of the fields has the reason.
    """
    free = _unmapped((pair.salesforce for pair in mapping.pairs), schemas[RecordKind.LEAD])
    mapped = {pair.plezi for pair in mapping.pairs}
    pairs = []
    for name, field in schemas[RecordKind.PLEZI_CONTACT].items():
        if name in mapped or field.unusable:
            continue
        counterpart = _counterpart(field, free)
        if counterpart:
            del free[counterpart]
        pairs.append(_switched_off(name, counterpart, schemas[RecordKind.CONTACT]))
    pairs += [_switched_off("", name, schemas[RecordKind.CONTACT]) for name in free]
    return tuple(pairs)


def _switched_off(plezi: str, salesforce: str, contact: Schema) -> FieldPair:
    name = CONTACT_NAMES.get(salesforce, salesforce)
    is_usable = name in contact and not contact[name].unusable
    return FieldPair(plezi, salesforce, Direction.OFF, contact=name if is_usable else "")


def _unmapped(mapped: Iterable[str], schema: Schema) -> dict[str, Field]:
    """Return the usable fields without a pair: standard fields, then custom ones."""
    names = {name.lower() for name in mapped}
    free = {
        name: field
        for name, field in schema.items()
        if name.lower() not in names and not field.unusable
    }
    return dict(sorted(free.items(), key=lambda item: item[0].endswith(CUSTOM_SUFFIX)))


def _counterpart(field: Field, free: Mapping[str, Field]) -> str:
    """Return the unmapped field with almost the same name and a fitting type; '' if there is none.

    The types fit if one of the fields can be written and holds all values of the other.
    """
    by_term = {
        term: name
        for name, other in free.items()
        if _holds(field, other) or _holds(other, field)
        for term in _search_terms(other)
    }
    for term in _search_terms(field):
        matches = get_close_matches(term, by_term, n=1, cutoff=SAME_CUTOFF)
        if matches:
            return by_term[matches[0]]
    return ""


def _holds(target: Field, source: Field) -> bool:
    return target.writable and not target.read_only and not type_loss(source, target)


def _search_terms(field: Field) -> list[str]:
    """Return the normalized label and name of a field, without empty ones."""
    return [term for term in (_normalized(field.label), _normalized(field.name)) if term]


def _normalized(name: str) -> str:
    """Remove the suffix of custom fields, case, spaces and punctuation from a name."""
    return "".join(filter(str.isalnum, name.removesuffix(CUSTOM_SUFFIX).lower()))
