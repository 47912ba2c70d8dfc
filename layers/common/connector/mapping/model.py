"""The mapping as an administrator writes it: field lines, filters, policies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.mapping.values import clean, to_text
from connector.model import Side, Value


class Direction(StrEnum):
    """Which way a field travels."""

    BOTH = "both"
    TO_PLEZI = "to_plezi"
    TO_SALESFORCE = "to_salesforce"
    OFF = "off"

    def can_send(self, side: Side) -> bool:
        """Whether what this side says is told to the other."""
        return self is Direction.BOTH or self is _TOWARDS[side.other]

    def can_receive(self, side: Side) -> bool:
        """Whether this side is told what the other says."""
        return self is Direction.BOTH or self is _TOWARDS[side]


_TOWARDS: Final = {Side.PLEZI: Direction.TO_PLEZI, Side.SALESFORCE: Direction.TO_SALESFORCE}


class ConflictPolicy(StrEnum):
    """Who wins when both sides changed one field to different values."""

    NEWEST = "newest"
    PLEZI_WINS = "plezi_wins"
    SALESFORCE_WINS = "salesforce_wins"
    FILL_BLANK = "fill_blank"
    MOST_RESTRICTIVE = "most_restrictive"
    HOLD = "hold"


class DuplicatePolicy(StrEnum):
    """What several Leads of one e-mail are: one person in mirrors, one survivor, or a question."""

    MIRROR = "mirror"
    SURVIVOR = "survivor"
    HOLD = "hold"


class Operator(StrEnum):
    """How a filter compares."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records take part: those whose field compares so with the value.

    Compared as a person would read it: case folded, a checkbox ticked is 'yes', 'true' or '1'.
    """

    field: str
    operator: Operator
    value: str

    def accepts(self, value: Value) -> bool:
        """Whether a record that says this takes part."""
        wanted = {_normalized(word) for word in self.value.split(",")}
        match self.operator:
            case Operator.NOT_EQUALS:
                return _normalized(value) not in wanted
            case _:
                return _normalized(value) in wanted


def _normalized(value: Value) -> str:
    word = clean(to_text(value)).casefold()
    return "true" if word in {"yes", "1", "oui"} else "false" if word in {"no", "0"} else word


@dataclass(frozen=True, slots=True)
class FieldPair:
    """One field line.

    `contact` is the field of a Salesforce Contact that says the same ('' for none). `placeholder`
    is written where Salesforce demands a value and Plezi has none; it never travels back. A
    `locked` line cannot be moved; an `enforced` one is written again when the other side lost it.
    """

    plezi: str
    salesforce: str
    direction: Direction
    contact: str = ""
    policy: ConflictPolicy = ConflictPolicy.NEWEST
    placeholder: str = ""
    locked: bool = False
    enforced: bool = False

    @property
    def key(self) -> str:
        """The line's name: no two lines write one Salesforce field."""
        return self.salesforce


@dataclass(frozen=True, slots=True)
class MappingConfig:
    """One version of the whole configuration of what travels; 0 is the one shipped."""

    version: int
    pairs: tuple[FieldPair, ...]
    contact_filter: Filter | None
    lead_filter: Filter | None = None
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
    create_lead_beside_contact: bool = False


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

DEFAULT_MAPPING: Final = MappingConfig(
    version=0,
    pairs=(
        EMAIL_PAIR,
        PLEZI_URL_PAIR,
        FieldPair("first_name", "FirstName", Direction.BOTH, contact="FirstName"),
        FieldPair(
            "last_name",
            "LastName",
            Direction.BOTH,
            contact="LastName",
            placeholder="[unknown]",
        ),
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
"""What Plezi's own connector does, as its help article says (reference: product P7 to P13)."""
