"""The fields of each side, reduced to the properties that the mapping needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.described_enum import DescribedEnum


class FieldKind(DescribedEnum):
    """The kinds of value that can be compared between the sides, and when two values are equal."""

    TEXT = "text", "They are equal after NFC normalization, trimming and one form of line end."
    EMAIL = "email", "They are equal in lower case after NFC normalization and trimming."
    PHONE = (
        "phone",
        "They are one valid number (E.164) with one extension; else equal without separators.",
    )
    NUMBER = "number", "They are equal at the decimals of both sides; a half is rounded up."
    CHECKBOX = "checkbox", "Both are ticked or both are not; a blank is not ticked."
    DATE = "date", "They are the same day."
    DATETIME = "datetime", "They are the same second in UTC."
    TIME = "time", "They are the same time of day, without a time zone."
    PICKLIST = "picklist", "They are equal in lower case."
    MULTI_PICKLIST = "multi_picklist", "They are the same set."
    UNSUPPORTED = "unsupported", "Never compared: no pair can use the field."


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one side.

    `length` is in characters; `precision` is the number of digits of a number, decimals included,
    and `scale` the number of its decimals (None: not known). `required` means that a record
    cannot be created without a value. `creatable` and `updatable` are two rights: an administrator
    may grant one without the other.

    `type_name` is the type as the system names it. `read_only` is why the type of the field cannot
    be written ('': it can). A field of the kind `unsupported` has the reason in `refusal`, what to
    do in `remedy`, and the fields to map in its place in `components`. `guarded`: the stack keeps
    its values where they are, so that not even a filter can use it.
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
    type_name: str = ""
    read_only: str = ""
    refusal: str = ""
    remedy: str = ""
    components: tuple[str, ...] = ()
    guarded: bool = False

    @property
    def unusable(self) -> str:
        """Why no pair can use the field, with the remedy; '' if one can."""
        if self.kind is not FieldKind.UNSUPPORTED:
            return ""
        reason = self.refusal or f"the type of {self.name} is not supported"
        return f"{reason}; {self.remedy}" if self.remedy else reason

    @property
    def writable(self) -> bool:
        """Whether the field can be written at least when a record is created or updated."""
        return self.creatable or self.updatable


Schema = Mapping[str, Field]
"""The fields of one kind of record, by their name on that side."""
