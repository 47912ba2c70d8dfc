"""The Salesforce fields that the product itself needs, under the names that the mapping gives them.

Sources: product P7 (`plezi_url`), P8 (`sync_to_plezi`), P9 (`score`, `status`).
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
    """One field: where it is, what it is for, which kinds serve, and how it is made.

    `length` is the least that a text must hold. `written`: the connector writes it, and so needs
    edit access. `metadata` is what the Tooling API takes.
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
        """The field with its object, as Salesforce writes it."""
        return f"{self.kind.value}.{self.name}"

    def defect(self, found: Field) -> str:
        """Say in which way a field that is there does not serve; '' if it does."""
        if found.kind not in self.kinds:
            serve = " or ".join(sorted(kind.value for kind in self.kinds))
            return f"it is a {found.kind.value}, and must be a {serve}"
        if found.kind is FieldKind.TEXT and (found.length or self.length) < self.length:
            return f"it holds {found.length} characters, and must hold {self.length}"
        if self.external_id and not (found.external_id and found.unique):
            return "it must be an External ID and unique, so that no Lead is ever created twice"
        return ""


def required_fields(mapping: MappingConfig) -> tuple[RequiredField, ...]:
    """Return the fields that the product needs, as this mapping names them.

    A line that is off, and a standard field, need no making.
    """
    lines = {line.plezi: line for line in DEFAULT_MAPPING.pairs}
    lines |= {line.plezi: line for line in mapping.pairs if line.salesforce}
    made = {
        "url": ("the link to the contact's page in Plezi", TEXT, URL_LENGTH, "Plezi URL"),
        "behaviour_score": ("the behaviour score", SCORE_KINDS, SCORE_LENGTH, "Plezi score"),
        "state": ("the state of the lead in Plezi", STATUS_KINDS, 0, "Plezi status"),
    }
    fields = []
    for plezi, (purpose, kinds, length, label) in made.items():
        line = lines[plezi]
        if line.direction is Direction.OFF or not line.salesforce.endswith(CUSTOM_SUFFIX):
            continue
        key = plezi == "url"
        text: dict[str, Any] = {"type": "Text", "label": label, "length": length or URL_LENGTH}
        unique = {"externalId": True, "unique": True, "caseSensitive": False} if key else {}
        fields.append(
            RequiredField(
                RecordKind.LEAD,
                line.salesforce,
                purpose,
                kinds,
                length,
                key,
                metadata=text | unique,
            )
        )
    return (*fields, *_choice(mapping))


def _choice(mapping: MappingConfig) -> tuple[RequiredField, ...]:
    only = mapping.contact_filter
    if only is None or not only.field.endswith(CUSTOM_SUFFIX):
        return ()
    values = dict.fromkeys((*(word.strip() for word in only.value.split(",") if word.strip()), NO))
    metadata = {
        "type": "Picklist",
        "label": "Sync to Plezi",
        "valueSet": {
            "restricted": True,
            "valueSetDefinition": {
                "sorted": False,
                "value": [{"fullName": it, "label": it, "default": False} for it in values],
            },
        },
    }
    purpose = "says which Contacts are imported in Plezi"
    return (
        RequiredField(
            RecordKind.CONTACT,
            only.field,
            purpose,
            CHOICE_KINDS,
            is_written=False,
            metadata=metadata,
        ),
    )
