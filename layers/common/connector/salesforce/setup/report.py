"""What the set-up of the org says: how each field stands, and how each step ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.mapping import Schema
from connector.salesforce.setup.required_fields import RequiredField

PERMISSION_SET: Final = "Plezi_Salesforce_Connector"
PERMISSION_SET_LABEL: Final = "Plezi Salesforce Connector"


class FieldState(StrEnum):
    """How a field stands. `unclear`: not visible, and we may not ask whether it exists."""

    PRESENT = "present"
    MISSING = "missing"
    INVISIBLE = "invisible"
    READ_ONLY = "read_only"
    WRONG_TYPE = "wrong_type"
    UNCLEAR = "unclear"


class SetupStepKind(StrEnum):
    """What is made, in this order."""

    FIELD = "field"
    PERMISSION_SET = "permission_set"
    VISIBILITY = "visibility"
    ASSIGNMENT = "assignment"


RIGHTS: Final = {
    SetupStepKind.FIELD: "give the integration user the permission 'Customize Application'",
    SetupStepKind.PERMISSION_SET: "give the integration user 'Manage Profiles and Permission Sets'",
    SetupStepKind.VISIBILITY: "give the integration user 'Manage Profiles and Permission Sets'",
    SetupStepKind.ASSIGNMENT: "give the integration user 'Assign Permission Sets', or assign the "
    f"permission set {PERMISSION_SET_LABEL!r} to it by hand",
}
"""The permission that each step wants (reference: salesforce 3.2, 3.4)."""


class StepOutcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FieldReport:
    """One field of the product: how it stands, and what to do ('' when nothing)."""

    object: str
    name: str
    purpose: str
    state: FieldState
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One thing that was to be made; `code` is Salesforce's own word for a refusal."""

    kind: SetupStepKind
    subject: str
    outcome: StepOutcome
    code: str = ""
    remedy: str = ""


def report_field(
    wanted: RequiredField, schema: Schema, existing: frozenset[str] | None
) -> FieldReport:
    """Say how one field stands, among those seen and those that exist (None: nobody tells)."""
    found = schema.get(wanted.name)
    state, remedy = FieldState.PRESENT, ""
    if found is None and existing is None:
        state = FieldState.UNCLEAR
        remedy = "create it, or grant it to the integration user by field-level security"
    elif found is None and wanted.full_name in (existing or ()):
        state = FieldState.INVISIBLE
        remedy = "grant it to the integration user by field-level security"
    elif found is None:
        state, remedy = FieldState.MISSING, f"create it as {_made_as(wanted)}"
    elif flaw := wanted.defect(found):
        state, remedy = FieldState.WRONG_TYPE, f"{flaw}: change it, or map another field"
    elif wanted.is_written and not (found.creatable and found.updatable):
        state = FieldState.READ_ONLY
        remedy = "grant the integration user edit access to it by field-level security"
    return FieldReport(wanted.kind.value, wanted.name, wanted.purpose, state, remedy)


def _made_as(wanted: RequiredField) -> str:
    words = str(wanted.metadata["type"])
    if "length" in wanted.metadata:
        words += f" of {wanted.metadata['length']}"
    return words + (", External ID, unique" if wanted.external_id else "")
