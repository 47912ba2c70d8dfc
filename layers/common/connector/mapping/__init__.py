"""The table of field lines, the canonical forms in which values are compared, conversions."""

from connector.mapping.lines import (
    DEFAULT_MAPPING,
    Direction,
    Duplicates,
    FieldMapping,
    Filter,
    Line,
    Operator,
    Policy,
)
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.table import BoundLine, BoundMapping, ParkedLine, View, bind
from connector.mapping.values import canonical, canonical_email, convert, identical

__all__ = [
    "DEFAULT_MAPPING",
    "BoundLine",
    "BoundMapping",
    "Direction",
    "Duplicates",
    "Field",
    "FieldKind",
    "FieldMapping",
    "Filter",
    "Line",
    "Operator",
    "ParkedLine",
    "Policy",
    "Schema",
    "View",
    "bind",
    "canonical",
    "canonical_email",
    "convert",
    "identical",
]
