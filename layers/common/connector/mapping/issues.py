"""The issues that the validation of a mapping finds, each with its rule, place and remedy."""

from __future__ import annotations

from dataclasses import dataclass

from connector.described_enum import DescribedEnum
from connector.mapping.model import MappingConfig


class IssueCode(DescribedEnum):
    """The rules for a mapping; the table in docs/mapping.md is generated from here."""

    UNKNOWN_NAME = "unknown_name", "A field or attribute of the mapping does not exist."
    UNSUPPORTED_TYPE = "unsupported_type", "The type of a field cannot be synchronized."
    LOSSY_TYPES = "lossy_types", "The types of the two fields lose or refuse values."
    NOT_WRITABLE = "not_writable", "The field that should receive values is read-only."
    MADE_ONE_WAY = "made_one_way", "The pair works in one direction only and is saved as one-way."
    NARROWER = "narrower", "The receiving field does not accept all values of the other field."
    LOCKED = "locked", "A locked pair was changed or removed, or another pair is locked."
    MANDATORY = "mandatory", "An attribute that Plezi requires is not mapped towards Plezi."
    ONE_WAY_SPECIAL = (
        "one_way_special",
        "Score, state and page URL of Plezi are sent to Salesforce only.",
    )
    FUNCTION_FREE_TEXT = (
        "function_free_text",
        "Free text of Salesforce would be written to the job function of Plezi.",
    )
    DUPLICATE = "duplicate", "Two pairs write to the same field."
    PLACEHOLDER = "placeholder", "A field that Salesforce requires has no usable placeholder."
    POLICY = "policy", "The conflict policy does not fit the types of the fields."
    ENFORCED = "enforced", "An enforced pair has another direction than to_salesforce."
    VALUE_TABLE = "value_table", "A row of the value table does not fit the pair or its lists."
    FILTER_VALUE = "filter_value", "No record can pass the filter."
    NO_FILTER = "no_filter", "Without a filter, every Contact of the org is imported into Plezi."
    PHONE_REGION = "phone_region", "The country of phone numbers is not known."
    SHAPE = "shape", "The request body does not have the expected structure."


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of a mapping.

    `pair` is the Salesforce field of the pair, or the name of a setting; `field` is the property of
    the pair ('' for the whole pair). `blocks`: the mapping cannot be saved with this issue.
    """

    code: IssueCode
    pair: str
    field: str
    message: str
    remedy: str
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """All issues of a mapping, and the mapping as it would be saved."""

    mapping: MappingConfig
    problems: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
