"""The tenant's names of attributes and types: which of them are ours, by their labels and names.

The synonyms are words of the fields' labels in Plezi's help pages, in English and French, and usual
names in the APIs of CRM products (assumed: no public document names the attributes of a tenant).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.plezi.schema import KINDS, KNOWN_SCHEMA

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("e_mail", "email_address", "mail", "adresse_email", "courriel"),
    "first_name": ("firstname", "given_name", "prenom"),
    "last_name": ("lastname", "surname", "family_name", "nom", "nom_de_famille"),
    "company": ("company_name", "organization", "organisation", "account", "societe", "entreprise"),
    "phone": ("phone_number", "telephone", "tel", "business_phone", "telephone_fixe"),
    "mobile": (
        "mobile_phone",
        "mobile_number",
        "cell_phone",
        "cellphone",
        "portable",
        "telephone_mobile",
        "telephone_portable",
    ),
    "function": (
        "job_title",
        "title",
        "job",
        "job_function",
        "position",
        "role",
        "fonction",
        "poste",
    ),
    "behaviour_score": (
        "behavior_score",
        "behavioural_score",
        "behavioral_score",
        "score",
        "score_comportemental",
    ),
    "state": ("status", "lead_status", "contact_status", "statut", "etat"),
    "updated_at": (
        "modified_at",
        "last_modified",
        "last_modified_at",
        "changed_at",
        "last_updated_at",
        "updated",
    ),
}
TYPE_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("string", "str", "short_text", "long_text", "textarea", "varchar"),
    "email": ("e_mail", "email_address", "mail"),
    "phone": ("phone_number", "telephone", "tel"),
    "number": ("integer", "int", "float", "decimal", "double", "numeric"),
    "checkbox": ("boolean", "bool"),
    "date": ("day", "calendar_date"),
    "datetime": ("date_time", "timestamp", "time"),
    "list": ("select", "picklist", "dropdown", "enum", "single_select", "radio"),
    "multi_list": (
        "multi_select",
        "multiselect",
        "multipicklist",
        "multi_picklist",
        "checkboxes",
        "tags",
    ),
}
SAFE_TYPES: Final = frozenset({"text"})
"""Kinds of our schema that say nothing about the type of a tenant: `state` is a text to us."""


@dataclass(frozen=True, slots=True)
class ResolvedNames:
    """The tenant's names that differ from ours, and ours that have no attribute of the tenant."""

    names: dict[str, str]
    missing: tuple[str, ...]


def resolve_names(described: Sequence[Mapping[str, Any]], shown: Collection[str]) -> ResolvedNames:
    """Return which attributes of the tenant are ours.

    `described` are the rows of the attribute call (`name`, `label`), `shown` the names of the
    attributes of contacts. A name of ours counts first, then a label, then a synonym.
    """
    labels = {str(row["name"]): slug(str(row.get("label", ""))) for row in described}
    available = {*shown, *labels}
    wanted = [*(name for name in KNOWN_SCHEMA if name != "url"), "updated_at"]
    free = available - set(wanted)
    names: dict[str, str] = {}
    missing = []
    for name in wanted:
        if name in available:
            continue
        tenant_name = _match(name, sorted(free), labels)
        if tenant_name:
            names[name] = tenant_name
            free.discard(tenant_name)
        else:
            missing.append(name)
    return ResolvedNames(names, tuple(missing))


def _match(name: str, free: Sequence[str], labels: Mapping[str, str]) -> str:
    words = (name, *SYNONYMS[name])
    for word in words:
        for tenant_name in free:
            if labels.get(tenant_name) == word:
                return tenant_name
    for word in words:
        for tenant_name in free:
            if slug(tenant_name) == word:
                return tenant_name
    return ""


def resolve_types(
    described: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the tenant's names of types with ours, and the names that stay unknown.

    A type of an attribute that is ours is that of our schema; else its name is a synonym.
    """
    types: dict[str, str] = {}
    unknown = []
    ours = {names.get(name, name): field.type_name for name, field in KNOWN_SCHEMA.items()}
    for row in described:
        type_name = str(row.get("type", ""))
        if type_name in KINDS or type_name in types or not type_name:
            continue
        word = slug(type_name)
        by_synonym = next((kind for kind, words in TYPE_SYNONYMS.items() if word in words), "")
        by_attribute = ours.get(str(row["name"]), "")
        kind = by_synonym or ("" if by_attribute in SAFE_TYPES else by_attribute)
        if kind in KINDS:
            types[type_name] = kind
        else:
            unknown.append(type_name)
    return types, tuple(sorted({each for each in unknown if each not in types}))


def slug(text: str) -> str:
    """Return a name or label as lower-case words of ASCII, joined by underscores."""
    decomposed = unicodedata.normalize("NFKD", re.sub(r"([a-z])([A-Z])", r"\1_\2", text))
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return "_".join(re.findall(r"[a-z0-9]+", plain.lower()))
