"""The field guard: fields of Salesforce whose values must never be read by the connector.

The stack's parameters decide, and not the mapping: a user who may change the mapping cannot
change what leaves Salesforce. A guarded field takes part in no pair and in no filter, in any
direction: a pair in either direction reads the field and stores its value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from connector.mapping import Field, FieldKind, Schema

EXEMPT: Final = frozenset({"email", "id"})
"""The identity of people and records, in lower case: without them nothing is synchronized."""
SEPARATORS: Final = re.compile(r"[,\s]+")
LISTED: Final = "a parameter of the stack (ProtectedFields) keeps its values in Salesforce"
ENCRYPTED: Final = "it is encrypted in Salesforce (Shield Platform Encryption)"
LISTED_REMEDY: Final = "choose another field, or ask the owner of the stack to change the parameter"
ENCRYPTED_REMEDY: Final = (
    "choose another field, or deploy the stack with AllowEncryptedFields=true if its values may be "
    "stored in Plezi and in the tables of the stack"
)


@dataclass(frozen=True, slots=True)
class FieldGuard:
    """Which fields are guarded.

    `patterns` are names of fields in lower case, in which `*` stands for any characters.
    """

    patterns: tuple[str, ...] = ()
    allows_encrypted: bool = True

    def apply(self, schema: Schema, encrypted: frozenset[str]) -> Schema:
        """Return the schema in which no pair and no filter can use a guarded field.

        `encrypted` has the names of the fields that Salesforce describes as encrypted.
        """
        return {
            name: self._guarded(field, is_encrypted=name in encrypted)
            for name, field in schema.items()
        }

    def _guarded(self, field: Field, *, is_encrypted: bool) -> Field:
        name = field.name.lower()
        if name in EXEMPT:
            return field
        if any(fnmatchcase(name, pattern) for pattern in self.patterns):
            return _refused(field, LISTED, LISTED_REMEDY)
        if is_encrypted and not self.allows_encrypted:
            return _refused(field, ENCRYPTED, ENCRYPTED_REMEDY)
        return field


def parse_field_guard(protected_fields: str, *, allows_encrypted: bool) -> FieldGuard:
    """Return the guard of the stack's parameters; names are separated by commas or blanks."""
    names = SEPARATORS.split(protected_fields.lower())
    return FieldGuard(tuple(name for name in names if name), allows_encrypted)


def _refused(field: Field, reason: str, remedy: str) -> Field:
    return replace(field, kind=FieldKind.UNSUPPORTED, refusal=reason, remedy=remedy, guarded=True)
