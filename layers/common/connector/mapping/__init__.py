"""The mapping of field pairs, canonical forms for comparison, and conversions of values."""

from connector.mapping.bound import BoundMapping, BoundPair, ReadScope, SuspendedPair, bind_mapping
from connector.mapping.model import (
    DEFAULT_MAPPING,
    SHIPPED_MAPPING,
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    SavedMapping,
)
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.values import canonical, convert, is_identical

__all__ = [
    "DEFAULT_MAPPING",
    "SHIPPED_MAPPING",
    "BoundMapping",
    "BoundPair",
    "ConflictPolicy",
    "Direction",
    "DuplicatePolicy",
    "Field",
    "FieldKind",
    "FieldPair",
    "Filter",
    "MappingConfig",
    "Operator",
    "ReadScope",
    "SavedMapping",
    "Schema",
    "SuspendedPair",
    "bind_mapping",
    "canonical",
    "convert",
    "is_identical",
]
