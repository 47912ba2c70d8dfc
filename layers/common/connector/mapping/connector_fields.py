"""The Salesforce fields that the product itself needs, with the names that the mapping gives them.

They hold the URL of the contact in Plezi, its score and status, and the choice of Contacts to
import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.mapping import DEFAULT_MAPPING, Direction, Field, FieldKind, MappingConfig
from connector.mapping.suggestions import CUSTOM_SUFFIX
from connector.model import RecordKind

TEXT: Final = frozenset({FieldKind.TEXT})
SCORE_KINDS: Final = frozenset({FieldKind.TEXT, FieldKind.NUMBER})
STATUS_KINDS: Final = frozenset({FieldKind.TEXT, FieldKind.PICKLIST})
CHOICE_KINDS: Final = frozenset({FieldKind.PICKLIST, FieldKind.CHECKBOX, FieldKind.TEXT})
URL_LENGTH: Final = 255
SCORE_LENGTH: Final = 10
NO: Final = "no"


@dataclass(frozen=True, slots=True)
class RequiredField:
    """One field: its object, name and purpose, the kinds that are suitable, and its metadata.

    `length` is the minimum length of a text. `is_written`: the connector writes the field, and so
    needs edit access. `metadata` is the field's definition for the Tooling API.
    """

    kind: RecordKind
    name: str
    purpose: str
    kinds: frozenset[FieldKind]
    length: int = 0
    external_id: bool = False
    is_written: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """The object and the name, in Salesforce's notation (`Lead.Email`)."""
        return f"{self.kind.value}.{self.name}"

    def defect(self, found: Field) -> str:
        """Return why an existing field is not suitable; '' if it is."""
        if found.kind not in self.kinds:
            suitable = " or ".join(sorted(kind.value for kind in self.kinds))
            actual = found.type_name if found.unusable else found.kind.value
            return f"it is a {actual}, and must be a {suitable}"
        if found.kind is FieldKind.TEXT and (found.length or self.length) < self.length:
            return f"it holds {found.length} characters, and must hold {self.length}"
        if self.external_id and not (found.external_id and found.unique):
            return "it must be an External ID and unique, so that no Lead is created twice"
        return ""


def required_fields(mapping: MappingConfig) -> tuple[RequiredField, ...]:
    """Return the fields that the product needs, with the names of this mapping.

    A field pair that is off, and a standard field, are left out: they need no creation.
    """
    pairs = {pair.plezi: pair for pair in DEFAULT_MAPPING.pairs}
    pairs |= {pair.plezi: pair for pair in mapping.pairs if pair.salesforce}
    definitions = {
        "url": ("the link to the contact's page in Plezi", TEXT, URL_LENGTH, "Plezi URL"),
        "behaviour_score": ("the behaviour score", SCORE_KINDS, SCORE_LENGTH, "Plezi score"),
        "state": ("the state of the lead in Plezi", STATUS_KINDS, 0, "Plezi status"),
    }
    fields = []
    for plezi, (purpose, kinds, length, label) in definitions.items():
        pair = pairs[plezi]
        if pair.direction is Direction.OFF or not pair.salesforce.endswith(CUSTOM_SUFFIX):
            continue
        is_key = plezi == "url"
        text: dict[str, Any] = {"type": "Text", "label": label, "length": length or URL_LENGTH}
        unique = {"externalId": True, "unique": True, "caseSensitive": False} if is_key else {}
        fields.append(
            RequiredField(
                RecordKind.LEAD,
                pair.salesforce,
                purpose,
                kinds,
                length,
                is_key,
                metadata=text | unique,
            )
        )
    return (*fields, *_contact_choice(mapping))


def _contact_choice(mapping: MappingConfig) -> tuple[RequiredField, ...]:
    """Return the field that chooses the Contacts to import, if the mapping has one."""
    contact_filter = mapping.contact_filter
    if contact_filter is None or not contact_filter.field.endswith(CUSTOM_SUFFIX):
        return ()
    accepted = (value.strip() for value in contact_filter.value.split(","))
    values = dict.fromkeys((*filter(None, accepted), NO))
    metadata = {
        "type": "Picklist",
        "label": "Sync to Plezi",
        "valueSet": {
            "restricted": True,
            "valueSetDefinition": {
                "sorted": False,
                "value": [
                    {"fullName": value, "label": value, "default": False} for value in values
                ],
            },
        },
    }
    purpose = "the choice of the Contacts that are imported in Plezi"
    return (
        RequiredField(
            RecordKind.CONTACT,
            contact_filter.field,
            purpose,
            CHOICE_KINDS,
            is_written=False,
            metadata=metadata,
        ),
    )
