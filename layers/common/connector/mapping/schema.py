"""The fields of each side, reduced to the properties that the mapping needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FieldKind(StrEnum):
    """The kinds of value that can be compared between the sides."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    DATE = "date"
    DATETIME = "datetime"
    PICKLIST = "picklist"
    MULTI_PICKLIST = "multi_picklist"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one side.

    `length` is in characters; `precision` is the number of digits of a number, decimals included,
    and `scale` the number of its decimals (None: not known). `required` means that a record
    cannot be created without a value. `creatable` and `updatable` are two rights: an administrator
    may grant one without the other.
    """

    name: str
    kind: FieldKind
    label: str = ""
    length: int | None = None
    scale: int | None = None
    options: tuple[str, ...] = ()
    restricted: bool = False
    required: bool = False
    creatable: bool = True
    updatable: bool = True
    external_id: bool = False
    unique: bool = False
    precision: int | None = None


Schema = Mapping[str, Field]
"""The fields of one kind of record, by their name on that side."""
