"""What the judging of a mapping says: remarks, each with its rule, place, and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.mapping.model import MappingConfig


class IssueCode(StrEnum):
    """The rules of a mapping; `docs/mapping.md` explains each."""

    UNKNOWN_NAME = "unknown_name"
    LOSSY_TYPES = "lossy_types"
    NOT_WRITABLE = "not_writable"
    MADE_ONE_WAY = "made_one_way"
    NARROWER = "narrower"
    LOCKED = "locked"
    MANDATORY = "mandatory"
    ONE_WAY_SPECIAL = "one_way_special"
    FUNCTION_FREE_TEXT = "function_free_text"
    DUPLICATE = "duplicate"
    PLACEHOLDER = "placeholder"
    POLICY = "policy"
    ENFORCED = "enforced"
    FILTER_VALUE = "filter_value"
    NO_FILTER = "no_filter"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to say about a mapping.

    `line` is the line's Salesforce field, or the name of a filter; `field` the property of the line
    that is meant ('' for all of it). `blocks`: the mapping cannot be saved so.
    """

    code: IssueCode
    pair: str
    field: str
    message: str
    remedy: str
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """All that is to say about a mapping, and the mapping as it would be saved."""

    mapping: MappingConfig
    problems: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
