"""The base class of enumerations whose members are documented in one place.

The tables of the documentation are generated from `description` of each member.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class DescribedEnum(StrEnum):
    """A text enumeration whose members are written as `NAME = "value", "One sentence."`.

    `description` is the sentence. The value alone is stored, compared and sent.
    """

    _value_: str
    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        """Make a member; the description has a default only so that `Kind(value)` looks one up."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member
