"""Names that come near to others, and the lines that new fields would get (P12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from connector.mapping.model import Direction, FieldPair, MappingConfig
from connector.mapping.schema import Field, Schema
from connector.model import RecordKind

CUSTOM_SUFFIX: Final = "__c"
"""The end of every custom field's name in Salesforce."""
SIMILAR_CUTOFF: Final = 0.6
"""difflib's own measure of a good match: what a person could have meant."""
SAME_CUTOFF: Final = 0.85
"""A proposal must be nearer than a guess: one letter or two of a name."""
MAX_NAMES: Final = 3


def similar_names(name: str, schema: Schema) -> tuple[str, ...]:
    """Return up to three names of a schema that come near to one, the nearest first.

    Labels count as names: people copy them from the screen.
    """
    by_word: dict[str, str] = {}
    for field in schema.values():
        for word in _search_terms(field):
            by_word[word] = field.name
    words = get_close_matches(_normalized(name), by_word, n=MAX_NAMES, cutoff=SIMILAR_CUTOFF)
    return tuple(dict.fromkeys(by_word[word] for word in words))


def suggest_pairs(
    mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]
) -> tuple[FieldPair, ...]:
    """Return a line, switched off, for every field of either tool that no line names yet.

    Plezi's attributes come first, in the tenant's order, each with the free Salesforce field of the
    same or nearly the same name; then the custom fields of Lead that are left.
    """
    lead = schemas[RecordKind.LEAD]
    free = _unmapped((line.salesforce for line in mapping.pairs), lead)
    mapped = {line.plezi for line in mapping.pairs}
    lines = []
    for name, field in schemas[RecordKind.PLEZI_CONTACT].items():
        if name in mapped:
            continue
        proposed = _counterpart(field, free)
        if proposed:
            del free[proposed]
        lines.append(_switched_off(name, proposed, schemas[RecordKind.CONTACT]))
    lines += [
        _switched_off("", name, schemas[RecordKind.CONTACT])
        for name in free
        if name.endswith(CUSTOM_SUFFIX)
    ]
    return tuple(lines)


def _switched_off(plezi: str, salesforce: str, contact: Schema) -> FieldPair:
    return FieldPair(
        plezi, salesforce, Direction.OFF, contact=salesforce if salesforce in contact else ""
    )


def _unmapped(taken: Iterable[str], schema: Schema) -> dict[str, Field]:
    names = {name.lower() for name in taken}
    return {
        name: field
        for name, field in schema.items()
        if name.lower() not in names and (field.creatable or field.updatable)
    }


def _counterpart(field: Field, free: Mapping[str, Field]) -> str:
    """The free field that a person would take for the same one; '' if there is none."""
    by_word = {word: name for name, it in free.items() for word in _search_terms(it)}
    for word in _search_terms(field):
        near = get_close_matches(word, by_word, n=1, cutoff=SAME_CUTOFF)
        if near:
            return by_word[near[0]]
    return ""


def _search_terms(field: Field) -> list[str]:
    """What people call a field: its label and its name, as far as it has them."""
    return [word for word in (_normalized(field.label), _normalized(field.name)) if word]


def _normalized(name: str) -> str:
    """A name as it is compared: without the ending of custom fields, case, blanks, hyphens."""
    return "".join(filter(str.isalnum, name.removesuffix(CUSTOM_SUFFIX).lower()))
