"""The request body of a mapping, and its conversion to the mapping that is validated and saved."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

from connector.admin.mappings import PairView
from connector.mapping import (
    DEFAULT_MAPPING,
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    ValuePair,
)

MAX_PAIRS: Final = 2_000
"""A mapping as it was shown has a suggestion for each field: standard fields, Plezi's attributes,
and at most 800 custom fields (Salesforce Features and Edition Allocations, Unlimited Edition)."""
MAX_REASON_CHARACTERS: Final = 4_000
"""The text of a view that is sent back: the names of two fields with what is wrong with each."""
MAX_TEXT_CHARACTERS: Final = 255
"""The length of a text field in Salesforce, from which a placeholder or a filter value comes."""
MAX_VALUES: Final = 2_000
"""Rows of a value table: a picklist of Salesforce has at most 1,000 values (Salesforce Help,
"Custom Field Limits"), and Plezi's list may have others."""
TEXT_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""A name or a value without control characters and line breaks."""
COUNTRY_PATTERN: Final = r"^[A-Z]{2}$"
"""The form of a country's code in ISO 3166-1 alpha-2."""

Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS, pattern=TEXT_PATTERN)]


def _as_written(value: object) -> object:
    """Restore a text: YAML reads an unquoted yes as true and no as false; both stand for text."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _as_country(value: object) -> object:
    """Restore the code of Norway, which YAML reads as false where it is not quoted."""
    return "NO" if value is False else value


def _describe_text(schema: dict[str, Any]) -> None:
    """Add the limits of text to the JSON schema of a field pair."""
    for name, described in schema["properties"].items():
        if described.get("type") == "string" and name != "reason":
            schema["properties"][name] = described | {
                "maxLength": MAX_TEXT_CHARACTERS,
                "pattern": TEXT_PATTERN,
            }


class ValuePairBody(BaseModel):
    """One row of a value table: a value of Plezi, and the one of Salesforce that it stands for."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)

    plezi: Annotated[Text, BeforeValidator(_as_written)]
    salesforce: Annotated[Text, BeforeValidator(_as_written)]

    def row(self) -> ValuePair:
        """Return the row."""
        return ValuePair(self.plezi, self.salesforce)


@pydantic_dataclass(
    frozen=True,
    slots=True,
    config=ConfigDict(
        extra="forbid", str_max_length=MAX_TEXT_CHARACTERS, json_schema_extra=_describe_text
    ),
)
class PairBody(PairView):
    """One field pair as it was shown; what the view adds to `FieldPair` is accepted and ignored."""

    values: Annotated[tuple[ValuePairBody, ...], Field(max_length=MAX_VALUES)] = ()  # type: ignore[assignment]  # as rows in `pair`
    reason: Annotated[str, Field(max_length=MAX_REASON_CHARACTERS)] = ""

    @field_validator("*")
    @classmethod
    def _is_one_line(cls, value: object) -> object:
        if isinstance(value, str) and not re.fullmatch(TEXT_PATTERN, value):
            raise ValueError("must not contain control characters or line breaks")
        return value

    def pair(self) -> FieldPair:
        """Return the field pair without the properties of the view."""
        rows = tuple(body.row() for body in self.values)
        return FieldPair(**{**self.properties(), "values": rows})


class FilterBody(BaseModel):
    """The condition that a record must meet; several values of `in` are separated by commas."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: Text = Field(min_length=1)
    operator: Operator = Operator.EQUALS
    value: Annotated[Text, BeforeValidator(_as_written)]

    def filter(self) -> Filter:
        """Return the filter."""
        return Filter(self.field, self.operator, self.value)


class MappingBody(BaseModel):
    """A mapping to save. `version` is the version that was read.

    `contact_filter` is required, because null imports every Contact. `saved_by`, `saved_at` and
    `suggestions_error` are accepted as they were shown, and ignored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=0)
    pairs: tuple[PairBody, ...] = Field(max_length=MAX_PAIRS)
    contact_filter: FilterBody | None
    lead_filter: FilterBody | None = None
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
    create_lead_beside_contact: bool = False
    phone_region: Annotated[str, Field(pattern=COUNTRY_PATTERN), BeforeValidator(_as_country)] = (
        DEFAULT_MAPPING.phone_region
    )
    saved_by: str = ""
    saved_at: float = 0.0
    suggestions_error: str = ""

    def config(self) -> MappingConfig:
        """Return the mapping without suggestions that are still switched off."""
        return MappingConfig(
            version=self.version,
            pairs=tuple(
                body.pair()
                for body in self.pairs
                if body.saved or body.direction is not Direction.OFF
            ),
            contact_filter=self.contact_filter.filter() if self.contact_filter else None,
            lead_filter=self.lead_filter.filter() if self.lead_filter else None,
            duplicates=self.duplicates,
            create_lead_beside_contact=self.create_lead_beside_contact,
            phone_region=self.phone_region,
        )
