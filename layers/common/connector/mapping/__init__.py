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
from connector.mapping.value_table import ValuePair
from connector.mapping.values import (
    UnusableValue,
    canonical,
    convert,
    have_same_values,
    is_identical,
    stored_value,
    stored_values,
)

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
    "UnusableValue",
    "ValuePair",
    "bind_mapping",
    "canonical",
    "convert",
    "have_same_values",
    "is_identical",
    "stored_value",
    "stored_values",
]
