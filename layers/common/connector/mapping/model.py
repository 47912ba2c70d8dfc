"""The mapping as an admin defines it: field pairs, filters, policies."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from connector.clean_text import clean
from connector.described_enum import DescribedEnum
from connector.mapping.phones import DEFAULT_REGION
from connector.mapping.value_table import ValuePair
from connector.mapping.values import to_text
from connector.model import RecordKind, Side, Value


class Direction(DescribedEnum):
    """The direction in which values of a field pair are sent."""

    BOTH = "both", "Changes of each side are written to the other side."
    TO_PLEZI = "to_plezi", "Changes in Salesforce are written to Plezi."
    TO_SALESFORCE = "to_salesforce", "Changes in Plezi are written to Salesforce."
    OFF = "off", "The pair is switched off."

    def can_send(self, side: Side) -> bool:
        """Whether values of this side are written to the other side."""
        return self is Direction.BOTH or self is _TOWARDS[side.other]

    def can_receive(self, side: Side) -> bool:
        """Whether values of the other side are written to this side."""
        return self is Direction.BOTH or self is _TOWARDS[side]


_TOWARDS: Final = {Side.PLEZI: Direction.TO_PLEZI, Side.SALESFORCE: Direction.TO_SALESFORCE}


class ConflictPolicy(DescribedEnum):
    """The rule for a field that both sides changed to different values."""

    NEWEST = "newest", "The record with the latest modification time wins."
    PLEZI_WINS = "plezi_wins", "Plezi's value wins."
    SALESFORCE_WINS = "salesforce_wins", "Salesforce's value wins."
    FILL_BLANK = "fill_blank", "Only blank values are filled; different values stay as they are."
    MOST_RESTRICTIVE = (
        "most_restrictive",
        "A checkbox, such as an opt-out, that is ticked on one side is ticked on both.",
    )
    HOLD = "hold", "The field waits for a decision of an admin."


class DuplicatePolicy(DescribedEnum):
    """The rule for several Leads with one e-mail."""

    MIRROR = "mirror", "All Leads with the e-mail are kept equal."
    SURVIVOR = (
        "survivor",
        "One Lead is synchronized: a linked one, else the one with the lowest id.",
    )
    HOLD = "hold", "The link waits until an admin picks the primary Lead."


class Operator(DescribedEnum):
    """The comparison of a filter."""

    EQUALS = "equals", "The field has the value."
    NOT_EQUALS = "not_equals", "The field has another value."
    IN = "in", "The field has one of the values, which are separated by commas."


@dataclass(frozen=True, slots=True)
class Filter:
    """The condition that a record must meet to take part.

    The comparison ignores case; a ticked checkbox equals 'yes', 'true' and '1'.
    """

    field: str
    operator: Operator
    value: str

    def accepts(self, value: Value) -> bool:
        """Whether a record with this value takes part."""
        wanted = {_normalized(part) for part in self.value.split(",")}
        match self.operator:
            case Operator.NOT_EQUALS:
                return _normalized(value) not in wanted
            case _:
                return _normalized(value) in wanted


def _normalized(value: Value) -> str:
    text = clean(to_text(value)).casefold()
    return "true" if text in {"yes", "1", "oui"} else "false" if text in {"no", "0"} else text


@dataclass(frozen=True, slots=True)
class FieldPair:
    """A Plezi attribute and the Lead field that have the same meaning, and how they are kept equal.

    These properties are declared here only: the stored document, the API body and the API view are
    derived from them. `contact` is the field of a Salesforce Contact with the same meaning ('' for
    none). `placeholder` is written if Salesforce requires a value and Plezi has none; it is never
    sent back. A `locked` pair cannot be changed. The Plezi value of an `enforced` pair is written
    again if Salesforce has another one. `values` are the rows of the value table of a pair of
    lists: values that have different names on the two sides.
    """

    plezi: str
    salesforce: str
    direction: Direction
    policy: ConflictPolicy = ConflictPolicy.NEWEST
    contact: str = ""
    placeholder: str = ""
    locked: bool = False
    enforced: bool = False
    values: tuple[ValuePair, ...] = ()

    @property
    def key(self) -> str:
        """The name of the pair: no two pairs write to one Salesforce field."""
        return self.salesforce

    def base_key(self, kind: RecordKind) -> str:
        """Return the name of this pair in the base of a record of this kind.

        An agreement belongs to the two fields that were compared: when a pair is pointed at another
        field, or two pairs change places, nothing is agreed on yet.
        """
        other = self.contact if kind is RecordKind.CONTACT else self.salesforce
        return f"{self.plezi}>{other}"

    def properties(self) -> dict[str, Any]:
        """Return the properties by name, to make another object that has them."""
        return {field.name: getattr(self, field.name) for field in fields(FieldPair)}


@dataclass(frozen=True, slots=True)
class MappingConfig:
    """One version of the whole mapping; version 0 is the default mapping.

    `phone_region` is the country of phone numbers without a country code, ISO 3166-1 alpha-2.
    """

    version: int
    pairs: tuple[FieldPair, ...]
    contact_filter: Filter | None
    lead_filter: Filter | None = None
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
    create_lead_beside_contact: bool = False
    phone_region: str = DEFAULT_REGION


EMAIL_PAIR: Final = FieldPair(
    "email",
    "Email",
    Direction.BOTH,
    contact="Email",
    locked=True,
    policy=ConflictPolicy.SALESFORCE_WINS,
)
PLEZI_URL_PAIR: Final = FieldPair(
    "url", "plezi_url__c", Direction.TO_SALESFORCE, locked=True, enforced=True
)
LAST_NAME_PAIR: Final = FieldPair(
    "last_name", "LastName", Direction.BOTH, contact="LastName", placeholder="[unknown]"
)

DEFAULT_MAPPING: Final = MappingConfig(
    version=0,
    pairs=(
        EMAIL_PAIR,
        PLEZI_URL_PAIR,
        FieldPair("first_name", "FirstName", Direction.BOTH, contact="FirstName"),
        LAST_NAME_PAIR,
        FieldPair(
            "company",
            "Company",
            Direction.BOTH,
            contact="Account.Name",
            placeholder="[unknown]",
        ),
        FieldPair("phone", "Phone", Direction.BOTH, contact="Phone"),
        FieldPair("mobile", "MobilePhone", Direction.BOTH, contact="MobilePhone"),
        FieldPair("function", "Title", Direction.TO_SALESFORCE, contact="Title"),
        FieldPair("behaviour_score", "score__c", Direction.TO_SALESFORCE),
        FieldPair("state", "status__c", Direction.TO_SALESFORCE),
    ),
    contact_filter=Filter("sync_to_plezi__c", Operator.EQUALS, "yes"),
)
"""The fields of Plezi's own Salesforce connector, as its help center describes them."""


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """One saved version: by whom (an IAM ARN, '' if not known) and when (seconds since 1970)."""

    mapping: MappingConfig
    saved_by: str = ""
    saved_at: float = 0.0


SHIPPED_MAPPING: Final = SavedMapping(DEFAULT_MAPPING)
