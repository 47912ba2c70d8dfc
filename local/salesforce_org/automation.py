"""The automation of the org: duplicate rules, validation rules, flows, and a log of assignments."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(slots=True)
class DuplicateRule:
    """A duplicate rule by e-mail: it blocks, or alerts (a save with `allowSave=true` passes)."""

    object: str
    name: str
    action: Literal["off", "block", "alert"] = "off"


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A rule that refuses a record that meets a SOQL condition."""

    object: str
    condition: str
    message: str
    field: str | None = None
    code: str = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


@dataclass(frozen=True, slots=True)
class Flow:
    """An automation that edits a record after a save, `seconds` later."""

    object: str
    values: dict[str, Any]
    condition: str | None = None
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type of an object; `values` are those of its picklists, by their names."""

    id: str
    object: str
    name: str
    is_default: bool
    values: dict[str, tuple[str, ...]]


@dataclass(slots=True)
class Automation:
    """The active rules."""

    duplicates: dict[str, DuplicateRule] = field(
        default_factory=lambda: {
            name: DuplicateRule(name, f"Standard_{name}_Duplicate_Rule")
            for name in ("Lead", "Contact")
        }
    )
    validations: list[ValidationRule] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    assignments: list[dict[str, Any]] = field(default_factory=list)

    def listing(self) -> dict[str, Any]:
        """Return the rules as a JSON object."""
        return {
            "duplicate_rules": [asdict(rule) for rule in self.duplicates.values()],
            "validation_rules": [asdict(rule) for rule in self.validations],
            "flows": [asdict(flow) for flow in self.flows],
        }
