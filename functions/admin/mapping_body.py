"""The mapping as it is sent: its shape, and the way to the mapping that is judged and saved."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from connector.mapping import (
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
)

MOST_LINES = 500
"""A Lead has at most 800 fields of its own (Salesforce's limit for Enterprise is 500 custom)."""
LONGEST_WORD = 255

Word = Annotated[
    str, Field(max_length=LONGEST_WORD, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")
]
"""A name or a value: no control characters, no line breaks."""


def _as_written(value: object) -> object:
    """YAML reads an unquoted yes as true; the filter compares words."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


class PairBody(BaseModel):
    """One line. `saved` and `mandatory` are taken as they were shown, and not kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plezi: Word = ""
    salesforce: Word = ""
    direction: Direction
    contact: Word = ""
    policy: ConflictPolicy = ConflictPolicy.NEWEST
    placeholder: Word = ""
    locked: bool = False
    enforced: bool = False
    saved: bool = True
    mandatory: bool = False

    def pair(self) -> FieldPair:
        """Return the line that is meant."""
        return FieldPair(
            plezi=self.plezi,
            salesforce=self.salesforce,
            direction=self.direction,
            contact=self.contact,
            policy=self.policy,
            placeholder=self.placeholder,
            locked=self.locked,
            enforced=self.enforced,
        )


class FilterBody(BaseModel):
    """Which records take part; several values of `in` are separated by commas."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: Word = Field(min_length=1)
    operator: Operator = Operator.EQUALS
    value: Annotated[Word, BeforeValidator(_as_written)]

    def filter(self) -> Filter:
        """Return the filter that is meant."""
        return Filter(self.field, self.operator, self.value)


class MappingBody(BaseModel):
    """A mapping to be saved. `version` is the one that was read.

    `contact_filter` must be said: without one (null) every Contact is imported. `saved_by`,
    `saved_at` and `suggestions_error` are taken as they were shown, and not kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=0)
    pairs: tuple[PairBody, ...] = Field(max_length=MOST_LINES)
    contact_filter: FilterBody | None
    lead_filter: FilterBody | None = None
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
    create_lead_beside_contact: bool = False
    saved_by: str = ""
    saved_at: float = 0.0
    suggestions_error: str = ""

    def config(self) -> MappingConfig:
        """Return the mapping that is meant; fields that were offered and left off are no lines."""
        return MappingConfig(
            version=self.version,
            pairs=tuple(
                each.pair()
                for each in self.pairs
                if each.saved or each.direction is not Direction.OFF
            ),
            contact_filter=self.contact_filter.filter() if self.contact_filter else None,
            lead_filter=self.lead_filter.filter() if self.lead_filter else None,
            duplicates=self.duplicates,
            create_lead_beside_contact=self.create_lead_beside_contact,
        )
